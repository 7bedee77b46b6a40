"""Which renderer a result needs: decided by the format asked for and by what the output is; rich is imported for rich only.

Streaming formats write each record as it comes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, TextIO

from ..knowledge import Knowledge, Language
from ..model import Classified, Comparison, Entry
from . import records, text
from .safety import visible
from .views import Role, View, Viewer, verdict_tone

if TYPE_CHECKING:
    from .terminal import Terminal

FIRST_RECORD_WAITS = 0.5
"""Seconds that a first record waits for a second one, to be shown as a panel if it stays alone."""


class Format(StrEnum):
    """What an output is written as."""

    RICH = "rich"
    PLAIN = "plain"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"


@dataclass(frozen=True)
class Output:
    """Where a result goes, in which format and language."""

    stream: TextIO
    notes: TextIO
    format: Format
    language: Language
    knowledge: Knowledge

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.knowledge, self.language)

    def terminal(self) -> Terminal:
        # rich costs as much as typer; only this format needs it.
        from .terminal import Terminal  # noqa: PLC0415

        return Terminal(self.stream, colour=has_colour(self.stream), links=has_links(self.stream), width=columns())

    def put(self, pieces: Iterable[str]) -> None:
        for piece in pieces:
            self.stream.write(piece)


def choose_format(asked: Format | None, stream: TextIO) -> Format:
    """The format asked for; else rich on a terminal or where FORCE_COLOR asks for colour, plain in a pipe."""
    if asked:
        return asked
    return Format.RICH if _is_terminal(stream) or (_forced() and not _refused()) else Format.PLAIN


def has_colour(stream: TextIO) -> bool:
    """Whether colour may be written: NO_COLOR wins over FORCE_COLOR, which wins over what the stream is."""
    if _refused():
        return False
    return _forced() or (_is_terminal(stream) and os.environ.get("TERM") != "dumb")


def has_links(stream: TextIO) -> bool:
    """Whether the output is a terminal that can be expected to know hyperlink escapes."""
    return _is_terminal(stream) and not _refused() and os.environ.get("TERM", "dumb") not in ("dumb", "linux", "unknown")


def columns() -> int | None:
    """The width that COLUMNS asks for, if it is a number."""
    asked = os.environ.get("COLUMNS", "")
    return int(asked) if asked.isdigit() and int(asked) >= 20 else None


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _forced() -> bool:
    return os.environ.get("FORCE_COLOR", "") not in ("", "0")


def _refused() -> bool:
    return bool(os.environ.get("NO_COLOR"))


def write_entries(entries: Sequence[Entry], output: Output, records_before: Sequence[Classified] = ()) -> None:
    """Write the answer of `explain`, after the records of whole replies that it was asked about."""
    viewer = output.viewer
    views = [*map(viewer.record, records_before), *map(viewer.entry, entries)]
    _write(output, views, [entry.to_dict() for entry in entries])


def write_comparison(comparison: Comparison, output: Output) -> None:
    """Write the answer of `compare`."""
    document = comparison.to_dict()
    _write(output, [output.viewer.comparison(comparison)], document["codes"], document)


def write_hits(groups: Sequence[tuple[str | None, Sequence[Entry]]], output: Output) -> None:
    """Write the answer of `search`: entries under headings."""
    entries = [entry for _, group in groups for entry in group]
    _write(output, [output.viewer.hits(groups)], [entry.to_dict() for entry in entries])


def _write(output: Output, views: Sequence[View], rows: Sequence[Mapping[str, Any]], document: object = None) -> None:
    """Write a result that is known as a whole: `views` for people, `document` or else `rows` for machines."""
    match output.format:
        case Format.RICH:
            output.terminal().write(views)
        case Format.PLAIN:
            output.put(["\n".join(map(text.plain, views))])
        case Format.MARKDOWN:
            output.put(["\n".join(map(text.markdown, views))])
        case Format.JSON:
            output.put([records.json_text(rows if document is None else document)])
        case Format.JSONL:
            output.put(map(records.json_line, rows))
        case Format.CSV:
            output.put(records.csv_lines(rows))


def write_records(classified: Iterator[Classified], output: Output) -> int:
    """Write records as they come and return how many there were."""
    writers: dict[Format, Callable[[Iterator[Classified], Output], int]] = {
        Format.RICH: _write_rich_records,
        Format.PLAIN: _line_writer(lambda item, _: text.plain_row(map(visible, _plain_cells(item)))),
        Format.JSONL: _line_writer(lambda item, _: records.json_line(item.to_dict())),
        Format.MARKDOWN: _line_writer(lambda item, viewer: text.markdown(viewer.record(item)) + "\n"),
        Format.JSON: _whole_writer(records.json_list),
        Format.CSV: _whole_writer(records.csv_lines),
    }
    return writers[output.format](classified, output)


def _line_writer(render: Callable[[Classified, Viewer], str]) -> Callable[[Iterator[Classified], Output], int]:
    def write(classified: Iterator[Classified], output: Output) -> int:
        viewer = output.viewer
        count = 0
        for count, item in enumerate(classified, 1):  # noqa: B007  (the count is the result)
            output.stream.write(render(item, viewer))
            output.stream.flush()
        return count

    return write


def _whole_writer(render: Callable[[Iterable[records.Row]], Iterator[str]]) -> Callable[[Iterator[Classified], Output], int]:
    def write(classified: Iterator[Classified], output: Output) -> int:
        count = 0

        def rows() -> Iterator[records.Row]:
            nonlocal count
            for item in classified:
                count += 1
                yield item.to_dict()

        for piece in render(rows()):
            output.stream.write(piece)
            output.stream.flush()
        return count

    return write


def _plain_cells(item: Classified) -> tuple[str, ...]:
    record, verdict = item.record, item.verdict
    return (
        record.time or "",
        record.outcome or "",
        verdict.reason,
        verdict.bounce,
        str(record.reply_code or ""),
        str(record.enhanced_code or ""),
        record.recipient or "",
        record.relay or "",
        record.text,
    )


def _write_rich_records(classified: Iterator[Classified], output: Output) -> int:
    terminal, viewer = output.terminal(), output.viewer
    tally: dict[Role, int] = {}
    count = 0
    for item in _first_alone_or_rest(classified):
        if isinstance(item, _Alone):
            terminal.write_panel(viewer.record(item.classified))
            count = 1
            continue
        terminal.write_row(viewer.record_row(item))
        output.stream.flush()
        tone = verdict_tone(item)
        tally[tone] = tally.get(tone, 0) + 1
        count += 1
    if count > 1:
        output.stream.flush()
        output.notes.write(viewer.counts(tally) + "\n")
    return count


@dataclass(frozen=True)
class _Alone:
    """The only record of an input."""

    classified: Classified


def _first_alone_or_rest(classified: Iterator[Classified]) -> Iterator[Classified | _Alone]:
    """The records; a first one that stays alone, or has waited long enough for a second, in its own wrapper or at once."""
    queue: Queue[Classified | BaseException | None] = Queue(maxsize=1000)

    def read() -> None:
        try:
            for item in classified:
                queue.put(item)
            queue.put(None)
        except BaseException as error:  # noqa: BLE001  (raised again in the reader's thread)
            queue.put(error)

    threading.Thread(target=read, daemon=True).start()
    first = _got(queue.get())
    if first is None:
        return
    try:
        second = _got(queue.get(timeout=FIRST_RECORD_WAITS))
    except Empty:
        # A live log: the first record is shown as one of many to come.
        yield first
        second = _got(queue.get())
    else:
        if second is None:
            yield _Alone(first)
            return
        yield first
    while second is not None:
        yield second
        second = _got(queue.get())


def _got(item: Classified | BaseException | None) -> Classified | None:
    if isinstance(item, BaseException):
        raise item
    return item
