import math

from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.summary import choose_samples, format_sample, format_table

PAIRS = [
    GeneratedPair(number, f"{number // 4}.png", f"is it {number} ?", "yes", -1.0)
    for number in range(2000)
] + [GeneratedPair(2000, "malformed.png", None, None, -1.0)]


def test_table_is_aligned_and_names_what_each_figure_is_over():
    table = format_table(compute_metrics(PAIRS, [0.75] * 1000 + [0.25] * 1000, resamples=50))
    lines = table.splitlines()
    assert lines[0].split() == ["measure", "figure", "95%", "interval", "over"]
    over = lines[0].index("over")
    groups = [line for line in lines if len(line) < over]
    assert groups == ["diversity, all images", "diversity, within an image", "consistency"]
    assert all(line[over - 1] == " " and line[over] != " " for line in lines if line not in groups)
    assert any(
        line.startswith("generated pairs") and " 2,001 " in line and "501 images" in line
        for line in lines
    )
    assert any(line.startswith("  malformed") and line.split()[-3] == "1" for line in lines)
    (p,) = [line for line in lines if line.startswith("  P: ")]
    assert " 50.00  [4" in p and p.endswith("2,000 distinct triples") and "(%)" in p
    (n,) = [line for line in lines if line.startswith("  N: ")]
    assert " 2,000  [" in n and n.endswith("2,000 well-formed pairs")


def test_table_says_when_p_was_not_computed_and_shows_no_interval_of_one_image():
    lines = format_table(compute_metrics(PAIRS[:2], resamples=10)).splitlines()
    (p,) = [line for line in lines if line.startswith("  P: ")]
    assert p.endswith("not computed: give --judge, or --evaluator")
    (n,) = [line for line in lines if line.startswith("  N: ")]
    assert n.split()[3:5] == ["2", "-"]


def test_figures_without_repeats_are_shown_where_there_are_repeats():
    said = [GeneratedPair(number, "0.png", "is it so ?", "yes", -1.0) for number in range(2)]
    for pairs, shown in ((said[:1] + PAIRS[4:5], 0), (said + PAIRS[4:5], 1)):
        table = format_table(compute_metrics(pairs, [0.5, 0.5], resamples=10))
        # Distinct-4, that within an image, Self-BLEU, Vendi score; P, S.
        assert (table.count("repeats left out"), table.count("repeats counted")) == (
            4 * shown,
            2 * shown,
        )


def test_table_says_what_was_not_computed_and_what_was_drawn():
    metrics = compute_metrics(PAIRS[:2], resamples=10)
    metrics |= {
        "not_computed": {"meteor": "needs Java"},
        "pairs_per_image": 2,
        "images_left_out": 1234,
    }
    table = format_table(metrics)
    (meteor,) = [line for line in table.splitlines() if "METEOR" in line]
    assert meteor.split()[2:] == ["-", "-", *"not computed: needs Java".split()]
    (drawn,) = [line for line in table.splitlines() if "drawn of each image" in line]
    assert drawn.split()[4] == "2" and drawn.endswith("1,234 images with fewer left out")


def test_samples_are_of_different_images_and_by_seed():
    chosen = choose_samples(PAIRS, 20, seed=1)
    assert len({pair.image for pair in chosen}) == 20
    assert chosen == choose_samples(PAIRS, 20, seed=1) != choose_samples(PAIRS, 20, seed=2)
    assert len({pair.id % 4 for pair in chosen}) > 1  # not always an image's first pair
    assert len(choose_samples(PAIRS, 10_000, seed=1)) == 500  # as many as there are, none malformed
    assert choose_samples(PAIRS, 0, seed=1) == []


def test_a_sample_is_one_readable_line():
    pair = GeneratedPair(0, "a.png", "what 's this ?", "a cat", -1.0)
    assert format_sample(pair) == "a.png  what's this? a cat"
    assert format_sample(pair, 0.256, 1.0) == "a.png  what's this? a cat  (score 0.26, right)"
    unsure = format_sample(pair, math.nan, math.nan)
    assert unsure == "a.png  what's this? a cat  (not judged, undetermined)"
