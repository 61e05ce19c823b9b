import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from vqapg.evaluation.calibration import BINS, AreaUnderCurve, CalibrationError


@pytest.fixture(params=range(5))
def drawn(request):
    """Scores with ties and bounds of bins, labels, and whole weights as a resample has."""
    generator = np.random.default_rng(request.param)
    scores = np.round(generator.uniform(size=200), 2)
    return scores, generator.uniform(size=200) < scores, generator.integers(0, 4, 200).astype(float)


def test_area_under_the_curve_by_hand():
    # Of 2 x 3 comparisons: .9 wins all three; .5 wins one, ties one, loses one.
    area = AreaUnderCurve(
        np.array([0.9, 0.5, 0.1, 0.5, 0.7]), np.array([True, True, False, False, False])
    )
    assert area.of(np.ones(5)) == pytest.approx((3 + 1.5) / 6)
    # Without the positive at .9, and with that at .7 twice: wins one, ties one, loses two.
    assert area.of(np.array([0.0, 1, 1, 1, 2])) == pytest.approx(1.5 / 4)
    assert np.isnan(area.of(np.array([1.0, 1, 0, 0, 0])))


def test_area_under_the_curve_is_scikit_learns(drawn):
    scores, positive, weights = drawn
    area = AreaUnderCurve(scores, positive)
    assert area.of(np.ones(200)) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    assert area.of(weights) == pytest.approx(
        roc_auc_score(positive, scores, sample_weight=weights), abs=1e-12
    )


def test_calibration_error_by_hand():
    # Bin [.1, .2): mean .15, half positive; bin [.9, 1]: mean .95, all positive.
    error = CalibrationError([0.1, 0.2 - 1e-9, 0.9, 1.0], [True, False, True, True])
    assert error.of(np.ones(4)) == pytest.approx(0.5 * 0.35 + 0.5 * 0.05)
    assert error.of(np.array([0.0, 0, 1, 3])) == pytest.approx(1 - 0.975)
    assert np.isnan(error.of(np.zeros(4)))
    assert error.bins() == [
        {"from": 0.1, "to": 0.2, "n": 2, "mean_score": pytest.approx(0.15), "positive": 0.5},
        {"from": 0.9, "to": 1.0, "n": 2, "mean_score": pytest.approx(0.95), "positive": 1.0},
    ]


def test_scores_too_low_do_not_make_up_for_scores_too_high():
    # Bin [.2, .3) is right half the time, 30 points above its score; bin [.8, .9) as much below.
    error = CalibrationError([0.2, 0.2, 0.8, 0.8], [True, False, True, False])
    assert error.of(np.ones(4)) == pytest.approx(0.3)


def test_calibration_bins_are_scikit_learns():
    generator = np.random.default_rng(0)
    scores = generator.uniform(
        size=500
    )  # none on the bound of a bin, which scikit-learn puts below it
    positive = generator.uniform(size=500) < scores**2
    error = CalibrationError(scores, positive)
    shares, means = calibration_curve(positive, scores, n_bins=BINS)
    bins = error.bins()
    np.testing.assert_allclose([b["positive"] for b in bins], shares)
    np.testing.assert_allclose([b["mean_score"] for b in bins], means)
    counts = np.array([b["n"] for b in bins])
    assert error.of(np.ones(500)) == pytest.approx((counts * np.abs(shares - means)).sum() / 500)


def test_weights_count_like_repeats(drawn):
    scores, positive, weights = drawn
    repeated = np.repeat(np.arange(200), weights.astype(int))
    for measure in (AreaUnderCurve, CalibrationError):
        again = measure(scores[repeated], positive[repeated]).of(np.ones(len(repeated)))
        assert measure(scores, positive).of(weights) == pytest.approx(again)
