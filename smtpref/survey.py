"""Reading all that a report is about: which inputs there are, in which order they are read, and what becomes of each of their lines.

Logs are rotated at any moment, and a message's lines then stand in two files: log files are put in order by their first times and read as one,
so that the answer is that of one file, in whatever order they were named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from .classification import Classifier
from .errors import SmtprefError, Unreadable
from .knowledge import Knowledge
from .line_account import LineAccount, NotUnderstood
from .model import STDIN, InputFormat, Record
from .parsing.files import Cuts, Input, Line, Lines, Skim, files_in, lines_of, open_input
from .parsing.postfix_usual import UsualLine
from .parsing.recognition import read_items
from .parsing.stamps import split_stamp

FIRST_LINES = 20
"""Lines among which a log has one with a time."""

EXPANSION = 10
"""How many times its size a compressed log has, where the file does not say."""

BYTES_AT_ONCE = 1 << 16
"""Bytes after which whoever watches is told how far the reading is."""

Watch = Callable[[int], None]


class _Log(NamedTuple):
    first: str
    path: str
    latest: datetime


class Survey:
    """Inputs, found and put in order. One that cannot be read is added to `errors`, and the others are read."""

    def __init__(self, paths: Iterable[str], errors: list[SmtprefError], year: int | None = None) -> None:
        self._errors = errors
        self._year = year
        self._others: list[str] = []
        logs: list[_Log] = []
        files = list(self._files(paths))
        for path in files:
            log = self._log(path) if len(files) > 1 else None
            if log:
                logs.append(log)
            else:
                self._others.append(path)
        self._logs = sorted(logs)
        self.size = sum(map(size_of, files)) if STDIN not in files else None
        """Bytes that will be read, about; None where nobody knows."""

    def items(
        self, classifier: Classifier, account: LineAccount, only: InputFormat | None = None, watch: Watch | None = None
    ) -> Iterator[Record | UsualLine]:
        """Yield what the inputs tell (see `read_items`), and keep `account` of their lines; `watch` is called with the bytes that were read."""
        if self._logs:
            joined = _Joined(self._logs, self._errors)
            yield from self._of_input(Input(self._logs[0].path, joined.latest, joined), joined.place, classifier, account, only, watch)
            self._errors += joined.cuts.told(joined.path)
        for path in self._others:
            try:
                opened = open_input(path, self._year)
                yield from self._of_input(opened, lambda number, path=path: (path, number), classifier, account, only, watch)  # type: ignore[misc]
                self._errors += opened.lines.cuts.told(path)
            except Unreadable as error:
                self._errors.append(error)

    def not_understood(self, knowledge: Knowledge, only: InputFormat | None = None, watch: Watch | None = None) -> Iterator[NotUnderstood]:
        """Yield the lines that look like an outcome and gave no record."""
        found: list[NotUnderstood] = []
        for _ in self.items(Classifier(knowledge), LineAccount(found.append), only, watch):
            yield from found
            found.clear()
        yield from found

    def _of_input(
        self,
        opened: Input,
        place: Callable[[int], tuple[str, int]],
        classifier: Classifier,
        account: LineAccount,
        only: InputFormat | None,
        watch: Watch | None,
    ) -> Iterator[Record | UsualLine]:
        lines = account.follow(_Watched(opened.lines, watch) if watch else opened.lines, place)
        try:
            for item in read_items(opened._replace(lines=lines), only):
                if isinstance(item, UsualLine):
                    account.claim_usual(item)
                    yield item
                # Words that say nothing are no record.
                elif not item.words_only or classifier.classified(item, opened.source):
                    account.claim(item)
                    yield item
        finally:
            account.close()

    def _files(self, paths: Iterable[str]) -> Iterator[str]:
        for path in paths:
            try:
                yield from files_in(path)
            except Unreadable as error:
                self._errors.append(error)

    def _log(self, path: str) -> _Log | None:
        """What is needed of a log to put it in order; None of what is no log, or cannot be read, which shows again later."""
        if not os.path.isfile(path):
            # What comes through a pipe can be read only once.
            return None
        try:
            opened = open_input(path, self._year)
            stamps = (split_stamp(line.text, opened.latest) for line in islice(opened.lines, FIRST_LINES) if line)
            first = next((stamp.time for stamp in stamps if stamp and stamp.time), None)
        except Unreadable:
            return None
        return _Log(first, path, opened.latest) if first else None


class _Joined:
    """Log files, one after another, as one; their lines are counted through."""

    def __init__(self, logs: list[_Log], errors: list[SmtprefError]) -> None:
        self._logs = iter(logs)
        self._errors = errors
        self.path = ""
        self._lines: Lines = lines_of()
        self._lines_before = 0
        self._size_before = 0
        self._number = 0
        self.latest = max(log.latest for log in logs)

    def __iter__(self) -> Iterator[Line | None]:
        return self

    def __next__(self) -> Line | None:
        while True:
            try:
                for line in self._lines:
                    self._number += line is not None
                    return line._replace(number=self._number) if line else None
            except Unreadable as error:
                self._errors.append(error)
            self._open_next()

    def skim(self, skim: Skim, until: int | None = None) -> int:
        before = self._lines_before

        def counted_through(block: bytes, start: int, end: int, number: int) -> tuple[int, int]:
            place, following = skim(block, start, end, number + before)
            return place, following - before

        count = self._lines.skim(counted_through, until)
        self._number += count
        return count

    @property
    def size(self) -> int:
        return self._size_before + self._lines.size

    @property
    def cuts(self) -> Cuts:
        return self._lines.cuts

    def place(self, number: int) -> tuple[str, int]:
        """The file of a line that was just read, and its number there."""
        return self.path, number - self._lines_before

    def _open_next(self) -> None:
        """Raises StopIteration after the last file."""
        following = next(self._logs)
        # That of the last one is told by whoever reads them all.
        self._errors += self._lines.cuts.told(self.path)
        self._lines_before, self._size_before = self._number, self.size
        self._lines = lines_of()
        self.path = following.path
        try:
            self._lines = open_input(self.path).lines
        except Unreadable as error:
            self._errors.append(error)


def size_of(path: str) -> int:
    """The bytes that reading a file gives, about; of a compressed one as many as it says, or as such files usually do."""
    try:
        size = os.path.getsize(path)
        if path.endswith(".gz") and size > 4:
            with open(path, "rb") as file:
                file.seek(-4, os.SEEK_END)
                said = int.from_bytes(file.read(4), "little")
            return said if said > size else size * EXPANSION
    except OSError:
        return 0
    return size * EXPANSION if path.endswith((".bz2", ".xz", ".zst")) else size


class _Watched:
    """Lines of whose reading somebody is told."""

    def __init__(self, lines: Lines, watch: Watch) -> None:
        self._lines = lines
        self._watch = watch
        self._told = 0

    def __iter__(self) -> Iterator[Line | None]:
        return self

    def __next__(self) -> Line | None:
        try:
            line = next(self._lines)
        except StopIteration:
            self._tell()
            raise
        if self._lines.size - self._told >= BYTES_AT_ONCE:
            self._tell()
        return line

    def skim(self, skim: Skim, until: int | None = None) -> int:
        return self._lines.skim(skim, until)

    @property
    def size(self) -> int:
        return self._lines.size

    @property
    def cuts(self) -> Cuts:
        return self._lines.cuts

    def _tell(self) -> None:
        size = self._lines.size
        self._watch(size - self._told)
        self._told = size
