"""A set of 64-bit hashes in the memory that they need: of an input's messages there may be millions."""

from __future__ import annotations

from array import array

_ALL = (1 << 64) - 1
_FIRST_SLOTS = 1024


def hash_of(*parts: object) -> int:
    """A hash of 64 bits, never 0; the same for the same parts within one run."""
    return hash(parts) & _ALL or 1


class HashIndex:
    """Numbers the hashes that it is given, from 0, in the order in which they come."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        # Open addressing: 0 is an empty slot, n stands for number n - 1.
        self._slots = array("I", bytes(4 * _FIRST_SLOTS))

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, key: int) -> bool:
        return self._slots[self._slot(key)] != 0

    def add(self, key: int) -> int:
        """The number of a hash, a new one where it is new."""
        slot = self._slot(key)
        number = self._slots[slot]
        if number:
            return number - 1
        self._hashes.append(key)
        self._slots[slot] = len(self._hashes)
        if len(self._hashes) * 3 > len(self._slots) * 2:
            self._grow()
        return len(self._hashes) - 1

    def _slot(self, key: int) -> int:
        """Where a hash is, or where it would be put."""
        slots, hashes = self._slots, self._hashes
        mask = len(slots) - 1
        slot = key & mask
        while (number := slots[slot]) and hashes[number - 1] != key:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        self._slots = array("I", bytes(8 * len(self._slots)))
        for number, key in enumerate(self._hashes, 1):
            self._slots[self._slot(key)] = number
