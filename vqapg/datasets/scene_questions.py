"""Which questions are asked about a scene: one of each kind, with answers as even as it allows."""

from collections.abc import Mapping, Sequence

from vqapg.datasets.scene_grammar import (
    ASKED_FOR,
    Phrase,
    Question,
    answer_about,
    data_questions,
    wordings,
)
from vqapg.datasets.scene_layout import Draws, Thing

PAIRS_OF_AN_IMAGE = 10
_OF_KIND = {
    kind: tuple(question for question in data_questions() if question.asks == kind)
    for kind in ASKED_FOR
}
_WORDINGS = {question: wordings(question) for question in data_questions()}
_PHRASES = tuple(dict.fromkeys(phrase for question in _WORDINGS for phrase in question.about))


def draw_pairs(draws: Draws, things: Sequence[Thing]) -> list[tuple[str, str]]:
    """(question, answer) pairs in tokens, PAIRS_OF_AN_IMAGE of them, with different meanings.

    There is one of each kind that has an answer here. Others are drawn in the place of the rest.
    """
    chosen: dict[Question, str] = {}
    found = {phrase: phrase.of(things) for phrase in _PHRASES}
    facts: dict[str, dict[str, list[Question]]] = {}
    kinds = draws.shuffled(ASKED_FOR)
    # A kind in which nothing is left gives its place to the next.
    while len(chosen) < PAIRS_OF_AN_IMAGE:
        kind = kinds[0]
        kinds = [*kinds[1:], kind]
        if kind not in facts:
            facts[kind] = _facts(kind, found)
            # Few things share a colour or a shape, and "yes" would be much rarer.
            if list(facts[kind]) == ["no"] and draws.below(3) == 0:
                facts[kind] = {}
        if facts[kind]:
            # The answer is drawn first, each as often as the others, and then one of its questions.
            answer = draws.choice(sorted(facts[kind]))
            question = draws.choice(facts[kind][answer])
            chosen[question] = answer
            facts[kind][answer].remove(question)
            if not facts[kind][answer]:
                del facts[kind][answer]
    return [(draws.choice(_WORDINGS[question]), answer) for question, answer in chosen.items()]


def _facts(kind: str, found: Mapping[Phrase, list[Thing]]) -> dict[str, list[Question]]:
    """The questions of *kind* that have an answer, by their answers.

    Args:
        kind: one of ``ASKED_FOR``
        found: the things of each phrase
    """
    facts: dict[str, list[Question]] = {}
    for question in _OF_KIND[kind]:
        answer = answer_about(question, [found[phrase] for phrase in question.about])
        if answer is not None:
            facts.setdefault(answer, []).append(question)
    return facts
