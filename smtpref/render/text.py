"""Views as text that is not drawn: plain lines for `grep` and `cut`, and Markdown for tickets and wikis.

Plain output has one fact a line, a tab between its parts, and is never wrapped or cropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..patterns import lazily
from .views import Beside, Block, Course, Field, Fields, Line, Listing, Paragraph, Ranking, Role, Sides, Span, Table, Title, View, dotted

_MARKDOWN = lazily(r"([\\`*_{}\[\]<>#|~!&])")
_MARKDOWN_START = lazily(r"^(\s*\d+(?=[.)](?:\s|$))|\s*(?=[-+=](?:[-=\s]|$)))")
_MARKDOWN_ADDRESS = lazily(r"([\\`*_\[\]()<>|&])")


def plain(view: View) -> str:
    """A view as plain lines."""
    return "".join(f"{text}\n" for block in view for text in _plain_lines(block))


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
        case Beside() | Course() | Ranking():
            yield from _plain_counts(block)


def _plain_counts(block: Beside | Course | Ranking) -> Iterator[str]:
    match block:
        case Beside():
            for group in block.groups:
                yield from (f"{group.heading}\t{name.text}\t{count}\t{_share(count, group.total)}" for name, count in group.rows)
        case Course():
            yield from (f"{block.heading}\t{time}\t{count}" for time, count in block.points)
        case Ranking():
            yield "\t".join([block.heading, *block.columns])
            for place, row in enumerate(block.rows, 1):
                yield "\t".join([f"{place}", *map(_text, row.cells), *map(str, row.numbers)])
                yield from (f"\t{_text(note)}" for note in (row.quote, dotted(row.facts)) if note)


def _plain_fields(rows: Sequence[Field]) -> Iterator[str]:
    for row in rows:
        for number, line in enumerate(row.lines, 1):
            yield f"{row.label}\t{f'{number}. ' if row.numbered else ''}{_text(line)}"


def _numbered(lines: Sequence[Line]) -> list[str]:
    return [f"{n}. {_text(line)}" for n, line in enumerate(lines, 1)] if len(lines) > 1 else [_text(line) for line in lines]


def _markdown_lines(block: Block) -> Iterator[str]:
    match block:
        case Title():
            yield f"## {' '.join(' '.join(_markdown((part,)) for part in block.left).split())}"
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
                    else f"- {f'{_markdown((Span(label, Role.CODE),))} ' if label else ''}{_markdown(line)}"
                )
            yield ""
        case Table():
            if block.heading:
                yield f"## {_escaped(block.heading)}"
                yield ""
            yield from _markdown_table(block.columns, [[_markdown(cell) for cell in row] for row in block.rows])
        case Beside() | Course() | Ranking():
            yield from _markdown_counts(block)


def _markdown_counts(block: Beside | Course | Ranking) -> Iterator[str]:
    match block:
        case Beside():
            for group in block.groups:
                rows = [[_markdown((name,)), f"{count}", _share(count, group.total)] for name, count in group.rows]
                yield from _markdown_table([group.heading, "", ""], rows)
        case Course():
            yield from _markdown_table([block.heading, ""], [[_escaped(time), f"{count}"] for time, count in block.points])
        case Ranking():
            yield f"### {_escaped(block.heading)}"
            yield ""
            for place, row in enumerate(block.rows, 1):
                numbers = ", ".join(f"{count} {_escaped(column)}" for count, column in zip(row.numbers, block.columns, strict=True))
                yield f"{place}. {' · '.join(map(_markdown, row.cells))}: {numbers}"
                yield from (f"   - {_markdown(note)}" for note in (row.quote, dotted(row.facts)) if note)
            yield ""


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}%" if total else ""


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
            address = _MARKDOWN_ADDRESS.sub(r"\\\1", part.link)
            parts.append(f"[{text}]({address})")
        elif part.role in (Role.STRONG, Role.CODE, Role.MATCH) and _can_be_strong(inner := text.strip()):
            parts.append(text.replace(inner, f"**{inner}**", 1))
        else:
            parts.append(text)
    return "".join(parts)


def _can_be_strong(text: str) -> bool:
    """Whether asterisks around `text` mean emphasis whatever stands beside them (CommonMark 6.2: next to a letter or digit they do)."""
    return text[:1].isalnum() and text[-1:].isalnum()


def _escaped(text: str) -> str:
    return _MARKDOWN_START.sub(r"\1\\", _MARKDOWN.sub(r"\\\1", text))


def _text(line: Line) -> str:
    return "".join(part.text for part in line)
