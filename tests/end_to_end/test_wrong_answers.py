"""Wrong answers that people wrote, from the source to the verdict, through the commands."""

import json

import pytest

from tests.support.fairseq_commands import fairseq
from tests.support.world import COLOURS, CONSISTENCY, OPTIMIZER, make_data, vqapg, write_source
from vqapg.cli.main import main


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three wrong answers to each question of the colour, and none to the others."""
    folder = tmp_path_factory.mktemp("people")
    source = write_source(folder / "source")
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    for line in lines:
        if line["answer"] in COLOURS:
            others = [colour for colour in COLOURS if colour != line["answer"]]
            line["wrong_answers"] = [*others, "zebra"]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return make_data(folder, source=source)


@pytest.fixture(scope="module")
def evaluator(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluator")
    end = ["--max-epoch", 2, "--no-epoch-checkpoints", "--save-dir", folder]
    fairseq("train", data, *CONSISTENCY, "--negatives", "people", *OPTIMIZER, *end)
    return folder / "checkpoint_last.pt"


@pytest.fixture
def checked(data, evaluator, tmp_path, capsys):
    """What check-evaluator writes and prints; its verdict stands beside the evaluator."""
    flags = ["--evaluator", evaluator, "--output", tmp_path / "report.json"]
    vqapg("check-evaluator", data, *flags)
    yield json.loads((tmp_path / "report.json").read_text()), capsys.readouterr().out
    evaluator.with_name("checkpoint_last.pt.verdict.json").unlink()


def test_report_has_the_four_way_accuracy_and_people_negatives(checked):
    report, printed = checked
    assert report["evaluator"]["negatives"] == "people"
    assert list(report["negatives"]) == ["paper", "hard", "people"]
    # Five colours are asked for. The other ten questions have no wrong answers.
    assert report["four_way"]["questions"] == 5
    assert list(report["four_way"]["by_type"]) == ["all", "what"]
    assert report["image_swap"]["pairs"] + report["image_swap"]["without_another_image"] == 15
    # "zebra" is in no pair of the train split.
    unknown = report["negatives"]["people"]["unknown_words"]
    assert unknown["positives"]["with_unknown"] == 0
    assert set(unknown["negatives"]["words"]) <= {"zebra"}
    for said in ("right answer of four (%), chance 25", "image swapped, question and answer kept"):
        assert said in printed
    assert "Verdict: checked on" in printed


def test_verdict_goes_with_p(checked, data, evaluator, tmp_path, capsys):
    report, _ = checked
    pairs = tmp_path / "pairs.jsonl"
    line = {"image": "images/test0.png", "question": "What color is the zebra?", "answer": "red"}
    pairs.write_text(json.dumps(line) + "\n")
    flags = ["--pairs", pairs, "--evaluator", evaluator, "--output", tmp_path / "metrics.json"]
    vqapg("evaluate", data, *flags)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["verdict"] == {key: report["verdict"][key] for key in ("text", "rely")}
    assert metrics["unknown_words"] == {"triples": 1, "with_unknown": 1, "words": ["zebra"]}
    printed = capsys.readouterr().out
    assert report["verdict"]["text"] in printed and "such as: zebra" in printed


def test_verdict_of_an_evaluator_trained_on_is_not_used(checked, data, evaluator, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    line = {"image": "images/test0.png", "question": "What color?", "answer": "red"}
    pairs.write_text(json.dumps(line) + "\n")
    other = tmp_path / "trained_on.pt"
    # The same weights in a file of other bytes.
    other.write_bytes(evaluator.read_bytes() + b"\0")
    verdict = evaluator.with_name("checkpoint_last.pt.verdict.json")
    (tmp_path / "trained_on.pt.verdict.json").write_bytes(verdict.read_bytes())
    flags = ["--pairs", pairs, "--evaluator", other, "--output", tmp_path / "metrics.json"]
    vqapg("evaluate", data, *flags)
    said = json.loads((tmp_path / "metrics.json").read_text())["verdict"]
    assert said["rely"] is None and "of another judge" in said["text"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--max-pairs", "-1"], "--max-pairs -1: must not be negative"),
        (["--output", "{verdict}"], "is read by this very command"),
    ],
)
def test_check_evaluator_refuses_in_one_line(data, evaluator, tmp_path, capsys, flags, expected):
    verdict = f"{evaluator}.verdict.json"
    flags = ["--evaluator", evaluator, "--output", tmp_path / "out.json", *flags]
    words = [str(flag).format(verdict=verdict) for flag in flags]
    assert main(["check-evaluator", str(data), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


def test_verdict_file_of_others_stops_before_any_measuring(data, evaluator, tmp_path, capsys):
    verdict = evaluator.with_name("checkpoint_last.pt.verdict.json")
    verdict.write_text('{"mine": 1}')
    output = tmp_path / "out.json"
    words = ["--evaluator", str(evaluator), "--output", str(output)]
    assert main(["check-evaluator", str(data), *words]) == 2
    assert "only what vqapg wrote is replaced" in capsys.readouterr().err
    assert verdict.read_text() == '{"mine": 1}' and not output.exists()
    verdict.unlink()


def test_people_negatives_need_wrong_answers(world, tmp_path):
    flags = [*CONSISTENCY, "--negatives", "people", *OPTIMIZER, "--save-dir", tmp_path]
    done = fairseq("train", world / "data", *flags, status=2)
    (line,) = [line for line in done.stderr.splitlines() if "--negatives people" in line]
    assert "the data directory has no wrong answers that people wrote; prepare visual7w" in line
