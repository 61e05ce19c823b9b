"""``vqapg sample --ray``: the parts of a run on many machines.

Ray hands the parts out and starts what died again. What is done is kept by
:class:`~vqapg.sampling.parts_folder.PartsFolder`, so the driver may die too.
"""

import dataclasses
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from vqapg.data.remote_files import is_remote, open_remote
from vqapg.denormals import flush_denormals
from vqapg.errors import InputError, RunError
from vqapg.export.gallery import MOST_IMAGES
from vqapg.export.gallery_join import join_galleries
from vqapg.locks import Lock
from vqapg.ray_pool import actor_needs, cluster, results
from vqapg.sampling.counts import Counts
from vqapg.sampling.image_parts import Part
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.part_run import make_part, page_name
from vqapg.sampling.parts_folder import PartsFolder
from vqapg.sampling.passed_over import Reason
from vqapg.sampling.picture_sampler import load

# A shard is not listed before its part is made; for the page it counts as so many images.
SHARD_IMAGES = 100


@dataclass(frozen=True)
class Job:
    """What every actor needs to know.

    Attributes:
        checkpoint, judge, weights: as ``load`` takes them
        options: of drawing and choosing
        folder: that the parts are written to
        pages: the parts of which a page is written
        how: arguments of ``sample_images``
        device: of every actor
    """

    checkpoint: str
    judge: str | None
    weights: str
    options: SamplingOptions
    folder: PartsFolder
    pages: frozenset[int] = frozenset()
    how: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"

    def load(self) -> Callable[[int, Part], dict[str, Any]]:
        """Load the model; see :class:`vqapg.ray_pool.Job`.

        Raises:
            InputError: as ``load`` of the sampler
        """
        flush_denormals()
        sampler = load(self.checkpoint, judge=self.judge, weights=self.weights, device=self.device)

        def make(number: int, part: Part) -> dict[str, Any]:
            page = number in self.pages
            counts = make_part(
                sampler, self.options, self.folder, number, part, page=page, **self.how
            )
            return {"counts": counts, "notes": sampler.notes(self.options)}

        return make


class Done(NamedTuple):
    """What a run came to.

    Attributes:
        counts: of all parts
        passed_over: by the parts, of files that are no images
        notes: what the user should know
    """

    counts: Counts
    passed_over: Counter[Reason]
    notes: list[str]


def sample_on_ray(
    parts: Sequence[Part],
    job: Job,
    identity: Mapping[str, Any],
    *,
    address: str = "",
    device: str = "auto",
    html: Path | None = None,
    overwrite: bool = False,
) -> Done:
    """Make the *parts* on a cluster of Ray; a run that was stopped is gone on with.

    Args:
        parts: of the input
        job: how each is made; its pages and device are set here
        identity: what decides about the pairs
        address: of the cluster, see :func:`~vqapg.ray_pool.cluster`
        device: auto, cpu or cuda
        html: the page to write; ask :func:`vqapg.targets.check_target` first
        overwrite: begin anew, whatever an earlier run finished

    Raises:
        InputError: if there is no Ray or cluster, the output is not to be replaced, or the input
            cannot be read
        RunError: if a machine runs short of something, or Ray gives up
    """
    folder = job.folder
    with cluster(address) as ray, _alone(folder):
        actor_device, needs, most = actor_needs(ray, device)
        folder.begin(identity, overwrite=overwrite)
        came = folder.finished()
        left = [(number, part) for number, part in enumerate(parts) if number not in came]
        pages = pages_of(parts) if html is not None else []
        how = {**job.how, **({"num_workers": 0} if actor_device == "cpu" else {})}
        job = dataclasses.replace(job, device=actor_device, pages=frozenset(pages), how=how)
        notes: dict[str, None] = {}
        bar = tqdm(total=len(parts), initial=len(came), desc="sampling", unit="part", leave=False)
        try:
            with bar:
                for number, made in results(ray, job, left, actors=most, needs=needs):
                    came[number] = made["counts"]
                    notes |= dict.fromkeys(made["notes"])
                    bar.update()
        except RunError as error:
            raise RunError(f"{error}: {_kept(came, parts, overwrite)}") from error
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_kept(came, parts, overwrite)) from None
    total = Counts.sum(Counts.from_json(came[number]) for number in sorted(came))
    if not total.images:
        first = f"; the first: {total.skipped[0]}" if total.skipped else ""
        raise InputError(f"no image can be read{first}; name others")
    if html is not None:
        _join_pages(folder, pages, html, total)
    folder.finish(total.as_json())
    passed_over: Counter[Reason] = Counter()
    for one in came.values():
        passed_over.update({Reason[name]: many for name, many in one["passed_over"].items()})
    return Done(total, passed_over, list(notes))


def pages_of(parts: Sequence[Part]) -> list[int]:
    """The first parts that have as many images as a page can show."""
    shown, numbers = 0, []
    for number, part in enumerate(parts):
        if shown >= MOST_IMAGES:
            break
        numbers.append(number)
        shown += len(part.images) if part.shard is None else SHARD_IMAGES
    return numbers


def _alone(folder: PartsFolder) -> AbstractContextManager[Any]:
    """Keeps other runs out of a local folder."""
    if is_remote(folder.output):
        return nullcontext()
    return Lock(Path(os.path.abspath(folder.output)))


def _join_pages(folder: PartsFolder, numbers: list[int], html: Path, total: Counts) -> None:
    with tempfile.TemporaryDirectory(prefix="vqapg-") as place:
        pages = []
        for number in numbers:
            page = folder.place(page_name(number))
            if is_remote(page):
                copy = Path(place) / f"{number}.html"
                with open_remote(page) as file:
                    copy.write_bytes(file.read())
                page = str(copy)
            pages.append(Path(page))
        join_galleries(pages, html, {"images": total.images, "pairs": total.pairs})


def _kept(came: Mapping[int, Any], parts: Sequence[Part], overwrite: bool) -> str:
    command = "the same command without --overwrite" if overwrite else "the same command"
    return f"{len(came):,} of {len(parts):,} parts are done and kept, {command} goes on"
