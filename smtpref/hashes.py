"""Hashes of what there may be millions of."""

from __future__ import annotations


def hash_of(*parts: object) -> int:
    """A hash of 64 bits, never 0; the same for the same parts within one run."""
    return hash(parts) or 1
