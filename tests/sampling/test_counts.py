"""The last line of ``vqapg sample``."""

from vqapg.sampling.counts import Counts


def test_counts_of_zero_are_not_named():
    assert Counts(1, 0, 1_000, 0, 0, []).describe([]) == "1,000 pairs of 1 image"


def test_each_count_is_named_once_with_its_reason():
    counts = Counts(4, 1, 7, 2, 1, ["a.png: cut", "b.png: cut"])
    assert counts.describe(["--min-consistency", "--keep"]) == (
        "7 pairs of 4 images; 1 image without a pair; "
        "2 distinct pairs left out by --min-consistency and --keep; "
        "1 malformed draw left out; 2 images left out that cannot be read"
    )
