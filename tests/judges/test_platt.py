import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vqapg.errors import InputError
from vqapg.judges.platt import Calibration, fit, log_odds


def drawn(count, slope, offset, seed=0):
    """Scores, and labels that are right with probability sigmoid(slope logit(score) + offset)."""
    generator = np.random.default_rng(seed)
    scores = generator.uniform(0.02, 0.98, count)
    return scores, generator.uniform(size=count) < Calibration(slope, offset, 0)(scores)


@pytest.mark.parametrize("slope, offset", [(1, 0), (0.3, 1.0), (2.5, -2.0)])
def test_fit_is_the_logistic_regression_of_scikit_learn(slope, offset):
    scores, right = drawn(300, slope, offset, seed=3)
    positives, negatives = right.sum(), (~right).sum()
    # Each triple stands twice: as right and as wrong, with Platt's smoothed label as weight.
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    share = np.where(right, high, low)
    odds = np.log(scores / (1 - scores))[:, None]
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.concatenate([odds, odds]),
        np.repeat([1, 0], len(scores)),
        np.concatenate([share, 1 - share]),
    )
    found = fit(scores, right)
    assert found.offset == pytest.approx(expected.intercept_[0], abs=1e-4)
    assert found.slope == pytest.approx(expected.coef_[0, 0], abs=1e-4) and found.n == 300


def test_fit_finds_what_the_labels_were_drawn_by():
    found = fit(*drawn(40_000, 0.5, -1.0))
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.offset == pytest.approx(-1, abs=0.05)


def test_calibrated_scores_by_hand():
    found = Calibration(2.0, 1.0, 5)(np.array([0.5, 0.75, np.nan, 0.0, 1.0]))
    # logit(0.75) = ln 3; 2 ln 3 + 1 has the odds 9 e.
    expected = [np.e / (1 + np.e), 9 * np.e / (1 + 9 * np.e), np.nan]
    np.testing.assert_allclose(found[:3], expected)
    assert 0 < found[3] < 1e-10 and 1 - 1e-10 < found[4] <= 1


def test_a_judge_that_knows_has_a_finite_fit():
    found = fit(np.repeat([1.0, 0.0], 10), np.repeat([True, False], 10))
    np.testing.assert_allclose(found(np.array([1.0, 0.0])), [11 / 12, 1 / 12], atol=1e-4)


def test_a_judge_that_is_wrong_is_not_turned_round():
    scores, right = drawn(400, -1.0, 0.5, seed=1)
    found = fit(scores, right)
    share = found(np.array([0.1, 0.9]))
    assert found.slope == 0 and share[0] == share[1] == pytest.approx(right.mean(), abs=0.01)


def test_a_judge_that_says_one_thing_gets_the_share_of_right():
    found = fit(np.full(100, 0.9), np.arange(100) < 30)
    assert found(np.array([0.9]))[0] == pytest.approx(0.3, abs=0.01)


def test_what_cannot_be_told_is_left_out():
    scores, right = drawn(100, 1, 0)
    unsure = np.concatenate([scores, np.full(50, np.nan)])
    assert fit(unsure, np.concatenate([right, np.ones(50, bool)])) == fit(scores, right)


@pytest.mark.parametrize("right", [[True, True], [False, False]])
def test_labels_of_one_kind_are_refused(right):
    with pytest.raises(InputError, match="of the valid split, and needs both; leave that judge"):
        fit(np.array([0.2, 0.7]), np.array(right))


def test_log_odds_of_certainty_are_finite():
    np.testing.assert_allclose(log_odds(np.array([0.0, 0.5, 1.0])), [-13.8155, 0, 13.8155], 1e-4)
