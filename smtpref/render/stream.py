"""Records of `classify`, each written as it comes; on a terminal a lone one as a panel, many as a line each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..model import Classified
from . import records
from .output import Format, Output

if TYPE_CHECKING:
    from queue import Queue

    from .views import Role

FIRST_RECORD_WAITS = 0.5
"""Seconds that a first record waits for a second one, to be shown as a panel if it stays alone."""


def write_records(classified: Iterator[Classified], output: Output) -> int:
    """Write records as they come and return how many there were."""
    render = line_renderer(output)
    if render:
        return _write_lines(classified, output, render)
    writers: dict[Format, Callable[[Iterator[Classified], Output], int]] = {
        Format.RICH: _write_rich_records,
        Format.JSON: _whole_writer(records.json_list),
        Format.CSV: _whole_writer(records.csv_lines),
    }
    return writers[output.format](classified, output)


def line_renderer(output: Output) -> Callable[[Classified], str] | None:
    """How a record is written in a format that has each for itself; None of the others."""
    if output.format is Format.MARKDOWN:
        # Other formats have no views.
        from . import text

        viewer = output.viewer
        return lambda item: text.markdown(viewer.record(item)) + "\n"
    return {Format.PLAIN: records.plain_line, Format.JSONL: records.record_line}.get(output.format)


def _write_lines(classified: Iterator[Classified], output: Output, render: Callable[[Classified], str]) -> int:
    count = 0
    for count, item in enumerate(classified, 1):  # noqa: B007  (the count is the result)
        output.put_whole(render(item))
    output.flush()
    return count


def _whole_writer(render: Callable[[Iterable[records.Row]], Iterator[str]]) -> Callable[[Iterator[Classified], Output], int]:
    def write(classified: Iterator[Classified], output: Output) -> int:
        count = 0

        def rows() -> Iterator[records.Row]:
            nonlocal count
            for item in classified:
                count += 1
                yield item.to_dict()

        for piece in render(rows()):
            output.put_whole(piece)
        output.flush()
        return count

    return write


def _write_rich_records(classified: Iterator[Classified], output: Output) -> int:
    from .views import verdict_tone

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


class _Alone(NamedTuple):
    """The only record of an input."""

    classified: Classified


def _first_alone_or_rest(classified: Iterator[Classified]) -> Iterator[Classified | _Alone]:
    """The records; a first one that stays alone, or has waited long enough for a second, in its own wrapper or at once."""
    # Only a terminal needs it.
    from queue import Empty, Queue

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
