"""How freed memory goes back to the system."""

from __future__ import annotations

import sys

_M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 1 << 17
"""Bytes of a block from which on it goes back at once."""


def give_back_large_blocks() -> None:
    """Have the C library give back every large block that is freed; nothing where it is not glibc (mallopt(3)).

    It would learn to keep them, and the columns of a summary, which grow and are made anew, would leave holes of twice their size.
    """
    if sys.platform != "linux":
        return
    # Only what reads much needs it.
    import ctypes  # noqa: PLC0415

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
