import math

import numpy as np

from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.summary import (
    choose_samples,
    format_headline,
    format_sample,
    format_table,
)

PAIRS = [
    GeneratedPair(number, f"{number // 4}.png", f"is it {number} ?", "yes", -1.0)
    for number in range(2000)
] + [GeneratedPair(2000, "malformed.png", None, None, -1.0)]


TRUSTED = {
    "text": "rejects 90% of wrong pairs, accepts 99% of right pairs, image-swapped AUC 0.95: "
    "P may be 10 points too high or 1 too low",
    "rely": True,
}


class Known:
    """A truth that finds every third pair right, and knows nothing else."""

    asked_for = possible_pairs = ()

    def score(self, triples):
        return np.array([number % 3 == 0 for number in range(len(triples))], dtype=float)

    def answerable(self, image, question):
        return None


def test_headline_has_six_figures_and_the_verdict_under_p():
    scores = [0.75] * 1000 + [0.25] * 1000
    metrics = compute_metrics(PAIRS, scores, Known(), resamples=50) | {"verdict": TRUSTED}
    lines = format_headline(metrics).splitlines()
    starts = [line[:33].rstrip() for line in lines]
    assert starts == [
        "measure",
        "D: Distinct-4 (%)",
        "N: distinct pairs",
        "R: distinct right pairs",
        "P: scored above 0.5 by the judge",
        "  can P be relied on?",
        "    rejects 90% of wrong pairs, a",
        "    be 10 points too high or 1 to",
        "truly consistent (%)",
        "distinct pairs an image",
        "malformed pairs, left out",
    ]
    assert max(map(len, lines)) <= 90
    of = {line.split("  ")[0]: line for line in lines}
    assert " 667  [" in of["R: distinct right pairs"]
    assert " 50.00  [" in of["P: scored above 0.5 by the judge (%)"]
    assert lines[5].endswith(" roughly")
    assert " 33.35  [" in of["truly consistent (%)"]
    assert of["truly consistent (%)"].endswith("2,000 of known truth")
    assert of["malformed pairs, left out"].split()[-4:] == ["1", "2,001", "generated", "pairs"]


def test_headline_without_judge_and_truth_says_how_to_get_p():
    metrics = compute_metrics(PAIRS, resamples=5)
    # Figures of gold pairs are not among the first, whether they are there or not.
    metrics["gold_recall"] = {"value": 0.0, "n": 501, "ci95": [0.0, 0.0]}
    metrics["not_computed"] = {"bleu4": "needs gold pairs"}
    headline = format_headline(metrics)
    lines = headline.splitlines()
    at = lines.index(next(line for line in lines if line.startswith("P: ")))
    assert lines[at].split()[-2:] == ["-", "-"]
    assert lines[at + 1] == "    not computed: give --judge, or --evaluator"
    assert not any(word in headline for word in ("R: ", "truly", "gold", "train", "BLEU"))


def test_estimate_stands_in_the_place_of_p():
    metrics = compute_metrics(PAIRS, [0.75] * 2000, resamples=5) | {"verdict": TRUSTED}
    figure = {"value": 0.6667, "n": 200, "ci95": [0.6, 0.7321], "method": "stratified"}
    headline = format_headline(metrics | {"estimated_consistent": figure})
    (line,) = [line for line in headline.splitlines() if line.startswith("truly")]
    assert line.split("  ")[0] == "truly consistent, estimated (%)"
    assert "66.67  [60.00, 73.21]" in line and line.endswith("200 judged triples")
    assert "P: " not in headline and "relied" not in headline


def test_headline_says_what_was_drawn_and_words_unknown():
    unknown = {"triples": 2000, "with_unknown": 12, "words": ["quokka", "axolotl"]}
    metrics = compute_metrics(PAIRS, [0.75] * 2000, resamples=5) | {"unknown_words": unknown}
    lines = format_headline(metrics | {"pairs_per_image": 4, "images_left_out": 7}).splitlines()
    assert lines[-1].split() == "drawn of each image 4 7 images with fewer left out".split()
    at = lines.index(next(line for line in lines if "not in the dictionary" in line))
    assert lines[at].endswith(" 12")
    assert lines[at + 1] == "    2,000 distinct triples, such as: quokka, axolotl"


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
    stop = GeneratedPair(0, "a.png", "when was it ?", "daytime .", -1.0)
    assert format_sample(stop) == "a.png  when was it? daytime"
    assert format_sample(pair, 0.256, 1.0) == "a.png  what's this? a cat  (score 0.26, right)"
    unsure = format_sample(pair, math.nan, math.nan)
    assert unsure == "a.png  what's this? a cat  (not judged, undetermined)"
