"""Drawing the images and pairs of a new annotation session."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vqapg.annotation.pair_source import PairSource
from vqapg.annotation.session import Session, check_new, write_session
from vqapg.data.tokenizer import detokenize
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.human import Group, ShownPair

# Section 5.2: each image has three to ten generated pairs.
FEWEST_PAIRS, MOST_PAIRS = 3, 10


def start_session(
    folder: str | os.PathLike[str],
    source: PairSource,
    files: Mapping[str, str | os.PathLike[str]],
    *,
    images: int = 50,
    seed: int = 1,
) -> Session:
    """Make *folder* a session: see :func:`draw_groups`.

    Args:
        folder: new, or empty
        source: where the pairs and the pictures come from
        files: by model, its ``generate-<split>.txt`` or JSON lines
        images: how many to draw
        seed: of images, pairs and orders

    Raises:
        InputError: if the folder holds something, a file cannot be read, or images are too few
    """
    for option, value, least in (("-n", images, 1), ("--seed", seed, 0)):
        if value < least:
            raise InputError(f"{option} {value}: must be at least {least}")
    check_new(Path(folder))
    generated = {name: source.read_pairs(file) for name, file in files.items()}
    all_images = source.images_to_draw(pair for pairs in generated.values() for pair in pairs)
    drawn, groups = draw_groups(generated, all_images, images, seed)
    models = {
        name: {"split": source.split, "malformed": sum(pair.malformed for pair in pairs)}
        for name, pairs in generated.items()
    }
    inputs = {**source.inputs, **{f"pairs of {name}": files[name] for name in files}}
    return write_session(folder, source, drawn, groups, seed=seed, models=models, inputs=inputs)


def draw_groups(
    generated: Mapping[str, Sequence[GeneratedPair]],
    image_ids: Sequence[str],
    images: int,
    seed: int,
) -> tuple[list[str], list[Group]]:
    """Draw images and pairs.

    An image takes part when every model has at least three well-formed pairs for it. Of these as
    many are drawn from every model, ten at most. Then repeats are left out (section 6.4), so that
    how many remain is the model's doing.

    Args:
        generated: {model: list of GeneratedPair}.
        image_ids: the images to draw from, in order.
        images: how many to draw.

    Returns ([image id], list of Group). Raises InputError when there are too few images.
    """
    rng = np.random.default_rng(seed)
    of_image = {model: {} for model in generated}
    for model, pairs in generated.items():
        for pair in pairs:
            if not pair.malformed:
                of_image[model].setdefault(pair.image, []).append((pair.question, pair.answer))
    fewest = {
        image: min(len(pairs.get(image, ())) for pairs in of_image.values()) for image in image_ids
    }
    possible = [image for image in image_ids if fewest[image] >= FEWEST_PAIRS]
    if len(possible) < images:
        raise InputError(
            f"-n {images}: only {len(possible)} images have {FEWEST_PAIRS} or more "
            f"well-formed pairs of each of {', '.join(generated)}; "
            + (
                f"give -n {len(possible)} or fewer"
                if possible
                else "generate more pairs for an image"
            )
        )
    drawn = [
        possible[number] for number in sorted(rng.choice(len(possible), images, replace=False))
    ]
    groups = []
    for number, image in enumerate(drawn):
        for model, pairs in of_image.items():
            count = min(fewest[image], MOST_PAIRS)
            chosen = [
                pairs[image][index] for index in rng.choice(len(pairs[image]), count, replace=False)
            ]
            groups.append((model, number, list(dict.fromkeys(chosen))))
    return drawn, [
        Group(f"g{place}", model, number, _shown(f"g{place}", pairs))
        for place, (model, number, pairs) in enumerate(
            (groups[index] for index in rng.permutation(len(groups))), 1
        )
    ]


def _shown(group, pairs):
    return tuple(
        ShownPair(f"{group}p{number}", *(detokenize(text.split()) for text in pair))
        for number, pair in enumerate(pairs, start=1)
    )
