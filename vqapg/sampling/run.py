"""A run over many images: read, sample, keep what is finished, write everything at the end."""

import base64
import dataclasses
import functools
import itertools

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from vqapg.data.shared_memory import share
from vqapg.errors import InputError, RunError, shortage
from vqapg.export.gallery import our_page, write_gallery
from vqapg.export.outputs import write_records
from vqapg.sampling.counts import Counts
from vqapg.sampling.journal import Journal
from vqapg.targets import check_target

FORMAT_VERSION = 3


def run(sampler, images, part, options, destination, *, shard=None, overwrite=False, **how):
    """Sample pairs for the images of *part* and write them; a run that was stopped is gone on with.

    Args:
        sampler: :class:`~vqapg.sampling.sampler.PairSampler`
        images: list of :class:`~vqapg.data.input_image.InputImage`, of which *part* holds some or
            all
        options: SamplingOptions, checked
        destination: :class:`~vqapg.export.outputs.Destination`
        shard: which of how many parts *part* is, as --shard says it
        overwrite: begin anew, whatever an earlier run left
        how: arguments of sample_images

    Returns Counts. Raises InputError when an image, or none at all, can be read; RunError when the
    machine runs short of something, such as the disk or the GPU's memory.
    """
    journal = Journal(destination.journal, _identity(sampler, options, shard), part, overwrite)
    try:
        counts = _count(journal, sample_images(sampler, options, journal, **how))
        if not counts.images:
            raise InputError(f"no image can be read; the first: {counts.skipped[0]}")
        write_records(
            destination.output,
            destination.format,
            _records(journal, options, sampler.name, sampler.judge is not None),
            images,
            overwrite=destination.replace,
        )
        if destination.html is not None:
            check_target(destination.html, our_page, overwrite=destination.replace)
            write_gallery(
                destination.html,
                journal.entries(),
                part,
                grid=sampler.grid,
                boxes=sampler.boxes,
                about=_about(sampler, options),
                judged=sampler.judge is not None,
                min_consistency=options.min_consistency,
            )
    except InputError:
        raise
    except Exception as error:
        told = str(error) if isinstance(error, (RunError, OSError)) else shortage(error)
        if told is None:
            raise
        raise RunError(f"{told}: {_kept(journal, overwrite)}") from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_kept(journal, overwrite)) from None
    else:
        journal.remove()
    finally:
        journal.close()
    return counts


def _about(sampler, options):
    """What the page says of the run; options of choosing only where they were given."""
    about = {
        "model": sampler.name,
        "seed": options.seed,
        "draws of each image": sampler.draws(options),
    }
    if verdict := sampler.verdict():
        about["judge"] = verdict["text"]
    if options.min_consistency is not None:
        about["min-consistency"] = options.min_consistency
    if options.keep is not None:
        about |= {"keep": options.keep, "diversity": options.diversity}
    return about


def _identity(sampler, options, shard):
    """What a run makes: whatever decides about its entries, beside the images. Shards lie in files
    of their own.
    """
    return {
        "journal": f"vqapg sample {FORMAT_VERSION}",
        "checkpoint": sampler.name,
        "judge": None if sampler.judge is None else sampler.judge.name,
        "shard": shard,
        **dataclasses.asdict(options),
    }


def _kept(journal, overwrite):
    command = "the same command without --overwrite" if overwrite else "the same command"
    return (
        f"{journal.done:,} of {len(journal.images):,} images are done and kept, {command} goes on"
    )


def sample_images(
    sampler, options, journal, *, batch_size=256, num_workers=2, skip_bad_images=False
):
    """Sample pairs for those images that *journal* has no entry of yet.

    Args:
        batch_size: how many draws are decoded together
        num_workers: processes that read images
        skip_bad_images: leave out an image that cannot be read instead of stopping at it

    Returns what was wrong with each image left out.

    Raises:
        InputError: when an image cannot be read
    """
    left, total = journal.left(), len(journal.images)
    loader = DataLoader(
        sampler.pictures(left),
        batch_size=max(1, batch_size // sampler.draws(options)),
        num_workers=min(num_workers, len(left)),
        collate_fn=_collate,
    )
    done = total - len(left)
    bar = tqdm(
        total=total,
        initial=done,
        desc="sampling",
        unit="image",
        mininterval=1,
        delay=1,
        leave=False,
    )
    coming, skipped = iter(left), []
    with bar:
        for pixels, numbers, errors in loader:
            batch = list(zip(itertools.islice(coming, len(errors)), errors))
            pictures = {
                image.name: functools.partial(_picture, image)
                for image, error in batch
                if error is None
            }
            # Those before a bad one are finished first, and kept.
            found = (
                sampler.sample_batch(
                    sampler.features(pixels), numbers, options, batch_size, pictures
                )
                if numbers
                else ()
            )
            sampled = zip(numbers, found, strict=True)
            for image, error in batch:
                if error is None:
                    journal.add(_entry(image.name, *next(sampled)))
                elif skip_bad_images:
                    skipped.append(error)
                else:
                    raise InputError(f"{error}; or leave such images out: --skip-bad-images")
                bar.update()
    return skipped


def _picture(image):
    return image.open()[0]


def _count(journal, skipped):
    images = without_pair = pairs = left_out = malformed = 0
    for entry in journal.entries():
        images += 1
        pairs += len(entry["pairs"])
        without_pair += not entry["pairs"]
        left_out += entry["left_out"]
        malformed += entry["malformed"]
    return Counts(images, without_pair, pairs, left_out, malformed, skipped)


def _records(journal, options, model, judged):
    """Yields each pair of the journal as it is written to
    files, see :mod:`vqapg.export.outputs`.
    """
    for entry in journal.entries():
        for pair in entry["pairs"]:
            yield {
                "image": entry["image"],
                "question": pair["question"],
                "answer": pair["answer"],
                "score": pair["score"],
                **({"consistency": pair["consistency"]} if judged else {}),
                "seed": options.seed,
                "draw": pair["draw"],
                "model": model,
            }


def _entry(name, number, sampled):
    return {
        "image": name,
        "number": number,
        "left_out": sampled.left_out,
        "malformed": sampled.malformed,
        "pairs": [
            {
                "question": pair.question,
                "answer": pair.answer,
                "score": pair.score,
                "consistency": pair.consistency,
                "draw": pair.draw,
                "weights": {
                    text: base64.b64encode(weights).decode()
                    for text, weights in pair.region_weights.items()
                },
            }
            for pair in sampled
        ],
    }


def _collate(items):
    """Pixels ``[n, 3, S, S]`` and numbers of those that could be read, and for every image its
    error or None.
    """
    read = [item for item in items if not isinstance(item, str)]
    pixels = torch.stack([pixels for pixels, _ in read]) if read else None
    errors = [item if isinstance(item, str) else None for item in items]
    return share((pixels, [number for _, number in read], errors))
