"""Results for machines: JSON, JSON Lines and CSV, from the results' own `to_dict()`; keys are added, never renamed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .safety import json_escaped, visible

Row = Mapping[str, Any]


def json_text(value: object) -> str:
    """One JSON document, for results that are known as a whole."""
    return "".join(json_escaped(line) + "\n" for line in json.dumps(value, ensure_ascii=False, indent=2).split("\n"))


def json_list(rows: Iterable[Row]) -> Iterator[str]:
    """One JSON list, written as its items come."""
    separator = "["
    for row in rows:
        yield f"{separator}\n{json_line(row).rstrip()}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def json_line(row: Row) -> str:
    """One JSON object on one line."""
    return json_escaped(json.dumps(row, ensure_ascii=False, separators=(", ", ": "))) + "\n"


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """CSV with the keys as columns; an object's keys follow its own (`evidence_by`), a list is joined by blanks."""
    header: list[str] | None = None
    for row in rows:
        cells = dict(_flat(row))
        if header is None:
            header = list(cells)
            yield _csv_line(header)
        yield _csv_line([cells[name] for name in header])


def _flat(row: Row, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in row.items():
        if key == "evidence":
            yield from _flat(value, f"{prefix}{key}_")
        else:
            yield prefix + key, visible(_cell(value))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(_item(item) for item in value)
    return _item(value)


def _item(item: object) -> str:
    if isinstance(item, Mapping):
        return " ".join(str(part) for part in item.values())
    return str(item)


def _csv_line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
