import pytest

from vqapg.errors import InputError
from vqapg.picture_size import is_picture_size, picture_size, sides


@pytest.mark.parametrize(
    ("wanted", "size", "both"),
    [
        (224, 224, (224, 224)),
        ("224", 224, (224, 224)),
        ("64x64", 64, (64, 64)),
        ("224x160", "224x160", (224, 160)),
        ("1x10000", "1x10000", (1, 10_000)),
    ],
)
def test_size_has_one_form_and_two_sides(wanted, size, both):
    assert picture_size(wanted) == size and type(picture_size(wanted)) is type(size)
    assert sides(size) == both


@pytest.mark.parametrize(
    "wanted", [0, -3, "0x5", "5x", "x5", "5X6", "5x6x7", " 5x6", "5x6\n", "٣x6", "10001x5", "", "a"]
)
def test_size_that_is_none_is_refused(wanted):
    with pytest.raises(InputError, match="must be a positive number of pixels up to 10,000"):
        picture_size(wanted)


def test_only_the_form_of_files_is_a_size_of_a_file():
    good = [1, 10_000, "5x6"]
    bad = [0, 10_001, True, 2.5, None, "5", "5x5", "05x6", "5x10001"]
    assert all(map(is_picture_size, good)) and not any(map(is_picture_size, bad))
