from collections import Counter

from vqapg.evaluation.equal_pairs import draw_pairs
from vqapg.evaluation.generated import GeneratedPair


def generated(counts, answer="yes"):
    """*counts* {image: pairs}, in turn, every third malformed."""
    images = [image for image, count in counts.items() for _ in range(count)]
    return [
        GeneratedPair(
            number,
            image,
            *((None, None) if number % 3 == 0 else (f"is it {number} ?", answer)),
            -1.0,
        )
        for number, image in enumerate(images)
    ]


def test_each_image_has_so_many_and_images_with_fewer_are_left_out():
    pairs = generated({"a": 5, "b": 2, "c": 3, "d": 9})
    drawn, left_out = draw_pairs(pairs, 3, seed=1)
    assert Counter(pair.image for pair in drawn) == {"a": 3, "c": 3, "d": 3}
    assert left_out == 1
    assert drawn == sorted(set(drawn), key=pairs.index)
    assert draw_pairs(pairs, 10, seed=1) == ([], 4)


def test_draws_are_by_seed_and_alike():
    pairs = generated({"a": 20})
    draws = [draw_pairs(pairs, 2, seed)[0] for seed in range(2000)]
    assert draws[7] == draw_pairs(pairs, 2, 7)[0]
    drawn = Counter(pair.id for draw in draws for pair in draw)
    # 200 each, standard deviation 13; malformed ones like any other.
    assert len(drawn) == 20 and all(140 < count < 260 for count in drawn.values())


def test_two_systems_keep_the_same_places_whatever_else_they_were_generated_for():
    one = draw_pairs(generated({"a": 6, "b": 8, "c": 6}), 2, seed=3)[0]
    other = draw_pairs(generated({"c": 6, "a": 6}, "no"), 2, seed=3)[0]
    for image, starts in (("a", (0, 6)), ("c", (14, 0))):
        places = [
            [pair.id - start for pair in drawn if pair.image == image]
            for drawn, start in zip((one, other), starts, strict=True)
        ]
        assert places[0] == places[1]


def test_images_with_as_many_pairs_are_drawn_from_apart():
    pairs = generated({"a": 20, "b": 20})
    for seed in range(5):
        drawn, _ = draw_pairs(pairs, 4, seed)
        assert [pair.id for pair in drawn[:4]] != [pair.id - 20 for pair in drawn[4:]]
