"""Runs every image of a data directory through a frozen CNN and writes features.h5.

A killed run can be gone on with: rows go into ``.features.h5.partial``, and how many of them are
finished into the journal ``.features.h5.journal`` beside it, every few seconds. The final name
appears only when all is done.
"""

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

from tqdm import tqdm

from vqapg.data.extraction_on_ray import encode_on_ray
from vqapg.data.feature_encoding import Encoded, encode_pictures
from vqapg.data.feature_journal import FeatureJournal
from vqapg.data.feature_layout import stored_shape
from vqapg.data.feature_parts import FeatureParts, Part
from vqapg.data.feature_shards import existing_features, join_shards, shard_path
from vqapg.data.feature_statistics import channel_statistics, training_rows
from vqapg.data.feature_store import FeatureStore
from vqapg.data.feature_writer import FeatureWriter
from vqapg.errors import InputError
from vqapg.files import whole_file, writing
from vqapg.locks import Lock
from vqapg.targets import check_target, is_free, our_features

FLUSH_SECONDS = 5


class Extracted(NamedTuple):
    store: FeatureStore
    images: int  # encoded by this run
    seconds: float
    done_before: bool
    skipped: Sequence[str] = ()  # what was wrong with each image that was left out, its path first


def extract_features(
    data,
    backbone,
    *,
    device,
    batch_size=32,
    num_workers=2,
    skip_bad_images=False,
    shard=None,
    cluster=None,
    overwrite=False,
):
    """Write the features of the images of *data* (a DataDirectory) by *backbone* (a Backbone).

    An image that cannot be read stops the run, or with *skip_bad_images* is left out.

    With *shard* (I, N), 1 <= I <= N, only the I-th of N equal parts of the images, into
    ``features.I-of-N.h5``; the run that finishes the last of them joins all to features.h5, which
    names where in the shards the features are.

    With *cluster* (a Cluster) the machines of a cluster of Ray encode them; the file is the same.

    Returns an Extracted.

    Raises InputError when an image cannot be read, none of a split can, or the file is there
    already, made otherwise.
    """
    digest = data.images_digest()
    image_ids, target = data.image_ids(), data.features_path
    if shard is not None:
        number, count = shard
        image_ids = image_ids[
            len(image_ids) * (number - 1) // count : len(image_ids) * number // count
        ]
        if not image_ids:
            raise InputError(
                f"--shard {number}/{count}: there are only {len(data.image_ids())} images; give "
                "fewer shards"
            )
        target = shard_path(data, *shard)
    if not overwrite and (found := _found(data, target, backbone, digest, shard)):
        return found
    if target.is_symlink():
        raise InputError(
            f"{target}: is a link to {os.readlink(target)}; extract features there, or remove the "
            "link"
        )
    with Lock(target) as lock:
        # Another run may have ended between the two.
        if not overwrite and (found := _found(data, target, backbone, digest, shard)):
            return found
        check_target(target, our_features, overwrite=overwrite)
        made = _extract(
            data,
            backbone,
            image_ids,
            target,
            digest,
            lock,
            device=device,
            batch_size=batch_size,
            num_workers=num_workers,
            skip_bad_images=skip_bad_images,
            cluster=cluster,
            with_statistics=shard is None,
        )
    joined = None if shard is None else join_shards(data, backbone, digest, shard[1])
    return made if joined is None else made._replace(store=joined)


def _found(data, target, backbone, digest, shard):
    """What an earlier run made, as an Extracted; None where *target* is still to be made."""
    if data.features_path.exists():
        return Extracted(
            existing_features(data.features_path, backbone, digest), 0, 0.0, done_before=True
        )
    if not target.exists():
        return None
    store = existing_features(target, backbone, digest)
    return Extracted(
        join_shards(data, backbone, digest, shard[1]) or store, 0, 0.0, done_before=True
    )


def _extract(
    data,
    backbone,
    image_ids,
    target,
    digest,
    lock,
    *,
    device,
    batch_size,
    num_workers,
    skip_bad_images,
    cluster,
    with_statistics,
):
    """Write *target*, the features of *image_ids*; goes on with what a stopped run left. Returns an
    Extracted.
    """
    paths = [data.image_path(image_id) for image_id in image_ids]
    # Before the work, not hours into it.
    for path in paths:
        if not skip_bad_images and not path.is_file():
            raise InputError(
                f"{path}: no such image file; put it back, delete its pairs and prepare again, or "
                "leave such images out: --skip-bad-images"
            )

    partial = target.with_name(f".{target.name}.partial")
    journal = FeatureJournal(
        target.with_name(f".{target.name}.journal"), {"images_digest": digest, **backbone.source}
    )
    check_target(partial, our_features, overwrite=True)
    done, skipped = journal.read() if not is_free(partial) else (0, {})
    if skipped and not skip_bad_images:
        raise InputError(
            f"{next(iter(skipped.values()))}; or go on without such images: --skip-bad-images; "
            f"if the image is repaired, delete {partial} and run the same command again"
        )
    if done:
        shape = (len(image_ids), backbone.grid[0] * backbone.grid[1], backbone.channels)
        if done > shape[0] or partial.is_symlink() or stored_shape(partial) != shape:
            done, skipped = 0, {}  # killed while the statistics were put in
    if not done:
        journal.path.unlink(
            missing_ok=True
        )  # it may tell of another partial file than the one laid out now
        with whole_file(partial) as beginning, writing(target):
            FeatureWriter.create(
                beginning, image_ids, backbone.grid, backbone.channels, backbone.source, digest
            )
    writer = FeatureWriter(partial)
    parts = FeatureParts(target, backbone.source, digest)
    left = Part(done, image_ids[done:], paths[done:])
    how = {
        "device": device,
        "batch_size": batch_size,
        "num_workers": num_workers,
        "skip_bad_images": skip_bad_images,
    }
    started = time.monotonic()
    if cluster is None:
        pieces, every = encode_pictures(backbone, left.paths, **how), FLUSH_SECONDS
    else:
        pieces, every = encode_on_ray(cluster, left, parts, **how), 0
    with closing(pieces):
        _fill(writer, journal, pieces, done, skipped, every=every)
    seconds = time.monotonic() - started

    statistics = None
    if with_statistics:
        row_of = {image_id: row for row, image_id in enumerate(image_ids) if row not in skipped}
        statistics = channel_statistics(writer.read, training_rows(data, row_of))
    lock.check()
    writer.finish(statistics, skipped)
    os.replace(partial, target)
    journal.path.unlink()
    parts.end()
    return Extracted(
        FeatureStore(target),
        len(paths) - done,
        seconds,
        done_before=False,
        skipped=list(skipped.values()),
    )


def _fill(
    writer: FeatureWriter,
    journal: FeatureJournal,
    pieces: Iterable[Encoded],
    done: int,
    skipped: dict[int, str],
    *,
    every: float,
) -> None:
    """Fill the rows of *writer* from *done* on; adds {row: error} to *skipped*.

    The journal is written every so many seconds. With 0 it tells of a piece before the next one is
    asked for.
    """
    flushed = time.monotonic()
    bar = tqdm(
        total=writer.shape[0],
        initial=done,
        desc="extracting",
        unit="image",
        mininterval=1,
        delay=2,
        leave=False,
    )
    try:
        with bar:
            for features, errors in pieces:
                writer.write(done, features)
                skipped |= {done + place: error for place, error in errors.items()}
                done += len(features)
                bar.update(len(features))
                if time.monotonic() - flushed >= every:
                    writer.flush()
                    journal.write(done, skipped)
                    flushed = time.monotonic()
    finally:
        # Stopped by Ctrl-C or a bad image too, the next run begins here.
        writer.flush()
        journal.write(done, skipped)
