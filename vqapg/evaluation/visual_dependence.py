"""How far the judge's opinion of a pair depends on the image: visual dependence.

A pair that is right of every image, such as "is this a photo ? yes", says nothing about its own.
The judge scores each pair with its image, and again with another image of the file. What the words
alone are worth is in both scores, and cancels. A judge that does not look at the image gives 0.
"""

from collections.abc import Sequence

import numpy as np

from vqapg.evaluation.metric import Figure, Metric, MetricInputs, NotComputed

Triple = tuple[str, str, str]


def with_another_image(triples: Sequence[Triple], images: Sequence[str], seed: int) -> list[Triple]:
    """Each triple with an image of *images* that is not its own, drawn by *seed*.

    Each of the others is as likely. With a single image there is none to draw: no triples.

    Args:
        triples: (image, question, answer) each
        images: all different, among them those of *triples*
        seed: of the draw
    """
    if len(images) < 2:
        return []
    place = {image: number for number, image in enumerate(images)}
    # A step of 1 to I - 1 around the circle of images never ends where it began.
    steps = np.random.default_rng(seed).integers(1, len(images), size=len(triples))
    return [
        (images[(place[image] + int(step)) % len(images)], question, answer)
        for (image, question, answer), step in zip(triples, steps)
    ]


def visual_dependence(inputs: MetricInputs) -> Figure:
    """The mean, over distinct triples, of the score with the image less that with another.

    A triple of which the judge cannot tell in one of the two cases is left out.

    Raises:
        NotComputed: if there is one image only
    """
    figures = inputs.figures
    own, other = np.asarray(inputs.scores), np.asarray(inputs.scores_elsewhere)
    if len(figures.images) < 2:
        raise NotComputed("needs two images or more", {"value": None, "n": 0, "ci95": None})
    told = ~(np.isnan(own) | np.isnan(other))
    found: Figure = figures.mean(
        figures.triple_image[told], (own - other)[told], possible=(-1.0, 1.0)
    )
    return found


METRICS = (
    Metric(
        key="visual_dependence",
        label="visual dependence: score, less that with another image",
        unit="score",
        over="distinct triples",
        better="higher",
        version=1,
        group="consistency",
        needs=("scores", "scores_elsewhere"),
        compute=visual_dependence,
    ),
)
