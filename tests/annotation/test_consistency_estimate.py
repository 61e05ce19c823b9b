import json

import pytest

from tests.support.consistency_sessions import (
    Believer,
    make_session,
    say,
    shown_pairs,
    triples,
)
from vqapg.annotation.consistency_estimate import add_to_metrics, estimate_session
from vqapg.annotation.estimate_summary import format_estimate
from vqapg.annotation.judgements import read_judgements
from vqapg.annotation.judging_time import seconds_per_pair
from vqapg.errors import InputError
from vqapg.evaluation.file_design_effect import file_design_effect
from vqapg.evaluation.paired import Part, paired_difference
from vqapg.evaluation.stratified import Stratum, stratified_estimate


def estimated(session):
    return estimate_session(session, read_judgements(session))


def number_of(pair):
    return int(pair.answer.split()[1])


def judge_all(session, is_right):
    """Anna and Ben say the same of every pair."""
    for name in ("anna", "ben"):
        say(session, name, lambda pair: "2" if is_right(pair) else "1")


@pytest.fixture
def session(tmp_path):
    """80 triples that the judge accepts and 20 that it rejects; 40 and 10 of them to judge."""
    files = {"a": triples("good", range(80)) + triples("bad", range(20))}
    return make_session(tmp_path, files, Believer(), n=50)


def test_estimate_is_that_of_the_counted_strata(session):
    judge_all(session, lambda pair: pair.answer.startswith("good") and number_of(pair) % 8)
    pairs = shown_pairs(session).values()
    good = [pair for pair in pairs if pair.answer.startswith("good")]
    right = sum(number_of(pair) % 8 > 0 for pair in good)
    assert (len(good), len(pairs)) == (40, 50)
    file = estimated(session)["files"]["a"]
    expected = stratified_estimate([Stratum(80, 40, right), Stratum(20, 10, 0)])
    assert expected.value == pytest.approx(0.8 * right / 40)
    figure = file["estimated_consistent"]
    assert figure["value"] == pytest.approx(expected.value)
    assert figure["ci95"] == pytest.approx([expected.low, expected.high])
    assert figure["n"] == 50 and "2 strata by believer" in figure["method"]
    assert "2 annotators, one more where they disagree" in figure["method"]
    assert file["consistent"] == 0.8 and file["undecided"] is None
    assert file["effective_sample_size"] == pytest.approx(expected.effective_size)
    assert file["more_for_2_points"] == expected.more_for(0.02)
    assert file["people_alone_ci95"] == pytest.approx(expected.people_alone)
    judged = [
        (
            pair.answer.startswith("bad"),
            group.image,
            pair.answer.startswith("good") and number_of(pair) % 8 > 0,
        )
        for group in session.groups
        for pair in group.pairs
    ]
    effect = file_design_effect(expected.strata, *zip(*judged))
    # Every eighth triple is wrong, so the wrong ones are of one image of four.
    assert effect > 1.5 and file["beyond_file"]["design_effect"] == pytest.approx(effect)
    assert file["beyond_file"]["ci95"] == pytest.approx(expected.beyond_file(effect))


def test_estimate_without_a_judge_has_no_p(tmp_path):
    session = make_session(tmp_path, {"a": triples("good", range(30))}, n=15)
    judge_all(session, lambda pair: True)
    file = estimated(session)["files"]["a"]
    assert file["consistent"] is None
    assert file["estimated_consistent"]["method"].startswith("simple random sample")
    assert "P, by the judge" not in format_estimate(estimated(session))


def test_p_is_over_the_triples_with_a_score(tmp_path):
    files = {"a": triples("good", range(6)) + triples("bad", range(2)) + triples("odd", range(4))}
    session = make_session(tmp_path, files, Believer(), n=12)
    judge_all(session, lambda pair: not pair.answer.startswith("bad"))
    file = estimated(session)["files"]["a"]
    assert file["consistent"] == 0.75
    # Everything was judged: nothing is uncertain.
    assert file["estimated_consistent"]["value"] == pytest.approx(10 / 12)
    assert file["estimated_consistent"]["ci95"] == pytest.approx([10 / 12] * 2)


def test_cannot_tell_is_left_out_and_bounded(session):
    unsure = [pair.id for pair in shown_pairs(session).values() if pair.answer.startswith("bad")]
    for name in ("anna", "ben"):
        say(session, name, lambda pair: "?" if pair.id in unsure[:4] else "2")
    file = estimated(session)["files"]["a"]
    assert file["estimated_consistent"]["n"] == 46
    assert file["estimated_consistent"]["value"] == 1
    # Of the 20 that the judge rejects, 4 of 10 judged are wrong at worst.
    assert file["undecided"] == {
        "pairs": 4,
        "all_wrong": pytest.approx(0.8 + 0.2 * 0.6),
        "all_right": 1,
    }


def test_disagreement_waits_for_a_third_and_is_bounded(session):
    odd = list(shown_pairs(session))[:3]
    say(session, "anna", lambda pair: "2")
    say(session, "ben", lambda pair: "1" if pair.id in odd else "2")
    figures = estimated(session)
    assert figures["waiting_for_one_more"] == 3
    assert figures["files"]["a"]["undecided"]["pairs"] == 3
    assert figures["disagreement"]["disagreed"] == 3
    assert figures["disagreement"]["share"] == 3 / 50
    assert "3 pairs wait for one more annotator" in format_estimate(figures)
    say(session, "cleo", lambda pair: "0", odd)
    figures = estimated(session)
    assert figures["waiting_for_one_more"] == 0 and figures["files"]["a"]["undecided"] is None
    strata = figures["files"]["a"]["strata"]
    assert sum(stratum["judged"] - stratum["right"] for stratum in strata) == 3


def test_who_has_not_finished_is_told(session):
    some = list(shown_pairs(session))[:30]
    say(session, "anna", lambda pair: "2")
    say(session, "ben", lambda pair: "2", some)
    figures = estimated(session)
    assert {
        name: (state["judged"], state["needed"]) for name, state in figures["annotators"].items()
    } == {"anna": (50, 50), "ben": (30, 50)}
    assert figures["files"]["a"]["estimated_consistent"]["n"] == 30
    text = format_estimate(figures)
    assert "ben" in text and "30 of 50" in text and text.count("not finished") == 1


def test_time_of_a_pair_leaves_pauses_out(session):
    pairs = list(shown_pairs(session))
    seconds = [0, 2, 6, 600, 603]
    lines = [
        {
            "annotator": "anna",
            "pair": pair,
            "field": "consistency",
            "value": "2",
            "time": f"2026-01-01T10:{second // 60:02}:{second % 60:02}+00:00",
        }
        for pair, second in zip(pairs, seconds, strict=False)
    ]
    lines.append(lines[0] | {"annotator": "ben", "time": "by hand"})
    path = session.path / "judgements.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert seconds_per_pair(session) == {"anna": (2 + 4 + 3) / 3}


def test_one_annotator_where_two_are_asked_for_is_told(session):
    with pytest.raises(InputError, match="nothing is judged yet"):
        estimated(session)
    say(session, "anna", lambda pair: "2")
    with pytest.raises(InputError, match="needs 2 annotators, and so far anna judged 50 pairs"):
        estimated(session)


def test_difference_is_of_what_two_files_do_not_share(tmp_path):
    files = {"a": triples("good", range(60)), "b": triples("good", range(40, 100))}
    session = make_session(tmp_path, files, n=40)
    judge_all(session, lambda pair: number_of(pair) < 60 or number_of(pair) % 4 == 0)
    judged = [number_of(pair) for pair in shown_pairs(session).values()]
    assert not {*judged}.intersection(range(40, 60)) and len(judged) == 40
    figures = estimated(session)
    [difference] = figures["differences"]
    right = sum(number >= 60 and number % 4 == 0 for number in judged)
    expected = paired_difference(
        [
            Part("first", Stratum(40, 20, 20)),
            Part("second", Stratum(40, 20, right)),
            Part("both", Stratum(20, 0, 0)),
        ]
    )
    assert expected.value == pytest.approx(2 / 3 * (1 - right / 20))
    assert difference["value"] == pytest.approx(expected.value)
    assert difference["ci95"] == pytest.approx([expected.low, expected.high])
    assert (difference["shared_triples"], difference["n"]) == (20, 40)
    assert figures["files"]["a"]["estimated_consistent"] is None
    assert "start a session of it" in format_estimate(figures)


def test_difference_is_bounded_where_nobody_can_tell(tmp_path):
    files = {"a": triples("good", range(20)), "b": triples("good", range(20, 40))}
    session = make_session(tmp_path, files, n=40)
    for name in ("anna", "ben"):
        say(session, name, lambda pair: "?" if number_of(pair) in (0, 1, 39) else "2")
    figures = estimated(session)
    [difference] = figures["differences"]
    # All 40 were drawn. At least: two of A's 20 are wrong, B's one is right; at most the reverse.
    assert difference["undecided"] == {
        "pairs": 3,
        "least": pytest.approx(-2 / 20),
        "most": pytest.approx(1 / 20),
    }
    # The files share nothing, so each has an estimate too.
    assert figures["files"]["a"]["estimated_consistent"]["n"] == 18


def test_shared_pair_raises_the_shorter_files_side(tmp_path):
    files = {"a": triples("good", range(20)), "b": triples("good", range(10, 40))}
    session = make_session(tmp_path, files, n=200)
    # All 40 were drawn. Number 10 is in both, where it weighs 1 / 20 - 1 / 30.
    for name in ("anna", "ben"):
        say(session, name, lambda pair: "?" if number_of(pair) == 10 else "2")
    [difference] = estimated(session)["differences"]
    assert difference["undecided"] == {
        "pairs": 1,
        "least": pytest.approx(-(1 / 20 - 1 / 30)),
        "most": pytest.approx(0),
    }


def metrics_of(session, name="a", **change):
    """What vqapg evaluate would write of a file of the session, as far as it matters."""
    file = session.plan.files[name]
    return {
        "pairs": 100,
        "distinct_triples": file.triples,
        "consistent": {"value": 0.8, "n": 100, "ci95": [0.7, 0.9]},
        "not_computed": {},
        "metric_versions": {"consistent": 1},
        "provenance": {"vqapg": "1", "inputs": {"pairs": {"path": "x", "sha256": file.sha256}}},
    } | change


def test_estimate_goes_before_p_into_metrics(session, tmp_path):
    judge_all(session, lambda pair: True)
    figures, path = estimated(session), tmp_path / "metrics.json"
    path.write_text(json.dumps(metrics_of(session)))
    added = add_to_metrics(path, figures)
    assert added["estimated_consistent"] == figures["files"]["a"]["estimated_consistent"]
    assert list(added)[2:4] == ["estimated_consistent", "consistent"]
    assert added["metric_versions"] == {"consistent": 1, "estimated_consistent": 1}
    assert set(added["provenance"]["inputs"]) == {"pairs", "session.json", "judgements.jsonl"}
    # Once more changes nothing.
    path.write_text(json.dumps(added))
    assert add_to_metrics(path, figures) == added


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provenance": {}}, "is of other pairs"),
        ({"provenance": {"inputs": {"pairs": {"sha256": "00"}}}}, "is of other pairs"),
        ({"distinct_triples": 99}, "is of 99 triples, and 100 were drawn from"),
    ],
)
def test_metrics_of_other_pairs_are_bad_input(session, tmp_path, change, message):
    judge_all(session, lambda pair: True)
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(metrics_of(session, **change)))
    with pytest.raises(InputError, match=f"metrics.json: {message}"):
        add_to_metrics(path, estimated(session))
    path.write_text("[]")
    with pytest.raises(InputError, match="metrics.json: is no JSON object"):
        add_to_metrics(path, estimated(session))


def test_metrics_of_a_file_without_estimate_are_bad_input(tmp_path):
    files = {"a": triples("good", range(60)), "b": triples("good", range(40, 100))}
    session = make_session(tmp_path, files, n=40)
    judge_all(session, lambda pair: True)
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(metrics_of(session, "b")))
    with pytest.raises(InputError, match="its pairs, b, have no estimate of their own"):
        add_to_metrics(path, estimated(session))


def test_printed_estimate_has_all_figures(session):
    odd = list(shown_pairs(session))[:2]
    wrong = [pair.id for pair in shown_pairs(session).values() if pair.answer.startswith("bad")]
    for name, marks in (("anna", "12"), ("ben", "?2")):
        say(
            session,
            name,
            lambda pair, marks=marks: (
                marks[0] if pair.id in odd else "1" if pair.id in wrong else "2"
            ),
        )
    figures = estimated(session)
    file, text = figures["files"]["a"], format_estimate(figures)
    value, (low, high) = (file["estimated_consistent"][key] for key in ("value", "ci95"))
    for part in (
        "a: 100 distinct triples",
        f"{100 * value:.1f}%  [{100 * low:.1f}, {100 * high:.1f}] of these triples; 48 judged",
        "beyond this file               [{:.1f}, {:.1f}] for other images like these".format(
            *(100 * end for end in file["beyond_file"]["ci95"])
        ),
        f"80.0%  {abs(80 - 100 * value):.1f} points ",
        f"{file['effective_sample_size']:.0f}  48 drawn without strata give [",
        f"{file['more_for_2_points']}  more judgements",
        f"{100 * file['undecided']['all_wrong']:.1f}% if all are wrong",
        "they disagree on 2 of 50 pairs (4.0%); Krippendorff's alpha 0.",
    ):
        assert part in text, part


def test_one_annotator_is_told_what_agreement_needs(tmp_path):
    session = make_session(tmp_path, {"a": triples("good", range(4))}, n=4, annotators=1)
    say(session, "anna", lambda pair: "2")
    lines = format_estimate(estimated(session)).splitlines()
    assert "4 pairs, 1 annotator each" in lines
    assert lines[-1] == "  agreement needs two annotators of the same pairs"


def test_votes_all_the_same_have_no_alpha_in_words(tmp_path):
    session = make_session(tmp_path, {"a": triples("good", range(1))}, n=1)
    for name in ("anna", "ben"):
        say(session, name, lambda pair: "2")
    text = format_estimate(estimated(session))
    assert "a: 1 distinct triple\n" in text and "1 pair, 2 annotators each" in text
    assert text.endswith(
        "they disagree on 0 of 1 pair (0.0%); Krippendorff's alpha has no value, as all votes are "
        "the same"
    )


def test_one_pair_waits_in_right_number(tmp_path):
    session = make_session(tmp_path, {"a": triples("good", range(4))}, n=4)
    first = session.groups[0].pairs[0].id
    say(session, "anna", lambda pair: "2")
    say(session, "ben", lambda pair: "0" if pair.id == first else "2")
    text = format_estimate(estimated(session))
    assert "1 pair waits for one more annotator, and is left out so far" in text
