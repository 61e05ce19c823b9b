from itertools import product

import pytest

from tests.support.consistency_sessions import make_session, say, triples
from vqapg.annotation.judgements import read_judgements
from vqapg.annotation.votes import disagreement, needed_pairs, outcome, outcomes, progress
from vqapg.evaluation.agreement import krippendorff_alpha

R, N, U = "right", "not right", "?"


@pytest.fixture
def session(tmp_path):
    return make_session(tmp_path, {"a": triples("good", range(10))}, n=10)


def ids(session, numbers):
    """The ids of the pairs of these numbers, from 0."""
    return [session.groups[number].pairs[0].id for number in numbers]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([], None),
        ([R], None),
        ([R, R], R),
        ([N, N], N),
        ([U, U], U),
        ([R, N], None),
        ([R, U], None),
        ([R, N, N], N),
        ([R, U, R], R),
        ([R, U, U], U),
        ([R, N, U], U),
        ([R, N, U, R], U),
        ([R, N, U, R, R], R),
    ],
)
def test_outcome_of_two_annotators_and_more(votes, expected):
    assert outcome(votes, 2) == expected


def test_majority_alone_decides_whatever_the_order():
    for votes in product((R, N, U), repeat=3):
        most = [value for value in (R, N, U) if votes.count(value) >= 2]
        assert outcome(votes, 2) == (most[0] if most else U)


def test_one_annotator_alone_decides():
    assert [outcome([vote], 1) for vote in (R, N, U)] == [R, N, U]
    assert outcome([], 1) is None


def test_wrong_and_not_answerable_are_the_same_outcome(session):
    say(session, "anna", lambda pair: "0")
    say(session, "ben", lambda pair: "1")
    assert set(outcomes(session, read_judgements(session)).values()) == {N}


def test_first_two_are_shown_all_and_the_third_disagreements(session):
    every = ids(session, range(10))
    assert needed_pairs(session, {}, "anna") == every
    say(session, "anna", lambda pair: "2")
    assert needed_pairs(session, read_judgements(session), "ben") == every
    odd = ids(session, (3, 7))
    say(session, "ben", lambda pair: "1" if pair.id in odd else "2")
    judgements = read_judgements(session)
    assert needed_pairs(session, judgements, "cleo") == odd
    # The first two can still change what they said.
    assert needed_pairs(session, judgements, "anna") == every
    say(session, "cleo", lambda pair: "2", odd[:1])
    judgements = read_judgements(session)
    assert needed_pairs(session, judgements, "cleo") == odd
    assert needed_pairs(session, judgements, "dora") == odd[1:]
    assert progress(session, judgements) == {"anna": (10, 10), "ben": (10, 10), "cleo": (1, 2)}


def test_third_who_comes_early_is_shown_what_is_not_settled(session):
    say(session, "anna", lambda pair: "2")
    say(session, "ben", lambda pair: "2", ids(session, range(6)))
    assert needed_pairs(session, read_judgements(session), "cleo") == ids(session, range(6, 10))


def test_alpha_is_of_the_first_two_alone(session):
    says = {"anna": "2222222111", "ben": "222222111?"}
    for name, marks in says.items():
        say(session, name, lambda pair, marks=marks: marks[ids(session, range(10)).index(pair.id)])
    before = disagreement(session, read_judgements(session))
    assert (before.pairs, before.disagreed) == (10, 2)
    # right right: 6, right wrong: 1, wrong wrong: 2, wrong "?": 1.
    counts = [[2, 0, 0]] * 6 + [[1, 1, 0]] + [[0, 2, 0]] * 2 + [[0, 1, 1]]
    assert before.alpha == pytest.approx(krippendorff_alpha(counts, "nominal"))
    # Observed disagreement 4 / 20; expected from the margins 13, 6 and 1 of 20.
    assert before.alpha == pytest.approx(1 - (4 / 20) / (2 * (13 * 6 + 13 + 6) / (20 * 19)))
    say(session, "cleo", lambda pair: "1", ids(session, (6, 9)))
    assert disagreement(session, read_judgements(session)) == before


def test_alpha_of_one_annotator_has_no_value(tmp_path):
    session = make_session(tmp_path, {"a": triples("good", range(5))}, annotators=1)
    say(session, "anna", lambda pair: "2")
    assert disagreement(session, read_judgements(session)) == (5, 0, None)
