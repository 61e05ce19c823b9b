"""The last line of ``vqapg sample``."""

import json

from vqapg.sampling.counts import Counts


def test_counts_of_zero_are_not_named():
    assert Counts(1, 0, 1_000, 0, 0, []).describe() == "1,000 pairs of 1 image"


def test_each_count_is_named_once_with_its_reason():
    counts = Counts(4, 1, 7, 5, 1, ["a.png: cut", "b.png: cut"], 3, 1, ("c.png",))
    assert counts.describe(0.6, 2, "train longer") == (
        "7 pairs of 4 images; --min-consistency 0.6 left out 3 of 12 distinct pairs; "
        "--keep 2 left out 2 of 12 distinct pairs; 1 image has none: c.png; "
        "1 malformed draw left out; "
        "1 pair cut at 50 words: train longer; "
        "2 images left out that cannot be read"
    )


def test_images_without_a_pair_are_named_first_ones_of_many():
    names = tuple(f"{number}.jpg" for number in range(3))
    few = Counts(9, 3, 29, 31, 0, [], 31, 0, names)
    assert few.describe(0.6) == (
        "29 pairs of 9 images; --min-consistency 0.6 left out 31 of 60 distinct pairs; "
        "3 images have none: 0.jpg, 1.jpg, 2.jpg"
    )
    many = Counts.sum(
        [few._replace(first_without_pair=tuple(f"{part}-{n}" for n in names)) for part in range(3)]
    )
    assert many.without_pair == 9
    assert many.describe().endswith(
        "; 9 images have none, such as 0-0.jpg, 0-1.jpg, 0-2.jpg, 1-0.jpg, 1-1.jpg"
    )
    assert Counts(2, 1, 1, 0, 0, [], 0, 0, ("\x1b[2Ja.png",)).describe().endswith("\\x1b[2Ja.png")


def test_counts_come_back_from_json():
    counts = Counts(4, 1, 7, 5, 1, ["a.png: cut"], 3, 1, ("c.png",))
    assert Counts.from_json(json.loads(json.dumps(counts.as_json()))) == counts
