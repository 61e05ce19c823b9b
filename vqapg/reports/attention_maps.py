"""Stored region weights and attentions, as `vqapg attention` writes them, read for Figures 6 to 8
and Table 7.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vqapg.data.tokenizer import detokenize
from vqapg.errors import InputError
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.reports.paper import MODELS, VARIATIONAL
from vqapg.reports.stored import read_json, seed_folders
from vqapg.reports.study_judge import identity_of
from vqapg.reports.trained import UNKNOWN

CURE = "make it again with vqapg attention"
# Cells of a map that boxes are painted into, each way
RASTER = 200


class LookedPair(NamedTuple):
    """A generated pair: texts for people, the evaluator's score (None where not known), and by
    text, "question" or "answer", arrays over the regions ``[H, W]``: ``weights`` (empty without
    region scaling) and mean ``attention``. Where the regions are objects, the arrays are ``[R]``,
    and ``boxes [R, 4]`` say where they lie.
    """

    question: str
    answer: str
    consistency: float | None
    weights: dict[str, np.ndarray]
    attention: dict[str, np.ndarray]
    boxes: np.ndarray | None = None

    def map_of(self, values: np.ndarray) -> np.ndarray:
        """Values of the regions over the whole picture, ``[H, W]``."""
        return values if self.boxes is None else painted(values, self.boxes)

    def __str__(self):
        return f"{self.question} {self.answer}"

    @property
    def divergence(self):
        """KL(mean question attention || mean answer attention) in nats, equation 4 without its
        weight.
        """
        question, answer = (self.attention[text] + 1e-8 for text in ("question", "answer"))
        return float((self.attention["question"] * np.log(question / answer)).sum())


class AttentionRecord(NamedTuple):
    """One attention.json.

    Attributes:
        images: {image: (its path, its pairs)}
        shared: whether question and answer have one z
        run: the folder of the model that made the pairs
        judge: what tells who scored the pairs; None where nobody did
    """

    images: dict[str, tuple[str, list[LookedPair]]]
    shared: bool
    run: Path
    judge: Any

    def path_of(self, image):
        return self.images[image][0]

    def pairs_of(self, image):
        return self.images[image][1] if image in self.images else []

    def best_and_worst(self, image):
        """The image's pair that the evaluator scores highest, and that which it scores lowest where
        it rejects it; without scores the first and none.
        """
        pairs = self.pairs_of(image)
        if not pairs or any(pair.consistency is None for pair in pairs):
            return (pairs[0] if pairs else None), None
        worst = min(pairs, key=lambda pair: pair.consistency)
        best = max(pairs, key=lambda pair: pair.consistency)
        return best, (
            worst if worst.consistency <= CONSISTENT_ABOVE and worst is not best else None
        )


def attention_records(folder: Path) -> dict[str, AttentionRecord]:
    """{model: AttentionRecord} of ``folder/MODEL/seed-K/attention.json``, for the variational
    models that have one; of several seeds the first.

    Raises:
        InputError: on one that is none, and if two judges scored the pairs
    """
    found: dict[str, AttentionRecord] = {}
    for model in VARIATIONAL:
        paths = [path / "attention.json" for path in seed_folders(folder / model).values()]
        path = next((path for path in paths if path.exists()), None)
        if path is not None:
            found[model] = _read(path, shared=not model.startswith("pipeline"))
    judges = {model: record.judge for model, record in found.items() if record.judge is not None}
    for model, judge in judges.items():
        first = next(iter(judges))
        if judge != judges[first]:
            raise InputError(
                f"{found[model].run / 'attention.json'}: is scored by another judge than "
                f"{found[first].run / 'attention.json'}, which no table may compare; {CURE}"
            )
    return found


def without_drawn_pairs(records: Mapping[str, AttentionRecord]) -> Iterator[str]:
    """The models and images of which no well-formed pair was drawn, a sentence a model."""
    images = dict.fromkeys(image for record in records.values() for image in record.images)
    for model, record in records.items():
        none = [image for image in images if image in record.images and not record.pairs_of(image)]
        if none:
            yield f"{MODELS[model]} drew no well-formed pair for {', '.join(none)}."
        others = [image for image in images if image not in record.images]
        if others:
            yield f"{MODELS[model]} was not given {', '.join(others)}."


def _read(path, shared):
    stored = read_json(path, CURE)
    try:
        grid = None if stored["grid"] is None else tuple(stored["grid"])
        images = {
            image["image"]: (
                image["path"],
                [_pair(pair, grid, image.get("boxes")) for pair in image["pairs"]],
            )
            for image in stored["images"]
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: holds no region weights and attentions ({error!r}); {CURE}"
        ) from error
    pairs = [pair for _, of_image in images.values() for pair in of_image]
    judge = identity_of(stored)
    if judge is None and any(pair.consistency is not None for pair in pairs):
        judge = UNKNOWN
    return AttentionRecord(images, shared, path.parent, judge)


def painted(values: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Each box filled with its value; the largest is seen where boxes overlap, 0 outside of all.

    Args:
        values: of the regions
        boxes: x1 y1 x2 y2, in shares of the picture's width and height

    Shape:
        ``[R], [R, 4] -> [RASTER, RASTER]``
    """
    raster = np.zeros((RASTER, RASTER))
    for region in np.argsort(values, kind="stable"):
        x1, y1, x2, y2 = (boxes[region] * RASTER).round().astype(int)
        raster[y1:y2, x1:x2] = values[region]
    return raster


def _pair(pair, grid, boxes):
    score = pair.get("consistency")
    if score is not None and not (isinstance(score, float) and math.isfinite(score)):
        raise ValueError(f"consistency {score!r}")
    weights, attention = (
        {
            text: np.array(values, dtype=np.float64).reshape(grid or len(boxes))
            for text, values in pair[what].items()
        }
        for what in ("weights", "attention")
    )
    if set(attention) != {"question", "answer"} or not set(weights) <= set(attention):
        raise ValueError("question and answer are not both there")
    question, answer = (detokenize(pair[text].split()) for text in ("question", "answer"))
    placed = None if grid is not None else np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return LookedPair(question, answer, score, weights, attention, placed)
