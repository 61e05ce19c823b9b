"""Truth against distinct right pairs, as draws are refined and rescored (docs/generate.md).

    python benchmarks/rescore_frontier.py DATA runs/*/seed-*/final.pt --output frontier

DATA is a data directory whose truth is known: easy-VQA or scenes. Each checkpoint generates --pairs
pairs of the test split, at even distances, for every K of --rescore and every N of --refine. All
have the same seed, so a row's draws hold those of the rows with a smaller K. It prints a Markdown
table and writes frontier.json and frontier.png.

Checkpoints of one model, in folders MODEL/seed-K, stand in one row. A figure is then the mean over
them, and its bracket reaches from the lowest to the highest end of the seeds' 95% intervals over
images. R grows with --pairs: compare rows of one run only.
"""

import argparse
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq.dataclass.configs import GenerationConfig
from tqdm import tqdm

from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.pair_dataset import PairDataset
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair, split_pair
from vqapg.evaluation.metrics import all_metrics, compute_metrics
from vqapg.generation.pair_generator import PairGenerator
from vqapg.judges.truth import truth_of
from vqapg.reports.table import markdown_table
from vqapg.targets import write_json
from vqapg.tasks.checkpoints import load_generation_model
from vqapg.tokens import SEPARATOR

LONGEST = 30  # words of a text
# The rows at once of one decoding: candidates count
ROWS = 1024
COLUMNS = ("true_consistent", "right_pairs", "unique_pairs", "wrong_type", "unanswerable")
Runs = dict[tuple[str, int, int], dict[str, dict[str, Any]]]


def generate(
    checkpoint: Path, data: DataDirectory, count: int, beam: int, seed: int, refine: int, k: int
) -> tuple[list[GeneratedPair], float]:
    """*count* pairs of the test split, and the CPU seconds they took."""
    loaded = load_generation_model(checkpoint)
    store = FeatureStore(data.features_path)
    dataset = PairDataset(data.pairs("test"), loaded.dictionary, store, seed, training=False)
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(int)).tolist()
    options = GenerationConfig(beam=beam, max_len_b=LONGEST)
    separator = loaded.dictionary.index(SEPARATOR)
    generator = PairGenerator(
        loaded.model, loaded.dictionary, separator, options, refine=refine, rescore=k
    )
    pairs, began = [], time.process_time()
    step = max(1, ROWS // k)
    name = f"{checkpoint.parent} refine {refine} rescore {k}"
    for start in tqdm(range(0, len(chosen), step), desc=name, leave=False):
        places = chosen[start : start + step]
        for place, (best,) in zip(
            places, generator.generate([loaded.model], dataset.collater(places))
        ):
            texts = split_pair(loaded.dictionary.string(best["tokens"]))
            image = dataset.pairs[place].image
            pairs.append(GeneratedPair(place, image, *texts, float(best["score"])))
    return pairs, time.process_time() - began


def names_of(checkpoint: Path) -> tuple[str, str]:
    """Model and seed, from the folders of a study; else the checkpoint is a model of its own."""
    folder = checkpoint.resolve().parent
    if folder.name.startswith("seed-"):
        return folder.parent.name, folder.name
    return folder.name, checkpoint.stem


def edges(figures: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean over seeds; lowest and highest end of their intervals."""
    mean = sum(figure["value"] for figure in figures) / len(figures)
    bounds = [figure["ci95"] or [figure["value"]] * 2 for figure in figures]
    return mean, min(low for low, _ in bounds), max(high for _, high in bounds)


def table(runs: Runs) -> str:
    """A row for each model, N and K."""
    first = next(iter(next(iter(runs.values())).values()))
    keys = [key for key in COLUMNS if key in first]
    heads = [all_metrics()[key].head for key in keys]
    rows = []
    for (model, refine, k), seeds in runs.items():
        cells = []
        for key in keys:
            mean, low, high = map(all_metrics()[key].text, edges([s[key] for s in seeds.values()]))
            cells.append(f"{mean} [{low}, {high}]")
        seconds = sum(seed["cpu_seconds"] for seed in seeds.values()) / len(seeds)
        rows.append((model, str(len(seeds)), str(refine), str(k), *cells, f"{seconds:.1f}"))
    return markdown_table(("model", "seeds", "refine", "rescore", *heads, "CPU s"), rows)


def draw(runs: Runs, path: Path) -> None:
    """R against truth: a line for each model and N, its points labelled by K."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 5), constrained_layout=True)
    lines: dict[tuple[str, int], list[tuple[int, dict[str, dict[str, Any]]]]] = {}
    for (model, refine, k), seeds in runs.items():
        lines.setdefault((model, refine), []).append((k, seeds))
    for (model, refine), points in lines.items():
        right, true = (
            np.array([edges([s[key] for s in seeds.values()]) for _, seeds in points])
            for key in ("right_pairs", "true_consistent")
        )
        true = 100 * true
        axes.errorbar(
            right[:, 0],
            true[:, 0],
            xerr=np.abs(right[:, 1:] - right[:, :1]).T,
            yerr=np.abs(true[:, 1:] - true[:, :1]).T,
            marker="o",
            capsize=2,
            linewidth=1,
            label=f"{model}, --refine {refine}",
        )
        for (k, _), x, y in zip(points, right[:, 0], true[:, 0]):
            axes.annotate(f"K={k}", (x, y), xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set_xlabel("R: distinct right pairs")
    axes.set_ylabel("true (%)")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--rescore", type=int, nargs="+", default=[1, 2, 5, 10], metavar="K")
    parser.add_argument("--refine", type=int, nargs="+", default=[0, 1, 2], metavar="N")
    parser.add_argument("--pairs", type=int, default=2000, help="of the test split (default: 2000)")
    parser.add_argument("--beam", type=int, default=3, help="default: 3")
    parser.add_argument("--seed", type=int, default=1, help="of all draws (default: 1)")
    parser.add_argument("--output", type=Path, default=Path("frontier"), help="without ending")
    args = parser.parse_args()
    # fairseq has set it up at its lowest level
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    runs: Runs = {}
    try:
        data = DataDirectory(args.data)
        truth = truth_of(data, "test")
        if truth is None:
            raise InputError(f"{args.data}: nobody knows its truth; give easy-VQA or scenes")
        for checkpoint in args.checkpoints:
            model, seed = names_of(checkpoint)
            for refine in args.refine:
                for k in args.rescore:
                    pairs, seconds = generate(
                        checkpoint, data, args.pairs, args.beam, args.seed, refine, k
                    )
                    found = compute_metrics(pairs, truth=truth, seed=args.seed)
                    kept = {key: found[key] for key in COLUMNS if key in found}
                    of_seeds = runs.setdefault((model, refine, k), {})
                    of_seeds[seed] = kept | {"cpu_seconds": seconds, "pairs": len(pairs)}
    except InputError as error:
        sys.exit(f"rescore_frontier.py: {error}")
    records = [
        {"model": model, "refine": refine, "rescore": k, "seeds": seeds}
        for (model, refine, k), seeds in runs.items()
    ]
    about = {"pairs": args.pairs, "beam": args.beam, "seed": args.seed}
    write_json(args.output.with_suffix(".json"), about | {"runs": records}, overwrite=True)
    draw(runs, args.output.with_suffix(".png"))
    print(table(runs))


if __name__ == "__main__":
    main()
