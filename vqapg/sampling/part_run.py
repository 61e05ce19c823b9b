"""One part of a run: sampled, and written as a whole."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from vqapg.export.gallery import write_gallery
from vqapg.export.records import COLUMNS, JUDGED, SAMPLED
from vqapg.sampling.entries import Entries, count, records_of
from vqapg.sampling.image_parts import Part
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.parts_folder import PartsFolder
from vqapg.sampling.passed_over import Reason
from vqapg.sampling.run import about, sample_images
from vqapg.sampling.sampler import PairSampler


def make_part(
    sampler: PairSampler,
    options: SamplingOptions,
    folder: PartsFolder,
    number: int,
    part: Part,
    *,
    page: bool = False,
    **how: Any,
) -> dict[str, Any]:
    """Write the pairs of *part* to *folder*; a part that is done stays as it is.

    Args:
        sampler: draws and judges
        options: checked
        folder: of the run
        number: of the part
        part: its images
        page: also write a page of it, to be joined with others
        how: arguments of :func:`~vqapg.sampling.run.sample_images`

    Returns:
        what came of it: :class:`~vqapg.sampling.counts.Counts` by name, and ``"passed_over"``, how
        many files by reason

    Raises:
        InputError: if the part, or an image of it, cannot be read
        RunError: if the disk is full
    """
    if (came := folder.done(number)) is not None:
        return came
    passed_over: Counter[Reason] = Counter()
    judged = sampler.judge is not None
    with part.open(passed_over) as images:
        entries = Entries(images)
        counts = count(entries, sample_images(sampler, options, entries, quiet=True, **how))
        if page:
            with tempfile.TemporaryDirectory(prefix="vqapg-") as place:
                path = Path(place) / "page.html"
                write_gallery(
                    path,
                    entries.entries(),
                    images,
                    grid=sampler.grid,
                    boxes=sampler.boxes,
                    about=about(sampler, options),
                    judged=judged,
                    min_consistency=options.min_consistency,
                )
                folder.write(page_name(number), path.read_bytes())
    came = {
        **counts.as_json(),
        "passed_over": {reason.name: many for reason, many in passed_over.items() if many},
    }
    chooser = sampler.chooser(options)
    kind = 0 if not judged else 1 if chooser is None else 2
    columns = (*COLUMNS, *JUDGED[kind], *SAMPLED)
    records = records_of(entries, options, sampler.name, judged=judged, chooser=chooser)
    folder.write_part(number, records, came, columns)
    return came


def page_name(number: int) -> str:
    """The file of a part's page in the folder of the run."""
    return f"_vqapg/{number:05}.html"
