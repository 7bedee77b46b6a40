"""Views as text that is not drawn: plain lines for `grep` and `cut`, and Markdown for tickets and wikis.

Plain output has one fact a line, a tab between its parts, and is never wrapped or cropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .views import Block, Field, Fields, Line, Listing, Paragraph, Role, Sides, Table, Title, View

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_MARKDOWN_START = re.compile(r"^(\s*)([-+>]|\d+[.)])(?=\s)")


def plain(view: View) -> str:
    """A view as plain lines."""
    return "".join(f"{text}\n" for block in view for text in _plain_lines(block))


def plain_row(cells: Iterable[str]) -> str:
    """Cells of one record, a tab between two."""
    return "\t".join(cells) + "\n"


def markdown(view: View) -> str:
    """A view as Markdown."""
    return "".join(f"{text}\n" for block in view for text in _markdown_lines(block))


def _plain_lines(block: Block) -> Iterator[str]:
    match block:
        case Title():
            yield "\t".join([*(part.text for part in block.left), _text(block.right)])
        case Paragraph():
            yield _text(block.line)
        case Fields():
            yield from _plain_fields(block.rows)
        case Sides():
            yield "\t".join(["", *("  ".join(part.text for part in title.left) for title in block.titles)])
            yield "\t".join(["", *(_text(title.right) for title in block.titles)])
            for label, cells in block.rows:
                yield "\t".join([label, *(" ".join(_numbered(cell)) for cell in cells)])
            for field in block.same:
                yield f"{field.label}\t= {' '.join(_numbered(field.lines))}"
        case Listing():
            yield ""
            yield block.heading
            for label, line in block.rows:
                yield f"{label}\t{_text(line)}" if label else _text(line)
        case Table():
            if block.heading:
                yield block.heading
            for row in block.rows:
                yield "\t".join(map(_text, row))


def _plain_fields(rows: Sequence[Field]) -> Iterator[str]:
    for row in rows:
        for number, line in enumerate(row.lines, 1):
            yield f"{row.label}\t{f'{number}. ' if row.numbered else ''}{_text(line)}"


def _numbered(lines: Sequence[Line]) -> list[str]:
    return [f"{n}. {_text(line)}" for n, line in enumerate(lines, 1)] if len(lines) > 1 else [_text(line) for line in lines]


def _markdown_lines(block: Block) -> Iterator[str]:
    match block:
        case Title():
            yield f"## {' '.join(_markdown(block.left).split())}"
            yield ""
            yield _markdown(block.right)
            yield ""
        case Paragraph():
            yield _markdown(block.line)
            yield ""
        case Fields():
            for row in block.rows:
                yield f"**{_escaped(row.label)}**"
                yield ""
                for number, line in enumerate(row.lines, 1):
                    yield f"{number}. {_markdown(line)}" if row.numbered else f"{_markdown(line)}  "
                yield ""
        case Sides():
            yield from _markdown_table(
                ["", *(" ".join(part.text for part in title.left) for title in block.titles)],
                [
                    *([["", *(_markdown(title.right) for title in block.titles)]]),
                    *([f"**{_escaped(label)}**", *(_markdown_cell(cell) for cell in cells)] for label, cells in block.rows),
                    *([f"**{_escaped(f.label)}**", *[_markdown_cell(f.lines)] * len(block.titles)] for f in block.same),
                ],
            )
        case Listing():
            yield f"### {_escaped(block.heading)}"
            yield ""
            for label, line in block.rows:
                yield (
                    f"{label}. {_markdown(line)}"
                    if label.isdigit() and len(label) < 3
                    else f"- {f'**{label}** ' if label else ''}{_markdown(line)}"
                )
            yield ""
        case Table():
            if block.heading:
                yield f"## {_escaped(block.heading)}"
                yield ""
            yield from _markdown_table(block.columns, [[_markdown(cell) for cell in row] for row in block.rows])


def _markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_escaped, columns))} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _markdown_cell(lines: Sequence[Line]) -> str:
    return "<br>".join(f"{n}. {_markdown(line)}" if len(lines) > 1 else _markdown(line) for n, line in enumerate(lines, 1))


def _markdown(line: Line) -> str:
    parts = []
    for part in line:
        text = _escaped(part.text)
        if part.link:
            parts.append(f"[{text}]({part.link})")
        elif part.role in (Role.STRONG, Role.CODE, Role.MATCH) and text.strip():
            inner = text.strip()
            parts.append(text.replace(inner, f"**{inner}**", 1))
        else:
            parts.append(text)
    return "".join(parts)


def _escaped(text: str) -> str:
    return _MARKDOWN_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text))


def _text(line: Line) -> str:
    return "".join(part.text for part in line)
