import json
import os

import pytest

from vqapg.errors import InputError
from vqapg.evaluation.judge_verdict import (
    NOT_CHECKED,
    STALE,
    check_verdict_path,
    in_words,
    stored_verdict,
    verdict_in,
    verdict_of,
    verdict_path,
    write_verdict,
)
from vqapg.provenance import provenance


def figure(value, n=1000):
    return {"value": value, "n": n, "ci95": None}


def report(rejects=0.9, accepts=0.95, area=0.9, n=1000, kind="hard", **judge):
    """What verdict_of and write_verdict read of a report."""
    by_type = {
        "all": {"accuracy_negatives": figure(rejects, n), "accuracy_positives": figure(accepts)}
    }
    found = {
        "negatives": {kind: {"by_type": by_type}},
        "image_swap": {"auc": figure(area)},
        "split": "test",
        "dataset": "jsonl",
        "judge": {"judge": "evaluator", "path": "e.pt", "sha256": "ab" * 32} | judge,
        "provenance": provenance(seed=1),
    }
    return found | {"verdict": verdict_of(found)}


@pytest.mark.parametrize(
    ("figures", "text", "rely"),
    [
        ({"rejects": 0.37}, "rejects 37% of wrong pairs: do not rely on P", False),
        ({"accepts": 0.6}, "accepts 60% of right pairs: do not rely on P", False),
        ({"area": 0.665}, "image-swapped AUC 0.67: do not rely on P", False),
        ({"area": None}, "cannot be shown to see the image: do not rely on P", False),
        (
            {"rejects": 0.37, "area": 0.665},
            "rejects 37% of wrong pairs, image-swapped AUC 0.67: do not rely on P",
            False,
        ),
        ({"n": 99}, "checked on 99 wrong pairs, fewer than 100: do not rely on P", False),
        ({"rejects": None, "n": 0}, "checked on 0 wrong pairs, fewer than", False),
        # The bounds themselves pass.
        (
            {"rejects": 0.8, "accepts": 0.8, "area": 0.75, "n": 100},
            "rejects 80% of wrong pairs, accepts 80% of right pairs, image-swapped AUC 0.75: "
            "P may be 20 points too high or 20 too low",
            True,
        ),
        (
            {"rejects": 0.91, "accepts": 0.96},
            "rejects 91% of wrong pairs, accepts 96% of right pairs, image-swapped AUC 0.90: "
            "P may be 9 points too high or 4 too low",
            True,
        ),
    ],
)
def test_verdict_follows_its_rules(figures, text, rely):
    verdict = report(**figures)["verdict"]
    assert verdict["text"].startswith(text) and verdict["rely"] is rely


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (
            {"rejects": 0.37, "area": 0.665},
            "cannot tell right from wrong pairs well: it rejects 37% of wrong pairs, often misses "
            "a wrong image (AUC 0.67)",
        ),
        ({"n": 99}, "was checked on 99 wrong pairs, fewer than 100, so nobody knows what its"),
        (
            {"rejects": 0.91, "accepts": 0.96},
            "tells most right pairs from wrong ones: it rejects 91% of wrong pairs, accepts 96% of "
            "right pairs, notices a wrong image (AUC 0.90)",
        ),
    ],
)
def test_verdict_in_words_needs_no_p(figures, words):
    told = in_words(report(**figures)["verdict"])
    assert told.startswith(words) and "P" not in told.split()


@pytest.mark.parametrize("text", [NOT_CHECKED, STALE])
def test_unchecked_judge_in_words_says_what_to_do(text):
    told = in_words({"text": text, "rely": None})
    assert told.startswith("has not been checked, ") and "vqapg check-evaluator" in told


def test_wrong_answers_of_people_decide_where_there_are_such():
    both = report(rejects=0.95)
    both["negatives"] |= report(rejects=0.37, kind="people")["negatives"]
    verdict = verdict_of(both)
    assert verdict["wrong_pairs"] == "people" and verdict["rejects_wrong"]["value"] == 0.37


def test_negatives_that_are_true_do_not_decide():
    found = report(rejects=0.5)
    found["negatives"]["hard"]["truth"] = {"without_true": report(rejects=0.9)["negatives"]["hard"]}
    assert verdict_of(found)["rejects_wrong"]["value"] == 0.9


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "e.pt"
    path.write_bytes(b"weights")
    return path


def identity(path, digest="ab" * 32):
    return {"judge": "evaluator", "path": str(path), "sha256": digest}


def test_verdict_stands_beside_the_checkpoint(tmp_path, checkpoint):
    known = identity(checkpoint)
    place = verdict_path(known, tmp_path / "data")
    assert place == tmp_path / "e.pt.verdict.json"
    assert stored_verdict(known) == {"text": NOT_CHECKED, "rely": None}
    write_verdict(report(rejects=0.37), place)
    text = "rejects 37% of wrong pairs: do not rely on P"
    assert stored_verdict(known) == {"text": text, "rely": False}
    # A later one takes its place; the checkpoint stays as it is.
    write_verdict(report(rejects=0.9), place)
    assert stored_verdict(known)["rely"] is True and checkpoint.read_bytes() == b"weights"
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in (checkpoint, place):
        path.rename(moved / path.name)
    assert stored_verdict(identity(moved / "e.pt"))["rely"] is True


def test_verdict_of_other_weights_is_stale(checkpoint):
    write_verdict(report(), verdict_path(identity(checkpoint), None))
    assert stored_verdict(identity(checkpoint, "cd" * 32)) == {"text": STALE, "rely": None}


def test_verdict_of_another_kind_of_judge_is_stale(checkpoint):
    write_verdict(report(), verdict_path(identity(checkpoint), None))
    other = identity(checkpoint) | {"judge": "vqa"}
    assert stored_verdict(other) == {"text": STALE, "rely": None}


def test_judge_without_checkpoint_has_its_verdict_in_the_data(tmp_path):
    known = {"judge": "hf", "name": "some/model"}
    place = verdict_path(known, tmp_path)
    assert place.parent == tmp_path and place != verdict_path(known | {"name": "x"}, tmp_path)
    write_verdict(report() | {"judge": known}, place)
    assert stored_verdict(known, tmp_path)["rely"] is True
    assert verdict_path(known, None) is None
    assert stored_verdict(known)["text"] == NOT_CHECKED


def test_the_truth_needs_no_verdict(tmp_path):
    assert stored_verdict({"judge": "truth", "truth": "easy-vqa"}, tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "",
        '{"text": 3}',
        '{"text": "rely on me", "rely": true}',  # without our mark
    ],
)
def test_verdict_file_of_others_is_not_believed(checkpoint, content):
    place = verdict_path(identity(checkpoint), None)
    place.write_text(content)
    found = stored_verdict(identity(checkpoint))
    assert found["rely"] is None
    assert found["text"].startswith("not checked: e.pt.verdict.json cannot be read; delete it")


def test_verdict_that_is_a_pipe_does_not_hang(checkpoint):
    os.mkfifo(verdict_path(identity(checkpoint), None))
    assert "cannot be read" in stored_verdict(identity(checkpoint))["text"]


def test_verdict_file_of_others_is_not_replaced(checkpoint):
    place = verdict_path(identity(checkpoint), None)
    place.write_text('{"mine": 1}')
    for refused in (lambda: check_verdict_path(place), lambda: write_verdict(report(), place)):
        with pytest.raises(InputError, match="only what vqapg wrote is replaced"):
            refused()
    assert json.loads(place.read_text()) == {"mine": 1}


def test_a_stored_verdict_is_one_line_for_a_terminal():
    stored = {"verdict": {"text": "good\n\x1b[2J", "rely": "yes"}}
    assert verdict_in(stored) == {"text": "good \\x1b[2J", "rely": None}
    assert verdict_in({}) is None and verdict_in({"verdict": "good"}) is None
