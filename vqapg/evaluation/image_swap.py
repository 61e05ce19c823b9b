"""The image-swap test: does a judge look at the image?

A pair keeps its question and answer and gets the image of another pair, whose own answer differs.
The judge should score the pair lower with it. Question and answer are the same on both sides, so
that a judge that does not see scores an AUC of 0.5, whatever it knows of language.

Which image it gets, :mod:`vqapg.data.swapped_images` says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import Pair
from vqapg.data.swapped_images import choose_swaps
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.calibration import AreaUnderCurve, measured_figure
from vqapg.evaluation.figures import number_items

Scores = Mapping[tuple[str, str, str], float]


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
