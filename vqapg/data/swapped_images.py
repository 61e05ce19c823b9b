"""Another image for a pair, of which its answer is wrong: the complementary pairs of VQA v2.0
(https://arxiv.org/abs/1612.00837), without their annotation.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vqapg.data.directory import Pair
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import normalise_answer

TRIES = 100  # draws of another image before a pair is taken to have none


class Swap(NamedTuple):
    """Another image for a pair.

    Attributes:
        image: its id
        same_question: whether the pair's question is asked of it, with another answer
    """

    image: str
    same_question: bool


class SwappedImages:
    """Draws other images for pairs, among those of a split.

    Where the same question is asked of another image, with another answer, that image is taken.
    Otherwise it is the image of any pair with another answer.

    Args:
        pairs: of the split; none of them is made by a swap
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs, self.listed = pairs, set(pairs)
        self.asked: dict[str, list[Pair]] = {}
        for pair in pairs:
            self.asked.setdefault(pair.question, []).append(pair)

    def draw(self, pair: Pair, generator: np.random.Generator) -> Swap | None:
        """Another image for *pair*; None where there is none.

        Args:
            pair: keeps its question and its answer
            generator: draws among the images that are equally good
        """
        asked = self.asked.get(pair.question, ())
        others = [other for other in asked if self._serves(pair, other)]
        if others:
            return Swap(others[int(generator.integers(len(others)))].image, True)
        for _ in range(TRIES):
            other = self.pairs[int(generator.integers(len(self.pairs)))]
            if self._serves(pair, other):
                return Swap(other.image, False)
        return None

    def _serves(self, pair: Pair, other: Pair) -> bool:
        return (
            other.image != pair.image
            and normal_form(other.answer) != normal_form(pair.answer)
            and (other.image, pair.question, pair.answer) not in self.listed
        )


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
    images = SwappedImages(every)
    return [images.draw(pair, generator) for pair in pairs]


@functools.lru_cache(maxsize=100_000)
def normal_form(answer: str) -> str:
    """An answer in tokens as VQA's evaluation compares it, so that "yes ." is "yes"."""
    return normalise_answer(detokenize(answer.split()))
