"""No command deletes or replaces what vqapg did not write; a replacement is whole."""

import json
import os
import shutil
import signal
import subprocess
from types import SimpleNamespace

import pytest

from tests.support.handwritten_data import write_data, write_features
from vqapg.cli.main import main
from vqapg.errors import ExistsError, InputError
from vqapg.export import FORMATS
from vqapg.export.gallery import our_page
from vqapg.export.outputs import format_named, write_records
from vqapg.files import working_name
from vqapg.folders import MARK, new_folder, our_folder
from vqapg.targets import check_target, is_free, our_features, our_json, real_path

GOLD = [("a.png", "what is this ?", "a cat"), ("b.png", "why ?", "yes")]
GENERATED = "H-1\t-0.5\twhat 's this ? <sep> a cat\nH-0\t-2\twhy not ? <sep> no\n"


@pytest.fixture
def data(tmp_path):
    folder = write_data(tmp_path / "DATA", GOLD)
    (tmp_path / "images").mkdir()
    (tmp_path / "generate-test.txt").write_text(GENERATED)
    for image in ("a.png", "b.png"):
        from PIL import Image

        Image.new("RGB", (9, 9)).save(tmp_path / "images" / image)
    manifest = json.loads((folder / "manifest.json").read_text()) | {
        "image_root": str(tmp_path / "images")
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def state(folder):
    """Every file below *folder* with its bytes; links with where they lead."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def export(data, output, *more, format="jsonl"):
    words = [
        "export",
        data.parent / "generate-test.txt",
        "--data",
        data,
        "--format",
        format,
        "--output",
        output,
    ]
    return main([str(word) for word in [*words, *more]])


def commands(data, folder, output):
    """Each command that writes a file or folder of its own, with *output* as its target."""
    pairs, study = str(data.parent / "generate-test.txt"), folder / "study"
    if not study.exists():
        (study / "data").mkdir(parents=True)
        counts = {split: {"images": 1, "pairs": 1} for split in ("train", "valid", "test")}
        (study / "data/manifest.json").write_text(
            json.dumps({"format": 1, "dataset": "jsonl", "counts": counts})
        )
        line = '{{"image": "{}.png", "question": "what?", "answer": "it", "split": "{}"}}\n'
        for name in "abc":
            (folder / f"{name}.png").touch()
        rows = zip("abc", ("train", "valid", "test"), strict=True)
        (folder / "qa.jsonl").write_text("".join(line.format(name, split) for name, split in rows))
    return {
        "evaluate": ["evaluate", data, "--pairs", pairs, "--output", output],
        "score": [
            *["score", data, "--pairs", pairs, "--output", output],
            *["--judge", "tests.support.judges:YesMan"],
        ],
        "overlap": ["overlap", data, "--pairs", pairs, "--of", "answer", "--output", output],
        "export jsonl": ["export", pairs, "--data", data, "--format", "jsonl", "--output", output],
        "export csv": ["export", pairs, "--data", data, "--format", "csv", "--output", output],
        "export imagefolder": [
            "export",
            pairs,
            "--data",
            data,
            "--format",
            "imagefolder",
            "--output",
            output,
        ],
        "report": ["report", study, "--output", output],
        "report --table-10": ["report", "--table-10", "--output", output],
        "prepare": [
            "prepare",
            "--dataset",
            "jsonl",
            "--source",
            folder / "qa.jsonl",
            "--dest",
            output,
        ],
    }


FOLDERS = ("export imagefolder", "report", "prepare")
NAMES = [
    "evaluate",
    "score",
    "overlap",
    "export jsonl",
    "export csv",
    "export imagefolder",
    "report",
    "report --table-10",
    "prepare",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_keeps_what_is_not_ours(data, tmp_path, capsys, monkeypatch, name):
    if name == "report --table-10":
        counts = {"words": 1, "channels": 1, "parameters": {}}
        monkeypatch.setattr("vqapg.reports.parameters.count_all", lambda: counts)
    output = tmp_path / "mine"
    command = [str(word) for word in commands(data, tmp_path, output)[name]]
    if name in FOLDERS:
        (output / "holiday").mkdir(parents=True)
        (output / "holiday/1.jpg").write_bytes(b"my photograph")
    else:
        output.write_text('{"mine": 1}\n')
    before = state(tmp_path)
    for flags in ([], ["--overwrite"]):
        assert main([*command, *flags]) == 2
        (line,) = capsys.readouterr().err.splitlines()[-1:]
        assert (
            "mine: " in line
            and "and only what vqapg wrote is replaced; move or delete it yourself" in line
        )
        assert state(tmp_path) == before


@pytest.mark.parametrize("name", NAMES)
def test_every_command_replaces_its_own_with_overwrite_only(
    data, tmp_path, capsys, monkeypatch, name
):
    if name == "report --table-10":
        counts = {"words": 1, "channels": 1, "parameters": {}}
        monkeypatch.setattr("vqapg.reports.parameters.count_all", lambda: counts)
        monkeypatch.setattr(
            "vqapg.reports.other_tables.table_10", lambda *inputs: SimpleNamespace(markdown=str)
        )
    output = tmp_path / "mine"
    command = [str(word) for word in commands(data, tmp_path, output)[name]]
    assert main(command) == 0
    before = state(tmp_path)
    capsys.readouterr()
    if name == "prepare":  # which is done already, and says so
        assert main(command) == 0
    else:
        assert main(command) == 2
        assert (
            "mine: is there already; give another name, or --overwrite" in capsys.readouterr().err
        )
    assert state(tmp_path) == before
    assert main([*command, "--overwrite"]) == 0
    assert state(tmp_path) == before and not list(tmp_path.glob(".*"))
    if name in FOLDERS:
        (output / "notes.txt").write_text("mine")
        assert main([*command, "--overwrite"]) == 2
        assert "holds notes.txt, which vqapg did not write" in capsys.readouterr().err
        assert (output / "notes.txt").read_text() == "mine"


def test_what_is_written_is_what_is_recognised(tmp_path):
    images = [SimpleNamespace(name="a.png", read=lambda: b"")]
    shared = {"image": "a.png", "question": "what?", "answer": "a, b", "score": -0.5}
    sampled = {"seed": 1, "draw": 0, "model": "m"}
    number = 0
    for record in (
        {"id": 1} | shared,
        {"id": 1} | shared | {"consistency": 0.5},
        shared | sampled,
        shared | {"consistency": 0.5} | sampled,
    ):
        for format in ("jsonl", "csv", "vqa2"):
            number += 1
            path = tmp_path / str(number)
            write_records(path, format, [record], images)
            for written in tmp_path.glob(f"{number}*"):
                assert format_named(format).recognise(written) is None, written
                if format != "vqa2":
                    assert our_json(written)
    empty = tmp_path / "empty.csv"
    write_records(empty, "csv", [], images)
    assert format_named("csv").recognise(empty) is None
    page = tmp_path / "page.html"
    from importlib import resources

    page.write_text(resources.files("vqapg.export").joinpath("gallery.html").read_text())
    assert our_page(page) is None
    assert our_features(write_features(tmp_path)) is None


@pytest.mark.parametrize(
    "content",
    [
        b'{"image": "a.jpg", "question": "q", "answer": "a", "split": "train"}\n',
        b"[1, 2]\n",
        b"no JSON",
        b"[" * 100_000,
        b'{"versions": 3}',
        b'{"versions": {"other": 1}}',
        b"\x00\xff\n",
        b"image,question,answer\n",
        b"\x89HDF\r\n\x1a\n",
        b'<meta name="generator" content="other">',
        b'{"info": {"description": "VQA v2.0"}}',
        b'{"vqapg_version": NaN}',
        b'{"vqapg_version": "1", "vqapg_version": "2"}',
    ],
)
def test_no_recogniser_takes_a_strangers_file(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    formats = [format_named(name).recognise for name in FORMATS.names()]
    for recognise in (*formats, our_json, our_page, our_features):
        assert recognise(path), recognise
        with pytest.raises(InputError, match="and only what vqapg wrote is replaced"):
            check_target(path, recognise, overwrite=True)


@pytest.mark.parametrize("files", ["photo.jpg", [["photo.jpg"]], [{}], None, 3])
def test_mark_of_another_form_names_no_file(tmp_path, files):
    (tmp_path / MARK).write_text(json.dumps({"vqapg_version": "1", "files": files}))
    (tmp_path / "photo.jpg").write_text("mine")
    assert our_folder(tmp_path) == "holds photo.jpg, which vqapg did not write"


def test_an_empty_file_or_folder_counts_as_nothing(data, tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    assert export(data, tmp_path / "empty") == 0 and (tmp_path / "empty").stat().st_size
    assert (
        export(data, tmp_path / "folder", format="imagefolder") == 0
        and our_folder(tmp_path / "folder") is None
    )


def test_a_link_stays_and_its_target_is_looked_at(data, tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("my letter")
    (tmp_path / "out").symlink_to("letter.txt")
    assert export(data, tmp_path / "out", "--overwrite") == 2
    assert "letter.txt: was not written by vqapg" in capsys.readouterr().err
    assert (tmp_path / "letter.txt").read_text() == "my letter"
    (tmp_path / "disk").mkdir()
    (tmp_path / "to-disk").symlink_to("disk/pairs.jsonl")  # of a file that is not there yet
    assert export(data, tmp_path / "to-disk") == 0
    assert (tmp_path / "to-disk").is_symlink() and (
        tmp_path / "disk/pairs.jsonl"
    ).read_text().count("\n") == 2
    (tmp_path / "round").symlink_to("round")
    assert export(data, tmp_path / "round") == 2
    assert "round: " in capsys.readouterr().err
    assert real_path(tmp_path / "letter.txt") == tmp_path / "letter.txt"


@pytest.mark.parametrize("moment", ["writing", "old aside", "new in place"])
def test_a_kill_leaves_the_old_or_the_new_folder(tmp_path, moment):
    path = tmp_path / "out"
    with new_folder(path) as folder:
        (folder / "file").write_text("old")
    process = os.fork()
    if process == 0:
        rename = os.rename

        def rename_and_die(source, target):
            rename(source, target)
            if (str(target) == str(path)) == (moment == "new in place"):
                os.kill(os.getpid(), signal.SIGKILL)

        os.rename = rename_and_die
        with new_folder(path, overwrite=True) as folder:
            (folder / "file").write_text("new")
            if moment == "writing":
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    os.waitpid(process, 0)
    if moment != "old aside":  # else there is nothing for a moment, until the next run
        assert (path / "file").read_text() == ("new" if moment == "new in place" else "old")
    try:
        with new_folder(path):
            pass
    except ExistsError:
        pass
    assert (path / "file").read_text() == ("new" if moment == "new in place" else "old")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["out"]


def test_a_failed_run_keeps_the_old_folder(tmp_path):
    path = tmp_path / "out"
    with new_folder(path) as folder:
        (folder / "file").write_text("old")
    with pytest.raises(ZeroDivisionError), new_folder(path, overwrite=True) as folder:
        (folder / "file").write_text("new")
        1 / 0
    assert state(tmp_path) == {"out/file": b"old", f"out/{MARK}": (path / MARK).read_bytes()}


def test_a_folder_made_meanwhile_is_kept(tmp_path):
    path = tmp_path / "out"
    with (
        pytest.raises(InputError, match="out: was not written by vqapg"),
        new_folder(path, overwrite=True) as folder,
    ):
        (folder / "file").write_text("ours")
        path.mkdir()
        (path / "file").write_text("mine")
    assert state(tmp_path) == {"out/file": b"mine"}


def test_left_over_folders_are_known_by_name_and_mark(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    path = tmp_path / "out"
    name = working_name(path).name.rpartition("-")[0] + f"-{ended.pid}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "1.jpg").write_bytes(b"mine")
    for other in (".out.partial-77", "out.partial", ".out.vqapg-elsewhere-1"):
        (tmp_path / other).mkdir()
        (tmp_path / other / "1.jpg").write_bytes(b"mine")
    before = state(tmp_path)
    with new_folder(path):
        pass
    shutil.rmtree(path)
    assert state(tmp_path) == before
    (tmp_path / name / MARK).write_text('{"vqapg_version": "0.1.0", "files": []}')
    with new_folder(path):
        pass
    assert not (tmp_path / name).exists() and (tmp_path / "out.partial").exists()


def test_prepare_overwrite_that_fails_keeps_the_finished_directory(tmp_path, monkeypatch, capsys):
    command = [
        str(word) for word in commands(tmp_path / "D", tmp_path, tmp_path / "dest")["prepare"]
    ]
    assert main(command) == 0
    before = state(tmp_path)

    def full(*files):
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert main([*command, "--overwrite"]) == 1
    assert state(tmp_path) == before and not list(tmp_path.glob(".*"))
    (tmp_path / "qa.jsonl").write_text("broken\n")
    assert main([*command, "--overwrite"]) == 2
    (tmp_path / "qa.jsonl").write_bytes(before["qa.jsonl"])
    assert state(tmp_path) == before


def test_prepare_overwrite_keeps_features_of_the_same_images(tmp_path, capsys):
    from vqapg.data.directory import DataDirectory

    command = [
        str(word) for word in commands(tmp_path / "D", tmp_path, tmp_path / "dest")["prepare"]
    ]
    assert main(command) == 0
    data = DataDirectory(tmp_path / "dest")
    features = write_features(
        data.path, ids=data.image_ids(), digest=data.images_digest()
    ).read_bytes()
    assert main([*command, "--overwrite"]) == 0
    assert data.features_path.read_bytes() == features
    (tmp_path / "d.png").touch()
    with open(tmp_path / "qa.jsonl", "a") as file:
        file.write('{"image": "d.png", "question": "what?", "answer": "it", "split": "test"}\n')
    assert main([*command, "--overwrite"]) == 0 and not data.features_path.exists()
    assert "removed" in capsys.readouterr().out
    # A file of the user's under our name is no features file.
    data.features_path.write_text("mine")
    assert main([*command, "--overwrite"]) == 2
    assert "dest: holds features.h5, which vqapg did not write" in capsys.readouterr().err
    assert data.features_path.read_text() == "mine"


def test_a_folder_that_may_not_be_written_is_one_line(data, tmp_path, capsys, monkeypatch):
    open_file = os.open

    def refuse(path, flags, *more, **options):
        if flags & os.O_CREAT and "DATA" in str(path):
            raise PermissionError(13, os.strerror(13), str(path))
        return open_file(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(
        "vqapg.backbones.build_backbone",
        lambda *inputs: SimpleNamespace(source={}, grid=(2, 3), channels=5),
    )
    assert main(["extract-features", str(data), "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        "DATA/features.h5: cannot be written (Permission denied: .features.h5.lock); see to the "
        "permissions of" in line
    )


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "link to a device", "nothing"])
def test_what_is_no_regular_file_is_refused_at_once(data, tmp_path, capsys, monkeypatch, kind):
    import socket

    path = tmp_path / "given"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        listener = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(tmp_path)  # a socket has a short name
        listener.bind("given")
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    write_features(data, ids=["a.png", "b.png"])
    given = str(path)
    for command in (
        ["evaluate", data, "--pairs", given, "--output", tmp_path / "o.json"],
        ["overlap", data, "--pairs", given, "--of", "answer", "--output", tmp_path / "o.json"],
        ["export", given, "--data", data, "--format", "jsonl", "--output", tmp_path / "o.jsonl"],
        [
            "export",
            data.parent / "generate-test.txt",
            "--data",
            data,
            "--format",
            "jsonl",
            "--output",
            tmp_path / "o.jsonl",
            "--evaluator",
            given,
        ],
        ["check-evaluator", data, "--evaluator", given, "--output", tmp_path / "o.json"],
        ["prepare", "--dataset", "jsonl", "--source", given, "--dest", tmp_path / "dest"],
    ):
        assert main([str(word) for word in command]) == 2, command
        (line,) = capsys.readouterr().err.splitlines()[-1:]
        assert "given: " in line or "/dev/zero: " in line
        assert "no such" in line.lower() or "is a " in line, line
    assert not list(tmp_path.glob("o.*")) and not (tmp_path / "dest").exists()


def test_pipes_inside_a_data_directory_do_not_hang(data, capsys):
    for name in ("manifest.json", "dict.txt", "test.question", "features.h5"):
        content = (data / name).read_bytes() if name != "features.h5" else None
        (data / name).unlink(missing_ok=True)
        os.mkfifo(data / name)
        words = [
            "check-evaluator",
            data,
            "--evaluator",
            data.parent / "generate-test.txt",
            "--output",
            data.parent / "o",
        ]
        assert main([str(word) for word in words]) == 2
        assert f"{name}: " in capsys.readouterr().err
        (data / name).unlink()
        if content is not None:
            (data / name).write_bytes(content)
    assert is_free(data.parent / "o")
