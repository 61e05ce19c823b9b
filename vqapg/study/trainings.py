"""The runs of fairseq-train that a study needs: two for a pipeline, two for what is pre-trained."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vqapg.study.plan import Plan, Run

DATA = "data"
PARTS = ("x", "y")


class Training(NamedTuple):
    """One run of fairseq-train.

    Attributes:
        run: of the plan
        seed: of it
        part: ``x`` or ``y`` of a pipeline, else empty
        data: the data directory
        start_from: the checkpoint whose weights it begins with
        changes: of the preset's settings
    """

    run: Run
    seed: int
    part: str = ""
    data: str = DATA
    start_from: str | None = None
    changes: tuple[str, ...] = ()


def trainings(plan: Plan, seeds: Sequence[int], table_8: Any) -> dict[str, Training]:
    """Every training by its folder.

    Args:
        plan: has the runs
        seeds: of the study
        table_8: the preset's settings of section 6.6: what ``pretraining`` and ``fine_tuning``
            change of its other settings
    """
    return {
        folder: training
        for run in plan.runs.values()
        for where, seed in run.folders(seeds).items()
        for folder, training in _of_folder(where, Training(run, seed), table_8)
    }


def _of_folder(folder: str, training: Training, table_8: Any) -> Iterator[tuple[str, Training]]:
    run = training.run
    if run.model.startswith("pipeline"):
        for part in PARTS:
            changes = (f"model.sub_model={part}",)
            yield f"{folder}/{part}", training._replace(part=part, changes=changes)
    elif run.pretrained_on:
        before, pairs = f"{folder}/pre-training", f"downstream/data/{run.pretrained_on}"
        yield before, training._replace(data=pairs, changes=(*table_8.pretraining,))
        yield (
            folder,
            training._replace(start_from=f"{before}/final.pt", changes=(*table_8.fine_tuning,)),
        )
    else:
        yield folder, training
