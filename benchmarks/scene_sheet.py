"""The picture and the table of docs/scenes.md: eight drawings with pairs, and pairs by kind.

    vqapg prepare --dataset scenes --dest data/scenes
    python benchmarks/scene_sheet.py data/scenes --output docs/scenes.png

DATA is a data directory of scenes. The drawings are the first eight of the test split, with the
first three of their gold pairs. The table is printed as Markdown.
"""

import argparse
import textwrap
from collections import Counter
from pathlib import Path

from matplotlib import pyplot
from PIL import Image

from vqapg.data.directory import SPLITS, DataDirectory
from vqapg.data.tokenizer import detokenize
from vqapg.datasets.scene_grammar import ASKED_FOR, parse
from vqapg.reports.table import markdown_table

ROWS, COLUMNS, PAIRS = 2, 4, 3
WIDTH = 46  # characters of a line


def draw_sheet(data: DataDirectory, output: Path) -> None:
    """Write the picture *output*."""
    pairs = data.pairs("test")
    figure, axes = pyplot.subplots(ROWS, COLUMNS, figsize=(9, 5.9), layout="constrained")
    for axis, image in zip(axes.flat, data.image_ids("test")):
        axis.imshow(Image.open(data.image_path(image)), interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([])
        shown = [pair for pair in pairs if pair.image == image][:PAIRS]
        texts = [f"{detokenize(pair.question.split())} {pair.answer}" for pair in shown]
        lines = [line for text in texts for line in textwrap.wrap(text, WIDTH)]
        axis.set_xlabel("\n".join(lines), fontsize=6, loc="left")
    figure.savefig(output, dpi=110)


def table(data: DataDirectory) -> str:
    """How many pairs each kind has, by split, and its answers in the train split."""
    counts = {split: Counter[str]() for split in SPLITS}
    answers: dict[str, Counter[str]] = {kind: Counter() for kind in ASKED_FOR}
    for split in SPLITS:
        for pair in data.pairs(split):
            question = parse(pair.question)
            assert question is not None, pair
            counts[split][question.asks] += 1
            if split == "train":
                answers[question.asks][pair.answer] += 1
    rows = []
    for kind in ASKED_FOR:
        [(answer, times)] = answers[kind].most_common(1)
        most = f"{answer} {100 * times / answers[kind].total():.0f}%"
        rows.append((kind, *(f"{counts[split][kind]:,}" for split in SPLITS), most))
    return markdown_table(("kind", *SPLITS, "most frequent answer"), rows)


def main() -> None:
    """Draw, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", metavar="DATA", type=Path)
    parser.add_argument("--output", metavar="PNG", type=Path, required=True)
    args = parser.parse_args()
    data = DataDirectory(args.data)
    draw_sheet(data, args.output)
    print(table(data))


if __name__ == "__main__":
    main()
