import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import binary_distance

from vqapg.evaluation.agreement import krippendorff_alpha

VALUES = (1, 2, 3, 4, 5)
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: four observers,
# twelve units.
PUBLISHED = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]


def counts(rows, values):
    units = list(zip(*(row.split() for row in rows), strict=True))
    return np.array([[unit.count(str(value)) for value in values] for unit in units])


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_published_values(level, alpha):
    assert krippendorff_alpha(counts(PUBLISHED, VALUES), level) == pytest.approx(alpha, abs=5e-4)


@pytest.mark.parametrize(
    ("rows", "alpha"),
    [
        # Sections A and B of the same: two observers, binary and nominal data.
        (["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"], 0.095),
        (["a a b b d c c c e d d a", "b a b b b c c c e d d d"], 0.692),
    ],
)
def test_published_values_of_two_observers(rows, alpha):
    values = sorted(set(" ".join(rows).split()))
    assert krippendorff_alpha(counts(rows, values), "nominal") == pytest.approx(alpha, abs=5e-4)


def slow_alpha(units, level):
    """The definition, pair of values by pair of values; units are lists of values."""
    units = [unit for unit in units if len(unit) > 1]
    everything = [value for unit in units for value in unit]

    def difference(a, b):
        if level == "nominal":
            return float(a != b)
        low, high = min(a, b), max(a, b)
        between = sum(low <= value <= high for value in everything)
        return (between - (everything.count(a) + everything.count(b)) / 2) ** 2

    def disagreement(values):
        return sum(
            difference(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j
        )

    observed = sum(disagreement(unit) / (len(unit) - 1) for unit in units) / len(everything)
    expected = disagreement(everything) / (len(everything) * (len(everything) - 1))
    return 1 - observed / expected


UNITS = st.lists(st.lists(st.sampled_from(VALUES), max_size=4), min_size=1, max_size=12)


def pairable(units):
    return [unit for unit in units if len(unit) > 1]


def of_units(units):
    return np.array([[unit.count(value) for value in VALUES] for unit in units])


@given(UNITS, st.sampled_from(("nominal", "ordinal")))
def test_alpha_is_the_definition(units, level):
    alpha = krippendorff_alpha(of_units(units), level)
    if len({value for unit in pairable(units) for value in unit}) > 1:
        assert alpha == pytest.approx(slow_alpha(units, level))
    else:
        assert np.isnan(alpha)


@given(UNITS, st.data())
def test_weights_are_units_said_again(units, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(units), max_size=len(units)))
    repeated = np.repeat(of_units(units), weights, axis=0)
    for level in ("nominal", "ordinal"):
        assert krippendorff_alpha(of_units(units), level, weights) == pytest.approx(
            krippendorff_alpha(repeated, level), nan_ok=True
        )


def test_nltk_says_the_same():
    rng = np.random.default_rng(1)
    for _ in range(20):
        given_values = rng.integers(1, 4, size=(3, 15))
        triples = [
            (f"coder {c}", f"unit {u}", int(v)) for (c, u), v in np.ndenumerate(given_values)
        ]
        expected = AnnotationTask(triples, distance=binary_distance).alpha()
        table = np.stack([(given_values == value).sum(axis=0) for value in (1, 2, 3)], axis=1)
        assert krippendorff_alpha(table, "nominal") == pytest.approx(expected)


def test_perfect_agreement_is_one_and_systematic_disagreement_below_zero():
    assert krippendorff_alpha([[2, 0], [0, 2], [2, 0]], "nominal") == 1
    assert krippendorff_alpha([[1, 1], [1, 1], [1, 1]], "ordinal") < 0


def test_no_alpha_from_nothing():
    assert np.isnan(krippendorff_alpha(np.zeros((0, 3)), "nominal"))
    assert np.isnan(krippendorff_alpha([[1, 0], [0, 1]], "nominal"))
    assert np.isnan(krippendorff_alpha([[2, 0], [3, 0]], "ordinal"))


def test_an_unknown_level_is_an_error():
    with pytest.raises(ValueError, match="interval"):
        krippendorff_alpha([[1, 1]], "interval")
