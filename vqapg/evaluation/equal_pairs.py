"""Equal numbers of pairs per image: diversity and recall grow with the number of pairs, so systems
are compared at one.
"""

import zlib

import numpy as np

from vqapg.evaluation.generated import GeneratedPair


def draw_pairs(
    pairs: list[GeneratedPair], count: int, seed: int
) -> tuple[list[GeneratedPair], int]:
    """Draw *count* of the hypotheses of each image, without replacement.

    Malformed ones are drawn like any other: an attempt that failed has been made. An image with
    fewer hypotheses is left out, for it cannot be compared. The draw depends on nothing but the
    seed, the image and the number of its hypotheses, so that of two systems with as many hypotheses
    for an image the same places are taken.

    Returns:
        (drawn pairs, in their order in *pairs*; how many images were left out)
    """
    of_image = {}
    for place, pair in enumerate(pairs):
        of_image.setdefault(pair.image, []).append(place)
    drawn, left_out = [], 0
    for image, places in of_image.items():
        if len(places) < count:
            left_out += 1
            continue
        rng = np.random.default_rng([seed, zlib.crc32(image.encode())])
        drawn += [places[index] for index in rng.choice(len(places), count, replace=False)]
    return [pairs[place] for place in sorted(drawn)], left_out
