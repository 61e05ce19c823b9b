"""Why region scaling hurts on easy-VQA: its variants, trained side by side (docs/scaling.md).

    python benchmarks/scaling.py DATA --runs runs/scaling --seeds 1 2 3
    python benchmarks/scaling.py DATA --runs runs/scaling --table-only

DATA is easy-VQA with features of EfficientNet-Lite0 at 96 pixels. Each run is the variational joint
model of preset small, with the flags of its row. A run takes about 9 minutes of one core. What is
done is skipped, so a killed benchmark continues. It prints Markdown, and writes scaling.json beside
the runs.
"""

import argparse
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vqapg.data.directory import DataDirectory
from vqapg.evaluation.generated import read_generated
from vqapg.evaluation.metrics import compute_metrics
from vqapg.judges.truth import truth_of
from vqapg.reports.table import markdown_table
from vqapg.targets import write_json

OBJECTIVES = {
    "clamp5": ("max(KL, 5), the paper's", "--free-bits-mode paper --kl-free-bits 5"),
    "train3": ("train-prior, 3 nats", "--free-bits-mode train-prior --kl-free-bits 3"),
    "train5": ("train-prior, 5 nats", "--free-bits-mode train-prior --kl-free-bits 5"),
}
SQRT, LINEAR = "--region-scaling-scores scaled-dot-product", "--region-scaling-map linear"
SCALINGS = {
    "none": ("no scaling", "--no-region-scaling"),
    "none_noattn": (
        "no scaling, no alignment",
        "--no-region-scaling --attention-alignment-weight 0",
    ),
    "R": ("x R (the text)", ""),
    "R_start": ("x R, scaled start", "--scaled-start"),
    "x100": ("x 100", "--region-scaling-factor 100"),
    "x100_start": ("x 100, scaled start", "--region-scaling-factor 100 --scaled-start"),
    "sqrt": ("scores / sqrt(D)", SQRT),
    "sqrt_start": ("scores / sqrt(D), scaled start", f"{SQRT} --scaled-start"),
    "linear": ("one linear map", LINEAR),
    "linear_start": ("one linear map, scaled start", f"{LINEAR} --scaled-start"),
    "R_tokenmean": ("x R, token means", "--reconstruction token-mean"),
}
KINDS = ("color", "shape", "presence", "absence")


def train_and_generate(data: Path, folder: Path, scaling: str, objective: str, seed: int) -> None:
    """Makes ``generate-test.txt`` in *folder* by the stock commands, unless it is there."""
    generated = folder / "generate-test.txt"
    if generated.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    preset = subprocess.run(
        ["vqapg", "settings", "joint_variational", "--preset", "small"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    flags = f"{OBJECTIVES[objective][1]} {SCALINGS[scaling][1]} --seed {seed} --cpu"
    with open(folder / "train.log", "a") as log:
        subprocess.run(
            ["fairseq-train", data, *shlex.split(preset), *flags.split(), "--save-dir", folder],
            stdout=log,
            stderr=log,
            env=environment,
            check=True,
        )
    partial = folder / "generate-test.partial"
    with open(partial, "w") as out, open(folder / "generate.log", "w") as log:
        subprocess.run(
            [
                *("fairseq-generate", data, "--user-dir", "vqapg", "--task", "vqapg"),
                *("--path", folder / "checkpoint_last.pt", "--beam", "10", "--max-len-b", "30"),
                *("--batch-size", "256", "--seed", str(seed), "--cpu"),
            ],
            stdout=out,
            stderr=log,
            env=environment,
            check=True,
        )
    partial.replace(generated)


def figures_of(data: Path, folder: Path) -> dict[str, object]:
    """The truth of one run's pairs, and how hard its gate switched in the last epoch."""
    directory = DataDirectory(data)
    pairs = read_generated(folder / "generate-test.txt", directory, "test")
    metrics = compute_metrics(pairs, truth=truth_of(directory, "test"))
    keys = ["true_consistent", "unique_pairs", "possible_pairs_found"]
    found = {key: metrics[key] for key in keys + [f"true_consistent_{kind}" for kind in KINDS]}
    log = (folder / "train.log").read_text()
    for key in ("gate_scores_std", "gate_regions_kept"):
        told = re.findall(rf"\| train \|.*?\| {key} ([\d.]+)", log)
        if told:
            found[key] = float(told[-1])
    return found


def cell(runs: list[dict], key: str, scale: float = 1) -> str:
    """The mean over seeds, and from the lowest to the highest end of their intervals."""
    value = scale * np.mean([run[key]["value"] for run in runs])
    low, high = (
        scale * edge([run[key]["ci95"][i] for run in runs]) for i, edge in ((0, min), (1, max))
    )
    return f"{value:.0f} [{low:.0f}, {high:.0f}]"


def tables(found: dict[str, dict[str, dict]]) -> str:
    """Two tables an objective: what is right of how much, and what is right by question."""
    parts = []
    for objective, (title, _) in OBJECTIVES.items():
        rows = {
            label: list(found[f"{name}-{objective}"].values())
            for name, (label, _) in SCALINGS.items()
            if found.get(f"{name}-{objective}")
        }
        if not rows:
            continue
        seeds = {
            SCALINGS[name][0]: ", ".join(found[f"{name}-{objective}"])
            for name in SCALINGS
            if found.get(f"{name}-{objective}")
        }
        parts.append(f"### {title}")
        parts.append(
            markdown_table(
                ("scaling", "seeds", "truly consistent (%)", "N", "pairs found of 273", "gate"),
                [
                    (
                        label,
                        seeds[label],
                        cell(runs, "true_consistent", 100),
                        cell(runs, "unique_pairs"),
                        cell(runs, "possible_pairs_found"),
                        gate(runs),
                    )
                    for label, runs in rows.items()
                ],
            )
        )
        parts.append(
            markdown_table(
                ("scaling", *KINDS),
                [
                    (label, *(cell(runs, f"true_consistent_{kind}", 100) for kind in KINDS))
                    for label, runs in rows.items()
                ],
            )
        )
    return "\n\n".join(parts)


def gate(runs: list[dict]) -> str:
    """Regions kept, and the scores' standard deviation, means over seeds."""
    if "gate_regions_kept" not in runs[0]:
        return "-"
    kept, std = (
        np.mean([run[f"gate_{key}"] for run in runs]) for key in ("regions_kept", "scores_std")
    )
    return f"{kept:.1f} of 9 kept, sd {std:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--scalings", nargs="+", choices=SCALINGS, default=list(SCALINGS))
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--table-only", action="store_true", help="of what is done; train nothing")
    args = parser.parse_args()
    names = [(s, o, k) for k in args.seeds for o in args.objectives for s in args.scalings]
    if not args.table_only:
        with ThreadPoolExecutor(args.jobs) as pool:
            jobs = [
                pool.submit(
                    train_and_generate, args.data, args.runs / f"{s}-{o}" / f"seed-{k}", s, o, k
                )
                for s, o, k in names
            ]
            for job in tqdm(jobs, unit="run"):
                job.result()
    found: dict[str, dict[str, dict]] = {}
    for scaling, objective, seed in names:
        folder = args.runs / f"{scaling}-{objective}" / f"seed-{seed}"
        if (folder / "generate-test.txt").exists():
            runs = found.setdefault(f"{scaling}-{objective}", {})
            runs[str(seed)] = figures_of(args.data, folder)
    write_json(args.runs / "scaling.json", {"runs": found}, overwrite=True)
    print(tables(found))


if __name__ == "__main__":
    main()
