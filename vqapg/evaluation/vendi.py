"""The Vendi score of a generated set: its effective number of different pairs.

Friedman and Dieng (2023), "The Vendi Score: A Diversity Evaluation Metric for Machine Learning",
https://arxiv.org/abs/2210.02410. It is the exponential of the entropy of the eigenvalues of K / n,
where K holds the similarity of each pair to each other pair (their definition 3.1). n pairs that
have nothing in common score n. n equal pairs score 1.

Two pairs are as similar as their words and their two-word sequences: the cosine of the counts of
each, and the mean of the two cosines. That is the n-gram kernel of the authors' package. It needs
no other pair and no model, so the similarity of two pairs is the same in every file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vqapg.evaluation.figures import Figures, number_items
from vqapg.evaluation.metric import Figure, Metric, MetricInputs, PartOf

LENGTHS = (1, 2)  # of the n-grams
# The side of the largest matrix whose eigenvalues are computed: some ten seconds on one core.
LARGEST = 3000
# An eigenvalue below this is rounding of 0, of which the entropy knows nothing.
SMALLEST = 1e-12


def vendi_figures(figures: Figures) -> Mapping[str, Figure]:
    """The Vendi score of all well-formed pairs, and of the distinct triples."""
    found = vendi_figure(figures, figures.image, figures.texts)
    # Half a minute in a large file: not twice where no pair is repeated.
    if len(figures.texts) > len(figures.triple_texts):
        distinct = vendi_figure(figures, figures.triple_image, figures.triple_texts)
    else:
        distinct = found
    return {"vendi": found, "vendi_distinct_triples": distinct}


def vendi_figure(
    figures: Figures, image: NDArray[np.int64], texts: Sequence[str], largest: int = LARGEST
) -> Figure:
    """The Vendi score of *texts* ``[M]``, each of which is of an *image* ``[M]``.

    It is exact where there are at most *largest* different texts, or different n-grams. Otherwise
    it is that of *largest* of the texts, drawn by the seed of the bootstrap; n says of how many.

    The entropy is the mean of what each text contributes (see :func:`contributions`). The interval
    is that of this mean over images, carried through the exponential: to first order in how often
    an image is drawn, it is the bootstrap of the score itself.
    """
    numbers = number_items(texts)
    vectors, weights = vectors_of(list(dict.fromkeys(texts))), np.bincount(numbers)
    if min(vectors.shape) > largest:
        drawn = np.random.default_rng(figures.seed).choice(len(texts), largest, replace=False)
        drawn.sort()
        image, numbers = image[drawn], number_items(numbers[drawn].tolist())
        vectors = vectors_of(list(dict.fromkeys(texts[place] for place in drawn)))
        weights = np.bincount(numbers)
    if not len(numbers):
        return {"value": None, "n": 0, "ci95": None}
    entropies = contributions(vectors, weights / weights.sum())[numbers]
    bounds = figures.mean(image, entropies, possible=(0.0, np.log(len(numbers))))["ci95"]
    return {
        "value": float(np.exp(entropies.mean())),
        "n": len(numbers),
        "ci95": None if bounds is None else [float(np.exp(bound)) for bound in bounds],
    }


def vectors_of(texts: Sequence[str]) -> Any:
    """Texts in tokens -> a sparse array ``[T, G]`` over their G n-grams.

    The product of two rows is the similarity of two texts. A text without n-grams of one length,
    as one word has no two, is similar to none in that part.
    """
    columns: dict[tuple[str, ...], int] = {}
    rows, places, values = [], [], []
    for row, text in enumerate(texts):
        tokens = text.split()
        for length in LENGTHS:
            starts = range(len(tokens) - length + 1)
            counts = Counter(tuple(tokens[start : start + length]) for start in starts)
            norm = np.sqrt(len(LENGTHS) * sum(count**2 for count in counts.values()))
            for gram, count in counts.items():
                rows.append(row)
                places.append(columns.setdefault(gram, len(columns)))
                values.append(count / norm)
    return csr_array((values, (rows, places)), shape=(len(texts), len(columns)), dtype=np.float64)


def contributions(vectors: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each text contributes to the entropy: its weighted mean is the entropy.

    With rho the sum of w v v^T over texts, the entropy is -tr(rho log rho), the sum over texts of
    w (-v^T log(rho) v). The eigenvalues of rho are those of the matrix of similarities, so the
    smaller of the two is decomposed.

    Args:
        vectors: as :func:`vectors_of`
        weights: the share of each text, ``[T]``; their sum is 1

    Shape:
        - returns ``[T]``
    """
    scaled = vectors.multiply(np.sqrt(weights)[:, None]).tocsr()
    if vectors.shape[1] < vectors.shape[0]:
        values, directions = np.linalg.eigh((scaled.T @ scaled).toarray())
        # [T, G]: the part of each text along each eigenvector
        parts = (vectors @ directions) ** 2
    else:
        values, directions = np.linalg.eigh((scaled @ scaled.T).toarray())
        parts = directions**2 * values / weights[:, None]
    known = values > SMALLEST
    found: NDArray[np.float64] = -parts[:, known] @ np.log(values[known])
    return found


def _figures(inputs: MetricInputs) -> Mapping[str, Figure]:
    return vendi_figures(inputs.figures)


_VENDI = Metric(
    key="vendi",
    label="Vendi score",
    unit="number",
    over="well-formed pairs",
    better="higher",
    version=1,
    group="diversity, all images",
    compute=PartOf(_figures, "vendi"),
)
METRICS = (_VENDI, _VENDI.variant("_distinct_triples", "repeats left out", "distinct triples"))
