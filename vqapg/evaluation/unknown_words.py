"""Words that are not in the dictionary. An evaluator reads each of them as ``<unk>``."""

from collections.abc import Container, Iterable
from typing import Any


def unknown_words(triples: Iterable[tuple[str, str, str]], words: Container[str]) -> dict[str, Any]:
    """How many of *triples* hold a word that is not among *words*.

    Args:
        triples: (image, question, answer), texts as space-joined tokens
        words: of the dictionary

    Returns:
        the counts ``triples`` and ``with_unknown``; and ``words``, the ten most frequent ones that
        are unknown
    """
    total = concerned = 0
    counts: dict[str, int] = {}
    for _, question, answer in triples:
        total += 1
        unknown = [word for word in f"{question} {answer}".split() if word not in words]
        concerned += bool(unknown)
        for word in unknown:
            counts[word] = counts.get(word, 0) + 1
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return {"triples": total, "with_unknown": concerned, "words": frequent[:10]}
