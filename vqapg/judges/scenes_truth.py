"""The exact truth about a question-answer pair, for the data set ``scenes``.

What an image shows stands in ``scenes.json`` of the data directory. No gold pair is looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.datasets.scene_file import NAME, read_things
from vqapg.datasets.scene_grammar import (
    ASKED_FOR,
    Phrase,
    answer_to,
    data_questions,
    parse,
    plain_answer,
    possible_answers,
    wordings,
)
from vqapg.datasets.scene_layout import FEWEST_THINGS, Thing
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple
from vqapg.judges.truth import RIGHT, SCORE_OF, WRONG, Truth

# Besides RIGHT and WRONG.
UNANSWERABLE, UNPARSED = "unanswerable", "unparsed"


def _all_pairs() -> frozenset[str]:
    # An image never shows fewer things than these, and a question may count all of them.
    too_few = set(map(str, range(FEWEST_THINGS)))
    return frozenset(
        f"{text} {answer}"
        for question in data_questions()
        for answer in possible_answers(question)
        if not (question.asks == "count" and question.about == (Phrase(),) and answer in too_few)
        for text in wordings(question)
    )


# Every pair in the data's own words that can be right, as "question answer" in tokens.
ALL_PAIRS = _all_pairs()


def verdict(things: Sequence[Thing], question: str, answer: str) -> str:
    """What to say of a pair where an image shows *things*.

    Args:
        things: of the image
        question, answer: in tokens

    Returns:
        RIGHT or WRONG; UNANSWERABLE where the question presupposes what is not so, UNPARSED where
        it is not of the grammar
    """
    asked = parse(question)
    if asked is None:
        return UNPARSED
    expected = answer_to(asked, things)
    if expected is None:
        return UNANSWERABLE
    return RIGHT if plain_answer(answer) == expected else WRONG


class ScenesTruth(Truth):
    """What each image shows.

    Args:
        things: of each image
    """

    name = "truth:scenes"
    asked_for = ASKED_FOR
    possible_pairs = ALL_PAIRS

    def __init__(self, things: Mapping[str, tuple[Thing, ...]]) -> None:
        self.things = things
        self.identity: dict[str, Any] = {"judge": "truth", "truth": "scenes"}

    @classmethod
    def of_context(cls, argument: str, context: JudgeContext) -> "ScenesTruth":
        """The truth about the images of a data directory that was made of scenes.

        Raises:
            InputError: if there is none, it is of another data set, or its scenes.json is missing
                or was changed
        """
        data = context.directory("truth:scenes")
        dataset = data.manifest["dataset"]
        if dataset != "scenes":
            raise InputError(
                f"--judge truth:scenes: {data.path} holds {dataset}, of which it knows nothing; "
                "give another judge"
            )
        cure = f"make it anew: vqapg prepare --dataset scenes --dest {data.path} --overwrite"
        return cls(read_things(data.further_file(NAME), cure))

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """1 for right, NaN for an image that is not of the data, else 0."""
        return np.array([self._score(triple) for triple in triples], dtype=np.float64)

    def _score(self, triple: Triple) -> float:
        things = self.things.get(triple.image)
        if things is None:
            return np.nan
        said = verdict(things, triple.question, triple.answer)
        return SCORE_OF[RIGHT if said == RIGHT else WRONG]

    def asks_for(self, question: str) -> str | None:
        """As :meth:`Truth.asks_for`."""
        asked = parse(question)
        return None if asked is None else asked.asks

    def answerable(self, image: str, question: str) -> bool:
        """As :meth:`Truth.answerable`."""
        asked = parse(question)
        things = self.things.get(image, ())
        return asked is not None and answer_to(asked, things) is not None

    def answer_fits(self, question: str, answer: str) -> bool | None:
        """As :meth:`Truth.answer_fits`."""
        asked = parse(question)
        return None if asked is None else plain_answer(answer) in possible_answers(asked)
