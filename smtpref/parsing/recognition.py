"""Which reader a line needs: an input's lines go in, records come out, as soon as a line completes one.

`READERS` is the table. A line is offered to the reader that is in the middle of something, then to each in the table's order;
the last one, of bare replies, takes whatever is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import InputFormat, Record
from . import postfix, text
from .files import Input
from .reader import InputLine, Reader
from .stamps import split_stamp

READERS: tuple[type[Reader], ...] = (postfix.PostfixReader, text.TextReader)


def read_records(opened: Input, only: InputFormat | None = None) -> Iterator[Record]:
    """Yield the records of an input in its order; `only` forces one format."""
    readers = [reader(opened.source, opened.latest) for reader in READERS if only in (None, reader.format)]
    last: Reader | None = None
    for line in opened.lines:
        if line is None:
            if last:
                yield from last.pause()
            continue
        offered = InputLine(line.number, line.text, line.raw, split_stamp(line.text, opened.latest))
        for reader in sorted(readers, key=lambda reader: not reader.is_open):
            records = reader.take(offered)
            if records is None:
                continue
            if last and last is not reader:
                yield from last.pause()
            yield from records
            last = reader
            break
    for reader in readers:
        yield from reader.finish()
