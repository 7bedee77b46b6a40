"""Which reader a line needs: an input's lines go in, records come out, as soon as a line completes one.

`READERS` is the table. A line is offered to the reader that is in the middle of something, then to each in the table's order;
the last one, of bare replies, takes whatever is left. A reader is imported when a line is first offered to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from itertools import chain
from typing import NamedTuple, cast

from ..model import InputFormat, Record
from .files import Input, Line, Lines
from .postfix_usual import UsualLine
from .reader import InputLine, Reader
from .reply import CODE_FIRST
from .stamps import split_stamp


class _Entry(NamedTuple):
    """A reader, imported when a line is first offered to it."""

    module: str
    name: str
    takes_replies: bool = False
    """Whether it takes lines that begin with a reply code, and nothing before them."""

    def load(self) -> type[Reader]:
        return cast("type[Reader]", getattr(import_module(f".{self.module}", __package__), self.name))


READERS = (
    _Entry("postfix", "PostfixReader"),
    _Entry("exim", "EximReader"),
    _Entry("sendmail", "SendmailReader"),
    _Entry("events", "EventReader"),
    _Entry("courier", "CourierReader"),
    _Entry("opensmtpd", "OpenSmtpdReader"),
    _Entry("qmail", "QmailReader"),
    _Entry("exchange", "ExchangeReader"),
    _Entry("m365", "M365Reader"),
    _Entry("queues", "PostqueueJsonReader"),
    _Entry("queues", "PostqueueReader"),
    _Entry("queues", "MailqReader"),
    _Entry("mail", "MailReader", takes_replies=True),
    _Entry("powermta", "PowermtaReader"),
    _Entry("ironport", "IronportReader"),
    _Entry("haraka", "HarakaReader"),
    _Entry("maddy", "MaddyReader"),
    _Entry("zonemta", "ZoneMtaReader"),
    _Entry("stalwart", "StalwartReader"),
    _Entry("hmailserver", "HmailserverReader"),
    _Entry("mailenable", "MailenableReader"),
    _Entry("dialogue", "DialogueReader", takes_replies=True),
    _Entry("exceptions", "ExceptionReader", takes_replies=True),
    _Entry("companions", "CompanionReader", takes_replies=True),
    _Entry("text", "TextReader", takes_replies=True),
)

PART = 1 << 21
"""Bytes of a part of an input that several read."""

NOBODY: frozenset[Reader] = frozenset()


class Share(NamedTuple):
    """What one of several reads who share an input: every so manieth of its parts. A line belongs to the part in which it begins."""

    number: int
    of: int
    first: int
    """The number that the first part has: the parts of several inputs are counted through."""
    parts: int

    def owns(self, part: int) -> bool:
        return (self.first + part) % self.of == self.number

    def part_of(self, byte: int) -> int:
        return min(byte // PART, self.parts - 1)

    def stretch_end(self, part: int) -> int:
        """Where an own part ends, or the stretch of others' parts that begins with this one."""
        end = part + (1 if self.owns(part) else (self.number - self.first - part) % self.of)
        # The last part has no end: what is unpacked is longer than its file says.
        return end * PART if end < self.parts else sys.maxsize


def read_records(opened: Input, only: InputFormat | None = None) -> Iterator[Record]:
    """Yield the records of an input in its order; `only` forces one format."""
    return (as_record(item, opened.source) for item in read_items(opened, only))


def as_record(item: Record | UsualLine, source: str) -> Record:
    """What an item tells."""
    return item.record(source) if isinstance(item, UsualLine) else item


def read_items(opened: Input, only: InputFormat | None = None) -> Iterator[Record | UsualLine]:
    """Yield the records of an input in its order, usual lines as they are written."""
    readers = _Readers(opened, only)
    for line in opened.lines:
        if line is None:
            yield from readers.pause()
            continue
        yield from readers.read(line)
        yield from readers.skim(opened.lines)
    yield from readers.finish()


def read_share(opened: Input, share: Share, only: InputFormat | None = None) -> Iterator[Record | UsualLine | None]:
    """Yield what `read_items` yields, as far as it belongs to the share, and None after each part of that.

    The lines of others are read for what later ones need, and passed over where that takes less.
    """
    readers = _Readers(opened, only)
    lines = opened.lines
    part = 0
    for line in lines:
        if line is None:
            continue
        while part < share.part_of(line.begin):
            if share.owns(part):
                yield None
            part += 1
        is_own = share.owns(part)
        for record in readers.read(line):
            if is_own:
                yield record
        yield from readers.skim(lines, share.stretch_end(part), is_wanted=is_own)
    if share.owns(part):
        yield from readers.finish()
    yield from (None for rest in range(part, share.parts) if share.owns(rest))


class _Readers:
    """The readers of one input, made when they are needed, and which of them took the last line."""

    def __init__(self, opened: Input, only: InputFormat | None) -> None:
        self._opened_input = opened
        self._only = only
        self._entries = [entry for entry in READERS if only is None or _knows(entry.load(), only)]
        self._made: list[Reader | None] = [None] * len(self._entries)
        self._last: Reader | None = None
        self._opened: list[Reader] = []
        self._are_all_needed = only is not None
        self._has_servers_own = False

    def _make(self, place: int) -> Reader:
        opened = self._opened_input
        reader = self._made[place] = self._entries[place].load()(opened.source, opened.latest)
        reader.only = self._only
        reader.cuts = opened.lines.cuts
        return reader

    def _readers_for(self, line: InputLine) -> Iterator[Reader]:
        """The readers that may take a line, in the table's order; as long as there are nothing but replies, few do."""
        self._are_all_needed = self._are_all_needed or not CODE_FIRST.match(line.text)
        for place, reader in enumerate(self._made):
            if reader or self._are_all_needed or self._entries[place].takes_replies:
                yield reader or self._make(place)

    def _those_made(self) -> Iterator[Reader]:
        return (reader for reader in self._made if reader)

    @property
    def of_lines(self) -> Reader | None:
        """The reader that took the last line, if it needs no other line and would be the first to be offered the next one."""
        last = self._last
        return last if last and last.is_of_lines and last is self._made[0] and not self._opened else None

    def read(self, line: Line) -> Iterable[Record]:
        """The records that a line completes."""
        stamped = InputLine(line.number, line.text, line.raw, split_stamp(line.text, self._opened_input.latest))
        same = self.of_lines
        if same is None:
            return self.offer(stamped, NOBODY)
        records = same.take(stamped)
        self._has_servers_own = self._has_servers_own or bool(records)
        return self.offer(stamped, frozenset((same,))) if records is None else records

    def skim(self, lines: Lines, until: int | None = None, *, is_wanted: bool = True) -> list[UsualLine]:
        """Those of the usual lines that tell of an outcome, found many at a time; none where they are not wanted."""
        found: list[UsualLine] = []
        if self.of_lines:
            lines.skim(partial(self.of_lines.skim, found if is_wanted else None), until)
            self._has_servers_own = self._has_servers_own or bool(found)
        return found

    def offer(self, line: InputLine, but: frozenset[Reader]) -> Iterator[Record]:
        """The records that a line completes; `but` names the readers that it is not for."""
        opened = self._opened
        readers = self._readers_for(line)
        for reader in chain(opened, (reader for reader in readers if reader not in opened)) if opened else readers:
            records = None if reader in but else reader.take(line)
            if reader.is_open is not (reader in self._opened):
                self._opened = [reader for reader in self._those_made() if reader.is_open]
            if records is None:
                continue
            if self._last and self._last is not reader:
                yield from self._paused(self._last)
            self._has_servers_own = self._has_servers_own or (bool(records) and reader.is_of_server)
            yield from records
            self._last = reader
            yield from self._given_back(reader, but)
            return

    def pause(self) -> Iterator[Record]:
        last = self._last
        if last:
            yield from self._paused(last)
            yield from self._given_back(last, NOBODY)
        if self._last and self._last is not last:
            yield from self._paused(self._last)

    def _paused(self, reader: Reader) -> Iterator[Record]:
        yield from reader.pause()
        self._opened = [reader for reader in self._those_made() if reader.is_open]

    def finish(self) -> Iterator[Record]:
        yield from self.pause()
        for reader in self._those_made():
            records = reader.finish()
            has_own = self._has_servers_own or any(reader.has_passed_over for reader in self._those_made())
            self._has_servers_own = has_own or (bool(records) and reader.is_of_server)
            yield from [] if reader.is_second_hand and self._has_servers_own else records
            yield from self._given_back(reader, NOBODY)

    def _given_back(self, reader: Reader, but: frozenset[Reader]) -> Iterator[Record]:
        for line in reader.give_back():
            yield from self.offer(line, but | {reader})


def _knows(reader: type[Reader], only: InputFormat) -> bool:
    return only is reader.format or only in reader.formats
