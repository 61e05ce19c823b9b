"""``vqapg extract-features --ray`` on one machine: the file of the command without it."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import torch

from tests.support.ray_clusters import SMALL, draw_data, extraction, numbers_in
from vqapg.cli.main import main
from vqapg.data import extraction_on_ray
from vqapg.data.directory import DataDirectory
from vqapg.data.extraction_on_ray import Cluster, ExtractionJob, cut_in_parts
from vqapg.data.feature_parts import FeatureParts, Part
from vqapg.errors import InputError

IMAGES = 9
RESNET = ["--backbone", "resnet18", "--weights", "none", "--image-size", "32"]
NOTED = Cluster("", "tests.support.noted_backbones:noted", "notes.txt")


@pytest.fixture(scope="module")
def cluster():
    import ray

    ray.init(num_cpus=3, log_to_driver=False, **SMALL)
    yield
    ray.shutdown()


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return draw_data(tmp_path, IMAGES)


@pytest.fixture
def workers(cluster, monkeypatch):
    """workers(2) lets the next runs have two actors."""

    def use(count):
        monkeypatch.setattr(
            extraction_on_ray, "actor_needs", lambda ray, device: ("cpu", {"num_cpus": 1}, count)
        )

    return use


def made(data, *words, backbone="noted", notes="notes.txt", status=0):
    """The bytes of features.h5, which is taken away."""
    assert main(extraction(data, backbone, Path(notes).resolve(), *words)) == status
    assert not list(data.glob(".features*")), "something is left beside it"
    content = (data / "features.h5").read_bytes()
    (data / "features.h5").unlink()
    return content


def said(capsys):
    """What was printed, without times and the bar."""
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith(("warning", "left out"))]
    return [re.sub(r"in .* a second", "", out), *lines]


@pytest.fixture
def one_thread():
    """As a worker has: torch may round by the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_any_number_of_workers_gives_the_file_of_no_ray(data, workers, capsys, one_thread):
    said(capsys)
    whole = made(data, *RESNET)
    expected = said(capsys)
    for count in (1, 3):
        workers(count)
        assert made(data, *RESNET, "--ray") == whole
        assert said(capsys) == expected
    assert "9 images of 1 regions with 512 channels; 9" in expected[0] and len(expected) == 2


def test_images_left_out_are_those_of_no_ray(data, workers, capsys):
    workers(2)
    for number in (1, 4, 5):
        Path(f"{number}.png").write_bytes(b"no image")
    said(capsys)
    whole = made(data, "--skip-bad-images")
    expected = said(capsys)
    assert made(data, "--skip-bad-images", "--ray") == whole
    assert said(capsys) == expected
    assert "left out: 3 images" in expected[0] and len(expected) == 4


def test_killed_worker_changes_nothing(data, workers):
    workers(1)
    content = made(data, "--ray", backbone="killed_once")
    assert Path("notes.killed").exists()
    assert sorted(numbers_in(Path("notes.txt"))) == list(range(IMAGES))
    assert content == made(data, backbone="killed_once")


@pytest.mark.parametrize("words", [["--ray"], []])
def test_stopped_run_goes_on_with_ray_or_without(data, workers, capsys, words):
    workers(1)
    whole = made(data)
    Path("notes.txt").unlink()
    good = Path("5.png").read_bytes()
    Path("5.png").write_bytes(b"no image")
    capsys.readouterr()
    stopped = extraction(data, "noted", Path("notes.txt").resolve(), "--ray")
    assert main(stopped) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert "5.png: cannot be read as an image" in line
    assert line.endswith("or leave such images out: --skip-bad-images")
    assert not (data / "features.h5").exists()
    Path("5.png").write_bytes(good)
    assert made(data, *words) == whole
    seen = numbers_in(Path("notes.txt"))
    # One worker takes the parts in turn: these 4 were placed before the bad one, and stay.
    assert [seen.count(number) for number in range(4)] == [1, 1, 1, 1]
    assert set(seen) == set(range(IMAGES))


def test_part_left_by_a_killed_run_is_not_made_again(data, workers):
    workers(1)
    whole = made(data)
    _job(data).load()(3, _part(data, 6, 8))
    Path("notes.txt").write_text("")
    assert made(data, "--ray") == whole
    assert sorted(numbers_in(Path("notes.txt"))) == [0, 1, 2, 3, 4, 5, 8]


def test_part_left_without_an_image_is_made_again(data, workers):
    workers(1)
    whole = made(data)
    good = Path("7.png").read_bytes()
    Path("7.png").write_bytes(b"no image")
    _job(data, skip_bad_images=True).load()(3, _part(data, 6, 8))
    Path("7.png").write_bytes(good)
    assert made(data, "--ray") == whole


def test_parts_made_with_other_options_are_made_anew(data, workers):
    workers(2)
    whole = made(data)
    _job(data).load()(3, _part(data, 6, 8))
    assert made(data, "--ray", "--image-size", "16") == made(data, "--image-size", "16")
    assert made(data, "--ray") == whole


def _part(data, begin, end):
    ids = [f"{number}.png" for number in range(begin, end)]
    return Part(begin, ids, [data.parent / image for image in ids])


def _job(data, sha="0" * 64, seen=None, skip_bad_images=False):
    source = {"backbone": NOTED.backbone, "weights": "noted", "weights_sha256": sha}
    parts = FeatureParts(
        data / "features.h5", {**source, "image_size": 8}, DataDirectory(data).images_digest()
    )
    parts.begin()
    return ExtractionJob(NOTED, parts, seen, "cpu", 2, 0, skip_bad_images)


def test_machine_with_other_weights_is_named(data):
    with pytest.raises(InputError, match="has other weights of .*; put the same file on all"):
        _job(data, sha="1" * 64).load()


def test_machine_without_the_images_is_named(data):
    with pytest.raises(InputError, match=r"away.png: the machine .* does not see this image"):
        _job(data, seen=Path("away.png")).load()


def test_machine_without_the_data_directory_is_named(data):
    job = _job(data)
    make = job.load()
    shutil.rmtree(job.parts.folder)
    with pytest.raises(InputError, match="does not see this folder, or may not write"):
        make(0, _part(data, 0, 2))
    assert not job.parts.folder.exists()


@pytest.mark.parametrize("count, batch, size", [(9, 2, 2), (12_000, 32, 64), (10**6, 48, 1008)])
def test_parts_are_whole_batches_whatever_is_left(count, batch, size):
    names = [str(number) for number in range(count)]
    whole = cut_in_parts(Part(0, names, names), batch)
    assert {len(part.ids) for part in whole[:-1]} == {size}
    assert [name for part in whole for name in part.ids] == names
    left = cut_in_parts(Part(2 * size, names[2 * size :], names[2 * size :]), batch)
    assert left == whole[2:]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--ray", "--shard", "1/2"], "--shard: does not go with --ray"),
        (["--ray", "tomorrow"], "--ray tomorrow: is no address such as 10.0.0.1:6379"),
        (["--ray", "--device", "cuda"], "--device cuda: the cluster has no GPU"),
    ],
)
def test_bad_options_are_one_line(data, cluster, capsys, words, message):
    capsys.readouterr()
    assert main(extraction(data, "noted", "notes.txt", "--device", "auto", *words)) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and message in line
    assert not (data / "features.h5").exists()


def test_missing_ray_is_one_line_with_its_cure(data, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    capsys.readouterr()
    assert main(extraction(data, "noted", "notes.txt", "--ray")) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "pip install 'vqapg[ray]'" in line
    assert not list(data.glob(".features*"))
