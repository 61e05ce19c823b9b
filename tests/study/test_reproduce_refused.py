"""What `vqapg reproduce` refuses, in one line and before it writes or starts anything."""

import importlib.util
import os

import pytest

from tests.support.study_runs import RUN, TABLE_4
from vqapg.cli.main import main
from vqapg.study.plan import read_plan
from vqapg.study.recipes import Recipes
from vqapg.study.settings import configs_dir
from vqapg.study.study_file import Study, write_study


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """refused(words) -> the lines that the command prints when it refuses them."""

    def started(*_):
        raise AssertionError("Snakemake was started")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execve", started)

    def refused(*words):
        assert main(["reproduce", *words]) == 2
        out, err = capsys.readouterr()
        return [*out.splitlines(), *err.splitlines()]

    return refused


@pytest.fixture
def begun(tmp_path):
    """begun([digest]): a study of easy-vqa by preset small stands in its usual folder."""
    study = Study("easy-vqa", "small", settings_of="easy_vqa")
    recipes = Recipes(study, read_plan(configs_dir() / "study.yaml"), [1], gpus=0)

    def begun(digest=None):
        folder = tmp_path / RUN
        folder.mkdir(parents=True)
        digest = digest or recipes.digest()
        write_study(folder, study, digest, seeds=[1], device="CPU", settings={})

    return begun


@pytest.mark.parametrize(
    "words, error",
    [
        (("vqa3",), "vqa3: there is no such data set; did you mean vqa2? Give vqa2, visual7w, "),
        (("visaul7w", "--source", "x"), "visaul7w: there is no such data set; did you mean visual"),
        (("empty",), "empty: is neither a data set (vqa2, visual7w, easy-vqa, scenes) nor a data"),
        (("easy-vqa", "--only", "table11"), "--only table11: is no table or figure of the plan;"),
        (("easy-vqa", "--seeds", "1 b"), '--seeds "1 b": give whole numbers, such as'),
        (("easy-vqa", "--seeds", "1 1"), '--seeds "1 1": has one twice; name each once'),
        (("easy-vqa", "--cpu", "--cores", "0"), "--cores 0: must be at least 1"),
        (("vqa2",), "vqa2 reads a folder: name it with --source FOLDER, holding"),
        (("visual7w", "--source", "empty"), "dataset_v7w_telling.json: missing; get it at"),
        (("easy-vqa", "--preset", "paper"), "preset paper begins with GloVe vectors; name them"),
        (("easy-vqa", "--glove", "none.txt"), "--glove none.txt: there is no such file;"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_missing_is_one_line(refused, tmp_path, words, error):
    (tmp_path / "empty").mkdir()
    _, line = refused(*words, *([] if "--cpu" in words else ["--cpu"]))
    assert line.startswith("vqapg reproduce: error: ") and error in line
    assert not (tmp_path / "runs").exists()


def test_other_settings_in_a_standing_folder_are_refused(refused, begun):
    begun()
    assert refused("easy-vqa", "optimization.max_epoch=2", *TABLE_4[1:])[1:] == [
        f"vqapg reproduce: error: {RUN}: was made with changes [], not "
        '["optimization.max_epoch=2"]; give another --dest, or remove that folder'
    ]


def test_changed_preset_in_a_standing_folder_is_refused(refused, begun):
    begun("of an earlier version")
    [line] = refused(*TABLE_4)[1:]
    assert "was made with other settings of preset small; give another --dest" in line


def test_standing_folder_of_the_same_settings_is_continued(refused, begun):
    """The two above are refused for what they say."""
    begun()
    with pytest.raises(AssertionError, match="Snakemake was started"):
        refused(*TABLE_4)


def test_missing_engine_says_how_to_get_it(refused, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "snakemake" else find(name)
    )
    assert refused("easy-vqa")[1:] == [
        'vqapg reproduce: error: Snakemake is missing; install it: pip install "vqapg[study]"'
    ]
