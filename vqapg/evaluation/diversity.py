"""Diversity of a whole generated set (section 5.2): Distinct-4 (D) and the number of distinct pairs (N)."""

import numpy as np


def pair_text(pair):
    """The one text a pair counts as: its question's tokens followed by its answer's."""
    return f"{pair.question} {pair.answer}"


def number_items(items):
    """Equal numbers for equal items: [M] hashables -> [M] integers from 0 in order of first appearance."""
    numbers = {}
    return np.array([numbers.setdefault(item, len(numbers)) for item in items], dtype=np.int64)


def four_grams(texts):
    """Every 4-gram of every text, repeats included.

    Returns (owner [M], gram [M]): the index of the text that a 4-gram stands in, and a number that is the
    same for equal 4-grams. A text of fewer than 4 tokens has none.
    """
    owners, grams = [], []
    for owner, text in enumerate(texts):
        tokens = text.split()
        for start in range(len(tokens) - 3):
            owners.append(owner)
            grams.append(tuple(tokens[start : start + 4]))
    return np.array(owners, dtype=np.int64), number_items(grams)


def distinct_4(texts):
    """Distinct 4-grams / all 4-grams over all *texts* together (Li et al., 2016); None without any."""
    _, grams = four_grams(texts)
    return len(np.unique(grams)) / len(grams) if len(grams) else None


def unique_pairs(texts):
    """How many of the texts differ."""
    return len(set(texts))
