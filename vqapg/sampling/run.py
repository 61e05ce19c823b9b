"""A run over many images: read, sample, keep what is finished, write everything at the end."""

import base64
import dataclasses
import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from vqapg.errors import InputError, RunError
from vqapg.sampling.gallery import write_gallery
from vqapg.sampling.journal import Journal
from vqapg.sampling.outputs import write_records

FORMAT_VERSION = 1


class Counts(NamedTuple):
    """How many images came to what, and how many pairs were kept."""

    images: int
    without_pair: int
    pairs: int
    malformed: int
    skipped: list[str]  # what was wrong with each image that was left out, its name first


class Destination(NamedTuple):
    """What is written: the output in its format, and the page's path or None."""

    output: Path
    format: str
    html: Path | None

    @property
    def journal(self):
        return self.output.with_name(f"{self.output.name}.partial")


def run(sampler, images, part, options, destination, *, overwrite=False, **how):
    """Sample pairs for the images of *part* and write them; a run that was stopped is gone on with.

    Args:
        sampler: :class:`~vqapg.sampling.sampler.PairSampler`
        images: list of :class:`~vqapg.sampling.images.InputImage`, of which *part* holds some or all
        options: SamplingOptions, checked
        overwrite: begin anew, whatever an earlier run left
        how: arguments of sample_images

    Returns Counts. Raises InputError when an image, or none at all, can be read; RunError when the disk is full, or the
    GPU's memory.
    """
    journal = Journal(destination.journal, _identity(sampler, options, part), overwrite)
    try:
        sample_images(sampler, part, options, journal, **how)
        counts = _count(journal)
        if not counts.images:
            raise InputError(f"no image can be read; the first: {counts.skipped[0]}")
        write_records(destination.output, destination.format, _records(journal, options, sampler.name), images)
        if destination.html is not None:
            write_gallery(
                destination.html, journal.entries(), part, grid=sampler.backbone.grid, about=_about(sampler, options),
                judged=sampler.evaluator is not None, min_consistency=options.min_consistency,
            )
    except OSError as error:
        raise RunError(
            f"{destination.output}: cannot be written ({error.strerror}); make room and run the same command again: "
            f"{journal.done:,} of {len(part):,} images are done and kept"
        ) from error
    finally:
        journal.close()
    journal.path.unlink()
    return counts


def _about(sampler, options):
    """What the page says of the run; options of choosing only where they were given."""
    about = {"model": sampler.name, "seed": options.seed, "draws of each image": sampler.draws(options)}
    if options.min_consistency is not None:
        about["min-consistency"] = options.min_consistency
    if options.keep is not None:
        about |= {"keep": options.keep, "diversity": options.diversity}
    return about


def _identity(sampler, options, images):
    """What a run makes: whatever decides about its entries."""
    return {
        "format": FORMAT_VERSION,
        "checkpoint": sampler.name,
        "evaluator": sampler.evaluator_name,
        "number of images": len(images),
        "names of images": hashlib.sha256("\n".join(image.name for image in images).encode()).hexdigest(),
        **dataclasses.asdict(options),
    }


def sample_images(sampler, images, options, journal, *, batch_size=256, num_workers=2, skip_bad_images=False):
    """Sample pairs for those of *images* that *journal* does not hold yet; an entry of it is an image's.

    Args:
        batch_size: how many draws are decoded together
        num_workers: processes that read images
        skip_bad_images: leave out an image that cannot be read instead of stopping at it

    Raises:
        InputError: when an image cannot be read
        RunError: when the GPU's memory is full
    """
    left = images[journal.done :]
    loader = DataLoader(
        _Pictures(left, sampler.backbone.preprocessing),
        batch_size=max(1, batch_size // sampler.draws(options)),
        num_workers=min(num_workers, len(left)),
        collate_fn=_collate,
    )
    bar = tqdm(total=len(images), initial=journal.done, desc="sampling", unit="image", mininterval=1, delay=1, leave=False)
    try:
        with bar:
            for pixels, numbers, errors in loader:
                # Those before a bad one are finished first, and kept.
                sampled = iter(sampler.sample_batch(sampler.features(pixels), numbers, options, batch_size) if numbers else ())
                for error in errors:
                    name = images[journal.done].name
                    if error is None:
                        journal.add(_entry(name, next(sampled)))
                    elif skip_bad_images:
                        journal.add({"image": name, "skipped": error})
                    else:
                        raise InputError(f"{error}; or leave such images out: --skip-bad-images")
                    bar.update()
    except torch.cuda.OutOfMemoryError as error:
        raise RunError(
            f"the GPU's memory is full; run again with a smaller --batch-size than {batch_size}: {journal.done:,} of "
            f"{len(images):,} images are done and kept"
        ) from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{journal.done:,} of {len(images):,} images are done and kept, the same command goes on"
        ) from None


def _count(journal):
    images = without_pair = pairs = malformed = 0
    skipped = []
    for entry in journal.entries():
        if "skipped" in entry:
            skipped.append(entry["skipped"])
            continue
        images += 1
        pairs += len(entry["pairs"])
        without_pair += not entry["pairs"]
        malformed += entry["malformed"]
    return Counts(images, without_pair, pairs, malformed, skipped)


def _records(journal, options, model):
    """Yields each pair of the journal as it is written to files, see :mod:`vqapg.sampling.outputs`."""
    for entry in journal.entries():
        for pair in entry.get("pairs", ()):
            yield {
                "image": entry["image"],
                "question": pair["question"],
                "answer": pair["answer"],
                "score": pair["score"],
                **({} if pair["consistency"] is None else {"consistency": pair["consistency"]}),
                "seed": options.seed,
                "draw": pair["draw"],
                "model": model,
            }


def _entry(name, sampled):
    return {
        "image": name,
        "malformed": sampled.malformed,
        "pairs": [
            {
                "question": pair.question,
                "answer": pair.answer,
                "score": pair.score,
                "consistency": pair.consistency,
                "draw": pair.draw,
                "weights": {text: base64.b64encode(weights).decode() for text, weights in pair.region_weights.items()},
            }
            for pair in sampled
        ],
    }


class _Pictures(Dataset):
    """Reads in the loader's workers. An error travels as text: raised there it would end in a traceback."""

    def __init__(self, images, preprocessing):
        self.images = images
        self.preprocessing = preprocessing

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        try:
            picture, number = self.images[index].open()
        except InputError as error:
            return str(error)
        return self.preprocessing.resize(picture), number


def _collate(items):
    """Pixels ``[n, 3, S, S]`` and numbers of those that could be read, and for every image its error or None."""
    read = [item for item in items if not isinstance(item, str)]
    pixels = torch.stack([pixels for pixels, _ in read]) if read else None
    return pixels, [number for _, number in read], [item if isinstance(item, str) else None for item in items]
