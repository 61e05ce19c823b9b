"""A stranger's judge and metric go through evaluate and list without a change in vqapg/."""

import json

import pytest

from tests.extend.test_stranger import data, run  # noqa: F401


@pytest.fixture
def metrics(data, tmp_path, monkeypatch):  # noqa: F811
    """The figures of two generated pairs of the test picture: answers "no" and "a blot"."""
    # METEOR takes seconds to start, and is not what this is about.
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    (tmp_path / "generate-test.txt").write_text(
        "H-0\t-0.5\tis it big ? <sep> no\nH-1\t-0.5\twhich one ? <sep> a blot\n"
    )
    pairs = (data, "--pairs", tmp_path / "generate-test.txt")
    output = ("--output", tmp_path / "metrics.json")
    assert run("evaluate", *pairs, "--judge", "one-answer:no", *output) == 0
    return json.loads((tmp_path / "metrics.json").read_text())


def test_judge_scores_what_evaluate_reads(metrics):
    assert metrics["judge"] == {"judge": "one-answer", "answer": "no"}
    assert metrics["consistent"]["value"] == 0.5


def test_metric_is_reported_beside_ours(metrics):
    assert (metrics["one_word_answers"]["value"], metrics["one_word_answers"]["n"]) == (0.5, 2)


@pytest.mark.parametrize(
    ("kind", "name"), [("judges", "one-answer"), ("metrics", "one_word_answers")]
)
def test_entries_are_listed_with_their_package(stranger, capsys, kind, name):
    assert run("list", kind) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines[name] == "from the package my-vqapg"
