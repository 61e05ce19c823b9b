"""What true negatives cost the consistency evaluator, on easy-VQA, whose truth is known.

    python benchmarks/true_negatives.py DATA --run runs/true-negatives --pairs OUT/generate-test.txt
    [MORE...]

DATA is easy-VQA with features. Trains an evaluator as the quickstart does, once with the negatives
as they are drawn and once with those alone that are known to be false, and prints P beside the true
consistency of each file of generated pairs. Of no use elsewhere: on other data nobody knows which
negatives are true. Two trainings of 12 epochs take about 10 minutes on a core; run again, it skips
what is done.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from fairseq.tasks import register_task

from vqapg.cli.main import main as vqapg
from vqapg.judges.easy_vqa_truth import not_wrong, possible_worlds
from vqapg.tasks.vqapg_consistency import ConsistencyConfig, ConsistencyTask

UPDATES_AN_EPOCH = 545  # of 64 pairs
TASKS = {"as drawn": "vqapg_consistency", "true ones removed": "vqapg_consistency_false_negatives"}


@register_task("vqapg_consistency_false_negatives", dataclass=ConsistencyConfig)
class FalseNegativesTask(ConsistencyTask):
    """Trains with negatives that are known to be false.

    Its dev negatives are those of every evaluator.
    """

    def make_dataset(self, pairs, training):
        dataset = super().make_dataset(pairs, training)
        if training:
            # What may be true is treated as listed: it is no negative.
            dataset.negatives.listed |= not_wrong(possible_worlds(self.directory, "train"))
        return dataset


def train(data, folder, task, negatives, epochs, seed):
    """The checkpoint that an evaluator of the quickstart's size ends with."""
    final = folder / f"checkpoint{epochs}.pt"
    if final.exists():
        return final
    folder.mkdir(parents=True, exist_ok=True)
    # fairseq-train, with this module's task registered.
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parent)!r}); import "
        "true_negatives; "
        "from fairseq_cli.train import cli_main; cli_main()"
    )
    flags = (
        f"--task {task} --arch vqapg_consistency --criterion vqapg_consistency --negatives "
        f"{negatives} --cpu "
        "--hidden-size 128 --embed-dim 128 --batch-size 64 --clip-norm 5 --optimizer adam --lr "
        "1e-3 --num-workers 0 "
        f"--lr-scheduler cosine --warmup-updates 300 --max-update {epochs * UPDATES_AN_EPOCH} "
        f"--max-epoch {epochs} "
        f"--no-last-checkpoints --keep-last-epochs 1 --seed {seed}"
    )
    with open(folder / "train.log", "w") as log:
        subprocess.run(
            [sys.executable, "-c", program, data, "--save-dir", str(folder), *flags.split()],
            stdout=log,
            check=True,
        )
    return final


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", metavar="DATA")
    parser.add_argument(
        "--run", type=Path, required=True, metavar="DIR", help="for checkpoints and figures"
    )
    parser.add_argument(
        "--pairs", nargs="+", required=True, metavar="FILE", help="generated pairs to judge"
    )
    parser.add_argument(
        "--negatives", choices=("paper", "hard"), nargs="+", default=["paper", "hard"]
    )
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    lines = [
        "| negatives | pairs | truly consistent (%) | P (%) | gap | accepts a right pair (%) | "
        "rejects a wrong pair (%) |",
        "|---|---|---|---|---|---|---|",
    ]
    for negatives in args.negatives:
        for name, task in TASKS.items():
            folder = args.run / f"{negatives}, {name}".replace(", ", "-").replace(" ", "-")
            checkpoint = train(args.data, folder, task, negatives, args.epochs, args.seed)
            for number, pairs in enumerate(args.pairs):
                output = folder / f"metrics-{number}.json"
                if vqapg(
                    [
                        "evaluate",
                        args.data,
                        "--pairs",
                        pairs,
                        "--evaluator",
                        str(checkpoint),
                        "--output",
                        str(output),
                    ]
                ):
                    sys.exit(2)
                figures = json.loads(output.read_text())
                truth, p = figures["true_consistent"], figures["consistent"]
                cells = [
                    f"{100 * figure['value']:.1f} [{100 * figure['ci95'][0]:.1f}, "
                    f"{100 * figure['ci95'][1]:.1f}]"
                    for figure in (
                        truth,
                        p,
                        figures["evaluator_true_positive_rate"],
                        figures["evaluator_rejection_rate"],
                    )
                ]
                cells.insert(2, f"{100 * (p['value'] - truth['value']):+.1f}")
                lines.append(f"| {negatives}, {name} | {pairs} | " + " | ".join(cells) + " |")
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
