import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

import vqapg.backbones
from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.cli.main import main
from vqapg.data import feature_encoding, feature_extraction, feature_statistics
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.pictures import open_rgb
from vqapg.errors import InputError
from vqapg.picture_size import picture_size

SPLITS = ["train"] * 7 + ["valid"] * 2 + ["test"] * 3


@pytest.fixture
def data(tmp_path):
    """A data directory of 12 noise images with one pair each."""
    generator = np.random.default_rng(0)
    lines = []
    for number, split in enumerate(SPLITS):
        pixels = generator.integers(0, 255, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines.append(
            {"image": f"{number}.png", "question": "what?", "answer": "noise", "split": split}
        )
    (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, lines)))
    dest = tmp_path / "data"
    source = ["--dataset", "jsonl", "--source", str(tmp_path / "qa.jsonl")]
    assert main(["prepare", *source, "--dest", str(dest)]) == 0
    return dest


class _TwoByTwo(torch.nn.Module):
    """[N, 3, S, S] -> [N, 3, 2, 2]: instead of a CNN, so that a test can say what comes out."""

    def forward(self, images):
        return torch.nn.functional.adaptive_avg_pool2d(images, 2)


def _tiny_backbone(name="tiny", weights="imagenet", image_size=None):
    size = picture_size(image_size or 8)
    preprocessing = Preprocessing(size, (0.25, 0.5, 0.5), (0.25, 0.25, 0.5))
    return Backbone("tiny", _TwoByTwo(), preprocessing, weights, "0" * 64)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(vqapg.backbones, "build_backbone", _tiny_backbone)


def _extract(data, *more):
    arguments = ["--backbone", "tiny", "--batch-size", "5", "--num-workers", "0", "--device", "cpu"]
    return main(["extract-features", str(data), *arguments, *more])


def _slowly(data):
    """The features one image at a time: float32 [N, R, C]."""
    directory, backbone = DataDirectory(data), _tiny_backbone()
    features = []
    for image_id in directory.image_ids():
        image = backbone.preprocessing(open_rgb(directory.image_path(image_id)))
        grid = backbone.network(image[None])[0]
        features.append([grid[:, y, x].tolist() for y in range(2) for x in range(2)])
    return np.array(features, dtype=np.float32)


def _one_error_line(capsys):
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("vqapg extract-features: error: "), error
    return error


@pytest.mark.parametrize("workers", ["0", "2"])
def test_features_and_statistics(data, tiny, capsys, workers):
    capsys.readouterr()
    assert _extract(data, "--num-workers", workers) == 0
    captured = capsys.readouterr()
    assert "12 images of 4 regions with 3 channels" in captured.out and captured.err == ""
    store = FeatureStore(data / "features.h5")
    assert store.ids == [f"{number}.png" for number in range(12)]
    assert (store.shape, store.grid) == ((12, 4, 3), (2, 2))
    expected = _slowly(data)
    np.testing.assert_array_equal(store.read(range(12)), expected.astype(np.float16))

    train = store.read(range(7)).astype(np.float64).reshape(-1, 3)
    np.testing.assert_allclose(store.mean, train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(store.std, train.std(axis=0), rtol=1e-6)
    assert sorted(path.name for path in data.glob(".*")) == []


def test_statistics_over_many_blocks_and_of_quiet_channels(data, tiny, monkeypatch):
    monkeypatch.setattr(feature_statistics, "STATISTICS_ROWS", 2)

    class OneQuiet(_TwoByTwo):
        def forward(self, images):
            return super().forward(images) * torch.tensor([1, 1, 0.0]).view(3, 1, 1) + 10

    monkeypatch.setattr(sys.modules[__name__], "_TwoByTwo", OneQuiet)
    assert _extract(data) == 0
    store = FeatureStore(data / "features.h5")
    train = store.read(range(7)).astype(np.float64).reshape(-1, 3)
    np.testing.assert_allclose(store.mean, train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(store.std[:2], train.std(axis=0)[:2], rtol=1e-6)
    assert train.std(axis=0)[2] == 0
    assert store.std[2] == pytest.approx(0.1 * train.std(axis=0).mean())


def test_done_already_or_made_otherwise(data, tiny, capsys):
    assert _extract(data) == 0
    before = (data / "features.h5").stat().st_mtime_ns
    capsys.readouterr()
    assert _extract(data) == 0
    assert "already done" in capsys.readouterr().out
    assert (data / "features.h5").stat().st_mtime_ns == before
    assert _extract(data, "--image-size", "16") == 2
    assert "image_size 8 instead of 16; give --overwrite" in _one_error_line(capsys)
    assert _extract(data, "--weights", "none") == 2
    assert "weights imagenet instead of none" in _one_error_line(capsys)
    assert _extract(data, "--image-size", "16", "--overwrite") == 0
    assert FeatureStore(data / "features.h5").source["image_size"] == 16


def test_features_of_other_images(data, tiny, capsys):
    assert _extract(data) == 0
    manifest = json.loads((data / "manifest.json").read_text())
    (data / "manifest.json").write_text(json.dumps(manifest | {"image_root": "/elsewhere"}))
    capsys.readouterr()
    assert _extract(data) == 2
    assert "of other images" in _one_error_line(capsys)


def test_broken_features_can_be_overwritten(data, tiny, capsys):
    assert _extract(data) == 0
    content = (data / "features.h5").read_bytes()
    (data / "features.h5").write_bytes(content[: len(content) // 2])
    capsys.readouterr()
    assert _extract(data) == 2
    assert "--overwrite" in _one_error_line(capsys)
    assert _extract(data, "--overwrite") == 0


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("damage", ["missing", "text", "truncated"])
def test_an_unreadable_image_is_one_line(data, tiny, capsys, workers, damage):
    image = data.parent / "8.png"
    content = image.read_bytes()
    image.unlink()
    if damage != "missing":
        image.write_bytes(b"no image" if damage == "text" else content[: len(content) // 2])
    capsys.readouterr()
    assert _extract(data, "--num-workers", workers) == 2
    error = _one_error_line(capsys)
    assert str(image) in error and "delete its pairs and prepare again" in error
    assert not (data / "features.h5").exists()
    image.write_bytes(content)
    assert _extract(data, "--num-workers", workers) == 0
    np.testing.assert_array_equal(
        FeatureStore(data / "features.h5").read(range(12)), _slowly(data).astype(np.float16)
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_bad_images_are_left_out_listed_and_counted_when_told_so(data, tiny, capsys, workers):
    expected = _slowly(data).astype(np.float16)
    (data.parent / "8.png").write_bytes(b"no image")
    (data.parent / "3.png").unlink()
    # A whole batch of them
    for number in (10, 11):
        (data.parent / f"{number}.png").write_bytes(b"")
    capsys.readouterr()
    assert _extract(data, "--num-workers", workers, "--skip-bad-images") == 0
    printed = capsys.readouterr()
    assert "left out: 4 images that cannot be read, with their 4 pairs" in printed.out
    listed = [line for line in printed.err.splitlines() if line.startswith("left out: ")]
    assert [line.split(": ")[1] for line in listed] == [
        str(data.parent / f"{n}.png") for n in (3, 8, 10, 11)
    ]
    store = FeatureStore(data / "features.h5")
    left = [n for n in range(12) if n not in (3, 8, 10, 11)]
    assert store.skipped == {f"{n}.png" for n in (3, 8, 10, 11)} and set(store.rows) == {
        f"{n}.png" for n in left
    }
    np.testing.assert_array_equal(store.read(left), expected[left])
    train = [n for n in range(7) if n != 3]
    np.testing.assert_allclose(
        store.mean, expected[train].astype(float).mean(axis=(0, 1)), atol=2e-3
    )
    # Without the option such images stay an error.
    assert _extract(data, "--overwrite") == 2
    assert "--skip-bad-images" in _one_error_line(capsys)


@pytest.fixture
def without_1(data, tiny, capsys, monkeypatch):
    """A run that was killed after it had left out 1.png."""
    (data.parent / "1.png").write_bytes(b"")

    class Stop(_TwoByTwo):
        def forward(self, images):
            if len(images) == 5:  # the second batch; the first has four that can be read
                raise KeyboardInterrupt
            return super().forward(images)

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[__name__], "_TwoByTwo", Stop)
        assert _extract(data, "--skip-bad-images") == 130
    assert json.loads((data / ".features.h5.journal").read_text())["done"] == 5
    capsys.readouterr()


def test_a_killed_run_remembers_what_it_left_out(data, without_1, capsys):
    # To go on without the option would hide it.
    assert _extract(data) == 2
    assert "1.png" in _one_error_line(capsys)
    assert _extract(data, "--skip-bad-images") == 0
    assert "left out: 1 images" in capsys.readouterr().out
    assert FeatureStore(data / "features.h5").skipped == {"1.png"}


def test_error_of_a_repaired_image_names_its_cure(data, without_1, capsys):
    shutil.copy(data.parent / "2.png", data.parent / "1.png")
    partial = data / ".features.h5.partial"
    assert _extract(data) == 2
    cure = f"if the image is repaired, delete {partial} and run the same command again"
    assert cure in _one_error_line(capsys)
    partial.unlink()
    assert _extract(data) == 0
    assert FeatureStore(data / "features.h5").skipped == set()


def test_a_split_of_bad_images_only_is_an_error(data, tiny, capsys):
    for number in (9, 10, 11):
        (data.parent / f"{number}.png").write_bytes(b"")
    capsys.readouterr()
    assert _extract(data, "--skip-bad-images") == 2
    assert "no image of the test split can be read" in _one_error_line(capsys)
    assert not (data / "features.h5").exists()


def test_features_without_end_are_clamped_and_no_number_is_refused(data, tiny, monkeypatch, capsys):
    class Loud(_TwoByTwo):
        factor = 1e9

        def forward(self, images):
            return super().forward(images) * self.factor

    monkeypatch.setattr(sys.modules[__name__], "_TwoByTwo", Loud)
    assert _extract(data) == 0
    assert np.abs(FeatureStore(data / "features.h5").read(range(12))).max() == 65504
    Loud.factor = float("nan")
    capsys.readouterr()
    assert _extract(data, "--overwrite") == 2
    assert "0.png: tiny gives no finite features" in _one_error_line(capsys)


KILLED = """
import os, signal
from tests.cli import test_extract_features as tests
from vqapg.data import feature_encoding, feature_extraction
import vqapg.backbones
vqapg.backbones.build_backbone = tests._tiny_backbone
feature_extraction.FLUSH_SECONDS = 0
opened = []
open_rgb = feature_encoding.open_rgb
def open_and_die(path):
    opened.append(path)
    if len(opened) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return open_rgb(path)
feature_encoding.open_rgb = open_and_die
tests._extract({data!r})
"""


def test_a_killed_run_goes_on_where_it_stopped(data, tiny, monkeypatch, capsys):
    script = KILLED.format(data=str(data))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    killed = subprocess.run([sys.executable, "-c", script], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert not (data / "features.h5").exists()
    assert json.loads((data / ".features.h5.journal").read_text())["done"] == 5

    opened = _count_opened(monkeypatch)
    assert _extract(data) == 0
    assert opened == [f"{number}.png" for number in range(5, 12)]
    assert "12 images of 4 regions with 3 channels; 7 in" in capsys.readouterr().out
    np.testing.assert_array_equal(
        FeatureStore(data / "features.h5").read(range(12)), _slowly(data).astype(np.float16)
    )
    assert not list(data.glob(".*"))


def _count_opened(monkeypatch):
    opened = []

    def open_and_note(path):
        opened.append(path.name)
        return open_rgb(path)

    monkeypatch.setattr(feature_encoding, "open_rgb", open_and_note)
    return opened


def _stop_after(monkeypatch, count):
    """Ctrl-C at the image after the first *count*."""
    opened = []

    def open_or_stop(path):
        opened.append(path)
        if len(opened) > count:
            raise KeyboardInterrupt
        return open_rgb(path)

    monkeypatch.setattr(feature_encoding, "open_rgb", open_or_stop)


def test_a_stopped_run_of_other_options_is_not_gone_on_with(data, tiny, monkeypatch):
    _stop_after(monkeypatch, 10)
    assert _extract(data) == 130
    assert json.loads((data / ".features.h5.journal").read_text())["done"] == 10
    # Another size lays out another partial file, and is killed before it writes its journal.
    _stop_after(monkeypatch, 2)
    with monkeypatch.context() as patch:
        patch.setattr(feature_extraction.FeatureJournal, "write", lambda self, done, skipped: None)
        assert _extract(data, "--image-size", "16") == 130
    opened = _count_opened(monkeypatch)
    assert _extract(data) == 0
    assert len(opened) == 12
    np.testing.assert_array_equal(
        FeatureStore(data / "features.h5").read(range(12)), _slowly(data).astype(np.float16)
    )


def test_a_run_killed_just_before_the_end(data, tiny, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(feature_extraction, "channel_statistics", _stop)
        assert _extract(data) == 130
    opened = _count_opened(monkeypatch)
    assert _extract(data, "--num-workers", "2") == 0
    assert opened == []
    assert FeatureStore(data / "features.h5").std.min() > 0


def _stop(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_batch_size_makes_no_difference(data, tiny, size):
    assert _extract(data, "--batch-size", str(size)) == 0
    np.testing.assert_array_equal(
        FeatureStore(data / "features.h5").read(range(12)), _slowly(data).astype(np.float16)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch-size", "0"], "--batch-size 0"),
        (["--num-workers", "-1"], "--num-workers -1"),
        (["--backbone", "resnet51"], "no backbone is named 'resnet51'; did you mean resnet5"),
        (["--backbone", "vit_b_16"], "lists all: vqapg list backbones"),
        (
            ["--backbone", "resnet18", "--weights", "nowhere.pth"],
            "--weights nowhere.pth: no such file",
        ),
        (["--backbone", "resnet18", "--weights", "none", "--image-size", "-3"], "--image-size -3"),
    ],
)
def test_bad_options_are_one_line(data, capsys, arguments, message):
    capsys.readouterr()
    assert main(["extract-features", str(data), "--device", "cpu", *arguments]) == 2
    assert message in _one_error_line(capsys)


def test_cuda_where_there_is_none(data, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    capsys.readouterr()
    assert main(["extract-features", str(data), "--device", "cuda"]) == 2
    assert "use --device cpu" in _one_error_line(capsys)


def test_no_data_directory(tmp_path, capsys):
    assert main(["extract-features", str(tmp_path)]) == 2
    assert "vqapg prepare" in _one_error_line(capsys)


def test_a_random_network_is_warned_of(data, capsys):
    arguments = [
        "--backbone",
        "shufflenet_v2_x0_5",
        "--weights",
        "none",
        "--image-size",
        "32",
        "--device",
        "cpu",
    ]
    capsys.readouterr()
    assert main(["extract-features", str(data), "--num-workers", "0", *arguments]) == 0
    assert capsys.readouterr().err.startswith("warning: --weights none")
    assert FeatureStore(data / "features.h5").shape == (12, 1, 1024)


@pytest.mark.parametrize("order", [[1, 2, 3], [3, 1, 2]])
def test_shards_are_joined_by_the_last_to_finish_and_read_as_one_file(
    data, tiny, capsys, order, tmp_path
):
    (data.parent / "4.png").write_bytes(b"")
    expected = _slowly_but(data, 4)
    for number in order:
        assert not (data / "features.h5").exists()
        assert _extract(data, "--shard", f"{number}/3", "--skip-bad-images") == 0
    assert "joined of 3 shards" in capsys.readouterr().out
    store = FeatureStore(data / "features.h5")
    assert store.ids == DataDirectory(data).image_ids() and store.skipped == {"4.png"}
    assert {path.name for path, _, _ in store.segments} == {
        f"features.{n}-of-3.h5" for n in (1, 2, 3)
    }
    np.testing.assert_array_equal(store.read(range(12)), expected)
    np.testing.assert_array_equal(store.read([11, 0, 5, 5, 3]), expected[[11, 0, 5, 5, 3]])
    # As if made in one: also the statistics
    shutil.copytree(data, tmp_path / "whole")
    for path in (tmp_path / "whole").glob("features*"):
        path.unlink()
    assert _extract(tmp_path / "whole", "--skip-bad-images") == 0
    whole = FeatureStore(tmp_path / "whole/features.h5")
    np.testing.assert_array_equal(store.mean, whole.mean)
    np.testing.assert_array_equal(store.std, whole.std)
    # HDF5 itself finds the features.
    with h5py.File(data / "features.h5", "r") as file:
        access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
        access.set_efile_prefix(b"${ORIGIN}")
        read = h5py.Dataset(h5py.h5d.open(file.id, b"features", access))
        np.testing.assert_array_equal(read[:], expected)
    # No features were copied.
    assert (data / "features.h5").stat().st_size < 20_000


def _slowly_but(data, bad):
    content = (data.parent / f"{bad}.png").read_bytes()
    Image.new("RGB", (4, 4)).save(data.parent / f"{bad}.png")
    expected = _slowly(data).astype(np.float16)
    expected[bad] = 0
    (data.parent / f"{bad}.png").write_bytes(content)
    return expected


def test_a_shard_goes_on_where_it_was_stopped_and_is_not_made_twice(
    data, tiny, capsys, monkeypatch
):
    with monkeypatch.context() as patch:
        _stop_after(patch, 5)
        assert _extract(data, "--shard", "2/2", "--batch-size", "2") == 130
    assert json.loads((data / ".features.2-of-2.h5.journal").read_text())["done"] == 4
    opened = _count_opened(monkeypatch)
    assert _extract(data, "--shard", "2/2", "--batch-size", "2") == 0
    assert len(opened) == 2
    capsys.readouterr()
    assert _extract(data, "--shard", "2/2") == 0
    assert (
        "features.2-of-2.h5 is already done: 6 images" in capsys.readouterr().out
        and len(opened) == 2
    )
    # Killed before it could join: the next run of any shard does.
    assert _extract(data, "--shard", "1/2") == 0
    (data / "features.h5").unlink()
    assert _extract(data, "--shard", "1/2") == 0
    assert FeatureStore(data / "features.h5").shape[0] == 12


def test_shards_made_otherwise_are_not_joined(data, tiny, capsys):
    assert _extract(data, "--shard", "1/2") == 0
    capsys.readouterr()
    assert _extract(data, "--shard", "2/2", "--image-size", "16") == 2
    error = _one_error_line(capsys)
    assert "features.1-of-2.h5: there already, with image_size 8 instead of 16" in error
    assert not (data / "features.h5").exists()
    assert not list(data.glob(".features.h5.joining*"))


def test_a_lost_shard_is_named(data, tiny, capsys):
    for number in (1, 2):
        assert _extract(data, "--shard", f"{number}/2") == 0
    (data / "features.1-of-2.h5").unlink()
    with pytest.raises(
        InputError, match="features.h5: was joined of features.1-of-2.h5, which is missing or cut"
    ):
        FeatureStore(data / "features.h5")


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/2/3", "-1/2", "1/0"])
def test_a_shard_that_cannot_be_is_refused(data, tiny, capsys, shard):
    capsys.readouterr()
    assert _extract(data, f"--shard={shard}") == 2
    assert "give I/N with I from 1 to N" in _one_error_line(capsys)


def test_more_shards_than_images_are_refused(data, tiny, capsys):
    capsys.readouterr()
    assert _extract(data, "--shard", "1/100") == 2
    assert "there are only 12 images" in _one_error_line(capsys)


def test_a_full_disk_is_one_line_and_exit_status_1(data, tiny, capsys, monkeypatch):
    def full(*inputs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(data.iterdir())
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    assert _extract(data) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"vqapg extract-features: failed: {data / 'features.h5'}: cannot be written (No space left"
    )
    assert sorted(data.iterdir()) == before


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"name": "other"}, "backbone tiny instead of other"),
        ({"weights": "mine.pth"}, "weights imagenet instead of mine.pth"),
        ({"weights_sha256": "1" * 64}, "weights_sha256 00000000 instead of 11111111"),
        ({"image_size": 16}, "image_size 8 instead of 16"),
    ],
)
def test_features_of_two_origins_never_share_a_file(
    data, tiny, capsys, monkeypatch, changed, expected
):
    def build(name, weights="imagenet", image_size=None):
        backbone = _tiny_backbone(image_size=changed.get("image_size"))
        for attribute in changed.keys() - {"image_size"}:
            setattr(backbone, attribute, changed[attribute])
        return backbone

    # Neither a finished file
    assert _extract(data) == 0
    capsys.readouterr()
    monkeypatch.setattr(vqapg.backbones, "build_backbone", build)
    assert _extract(data) == 2
    assert (
        f"{data / 'features.h5'}: there already, with {expected}; give --overwrite"
        in _one_error_line(capsys)
    )
    # nor one begun
    (data / "features.h5").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(vqapg.backbones, "build_backbone", _tiny_backbone)
        _stop_after(patch, 10)
        assert _extract(data) == 130
    opened = _count_opened(monkeypatch)
    assert _extract(data) == 0
    assert len(opened) == 12 and FeatureStore(data / "features.h5").source == build("").source


def test_a_second_run_is_refused_while_the_first_is_at_work(data, tiny, monkeypatch, capsys):
    statuses = []

    def open_and_start_another(path):
        if not statuses:
            statuses.append(_extract(data, "--image-size", "16", "--overwrite"))
        return open_rgb(path)

    monkeypatch.setattr(feature_encoding, "open_rgb", open_and_start_another)
    capsys.readouterr()
    assert _extract(data) == 0 and statuses == [2]
    assert f"features.h5: process {os.getpid()} on " in _one_error_line(capsys)
    store = FeatureStore(data / "features.h5")
    np.testing.assert_array_equal(store.read(range(12)), _slowly(data).astype(np.float16))
    assert not list(data.glob(".*"))


def _link(partial, outside):
    os.rename(partial, outside)
    partial.symlink_to(outside)


def _store_outside(partial, outside):
    outside.write_bytes(b"mine" * 1000)
    with h5py.File(partial, "r+") as file:
        del file["features"]
        external = [(str(outside), 0, 12 * 4 * 3 * 2)]
        file.create_dataset("features", (12, 4, 3), dtype="<f2", external=external)


def _claim_more(partial, outside):
    with h5py.File(partial, "r+") as file:
        del file["features"]
        file.create_dataset("features", (12, 4, 4), dtype="<f2", data=np.zeros((12, 4, 4)))
    outside.write_bytes(b"mine")


@pytest.mark.parametrize("damage", [_link, _store_outside, _claim_more])
def test_partial_file_of_a_stranger_is_begun_anew(data, tiny, monkeypatch, tmp_path, damage):
    with monkeypatch.context() as patch:
        _stop_after(patch, 10)
        assert _extract(data) == 130
    outside = tmp_path / "outside"
    damage(data / ".features.h5.partial", outside)
    before = outside.read_bytes()
    opened = _count_opened(monkeypatch)
    assert _extract(data) == 0
    assert len(opened) == 12 and outside.read_bytes() == before
    np.testing.assert_array_equal(
        FeatureStore(data / "features.h5").read(range(12)), _slowly(data).astype(np.float16)
    )


@pytest.mark.parametrize("damage", ['{"done": NaN, ', '{"done": "10", "done": 10, '])
def test_journal_that_is_no_strict_json_is_refused(data, tiny, monkeypatch, capsys, damage):
    with monkeypatch.context() as patch:
        _stop_after(patch, 10)
        assert _extract(data) == 130
    journal = data / ".features.h5.journal"
    journal.write_text(damage + journal.read_text()[1:])
    capsys.readouterr()
    assert _extract(data) == 2
    assert ".features.h5.journal: was not written by vqapg" in _one_error_line(capsys)
    assert journal.read_text().startswith(damage)
