from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.summary import choose_samples, format_sample, format_table

PAIRS = [
    GeneratedPair(number, f"{number // 4}.png", f"is it {number} ?", "yes", -1.0) for number in range(2000)
] + [GeneratedPair(2000, "malformed.png", None, None, -1.0)]


def test_table_is_aligned_and_names_what_each_figure_is_over():
    table = format_table(compute_metrics(PAIRS, [0.75] * 1000 + [0.25] * 1000, resamples=50))
    lines = table.splitlines()
    assert lines[0].split() == ["measure", "figure", "95%", "interval", "over"]
    over = lines[0].index("over")
    assert all(line[over - 1] == " " and line[over] != " " for line in lines)
    assert any(
        line.startswith("generated pairs") and " 2,001 " in line and "501 images" in line for line in lines
    )
    assert any(line.startswith("  malformed") and line.split()[-3] == "1" for line in lines)
    (p,) = [line for line in lines if line.startswith("P: ")]
    assert " 50.00  [4" in p and p.endswith("2,000 distinct triples") and "(%)" in p
    (n,) = [line for line in lines if line.startswith("N: ")]
    assert " 2,000  [" in n and n.endswith("2,000 well-formed pairs")


def test_table_says_when_p_was_not_computed_and_shows_no_interval_of_one_image():
    lines = format_table(compute_metrics(PAIRS[:2], resamples=10)).splitlines()
    assert [line for line in lines if line.startswith("P: ")][0].endswith("not computed: give --evaluator")
    (n,) = [line for line in lines if line.startswith("N: ")]
    assert n.split()[3:5] == ["2", "-"]


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
    assert format_sample(pair, 0.256, "right") == "a.png  what's this? a cat  (score 0.26, right)"
