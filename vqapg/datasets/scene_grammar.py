"""The questions about scenes: what each means, its wordings, and its one right answer.

The data ask with short phrases ("the circle", "the red object"). :func:`parse` understands a phrase
of any form at every place, such as "the red circle".
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vqapg.datasets.scene_layout import COLORS, MOST_THINGS, SHAPES, SIZES, Thing

YES_NO = ("yes", "no")
NUMBERS = tuple(map(str, range(MOST_THINGS + 1)))
ASKED_FOR = (
    *("presence", "color", "shape", "size", "position", "relation"),
    *("count", "comparison", "same_color", "same_shape"),
)
# What can be said of a thing that is the only one of its description.
_OF_ONE = {
    "color": tuple(COLORS),
    "shape": SHAPES,
    "size": tuple(SIZES),
    "side": ("left", "right"),
    "height": ("top", "bottom"),
}


class Phrase(NamedTuple):
    """A description of things; None leaves open what they have."""

    color: str | None = None
    shape: str | None = None

    def of(self, things: Iterable[Thing]) -> list[Thing]:
        """Those of *things* that it describes."""
        return [
            thing
            for thing in things
            if self.color in (None, thing.color) and self.shape in (None, thing.shape)
        ]

    def text(self, *, plural: bool = False) -> str:
        """Its words without article, such as "red circle"."""
        noun = self.shape or "object"
        return f"{self.color or ''} {PLURALS[noun] if plural else noun}".strip()


class Question(NamedTuple):
    """What a question means, whatever its wording.

    Attributes:
        asks: one of ``ASKED_FOR``
        about: the phrases in it, one or two
        detail: which "position", "relation" or "comparison"
    """

    asks: str
    about: tuple[Phrase, ...]
    detail: str = ""


class Template(NamedTuple):
    """A wording: ``{0}`` stands for the first phrase, ``{0s}`` for its plural."""

    asks: str
    detail: str
    text: str


TEMPLATES = tuple(
    Template(asks, detail, text)
    for (asks, detail), texts in {
        ("presence", ""): (
            "is there a {0} ?",
            "is a {0} present ?",
            "does the image contain a {0} ?",
        ),
        ("color", ""): ("what color is the {0} ?", "what is the color of the {0} ?"),
        ("shape", ""): ("what shape is the {0} ?", "what is the shape of the {0} ?"),
        ("size", ""): ("what size is the {0} ?", "is the {0} small or large ?"),
        ("position", "side"): (
            "is the {0} on the left or on the right ?",
            "is the {0} in the left or the right half ?",
        ),
        ("position", "height"): (
            "is the {0} at the top or at the bottom ?",
            "is the {0} in the top or the bottom half ?",
        ),
        ("relation", "left"): (
            "is the {0} left of the {1} ?",
            "is the {0} to the left of the {1} ?",
        ),
        ("relation", "right"): (
            "is the {0} right of the {1} ?",
            "is the {0} to the right of the {1} ?",
        ),
        ("relation", "above"): ("is the {0} above the {1} ?", "is the {0} higher than the {1} ?"),
        ("relation", "below"): ("is the {0} below the {1} ?", "is the {0} lower than the {1} ?"),
        ("count", ""): (
            "how many {0s} are there ?",
            "how many {0s} does the image contain ?",
            "what is the number of {0s} ?",
        ),
        ("comparison", "more"): (
            "are there more {0s} than {1s} ?",
            "does the image contain more {0s} than {1s} ?",
        ),
        ("comparison", "fewer"): (
            "are there fewer {0s} than {1s} ?",
            "does the image contain fewer {0s} than {1s} ?",
        ),
        ("comparison", "equal"): (
            "are there as many {0s} as {1s} ?",
            "does the image contain as many {0s} as {1s} ?",
        ),
        ("same_color", ""): (
            "are the {0} and the {1} the same color ?",
            "is the {0} the same color as the {1} ?",
        ),
        ("same_shape", ""): (
            "are the {0} and the {1} the same shape ?",
            "is the {0} the same shape as the {1} ?",
        ),
    }.items()
    for text in texts
)
PLURALS = {noun: f"{noun}es" if noun == "cross" else f"{noun}s" for noun in (*SHAPES, "object")}
# Other words of the same meaning, in questions and in answers.
_SAME_WORD = {"colour": "color", "picture": "image", "an": "a"}
_SAME_ANSWER = {
    **dict(zip(("zero", "one", "two", "three", "four", "five"), NUMBERS, strict=True)),
    **{f"{half} half": half for half in (*_OF_ONE["side"], *_OF_ONE["height"])},
    "none": "0",
    "big": "large",
}
_BEFORE_AN_ANSWER = re.compile(r"(?:it is |(?:on|at|to|in) the |an? |the )+")


def wordings(question: Question) -> list[str]:
    """All wordings of *question*, in tokens."""
    fill = [phrase.text() for phrase in question.about]
    plurals = {f"{n}s": phrase.text(plural=True) for n, phrase in enumerate(question.about)}
    found = []
    for template in TEMPLATES:
        if (template.asks, template.detail) == (question.asks, question.detail):
            text = template.text
            for number, phrase in enumerate(fill):
                text = text.replace(f"{{{number}}}", phrase)
            for name, phrase in plurals.items():
                text = text.replace(f"{{{name}}}", phrase)
            found.append(text)
    return found


def _pattern(template: Template) -> re.Pattern[str]:
    color = f"(?:(?P<c{{0}}>{'|'.join(COLORS)}) )?"
    text = re.escape(template.text)
    for number in "01":
        for key, nouns in ((number, PLURALS), (f"{number}s", PLURALS.values())):
            phrase = color.format(number) + f"(?P<n{number}>{'|'.join(nouns)})"
            text = text.replace(re.escape(f"{{{key}}}"), phrase)
    return re.compile(text)


_PATTERNS = [(template, _pattern(template)) for template in TEMPLATES]
_SINGULAR = {plural: noun for noun, plural in PLURALS.items()} | {noun: noun for noun in PLURALS}


@functools.lru_cache(maxsize=100_000)
def parse(text: str) -> Question | None:
    """What the question *text*, in tokens, means; None where it is not of this grammar."""
    words = [_SAME_WORD.get(word, word) for word in text.lower().replace("?", " ").split()]
    plain = " ".join([*words, "?"])
    for template, pattern in _PATTERNS:
        if found := pattern.fullmatch(plain):
            groups = found.groupdict()
            about = tuple(
                Phrase(groups[f"c{number}"], _shape(groups[f"n{number}"]))
                for number in "01"
                if f"n{number}" in groups
            )
            return Question(template.asks, about, template.detail)
    return None


def _shape(noun: str) -> str | None:
    singular = _SINGULAR[noun]
    return None if singular == "object" else singular


def plain_answer(text: str) -> str:
    """The answer *text*, in tokens, in the words of the data: "on the left" is "left"."""
    words = text.lower().split()
    plain = " ".join(_SAME_WORD.get(word, word) for word in words if word != ".")
    bare = _BEFORE_AN_ANSWER.sub("", plain, count=1) if _BEFORE_AN_ANSWER.match(plain) else plain
    return _SAME_ANSWER.get(bare, bare)


def possible_answers(question: Question) -> tuple[str, ...]:
    """All answers of the kind that *question* asks for."""
    match question.asks:
        case "count":
            return NUMBERS
        case "position":
            return _OF_ONE[question.detail]
        case "color" | "shape" | "size":
            return _OF_ONE[question.asks]
        case _:
            return YES_NO


def answer_to(question: Question, things: Sequence[Thing]) -> str | None:
    """The one right answer where an image shows *things*.

    None where the question presupposes what is not so: a "the" needs exactly one such thing, and
    two of them need two things.
    """
    return answer_about(question, [phrase.of(things) for phrase in question.about])


def answer_about(question: Question, found: Sequence[Sequence[Thing]]) -> str | None:
    """As :func:`answer_to`, from what is *found* of each of the question's phrases."""
    counts = [len(things) for things in found]
    match question.asks:
        case "presence":
            return _yes(counts[0] > 0)
        case "count":
            return str(counts[0])
        case "comparison":
            more, fewer = counts[0] > counts[1], counts[0] < counts[1]
            return _yes({"more": more, "fewer": fewer}.get(question.detail, not (more or fewer)))
    if any(count != 1 for count in counts):
        return None
    one, other = found[0][0], found[-1][0]
    if len(found) == 1:
        return _of_one(question, one)
    return None if one is other else _yes(_holds(question, one, other))


def _of_one(question: Question, thing: Thing) -> str:
    match question.asks, question.detail:
        case "color", _:
            return thing.color
        case "shape", _:
            return thing.shape
        case "size", _:
            return thing.size
        case "position", "side":
            return "left" if thing.is_left else "right"
        case "position", "height":
            return "top" if thing.is_at_top else "bottom"
    raise ValueError(f"unknown question: {question}")


def _holds(question: Question, one: Thing, other: Thing) -> bool:
    match question.asks, question.detail:
        case "relation", "left":
            return one.x < other.x
        case "relation", "right":
            return one.x > other.x
        case "relation", "above":
            return one.y < other.y
        case "relation", "below":
            return one.y > other.y
        case "same_color", _:
            return one.color == other.color
        case "same_shape", _:
            return one.shape == other.shape
    raise ValueError(f"unknown question: {question}")


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def data_questions() -> Iterator[Question]:
    """The questions that the data ask: 10 kinds, each with short phrases."""
    colors = [Phrase(color=color) for color in COLORS]
    shapes = [Phrase(shape=shape) for shape in SHAPES]
    short = [*shapes, *colors]
    both = [Phrase(color, shape) for color in COLORS for shape in SHAPES]
    pairs = [(a, b) for alike in (shapes, colors) for a in alike for b in alike if a != b]
    yield from (Question("presence", (phrase,)) for phrase in (*short, *both))
    yield from (Question("color", (phrase,)) for phrase in shapes)
    yield from (Question("shape", (phrase,)) for phrase in colors)
    yield from (Question("size", (phrase,)) for phrase in short)
    yield from (
        Question("position", (phrase,), which) for which in ("side", "height") for phrase in short
    )
    for which in ("left", "right", "above", "below"):
        yield from (Question("relation", pair, which) for pair in pairs)
    yield from (Question("count", (phrase,)) for phrase in (*short, Phrase()))
    for which in ("more", "fewer", "equal"):
        yield from (Question("comparison", pair, which) for pair in pairs)
    yield from (Question("same_color", (a, b)) for a in shapes for b in shapes if a != b)
    yield from (Question("same_shape", (a, b)) for a in colors for b in colors if a != b)
