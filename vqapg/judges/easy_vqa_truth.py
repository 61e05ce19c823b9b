"""The exact truth about a question-answer pair, for easy-VQA.

An easy-VQA image is one coloured shape, so there are 24 possible worlds, and its questions have 107 forms.
What is in an image is told by the data set's own pairs alone: all worlds in which every gold pair of the
image holds. Some images are not fully determined by their pairs; there, a generated pair may be undetermined
too.
"""

from typing import NamedTuple

from vqapg.errors import InputError

COLORS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")
SHAPES = ("circle", "rectangle", "triangle")

RIGHT, WRONG, UNDETERMINED = "right", "wrong", "undetermined"


class World(NamedTuple):
    """What an image shows."""

    color: str
    shape: str


WORLDS = tuple(World(color, shape) for color in COLORS for shape in SHAPES)


class Form(NamedTuple):
    """What a question asks: for the "color" or "shape", or whether "presence" or "absence" holds.

    ``about`` is the colour or shape that the question names; None in "what color is the shape ?" and in
    "what shape is present ?".
    """

    asks: str
    about: str | None


def _questions():
    """All 107 questions in tokens, each with its form."""
    things = [(color, f"{color} shape") for color in COLORS] + [(shape, shape) for shape in SHAPES]
    for about, thing in things:
        for place in ("", " in the image"):
            yield f"is there a {thing}{place} ?", Form("presence", about)
            yield f"is there not a {thing}{place} ?", Form("absence", about)
        yield f"is a {thing} present ?", Form("presence", about)
        yield f"is no {thing} present ?", Form("absence", about)
        yield f"does the image contain a {thing} ?", Form("presence", about)
        yield f"does the image not contain a {thing} ?", Form("absence", about)
    for about, thing in [(None, "shape")] + [(shape, shape) for shape in SHAPES]:
        yield f"what color is the {thing} ?", Form("color", about)
        yield f"what is the color of the {thing} ?", Form("color", about)
    for color in COLORS:
        yield f"what is the {color} shape ?", Form("shape", color)
    for rest in ("does the image contain", "is in the image", "is present"):
        yield f"what shape {rest} ?", Form("shape", None)


QUESTIONS = dict(_questions())


def parse(question):
    """The form of a question in tokens, or None when it is none of the 107."""
    return QUESTIONS.get(question)


def answer_in(world, form):
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


def _worlds_of_pairs():
    worlds = {}
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


def possible_worlds(data, split):
    """For every image of *split*, the worlds in which all its gold pairs hold: {image: frozenset of World}.

    Raises InputError for an image that no world fits: then the gold pairs contradict each other.
    """
    worlds = {}
    for number, pair in enumerate(data.pairs(split), start=1):
        holds = HOLDS_IN.get((pair.question, pair.answer), frozenset())
        left = worlds.get(pair.image, frozenset(WORLDS)) & holds
        if not left:
            raise InputError(
                f"{data.path}/{split}.answer:{number}: no coloured shape fits the gold pairs of image "
                f"{pair.image!r} once they say {pair.question!r} {pair.answer!r}; "
                "prepare the easy-VQA data directory again"
            )
        worlds[pair.image] = left
    return worlds


def verdict(worlds, question, answer):
    """RIGHT when the pair holds in all possible *worlds* of its image, WRONG in none, else UNDETERMINED."""
    holds = HOLDS_IN.get((question, answer), frozenset())
    if worlds <= holds:
        return RIGHT
    return UNDETERMINED if worlds & holds else WRONG


def not_wrong(worlds):
    """Of ``possible_worlds``' images all (image, question, answer) whose verdict is not WRONG, some 100 an image."""
    return {
        (image, *pair)
        for image, left in worlds.items()
        for pair, where in HOLDS_IN.items()
        if left & where
    }


def answerable(worlds, question):
    """Whether the question has an answer in at least one of the possible *worlds* of its image."""
    form = parse(question)
    return form is not None and any(answer_in(world, form) is not None for world in worlds)
