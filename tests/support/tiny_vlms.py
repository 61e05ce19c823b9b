"""Vision-language models of some thousand random weights, saved as their makers save theirs."""

from pathlib import Path
from typing import Any

import torch
import transformers as hf
from PIL import Image
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

WORDS = (
    "what color is the shape there a circle red blue green yes no Yes No it in image one or word "
    "short phrase lower case Question Proposed proposed answer Answer with right Please User "
    "Assistant ? : . , <end> <image>"
).split()
# Those of Idefics 3 mark where a picture begins, and which part of it follows.
PARTS = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
QWEN = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
MARKS = ["<fake_token_around_image>", "<global-img>", *PARTS, *QWEN]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[DEC]", "<s>", *MARKS]
VOCABULARY = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
LABELS = ["yes", "no", "red", "The Blue", "blue"]
TEMPLATE = (
    "<s>{% for message in messages %}{{ message['role'].capitalize() }}:"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}"
    "{% endfor %}END\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def tokenizer(kind: str) -> Any:
    """A tokenizer of whole words; *kind* "bert" puts [CLS] and [SEP] around a text."""
    words = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    if kind == "bert":
        words.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[(token, VOCABULARY[token]) for token in ("[CLS]", "[SEP]")],
        )
        names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "bos_token": "[DEC]"}
    else:
        names = {"bos_token": "<s>", "eos_token": "<end>"}
        words.add_special_tokens(
            [AddedToken(word, normalized=False) for word in ("<image>", "<end>", "<s>", *MARKS)]
        )
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", **names
    )


def save(model: Any, processor: Any, folder: Path) -> Path:
    torch.manual_seed(7)
    for parameter in model.parameters():
        # The usual small weights would give every answer the same probability.
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


TEXT = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 16,
    "patch_size": 8,
}


def save_blip(folder: Path) -> Path:
    """A tiny BLIP-VQA in *folder*."""
    tokens = {
        "bos_token_id": VOCABULARY["[DEC]"],
        "sep_token_id": VOCABULARY["[SEP]"],
        "eos_token_id": VOCABULARY["[SEP]"],
        "pad_token_id": 0,
    }
    config = hf.BlipConfig(
        text_config=TEXT | tokens | {"encoder_hidden_size": 16, "max_position_embeddings": 40},
        vision_config=VISION,
    )
    images = hf.BlipImageProcessor(size={"height": 16, "width": 16})
    return save(
        hf.BlipForQuestionAnswering(config), hf.BlipProcessor(images, tokenizer("bert")), folder
    )


def save_vilt(folder: Path, labels: list[str] = LABELS) -> Path:
    """A tiny ViLT in *folder*, which knows the answers *labels*."""
    config = hf.ViltConfig(
        **TEXT,
        image_size=32,
        patch_size=16,
        max_position_embeddings=40,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    # Pictures keep their form: those of a batch are padded.
    images = hf.ViltImageProcessor(size={"shortest_edge": 32}, size_divisor=16)
    return save(
        hf.ViltForQuestionAnswering(config), hf.ViltProcessor(images, tokenizer("bert")), folder
    )


def save_llava(folder: Path, template: str | None = TEMPLATE.replace("END", "<end>")) -> Path:
    """A tiny LLaVA in *folder*."""
    config = hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**VISION),
        text_config=hf.LlamaConfig(**TEXT, max_position_embeddings=200),
        image_token_index=VOCABULARY["<image>"],
        vision_feature_layer=-1,
    )
    images = hf.CLIPImageProcessor(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
    )
    processor = hf.LlavaProcessor(
        images,
        tokenizer("chat"),
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )
    return save(hf.LlavaForConditionalGeneration(config), processor, folder)


def save_idefics(folder: Path) -> Path:
    """A tiny Idefics 3 in *folder*: it cuts pictures into parts, larger ones into more."""
    config = hf.Idefics3Config(
        vision_config=VISION,
        text_config=hf.LlamaConfig(**TEXT, max_position_embeddings=400),
        image_token_id=VOCABULARY["<image>"],
        scale_factor=2,
        pad_token_id=0,
    )
    images = hf.Idefics3ImageProcessor(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 16}
    )
    template = TEMPLATE.replace("END", "<end>")
    processor = hf.Idefics3Processor(
        images, tokenizer("chat"), image_seq_len=1, chat_template=template
    )
    return save(hf.Idefics3ForConditionalGeneration(config), processor, folder)


def save_qwen(folder: Path) -> Path:
    """A tiny Qwen2-VL in *folder*: larger pictures have more tokens, each with three positions."""
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}
    config = hf.Qwen2VLConfig(
        text_config=TEXT
        | {"num_key_value_heads": 2, "rope_parameters": rope, "bos_token_id": None}
        | {"eos_token_id": VOCABULARY["<end>"]},
        vision_config={"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2}
        | {"mlp_ratio": 1, "patch_size": 14},
        image_token_id=VOCABULARY["<|image_pad|>"],
        video_token_id=VOCABULARY["<|video_pad|>"],
        vision_start_token_id=VOCABULARY["<|vision_start|>"],
        vision_end_token_id=VOCABULARY["<|vision_end|>"],
    )
    template = TEMPLATE.replace("END", "<end>").replace(
        "<image>", "<|vision_start|><|image_pad|><|vision_end|>"
    )
    processor = hf.Qwen2VLProcessor(
        hf.Qwen2VLImageProcessor(size={"shortest_edge": 56 * 28, "longest_edge": 56 * 56}),
        tokenizer("chat"),
        hf.Qwen2VLVideoProcessor(),
        chat_template=template,
    )
    return save(hf.Qwen2VLForConditionalGeneration(config), processor, folder)


def pictures() -> list[Image.Image]:
    """Three pictures of different forms."""
    made = []
    for width, height, colour in ((24, 16, "red"), (16, 40, "blue"), (20, 20, "green")):
        picture = Image.new("RGB", (width, height), colour)
        picture.paste("white", (0, 0, width // 2, height // 3))
        made.append(picture)
    return made
