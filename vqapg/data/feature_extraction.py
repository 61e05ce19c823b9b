"""Runs every image of a data directory through a frozen CNN and writes features.h5.

A killed run can be gone on with: rows go into ``.features.h5.partial``, and how many of them are finished
into the journal ``.features.h5.journal`` beside it, every few seconds. The final name appears only when all
is done.
"""

import json
import os
import time
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from vqapg.data.feature_store import FeatureStore, FeatureWriter
from vqapg.data.pictures import open_rgb
from vqapg.errors import InputError
from vqapg.files import atomic_write

FLUSH_SECONDS = 5
STATISTICS_ROWS = 256
# A channel that hardly varies over the training images would be blown up by standardising as soon as another
# image makes it vary; none counts as less than this share of the average deviation.
STD_FLOOR = 0.1
FLOAT16_MAX = float(np.finfo(np.float16).max)


class Extracted(NamedTuple):
    store: FeatureStore
    images: int  # encoded by this run
    seconds: float
    done_before: bool


def extract_features(data, backbone, *, device, batch_size=32, num_workers=2, overwrite=False):
    """Write the features of the images of *data* (a DataDirectory) by *backbone* (a Backbone).

    Returns an Extracted.

    Raises InputError when an image cannot be read, or features.h5 is there already, made otherwise.
    """
    digest = data.images_digest()
    if data.features_path.exists() and not overwrite:
        return Extracted(_standing(data, backbone, digest), 0, 0.0, done_before=True)
    image_ids = data.image_ids()
    paths = [data.image_path(image_id) for image_id in image_ids]
    # Before the work, not hours into it.
    for path in paths:
        if not path.is_file():
            raise InputError(
                f"{path}: no such image file; put it back, or delete its pairs and prepare again"
            )

    partial = data.path / ".features.h5.partial"
    journal = _Journal(data.path / ".features.h5.journal", {"images_digest": digest, **backbone.source})
    done = journal.read() if partial.exists() else 0
    if done:
        try:
            writer = FeatureWriter(partial)
        except (OSError, KeyError):
            done = 0  # killed while the statistics were put in
    if not done:
        journal.path.unlink(missing_ok=True)  # it may tell of another partial file than the one laid out now
        try:
            writer = FeatureWriter.create(
                partial, image_ids, backbone.grid, backbone.channels, backbone.source, digest
            )
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise InputError(f"{partial}: cannot be laid out ({error}); make room for it") from error
    started = time.monotonic()
    _encode(
        backbone, paths, writer, journal, done, device=device, batch_size=batch_size, num_workers=num_workers
    )
    seconds = time.monotonic() - started

    row_of = {image_id: row for row, image_id in enumerate(image_ids)}
    writer.finish(*_statistics(writer, [row_of[image_id] for image_id in data.image_ids("train")]))
    os.replace(partial, data.features_path)
    journal.path.unlink()
    return Extracted(FeatureStore(data.features_path), len(paths) - done, seconds, done_before=False)


def _standing(data, backbone, digest):
    """The features that are there already, if they are what was asked for."""
    store = FeatureStore(data.features_path)
    wanted = backbone.source
    if store.source != wanted:
        differing = ", ".join(
            f"{name} {_shorten(store.source[name])} instead of {_shorten(value)}"
            for name, value in wanted.items()
            if store.source[name] != value
        )
        raise InputError(
            f"{data.features_path}: there already, with {differing}; give --overwrite to replace it"
        )
    if store.images_digest != digest:
        raise InputError(
            f"{data.features_path}: there already, of other images; give --overwrite to replace it"
        )
    return store


def _shorten(value):
    """A checksum's beginning tells two of them apart."""
    return value[:8] if isinstance(value, str) and len(value) == 64 else value


class _Journal:
    """How many images are safely in the partial file; it counts only for a run that makes the same thing."""

    def __init__(self, path, identity):
        self.path = path
        self.identity = identity

    def read(self):
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return content["done"] if content["identity"] == self.identity else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def write(self, done):
        with atomic_write(self.path) as file:
            json.dump({"identity": self.identity, "done": done}, file)


class _Images(Dataset):
    """Decodes in the loader's workers. An error travels as text: raised there it would end in a traceback."""

    def __init__(self, paths, preprocessing):
        self.paths = paths
        self.preprocessing = preprocessing

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        try:
            return self.preprocessing(open_rgb(self.paths[index]))
        except InputError as error:
            return str(error)


def _collate(items):
    """[3, S, S] each -> [N, 3, S, S]; the first error instead where there is one."""
    error = next((item for item in items if isinstance(item, str)), None)
    return error if error is not None else torch.stack(items)


def _encode(backbone, paths, writer, journal, done, *, device, batch_size, num_workers):
    """Fill the rows of *writer* from *done* on."""
    backbone = backbone.to(device=device, memory_format=torch.channels_last)
    loader = DataLoader(
        _Images(paths[done:], backbone.preprocessing),
        batch_size=batch_size,
        num_workers=num_workers,
        collate_fn=_collate,
        pin_memory=torch.device(device).type == "cuda",
    )
    flushed = time.monotonic()
    bar = tqdm(
        total=len(paths), initial=done, desc="extracting", unit="image", mininterval=1, delay=2, leave=False
    )
    try:
        with torch.inference_mode(), bar:
            for images in loader:
                if isinstance(images, str):
                    raise InputError(images)
                features = _features(backbone, images.to(device, non_blocking=True))
                if not np.isfinite(features).all():
                    row = int(np.argmin(np.isfinite(features).all(axis=(1, 2))))
                    raise InputError(
                        f"{paths[done + row]}: {backbone.name} gives no finite features; check --weights"
                    )
                writer.write(done, features)
                done += len(features)
                bar.update(len(features))
                if time.monotonic() - flushed > FLUSH_SECONDS:
                    writer.flush()
                    journal.write(done)
                    flushed = time.monotonic()
    finally:
        # Stopped by Ctrl-C or a bad image too, the next run begins here.
        writer.flush()
        journal.write(done)


def _features(backbone, images):
    """[N, 3, S, S] -> [N, R, C], float16, on the CPU."""
    images = images.contiguous(memory_format=torch.channels_last)
    # [N, C, H, W] -> [N, R, C]
    features = backbone(images).flatten(2).transpose(1, 2)
    return features.clamp(-FLOAT16_MAX, FLOAT16_MAX).half().cpu().numpy()


def _statistics(writer, rows):
    """Mean and standard deviation of each channel over all regions of *rows*: float32 [C] each."""
    count, mean, squares = 0, 0.0, 0.0
    starts = range(0, len(rows), STATISTICS_ROWS)
    for start in tqdm(starts, desc="statistics", unit="block", delay=2, leave=False, disable=None):
        # [n, R, C] -> [n * R, C]
        block = (
            writer.read(rows[start : start + STATISTICS_ROWS]).reshape(-1, writer.shape[2]).astype(np.float64)
        )
        # Merging means and squared deviations (Chan et al., 1983) loses nothing where the mean is large.
        block_mean = block.mean(axis=0)
        difference = block_mean - mean
        total = count + len(block)
        squares = (
            squares + ((block - block_mean) ** 2).sum(axis=0) + difference**2 * (count * len(block) / total)
        )
        mean = mean + difference * (len(block) / total)
        count = total
    std = np.sqrt(squares / count)
    floor = STD_FLOOR * std.mean() or 1.0
    return mean.astype(np.float32), np.maximum(std, floor).astype(np.float32)
