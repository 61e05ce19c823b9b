import errno
import hashlib
import json
import os

import numpy as np
import pytest

from tests.support.handwritten_data import write_features
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.data.pictures import open_rgb


def _jsonl(folder, pairs=(("a", "train"), ("b", "valid"), ("c", "test"))):
    folder.mkdir(exist_ok=True)
    path = folder / "qa.jsonl"
    lines = []
    for name, split in pairs:
        (folder / f"{name}.png").touch()
        lines.append(
            {"image": f"{name}.png", "question": "What is it?", "answer": name, "split": split}
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def _prepare(source, dest, *more):
    return main(
        ["prepare", "--dataset", "jsonl", "--source", str(source), "--dest", str(dest), *more]
    )


def _one_error_line(capsys):
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("vqapg prepare: error: "), error
    return error


def test_prepares_prints_table_2_and_is_done_the_second_time(tmp_path, capsys):
    source, dest = _jsonl(tmp_path / "source"), tmp_path / "deep" / "data"
    assert _prepare(source, dest) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split() for line in printed[:3]] == [
        ["train", "valid", "test"],
        ["images", "1", "1", "1"],
        ["pairs", "1", "1", "1"],
    ]
    assert len({len(line) for line in printed[:3]}) == 1
    assert printed[3] == "dictionary: 5 tokens (train split)"
    assert (dest / "train.question").read_text() == "what is it ?\n"

    before = {path.name: path.stat().st_mtime_ns for path in dest.iterdir()}
    assert _prepare(source, dest) == 0
    assert "already done" in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in dest.iterdir()} == before


def _prepare_scenes(dest, *more):
    counts = ["--max-images", "4", "--max-valid-images", "1", "--max-test-images", "2"]
    return main(["prepare", "--dataset", "scenes", "--dest", str(dest), *counts, *more])


def test_scenes_are_drawn_into_the_data_directory(tmp_path, capsys):
    dest = tmp_path / "data"
    assert _prepare_scenes(dest) == 0
    data = DataDirectory(dest)
    names = sorted(path.relative_to(dest).as_posix() for path in dest.rglob("*.png"))
    assert names == sorted(f"scenes-1/{image}" for image in data.image_ids())
    assert len(names) == 7 and "scenes.json" in data.manifest["sha256"]
    # What is in the file is what was drawn, whatever the encoder.
    stored = json.loads((dest / "scenes.json").read_text())
    pixels = hashlib.sha256()
    for image in stored["scenes"]:
        pixels.update(np.asarray(open_rgb(data.image_path(image))).tobytes())
    assert pixels.hexdigest() == stored["pixels_sha256"]
    digest = data.images_digest()
    dest.rename(tmp_path / "moved")
    moved = DataDirectory(tmp_path / "moved")
    assert moved.image_path(image).is_file() and moved.images_digest() == digest


def test_scenes_are_done_the_second_time_and_replaced(tmp_path, capsys):
    dest = tmp_path / "data"
    assert _prepare_scenes(dest) == 0
    before = (dest / "scenes.json").stat().st_mtime_ns
    assert _prepare_scenes(dest) == 0
    assert "already done" in capsys.readouterr().out
    assert (dest / "scenes.json").stat().st_mtime_ns == before
    assert _prepare_scenes(dest, "--seed", "2") == 2
    assert "give another --dest, or --overwrite" in _one_error_line(capsys)
    # Features are of the images of the other seed.
    write_features(dest, digest=DataDirectory(dest).images_digest())
    assert _prepare_scenes(dest, "--seed", "2", "--overwrite") == 0
    assert not (dest / "features.h5").exists()
    assert [path.name for path in (dest / "scenes-1").iterdir()] == ["seed-2"]


def test_foreign_file_among_scenes_is_not_deleted(tmp_path, capsys):
    dest = tmp_path / "data"
    assert _prepare_scenes(dest) == 0
    (dest / "scenes-1/seed-1/train/mine.png").touch()
    assert _prepare_scenes(dest, "--seed", "2", "--overwrite") == 2
    assert "holds scenes-1/seed-1/train/mine.png, which vqapg" in capsys.readouterr().err
    assert (dest / "scenes-1/seed-1/train/0001.png").exists()


def test_another_source_needs_overwrite(tmp_path, capsys):
    first, second, dest = _jsonl(tmp_path / "one"), _jsonl(tmp_path / "two"), tmp_path / "data"
    assert _prepare(first, dest) == 0
    capsys.readouterr()
    assert _prepare(second, dest) == 2
    error = _one_error_line(capsys)
    assert str(first) in error and "another --dest, or --overwrite" in error
    assert _prepare(second, dest, "--overwrite") == 0
    assert json.loads((dest / "manifest.json").read_text())["source"] == str(second)


def test_a_source_that_changed_is_noticed(tmp_path, capsys):
    source, dest = _jsonl(tmp_path / "source"), tmp_path / "data"
    assert _prepare(source, dest) == 0
    source.write_text(source.read_text().replace("What", "Who"))
    capsys.readouterr()
    assert _prepare(source, dest) == 2
    assert "was changed since" in _one_error_line(capsys)


def test_other_options_need_overwrite(tmp_path, capsys):
    dest, drawings = tmp_path / "data", tmp_path / "easy-vqa"
    for part in ("train", "test"):
        (drawings / part / "images").mkdir(parents=True)
        for number in range(10):
            (drawings / part / "images" / f"{number}.png").touch()
        questions = [["what is it?", "a circle", number] for number in range(10)]
        (drawings / part / "questions.json").write_text(json.dumps(questions))
    command = ["prepare", "--dataset", "easy-vqa", "--source", str(drawings), "--dest", str(dest)]
    assert main(command) == 0
    assert ["images", "9", "1", "10"] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]
    assert main([*command, "--seed", "2"]) == 2
    assert "--seed 1" in _one_error_line(capsys)
    assert _prepare(_jsonl(tmp_path / "source"), dest) == 2
    assert "holds easy-vqa" in _one_error_line(capsys)


def test_a_lost_file_is_noticed(tmp_path, capsys):
    source, dest = _jsonl(tmp_path / "source"), tmp_path / "data"
    assert _prepare(source, dest) == 0
    (dest / "test.answer").unlink()
    capsys.readouterr()
    assert _prepare(source, dest) == 2
    assert "test.answer: missing" in _one_error_line(capsys)


def test_unusable_features_do_not_outlive_the_images_they_are_of(tmp_path, capsys):
    dest = tmp_path / "data"
    assert _prepare(_jsonl(tmp_path / "one"), dest) == 0
    write_features(dest)
    assert _prepare(_jsonl(tmp_path / "two"), dest, "--overwrite") == 0
    assert "removed" in capsys.readouterr().out
    assert not (dest / "features.h5").exists()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            (("a", "train"), ("b", "test")),
            "the valid split is empty; relabel some lines (all lines of some of the images) "
            'as "split": "valid"',
        ),
        (
            (("a", "train"), ("b", "test"), ("a", "valid")),
            "qa.jsonl:3: the image a.png is in valid here",
        ),
        ((("a", "train"), ("b", "dev")), "qa.jsonl:2: "),
        ((), "the file is empty"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, capsys, pairs, message):
    assert _prepare(_jsonl(tmp_path / "source", pairs), tmp_path / "data") == 2
    assert message in _one_error_line(capsys)
    assert not (tmp_path / "data").exists()


def test_bad_destinations_and_sources(tmp_path, capsys):
    source = _jsonl(tmp_path / "source")
    assert _prepare(source, source) == 2
    assert "is a file" in _one_error_line(capsys)
    assert _prepare(tmp_path / "none.jsonl", tmp_path / "data") == 2
    assert "no such file" in _one_error_line(capsys)
    assert main(["prepare", "--dataset", "jsonl", "--dest", str(tmp_path / "data")]) == 2
    assert "--source FILE.jsonl" in _one_error_line(capsys)
    assert _prepare(source, source / "below") == 2
    assert "give another --dest" in _one_error_line(capsys)


def test_a_full_disk_is_one_line_and_exit_status_1(tmp_path, capsys, monkeypatch):
    def full(*inputs, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "data")

    source = _jsonl(tmp_path / "source")
    for function, name in (
        ("os.fsync", f"{tmp_path / 'data/train.image'}"),
        ("os.mkdir", f"{tmp_path / 'os.mkdir/data'}"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(function, full)
            assert (
                _prepare(
                    source,
                    tmp_path / function / "data" if function == "os.mkdir" else tmp_path / "data",
                )
                == 1
            )
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert error.startswith(
            f"vqapg prepare: failed: {name}: cannot be written (No space left on device); make room"
        )
    assert not (tmp_path / "data").exists() and not list(tmp_path.glob(".*"))
    assert _prepare(source, tmp_path / "data") == 0
