"""Consistency estimated from judgements of people: its place in metrics.json and in tables.

``vqapg annotate estimate`` computes it and puts it there. ``vqapg evaluate`` alone cannot.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from vqapg.errors import InputError
from vqapg.evaluation.metric import Metric
from vqapg.provenance import KEY as PROVENANCE

KEY = "estimated_consistent"


class EstimatedFigure(TypedDict):
    """An estimate as metrics.json holds it.

    Its interval is of the draw: it holds for the triples of this file. The others' are bootstrap
    intervals over images.
    """

    value: float
    n: int
    ci95: list[float]
    method: str


METRICS = (
    Metric(
        key=KEY,
        label="truly consistent, estimated from judgements of people",
        unit="share",
        over="judged triples",
        better="higher",
        version=1,
        group="consistency",
        compute=lambda inputs: None,
    ),
)


def with_estimate(
    metrics: Mapping[str, Any],
    figure: EstimatedFigure,
    *,
    triples: int,
    inputs: Mapping[str, Any],
    where: str,
) -> dict[str, Any]:
    """The content of a metrics.json with an estimate of the same pairs in it.

    Args:
        metrics: as ``vqapg evaluate`` writes it; an estimate in it is replaced
        figure: the estimate
        triples: how many distinct triples the file of pairs has that was judged
        inputs: what the estimate was read from, as a provenance names it
        where: the file of *metrics*, for the message

    Raises:
        InputError: if *metrics* is of fewer pairs
    """
    if metrics.get("distinct_triples") != triples:
        raise InputError(
            f"{where}: is of {metrics.get('distinct_triples')} triples, and {triples} were drawn "
            "from; measure all pairs, without --pairs-per-image"
        )
    # Before P, which it is to be read instead of.
    found: dict[str, Any] = {}
    for key, value in metrics.items():
        if key in ("consistent", "not_computed"):
            found.setdefault(KEY, figure)
        if key != KEY:
            found[key] = value
    found.setdefault(KEY, figure)
    versions, provenance = (_object(metrics.get(key)) for key in ("metric_versions", PROVENANCE))
    found["metric_versions"] = versions | {KEY: METRICS[0].version}
    found[PROVENANCE] = provenance | {"inputs": _object(provenance.get("inputs")) | dict(inputs)}
    return found


def is_of_file(metrics: Mapping[str, Any], sha256: str) -> bool:
    """Whether *metrics* was measured of the file of pairs with that checksum."""
    inputs = _object(_object(metrics.get(PROVENANCE)).get("inputs"))
    return _object(inputs.get("pairs")).get("sha256") == sha256


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
