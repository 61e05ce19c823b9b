"""``vqapg sample --ray``: the parts of a run on many machines.

Ray hands the parts out and starts what died again. What is done is kept by
:class:`~vqapg.sampling.parts_folder.PartsFolder`, so the driver may die too.
"""

import dataclasses
import json
import os
import pickle
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from vqapg.data.remote_files import is_remote, open_remote
from vqapg.denormals import flush_denormals
from vqapg.errors import InputError, RunError, shortage
from vqapg.export.gallery import MOST_IMAGES
from vqapg.export.gallery_join import join_galleries
from vqapg.locks import Lock
from vqapg.sampling.counts import Counts
from vqapg.sampling.image_parts import Part
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.part_run import make_part, page_name
from vqapg.sampling.parts_folder import PartsFolder
from vqapg.sampling.passed_over import Reason
from vqapg.sampling.picture_sampler import load
from vqapg.sampling.ray_pool import actor_needs, cluster, results
from vqapg.sampling.sampler import PairSampler

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
        home: the folder that relative paths begin at
        modules: where the driver finds modules, such as a judge of one's own
        device: of every actor
    """

    checkpoint: str
    judge: str | None
    weights: str
    options: SamplingOptions
    folder: PartsFolder
    pages: frozenset[int] = frozenset()
    how: Mapping[str, Any] = field(default_factory=dict)
    home: str = field(default_factory=os.getcwd)
    modules: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    device: str = "cpu"


class PartMaker:
    """An actor of Ray: loads the model once, then makes part after part.

    What it says of a part is JSON. An error is said too, for one that is raised would come to the
    driver as Ray tells it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._sampler: PairSampler | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        return {
            "came": [
                json.dumps(self._make(int(number), pickle.loads(part)))
                for number, part in zip(batch["number"], batch["part"], strict=True)
            ]
        }

    def _make(self, number: int, part: Part) -> dict[str, Any]:
        job = self.job
        try:
            if self._sampler is None:
                # Ray starts its processes wherever its own was started.
                if os.path.isdir(job.home):
                    os.chdir(job.home)
                flush_denormals()
                sys.path.extend(path for path in job.modules if path not in sys.path)
                self._sampler = load(
                    job.checkpoint, judge=job.judge, weights=job.weights, device=job.device
                )
            came = make_part(
                self._sampler,
                job.options,
                job.folder,
                number,
                part,
                page=number in job.pages,
                **job.how,
            )
            return {"part": number, "came": came, "notes": self._sampler.notes(job.options)}
        except InputError as error:
            return {"part": number, "input error": str(error)}
        except RunError as error:
            return {"part": number, "run error": str(error)}
        except Exception as error:
            if (short := shortage(error)) is not None:
                return {"part": number, "run error": short}
            # Ray would show a shortened one.
            return {"part": number, "traceback": traceback.format_exc()}


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
    actors: int | None = None,
) -> Done:
    """Make the *parts* on a cluster of Ray; a run that was stopped is gone on with.

    Args:
        parts: of the input
        job: how each is made; its pages and device are set here
        identity: what decides about the pairs
        address: of the cluster, see :func:`~vqapg.sampling.ray_pool.cluster`
        device: auto, cpu or cuda
        html: the page to write; ask :func:`vqapg.targets.check_target` first
        overwrite: begin anew, whatever an earlier run finished
        actors: at most so many; None: as many as the cluster has room for

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
                most = min(most, actors or most)
                for text in results(ray, PartMaker, job, left, actors=most, needs=needs):
                    said = json.loads(text)
                    if "input error" in said:
                        raise InputError(said["input error"])
                    if "run error" in said:
                        raise RunError(said["run error"])
                    if "traceback" in said:
                        raise RuntimeError(f"an actor of Ray failed\n{said['traceback']}")
                    came[said["part"]] = said["came"]
                    notes |= dict.fromkeys(said["notes"])
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
