"""Whether several judges accept and reject the same pairs."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.evaluation.agreement import krippendorff_alpha
from vqapg.evaluation.judged import CONSISTENT_ABOVE
from vqapg.judges.mean import MeanJudge


def judges_agreement(judges: MeanJudge, scores: NDArray[np.float64]) -> dict[str, Any]:
    """The agreement of judges on what is accepted: a calibrated score above 0.5.

    Args:
        judges: who judged
        scores: their calibrated scores of distinct triples; NaN where a judge cannot tell

    Shape:
        - scores: ``[J, M]``

    Returns:
        ``alpha``, Krippendorff's for two values, None where it is not defined; ``judges``, each
        with its model or checkpoint, its calibration's slope and kind of negatives, and the share
        that it accepts;
        ``pairs``, any two judges with the share of triples on which they agree. ``n`` counts the
        triples that a figure rests on.
    """
    names = [judge.name for judge in judges.judges]
    told, accepted = ~np.isnan(scores), scores > CONSISTENT_ABOVE
    counts = np.stack([(told & ~accepted).sum(axis=0), (told & accepted).sum(axis=0)], axis=1)
    alpha = float(krippendorff_alpha(counts, "nominal"))
    return {
        "alpha": None if np.isnan(alpha) else alpha,
        "n": int((counts.sum(axis=1) > 1).sum()),
        "judges": [
            {
                "name": names[number],
                "source": judge.identity.get("model") or judge.identity.get("path"),
                "slope": judges.calibrations[number].slope,
                "negatives": judges.calibrations[number].negatives,
                "accepted": _share(accepted[number], told[number]),
            }
            for number, judge in enumerate(judges.judges)
        ],
        "pairs": [
            {
                "judges": [names[first], names[second]],
                "agreed": _share(accepted[first] == accepted[second], told[first] & told[second]),
            }
            for first, second in combinations(range(len(names)), 2)
        ],
    }


def format_agreement_of_judges(agreement: dict[str, Any]) -> str:
    """What ``vqapg evaluate`` prints of it."""
    alpha = "not defined" if agreement["alpha"] is None else f"{agreement['alpha']:.2f}"
    lines = [
        f"Judges, each calibrated on the valid split{_wrong_pairs(agreement['judges'])}:",
        *map(_judge, agreement["judges"]),
        *(
            f"  {' and '.join(pair['judges'])} agree on {_percent(pair['agreed'])}"
            for pair in agreement["pairs"]
        ),
        f"  Krippendorff's alpha on accepted or rejected: {alpha} "
        f"({agreement['n']:,} triples that two or more judges can tell of)",
    ]
    return "\n".join(lines)


def _wrong_pairs(judges: Sequence[dict[str, Any]]) -> str:
    """Which wrong pairs the judges were calibrated on; they share a data directory."""
    kinds = {"people": " and wrong answers of people", "hard": " and hard negatives"}
    return kinds.get(judges[0]["negatives"], "")


def _judge(one: dict[str, Any]) -> str:
    source = f" ({one['source']})" if one["source"] else ""
    note = "" if one["slope"] else "; its scores do not tell right from wrong there"
    return f"  {one['name']}{source} accepts {_percent(one['accepted'])}{note}"


def _share(value: NDArray[np.bool_], of: NDArray[np.bool_]) -> dict[str, Any]:
    return {"value": float(value[of].mean()) if of.any() else None, "n": int(of.sum())}


def _percent(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "no triple that can be told"
    return f"{100 * share['value']:.1f}% of {share['n']:,} triples"
