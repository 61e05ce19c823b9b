"""A vision-language model of Hugging Face transformers as a judge.

It has seen the world, and not only the pairs that our evaluator was trained on. Its scores are kept
on disk: a run that was killed goes on, and a second run asks nothing.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from tqdm import tqdm

from vqapg.data.tokenizer import detokenize
from vqapg.devices import chosen_device
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.hf_files import digest, model_folder, model_type
from vqapg.judges.judge import Triple
from vqapg.judges.score_cache import ScoreCache, cache_folder
from vqapg.judges.spec_options import split_options
from vqapg.judges.vlm_load import import_transformers, kind_of, load_scorer
from vqapg.judges.vlm_score import VERSION, Asked, Scorer

OPTIONS = {
    "score": ("answer", "yes"),
    "dtype": ("float32", "bfloat16", "float16"),
    "batch": (),
    "revision": (),
}
AT_ONCE = 16  # triples; a chat model takes some GB for them


class HFJudge:
    """A vision-language model, in a folder or on the hub.

    Args:
        argument: ``NAME_OR_PATH``, or with options ``NAME_OR_PATH?score=yes&batch=8``:

            - ``score``: "answer" or "yes", see :mod:`vqapg.judges.vlm_score`; by default "yes" for
              a chat model, else "answer"
            - ``dtype``: of the weights, "float32" by default
            - ``batch``: triples at once, 16 by default; changes no score
            - ``revision``: branch, tag or commit on the hub
        context: the images, as pictures

    Raises:
        InputError: if transformers is not installed, there is no such model, or it answers no
            questions about pictures
    """

    def __init__(self, argument: str, context: JudgeContext) -> None:
        path, options = split_options("hf", argument, OPTIONS)
        if not path:
            raise InputError("--judge hf: names no model; give hf:NAME_OR_PATH")
        batch = options.get("batch", str(AT_ONCE))
        if not batch.isdecimal() or int(batch) < 1:
            raise InputError(f"--judge hf: batch={batch} is not possible; give 1 or more")
        import_transformers()
        self.at_once = int(batch)
        self.context = context
        self.device = context.features.device if context.features else chosen_device("auto")
        self.folder = model_folder(path, options.get("revision"))
        self.kind = kind_of(self.folder, model_type(self.folder))
        self.ask = options.get("score", self.kind.ask)
        self.dtype = options.get("dtype", "float32")
        scores = {
            "judge": "hf",
            "sha256": digest(self.folder),
            "kind": self.kind.name,
            "score": self.ask,
            "prompt": self.kind.prompts[self.ask],
            "dtype": self.dtype,
            "version": VERSION,
        }
        fingerprint = hashlib.sha256(json.dumps(scores, sort_keys=True).encode()).hexdigest()
        self.name = f"hf:{fingerprint[:12]}"
        self.identity: dict[str, Any] = {**scores, "model": path}
        self.cache = ScoreCache(cache_folder() / "scores" / f"hf-{fingerprint}.sqlite")

    @cached_property
    def scorer(self) -> Scorer:
        """The model. It is loaded when the first triple is not in the cache."""
        return load_scorer(self.folder, self.kind, self.ask, self.dtype, self.device)

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.judge.Judge.score`.

        Raises:
            InputError: if a picture, the model or the cache cannot be read
            RunError: if the disk is full
        """
        pictures = {
            image: picture_digest(self.context.picture(image))
            for image in self._progress({triple.image: None for triple in triples}, "pictures")
        }
        keys = [triple_key(pictures[t.image], t.question, t.answer) for t in triples]
        known = self.cache.read(keys)
        # Triples of an image side by side, so that a batch holds few images.
        order = {image: place for place, image in enumerate(pictures)}
        new = [row for row in range(len(triples)) if keys[row] not in known]
        new.sort(key=lambda row: order[triples[row].image])
        batches = [new[start : start + self.at_once] for start in range(0, len(new), self.at_once)]
        for batch in self._progress(batches, "scoring"):
            scores = self._ask([triples[row] for row in batch])
            fresh = {keys[row]: score for row, score in zip(batch, scores.tolist(), strict=True)}
            self.cache.write(fresh)
            known.update(fresh)
        return np.array([known[key] for key in keys], dtype=np.float64)

    def _ask(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        images = list(dict.fromkeys(triple.image for triple in triples))
        asked = [
            Asked(images.index(image), detokenize(question.split()), detokenize(answer.split()))
            for image, question, answer in triples
        ]
        with torch.inference_mode():
            return self.scorer.score([self.context.picture(image) for image in images], asked)

    def _progress(self, items: Collection[Any], doing: str) -> Iterable[Any]:
        # Pairs for pictures are judged a few at a time, and have a bar of their own.
        quiet = self.context.features is not None or not items
        bar: Iterable[Any] = tqdm(items, desc=doing, disable=quiet)
        return bar


def picture_digest(picture: Image) -> bytes:
    """SHA-256 of what the picture shows: its size and pixels, whatever its file is called."""
    pixels = picture.convert("RGB")
    return hashlib.sha256(f"{pixels.size}".encode() + pixels.tobytes()).digest()


def triple_key(picture: bytes, question: str, answer: str) -> bytes:
    """What the cache knows a triple by."""
    texts = json.dumps([question, answer]).encode()
    return hashlib.sha256(picture + texts).digest()
