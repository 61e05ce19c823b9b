"""A run over many images: read, sample, keep what is finished, write everything at the end."""

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from vqapg.demo import name_of
from vqapg.errors import InputError, RunError, printable, shortage
from vqapg.evaluation.judge_verdict import in_words
from vqapg.export.gallery import our_page, write_gallery
from vqapg.export.outputs import write_records
from vqapg.sampling.entries import count, entry_of, records_of
from vqapg.sampling.image_stream import sample_each
from vqapg.sampling.journal import Journal
from vqapg.sampling.made_by import made_by
from vqapg.targets import check_target

if TYPE_CHECKING:
    from vqapg.sampling.options import SamplingOptions
    from vqapg.sampling.sampler import PairSampler

FORMAT_VERSION = 5


def run(
    sampler,
    images,
    part,
    options,
    destination,
    *,
    shard=None,
    overwrite=False,
    sample: Callable[..., list[str]] | None = None,
    **how,
):
    """Sample pairs for the images of *part* and write them; a run that was stopped is gone on with.

    Args:
        sampler: :class:`~vqapg.sampling.sampler.PairSampler`
        images: list of :class:`~vqapg.data.input_image.InputImage`, of which *part* holds some or
            all
        options: SamplingOptions, checked
        destination: :class:`~vqapg.export.outputs.Destination`
        shard: which of how many parts *part* is, as --shard says it
        overwrite: begin anew, whatever an earlier run left
        sample: adds to the journal what is missing, given options and journal; None: this process
            does, with the sampler
        how: arguments of sample_images

    Returns Counts. Raises InputError when an image, or none at all, can be read; RunError when the
    machine runs short of something, such as the disk or the GPU's memory.
    """
    judge = None if sampler.judge is None else sampler.judge.name
    identity = identity_of(sampler.name, judge, options, shard)
    journal = Journal(destination.journal, identity, part, overwrite)
    try:
        sample = sample or functools.partial(sample_images, sampler)
        counts = count(journal, sample(options, journal, **how))
        if not counts.images:
            raise InputError(f"no image can be read; the first: {counts.skipped[0]}")
        write_records(
            destination.output,
            destination.format,
            records_of(
                journal,
                options,
                sampler.name,
                judged=sampler.judge is not None,
                chooser=sampler.chooser(options),
                split=destination.split,
            ),
            images,
            overwrite=destination.replace,
            origin=dataclasses.replace(destination.origin, made=made_by(sampler, options)),
        )
        if destination.html is not None:
            check_target(destination.html, our_page, overwrite=destination.replace)
            write_gallery(
                destination.html,
                journal.entries(),
                part,
                grid=sampler.grid,
                boxes=sampler.boxes,
                about=about(sampler, options),
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


def about(sampler: "PairSampler", options: "SamplingOptions") -> dict[str, Any]:
    """What the page says of the run; options of choosing only where they were given."""
    shown: dict[str, Any] = {
        "model": f"{printable(name_of(sampler.checkpoint))} ({sampler.name})",
        "seed": options.seed,
        "draws of each image": sampler.draws(options),
    }
    if verdict := sampler.verdict():
        shown["judge"] = in_words(verdict)
    if weakness := sampler.weakness(options):
        shown["warning"] = weakness
    if options.min_consistency is not None:
        shown["min-consistency"] = options.min_consistency
    if options.keep is not None:
        shown |= {"keep": options.keep, "diversity": options.diversity}
    return shown


def identity_of(
    checkpoint: str, judge: object, options: "SamplingOptions", shard: object
) -> dict[str, Any]:
    """What a run makes: whatever decides about its entries, beside the images.

    Args:
        checkpoint: the model's name, with its checksum
        judge: what tells the judge from others; None without one
        options: of drawing and choosing
        shard: shards lie in files of their own
    """
    return {
        "journal": f"vqapg sample {FORMAT_VERSION}",
        "checkpoint": checkpoint,
        "judge": judge,
        "shard": shard,
        **dataclasses.asdict(options),
    }


def _kept(journal, overwrite):
    command = "the same command without --overwrite" if overwrite else "the same command"
    return (
        f"{journal.done:,} of {len(journal.images):,} images are done and kept, {command} goes on"
    )


def sample_images(
    sampler, options, journal, *, batch_size=256, num_workers=2, skip_bad_images=False, quiet=False
):
    """Sample pairs for those images that *journal* has no entry of yet.

    Args:
        journal: a Journal, or Entries
        batch_size: how many draws are decoded together
        num_workers: processes that read images
        skip_bad_images: leave out an image that cannot be read instead of stopping at it
        quiet: show no progress

    Returns what was wrong with each image left out.

    Raises:
        InputError: when an image cannot be read
    """
    left, total = journal.left(), len(journal.images)
    bar = tqdm(
        total=total,
        initial=total - len(left),
        desc="sampling",
        unit="image",
        mininterval=1,
        delay=1,
        leave=False,
        disable=quiet,
    )
    skipped = []
    with bar:
        for image, number, sampled, error in sample_each(
            sampler, left, options, batch_size=batch_size, num_workers=num_workers
        ):
            # Those before a bad one are finished, and kept.
            if error is None:
                journal.add(entry_of(image.name, number, sampled))
            elif skip_bad_images:
                skipped.append(error)
            else:
                raise InputError(f"{error}; or leave such images out: --skip-bad-images")
            bar.update()
    return skipped
