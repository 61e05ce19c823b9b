"""What is true of a data set whose images are known: a judge that does not guess.

Not every data set has one. :func:`truth_of` is the one place that says which do.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import DataDirectory
from vqapg.datasets import truth_name
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple
from vqapg.registry import Registry

RIGHT, WRONG, UNDETERMINED = "right", "wrong", "undetermined"
SCORE_OF = {RIGHT: 1.0, WRONG: 0.0, UNDETERMINED: np.nan}


class Truth:
    """A judge that knows: 1 for a right answer, 0 for a wrong one, NaN where it is not determined.

    A truth of one's own says what it can beside :meth:`score`. Figures that need the rest are left
    out where it is not said.

    Attributes:
        asked_for: what its questions can ask for, such as "color"
        possible_pairs: every "question answer" that can be right, in tokens; empty: not known
    """

    name: str
    identity: dict[str, Any]
    asked_for: tuple[str, ...] = ()
    possible_pairs: frozenset[str] = frozenset()

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """1 for right, 0 for wrong, NaN for undetermined: ``[M]``."""
        raise NotImplementedError

    def asks_for(self, question: str) -> str | None:
        """Which of ``asked_for`` the question asks for; None where it has no known form."""
        return None

    def answerable(self, image: str, question: str) -> bool | None:
        """Whether the question has a right answer; None where this truth does not know."""
        return None

    def answer_fits(self, question: str, answer: str) -> bool | None:
        """Whether the answer, right or wrong, is of the kind that the question asks for.

        None where this truth does not know.
        """
        return None


TRUTHS: Registry[Callable[[str, JudgeContext], Truth]] = Registry("truth", "vqapg.truths")
TRUTHS.register(
    "easy-vqa",
    "vqapg.judges.easy_vqa_truth:EasyVQATruth.of_context",
    "what the gold pairs of an easy-VQA image leave possible",
)
TRUTHS.register(
    "scenes",
    "vqapg.judges.scenes_truth:ScenesTruth.of_context",
    "what the drawings of the data set scenes show",
)


def named_truth(argument: str, context: JudgeContext) -> Truth:
    """The truth called *argument*, over the images of *context*.

    Raises:
        InputError: if there is none of that name, or the data are not of its data set
    """
    return TRUTHS.get(argument)("", context)


def truth_of(data: DataDirectory, split: str | None = None) -> Truth | None:
    """The truth about *data*; None for a data set whose truth nobody knows.

    Args:
        data: the data directory
        split: whose images will be asked about; None: of any split

    Raises:
        InputError: if the gold pairs of an image contradict each other
    """
    name = truth_name(data.manifest["dataset"])
    return None if name is None else named_truth(name, JudgeContext(data, split))


def verdict(score: float) -> str:
    """RIGHT, WRONG or UNDETERMINED: a truth's score in words."""
    return UNDETERMINED if np.isnan(score) else RIGHT if score else WRONG
