"""Each kind of vision-language model against a slow reference: one triple, one token at a time."""

import numpy as np
import pytest
import torch
import transformers

from tests.support import tiny_vlms
from vqapg.data.vqa_answers import normalise_answer
from vqapg.errors import InputError
from vqapg.judges.hf_files import model_type
from vqapg.judges.vlm_load import kind_of, load_scorer
from vqapg.judges.vlm_score import Asked, answer_probability, share_of_yes

# Questions and answers of different lengths; two triples of one picture.
ASKED = [
    Asked(0, "what color is the shape?", "red"),
    Asked(1, "is there a circle?", "yes"),
    Asked(1, "is it red?", "the blue circle"),
    Asked(2, "what color is the circle in the image?", "red or blue"),
]
SAVED = {
    "blip": tiny_vlms.save_blip,
    "vilt": tiny_vlms.save_vilt,
    "llava": tiny_vlms.save_llava,
    "idefics": tiny_vlms.save_idefics,
    "qwen": tiny_vlms.save_qwen,
}
PAIRS = [(name, ask) for name in SAVED for ask in ("answer", "yes")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {name: save(folder / name) for name, save in SAVED.items()}


@pytest.fixture(scope="module")
def scorer(folders):
    """scorer(name, ask) -> in double precision, so that nothing but a mistake differs."""

    def load(name, ask):
        folder = folders[name]
        return load_scorer(folder, kind_of(folder, model_type(folder)), ask, "float64", "cpu")

    return load


def scores_of(scorer, asked=ASKED):
    with torch.inference_mode():
        return scorer.score(tiny_vlms.pictures(), asked)


def joined(log_probs):
    """Of an answer: the geometric mean of its words' probabilities, times that of the end."""
    *words, end = np.exp(log_probs)
    return np.prod(words) ** (1 / len(words)) * end


def blip_log_probs(folder, picture, question, answer):
    model = transformers.BlipForQuestionAnswering.from_pretrained(folder, dtype=torch.float64)
    processor = transformers.BlipProcessor.from_pretrained(folder)
    pixels = processor.image_processor(picture, return_tensors="pt").pixel_values.double()
    ids = processor.tokenizer(question, return_tensors="pt").input_ids
    seen = model.vision_model(pixels).last_hidden_state
    read = model.text_encoder(ids, encoder_hidden_states=seen).last_hidden_state
    said, log_probs = [tiny_vlms.VOCABULARY["[DEC]"]], []
    for word in [*answer.split(), "[SEP]"]:
        logits = model.text_decoder(torch.tensor([said]), encoder_hidden_states=read).logits
        said.append(tiny_vlms.VOCABULARY[word])
        log_probs.append(logits[0, -1].log_softmax(-1)[said[-1]].item())
    return log_probs


def test_generator_scores_the_answers_likelihood(scorer, folders):
    for one, score in zip(ASKED, scores_of(scorer("blip", "answer")), strict=True):
        picture = tiny_vlms.pictures()[one.picture]
        with torch.inference_mode():
            expected = joined(blip_log_probs(folders["blip"], picture, one.question, one.answer))
        assert score == pytest.approx(expected, rel=1e-6)


def test_generator_is_asked_whether_the_answer_is_right(scorer, folders):
    for one, score in zip(ASKED, scores_of(scorer("blip", "yes")), strict=True):
        picture = tiny_vlms.pictures()[one.picture]
        question = f"{one.question} is {one.answer} the right answer?"
        with torch.inference_mode():
            yes, no = (
                np.exp(sum(blip_log_probs(folders["blip"], picture, question, word)))
                for word in ("yes", "no")
            )
        assert score == pytest.approx(yes / (yes + no), rel=1e-6)


def vilt_probabilities(folder, picture, question):
    """By the normalised answer; of two classes that are one answer, the greater."""
    model = transformers.ViltForQuestionAnswering.from_pretrained(folder, dtype=torch.float64)
    processor = transformers.ViltProcessor.from_pretrained(folder)
    inputs = processor(images=picture, text=question, return_tensors="pt").to(dtype=torch.float64)
    found = {}
    for logit, label in zip(model(**inputs).logits[0], tiny_vlms.LABELS, strict=True):
        answer = normalise_answer(label)
        found[answer] = max(found.get(answer, 0), 1 / (1 + np.exp(-logit.item())))
    return found


@pytest.mark.parametrize("answers", [["red", "yes", "the blue circle", "a blue"], ["so"] * 4])
def test_classifier_scores_the_answers_class_or_nan(scorer, folders, answers):
    asked = [one._replace(answer=answer) for one, answer in zip(ASKED, answers, strict=True)]
    for one, score in zip(asked, scores_of(scorer("vilt", "answer"), asked), strict=True):
        picture = tiny_vlms.pictures()[one.picture]
        with torch.inference_mode():
            found = vilt_probabilities(folders["vilt"], picture, one.question)
        expected = found.get(normalise_answer(one.answer), np.nan)
        assert score == pytest.approx(expected, rel=1e-6, nan_ok=True)
        assert np.isnan(score) == (one.answer in ("the blue circle", "so"))


def test_classifier_is_asked_whether_the_answer_is_right(scorer, folders):
    for one, score in zip(ASKED, scores_of(scorer("vilt", "yes")), strict=True):
        picture = tiny_vlms.pictures()[one.picture]
        question = f"{one.question} is {one.answer} the right answer?"
        with torch.inference_mode():
            found = vilt_probabilities(folders["vilt"], picture, question)
        assert score == pytest.approx(found["yes"] / (found["yes"] + found["no"]), rel=1e-6)


def test_classifier_without_yes_and_no_is_refused(tmp_path):
    folder = tiny_vlms.save_vilt(tmp_path / "vilt", ["red", "yes"])
    with pytest.raises(InputError, match="has no answers yes and no; leave score=yes out"):
        load_scorer(folder, kind_of(folder, "vilt"), "yes", "float32", "cpu")


def next_log_probs(folder, picture, prompt, said=()):
    """Of the token that a LLaVA says after *prompt* and the tokens *said*."""
    model = transformers.LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float64)
    processor = transformers.LlavaProcessor.from_pretrained(folder)
    inputs = processor(images=picture, text=prompt, return_tensors="pt", add_special_tokens=False)
    ids = torch.cat([inputs.input_ids, torch.tensor([said], dtype=torch.long)], dim=1)
    logits = model(input_ids=ids, pixel_values=inputs.pixel_values.double()).logits
    return logits[0, -1].log_softmax(-1)


def test_chat_model_scores_the_answers_likelihood(scorer, folders):
    for one, score in zip(ASKED, scores_of(scorer("llava", "answer")), strict=True):
        prompt = (
            f"<s>User:<image> {one.question}\nAnswer with one word or a short phrase, in lower "
            "case.<end>\nAssistant:"
        )
        said, log_probs = [], []
        for word in [*one.answer.split(), "<end>"]:
            picture = tiny_vlms.pictures()[one.picture]
            with torch.inference_mode():
                following = next_log_probs(folders["llava"], picture, prompt, said)
            said.append(tiny_vlms.VOCABULARY[word])
            log_probs.append(following[said[-1]].item())
        assert score == pytest.approx(joined(log_probs), rel=1e-6)


def test_chat_model_is_asked_whether_the_answer_is_right(scorer, folders):
    for one, score in zip(ASKED, scores_of(scorer("llava", "yes")), strict=True):
        prompt = (
            f"<s>User:<image> Question: {one.question}\nProposed answer: {one.answer}\n"
            "Is the proposed answer right? Please answer yes or no.<end>\nAssistant:"
        )
        picture = tiny_vlms.pictures()[one.picture]
        with torch.inference_mode():
            following = next_log_probs(folders["llava"], picture, prompt).exp()
        yes, no = (
            sum(following[tiny_vlms.VOCABULARY[word]].item() for word in words)
            for words in (("yes", "Yes"), ("no", "No"))
        )
        assert score == pytest.approx(yes / (yes + no), rel=1e-6)


@pytest.mark.parametrize("name, ask", PAIRS)
def test_padding_changes_no_score(scorer, name, ask):
    model = scorer(name, ask)
    together = scores_of(model)
    for one, score in zip(ASKED, together, strict=True):
        assert scores_of(model, [one])[0] == pytest.approx(score, rel=1e-9, nan_ok=True)
    assert len(set(together[~np.isnan(together)])) == (
        2 if (name, ask) == ("vilt", "answer") else 4
    )


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_lower_precision_scores_nearly_alike(folders, scorer, name, dtype):
    kind = kind_of(folders[name], model_type(folders[name]))
    coarse = load_scorer(folders[name], kind, "yes", dtype, "cpu")
    rounding = 1e-4 if dtype == "float32" else 0.05
    np.testing.assert_allclose(scores_of(coarse), scores_of(scorer(name, "yes")), atol=rounding)


def test_chat_model_without_chosen_logits_scores_alike(scorer):
    model = scorer("llava", "answer")
    chosen = scores_of(model)
    model.chooses_logits = False
    np.testing.assert_allclose(scores_of(model), chosen, rtol=1e-9)


def test_template_without_an_end_gets_the_tokenizers(tmp_path):
    folder = tiny_vlms.save_llava(tmp_path / "llava", tiny_vlms.TEMPLATE.replace("END", ""))
    model = load_scorer(folder, kind_of(folder, "llava"), "answer", "float64", "cpu")
    assert model._texts(ASKED[0]).whole.endswith("Assistant: red<end>")
    assert model._texts(ASKED[0]).scored == 2


def test_answer_of_one_token_has_its_probability():
    log_probs = torch.tensor([[0.3, 1.0, 1.0, 1.0], [0.5, 0.02, 0.25, 0.8]]).log()
    found = answer_probability(log_probs, torch.tensor([2, 4]))
    # cubic root of 0.5 * 0.02 * 0.25 = 0.0025
    np.testing.assert_allclose(found, [0.3, 0.0025 ** (1 / 3) * 0.8], rtol=1e-6)


def test_share_of_yes_by_hand():
    found = share_of_yes(torch.tensor([0.3, 0.01]).log(), torch.tensor([0.1, 0.03]).log())
    np.testing.assert_allclose(found, [0.75, 0.25], rtol=1e-6)
