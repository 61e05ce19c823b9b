"""Mean and deviation of the training images' features, by which models standardise them."""

from collections.abc import Callable, Mapping

import numpy as np
from tqdm import tqdm

from vqapg.data.directory import SPLITS, DataDirectory
from vqapg.errors import InputError

STATISTICS_ROWS = 256
# A channel that hardly varies over the training images would be blown up by standardising, as soon
# as another image makes it vary. None counts as less than this share of the average deviation.
STD_FLOOR = 0.1


def training_rows(data: DataDirectory, row_of: Mapping[str, int]) -> list[int]:
    """The rows of the training images.

    Raises:
        InputError: when no image of a split is among *row_of*
    """
    for split in SPLITS:
        if not any(image in row_of for image in data.image_ids(split)):
            raise InputError(
                f"{data.path}: no image of the {split} split can be read; put some of them back"
            )
    return [row_of[image] for image in data.image_ids("train") if image in row_of]


def channel_statistics(
    read: Callable[[list[int]], np.ndarray], rows: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over all regions of *rows*.

    Args:
        read: the features of some rows; called for a block of them at a time
        rows: of the training images

    Shape:
        - read(rows): ``[n, R, C]``, or ``[regions, C]`` where images have different R; float16
        - output: ``[C]`` each, float32
    """
    count, mean, squares = 0, 0.0, 0.0
    starts = range(0, len(rows), STATISTICS_ROWS)
    for start in tqdm(starts, desc="statistics", unit="block", delay=2, leave=False, disable=None):
        # [n, R, C] -> [n * R, C]
        block = read(rows[start : start + STATISTICS_ROWS]).astype(np.float64)
        block = block.reshape(-1, block.shape[-1])
        # Merging means and squared deviations (Chan et al., 1983) loses nothing where the mean is
        # large.
        block_mean = block.mean(axis=0)
        difference = block_mean - mean
        total = count + len(block)
        squares = (
            squares
            + ((block - block_mean) ** 2).sum(axis=0)
            + difference**2 * (count * len(block) / total)
        )
        mean = mean + difference * (len(block) / total)
        count = total
    std = np.sqrt(squares / count)
    floor = STD_FLOOR * std.mean() or 1.0
    return mean.astype(np.float32), np.maximum(std, floor).astype(np.float32)
