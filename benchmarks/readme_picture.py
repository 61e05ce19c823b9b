"""The picture in README.md: photographs with the pairs that the demo makes of them.

    pip install scikit-image
    python benchmarks/readme_picture.py --output docs/photographs.png

The photographs come with scikit-image. They are NASA's portrait of Eileen Collins (public domain),
and a cat, a cup of coffee and a rocket (CC0). Nothing is chosen by hand: of each photograph the
pairs are those that ``vqapg sample`` with the same options keeps.
"""

import argparse
import textwrap
from pathlib import Path

import matplotlib
from PIL import Image

from vqapg import load
from vqapg.errors import InputError

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
OPTIONS = {
    "n": 40,
}
WIDTH = 34  # characters of a line under a photograph


def photographs() -> list[Path]:
    """The files of the installed scikit-image.

    Raises:
        InputError: if it is not installed
    """
    try:
        import skimage
    except ImportError:
        raise InputError("scikit-image is not installed; pip install scikit-image") from None
    return [Path(skimage.__file__).parent / "data" / name for name in PHOTOGRAPHS]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    files = photographs()
    model = load("demo")
    figure, axes = plt.subplots(1, len(files), figsize=(12, 4.4))
    for axis, file in zip(axes, files, strict=True):
        with Image.open(file) as picture:
            square = min(picture.size)
            left, top = ((side - square) // 2 for side in picture.size)
            axis.imshow(picture.convert("RGB").crop((left, top, left + square, top + square)))
        axis.axis("off")
        lines = [
            textwrap.fill(f"{pair.question} {pair.answer}", WIDTH)
            for pair in model.sample(file, **OPTIONS)
        ]
        axis.text(0, -0.05, "\n".join(lines), transform=axis.transAxes, va="top", fontsize=11)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.99, bottom=0.26, wspace=0.04)
    figure.savefig(args.output, dpi=100)


if __name__ == "__main__":
    main()
