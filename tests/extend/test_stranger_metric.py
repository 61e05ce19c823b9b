"""The metric and the format of docs/extend/ go through the commands without a change in vqapg/."""

import json
import re

import pytest

from tests.support.handwritten_data import write_data
from vqapg.cli.main import main
from vqapg.data.directory import Pair
from vqapg.evaluation.metrics import METRICS
from vqapg.export import FORMATS
from vqapg.reports.report import write_report

GOLD = [Pair("a.png", "is it big ?", "no"), Pair("b.png", "which one ?", "a blot")]


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture
def files(stranger, tmp_path, monkeypatch):
    """A data directory and two generated pairs: an answer of one word, and one of two."""
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    write_data(tmp_path / "DATA", GOLD)
    lines = [
        {"image": "a.png", "question": "Is it red?", "answer": "yes"},
        {"image": "b.png", "question": "Which one?", "answer": "a blot"},
    ]
    (tmp_path / "out.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return tmp_path


def test_metric_stands_in_json_table_and_study(files, capsys):
    output = files / "study/joint/seed-1/metrics.json"
    output.parent.mkdir(parents=True)
    words = ("--pairs", files / "out.jsonl", "--output", output)
    assert run("evaluate", files / "DATA", "--all", *words) == 0
    metrics = json.loads(output.read_text())
    assert (metrics["one_word_answers"]["value"], metrics["one_word_answers"]["n"]) == (0.5, 2)
    assert metrics["metric_versions"]["one_word_answers"] == 1
    table = capsys.readouterr().out
    assert re.search(r"^style\n  answers of one word \(%\) +50\.00  \[", table, re.MULTILINE)
    write_report(files / "study", files / "report")
    head = (files / "report/study.md").read_text().split("\n| ")[1]
    assert "answers of one word (%)" in head


def test_format_is_written_and_replaces_only_its_own(files, capsys):
    output = files / "pairs.cards"
    words = ("export", files / "out.jsonl", "--data", files / "DATA", "--format", "cards")
    assert run(*words, "--output", output) == 0
    assert output.read_text() == "#made by vqapg\nis it red?\tyes\nwhich one?\ta blot\n"
    assert run(*words, "--output", output, "--overwrite") == 0
    output.write_text("mine")
    assert run(*words, "--output", output, "--overwrite") == 2
    assert "is no deck of vqapg" in capsys.readouterr().err and output.read_text() == "mine"


def test_format_is_named_by_its_module_too(files):
    words = ("export", files / "out.jsonl", "--data", files / "DATA")
    output = files / "pairs"
    assert run(*words, "--format", "my_vqapg.format:FORMAT", "--output", output) == 0
    assert output.read_text().startswith("#made by vqapg")


def test_entries_are_listed_with_their_package(stranger):
    assert ("one_word_answers", "from the package my-vqapg") in METRICS.entries()
    assert ("cards", "from the package my-vqapg") in FORMATS.entries()
