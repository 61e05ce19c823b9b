"""Memory of the C library, as work on a CPU needs it."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Large tensors that are freed stay the process's own; without glibc nothing changes.

    malloc gives whatever is larger than 32 MiB back at once, and to be given such memory anew, page
    by page, took a third of extraction's time on a CPU and a fifth of training's. The price is
    memory that lies in pieces: training may hold a quarter to two fifths more.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
