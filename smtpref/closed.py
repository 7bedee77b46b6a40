"""Messages of which nothing more is expected: counts, and hashes of whom they reached, since an input may have tens of millions."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple


class ClosedMessage(NamedTuple):
    """A message in numbers: the last time that something was said of it in microseconds, the recipient as a hash, or 0."""

    facts: int
    domain: int
    sender: int
    hour: int
    last: int
    recipient: int


class Closed:
    """Takes messages for good, and tells what they come to."""

    def __init__(self) -> None:
        self._counts = tuple(array("I") for _ in range(5))
        self._recipients: dict[int, array[int]] = {}
        self._latest: dict[tuple[int, int], tuple[int, int]] = {}

    def add(self, messages: Iterable[ClosedMessage]) -> None:
        """Take messages, the more at once the better."""
        counts: Counter[tuple[int, int, int, int]] = Counter()
        for facts, domain, sender, hour, last, recipient in messages:
            counts[facts, domain, sender, hour] += 1
            if recipient:
                self._recipients.setdefault(facts, array("q")).append(recipient)
            latest = self._latest.get((facts, domain))
            if latest is None or latest[0] < last:
                self._latest[facts, domain] = (last, hour)
        for column, values in zip(self._counts, zip(*((*key, count) for key, count in counts.items()), strict=True), strict=False):
            column.extend(values)

    def counts(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Facts, domain, sender, hour, and how many messages have these in common; the same may come again."""
        return zip(*self._counts, strict=True)

    def recipients(self, are: Callable[[int], bool]) -> Iterator[int]:
        """The recipients of the messages with such facts."""
        return chain.from_iterable(recipients for facts, recipients in self._recipients.items() if are(facts))

    def latest(self) -> Iterator[tuple[int, int, int, int]]:
        """Facts and domain, with the last time of their messages and its hour."""
        return ((*key, *time) for key, time in self._latest.items())
