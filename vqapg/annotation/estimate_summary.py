"""An estimate of consistency as text for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from vqapg.counted import counted
from vqapg.evaluation.estimated import KEY

STRATA = {
    "accepted": "accepted by the judge",
    "rejected": "rejected by the judge",
    "unscored": "without a score of the judge",
    "all": "all",
}


def format_estimate(figures: Mapping[str, Any]) -> str:
    """The tables of ``estimate_session``'s result: files, differences, annotators."""
    parts = [_file(name, file, figures) for name, file in figures["files"].items()]
    parts += [_difference(difference) for difference in figures["differences"]]
    return "\n\n".join([*parts, _annotators(figures)])


def _file(name: str, file: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    malformed = file["malformed"]
    head = f"{name}: {counted(file['distinct_triples'], 'distinct triple')}"
    head += f"; {malformed:,} malformed, left out" if malformed else ""
    estimate, p = file[KEY], file["consistent"]
    if estimate is None:
        why = (
            "the triples that files share were not drawn; for the share of this file alone, start "
            "a session of it"
            if any(not stratum["drawn"] for stratum in file["strata"])
            else "nothing of it is judged yet"
        )
        rows = [("right", "-", f"not estimated: {why}")]
        if p is not None:
            rows.append(("P, by the judge", _percent(p), ""))
        return f"{head}\n{_table(rows)}"
    rows = [
        (
            "right, estimated",
            _percent(estimate["value"]),
            f"{_interval(estimate['ci95'])} of these triples; {estimate['n']} judged",
        ),
        (
            "  beyond this file",
            "",
            f"{_interval(file['beyond_file']['ci95'])} for other images like these",
        ),
    ]
    if p is not None:
        rows.append(("P, by the judge", _percent(p), _against(p - estimate["value"])))
    for stratum in file["strata"]:
        judged, right = stratum["judged"], stratum["right"]
        owners = f" (also in {len(stratum['files']) - 1} more)" if len(stratum["files"]) > 1 else ""
        rows.append(
            (
                f"  {STRATA[stratum['stratum']]}{owners}",
                _percent(right / judged) if judged else "-",
                f"{right} of {judged} judged are right; {counted(stratum['size'], 'triple')}",
            )
        )
    rows.append(
        (
            "effective sample size",
            f"{file['effective_sample_size']:.0f}",
            f"{estimate['n']} drawn without strata give {_interval(file['people_alone_ci95'])}",
        )
    )
    rows.append(_more(file["more_for_2_points"]))
    if undecided := file["undecided"]:
        rows.append(
            (
                "undecided, left out",
                str(undecided["pairs"]),
                f"{_percent(undecided['all_wrong'])} if all are wrong, "
                f"{_percent(undecided['all_right'])} if all are right"
                + _beyond(undecided, estimate["ci95"]),
            )
        )
    return f"{head}\n{_table(rows)}"


def _beyond(undecided: Mapping[str, Any], interval: Sequence[float]) -> str:
    """Whether the *undecided* pairs can lead out of the *interval*, which leaves them out."""
    low, high = interval
    if low <= undecided["all_wrong"] and undecided["all_right"] <= high:
        return ""
    return "; that is beyond the interval, so have them decided"


def _difference(difference: Mapping[str, Any]) -> str:
    shared = difference["shared_triples"]
    head = (
        f"{difference['first']} minus {difference['second']}: "
        f"{counted(shared, 'triple')} {'is' if shared == 1 else 'are'} in both"
    )
    if difference["value"] is None:
        return f"{head}\n  not estimated: nothing that they do not share is judged yet"
    rows = [
        (
            "difference, estimated",
            _points(difference["value"]),
            f"points [{', '.join(map(_points, difference['ci95']))}]; {difference['n']} judged",
        ),
        _more(difference["more_for_2_points"]),
    ]
    if undecided := difference["undecided"]:
        rows.append(
            (
                "undecided, left out",
                str(undecided["pairs"]),
                f"from {_points(undecided['least'])} to {_points(undecided['most'])} points, "
                "whatever they are",
            )
        )
    return f"{head}\n{_table(rows)}"


def _annotators(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            f"{state['judged']} of {state['needed']}",
            ", ".join(_state(state)),
        )
        for name, state in figures["annotators"].items()
    ]
    asked = figures["annotators_asked_for"]
    judged = f"{counted(figures['pairs'], 'pair')}, {counted(asked, 'annotator')} each"
    lines = [judged, _table(rows)]
    if len(rows) < asked:
        lines.append(f"  {asked - len(rows)} more must judge every pair")
    lines.append(f"  {_agreement(asked, figures['disagreement'])}")
    if waiting := figures["waiting_for_one_more"]:
        wait, are = ("waits", "is") if waiting == 1 else ("wait", "are")
        lines.append(
            f"  {counted(waiting, 'pair')} {wait} for one more annotator, and {are} left out so far"
        )
    return "\n".join(lines)


def _agreement(asked: int, found: Mapping[str, Any]) -> str:
    """How far those of the *asked* annotators agree who judged the same pairs."""
    if asked == 1 or not found["pairs"]:
        return "agreement needs two annotators of the same pairs"
    alpha = (
        "has no value, as all votes are the same"
        if found["alpha"] is None
        else f"{found['alpha']:.2f}"
    )
    return (
        f"they disagree on {found['disagreed']} of {counted(found['pairs'], 'pair')} "
        f"({_percent(found['share'])}); Krippendorff's alpha {alpha}"
    )


def _state(state: Mapping[str, Any]) -> list[str]:
    seconds = state["seconds_per_pair"]
    # A sheet has all its judgements at one time.
    words = [f"{seconds:.1f} s a pair"] if seconds else []
    return words if state["judged"] >= state["needed"] else ["not finished", *words]


def _more(count: int) -> tuple[str, str, str]:
    return ("for +-2 points", f"{count:,}" if count else "none", "more judgements")


def _against(difference: float) -> str:
    """P minus the estimate in words."""
    points = f"{abs(100 * difference):.1f} points"
    return f"{points} {'above' if difference > 0 else 'below'} the estimate"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _interval(bounds: Sequence[float]) -> str:
    return f"[{', '.join(f'{100 * bound:.1f}' for bound in bounds)}]"


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    first = max((len(row[0]) for row in rows), default=0)
    second = max((len(row[1]) for row in rows), default=0)
    return "\n".join(
        f"  {name:<{first}}  {value:>{second}}  {rest}".rstrip() for name, value, rest in rows
    )
