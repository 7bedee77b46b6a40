"""Messages of which nothing more is expected: counts, and hashes of whom they reached, since an input may have tens of millions."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence


class Closed:
    """Takes messages for good, all that is told of one as a number, and tells what they come to."""

    def __init__(self) -> None:
        self._counts = tuple(array("I") for _ in range(5))
        self._latest: dict[tuple[int, int], tuple[int, int]] = {}
        self.reached = array("q")
        """Hashes of the recipients."""

    def add(
        self,
        facts: Sequence[int],
        domains: Sequence[int],
        senders: Sequence[int],
        hours: Sequence[int],
        lasts: Sequence[int],
        *,
        reached: Iterable[int],
    ) -> None:
        """Take messages, the more at once the better; `lasts` are the last times that anything was said of them, in microseconds."""
        self.reached.extend(reached)
        counts = Counter(zip(facts, domains, senders, hours, strict=True))
        for column, values in zip(self._counts, zip(*counts, strict=True), strict=False):
            column.extend(values)
        self._counts[-1].extend(counts.values())
        known = self._latest
        for place, last in zip(zip(facts, domains, strict=True), zip(lasts, hours, strict=True), strict=True):
            if place not in known or known[place] < last:
                known[place] = last

    def counts(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Facts, domain, sender, hour, and how many messages have these in common; the same may come again."""
        return zip(*self._counts, strict=True)

    def latest(self) -> Iterator[tuple[int, int, int, int]]:
        """Facts and domain, with the last time of their messages and its hour."""
        return ((*place, *last) for place, last in self._latest.items())
