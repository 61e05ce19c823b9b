"""The figures of one generated set as text for people: one table, and sample pairs on request."""

import numpy as np

from vqapg.data.tokenizer import detokenize

# (key, label, what the figure is over); shares are shown in percent. P and the truth stand together.
ROWS = (
    ("distinct4", "D: Distinct-4 (%)", "4-grams"),
    ("unique_pairs", "N: distinct pairs", "well-formed pairs"),
    ("consistent", "P: scored above 0.5 by the evaluator (%)", "distinct triples"),
    ("true_consistent", "truly consistent (%)", "distinct triples of known truth"),
    ("true_consistent_all_pairs", "truly consistent, repeats counted (%)", "pairs of known truth"),
    ("mean_score", "S: mean evaluator score", "distinct triples"),
    ("evaluator_agreement", "evaluator agrees with the truth (%)", "distinct triples of known truth"),
    ("evaluator_true_positive_rate", "  accepts a right pair (%)", "right distinct triples"),
    ("evaluator_rejection_rate", "  rejects a wrong pair (%)", "wrong distinct triples"),
    ("possible_pairs_found", "possible pairs found", "possible pairs"),
    ("undetermined", "truth not determined by the gold pairs (%)", "distinct triples"),
    ("unanswerable", "question without an answer (%)", "distinct triples"),
    ("unparsed", "  of these, question of no known form (%)", "distinct triples"),
)
COUNTS = ("unique_pairs", "possible_pairs_found")
SCORES = ("mean_score",)


def format_table(metrics):
    """The table of ``compute_metrics``' result: measure, figure, 95% interval, what it is over."""
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
    for key, label, over in ROWS:
        if key in metrics:
            figure = metrics[key]
            bounds = ", ".join(_number(key, bound) for bound in figure["ci95"] or ())
            interval = f"[{bounds}]" if bounds else "-"
            rows.append((label, _number(key, figure["value"]), interval, f"{figure['n']:,} {over}"))
        elif key == "consistent":
            rows.append((label, "-", "-", "not computed: give --evaluator"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{measure:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  {over}"
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


def format_sample(pair, score=None, verdict=None):
    """One line: image, readable question and answer, the evaluator's score and the truth where known."""
    notes = [] if score is None else [f"score {score:.2f}"]
    notes += [] if verdict is None else [verdict]
    end = f"  ({', '.join(notes)})" if notes else ""
    return f"{pair.image}  {detokenize(pair.question.split())} {detokenize(pair.answer.split())}{end}"
