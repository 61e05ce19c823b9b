"""The tables of docs/estimate.md: each function yields a head, then rows."""

from collections.abc import Iterator

import numpy as np
from estimating.files import (
    EVALUATORS,
    PAIRS_OF_IMAGE,
    alone,
    covers,
    design_effect,
    estimate,
    found_right,
    image_rates,
    judged_by,
    populations,
    simulate,
)

from vqapg.evaluation.drawn_by_image import estimate_drawn_by_image
from vqapg.evaluation.file_design_effect import file_design_effect
from vqapg.evaluation.paired import allocate_paired
from vqapg.evaluation.proportions import Interval, weighted_sum, wilson
from vqapg.evaluation.stratified import (
    Estimate,
    Stratum,
    draw,
    strata_by_score,
    stratified_estimate,
)

JUDGEMENTS = (50, 100, 200, 400)
CORRELATIONS = (0.0, 0.2, 0.45)
ERROR = 0.05  # of one judge's marks


def coverage_rows(rng: np.random.Generator, draws: int) -> Iterator[list[str]]:
    """Coverage of the stratified interval, in percent, over kinds of files."""
    yield ["files", *(f"n = {n}" for n in JUDGEMENTS)]
    found: dict[str, dict[int, list[float]]] = {}
    for name, evaluator in EVALUATORS.items():
        for correlation in CORRELATIONS:
            labels = [f"evaluator {name}"]
            # The perfect evaluator's intervals always hold, which would hide the others'.
            if name != "perfect":
                labels.append(f"correlation {correlation:g}")
            for file in populations(rng, draws, evaluator, correlation):
                for n in JUDGEMENTS:
                    held = covers(estimate(rng, file, n), file.truth)
                    for label in labels:
                        found.setdefault(label, {}).setdefault(n, []).append(held)
    # Evaluators first, then correlations.
    for label in sorted(found, key=lambda label: label.startswith("correlation")):
        cells = (f"{min(held):.1f} to {max(held):.1f}" for held in found[label].values())
        yield [label, *cells]


def worth_rows(rng: np.random.Generator, draws: int, n: int = 200) -> Iterator[list[str]]:
    """Errors and widths with strata and without, in points, mean of six files."""
    yield ["evaluator", "RMSE", "width", "coverage", "width without strata", "worth"]
    for name, evaluator in EVALUATORS.items():
        rows = []
        for file in populations(rng, draws, evaluator, 0.2):
            one, other = estimate(rng, file, n), alone(rng, file, n)
            squared = ((one.value - file.truth) ** 2).mean()
            rows.append(
                (
                    squared,
                    (one.high - one.low).mean(),
                    covers(one, file.truth) / 100,
                    (other.high - other.low).mean(),
                    ((other.value - file.truth) ** 2).mean() / squared if squared else np.inf,
                )
            )
        squared, width, held, width_alone, worth = np.mean(rows, axis=0)
        yield [
            name,
            f"{100 * squared**0.5:.1f}",
            f"{100 * width:.1f}",
            f"{100 * held:.1f}",
            f"{100 * width_alone:.1f}",
            f"{worth:.1f}",
        ]


def error_rows(rng: np.random.Generator, draws: int) -> Iterator[list[str]]:
    """Two judges, and a third where they disagree, are wrong where two of three are."""
    majority = ERROR**2 + 2 * ERROR * (1 - ERROR) * ERROR
    yield ["judges", "share right", *(f"bias, coverage at n = {n}" for n in JUDGEMENTS[1:])]
    for name, error in (
        ("never wrong", 0.0),
        ("one, 5% wrong", ERROR),
        ("two and a third, each 5% wrong", majority),
    ):
        for share in (0.5, 0.75, 0.93):
            right = simulate(rng, draws, (share, 6000), 0.2)
            file, cells = judged_by(rng, right, 6000, EVALUATORS["good"]), []
            for n in JUDGEMENTS[1:]:
                one = estimate(rng, file, n, error)
                bias = 100 * (one.value - file.truth).mean()
                cells.append(f"{bias:+.1f}, {covers(one, file.truth):.1f}")
            yield [name, f"{100 * share:.0f}%", *cells]


def beyond_rows(rng: np.random.Generator, draws: int, n: int = 200) -> Iterator[list[str]]:
    """Coverage of the share among all such images, of which a file's are a sample."""
    effects = ("design effect 1", "true design effect", "estimated design effect")
    yield ["correlation", "triples", "for the file", *effects]
    # Of its own, so that the tables below do not depend on it.
    [other] = rng.spawn(1)
    for correlation in CORRELATIONS:
        for size in (600, 6000):
            right = simulate(rng, draws, (0.75, size), correlation)
            file = judged_by(rng, right, size, EVALUATORS["good"])
            one = estimate(rng, file, n)
            whole, cells = (Stratum(size, 0, 0),), [f"{covers(one, np.array(0.75)):.1f}"]
            for effect in (1.0, design_effect(correlation)):
                ends = np.array(
                    [Estimate(*of, whole).beyond_file(effect) for of in np.stack(one, 1).tolist()]
                )
                wider = Interval(one.value, *ends.T)
                cells.append(f"{covers(wider, np.array(0.75)):.1f}")
            found = [beyond_judged(other, (0.75, size), correlation, n) for _ in range(draws)]
            cells.append(f"{covers(Interval(*np.array(found).T), np.array(0.75)):.1f}")
            yield [f"{correlation:g}", f"{size:,}", *cells]


def beyond_judged(
    rng: np.random.Generator, file: tuple[float, int], correlation: float, n: int
) -> tuple[float, float, float]:
    """The estimate of a simulated file, with the interval for images like its own."""
    share, size = file
    rates = image_rates(rng, share, correlation, (size // PAIRS_OF_IMAGE, 1))
    right = (rng.random((len(rates), PAIRS_OF_IMAGE)) < rates).ravel()
    accepts, rejects = EVALUATORS["good"]
    scores = (rng.random(size) < np.where(right, accepts, 1 - rejects)).astype(float)
    members, drawn = strata_by_score(scores)[:2], draw(scores, n, rng)[:2]
    strata = [Stratum(len(m), len(d), int(right[d].sum())) for m, d in zip(members, drawn)]
    judged = np.concatenate(drawn)
    stratum = np.repeat([0, 1], [len(part) for part in drawn])
    effect = file_design_effect(
        strata, stratum.tolist(), (judged // PAIRS_OF_IMAGE).tolist(), right[judged].tolist()
    )
    estimate = stratified_estimate(strata)
    return estimate.value, *estimate.beyond_file(effect)


def by_image_rows(rng: np.random.Generator, draws: int) -> Iterator[list[str]]:
    """All ten triples of each of n / 10 images are judged, in one file of 600 images."""
    yield ["correlation", "interval", *(f"{n // PAIRS_OF_IMAGE} images" for n in JUDGEMENTS)]
    images, (accepts, rejects) = 600, EVALUATORS["good"]
    for correlation in CORRELATIONS:
        rates = image_rates(rng, 0.75, correlation, (images,))
        truth = rng.random((images, PAIRS_OF_IMAGE)) < rates[:, None]
        accepted = rng.random(truth.shape) < np.where(truth, accepts, 1 - rejects)
        sizes = [int((~accepted).sum()), int(accepted.sum())]
        cells: dict[str, list[str]] = {"post-stratified": [], "Wilson, as if drawn by pair": []}
        for n in JUDGEMENTS:
            number = n // PAIRS_OF_IMAGE
            image = np.repeat(np.arange(number), PAIRS_OF_IMAGE).tolist()
            found, right = [], []
            for _ in range(draws):
                drawn = rng.choice(images, number, replace=False)
                marks = truth[drawn].ravel()
                found.append(
                    estimate_drawn_by_image(
                        sizes, accepted[drawn].ravel().astype(int), image, marks
                    )
                )
                right.append(marks.mean())
            one = Interval(*np.array([(e.value, e.low, e.high) for e in found]).T)
            cells["post-stratified"].append(f"{covers(one, truth.mean()):.1f}")
            plain = covers(wilson(right, n), truth.mean())
            cells["Wilson, as if drawn by pair"].append(f"{plain:.1f}")
        for name, row in cells.items():
            yield [f"{correlation:g}", name, *row]


def paired_rows(rng: np.random.Generator, draws: int, n: int = 200) -> Iterator[list[str]]:
    """Files of 3,000 triples, 75% and 80% right; what they share is as often right in both."""
    yield ["evaluator", "shared", "coverage", "width", "width without strata"]
    size = 3000
    for name in ("good", "on photographs"):
        for shared in (0.0, 0.5):
            own = round(size * (1 - shared))
            # The difference of 5 points is one of 5 / (1 - shared) among their own.
            shares = (0.75 + 0.05 / (1 - shared), 0.75)
            files = [
                judged_by(rng, rng.binomial(own, share, size=draws), own, EVALUATORS[name])
                for share in shares
            ]
            sizes = np.concatenate([file.sizes for file in files], 1)
            owner = ["first"] * 2 + ["second"] * 2
            judged = np.array(
                [
                    allocate_paired([*zip(owner, row), ("both", size - own)], n)[:4]
                    for row in sizes.tolist()
                ]
            )
            right = np.concatenate(
                [found_right(rng, f, judged[:, 2 * i : 2 * i + 2]) for i, f in enumerate(files)], 1
            )
            one = weighted_sum(sizes / size * [1, 1, -1, -1], sizes, judged, right)
            truth = (files[0].right.sum(1) - files[1].right.sum(1)) / size
            # n / 2 of all triples of each file, drawn apart.
            everything = rng.binomial(size - own, 0.75, size=draws)
            counts = [file.right.sum(1) + everything for file in files]
            drawn = [rng.hypergeometric(count, size - count, n // 2) for count in counts]
            other = weighted_sum([1, -1], [size, size], [n // 2] * 2, np.stack(drawn, 1))
            yield [
                name,
                f"{100 * shared:.0f}%",
                f"{covers(one, truth):.1f}",
                *(f"{100 * (i.high - i.low).mean():.1f}" for i in (one, other)),
            ]
