"""Denormal numbers, with which a CPU computes many times more slowly than with others."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def flush_denormals() -> None:
    """From now on a number below 1e-38 is 0 in this thread, and in those that it starts.

    Attention whose scores saturate gives a region such a weight. It changes no result, for beside
    the other weights it is 0. Call it before torch has started its threads, in a process of our
    own. A processor that cannot do it goes on as before.
    """
    torch.set_flush_denormal(True)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """As :func:`flush_denormals` while it lasts: the caller's own numbers are not for us to change.

    Hypothesis, for one, refuses to draw floats in a process without denormal numbers.
    """
    before = are_flushed()
    flush_denormals()
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def are_flushed() -> bool:
    """Whether a denormal number is 0 in this thread. torch sets this, but does not tell it."""
    return sys.float_info.min / 2 == 0
