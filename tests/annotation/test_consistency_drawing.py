from itertools import combinations, pairwise

import numpy as np
import pytest
from PIL import Image

from tests.support.consistency_sessions import (
    Believer,
    make_session,
    shown_pairs,
    triples,
    write_world,
)
from vqapg.annotation.consistency_drawing import draw_cells
from vqapg.annotation.session import read_session
from vqapg.errors import InputError
from vqapg.evaluation.stratified import allocate


def cells_of(triples_of, scores=None, n=20, seed=1):
    """The cells of such files, and all their triples."""
    found = list(dict.fromkeys(triple for one in triples_of.values() for triple in one))
    return draw_cells(found, triples_of, scores, n, np.random.default_rng(seed)), found


def test_cells_hold_every_triple_once_and_draw_from_their_own():
    first, second = triples("good", range(30)), triples("good", range(20, 60))
    cells, found = cells_of({"a": first, "b": second})
    assert sorted(np.concatenate([cell.members for cell in cells])) == list(range(60))
    for cell in cells:
        assert len(set(cell.drawn)) == len(cell.drawn) and set(cell.drawn) <= set(cell.members)
        for index in cell.members:
            owners = [name for name, has in (("a", first), ("b", second)) if found[index] in has]
            assert list(cell.files) == owners


def test_one_file_is_cut_by_score_and_allocated_in_proportion():
    of_file = triples("x", range(100))
    scores = np.array([0.9] * 70 + [0.2] * 26 + [np.nan] * 4)
    cells, _ = cells_of({"a": of_file}, scores, n=40)
    found = {cell.stratum: cell for cell in cells}
    assert {name: len(cell.members) for name, cell in found.items()} == {
        "accepted": 70,
        "rejected": 26,
        "unscored": 4,
    }
    assert [len(cell.drawn) for cell in cells] == allocate([26, 70, 4], 40) == [10, 28, 4]
    assert set(found["rejected"].members) == set(range(70, 96))


def test_score_of_a_half_is_rejected():
    cells, _ = cells_of({"a": triples("x", range(2))}, np.array([0.5, 0.51]))
    assert [(cell.stratum, list(cell.members)) for cell in cells] == [
        ("rejected", [0]),
        ("accepted", [1]),
    ]


def test_without_scores_there_is_one_stratum():
    [cell], _ = cells_of({"a": triples("x", range(50))}, n=20)
    assert cell.stratum == "all" and len(cell.drawn) == 20


def test_equally_long_files_judge_nothing_that_they_share():
    cells, _ = cells_of({"a": triples("x", range(40)), "b": triples("x", range(20, 60))}, n=30)
    assert {cell.files: len(cell.drawn) for cell in cells} == {
        ("a",): 15,
        ("a", "b"): 0,
        ("b",): 15,
    }


def test_files_of_other_lengths_judge_shared_triples_once():
    triples_of = {"a": triples("x", range(100)), "b": triples("x", range(60, 260))}
    cells, _ = cells_of(triples_of, n=100)
    found = {cell.files: (len(cell.members), len(cell.drawn)) for cell in cells}
    # Weights: 60 / 100, 160 / 200 and 40 (1 / 100 - 1 / 200), of 1.6.
    assert found == {("a",): (60, 38), ("a", "b"): (40, 12), ("b",): (160, 50)}


def test_three_files_have_enough_for_each_comparison():
    triples_of = {
        "a": triples("x", range(40)),
        "b": triples("x", range(20, 60)),
        "c": triples("x", range(30, 70)),
    }
    cells, found = cells_of(triples_of, n=30)
    assert sum(len(cell.members) for cell in cells) == len(found) == 70
    for first, second in combinations(triples_of, 2):
        only = [cell for cell in cells if (first in cell.files) != (second in cell.files)]
        there_are = sum(len(cell.members) for cell in only)
        assert sum(len(cell.drawn) for cell in only) >= min(30, there_are)
    shared = [cell for cell in cells if len(cell.files) == 3]
    assert [len(cell.members) for cell in shared] == [10] and not len(shared[0].drawn)


def test_files_with_the_same_triples_cannot_be_compared():
    same = triples("x", range(10))
    with pytest.raises(InputError, match="the same triples"):
        cells_of({"a": same, "b": same[::-1]})


def test_every_triple_of_a_cell_is_drawn_as_often():
    counts = np.zeros(30)
    scores = np.array([0.9] * 20 + [0.1] * 10)
    for seed in range(300):
        for cell in cells_of({"a": triples("x", range(30))}, scores, n=15, seed=seed)[0]:
            counts[cell.drawn] += 1
    # 10 of 20 accepted: 150 times each; 10 of 10 rejected: always.
    assert counts[20:].tolist() == [300] * 10
    assert counts[:20].min() > 115 and counts[:20].max() < 185


def test_greater_n_draws_the_same_triples_and_more():
    few, many = (cells_of({"a": triples("x", range(90))}, n=n)[0][0].drawn for n in (20, 50))
    assert list(many[:20]) == list(few)


def test_session_holds_distinct_well_formed_triples(tmp_path):
    good, bad = triples("good", range(6)), triples("bad", range(3))
    session = make_session(
        tmp_path, {"a": [*good, *good[:2], ("a.png", "no answer ?", ""), *bad]}, Believer(), n=200
    )
    assert read_session(session.path) == session and session.fields == ("consistency",)
    [(name, file)] = session.plan.files.items()
    assert (name, file.triples, file.malformed) == ("a", 9, 1)
    sizes = {cell.stratum: (cell.size, len(cell.pairs)) for cell in session.plan.cells}
    assert sizes == {"accepted": (6, 6), "rejected": (3, 3)}
    shown = shown_pairs(session)
    assert sorted(pair.answer for pair in shown.values()) == sorted(t[2] for t in good + bad)
    for cell in session.plan.cells:
        kind = "good" if cell.stratum == "accepted" else "bad"
        assert all(shown[pair].answer.startswith(kind) for pair in cell.pairs)
    for group in session.groups:
        [pair] = group.pairs
        number = int(pair.answer.split()[1])
        assert session.images[group.image] == "abcd"[number % 4] + ".png"
        colour = Image.open(session.image_path(group.image)).getpixel((5, 5))
        assert abs(colour[0] - 60 * (number % 4)) < 4


def test_neither_number_nor_order_tells_the_stratum(tmp_path):
    files = {"a": triples("good", range(60)) + triples("bad", range(60))}
    session = make_session(tmp_path, files, Believer(), n=100)
    kinds = [group.pairs[0].answer.split()[0] for group in session.groups]
    assert [group.id for group in session.groups] == [f"g{n}" for n in range(1, 101)]
    switches = sum(first != second for first, second in pairwise(kinds))
    assert 35 < switches < 65
    # Who stops early has judged the same pairs as another who does.
    assert session.order("anna") == session.order("ben") == session.groups


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "-n 0: must be at least 1"),
        ({"annotators": 0}, "--annotators 0: must be at least 1"),
        ({"annotators": 101}, "--annotators 101: give at most 100"),
        ({"seed": -1}, "--seed -1"),
    ],
)
def test_bad_options_are_bad_input(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        make_session(tmp_path, {"a": triples("good", range(5))}, **options)
    assert not (tmp_path / "session").exists()


def test_file_without_a_well_formed_pair_is_bad_input(tmp_path):
    write_world(tmp_path)
    with pytest.raises(InputError, match="a.jsonl: has no well-formed pair"):
        make_session(tmp_path, {"a": [("a.png", "what ?", "")]})
