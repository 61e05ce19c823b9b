"""Bootstrap 95% intervals over images."""

import numpy as np

from vqapg.evaluation.proportions import wilson


class ImageBootstrap:
    """Intervals by resampling images: an image is drawn with everything that was generated for it.

    Pairs of one image are not independent, hence the image is the unit. All statistics see the same
    draws.

    The interval is the 2.5 to 97.5 percentile range of the resampled figures, shifted so that their
    mean coincides with the figure itself, then cut to what is possible. The shift is needed for
    counts of distinct things: a resample holds about 63% of the images, so it always counts fewer,
    and the plain range would exclude its own estimate. For means it moves next to nothing; one
    method serves all. For distinct counts the width is an approximation: it tells how far the count
    hangs on single images, not how it grows with more of them.

    Where everything is right, or nothing, every resample says the same. A share then has Wilson's
    interval, with each image as one observation.

    Args:
        images: how many images there are, I; what belongs to an image names it by an index below I.
        resamples: how many resamples, S.
        seed: of the draws.
    """

    def __init__(self, images, resamples=1000, seed=1):
        self.images = images
        rng = np.random.default_rng(seed)
        # [S, I]: how often a resample drew an image
        self.weights = np.zeros((resamples, images), dtype=np.int32)
        for row in self.weights:
            row += np.bincount(rng.integers(images, size=images), minlength=images)

    def mean(self, image, value, possible=(0.0, 1.0)):
        """Interval of the mean of *value* [M]: the resampled sum over the resampled count.

        *image* [M] is the image of each value. Returns [low, high], or None for no values or fewer
        than two images.
        """
        if not self._has_interval(image):
            return None
        value = np.asarray(value)
        if possible == (0.0, 1.0) and (np.all(value == 0) or np.all(value == 1)):
            return _of_one_kind(value[0], image)
        totals = np.bincount(image, value, minlength=self.images)
        counts = np.bincount(image, minlength=self.images)
        drawn = self.weights @ counts
        # Values that sit in few images may be missing from a resample, which then has no mean.
        kept = drawn > 0
        replicates = (self.weights @ totals)[kept] / drawn[kept]
        return _shifted_range(replicates, np.mean(value), possible)

    def distinct_count(self, image, item, possible):
        """Interval of the number of distinct *item* [M] numbers; *image* and the result as in
        ``mean``.

        Images without items count too: a resample of those alone holds no item, which is a count,
            not nothing.
        """
        if self.images < 2 or not len(item):
            return None
        return _shifted_range(self._distinct(image, item), len(np.unique(item)), possible)

    def distinct_ratio(self, image, item):
        """Interval of distinct items / all items; *item* [M], *image* and the result as in
        ``mean``.
        """
        if not self._has_interval(image):
            return None
        drawn = self.weights @ np.bincount(image, minlength=self.images)
        kept = drawn > 0
        replicates = self._distinct(image, item)[kept] / drawn[kept]
        return _shifted_range(replicates, len(np.unique(item)) / len(item), (0.0, 1.0))

    def statistic(self, image, compute, possible):
        """Interval of ``compute(weights [I])``, a figure when image i counts weights[i] times (all
        1: the figure itself).

        *compute* returns nan for a resample that has no such figure. *image* [M] and the result as
        in ``mean``; None as well where the figure rests on one image alone.
        """
        if not self._has_interval(image):
            return None
        estimate = compute(np.ones(self.images))
        if np.isnan(estimate):
            return None
        replicates = np.array([compute(row) for row in self.weights])
        return _shifted_range(replicates[~np.isnan(replicates)], estimate, possible)

    def distinct_share(self, image, item, chosen):
        """Interval of distinct chosen items / distinct items; *chosen* [M] says of each item
        whether it is chosen.

        Equal items are chosen alike. *item*, *image* and the result as in ``mean``.
        """
        if not self._has_interval(image):
            return None
        if chosen.all() or not chosen.any():
            return _of_one_kind(chosen[0], image)
        everything = self._distinct(image, item)
        kept = everything > 0
        replicates = self._distinct(image[chosen], item[chosen])[kept] / everything[kept]
        return _shifted_range(
            replicates, len(np.unique(item[chosen])) / len(np.unique(item)), (0.0, 1.0)
        )

    def of_sums(self, image, parts, function, possible=(0.0, 1.0)):
        """Interval of *function* of the sums of *parts* [M, F], as corpus BLEU is one of summed
        n-gram counts.

        *function* takes sums [N, F] and returns a figure for each, [N]. *image* and the result as
        in ``mean``.
        """
        if not self._has_interval(image):
            return None
        totals = np.zeros((self.images, parts.shape[1]))
        np.add.at(totals, image, parts)
        kept = self.weights @ np.bincount(image, minlength=self.images) > 0
        # The figure itself and its replicates in one call: calling the function may be dear.
        estimate, *replicates = function(
            np.vstack([parts.sum(axis=0), (self.weights @ totals)[kept]])
        )
        return _shifted_range(replicates, estimate, possible)

    def _has_interval(self, image):
        # From a single image nothing can be said about other images: no interval rather than a
        # zero-width one. Nor where others were generated for, but the figure rests on one alone:
        # the 4-grams of one, say.
        return len(np.unique(image)) > 1

    def _distinct(self, image, item):
        """[S]: the number of distinct items in each resample."""
        if not len(item):
            return np.zeros(len(self.weights))
        # An item counts once however often its image holds it, so each (item, image) is looked at
        # once, sorted by item: then an item is there when any image of its stretch was drawn.
        item, image = np.divmod(np.unique(item * self.images + image), self.images)
        starts = np.flatnonzero(np.r_[True, item[1:] != item[:-1]])
        return np.array(
            [np.logical_or.reduceat(row[image], starts).sum() for row in self.weights > 0]
        )


def _of_one_kind(share, image):
    """[low, high] of a *share* of 0 or 1, from the images that have it."""
    found = wilson(float(share), len(np.unique(image)))
    return [float(found.low), float(found.high)]


def _shifted_range(replicates, estimate, possible):
    low, high = np.percentile(replicates, [2.5, 97.5]) - np.mean(replicates) + estimate
    return [float(np.clip(bound, *possible)) for bound in (low, high)]
