"""Overlap of one generated half of a pair with the gold half, for VQG and VQA (section 6.6, Table
8).
"""

import contextlib
import os
from typing import Any

import numpy as np

from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import read_generated
from vqapg.evaluation.meteor import Meteor, MeteorError, find_java
from vqapg.evaluation.metric import Measure
from vqapg.evaluation.overlap import (
    NO_FOUR_GRAM,
    bleu_figure,
    bleu_parts_and_rouge_l,
    has_four_grams,
    meteor_statistics,
    not_computed,
    without_punctuation,
)
from vqapg.provenance import provenance

EXACT = Measure(key="exact", label="exact", unit="share")


def measure_overlap(
    data: DataDirectory,
    generated: str | os.PathLike[str],
    text: str,
    *,
    split: str = "test",
    seed: int = 1,
) -> dict[str, Any]:
    """What ``vqapg overlap`` writes: :func:`text_overlap` of a file, and where it comes from.

    Args:
        data: the data directory that was generated from
        generated: ``generate-<split>.txt``
        text: "question" or "answer", the half that was generated
        split: of the pairs
        seed: of the bootstrap over images

    Raises:
        InputError: if the file cannot be read, or is of another split
    """
    if seed < 0:
        raise InputError(f"--seed {seed}: must not be negative; give 0 or more")
    pairs = read_generated(generated, data, split)
    return {
        "pairs": len(pairs),
        "images": len({pair.image for pair in pairs}),
        "malformed": sum(pair.malformed for pair in pairs),
        **text_overlap(pairs, data.pairs(split), text, seed=seed),
        "of": text,
        "split": split,
        "provenance": provenance(seed=seed, inputs={"data": data.path, "pairs": generated}),
    }


def text_overlap(pairs, gold, text, *, seed=1, resamples=1000):
    """BLEU-4, METEOR, ROUGE-L by coco-caption's definitions, and the share of texts that are the
    gold one exactly.

    Args:
        pairs: list of GeneratedPair; ``id`` names the gold pair that each was generated from
        gold: the pairs of the split
        text: "question" or "answer", the half that was generated
        seed, resamples: of the bootstrap over images

    Returns:
        ``{"value", "n", "ci95"}`` by key; under ``not_computed`` why some are missing, or have no
        value

    Raises:
        InputError: if a pair's id is not the number of a gold pair of its image
    """
    for pair in pairs:
        if pair.id >= len(gold) or gold[pair.id].image != pair.image:
            raise InputError(
                f"--pairs: id {pair.id} is not a pair of {pair.image!r} in this split. Texts are "
                "compared with the gold pair of their id; give the generate-*.txt of this split"
            )
    figures, missing = Figures(pairs, seed, resamples), not_computed()
    said = [getattr(pair, text) for pair in figures.pairs]
    meant = [getattr(gold[pair.id], text) for pair in figures.pairs]
    found = {"exact": figures.mean(figures.image, np.array(said) == np.array(meant))}
    if "bleu4" in missing or not said:
        return found | {"not_computed": missing}
    ids = [pair.id for pair in figures.pairs]
    # A text of nothing but punctuation stays as it is.
    texts = [without_punctuation(words) or words for words in said]
    references = {id: [without_punctuation(words) or words] for id, words in zip(ids, meant)}
    with contextlib.nullcontext() if "meteor" in missing else Meteor(find_java()) as meteor:
        bleu, rouge = bleu_parts_and_rouge_l(ids, texts, references)
        if not has_four_grams(bleu):
            missing["bleu4"] = NO_FOUR_GRAM
        found |= {
            "bleu4": bleu_figure(figures, figures.image, bleu),
            "rouge_l": figures.mean(figures.image, rouge),
        }
        if meteor:
            try:
                statistics = meteor_statistics(meteor, ids, texts, references)
                found["meteor"] = figures.of_sums(figures.image, statistics, meteor.scores)
            except MeteorError as error:
                missing["meteor"] = f"{error}; see that Java can have 2 GB of memory"
    return found | {"not_computed": missing}
