"""The exact truth about a question-answer pair, for easy-VQA.

An easy-VQA image is one coloured shape, so there are 24 possible worlds. Its questions have 107
forms. The data set's own pairs alone tell what is in an image: all worlds in which every gold pair
of it holds. Some images are not fully determined by their pairs. There a generated pair may be
undetermined too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import DataDirectory
from vqapg.datasets.reader import SPLITS
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple
from vqapg.judges.truth import RIGHT, SCORE_OF, UNDETERMINED, WRONG, Truth

COLORS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")
SHAPES = ("circle", "rectangle", "triangle")
# What questions ask for, and the answers of that kind.
ANSWERS = {
    "color": COLORS,
    "shape": SHAPES,
    "presence": ("yes", "no"),
    "absence": ("yes", "no"),
}
ASKED_FOR = tuple(ANSWERS)


class World(NamedTuple):
    """What an image shows."""

    color: str
    shape: str


WORLDS = tuple(World(color, shape) for color in COLORS for shape in SHAPES)


class Form(NamedTuple):
    """What a question asks: for the "color" or "shape", or whether "presence" or "absence" holds.

    ``about`` is the colour or shape that the question names. It is None in "what color is the
    shape ?" and in "what shape is present ?".
    """

    asks: str
    about: str | None


def _questions() -> Iterator[tuple[str, Form]]:
    """All 107 questions in tokens, each with its form."""
    things: list[tuple[str, str]] = [(color, f"{color} shape") for color in COLORS] + [
        (shape, shape) for shape in SHAPES
    ]
    for about, thing in things:
        for place in ("", " in the image"):
            yield f"is there a {thing}{place} ?", Form("presence", about)
            yield f"is there not a {thing}{place} ?", Form("absence", about)
        yield f"is a {thing} present ?", Form("presence", about)
        yield f"is no {thing} present ?", Form("absence", about)
        yield f"does the image contain a {thing} ?", Form("presence", about)
        yield f"does the image not contain a {thing} ?", Form("absence", about)
    for shape in (None, *SHAPES):
        yield f"what color is the {shape or 'shape'} ?", Form("color", shape)
        yield f"what is the color of the {shape or 'shape'} ?", Form("color", shape)
    for color in COLORS:
        yield f"what is the {color} shape ?", Form("shape", color)
    for rest in ("does the image contain", "is in the image", "is present"):
        yield f"what shape {rest} ?", Form("shape", None)


QUESTIONS = dict(_questions())


def parse(question: str) -> Form | None:
    """The form of a question in tokens, or None when it is none of the 107."""
    return QUESTIONS.get(question)


def answer_in(world: World, form: Form) -> str | None:
    """The one right answer in *world*; None when the question presupposes what is not so."""
    match form.asks:
        case "presence":
            return "yes" if form.about in world else "no"
        case "absence":
            return "no" if form.about in world else "yes"
        case "color":
            return world.color if form.about in (None, world.shape) else None
        case "shape":
            return world.shape if form.about in (None, world.color) else None
    raise ValueError(f"unknown form: {form}")


def _worlds_of_pairs() -> dict[tuple[str, str], frozenset[World]]:
    worlds: dict[tuple[str, str], set[World]] = {}
    for question, form in QUESTIONS.items():
        for world in WORLDS:
            answer = answer_in(world, form)
            if answer is not None:
                worlds.setdefault((question, answer), set()).add(world)
    return {pair: frozenset(where) for pair, where in worlds.items()}


# (question, answer) -> the worlds in which it holds; a pair that is not here holds nowhere.
HOLDS_IN = _worlds_of_pairs()

# The 273 pairs that hold in some world, as "question answer" in tokens.
ALL_PAIRS = frozenset(f"{question} {answer}" for question, answer in HOLDS_IN)


def possible_worlds(data: DataDirectory, split: str | None) -> dict[str, frozenset[World]]:
    """For every image of *split* (None: of all splits) the worlds in which all its gold pairs hold.

    Raises:
        InputError: for an image that no world fits: then its gold pairs contradict each other
    """
    worlds: dict[str, frozenset[World]] = {}
    for name in SPLITS if split is None else (split,):
        for number, pair in enumerate(data.pairs(name), start=1):
            holds = HOLDS_IN.get((pair.question, pair.answer), frozenset())
            left = worlds.get(pair.image, frozenset(WORLDS)) & holds
            if not left:
                raise InputError(
                    f"{data.path}/{name}.answer:{number}: no coloured shape fits the gold pairs of "
                    f"image {pair.image!r} once they say {pair.question!r} {pair.answer!r}; "
                    "prepare the easy-VQA data directory again"
                )
            worlds[pair.image] = left
    return worlds


def verdict(worlds: Set[World], question: str, answer: str) -> str:
    """RIGHT when the pair holds in all possible *worlds* of its image, WRONG in none.

    It is UNDETERMINED where it holds in some of them.
    """
    holds = HOLDS_IN.get((question, answer), frozenset())
    if worlds <= holds:
        return RIGHT
    return UNDETERMINED if worlds & holds else WRONG


def answerable(worlds: Iterable[World], question: str) -> bool:
    """Whether the question has an answer in at least one of the possible *worlds* of its image."""
    form = parse(question)
    return form is not None and any(answer_in(world, form) is not None for world in worlds)


class EasyVQATruth(Truth):
    """What the gold pairs of each image leave possible.

    Args:
        worlds: image -> its possible worlds, as :func:`possible_worlds` gives them
    """

    name = "truth:easy-vqa"
    asked_for = ASKED_FOR
    possible_pairs = ALL_PAIRS

    def __init__(self, worlds: Mapping[str, frozenset[World]]) -> None:
        self.worlds = worlds
        self.identity: dict[str, Any] = {"judge": "truth", "truth": "easy-vqa"}

    @classmethod
    def of_context(cls, argument: str, context: JudgeContext) -> "EasyVQATruth":
        """The truth about the images of a data directory that was made of easy-VQA.

        Raises:
            InputError: if there is none, it is of another data set, or its pairs contradict each
                other
        """
        data = context.directory("truth:easy-vqa")
        dataset = data.manifest["dataset"]
        if dataset != "easy-vqa":
            raise InputError(
                f"--judge truth:easy-vqa: {data.path} holds {dataset}, of which it knows nothing; "
                "give another judge"
            )
        return cls(possible_worlds(data, context.split))

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """1 where the pair holds in all possible worlds of its image, 0 in none, else NaN."""
        return np.array([self._score(triple) for triple in triples], dtype=np.float64)

    def _score(self, triple: Triple) -> float:
        if triple.image not in self.worlds:
            return np.nan
        return SCORE_OF[verdict(self.worlds[triple.image], triple.question, triple.answer)]

    def asks_for(self, question: str) -> str | None:
        """As :meth:`Truth.asks_for`."""
        form = parse(question)
        return None if form is None else form.asks

    def answerable(self, image: str, question: str) -> bool:
        """As :meth:`Truth.answerable`."""
        return answerable(self.worlds.get(image, WORLDS), question)

    def answer_fits(self, question: str, answer: str) -> bool | None:
        """As :meth:`Truth.answer_fits`."""
        form = parse(question)
        return None if form is None else answer in ANSWERS[form.asks]


def not_wrong(worlds: Mapping[str, Iterable[World]]) -> set[tuple[str, str, str]]:
    """All triples of these images that hold in some possible world, some 100 an image.

    Args:
        worlds: as :func:`possible_worlds` gives them
    """
    return {
        (image, question, answer)
        for image, left in worlds.items()
        for (question, answer), where in HOLDS_IN.items()
        if where.intersection(left)
    }
