"""How many different pairs an image gets."""

import numpy as np

from vqapg.evaluation.figures import Figures
from vqapg.evaluation.metric import Figure, Metric, MetricInputs


def distinct_pairs_per_image(figures: Figures) -> Figure:
    """The mean number of distinct well-formed pairs of an image.

    An image that has nothing but malformed pairs counts with 0.
    """
    counts = np.bincount(figures.triple_image, minlength=len(figures.images))
    found: Figure = figures.mean(np.arange(len(counts)), counts, possible=(0.0, np.inf))
    return found


def _compute(inputs: MetricInputs) -> Figure:
    return distinct_pairs_per_image(inputs.figures)


METRICS = (
    Metric(
        key="distinct_pairs_per_image",
        label="distinct pairs an image",
        unit="number",
        over="images",
        better="higher",
        version=1,
        group="diversity, within an image",
        compute=_compute,
    ),
)
