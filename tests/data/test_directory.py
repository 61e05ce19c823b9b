import json
import os

import pytest

from vqapg.data.directory import DataDirectory, Pair
from vqapg.data.directory_writer import our_directory, write_directory
from vqapg.datasets import Record, SourceData
from vqapg.errors import InputError
from vqapg.files import sha256
from vqapg.targets import write_json

RECORDS = [
    Record("b.jpg", "What is THIS?", "A cat", "train"),
    Record("b.jpg", "Is it red?", "No", "train"),
    Record("a.jpg", "Is it big?", "No", "train"),
    Record("v.jpg", "Only in valid?", "Sure", "valid"),
    Record("/abs/t.jpg", "What's this?", "tea", "test"),
    Record("/abs/t.jpg", "Who?", "me", "test"),
]


def _write(path, records=RECORDS, overwrite=False):
    source = SourceData(path.parent / "qa.jsonl", path.parent, records, [])
    return write_directory(path, source, dataset="jsonl", options={}, overwrite=overwrite)


def test_what_is_written_is_read_back(tmp_path):
    manifest = _write(tmp_path / "data")
    data = DataDirectory(str(tmp_path / "data"))
    assert data.pairs("train") == [
        Pair("b.jpg", "what is this ?", "a cat"),
        Pair("b.jpg", "is it red ?", "no"),
        Pair("a.jpg", "is it big ?", "no"),
    ]
    assert data.pairs("test")[0] == Pair("/abs/t.jpg", "what 's this ?", "tea")
    assert data.image_ids("train") == ["b.jpg", "a.jpg"]
    assert data.image_ids() == ["b.jpg", "a.jpg", "v.jpg", "/abs/t.jpg"]
    assert data.image_path("a.jpg") == tmp_path / "a.jpg"
    assert str(data.image_path("/abs/t.jpg")) == "/abs/t.jpg"
    assert data.features_path == tmp_path / "data" / "features.h5"
    assert data.manifest == manifest
    assert manifest["counts"] == {
        "train": {"images": 2, "pairs": 3},
        "valid": {"images": 1, "pairs": 1},
        "test": {"images": 1, "pairs": 2},
    }
    for name, checksum in manifest["sha256"].items():
        assert sha256(data.path / name) == checksum


def test_dictionary_holds_the_train_tokens_by_count_then_alphabet(tmp_path):
    manifest = _write(tmp_path / "data")
    lines = (tmp_path / "data" / "dict.txt").read_text().splitlines()
    assert lines == ("<sep> 3|? 3|is 3|it 2|no 2|a 1|big 1|cat 1|red 1|this 1|what 1".split("|"))
    assert manifest["distinct_tokens"] == 10


def test_fairseq_reads_the_dictionary(tmp_path):
    dictionary = pytest.importorskip("fairseq.data.dictionary")
    _write(tmp_path / "data")
    loaded = dictionary.Dictionary.load(str(tmp_path / "data" / "dict.txt"))
    assert loaded.index("<sep>") == loaded.nspecial
    assert loaded.count[loaded.index("is")] == 3
    assert len(loaded) == loaded.nspecial + 11


def test_an_empty_split_or_text_without_a_token_is_refused(tmp_path):
    for split in ("train", "valid", "test"):
        with pytest.raises(InputError, match=f"the {split} split is empty; give a"):
            _write(tmp_path / "data", [record for record in RECORDS if record.split != split])
    with pytest.raises(InputError, match=r"the answer of a pair of b\.jpg has no token"):
        _write(tmp_path / "data", [*RECORDS, Record("b.jpg", "what?", "\u200b", "train")])
    assert not (tmp_path / "data").exists()


def test_only_a_finished_directory_opens(tmp_path):
    with pytest.raises(InputError, match=r"not a finished data directory .*vqapg prepare"):
        DataDirectory(tmp_path / "none")
    _write(tmp_path / "data")
    (tmp_path / "data" / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"no manifest\.json"):
        DataDirectory(tmp_path / "data")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("dict.txt", None, r"dict\.txt: missing; .*--overwrite"),
        ("valid.answer", None, r"valid\.answer: missing"),
        ("train.question", "one ?\n", "train.image has 3, train.question has 1"),
        ("train.question", "one ?\ntwo ?\nthree ?\nfour", "train.question has 4"),
        ("manifest.json", "{", "broken or cut JSON"),
        ("manifest.json", "[]", "not the manifest of a data directory"),
        ("manifest.json", '{"format": 99}', "format 99"),
    ],
)
def test_a_damaged_directory_does_not_open(tmp_path, name, content, message):
    _write(tmp_path / "data")
    if content is None:
        (tmp_path / "data" / name).unlink()
    else:
        (tmp_path / "data" / name).write_text(content)
    with pytest.raises(InputError, match=message):
        DataDirectory(tmp_path / "data")


def test_a_split_that_was_emptied_and_a_line_that_was(tmp_path):
    _write(tmp_path / "data")
    (tmp_path / "data" / "train.answer").write_text("a\n\nb\n")
    with pytest.raises(InputError, match=r"train\.answer:2: the line is empty"):
        DataDirectory(tmp_path / "data").pairs("train")
    for field in ("image", "question", "answer"):
        (tmp_path / "data" / f"valid.{field}").write_text("")
    with pytest.raises(InputError, match="the valid split is empty"):
        DataDirectory(tmp_path / "data")


def test_digest_tells_images_and_training_images_apart(tmp_path):
    _write(tmp_path / "one")
    same_images = RECORDS[:1] + RECORDS[2:]
    _write(tmp_path / "two", same_images)
    other_split = [
        Record(r.image, r.question, r.answer, "valid" if r.image == "a.jpg" else r.split)
        for r in RECORDS
    ]
    _write(tmp_path / "three", other_split)
    digests = [DataDirectory(tmp_path / name).images_digest() for name in ("one", "two", "three")]
    assert digests[0] == digests[1] != digests[2]


def test_a_stopped_run_leaves_the_old_directory_or_none(tmp_path, monkeypatch):
    replace = os.replace

    def fail_at_dictionary(source, destination):
        if str(destination).endswith("dict.txt"):
            raise KeyboardInterrupt
        replace(source, destination)

    for overwrite in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", fail_at_dictionary)
            with pytest.raises(KeyboardInterrupt):
                _write(tmp_path / "data", overwrite=overwrite)
        assert (tmp_path / "data").exists() == overwrite and not list(tmp_path.glob(".*"))
        if not overwrite:
            _write(tmp_path / "data")
    assert len(DataDirectory(tmp_path / "data").pairs("train")) == 3
    assert not list((tmp_path / "data").glob(".*"))
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_text())
    assert manifest["format"] == 1 and manifest["provenance"]["packages"]["nltk"]


WRONG = [
    Record("b.jpg", "What?", "A cat", "train", ("The DOG", "a cow.", "a  cat", "\u200b", "a cow.")),
    Record("b.jpg", "Who?", "me", "train"),
    Record("v.jpg", "What?", "it", "valid", ("dog",)),
    Record("t.jpg", "What?", "it", "test", ("what 'they' said",)),
    Record("t.jpg", "What?", "it", "test", ("me", "dog")),
]


def test_wrong_answers_are_tokenised_and_read_by_pair(tmp_path):
    manifest = _write(tmp_path / "data", WRONG)
    data = DataDirectory(tmp_path / "data")
    # A repeat, one without a token, and one that reads as the right answer are none.
    assert (data.path / "train.wrong_answers").read_text() == '["the dog", "a cow ."]\n[]\n'
    assert data.wrong_answers("train") == {Pair("b.jpg", "what ?", "a cat"): ("the dog", "a cow .")}
    # Two equal pairs share theirs.
    (of_test,) = data.wrong_answers("test").values()
    assert of_test == ("what ` they ' said", "me", "dog")
    assert manifest["sha256"]["test.wrong_answers"] == sha256(data.path / "test.wrong_answers")
    # The dictionary is that of the pairs.
    assert data.words == {"<sep>", "a", "cat", "what", "who", "?", "me"}
    assert our_directory(data.path) is None


def test_without_wrong_answers_there_is_no_file_for_them(tmp_path):
    _write(tmp_path / "data")
    data = DataDirectory(tmp_path / "data")
    assert data.wrong_answers("train") == {} and not list(data.path.glob("*.wrong_answers"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"train\.wrong_answers: missing"),
        ('["a"]\n', "train.answer has 2, train.wrong_answers has 1"),
        ('["a"]\n{"b": 1}\n', r"train\.wrong_answers:2: is not a list of texts; make it anew"),
        ('["a"]\n[" "]\n', r"train\.wrong_answers:2: is not a list of texts"),
        ('["a"]\n["b"\n', r"train\.wrong_answers:2: broken or cut JSON"),
    ],
)
def test_damaged_wrong_answers_are_named_with_their_line(tmp_path, content, message):
    _write(tmp_path / "data", WRONG)
    path = tmp_path / "data/train.wrong_answers"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(InputError, match=message):
        DataDirectory(tmp_path / "data").wrong_answers("train")


def test_only_our_verdicts_stand_in_a_data_directory(tmp_path):
    _write(tmp_path / "data")
    path = tmp_path / "data/judge-0123456789ab.verdict.json"
    write_json(path, {"verdict": "..."})
    assert our_directory(tmp_path / "data") is None
    path.write_text("{}")
    assert "which vqapg did not write" in our_directory(tmp_path / "data")
