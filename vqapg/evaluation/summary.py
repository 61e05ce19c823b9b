"""The figures of one generated set as text for people: one table, and sample pairs on request."""

import numpy as np

from vqapg.data.tokenizer import detokenize
from vqapg.judges.truth import verdict

# Groups of (key, label, what the figure is over); shares are shown in percent. P and the truth stand together.
GROUPS = {
    "diversity, all images": (
        ("distinct4", "D: Distinct-4 (%)", "4-grams"),
        ("distinct4_distinct_triples", "  repeats left out", "4-grams"),
        ("unique_pairs", "N: distinct pairs", "well-formed pairs"),
        ("novel_pairs", "  of these, not in train (%)", "distinct pairs"),
        ("novel_questions", "  of their questions, not in train (%)", "distinct questions"),
    ),
    "diversity, within an image": (
        ("distinct4_within_image", "Distinct-4 (%)", "images"),
        ("distinct4_within_image_distinct_triples", "  repeats left out", "images"),
        ("self_bleu4", "Self-BLEU-4 (%), lower is more diverse", "pairs of images with several"),
        ("self_bleu4_distinct_triples", "  repeats left out", "pairs of images with several"),
    ),
    "consistency": (
        ("consistent", "P: scored above 0.5 by the evaluator (%)", "distinct triples"),
        ("consistent_all_pairs", "  repeats counted", "well-formed pairs"),
        ("true_consistent", "truly consistent (%)", "distinct triples of known truth"),
        ("true_consistent_all_pairs", "  repeats counted", "pairs of known truth"),
        ("mean_score", "S: mean evaluator score", "distinct triples"),
        ("mean_score_all_pairs", "  repeats counted", "well-formed pairs"),
        (
            "evaluator_agreement",
            "evaluator agrees with the truth (%)",
            "distinct triples of known truth",
        ),
        ("evaluator_true_positive_rate", "  accepts a right pair (%)", "right distinct triples"),
        ("evaluator_rejection_rate", "  rejects a wrong pair (%)", "wrong distinct triples"),
        ("possible_pairs_found", "possible pairs found", "possible pairs"),
        ("undetermined", "truth not determined by the gold pairs (%)", "distinct triples"),
        ("unanswerable", "question without an answer (%)", "distinct triples"),
        ("unparsed", "  of these, question of no known form (%)", "distinct triples"),
    ),
    "overlap with the gold pairs of the image": (
        ("bleu4", "BLEU-4 (%)", "well-formed pairs"),
        ("bleu4_distinct_triples", "  repeats left out", "distinct triples"),
        ("meteor", "METEOR (%)", "well-formed pairs"),
        ("meteor_distinct_triples", "  repeats left out", "distinct triples"),
        ("rouge_l", "ROUGE-L (%)", "well-formed pairs"),
        ("rouge_l_distinct_triples", "  repeats left out", "distinct triples"),
        ("cider", "CIDEr", "well-formed pairs"),
        ("cider_distinct_triples", "  repeats left out", "distinct triples"),
        ("gold_recall", "gold pairs found, mean of the images (%)", "images"),
    ),
}
COUNTS = ("unique_pairs", "possible_pairs_found")
SCORES = ("mean_score", "mean_score_all_pairs", "cider", "cider_distinct_triples")


def format_table(metrics):
    """The table of ``compute_metrics``' result: measure, figure, 95% interval, what it is over.

    A figure without a value is followed by the reason. The same figure with or without repeats
    within an image is shown only where there are repeats.
    """
    rows = [
        ("measure", "figure", "95% interval", "over"),
        ("generated pairs", f"{metrics['pairs']:,}", "", f"{metrics['images']:,} images"),
        (
            "  malformed, left out of all below",
            f"{metrics['malformed']:,}",
            "",
            f"{metrics['pairs']:,} pairs",
        ),
    ]
    if metrics.get("pairs_per_image"):
        drawn = f"{metrics['pairs_per_image']:,}"
        left_out = f"{metrics['images_left_out']:,} images with fewer left out"
        rows.append(("  drawn of each image", drawn, "", left_out))
    repeats = metrics["pairs"] - metrics["malformed"] > metrics["distinct_triples"]
    missing = {"consistent": "give --judge, or --evaluator"} | metrics.get("not_computed", {})
    for group, members in GROUPS.items():
        shown = []
        for key, label, over in members:
            if key in metrics and (
                repeats or not key.endswith(("_distinct_triples", "_all_pairs"))
            ):
                figure = metrics[key]
                bounds = ", ".join(_number(key, bound) for bound in figure["ci95"] or ())
                interval = f"[{bounds}]" if bounds else "-"
                base = f"{figure['n']:,} {over}"
                if figure["value"] is None:
                    reason = missing.get(key.removesuffix("_distinct_triples"), f"there are {base}")
                    base = f"not computed: {reason}"
                shown.append((f"  {label}", _number(key, figure["value"]), interval, base))
            elif key not in metrics and key in missing:
                shown.append((f"  {label}", "-", "-", f"not computed: {missing[key]}"))
        rows += [(group, "", "", ""), *shown] if shown else []
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{measure:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  {over}".rstrip()
        for measure, value, interval, over in rows
    )


def _number(key, value):
    if value is None:
        return "-"
    if key in COUNTS:
        return f"{value:,.0f}"
    return f"{value:.3f}" if key in SCORES else f"{100 * value:.2f}"


def choose_samples(pairs, count, seed):
    """One well-formed pair from each of *count* different images (fewer where there are fewer), by *seed*."""
    of_image = {}
    for pair in pairs:
        if not pair.malformed:
            of_image.setdefault(pair.image, []).append(pair)
    rng = np.random.default_rng(seed)
    images = rng.permutation(len(of_image))[:count]
    candidates = list(of_image.values())
    return [candidates[image][rng.integers(len(candidates[image]))] for image in images]


def format_sample(pair, score=None, truth=None):
    """One line: image, readable question and answer, and in brackets what is known of the pair.

    Args:
        score: the judge's; None without one
        truth: the truth's score; None where the data set has none
    """
    notes = [] if score is None else ["not judged" if np.isnan(score) else f"score {score:.2f}"]
    notes += [] if truth is None else [verdict(truth)]
    end = f"  ({', '.join(notes)})" if notes else ""
    return (
        f"{pair.image}  {detokenize(pair.question.split())} {detokenize(pair.answer.split())}{end}"
    )
