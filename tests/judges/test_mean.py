import json
from types import SimpleNamespace

import numpy as np
import pytest

import vqapg
from tests.support.handwritten_data import write_data
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple, make_judge, names_within
from vqapg.judges.mean import MeanJudge, calibrate, mean_judge, mean_of_told
from vqapg.judges.platt import Calibration

YES_MAN = "tests.support.judges:YesMan"
AS_IT_IS = Calibration(1.0, 0.0, 10)
# The valid split has as many right pairs that say yes as no.
VALID = [
    (f"{number}.png", f"is it {colour} ?", answer)
    for number in range(12)
    for colour, answer in (("red", "yes"), ("blue", "no"), ("green", "yes"), ("grey", "no"))
]
PAIRS = [
    ("test.png", "is it red ?", "yes"),
    ("test.png", "is it blue ?", "no"),
    ("test.png", "why ?", "so"),
]


def judge_of(name, answers):
    """A judge that goes by the answer alone."""
    return SimpleNamespace(
        name=name,
        identity={"judge": name},
        score=lambda triples: np.array([answers.get(triple.answer, np.nan) for triple in triples]),
    )


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "DATA", VALID, split="valid")


def test_mean_is_over_the_judges_that_can_tell():
    scores = np.array([[0.2, np.nan, 0.4, np.nan], [0.6, 0.5, np.nan, np.nan]])
    np.testing.assert_array_equal(mean_of_told(scores), [0.4, 0.5, 0.4, np.nan])


def test_each_judge_is_calibrated_before_the_mean():
    judges = [judge_of("a", {"yes": 0.5, "no": 0.75}), judge_of("b", {"yes": 0.5})]
    mean = MeanJudge(judges, [Calibration(2.0, 0.0, 10), Calibration(1.0, np.log(3), 10)])
    triples = [Triple("a.png", "is it ?", answer) for answer in ("yes", "no", "so")]
    np.testing.assert_allclose(
        mean.each(triples), [[0.5, 0.9, np.nan], [0.75, np.nan, np.nan]], atol=1e-9
    )
    np.testing.assert_allclose(mean.score(triples), [0.625, 0.9, np.nan])


def test_name_changes_with_judges_and_calibrations():
    a, b = judge_of("a", {}), judge_of("b", {})
    names = {
        MeanJudge([a], [AS_IT_IS]).name,
        MeanJudge([b], [AS_IT_IS]).name,
        MeanJudge([a, b], [AS_IT_IS, AS_IT_IS]).name,
        MeanJudge([a], [Calibration(1.0, 0.5, 10)]).name,
    }
    assert len(names) == 4
    identity = MeanJudge([a], [AS_IT_IS]).identity
    assert identity["judges"][0]["calibration"] == {
        "slope": 1.0,
        "offset": 0.0,
        "n": 10,
        "negatives": "",
    }
    with pytest.raises(ValueError, match="0 judges and 0 calibrations"):
        MeanJudge([], [])


def test_names_within_a_mean_are_those_of_its_judges():
    a, b = judge_of("a", {}), judge_of("b", {})
    assert names_within(MeanJudge([a, b], [AS_IT_IS, AS_IT_IS])) == [a.name, b.name]
    assert names_within(a) == [a.name]


def test_calibration_is_on_valid_pairs_and_their_negatives(data):
    asked = []

    def score(triples):
        asked.extend(map(tuple, triples))
        return np.array([0.9 if tuple(triple) in VALID else 0.4 for triple in triples])

    judge = SimpleNamespace(name="knows", identity={}, score=score)
    found = calibrate(judge, DataDirectory(data))
    assert set(VALID) <= set(asked) and len(set(asked) - set(VALID)) >= 40
    right, wrong = found(np.array([0.9, 0.4]))
    # Platt's labels of 48 pairs and 48 negatives, less those that the negatives repeat.
    assert found.n == 96 and right > 0.97 and wrong < 0.03 and found.negatives == "hard"


def write_people(tmp_path, images):
    """A data directory of so many images; people wrote wrong answers to two questions of four."""
    valid = [
        (f"{n}.png", question, answer) for n in range(images) for _, question, answer in VALID[:4]
    ]
    folder = write_data(tmp_path / "PEOPLE", valid, split="valid")
    # The dictionary has "red" of a question, and no zebra.
    written = dict(
        zip([question for _, question, _ in VALID], [["red", "zebra"], ["grey", "blue"]])
    )
    lines = [written.get(question, []) for _, question, _ in valid]
    (folder / "valid.wrong_answers").write_text("".join(json.dumps(one) + "\n" for one in lines))
    for split in ("train", "test"):
        (folder / f"{split}.wrong_answers").write_text("[]\n")
    return folder, valid


def test_calibration_is_on_wrong_answers_of_people(tmp_path):
    folder, valid = write_people(tmp_path, 50)
    asked = []

    def score(triples):
        asked.extend(map(tuple, triples))
        return np.array([0.9 if tuple(triple) in valid else 0.4 for triple in triples])

    judge = SimpleNamespace(name="knows", identity={}, score=score)
    found = calibrate(judge, DataDirectory(folder))
    # 100 pairs have wrong answers that people wrote. The others take no part.
    assert found.negatives == "people" and found.n == 200
    right, wrong = set(asked) & set(valid), set(asked) - set(valid)
    assert right == {one for one in valid if "red" in one[1] or "blue" in one[1]}
    assert {(question, answer) for _, question, answer in wrong} == {
        ("is it red ?", "red"),
        ("is it blue ?", "grey"),
        ("is it blue ?", "blue"),
    }
    assert {image for image, _, _ in wrong} == {image for image, _, _ in valid}


def test_too_few_wrong_answers_of_people_are_not_used(tmp_path):
    folder, _ = write_people(tmp_path, 49)
    assert calibrate(judge_of("a", {"yes": 0.9, "no": 0.2}), DataDirectory(folder)).negatives == (
        "hard"
    )


def test_a_judge_that_ignores_the_image_ends_near_the_share(data):
    found = calibrate(judge_of("yes", {"yes": 0.99, "no": 0.01}), DataDirectory(data))
    assert ((found(np.array([0.99, 0.01])) > 0.3) & (found(np.array([0.99, 0.01])) < 0.7)).all()


def test_spec_names_judges_and_the_data_that_calibrates(data):
    context = JudgeContext(DataDirectory(data), "test")
    judge = make_judge(f"mean:{YES_MAN},{YES_MAN}:so", context)
    assert [one.name for one in judge.judges] == ["yes man:", "yes man:so"]
    # Where there are only pictures, the data directory is named.
    pictures = JudgeContext(open_picture=lambda name: None)
    other = mean_judge(f"{YES_MAN},{YES_MAN}:so,data={data}", pictures)
    assert other.calibrations == judge.calibrations and other.name == judge.name


@pytest.mark.parametrize(
    "argument, message",
    [
        ("", "--judge mean: names the judges to average"),
        ("data=DATA", "--judge mean: names the judges to average"),
        (YES_MAN, "--judge mean: here are only pictures, and judges are calibrated on a data"),
        (f"{YES_MAN},data=none", "none: not a finished data directory"),
    ],
)
def test_a_mean_that_is_none_is_one_line(argument, message):
    with pytest.raises(InputError) as error:
        mean_judge(argument, JudgeContext(open_picture=lambda name: None))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_several_judges_of_evaluate_are_averaged(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    pairs = tmp_path / "pairs.jsonl"
    lines = [json.dumps(dict(zip(("image", "question", "answer"), pair))) for pair in PAIRS]
    pairs.write_text("\n".join(lines))
    output = tmp_path / "metrics.json"
    command = ["evaluate", data, "--pairs", pairs, "--output", output]
    judges = ["--judge", YES_MAN, "--judge", f"{YES_MAN}:so"]
    assert main([str(word) for word in [*command, *judges]]) == 0
    metrics = json.loads(output.read_text())
    assert metrics["judge"]["judge"] == "mean" and len(metrics["judge"]["judges"]) == 2
    agreement = metrics["judges_agreement"]
    assert agreement["pairs"][0]["agreed"] == {"value": 1.0, "n": 2}
    assert "yes man: and yes man:so agree on 100.0% of 2 triples" in capsys.readouterr().out
    spec = f"mean:{YES_MAN},{YES_MAN}:so"
    scores = vqapg.score(data, PAIRS, judge=spec)
    assert metrics["mean_score"]["value"] == pytest.approx(scores.mean())
    # One judge is not calibrated.
    assert main([str(word) for word in [*command, "--overwrite", *judges[:2]]]) == 0
    assert json.loads(output.read_text())["judges_agreement"] is None


@pytest.mark.parametrize(
    "judges, message",
    [
        (["vqa:none.pt", YES_MAN], "--judge vqa: none.pt: there is no such file"),
        (["mean:vqa:none.pt"], "--judge vqa: none.pt: there is no such file"),
        (["evaluator:none.pt", YES_MAN], "--judge evaluator: none.pt: there is no such file"),
        ([YES_MAN, f"{YES_MAN}:a,b"], "has a comma, which stands between judges"),
    ],
)
def test_judges_that_cannot_be_averaged_are_one_line(data, tmp_path, capsys, judges, message):
    (tmp_path / "pairs.jsonl").write_text("")
    flags = [word for judge in judges for word in ("--judge", judge)]
    rest = ["--pairs", f"{tmp_path}/pairs.jsonl", "--output", f"{tmp_path}/metrics.json"]
    assert main(["evaluate", str(data), *rest, *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_blind_checkpoint_of_a_vqa_judge_is_looked_for(data, tmp_path, capsys):
    (tmp_path / "seeing.pt").touch()
    (tmp_path / "pairs.jsonl").write_text("")
    spec = f"vqa:{tmp_path}/seeing.pt?blind={tmp_path}/none.pt"
    rest = ["--pairs", f"{tmp_path}/pairs.jsonl", "--output", f"{tmp_path}/metrics.json"]
    assert main(["evaluate", str(data), *rest, "--judge", spec]) == 2
    assert f"--judge vqa: blind {tmp_path}/none.pt: there is no such" in capsys.readouterr().err
