"""Features held where the model computes, so that a batch brings only the numbers of their rows."""

import numpy as np
import torch

from vqapg.errors import InputError

ROWS_AT_ONCE = 1024


class ResidentFeatures:
    """Stands in for a :class:`~vqapg.data.feature_store.FeatureStore` in a dataset: what it reads
    are row numbers, which :meth:`look_up` turns into features on the device they are moved to.

    Args:
        store: the FeatureStore
    """

    def __init__(self, store):
        self.store = store
        self.rows, self.skipped, self.require = store.rows, store.skipped, store.require
        self.region_counts = store.region_counts
        self.table = None

    def read(self, rows):
        """The row numbers themselves, int64 ``[U]``."""
        return np.asarray(rows, dtype=np.int64)

    def look_up(self, rows):
        """Features float16 ``[U, R, C]`` of *rows* ``[U]``, on their device; all features are
        brought there first.

        Raises:
            InputError: if they do not fit into a GPU's free memory
        """
        if self.table is None or self.table.device != rows.device:
            self.table = self._bring(rows.device)
        if self.region_counts is None:
            return self.table[rows]
        return self.table[rows, : int(self.region_counts[rows.cpu()].max())]

    def _bring(self, device):
        needed = 2 * int(np.prod(self.store.shape))
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if needed > free:
                raise InputError(
                    f"--features-on-device: {self.store.path} takes {needed / 2**30:.1f} GiB, and "
                    f"the device has {free / 2**30:.1f} GiB free; leave the flag out"
                )
        table = torch.empty(self.store.shape, dtype=torch.float16, device=device)
        for start in range(0, len(table), ROWS_AT_ONCE):
            rows = np.arange(start, min(start + ROWS_AT_ONCE, len(table)))
            block = torch.from_numpy(self.store.read(rows)).to(device)
            # Narrower than the table where no image of the block has the most regions
            table[start : start + len(rows), : block.size(1)] = block
        return table

    def __getstate__(self):
        # Worker processes read row numbers only.
        return self.__dict__ | {"table": None}
