"""Results for machines: JSON, JSON Lines and CSV, from the results' own `to_dict()`, and rows of plain text; keys are added, never renamed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ..model import Classified, Verdict
from .safety import json_escaped, visible

Row = Mapping[str, Any]

PIECES_AT_ONCE = 1000
"""Pieces of a JSON document that are written at once."""

MAX_MEMBERS = 5000
"""Verdicts of which the JSON is kept: most are given again and again."""

_MEMBERS: dict[int, tuple[Verdict, str]] = {}
_TRUTHS = {None: "null", True: "true", False: "false"}
_quoted = json.encoder.encode_basestring


def json_text(value: object) -> Iterator[str]:
    """One JSON document, for results that are known as a whole, in pieces: a summary may have a million addresses."""
    pieces = json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value)
    while some := "".join(islice(pieces, PIECES_AT_ONCE)):
        # A line end is the document's own; those of texts are escapes already.
        yield "\n".join(map(json_escaped, some.split("\n")))
    yield "\n"


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


def record_line(item: Classified) -> str:
    """The `json_line` of a record, made without its dictionary: a log has millions."""
    record, verdict = item
    code, enhanced = record.reply_code, record.enhanced_code
    line = (
        f'{{"source": {_quoted(record.source)}, "line": {record.line}, "format": {_quoted(record.format)}, "time": {_json(record.time)}, '
        f'"host": {_json(record.host)}, "direction": {_json(record.direction)}, "outcome": {_json(record.outcome)}, '
        f'"queue_id": {_json(record.queue_id)}, "sender": {_json(record.sender)}, "recipient": {_json(record.recipient)}, '
        f'"relay": {_json(record.relay)}, "client": {_json(record.client)}, "phase": {_json(record.phase)}, '
        f'"reply_code": {code.value if code else "null"}, "enhanced_code": {_json(enhanced and str(enhanced))}, '
        f'"text": {_quoted(record.text)}, {_verdict_members(verdict)}}}\n'
    )
    # Only what is not ASCII, and DEL, may need another escape than JSON's own.
    return line if line.isascii() and "\x7f" not in line else json_escaped(line[:-1]) + "\n"


def _verdict_members(verdict: Verdict) -> str:
    known = _MEMBERS.get(id(verdict))
    if known is None:
        if len(_MEMBERS) >= MAX_MEMBERS:
            _MEMBERS.clear()
        wait, evidence = verdict.retry_after, verdict.evidence
        members = (
            f'"reason": {_quoted(verdict.reason)}, "category": {_quoted(verdict.category)}, "bounce": {_quoted(verdict.bounce)}, '
            f'"permanent": {_TRUTHS[verdict.permanent]}, "action": {_quoted(verdict.action)}, "acts": {_quoted(verdict.acts)}, '
            f'"about": {_json(verdict.about)}, "cause": {_json(verdict.cause)}, "provider": {_json(verdict.provider)}, '
            f'"blocklist": {_json(verdict.blocklist)}, "retry_after": {"null" if wait is None else wait}, '
            f'"evidence": {{"by": {_quoted(evidence.by)}, "rule": {_quoted(evidence.rule)}, "match": {_quoted(evidence.match)}}}'
        )
        # The verdict is kept with its text, so that no other gets its id.
        known = _MEMBERS[id(verdict)] = (verdict, members)
    return known[1]


def _json(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def plain_line(item: Classified) -> str:
    """A record as a row of plain text, a tab between two cells."""
    record, verdict = item
    cells = (
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
    return "\t".join(map(visible, cells)) + "\n"


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
    # Nobody else needs it.
    import csv  # noqa: PLC0415

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
