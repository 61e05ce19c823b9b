"""What is used of Ray: a pool of actors that take one part after the other.

Ray is imported when it is asked for. https://docs.ray.io/en/latest/data/data.html
"""

import json
import logging
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from vqapg.errors import InputError, RunError, shortage


class Job(Protocol):
    """What the actors of a pool do. It is pickled on its way to them."""

    def load(self) -> Callable[[int, Any], Any]:
        """Loads what takes long, once an actor.

        Returns:
            a function of a part's number and content; what it returns goes through JSON
        """
        ...


class PartActor:
    """An actor of Ray: loads once, then makes part after part.

    What it says of a part is JSON. An error is said too, for one that is raised would come to the
    driver as Ray tells it.

    Args:
        job: what it does
        home: the folder that relative paths begin at
        modules: where the driver finds modules, such as a judge of one's own
    """

    def __init__(self, job: Job, home: str, modules: list[str]) -> None:
        self.job, self.home, self.modules = job, home, modules
        self._make: Callable[[int, Any], Any] | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        return {
            "said": [
                json.dumps(self._say(int(number), pickle.loads(part)))
                for number, part in zip(batch["number"], batch["part"], strict=True)
            ]
        }

    def _say(self, number: int, part: Any) -> dict[str, Any]:
        try:
            if self._make is None:
                # Ray starts its processes wherever its own was started.
                if os.path.isdir(self.home):
                    os.chdir(self.home)
                sys.path.extend(path for path in self.modules if path not in sys.path)
                self._make = self.job.load()
            return {"part": number, "came": self._make(number, part)}
        except InputError as error:
            return {"input error": str(error)}
        except RunError as error:
            return {"run error": str(error)}
        except Exception as error:
            if (short := shortage(error)) is not None:
                return {"run error": short}
            # Ray would show a shortened one.
            return {"traceback": traceback.format_exc()}


def ray_data() -> Any:
    """The package ``ray``, with ``ray.data``.

    Raises:
        InputError: if it is not installed
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(
            "--ray: needs the package ray; pip install 'vqapg[ray]' on every machine"
        ) from error
    return ray


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """Connects to Ray's cluster at *address*, and gives the package.

    Args:
        address: ``host:port`` or ``auto``; empty: a cluster that runs on this machine, else one
            that is started for this run alone

    Raises:
        InputError: if there is no Ray, or no such cluster
    """
    ray = ray_data()
    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address=address or None,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        said = str(error).partition("\n")[0]
        raise InputError(
            f"--ray {address}: no cluster of Ray answers there ({said}); start one with "
            "ray start --head, or leave the address out"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def actor_needs(ray: Any, device: str) -> tuple[str, dict[str, int], int]:
    """The device of every actor, what it takes of a machine, and how many there can be.

    An actor has a GPU and a core for itself, or a core where the cluster has no GPU.

    Raises:
        InputError: if there is no such device
    """
    resources = ray.cluster_resources()
    cores, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"--device {device}: Ray hands out the GPUs; give --device cuda")
    if device == "cuda" and not gpus:
        raise InputError("--device cuda: the cluster has no GPU; give --device cpu")
    if gpus and device != "cpu":
        return "cuda", {"num_gpus": 1, "num_cpus": 1}, min(gpus, max(cores, 1))
    return "cpu", {"num_cpus": 1}, max(cores, 1)


def results(
    ray: Any,
    job: Job,
    parts: Iterable[tuple[int, Any]],
    *,
    actors: int,
    needs: dict[str, int],
) -> Iterator[tuple[int, Any]]:
    """Yields the number of each part and what came of it, in the order in which they are done.

    Ray starts an actor again whose process or machine has died, and gives the part that it was at
    work on to another one.

    Args:
        ray: the package, connected
        job: what each actor does
        parts: number and content of each, which can be pickled
        actors: how many
        needs: what each takes of a machine

    Raises:
        InputError: if an actor did
        RunError: if a machine runs short of something, or Ray gives up
    """
    rows = [{"number": number, "part": pickle.dumps(part)} for number, part in parts]
    if not rows:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # A part may take an hour; Ray would end a run that has finished none for half of one.
    context.execution_no_progress_timeout_s = -1
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    pool = ray.data.ActorPoolStrategy(
        size=max(1, min(actors, len(rows))), max_tasks_in_flight_per_actor=1
    )
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        PartActor,
        fn_constructor_args=(job, os.getcwd(), list(sys.path)),
        batch_size=1,
        compute=pool,
        **needs,
    )
    try:
        for row in done.iter_rows():
            said = json.loads(row["said"])
            if "input error" in said:
                raise InputError(said["input error"])
            if "run error" in said:
                raise RunError(said["run error"])
            if "traceback" in said:
                raise RuntimeError(f"an actor of Ray failed\n{said['traceback']}")
            yield said["part"], said["came"]
    except ray.exceptions.RayError as error:
        said = str(error).strip().partition("\n")[0]
        raise RunError(f"--ray: {said or type(error).__name__}") from error
