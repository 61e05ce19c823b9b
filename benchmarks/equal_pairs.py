"""The models of a study beside each other, at as many pairs of each image.

    python benchmarks/equal_pairs.py runs/easy-vqa-small --evaluator
    runs/easy-vqa-small/evaluator/final.pt

It reads runs/easy-vqa-small/MODEL/seed-K/generate-test.txt, and prints two Markdown tables: what
was said, and how much of it is right. Pairs of another system stand in the same tables:

    ... --pairs "my system=my-pairs.jsonl"

A model of a study generates one pair for each test pair, so every model tries as often for an
image. Images differ in that number, from 2 to 20 on easy-VQA, and other systems give a fixed one.
D, N and the Vendi score grow with the number of pairs. So --pairs-per-image pairs of each image are
drawn, the same places of every model, and images with fewer are left out for all.

Where a study has several seeds, a figure is the mean over them. Its bracket reaches from the lowest
to the highest end of the seeds' 95% intervals over images.
"""

import argparse
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.evaluation.equal_pairs import draw_pairs
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.generated import read_generated
from vqapg.evaluation.metrics import all_metrics, compute_metrics
from vqapg.evaluation.visual_dependence import with_another_image
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, evaluator_spec, make_judge, score_triples
from vqapg.judges.truth import Truth, truth_of

TABLES = (
    ("distinct4", "unique_pairs", "vendi", "distinct_pairs_per_image"),
    ("true_consistent", "consistent", "visual_dependence", "unanswerable"),
)


def files_of(study: Path, others: Iterable[str]) -> dict[str, list[Path]]:
    """The files of pairs by system, the study's models first."""
    files: dict[str, list[Path]] = {}
    for path in sorted(study.glob("*/seed-*/generate-test.txt")):
        files.setdefault(path.parent.parent.name, []).append(path)
    for named in others:
        name, _, path = named.partition("=")
        if not path:
            raise InputError(f"--pairs {named}: give NAME=FILE")
        files.setdefault(name, []).append(Path(path))
    if not files:
        raise InputError(f"{study}: no MODEL/seed-K/generate-test.txt in it; give a study's folder")
    return files


def measure(
    path: Path, data: DataDirectory, judge: Judge, truth: Truth | None, count: int, seed: int
) -> dict[str, Any]:
    """The metrics of *count* pairs of each image; overlap with gold pairs is not among them."""
    pairs, left_out = draw_pairs(read_generated(path, data), count, seed)
    if not pairs:
        raise InputError(f"{path}: no image has {count} pairs; give a smaller --pairs-per-image")
    triples = distinct_triples(pairs)
    images = list(dict.fromkeys(pair.image for pair in pairs))
    elsewhere = with_another_image(triples, images, seed)
    scores = score_triples(judge, triples)
    metrics = compute_metrics(
        pairs, scores, truth, scores_elsewhere=score_triples(judge, elsewhere), seed=seed
    )
    return metrics | {"images_left_out": left_out}


def cell(key: str, seeds: list[dict[str, Any]]) -> str:
    """The mean over *seeds* with its bracket, as text."""
    metric = all_metrics()[key]
    figures = [found[key] for found in seeds if found.get(key, {}).get("value") is not None]
    if not figures:
        return "-"
    mean = sum(figure["value"] for figure in figures) / len(figures)
    bounds = [figure["ci95"] for figure in figures if figure["ci95"] is not None]
    if not bounds:
        return metric.text(mean)
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    return f"{metric.text(mean)} [{metric.text(low)}, {metric.text(high)}]"


def table(keys: Iterable[str], found: dict[str, list[dict[str, Any]]]) -> str:
    """A Markdown table: a row for each system, a column for each of *keys* that somebody has."""
    known = [key for key in keys if any(key in seed for seeds in found.values() for seed in seeds)]
    heads = ["system", *(all_metrics()[key].head for key in known)]
    rows = [[name, *(cell(key, seeds) for key in known)] for name, seeds in found.items()]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path, help="the study's folder, with data/ in it")
    parser.add_argument("--evaluator", required=True, metavar="CKPT", help="the one judge of all")
    parser.add_argument("--pairs", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--pairs-per-image", type=int, default=5, metavar="K", help="default: 5")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    args = parser.parse_args()
    # fairseq would set it up at its lowest level
    logging.basicConfig(level=logging.WARNING)
    try:
        files = files_of(args.study, args.pairs)
        data = DataDirectory(args.study / "data")
        judge = make_judge(evaluator_spec(args.evaluator), JudgeContext(data, "test"))
        truth = truth_of(data, "test")
        found: dict[str, list[dict[str, Any]]] = {}
        for name, paths in files.items():
            for path in paths:
                print(path, file=sys.stderr)
                metrics = measure(path, data, judge, truth, args.pairs_per_image, args.seed)
                found.setdefault(name, []).append(metrics)
    except InputError as error:
        sys.exit(f"equal_pairs.py: {error}")
    kept = {(seed["images"], seed["images_left_out"]) for seeds in found.values() for seed in seeds}
    for images, left_out in sorted(kept):
        print(f"{images:,} images with {args.pairs_per_image} pairs each; {left_out:,} left out.")
    counts = ", ".join(f"{name} {len(seeds)}" for name, seeds in found.items())
    print(f"Seeds: {counts}.")
    for keys in TABLES:
        print(f"\n{table(keys, found)}")


if __name__ == "__main__":
    main()
