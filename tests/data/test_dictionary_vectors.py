import pytest

from tests.support.handwritten_data import write_data
from vqapg.data.dictionary_vectors import dictionary_counts, pick_vectors
from vqapg.data.directory import DataDirectory
from vqapg.data.directory_writer import our_directory
from vqapg.data.word_vectors import read_vectors
from vqapg.errors import ExistsError, InputError

GLOVE = "the 1 2 3\ncircle 0.1 -0.25 1e-05\nblue 7 8 9\ncirclet 0 0 0\n"


@pytest.fixture
def data(tmp_path):
    write_data(tmp_path / "DATA", [("a.png", "what is the blue shape ?", "circle")])
    lines = "<sep> 9\nthe 6\nblue 3\nvermillion 2\ncircle 1\n"
    (tmp_path / "DATA/dict.txt").write_text(lines)
    (tmp_path / "glove.txt").write_text(GLOVE)
    return DataDirectory(tmp_path / "DATA")


def test_words_of_the_dictionary_are_written_in_its_order(data, tmp_path):
    picked = pick_vectors(data, tmp_path / "glove.txt")
    assert picked.path == data.path / "glove.3d.txt" and picked.width == 3
    assert picked.path.read_text() == (
        "vqapg-word-vectors 3\nthe 1.0 2.0 3.0\nblue 7.0 8.0 9.0\ncircle 0.1 -0.25 1e-05\n"
    )
    assert picked.coverage == (4, 3, 12, 10)


def test_embeddings_read_the_same_float32_numbers(data, tmp_path):
    words = {"the", "blue", "circle"}
    expected, _ = read_vectors(tmp_path / "glove.txt", words)
    found, width = read_vectors(pick_vectors(data, tmp_path / "glove.txt").path, words)
    assert width == 3 and found.keys() == expected.keys() == words
    assert all((found[word] == expected[word]).all() for word in words)


def test_picked_again_from_its_own_output_is_the_same(data, tmp_path):
    first = pick_vectors(data, tmp_path / "glove.txt").path
    again = pick_vectors(data, first, output=tmp_path / "again.txt").path
    assert again.read_bytes() == first.read_bytes()


def test_directory_with_vectors_is_still_ours(data, tmp_path):
    (data.path / "manifest.json").write_text('{"format": 1, "vqapg_version": "0.1"}')
    assert our_directory(data.path) is None
    path = pick_vectors(data, tmp_path / "glove.txt").path
    assert our_directory(data.path) is None
    path.write_text(GLOVE)
    assert our_directory(data.path) == "holds glove.3d.txt, which vqapg did not write"


def test_existing_vectors_are_replaced_with_overwrite_only(data, tmp_path):
    path = pick_vectors(data, tmp_path / "glove.txt").path
    (tmp_path / "glove.txt").write_text(GLOVE.replace("7 8 9", "9 9 9"))
    with pytest.raises(ExistsError, match="glove.3d.txt: is there already"):
        pick_vectors(data, tmp_path / "glove.txt")
    assert "blue 7.0 8.0 9.0" in path.read_text()
    pick_vectors(data, tmp_path / "glove.txt", overwrite=True)
    assert "blue 9.0 9.0 9.0" in path.read_text()
    path.write_text(GLOVE)
    with pytest.raises(InputError, match="was not written by vqapg"):
        pick_vectors(data, tmp_path / "glove.txt", overwrite=True)
    assert path.read_text() == GLOVE


def test_what_is_read_is_not_written_to(data, tmp_path):
    path = pick_vectors(data, tmp_path / "glove.txt").path
    with pytest.raises(InputError, match="is the file that is read"):
        pick_vectors(data, path, overwrite=True)
    assert path.read_text().startswith("vqapg-word-vectors 3\n")


@pytest.mark.parametrize(
    "dim, glove, message",
    [
        (4, GLOVE, "its vectors are 3 wide, not 4; give another file, or --dim 3"),
        (0, GLOVE, "--dim 0: must be 2 or more"),
        (3, "rouge 1 2 3\n", "has a vector of no word of .*dict.txt; is it of another language"),
    ],
)
def test_unfit_vectors_are_refused(data, tmp_path, dim, glove, message):
    (tmp_path / "glove.txt").write_text(glove)
    with pytest.raises(InputError, match=message):
        pick_vectors(data, tmp_path / "glove.txt", dim=dim)
    assert not list(data.path.glob("*glove*"))


def test_missing_glove_is_told_with_how_to_get_it(data, tmp_path):
    address = "https://nlp.stanford.edu/data/glove.6B.zip"
    with pytest.raises(InputError, match=f"--vectors .*No such file.*; get it with: .* {address}"):
        pick_vectors(data, tmp_path / "none.zip")


@pytest.mark.parametrize("line", ["blue", "blue x", "blue -1", " 3", ""])
def test_broken_dictionary_is_named_by_line(data, line):
    data.dictionary_path.write_text(f"<sep> 3\nred 1\n{line}\nteal 1\n")
    with pytest.raises(InputError, match=r"dict\.txt:3: not a word and its count"):
        dictionary_counts(data)
