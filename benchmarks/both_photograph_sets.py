"""Visual7W and VQA v2.0 as one data set, to train an evaluator on both (docs/check-evaluator.md).

    python benchmarks/both_photograph_sets.py --visual7w visual7w --vqa2 vqa2 --output both.jsonl
    vqapg prepare --dataset jsonl --source both.jsonl --image-root / --dest data/both
    vqapg extract-features data/both --backbone efficientnet_lite0 --image-size 224
    python benchmarks/photograph_evaluator.py data/both --runs runs/see-both --changes paper

All pairs of VQA v2.0's train part join Visual7W's train split. Validation and test are Visual7W's
alone, so that the figures compare with those of an evaluator trained without VQA v2.0.

Both sets took their photographs from COCO. A photograph of VQA v2.0 that Visual7W validates or
tests with is left out. It is known by a difference hash of 256 bits. Of the photographs that we
compared by eye, one and the same differed by up to 25 bits, and none of 12 pairs above that was.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from vqapg.counted import counted
from vqapg.datasets import reader
from vqapg.datasets.reader import SourceData

SIDE = 16
SAME = 30  # bits, with a margin; see above
OPEN = {"seed": 1, "min_pairs_per_image": 0, "max_images": 0, "max_test_images": 0}


def difference_hash(path: Path) -> NDArray[np.float32]:
    """Whether each of 16 x 16 cells is brighter than its left neighbour: ``[256]``, 0 or 1.

    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
    """
    grey = Image.open(path).convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BILINEAR)
    cells = np.asarray(grey, dtype=np.int16)
    return (cells[:, 1:] > cells[:, :-1]).ravel().astype(np.float32)


def distances(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """In how many bits each of *ours* ``[M, B]`` differs from each of *theirs* ``[N, B]``."""
    return ours @ (1 - theirs.T) + (1 - ours) @ theirs.T


def again(found: Sequence[Path], held_out: Sequence[Path]) -> set[Path]:
    """Which of the photographs *found* are among those *held_out*."""
    ours, theirs = (
        np.stack([difference_hash(path) for path in tqdm(paths, unit="image")])
        for paths in (found, held_out)
    )
    return {path for path, nearest in zip(found, distances(ours, theirs).min(1)) if nearest <= SAME}


def images_of(data: SourceData, splits: Sequence[str]) -> list[Path]:
    """The images of *splits*, each once."""
    return sorted({data.image_root / r.image for r in data.records if r.split in splits})


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visual7w", type=Path, required=True)
    parser.add_argument("--vqa2", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    visual7w = reader("visual7w").read(args.visual7w, **OPEN)
    vqa2 = reader("vqa2").read(args.vqa2, valid_pairs=0, **OPEN)
    left_out = again(images_of(vqa2, ["train"]), images_of(visual7w, ["valid", "test"]))
    with open(args.output, "w") as out:
        for data, splits in ((visual7w, ("train", "valid", "test")), (vqa2, ("train",))):
            for record in data.records:
                path = data.image_root / record.image
                if record.split not in splits or path in left_out:
                    continue
                line = {
                    "image": str(path.resolve().relative_to("/")),
                    "question": record.question,
                    "answer": record.answer,
                    "split": record.split,
                }
                if record.wrong_answers:
                    line["wrong_answers"] = list(record.wrong_answers)
                out.write(json.dumps(line) + "\n")
    told = counted(len(left_out), "photograph")
    print(f"{args.output}: {told} of VQA v2.0 left out, which Visual7W validates or tests with")


if __name__ == "__main__":
    main()
