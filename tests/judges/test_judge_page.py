"""The example of docs/extend/judge.md, run as the page says."""

import json
import re
import sys

import numpy as np
import pytest

import vqapg
from tests.support.fairseq_commands import REPOSITORY
from tests.support.handwritten_data import write_data
from vqapg.cli.main import main

# The train split of write_data has one pair: "is there a circle ?", "yes".
PAIRS = [
    ("a.png", "is there a circle ?", "yes"),
    ("a.png", "is there a circle ?", "no"),
    ("a.png", "why ?", "so"),
]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page's judge in a folder of its own, which Python searches."""
    text = (REPOSITORY / "docs/extend/judge.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "prior_judge.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield text
    sys.modules.pop("prior_judge", None)


@pytest.mark.usefixtures("page")
def test_the_pages_judge_scores_by_the_train_split(tmp_path):
    data = write_data(tmp_path / "DATA", PAIRS)
    scores = vqapg.score(data, PAIRS, judge="prior_judge:PriorJudge")
    np.testing.assert_array_equal(scores, [1, 0, np.nan])
    assert np.isnan(vqapg.score(data, PAIRS, judge="prior_judge:PriorJudge:2")).all()


def test_the_pages_command_runs(page, tmp_path, monkeypatch):
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    (command,) = re.findall(r"^vqapg (evaluate (?:.*\\\n)*.*)$", page, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/out").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    write_data(tmp_path / "data/easy", PAIRS)
    (tmp_path / "runs/out/generate-test.txt").write_text("H-0\t-0.5\twhy ? <sep> so\n")
    assert main(command.replace("\\\n", " ").split()) == 0
    metrics = json.loads((tmp_path / "runs/prior.json").read_text())
    assert metrics["judge"] == {"judge": "prior", "fewest": 1}
    assert metrics["consistent"]["value"] is None and metrics["consistent"]["n"] == 0
