"""The account of an input's lines: how many were read, how many stand in records, and which look like an outcome that nobody understood.

Records may come long after their lines (a message's at its end), so a line that looks like an outcome waits until no record can claim it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from .model import Record
from .parsing.files import Cuts, Line, Lines, Skim
from .parsing.postfix_usual import UsualLine
from .parsing.stamps import split_stamp
from .patterns import lazily
from .shapes import Names, coarse, shape_of

MAX_WAITING = 5000
"""Lines that may still be claimed by a record; a message of more lines that look like outcomes is no message."""

MAX_NEAR = 50
MAX_DISTANCE = 1000
"""Lines that looked like an outcome most recently, not too far back: among them a record may find its own words, told once more."""

MAX_TEXT = 1000
"""Characters that are kept of a line."""

MAX_SHAPES = 500
MIN_WORDS = 12
"""Characters of a record's words that are enough to know them again in another line."""

# A word of failure, and a code or a status: what a refusal would look like.
_CODE = lazily(r"(?<![\w.:\[/-])(?:[45]\d\d[ -]|[45]\.\d{1,3}\.\d{1,3}(?![\w.]))|\bstat(?:us)?[=:]", re.IGNORECASE)
_FAILURE = lazily(
    r"\b(?:reject|bounce|refus|den(?:y|ied)|fail|block|defer|undeliver|expired|unknown user|user unknown|not exist|no such|unavailable|blacklist)",
    re.IGNORECASE,
)
# Lines that speak of an outcome and are known to be none: what was only warned of, and what is told again or in full elsewhere.
_KNOWN = lazily(
    r"reject_warning|\bwarn(?:ing)?\b|non-delivery notification|\bDSN: |status=(?:sent|delivered|deliverable|undeliverable)|"
    r"\bauthentication failed\b|sender verify (?:fail|defer)",
    re.IGNORECASE,
)
Place = Callable[[int], tuple[str, int]]

_ANY_TIME = datetime(2000, 1, 1)


class NotUnderstood(NamedTuple):
    """A line that looks like an outcome and gave no record."""

    source: str
    line: int
    text: str


class LineCounts(NamedTuple):
    """Lines read = lines in records + lines without an outcome; those that were not understood are among the latter."""

    read: int = 0
    in_records: int = 0
    not_understood: int = 0

    @property
    def without_outcome(self) -> int:
        return self.read - self.in_records


class LineAccount:
    """Follows the lines of inputs, one after another, and the records that they give."""

    def __init__(self, tell: Callable[[NotUnderstood], None] | None = None) -> None:
        self._tell = tell
        self._read = 0
        self._in_records = 0
        self._not_understood = 0
        self._shapes = Names(MAX_SHAPES, coarse)
        self._by_shape: dict[int, int] = {}
        self._claimed = bytearray()
        self._last_claim = (0, 0)
        self._waiting: OrderedDict[int, NotUnderstood] = OrderedDict()
        self._last: Line | None = None
        self._place_of_last = ("", 0)
        self._place: Place = lambda number: ("", number)

    def follow(self, lines: Lines, place: Place) -> Lines:
        """The lines of an input, counted as they are read; `place` tells the file and the line there of a line's number."""
        self._claimed = bytearray()
        self._last_claim = (0, 0)
        self._place = place
        return _Followed(lines, self)

    def read(self, line: Line) -> None:
        """Count a line."""
        self._read += 1
        self._look_at_last()
        self._last, self._place_of_last = line, self._place(line.number)

    def pass_over(self, count: int) -> None:
        """Count lines that their reader understood without a closer look; those with a record are claimed by it."""
        self._read += count

    def claim(self, record: Record) -> None:
        """Count a record's lines as understood, and the lines that say its words again."""
        last = max(record.line, record.last_line)
        # A bounce message may have thousands of records, and each of them all of its lines.
        if (record.line, last) != self._last_claim:
            self._claim_lines(record.line, last)
        if self._waiting and self._is_near(record.line):
            self._dismiss(record)

    def _claim_lines(self, first: int, last: int) -> None:
        self._last_claim = (first, last)
        if last // 8 >= len(self._claimed):
            self._claimed.extend(bytes(last // 8 + 1024 - len(self._claimed)))
        for number in range(first, last + 1):
            bit = 1 << number % 8
            if not self._claimed[number // 8] & bit:
                self._claimed[number // 8] |= bit
                self._in_records += 1
        if self._last and first <= self._last.number <= last:
            self._last = None
        lines = range(first, last + 1)
        for number in lines if len(lines) < len(self._waiting) else [number for number in self._waiting if number in lines]:
            self._waiting.pop(number, None)

    def claim_usual(self, usual: UsualLine) -> None:
        """Count a usual line, which no other record can claim."""
        self._in_records += 1
        if self._waiting and self._is_near(usual.line):
            self._dismiss(usual.record(""))

    def close(self) -> None:
        """The input has ended: what still waits was not understood."""
        self._look_at_last()
        for line in self._waiting.values():
            self._give_up(line)
        self._waiting.clear()

    @property
    def counts(self) -> LineCounts:
        return LineCounts(self._read, self._in_records, self._not_understood)

    @property
    def shapes(self) -> dict[str, int]:
        """The shapes of the lines that were not understood, most first."""
        named: dict[str, int] = {}
        for number, count in self._by_shape.items():
            named[self._shapes[number]] = named.get(self._shapes[number], 0) + count
        return dict(sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))

    def _look_at_last(self) -> None:
        """Most lines have been claimed before the next one is read, and need no look."""
        line, self._last = self._last, None
        if line and looks_like_outcome(line.text):
            self._wait(line.number, NotUnderstood(*self._place_of_last, line.text[:MAX_TEXT]))

    def _wait(self, number: int, line: NotUnderstood) -> None:
        self._waiting[number] = line
        if len(self._waiting) > MAX_WAITING:
            self._give_up(self._waiting.popitem(last=False)[1])

    def _is_near(self, line: int) -> bool:
        return line - next(reversed(self._waiting)) < MAX_DISTANCE

    def _dismiss(self, record: Record) -> None:
        words = record.text[:60]
        if len(words) >= MIN_WORDS:
            near = islice(reversed(self._waiting.items()), MAX_NEAR)
            told = [number for number, line in near if record.line - number < MAX_DISTANCE and words in " ".join(line.text.split())]
            for number in told:
                del self._waiting[number]

    def _give_up(self, line: NotUnderstood) -> None:
        self._not_understood += 1
        number = self._shapes.number(shape_of(_without_stamp(line.text)))
        self._by_shape[number] = self._by_shape.get(number, 0) + 1
        if self._tell:
            self._tell(line)


class _Followed:
    """Lines that are counted when they are read."""

    def __init__(self, lines: Lines, account: LineAccount) -> None:
        self._lines = lines
        self._account = account

    def __iter__(self) -> Iterator[Line | None]:
        return self

    def __next__(self) -> Line | None:
        line = next(self._lines)
        if line is not None:
            self._account.read(line)
        return line

    def skim(self, skim: Skim, until: int | None = None) -> int:
        count = self._lines.skim(skim, until)
        self._account.pass_over(count)
        return count

    @property
    def size(self) -> int:
        return self._lines.size

    @property
    def cuts(self) -> Cuts:
        return self._lines.cuts


def looks_like_outcome(text: str) -> bool:
    """Whether a line has a word of failure together with a code or a status, and is not known to be something else."""
    return bool(_CODE.search(text) and _FAILURE.search(text) and not _KNOWN.search(text))


def _without_stamp(text: str) -> str:
    stamp = split_stamp(text, _ANY_TIME)
    return f"{stamp.program}: {stamp.message}" if stamp else text
