"""A generated set as every measure sees it, and the one form that all figures take."""

from collections.abc import Iterable

import numpy as np

from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.evaluation.generated import GeneratedPair


def pair_text(pair):
    """The one text a pair counts as: its question's tokens followed by its answer's."""
    return f"{pair.question} {pair.answer}"


def number_items(items):
    """Equal numbers for equal items: [M] hashables -> [M] integers from 0 in order of first
    appearance.
    """
    numbers = {}
    return np.array([numbers.setdefault(item, len(numbers)) for item in items], dtype=np.int64)


def distinct_triples(pairs: Iterable[GeneratedPair]) -> list[tuple[str, str, str]]:
    """The distinct (image, question, answer) of the well-formed *pairs*, in order of first
    appearance.
    """
    return list(
        dict.fromkeys(
            (pair.image, pair.question, pair.answer) for pair in pairs if not pair.malformed
        )
    )


class Figures:
    """The well-formed ones of *pairs*, and figures over them: ``{"value", "n", "ci95"}``.

    A figure over nothing has the value None; an interval that cannot be had is None. Images are
    named by their numbers, in order of first appearance; those of malformed pairs are drawn too.

    Attributes (M well-formed pairs, T distinct triples):
        images: names of the images
        seed: of the bootstrap; metrics that draw do so by it too
        pairs: [M] GeneratedPair
        triples: [T] (image, question, answer), as :func:`distinct_triples`
        said: int array [M], the triple that each pair says
        image, texts: of each pair, int array [M] and list of "question answer"
        triple_image, triple_texts: of each triple, int array [T] and list

    Args:
        pairs: list of GeneratedPair
        seed, resamples: of the bootstrap
    """

    def __init__(self, pairs, seed=1, resamples=1000):
        self.seed = seed
        self.images = list(dict.fromkeys(pair.image for pair in pairs))
        self.bootstrap = ImageBootstrap(len(self.images), resamples, seed)
        self.pairs = [pair for pair in pairs if not pair.malformed]
        self.triples = distinct_triples(pairs)
        place = {triple: number for number, triple in enumerate(self.triples)}
        self.said = np.array(
            [place[pair.image, pair.question, pair.answer] for pair in self.pairs], dtype=np.int64
        )
        numbers = {image: number for number, image in enumerate(self.images)}
        self.triple_image = np.array(
            [numbers[image] for image, _, _ in self.triples], dtype=np.int64
        )
        self.triple_texts = [f"{question} {answer}" for _, question, answer in self.triples]
        self.image = self.triple_image[self.said]
        self.texts = [self.triple_texts[triple] for triple in self.said]

    def mean(self, image, value, possible=(0.0, 1.0)):
        """The mean of *value* [M], each of which is of an *image* [M]."""
        value = np.asarray(value, dtype=np.float64)
        mean = float(value.mean()) if len(value) else None
        return {"value": mean, "n": len(value), "ci95": self.bootstrap.mean(image, value, possible)}

    def distinct_count(self, image, items, possible):
        """How many of the hashable *items* [M] differ."""
        numbers = number_items(items)
        return {
            "value": len(set(items)),
            "n": len(items),
            "ci95": self.bootstrap.distinct_count(image, numbers, possible),
        }

    def distinct_ratio(self, image, numbers):
        """Distinct *numbers* / all *numbers* [M]; n counts them all."""
        return {
            "value": len(np.unique(numbers)) / len(numbers) if len(numbers) else None,
            "n": len(numbers),
            "ci95": self.bootstrap.distinct_ratio(image, numbers),
        }

    def distinct_share(self, image, items, is_chosen):
        """The share of the distinct *items* of which *is_chosen* says so; n counts the distinct
        ones.
        """
        chosen = {item: is_chosen(item) for item in items}
        return {
            "value": sum(chosen.values()) / len(chosen) if chosen else None,
            "n": len(chosen),
            "ci95": self.bootstrap.distinct_share(
                image, number_items(items), np.array([chosen[item] for item in items], dtype=bool)
            ),
        }

    def of_sums(self, image, parts, function, possible=(0.0, 1.0)):
        """*function* of the sums of *parts* [M, F], as ``ImageBootstrap.of_sums``; n is M."""
        value = float(function(parts.sum(axis=0)[None])[0]) if len(parts) else None
        return {
            "value": value,
            "n": len(parts),
            "ci95": self.bootstrap.of_sums(image, parts, function, possible),
        }
