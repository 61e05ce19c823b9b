"""95% intervals of a share, and of a weighted sum of shares that were counted apart.

Wilson's interval keeps its coverage where a share is near 0 or 1, and the counts are small. MOVER,
the method of variance estimates recovery, joins the intervals of several shares into one of their
sum. Both work on arrays, so that thousands of simulated samples cost one call.
"""

import math
import statistics
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Two-sided 95%: 1.96.
Z95 = statistics.NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """A value with the ends of its interval; arrays of one shape.

    Attributes:
        value: the estimate
        low: the lower end
        high: the upper end
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def wilson(share: ArrayLike, judged: ArrayLike, z: float = Z95) -> Interval:
    """Wilson's interval of a share.

    Args:
        share: of those judged, the right ones; not read where none is judged
        judged: how many were judged; need not be whole, as a sample by image counts for fewer
        z: the quantile

    Shape:
        Any that broadcast.

    Returns:
        the interval; 0 to 1 about one half where none is judged

    Source:
        Wilson, 1927, "Probable inference, the law of succession, and statistical inference"
    """
    share, judged = np.broadcast_arrays(np.asarray(share, float), np.asarray(judged, float))
    some = judged > 0
    share, judged = np.where(some, share, 0.5), np.where(some, judged, 1.0)
    shrink = 1 + z**2 / judged
    centre = (share + z**2 / (2 * judged)) / shrink
    reach = z / shrink * np.sqrt(share * (1 - share) / judged + z**2 / (4 * judged**2))
    # The ends meet 0 and 1 where all are wrong or right. Rounding could leave the share outside.
    low, high = np.clip(centre - reach, 0, share), np.clip(centre + reach, share, 1)
    return Interval(share, np.where(some, low, 0.0), np.where(some, high, 1.0))


def seen(counted: ArrayLike, judged: ArrayLike, size: ArrayLike) -> NDArray[np.float64]:
    """How many draws from an endless set tell as much as these from a finite one.

    ``n / (1 - f)`` for the share f that was judged. In :func:`wilson` it gives the shares p that
    the data do not reject: draws without replacement have the variance ``(1 - f) p (1 - p) / n``.

    Args:
        counted: how many independent judgements n those count for
        judged: how many were judged
        size: of the finite set

    Shape:
        Any that broadcast.
    """
    counted, judged, size = _floats(counted, judged, size)
    unseen = 1 - judged / np.maximum(size, 1)
    return np.asarray(counted / np.maximum(unseen, np.finfo(float).tiny * 1e20))


def weighted_sum(
    weights: ArrayLike,
    sizes: ArrayLike,
    judged: ArrayLike,
    right: ArrayLike,
    *,
    z: float = Z95,
    design_effect: float = 1.0,
) -> Interval:
    """Estimates the sum over strata of weight times share right.

    Each stratum is a finite set of which some were drawn without replacement. One that is judged
    whole adds no uncertainty. One of which none is judged can be all right or all wrong: the
    interval covers both, and the value lies between them.

    Args:
        weights: ``c_h``; one below zero subtracts its share
        sizes: ``N_h``
        judged: ``n_h``, at most ``N_h``
        right: of those judged
        z: the quantile
        design_effect: each stratum's ``n_h`` counts as ``n_h / design_effect``

    Shape:
        ``[..., H]`` each, or what broadcasts to it -> ``[...]``

    Source:
        Zou and Donner, 2008, "Construction of confidence limits about effect measures: a general
        approach", with the finite population correction of :func:`seen`
    """
    weights, sizes, judged, right = _floats(weights, sizes, judged, right)
    some = judged > 0
    share = right / np.where(some, judged, 1.0)
    share, low, high = wilson(share, seen(judged / design_effect, judged, sizes), z)
    down, up = _squares(weights, share - low, high - share)
    # Nothing was measured of a stratum without judgements, so its whole range is added.
    unknown = (np.abs(weights) * ~some / 2).sum(-1)
    value = (weights * share).sum(-1)
    return Interval(
        value,
        value - np.sqrt((down * some).sum(-1)) - unknown,
        value + np.sqrt((up * some).sum(-1)) + unknown,
    )


def _floats(*arrays: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.asarray(array, dtype=np.float64) for array in arrays)


def _squares(
    weights: NDArray[np.float64], below: NDArray[np.float64], above: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each term can pull the sum down, and up: squared."""
    adds = weights >= 0
    return (
        weights**2 * np.where(adds, below, above) ** 2,
        weights**2 * np.where(adds, above, below) ** 2,
    )


def more_judgements(
    weights: ArrayLike,
    sizes: ArrayLike,
    judged: ArrayLike,
    right: ArrayLike,
    half_width: float,
) -> int:
    """How many more judgements make the interval of :func:`weighted_sum` narrow enough.

    They are given to the strata in proportion to the size of their weights. The shares are taken
    to stay as they are, and to be one half where none is judged.

    Args:
        weights: ``c_h``
        sizes: ``N_h``
        judged: ``n_h``
        right: of those judged
        half_width: half of the wanted interval

    Shape:
        ``[H]`` each

    Raises:
        ValueError: unless *half_width* is above 0
    """
    if not half_width > 0:
        raise ValueError(f"half_width {half_width}: must be above 0")
    weights, sizes, judged, right = _floats(weights, sizes, judged, right)
    portion = np.abs(weights) / max(np.abs(weights).sum(), np.finfo(float).tiny)
    share = np.where(judged > 0, right / np.where(judged > 0, judged, 1.0), 0.5)

    def planned(total: int) -> NDArray[np.float64]:
        then: NDArray[np.float64] = np.maximum(judged, np.minimum(sizes, total * portion))
        return then

    # With *many*, every stratum that counts is judged whole.
    counts = portion > 0
    few, many = 0, math.ceil(np.max(sizes[counts] / portion[counts], initial=0.0))
    while few < many:
        total = (few + many) // 2
        interval = weighted_sum(weights, sizes, planned(total), share * planned(total))
        if interval.high - interval.low <= 2 * half_width:
            many = total
        else:
            few = total + 1
    # Less a rounding error, which would cost a judgement.
    return math.ceil(float((planned(many) - judged).sum()) - 1e-9)


def student_t(degrees: int) -> float:
    """The 97.5% quantile of Student's t with whole *degrees* of freedom; infinite for none.

    Source:
        Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4
    """
    if degrees < 1:
        return math.inf
    # P(|T| <= t) grows with the angle atan(t / sqrt(degrees)).
    low, high = 0.0, math.pi / 2
    while high - low > 1e-15:
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, degrees) < 0.95 else (low, angle)
    return math.sqrt(degrees) * math.tan(high)


def _within(angle: float, degrees: int) -> float:
    """P(|T| <= sqrt(degrees) tan(angle)), a sum of degrees / 2 terms."""
    cos, odd = math.cos(angle), degrees % 2
    term, total = (cos if odd else 1.0), 0.0
    for power in range(1 + odd, degrees, 2):
        total += term
        term *= cos**2 * power / (power + 1)
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
