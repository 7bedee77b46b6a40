"""Results that are known as a whole, for people as views and for machines as rows; a writer is imported by the format that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import Classified, Comparison, Entry
from .output import Format, Output
from .views import View


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
            output.put([records.json_text(rows if document is None else document)])
        case Format.JSONL:
            output.put(map(records.json_line, rows))
        case Format.CSV:
            output.put(records.csv_lines(rows))
