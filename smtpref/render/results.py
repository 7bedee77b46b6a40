"""Results that are known as a whole, for people as views and for machines as rows; a writer is imported by the format that needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model import Classified, Comparison, Entry
from .output import SUMMARY_ONLY, Format, Output, height
from .safety import visible
from .views import View

if TYPE_CHECKING:
    from ..line_account import NotUnderstood
    from ..summary import Summary

PROMPT = 2
"""Lines of a screen that are the shell's."""


def write_entries(entries: Sequence[Entry], output: Output, records_before: Sequence[Classified] = ()) -> None:
    """Write the answer of `explain`, after the records of whole replies that it was asked about."""
    viewer = output.viewer
    views = [*map(viewer.record, records_before), *(viewer.entry(entry, entries) for entry in entries)]
    _write(output, views, [entry.to_dict() for entry in entries])


def write_comparison(comparison: Comparison, output: Output) -> None:
    """Write the answer of `compare`."""
    document = comparison.to_dict()
    _write(output, [output.viewer.comparison(comparison)], document["codes"], document)


def write_hits(groups: Sequence[tuple[str | None, Sequence[Entry]]], output: Output) -> None:
    """Write the answer of `search`: entries under headings."""
    entries = [entry for _, group in groups for entry in group]
    _write(output, [output.viewer.hits(groups)], [entry.to_dict() for entry in entries])


def write_summary(summary: Summary, output: Output) -> None:
    """Write the answer of `classify --summary`."""
    if output.format in SUMMARY_ONLY:
        from . import html, prometheus

        is_page = output.format is Format.HTML
        output.put(html.html_page(summary, output.viewer) if is_page else prometheus.prometheus_text(summary))
        return
    if output.format in (Format.JSON, Format.JSONL):
        from . import records

        row = summary.to_dict()
        output.put(records.json_text(row) if output.format is Format.JSON else [records.json_line(row)])
        return
    if output.format is Format.CSV:
        _write(output, [], [dict(zip(("section", "key", "count"), row, strict=True)) for row in summary.counts()])
        return
    from .summary import SCREENS, TICKET, WHOLE, SummaryViewer

    viewer = SummaryViewer(output.viewer)
    if output.format is Format.RICH:
        terminal = output.terminal()
        room = height(output.stream) - PROMPT
        views = (viewer.view(summary, extent) for extent in SCREENS)
        terminal.write([next((view for view in views if terminal.height(view) <= room), viewer.view(summary, SCREENS[-1]))])
        return
    _write(output, [viewer.view(summary, TICKET if output.format is Format.MARKDOWN else WHOLE)], [])


def write_lines(lines: Iterable[NotUnderstood], output: Output) -> int:
    """Write lines of the input, each after its file and number, and return how many there were."""
    from . import records

    writers: dict[Format, Callable[[Iterable[records.Row]], Iterator[str]]] = {
        Format.JSON: records.json_list,
        Format.JSONL: lambda rows: map(records.json_line, rows),
        Format.CSV: records.csv_lines,
    }
    count = 0

    def counted() -> Iterator[records.Row]:
        nonlocal count
        for line in lines:
            count += 1
            yield line._asdict()

    def plain(found: Iterable[records.Row]) -> Iterator[str]:
        return (visible(f"{row['source']}:{row['line']}: {row['text']}") + "\n" for row in found)

    output.put(writers.get(output.format, plain)(counted()))
    return count


def _write(output: Output, views: Sequence[View], rows: Sequence[Mapping[str, Any]], document: object = None) -> None:
    """Write a result that is known as a whole: `views` for people, `document` or else `rows` for machines."""
    if output.format in (Format.PLAIN, Format.MARKDOWN):
        from . import text

        written = text.plain if output.format is Format.PLAIN else text.markdown
        output.put(["\n".join(map(written, views))])
        return
    if output.format is Format.RICH:
        output.terminal().write(views)
        return
    from . import records

    match output.format:
        case Format.JSON:
            output.put(records.json_text(rows if document is None else document))
        case Format.JSONL:
            output.put(map(records.json_line, rows))
        case Format.CSV:
            output.put(records.csv_lines(rows))
