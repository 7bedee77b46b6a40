"""Tables with named columns: CSV with a header, and the `Name : value` blocks that PowerShell's Format-List prints.

Columns are found by name, never by place, and names are compared without case and punctuation ("recipient-address", "RecipientAddress").
A header holds until the next one. A row whose quotes are still open goes on in the next lines, up to a bound; a line that is a whole row
by itself ends it, so that one stray quote costs one row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar, NamedTuple

from ..model import Record
from ..patterns import lazily
from .facts import time_of
from .reader import InputLine, Reader

MAX_ROW_LINES = 100
MAX_ROW = 1 << 16
"""Lines and characters of one row or block that are put together."""

MAX_HEADER = 4096

DELIMITERS = ",;\t"
FIELDS = "#fields:"
COMMENTS = ("#software:", "#version:", "#log-type:", "#date:", "#type ")

# PowerShell pads the names of a list so that all colons stand in one column, with a blank on both sides.
_PAIR = lazily(r"(?P<name>[A-Za-z][A-Za-z ]{0,38}?[A-Za-z]) *:(?: (?P<value>.*))?$", re.DOTALL)
_PADDED = lazily(r"[A-Za-z][A-Za-z ]{0,38} :(?: |$)")
_LIST_STARTS = frozenset(
    ("runspaceid", "pscomputername", "timestamp", "clientip", "messageid", "messagetraceid", "organization", "eventid", "received")
)

_LOCAL_TIME = lazily(
    r"(?P<first>\d{1,4})(?P<separator>[./-])(?P<second>\d{1,2})[./-](?P<third>\d{2,4})[ T,]{1,2}"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second_of_minute>\d\d))?(?:\.\d{1,7})?\s?(?P<half>[AaPp]\.?\s?[Mm]\.?)?$"
)


class Row(NamedTuple):
    """A row or block: its first line and its cells by plain name."""

    number: int
    cells: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first of these cells that says anything, or ""."""
        return next((cell for cell in (self.cells.get(name, "").strip() for name in names) if cell), "")


class TableReader(Reader):
    """Reads rows; a format says which headers and rows are its own, and what records a row gives."""

    hints: ClassVar[tuple[str, ...]]
    """Every header of the format has one of these words, in small letters."""

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._names: tuple[str, ...] = ()
        self._delimiter = ","
        self._row: list[InputLine] = []
        self._block: list[InputLine] = []
        self._pairs: dict[str, str] = {}
        self._last_name = ""
        self._foreign: list[InputLine] = []

    def knows_header(self, names: frozenset[str]) -> bool:
        """Whether a header is of this format."""
        raise NotImplementedError

    def knows_list(self, names: frozenset[str]) -> bool:  # noqa: ARG002
        """Whether a whole block is of this format."""
        return False

    def reads_lists(self) -> bool:
        """Whether a line may begin a block: only one reader can, since how a block begins does not say whose it is."""
        return False

    def names_of(self, cells: list[str], header: tuple[str, ...]) -> tuple[str, ...]:
        """The names of a row's cells, none where the row is not of this format; `header` is () where none was seen."""
        return header if header and fits(cells, header) else ()

    def may_be_row(self, text: str) -> bool:  # noqa: ARG002
        """Whether a line is worth splitting where no header was seen."""
        return False

    def records_of(self, row: Row) -> Iterable[Record]:
        """The records of a row or block."""
        raise NotImplementedError

    def take(self, line: InputLine) -> list[Record] | None:
        """Headers and comments are taken, too; a row or block of several lines counts from its first."""
        records = self._take(line)
        self.is_open = bool(self._row or self._block)
        return records

    def give_back(self) -> list[InputLine]:
        foreign, self._foreign = self._foreign, []
        return foreign

    def pause(self) -> list[Record]:
        """A block is complete when nothing more comes; a row whose quotes are open is not."""
        records = self._end_block()
        self.is_open = bool(self._row)
        return records

    def finish(self) -> list[Record]:
        self._abandon_row()
        return self.pause()

    def _take(self, line: InputLine) -> list[Record] | None:
        text = line.text.lstrip("\ufeff")
        if self._row:
            return self._continue_row(line, text)
        if self._block:
            return self._continue_block(line, text)
        if text[:1] == "#":
            return self._take_comment(text)
        if self._take_header(text):
            return []
        if len(text) <= MAX_ROW and (self._names or self.may_be_row(text)):
            cells = split_row(text, self._delimiter)
            names = self.names_of(cells, self._names) if cells else ()
            if cells and names:
                return self._read(line.number, names, cells)
            if cells is None and len(split_row(text + '"', self._delimiter) or ()) > 1:
                self._row = [line]
                return []
        return self._start_block(line, text)

    def _read(self, number: int, names: tuple[str, ...], cells: list[str]) -> list[Record]:
        return list(self.records_of(Row(number, dict(zip(names, cells, strict=False)))))

    def _take_comment(self, text: str) -> list[Record] | None:
        lowered = text[:20].lower()
        if lowered.startswith(FIELDS):
            return [] if self._take_header(text[len(FIELDS) :].strip()) else None
        return [] if lowered.startswith(COMMENTS) else None

    def _take_header(self, text: str) -> bool:
        lowered = text[:MAX_HEADER].lower()
        if "@" in text or len(text) > MAX_HEADER or not any(hint in lowered for hint in self.hints):
            return False
        delimiter = max(DELIMITERS, key=text.count)
        cells = split_row(text, delimiter)
        names = tuple(map(plain, cells)) if cells and len(cells) > 1 else ()
        if not names or not self.knows_header(frozenset(names)):
            return False
        self._names, self._delimiter = names, delimiter
        return True

    def _continue_row(self, line: InputLine, text: str) -> list[Record] | None:
        joined = "\n".join((*(earlier.text for earlier in self._row), text))
        cells = split_row(joined, self._delimiter) if '"' in text else None
        names = self.names_of(cells, self._names) if cells else ()
        if cells and names:
            number = self._row[0].number
            self._row = []
            return self._read(number, names, cells)
        alone = split_row(text, self._delimiter)
        if text[:1] == "#" or cells or (alone and self.names_of(alone, self._names)):
            self._abandon_row()
            return self._take(line)
        self._row.append(line)
        if len(self._row) >= MAX_ROW_LINES or len(joined) > MAX_ROW:
            self._abandon_row()
        return []

    def _abandon_row(self) -> None:
        self._foreign += self._row
        self._row = []

    def _start_block(self, line: InputLine, text: str) -> list[Record] | None:
        pair = _PAIR.match(text[:MAX_ROW]) if self.reads_lists() and _PADDED.match(text) else None
        if not pair or plain(pair["name"]) not in _LIST_STARTS:
            return None
        self._block, self._last_name = [line], plain(pair["name"])
        self._pairs = {self._last_name: pair["value"] or ""}
        return []

    def _continue_block(self, line: InputLine, text: str) -> list[Record] | None:
        if not text.strip():
            return self._end_block()
        pair = _PAIR.match(text[:MAX_ROW])
        name = plain(pair["name"]) if pair else ""
        is_wrapped = text[:1] == " " and len(self._pairs[self._last_name]) + len(text) < MAX_ROW
        if len(self._block) >= MAX_ROW_LINES or not (is_wrapped or (pair and name not in self._pairs)):
            records = self._end_block()
            following = self._take(line)
            if following is None:
                self._foreign.append(line)
            return [*records, *(following or [])]
        self._block.append(line)
        if is_wrapped:
            self._pairs[self._last_name] += " " + text.strip()
        elif pair:
            self._pairs[name], self._last_name = pair["value"] or "", name
        return []

    def _end_block(self) -> list[Record]:
        lines, self._block = self._block, []
        if lines and self.knows_list(frozenset(self._pairs)):
            return list(self.records_of(Row(lines[0].number, self._pairs)))
        self._foreign += lines
        return []


def plain(name: str) -> str:
    """A column's name without case and punctuation."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def split_row(text: str, delimiter: str) -> list[str] | None:
    """The cells of a row, None where a quote is still open or the row is beyond all bounds."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        pass
    try:
        # With one more quote it would be whole: it is open.
        next(csv.reader([text + '"'], delimiter=delimiter, strict=True), [])
    except csv.Error:
        pass
    else:
        return None
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return None


def any_time(text: str) -> str | None:
    """ISO 8601 of a time as tables write it: ISO, seconds since 1970, or one of Windows' local forms; else None."""
    text = " ".join(text.replace("\u202f", " ").split())
    return time_of(text) or _local_time(text)


def _local_time(text: str) -> str | None:
    match = _LOCAL_TIME.match(text[:40])
    if not match:
        return None
    first, second, third = (int(match[name]) for name in ("first", "second", "third"))
    if len(match["first"]) == 4:
        year, month, day = first, second, third
    elif first > 12 or match["separator"] == "." or not (match["half"] or second > 12):
        # Only American English puts the month first, and it counts to twelve hours.
        day, month, year = first, second, third
    else:
        month, day, year = first, second, third
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    try:
        moment = datetime(year + 2000 if year < 100 else year, month, day, hour, int(match["minute"]), int(match["second_of_minute"] or 0))
    except ValueError:
        return None
    return moment.isoformat()


def address_list(text: str) -> Iterator[str]:
    """The addresses of a list, as a log separates them, without brackets and braces."""
    for piece in re.split(r"[;,]", text.strip().strip("{}")):
        address = piece.strip().strip("<>").strip()
        if address:
            yield address


def fits(cells: list[str], header: tuple[str, ...]) -> bool:
    """Whether a row has a cell for each name, and beyond them only empty ones."""
    return len(cells) == len(header) or (len(cells) > len(header) and not any(cells[len(header) :]))
