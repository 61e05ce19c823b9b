"""easy-VQA: 5,000 drawings of one coloured shape each, with templated questions.

https://github.com/vzhou842/easy-VQA

The PyPI package ``easy-vqa`` carries the images, so this data set needs no download of its own. It
has a train and a test part; a tenth of the train *images* become ``valid``, so that no image is in
two splits.
"""

import importlib.util
import random
from pathlib import Path

from vqapg.datasets.official import seed_option, whole_number
from vqapg.datasets.reader import Reader, Record, SourceData
from vqapg.errors import InputError
from vqapg.files import LARGEST_TEXT, check_readable_file
from vqapg.strict_json import read_json

VALID_SHARE = 0.1


def read(source: str | Path | None = None, *, seed: int) -> SourceData:
    """Read easy-VQA from *source* (its ``data`` folder), or from the installed package when that is
    None.

    Raises InputError when the package or one of its files is missing or is not what it should be.
    """
    root = _data_folder(source)
    train, test = _read_part(root, "train"), _read_part(root, "test")
    numbers = sorted(train)
    valid = set(random.Random(seed).sample(numbers, round(VALID_SHARE * len(numbers))))

    records = []
    for part, pairs in (("train", train), ("test", test)):
        for number in sorted(pairs):
            image = f"{part}/images/{number}.png"
            if not (root / image).is_file():
                raise InputError(
                    f"{root / image}: this image is missing; reinstall easy-vqa or give another "
                    "--source"
                )
            split = "valid" if part == "train" and number in valid else part
            records += [
                Record(image, question, answer, split) for question, answer in pairs[number]
            ]
    return SourceData(
        root, root, records, [root / part / "questions.json" for part in ("train", "test")]
    )


def _data_folder(source: str | Path | None) -> Path:
    if source is not None:
        root = Path(source).resolve()
        if not (root / "train" / "questions.json").is_file():
            raise InputError(
                f"{source}: not easy-VQA's data folder (no train/questions.json); leave --source "
                "out to use the "
                'package, or pip install "vqapg[quickstart]"'
            )
        return root
    spec = importlib.util.find_spec("easy_vqa")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            'easy-VQA is not installed: pip install "vqapg[quickstart]", or give its folder as '
            "--source"
        )
    return Path(spec.submodule_search_locations[0]).resolve() / "data"


def _read_part(root: Path, part: str) -> dict[int, list[tuple[str, str]]]:
    """{image number: [(question, answer), ...]} from [[question, answer, image number], ...]."""
    path = root / part / "questions.json"
    check_readable_file(path, "reinstall easy-vqa", LARGEST_TEXT)
    pairs: dict[int, list[tuple[str, str]]] = {}
    cure = "reinstall easy-vqa"
    try:
        for question, answer, number in read_json(path, cure):
            if not isinstance(question, str) or not isinstance(answer, str):
                raise TypeError(f"a question or an answer of image {repr(number)[:40]} is no text")
            pairs.setdefault(whole_number(number), []).append((question, answer))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not easy-VQA's list of questions ({error}); {cure}") from error
    return pairs


READER = Reader(
    read,
    source="the data folder of the package easy-vqa (default: the installed one's)",
    options=(seed_option("the images for validation"),),
    truth="easy-vqa",
    images="They are drawings of the package easy-vqa: https://github.com/vzhou842/easy-VQA.",
)
