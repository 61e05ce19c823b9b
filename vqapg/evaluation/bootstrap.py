"""Bootstrap 95% intervals over images."""

import numpy as np


class ImageBootstrap:
    """Intervals by resampling images: an image is drawn with everything that was generated for it.

    Pairs of one image are not independent, hence the image is the unit. All statistics see the same draws.

    The interval is the 2.5 to 97.5 percentile range of the resampled figures, shifted so that their mean
    coincides with the figure itself, then cut to what is possible. The shift is needed for counts of distinct
    things: a resample holds about 63% of the images, so it always counts fewer, and the plain range would
    exclude its own estimate. For means it moves next to nothing; one method serves all. For distinct counts
    the width is an approximation: it tells how far the count hangs on single images, not how it grows with
    more of them.

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

        *image* [M] is the image of each value. Returns [low, high], or None for no values or fewer than two
        images.
        """
        if not self._has_interval(image):
            return None
        totals = np.bincount(image, value, minlength=self.images)
        counts = np.bincount(image, minlength=self.images)
        drawn = self.weights @ counts
        # Values that sit in few images may be missing from a resample, which then has no mean.
        kept = drawn > 0
        replicates = (self.weights @ totals)[kept] / drawn[kept]
        return _shifted_range(replicates, np.mean(value), possible)

    def distinct_count(self, image, item, possible):
        """Interval of the number of distinct *item* [M] numbers; *image* and the result as in ``mean``."""
        if not self._has_interval(image):
            return None
        return _shifted_range(self._distinct(image, item), len(np.unique(item)), possible)

    def distinct_ratio(self, image, item):
        """Interval of distinct items / all items; *item* [M], *image* and the result as in ``mean``."""
        if not self._has_interval(image):
            return None
        drawn = self.weights @ np.bincount(image, minlength=self.images)
        kept = drawn > 0
        replicates = self._distinct(image, item)[kept] / drawn[kept]
        return _shifted_range(replicates, len(np.unique(item)) / len(item), (0.0, 1.0))

    def figure(self, image, of, possible=(0.0, 1.0)):
        """Interval of any figure: ``of(weights [M])`` computes it with each item counted so many times, nan where it
        cannot be computed; *image* [M] and the result as in ``mean``."""
        if not self._has_interval(image):
            return None
        replicates = np.array([of(row[image].astype(np.float64)) for row in self.weights])
        estimate = of(np.ones(len(image)))
        kept = ~np.isnan(replicates)
        return None if np.isnan(estimate) else _shifted_range(replicates[kept], estimate, possible)

    def _has_interval(self, image):
        # From a single image nothing can be said about other images: no interval rather than a
        # zero-width one.
        return self.images > 1 and len(image) > 0

    def _distinct(self, image, item):
        """[S]: the number of distinct items in each resample."""
        # An item counts once however often its image holds it, so each (item, image) is looked at once,
        # sorted by item: then an item is there when any image of its stretch was drawn.
        item, image = np.divmod(np.unique(item * self.images + image), self.images)
        starts = np.flatnonzero(np.r_[True, item[1:] != item[:-1]])
        return np.array([np.logical_or.reduceat(row[image], starts).sum() for row in self.weights > 0])


def _shifted_range(replicates, estimate, possible):
    low, high = np.percentile(replicates, [2.5, 97.5]) - np.mean(replicates) + estimate
    return [float(np.clip(bound, *possible)) for bound in (low, high)]
