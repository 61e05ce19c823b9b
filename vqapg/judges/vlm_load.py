"""Loading a vision-language model from its folder: safetensors only, and no code of its maker."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from vqapg.errors import InputError
from vqapg.judges.vlm_chat import ANSWER_IT, ChatScorer
from vqapg.judges.vlm_chat import IS_IT_RIGHT as ASK_CHAT
from vqapg.judges.vlm_classifier import ClassifierScorer
from vqapg.judges.vlm_generator import IS_IT_RIGHT, GeneratorScorer
from vqapg.judges.vlm_score import Scorer

INSTALL = "needs transformers, which is not installed; pip install 'vqapg[hf]'"


class Kind(NamedTuple):
    """A way in which models answer.

    Attributes:
        name: for results and messages
        ask: what it is asked by default, see :mod:`vqapg.judges.vlm_score`
        prompts: by what is asked, the words that it reads
        loader: the class of transformers that loads it
        scorer: what scores with it
    """

    name: str
    ask: str
    prompts: dict[str, str]
    loader: str
    scorer: Callable[[Any, Any, str], Scorer]


GENERATOR = Kind(
    "VQA generator",
    "answer",
    {"answer": "{question}", "yes": IS_IT_RIGHT},
    "BlipForQuestionAnswering",
    GeneratorScorer,
)
CLASSIFIER = Kind(
    "VQA classifier",
    "answer",
    {"answer": "{question}", "yes": IS_IT_RIGHT},
    "ViltForQuestionAnswering",
    ClassifierScorer,
)
CHAT = Kind(
    "chat model",
    "yes",
    {"answer": ANSWER_IT, "yes": ASK_CHAT},
    "AutoModelForImageTextToText",
    ChatScorer,
)
# By the model_type of config.json; every other is a chat model, or none.
KINDS = {"blip": GENERATOR, "vilt": CLASSIFIER}


def import_transformers() -> Any:
    """The package.

    Raises:
        InputError: if it is not installed
    """
    try:
        import transformers
    except ImportError as error:
        raise InputError(f"--judge hf: {INSTALL}") from error
    return transformers


def kind_of(folder: Path, model_type: str) -> Kind:
    """How the model answers.

    Raises:
        InputError: if transformers knows no model of that type which answers questions
    """
    if model_type in KINDS:
        return KINDS[model_type]
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as CHATTING,
    )

    if model_type not in CHATTING:
        raise InputError(
            f"--judge hf: {folder} holds a model of type {model_type}, which answers no questions "
            f"about pictures; give {', '.join(KINDS)}, or a chat model of transformers"
        )
    return CHAT


def load_scorer(folder: Path, kind: Kind, ask: str, dtype: str, device: str) -> Scorer:
    """The model, ready to score.

    Raises:
        InputError: if the files are damaged, lack weights, or need code of the model's maker
    """
    transformers = import_transformers()
    options = {"local_files_only": True, "trust_remote_code": False}
    level, bar = (
        transformers.logging.get_verbosity(),
        transformers.logging.is_progress_bar_enabled(),
    )
    # What it says of each file is of no use here; what is missing is looked at below.
    transformers.logging.set_verbosity(logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    try:
        processor = transformers.AutoProcessor.from_pretrained(folder, **options)
        model, loaded = getattr(transformers, kind.loader).from_pretrained(
            folder,
            use_safetensors=True,
            output_loading_info=True,
            dtype=getattr(torch, dtype),
            **options,
        )
    except Exception as error:  # damaged files raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"--judge hf: {folder} cannot be loaded ({reason}); give another model, or fetch it "
            "again"
        ) from error
    finally:
        transformers.logging.set_verbosity(level)
        if bar:
            transformers.logging.enable_progress_bar()
    # transformers fills what is missing with random numbers.
    missing = sorted([*loaded["missing_keys"], *map(str, loaded["mismatched_keys"])])
    if missing:
        raise InputError(
            f"--judge hf: {folder} is no {kind.name}: it lacks {len(missing):,} weights, such as "
            f"{missing[0]}; give another model"
        )
    if kind is CHAT and not getattr(processor, "chat_template", None):
        raise InputError(
            f"--judge hf: {folder} has no chat template, so nobody knows how to ask it; "
            "give a model that was tuned to chat"
        )
    return kind.scorer(model.eval().to(device), processor, ask)
