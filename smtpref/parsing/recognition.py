"""Which reader a line needs: an input's lines go in, records come out, as soon as a line completes one.

`READERS` is the table. A line is offered to the reader that is in the middle of something, then to each in the table's order;
the last one, of bare replies, takes whatever is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import InputFormat, Record
from . import (
    courier,
    dialogue,
    events,
    exceptions,
    exchange,
    exim,
    haraka,
    hmailserver,
    ironport,
    m365,
    maddy,
    mail,
    mailenable,
    opensmtpd,
    postfix,
    powermta,
    qmail,
    queues,
    sendmail,
    stalwart,
    text,
    zonemta,
)
from .files import Input
from .reader import InputLine, Reader
from .stamps import split_stamp

READERS: tuple[type[Reader], ...] = (
    postfix.PostfixReader,
    exim.EximReader,
    sendmail.SendmailReader,
    events.EventReader,
    courier.CourierReader,
    opensmtpd.OpenSmtpdReader,
    qmail.QmailReader,
    exchange.ExchangeReader,
    m365.M365Reader,
    queues.PostqueueJsonReader,
    queues.PostqueueReader,
    queues.MailqReader,
    mail.MailReader,
    powermta.PowermtaReader,
    ironport.IronportReader,
    haraka.HarakaReader,
    maddy.MaddyReader,
    zonemta.ZoneMtaReader,
    stalwart.StalwartReader,
    hmailserver.HmailserverReader,
    mailenable.MailenableReader,
    dialogue.DialogueReader,
    exceptions.ExceptionReader,
    text.TextReader,
)

NOBODY: frozenset[Reader] = frozenset()


def read_records(opened: Input, only: InputFormat | None = None) -> Iterator[Record]:
    """Yield the records of an input in its order; `only` forces one format."""
    chosen = [reader for reader in READERS if only is None or only is reader.format or only in reader.formats]
    readers = _Readers([reader(opened.source, opened.latest) for reader in chosen], only)
    lines, latest = opened.lines, opened.latest
    for line in lines:
        if line is None:
            yield from readers.pause()
            continue
        stamped = InputLine(line.number, line.text, line.raw, split_stamp(line.text, latest))
        same = readers.of_lines()
        records = same.take(stamped) if same else None
        if records is None:
            yield from readers.offer(stamped, frozenset((same,)) if same else NOBODY)
            same = readers.of_lines()
        else:
            yield from records
        if same:
            lines.skim(same.skim)
    yield from readers.finish()


class _Readers:
    """The readers of one input, and which of them took the last line."""

    def __init__(self, readers: list[Reader], only: InputFormat | None) -> None:
        self._readers = readers
        self._last: Reader | None = None
        self._is_any_open = False
        for reader in readers:
            reader.only = only

    def of_lines(self) -> Reader | None:
        """The reader that took the last line, if it needs no other line and would be the first to be offered the next one."""
        last = self._last
        return last if last is self._readers[0] and last.is_of_lines and not self._is_any_open else None

    def offer(self, line: InputLine, but: frozenset[Reader]) -> Iterator[Record]:
        """The records that a line completes; `but` names the readers that it is not for."""
        opened = [reader for reader in self._readers if reader.is_open]
        for reader in (*opened, *(reader for reader in self._readers if not reader.is_open)) if opened else self._readers:
            records = None if reader in but else reader.take(line)
            if records is None:
                continue
            if self._last and self._last is not reader:
                yield from self._last.pause()
            yield from records
            self._last = reader
            yield from self._given_back(reader, but)
            break
        self._is_any_open = any(reader.is_open for reader in self._readers)

    def pause(self) -> Iterator[Record]:
        last = self._last
        if last:
            yield from last.pause()
            yield from self._given_back(last, NOBODY)
        if self._last and self._last is not last:
            yield from self._last.pause()

    def finish(self) -> Iterator[Record]:
        yield from self.pause()
        for reader in self._readers:
            yield from reader.finish()
            yield from self._given_back(reader, NOBODY)

    def _given_back(self, reader: Reader, but: frozenset[Reader]) -> Iterator[Record]:
        for line in reader.give_back():
            yield from self.offer(line, but | {reader})
