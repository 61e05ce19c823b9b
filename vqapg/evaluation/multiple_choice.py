"""Four-way accuracy: the right answer among three wrong ones that people wrote (Visual7W's
protocol, https://arxiv.org/abs/1511.03416), and what the same judge reaches without seeing.

The judge scores all four with the question and its image. It is right where the right answer scores
highest; where n answers share the highest score, it gets 1/n. Chance is 25%.

The controls put images and questions of other pairs in the place of the pair's own:

- ``question_and_answer``: each answer's score is the mean over images of :data:`DRAWS` other pairs
- ``answer``: it is the mean over image and question of :data:`DRAWS` other pairs, which are taken
  together, so that a question is still asked of its own image
- ``image_swapped``: one other image, as in :mod:`vqapg.data.swapped_images`

The four answers meet the same images and questions. Scores are averaged before the choice: one
other image gives a noisy score, which would make the judge guess worse than it can.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import Pair
from vqapg.data.swapped_images import choose_swaps
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.figures import number_items
from vqapg.evaluation.image_swap import Scores
from vqapg.evaluation.metric import Figure

WRONG = 3  # answers beside the right one
DRAWS = 8
TRIES = 100  # draws of a pair of another image before there is taken to be none
TYPES = ("what", "where", "when", "who", "why", "how")
CONTROLS = ("question_and_answer", "answer", "image_swapped")


class MultipleChoice:
    """Questions with four answers each, and what the controls ask.

    Args:
        pairs: that are asked
        wrong_answers: by pair; a pair that has not three takes no part
        every: the pairs of the split, of which controls take images and questions
        seed: draws the controls

    Attributes:
        pairs: ``[Q]``, those that take part
        triples: what the judge must score
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        wrong_answers: Mapping[Pair, Sequence[str]],
        every: Sequence[Pair],
        seed: int,
    ) -> None:
        self.pairs = [pair for pair in pairs if len(wrong_answers.get(pair, ())) == WRONG]
        # [Q][1 + WRONG], the right one first
        self.answers = [(pair.answer, *wrong_answers[pair]) for pair in self.pairs]
        generator = np.random.default_rng([seed, 2])
        others = [_others(pair, every, generator) for pair in self.pairs]
        swaps = choose_swaps(self.pairs, every, generator)
        # {condition: [Q][draws] of (image, question)}
        self.contexts: dict[str, list[list[tuple[str, str]]]] = {
            "judge": [[(pair.image, pair.question)] for pair in self.pairs],
            "question_and_answer": [
                [(other.image, pair.question) for other in of_pair]
                for pair, of_pair in zip(self.pairs, others)
            ],
            "answer": [[(other.image, other.question) for other in of_pair] for of_pair in others],
            "image_swapped": [
                [] if swap is None else [(swap.image, pair.question)]
                for pair, swap in zip(self.pairs, swaps)
            ],
        }
        self.triples = [
            (image, question, answer)
            for contexts in self.contexts.values()
            for drawn, answers in zip(contexts, self.answers)
            for image, question in drawn
            for answer in answers
        ]

    def figures(self, scores: Scores, seed: int, resamples: int) -> dict[str, Any]:
        """Accuracy of the judge and of each control, over all questions and by their first word.

        Args:
            scores: of :attr:`triples`; a question of which the judge cannot tell is left out
            seed: of the bootstrap over images
            resamples: of the bootstrap

        Returns:
            ``by_type``, by type and condition; ``sees``, how much the judge gains over
            ``question_and_answer``; counts
        """
        credits = {
            condition: np.array(
                [
                    credit(
                        [[scores[(*context, answer)] for answer in answers] for context in drawn]
                    )
                    for drawn, answers in zip(contexts, self.answers)
                ]
            )
            for condition, contexts in self.contexts.items()
        }
        told = ~np.isnan(credits["judge"])
        image = number_items([pair.image for pair in self.pairs])
        bootstrap = ImageBootstrap(len(set(image.tolist())), resamples, seed)

        def mean(
            values: NDArray[np.float64],
            which: NDArray[np.bool_],
            possible: tuple[float, float] = (0.0, 1.0),
        ) -> Figure:
            which = which & ~np.isnan(values)
            return {
                "value": float(values[which].mean()) if which.any() else None,
                "n": int(which.sum()),
                "ci95": bootstrap.mean(image[which], values[which], possible),
            }

        first = np.array([pair.question.split()[0] for pair in self.pairs])
        types = {"all": told} | {name: told & (first == name) for name in TYPES}
        gain = credits["judge"] - credits["question_and_answer"]
        return {
            "questions": int(told.sum()),
            "untold": int((~told).sum()),
            "draws": DRAWS,
            "by_type": {
                name: {condition: mean(values, which) for condition, values in credits.items()}
                for name, which in types.items()
                if which.any() or name == "all"
            },
            "sees": mean(gain, told, (-1.0, 1.0)),
        }


def credit(scores: Sequence[Sequence[float]]) -> float:
    """What a question counts: 1, or 1/n where n answers tie for the highest mean score, or 0.

    Args:
        scores: of its answers, the right one first, once a draw

    Shape:
        ``[draws, 4]`` -> one number; NaN without draws, and where the judge cannot tell
    """
    if not scores:
        return np.nan
    mean = np.mean(scores, axis=0)
    if np.isnan(mean).any():
        return np.nan
    best = mean == mean.max()
    return float(best[0] / best.sum())


def _others(pair: Pair, every: Sequence[Pair], generator: np.random.Generator) -> list[Pair]:
    """DRAWS pairs of other images; none where there is no other image."""
    found: list[Pair] = []
    for _ in range(TRIES):
        other = every[int(generator.integers(len(every)))]
        if other.image != pair.image:
            found.append(other)
        if len(found) == DRAWS:
            return found
    return []
