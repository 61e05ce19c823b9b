"""Human evaluation (appendix C, Table 6): diversity and consistency as annotators judge them, and
how far they agree.

A *group* is all distinct pairs that one model generated for one image. For every pair an annotator
gives

- ``consistency``: 0 the question cannot be answered from the image, 1 it can and the answer is
  wrong, 2 it can and the answer is right, ? the annotator cannot judge the answer, which counts as
  right;
- ``question_type``, such as "what color", and ``object``, the one thing asked about, or "-" for
  none.

Appendix C's example: of four pairs of types "what kind", "what is", "what brand", "what color"
three are about the computer and one about its screen, hence (4/4 + 2/4) / 2 = 0.75. It divides the
objects by the pairs, so a pair has one.
"""

from collections import Counter
from itertools import combinations
from typing import NamedTuple

import numpy as np

from vqapg.data.tokenizer import plain_spelling
from vqapg.evaluation.agreement import krippendorff_alpha
from vqapg.evaluation.bootstrap import ImageBootstrap

FIELDS = ("consistency", "question_type", "object")
NO_OBJECT = "-"
# Appendix C.2: 0, 1 or 2, divided by 2; an answer that cannot be judged is taken as consistent.
SCORES = {"0": 0.0, "1": 0.5, "2": 1.0, "?": 1.0}
# Table 6, of 50 images and four annotators; * is variational.
PAPER_TABLE_6 = {
    "Pipeline*": {"count": 365, "diversity": 0.75, "consistency": 0.58},
    "Joint*": {"count": 355, "diversity": 0.62, "consistency": 0.64},
    "Sequential*": {"count": 248, "diversity": 0.46, "consistency": 0.73},
}


class ShownPair(NamedTuple):
    """A pair as annotators see it; *question* and *answer* are text for people."""

    id: str
    question: str
    answer: str


class Group(NamedTuple):
    """The distinct pairs of one model for one image; *image* is a number below the number of
    images.
    """

    id: str
    model: str
    image: int
    pairs: tuple[ShownPair, ...]


def normalise_label(text):
    """What makes two typed labels the same: small letters, single spaces, no punctuation around."""
    return " ".join(plain_spelling(text).lower().split()).strip(" .,;:!?\"'") or NO_OBJECT


def group_diversity(question_types, objects):
    """Appendix C.1 for one group: the mean of unique question types / pairs and unique objects /
    pairs.
    """
    types = {normalise_label(text) for text in question_types}
    objects = {normalise_label(text) for text in objects} - {NO_OBJECT}
    pairs = len(question_types)
    return (len(types) / pairs + len(objects) / pairs) / 2


def compute_human(groups, judgements, images, *, seed=1, resamples=1000):
    """Every figure as ``{"value", "n", "ci95"}``, the n being judgements; None where nothing was
    judged.

    A group's diversity needs the types and objects of all its pairs; a group that an annotator has
    not finished is left out of that annotator's mean. A figure is the mean of the annotators'
    means; annotators without a judgement of a model are left out of that model's mean.

    Args:
        groups: list of Group.
        judgements: {annotator: {pair id: {field: value}}}, fields and pairs may be missing.
        images: how many images were drawn, I.
        seed, resamples: of the bootstrap over images.
    """
    bootstrap = ImageBootstrap(images, resamples, seed)
    models = list(dict.fromkeys(group.model for group in groups))
    pairs = np.zeros((len(models), images))  # generated pairs of each model and image
    for group in groups:
        pairs[models.index(group.model), group.image] += len(group.pairs)
    result = {"images": images, "bootstrap": {"resamples": resamples, "seed": seed}, "models": {}}
    for number, model in enumerate(models):
        own = [group for group in groups if group.model == model]

        def normalised(diversity, weights, number=number):
            counts = pairs @ weights
            return diversity * counts[number] / counts.max() if counts.max() else np.nan

        of_annotators = judgements.values()
        diversity = _AnnotatorMeans(images, [_diversities(own, judged) for judged in of_annotators])
        consistency = _AnnotatorMeans(
            images, [_of_marks(own, judged, SCORES.get) for judged in of_annotators]
        )
        unjudged = _AnnotatorMeans(
            images, [_of_marks(own, judged, "?".__eq__) for judged in of_annotators]
        )
        result["models"][model] = {
            "count": int(pairs[number].sum()),
            "count_ratio": float(pairs[number].sum() / pairs.sum(axis=1).max()),
            "diversity": diversity.figure(bootstrap, normalised),
            "diversity_before_count": diversity.figure(bootstrap),
            "consistency": consistency.figure(bootstrap),
            "cannot_judge": unjudged.figure(bootstrap),
            "annotators": {
                name: {
                    "groups": int(diversity.counts[row].sum()),
                    "diversity": _number(
                        normalised(diversity.means(np.ones(images))[row], np.ones(images))
                    ),
                    "pairs": int(consistency.counts[row].sum()),
                    "consistency": _number(consistency.means(np.ones(images))[row]),
                }
                for row, name in enumerate(judgements)
            },
        }
    result["agreement"] = _agreement(groups, judgements, bootstrap)
    return result


class _AnnotatorMeans:
    """Values that annotators gave, [(image, value), ...] for each; statistics under weights [I] of
    the images.
    """

    def __init__(self, images, values):
        self.sums, self.counts = np.zeros((2, len(values), images))  # [A, I]
        for row, of_annotator in enumerate(values):
            for image, value in of_annotator:
                self.sums[row, image] += value
                self.counts[row, image] += 1

    def means(self, weights):
        """[A] each annotator's mean; nan for one without a value."""
        with np.errstate(invalid="ignore"):
            return (self.sums @ weights) / (self.counts @ weights)

    def figure(self, bootstrap, transform=lambda mean, weights: mean):
        """The mean over annotators of their means, changed by ``transform(mean, weights)``, with
        its interval.
        """

        def statistic(weights):
            means = self.means(weights)
            means = means[~np.isnan(means)]
            return transform(means.mean(), weights) if len(means) else np.nan

        images = np.flatnonzero(self.counts.sum(axis=0))
        return {
            "value": _number(statistic(np.ones(bootstrap.images))),
            "n": int(self.counts.sum()),
            "ci95": bootstrap.statistic(images, statistic, (0.0, 1.0)),
        }


def _number(value):
    return None if np.isnan(value) else float(value)


def _values(group, judged, field):
    """What an annotator gave as *field* of the group's pairs; None for a pair without."""
    return [judged.get(pair.id, {}).get(field) for pair in group.pairs]


def _diversities(groups, judged):
    for group in groups:
        types, objects = _values(group, judged, "question_type"), _values(group, judged, "object")
        if None not in types and None not in objects:
            yield group.image, group_diversity(types, objects)


def _of_marks(groups, judged, value):
    for group in groups:
        for mark in _values(group, judged, "consistency"):
            if mark is not None:
                yield group.image, value(mark)


def _agreement(groups, judgements, bootstrap):
    """Alpha over all models of the scores, of the marks as they were given, of question types and
    of objects.

    What annotators call a type or an object does not enter diversity, only which pairs share it:
    the unit is any two pairs of a group, the value whether they have the same.
    """
    scores, marks = ("0", "1", "2"), tuple(SCORES)
    as_scored = {"?": "2"}
    found = {
        key: ([], []) for key in ("consistency", "consistency_marks", "question_type", "object")
    }

    def add(key, image, values, possible):
        counted = Counter(value for value in values if value is not None)
        if counted.total() > 1:
            found[key][0].append(image)
            found[key][1].append([counted[value] for value in possible])

    for group in groups:
        given = {
            field: [_values(group, judged, field) for judged in judgements.values()]
            for field in FIELDS
        }
        for of_pair in zip(*given["consistency"], strict=True):
            add("consistency", group.image, [as_scored.get(mark, mark) for mark in of_pair], scores)
            add("consistency_marks", group.image, of_pair, marks)
        for field in ("question_type", "object"):
            for first, second in combinations(range(len(group.pairs)), 2):
                same = [_same(labels[first], labels[second]) for labels in given[field]]
                add(field, group.image, same, (False, True))
    return {
        key: _alpha(np.array(image, dtype=np.int64), np.array(counts), level, bootstrap)
        for (key, (image, counts)), level in zip(
            found.items(), ("ordinal", "nominal", "nominal", "nominal"), strict=True
        )
    }


def _same(first, second):
    return None if None in (first, second) else normalise_label(first) == normalise_label(second)


def _alpha(image, counts, level, bootstrap):
    if not len(image):
        return {"value": None, "n": 0, "ci95": None, "level": level}

    def statistic(weights):
        return krippendorff_alpha(counts, level, weights[image])

    value = _number(statistic(np.ones(bootstrap.images)))
    interval = (
        None if value is None else bootstrap.statistic(np.unique(image), statistic, (-1.0, 1.0))
    )
    return {"value": value, "n": len(image), "ci95": interval, "level": level}
