"""The image-swap test: does a judge look at the image?

A pair keeps its question and answer and gets the image of another pair, whose own answer differs.
The judge should score the pair lower with it. Question and answer are the same on both sides, so
that a judge that does not see scores an AUC of 0.5, whatever it knows of language.

Where the same question is asked of another image, with another answer, that image is taken: the
complementary pairs of VQA v2.0 (https://arxiv.org/abs/1612.00837), without their annotation.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import Pair
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import normalise_answer
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.calibration import AreaUnderCurve, measured_figure
from vqapg.evaluation.figures import number_items

TRIES = 100  # draws of another image before a pair is taken to have none
Scores = Mapping[tuple[str, str, str], float]


class Swap(NamedTuple):
    """Another image for a pair.

    Attributes:
        image: its id
        same_question: whether the pair's question is asked of it, with another answer
    """

    image: str
    same_question: bool


def choose_swaps(
    pairs: Sequence[Pair], every: Sequence[Pair], generator: np.random.Generator
) -> list[Swap | None]:
    """Another image for each of *pairs*; None where there is none.

    Args:
        pairs: that get another image
        every: the pairs of the split, whose images are taken; by none of them is a swapped pair
            right
        generator: draws among the images that are equally good
    """
    listed = set(every)
    asked: dict[str, list[Pair]] = {}
    for pair in every:
        asked.setdefault(pair.question, []).append(pair)

    def differs(pair: Pair, other: Pair) -> bool:
        return (
            other.image != pair.image
            and _normal(other.answer) != _normal(pair.answer)
            and (other.image, pair.question, pair.answer) not in listed
        )

    swaps: list[Swap | None] = []
    for pair in pairs:
        others = [other for other in asked.get(pair.question, ()) if differs(pair, other)]
        if others:
            swaps.append(Swap(others[int(generator.integers(len(others)))].image, True))
            continue
        drawn = (every[int(generator.integers(len(every)))] for _ in range(TRIES))
        found = next((other.image for other in drawn if differs(pair, other)), None)
        swaps.append(None if found is None else Swap(found, False))
    return swaps


class ImageSwap:
    """The test over some pairs of a split.

    Args:
        pairs: that are tested
        every: the pairs of the split
        seed: draws the images

    Attributes:
        triples: what the judge must score
    """

    def __init__(self, pairs: Sequence[Pair], every: Sequence[Pair], seed: int) -> None:
        swaps = choose_swaps(pairs, every, np.random.default_rng([seed, 1]))
        self.pairs = [pair for pair, swap in zip(pairs, swaps) if swap is not None]
        self.swaps = [swap for swap in swaps if swap is not None]
        self.without = len(pairs) - len(self.pairs)
        self.swapped: list[tuple[str, str, str]] = [
            (swap.image, pair.question, pair.answer) for pair, swap in zip(self.pairs, self.swaps)
        ]
        self.triples: list[tuple[str, str, str]] = [*self.pairs, *self.swapped]

    def figures(self, scores: Scores, seed: int, resamples: int) -> dict[str, Any]:
        """What came out, over all pairs and over those whose question is asked of both images.

        Args:
            scores: of :attr:`triples`; a pair that the judge cannot tell of is left out
            seed: of the bootstrap over the pairs' own images
            resamples: of the bootstrap

        Returns:
            ``auc`` of own against swapped image; ``own_higher``, the share of pairs that score
            higher with their own image, a tie counting half; counts
        """
        own = np.array([scores[pair] for pair in self.pairs], dtype=np.float64)
        other = np.array([scores[triple] for triple in self.swapped], dtype=np.float64)
        told = ~np.isnan(own) & ~np.isnan(other)
        same = np.array([swap.same_question for swap in self.swaps], dtype=bool)
        image = number_items([pair.image for pair in self.pairs])
        bootstrap = ImageBootstrap(len(set(image.tolist())), resamples, seed)

        def over(which: NDArray[np.bool_]) -> dict[str, Any]:
            both = np.concatenate([own[which], other[which]])
            area = AreaUnderCurve(both, np.arange(len(both)) < which.sum())
            higher = (own > other)[which] + (own == other)[which] / 2
            return {
                "pairs": int(which.sum()),
                "auc": measured_figure(area, np.tile(image[which], 2), bootstrap),
                "own_higher": {
                    "value": float(higher.mean()) if which.any() else None,
                    "n": int(which.sum()),
                    "ci95": bootstrap.mean(image[which], higher),
                },
            }

        return over(told) | {
            "same_question": over(told & same),
            "without_another_image": self.without,
            "untold": int((~told).sum()),
        }


@functools.lru_cache(maxsize=100_000)
def _normal(answer: str) -> str:
    """An answer in tokens as VQA's evaluation compares it, so that "yes ." is "yes"."""
    return normalise_answer(detokenize(answer.split()))
