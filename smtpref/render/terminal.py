"""Views on a terminal; the only importer of rich, and the only place that knows colours.

Colour never carries a meaning alone: the word stands beside it. Foreign text travels as `Text`, never as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text

from .views import (
    Bars,
    Beside,
    Block,
    Course,
    Field,
    Fields,
    Line,
    Listing,
    Paragraph,
    Ranking,
    Role,
    Sides,
    Span,
    Table,
    Title,
    View,
    grouped,
)

# The sixteen colours of the user's own theme, so that light and dark terminals both stay readable.
THEME = {
    Role.PLAIN: Style(),
    Role.CODE: Style(bold=True, color="cyan"),
    Role.STRONG: Style(bold=True),
    Role.DIM: Style(dim=True),
    Role.LABEL: Style(color="magenta"),
    Role.HEADING: Style(bold=True, color="magenta"),
    Role.PERMANENT: Style(bold=True, color="red"),
    Role.TEMPORARY: Style(bold=True, color="yellow"),
    Role.SUCCESS: Style(bold=True, color="green"),
    Role.DO: Style(color="bright_blue"),
    Role.QUOTE: Style(italic=True),
    Role.MATCH: Style(bold=True, underline=True),
}
WIDEST = 120
NARROWEST_BARS = 32
"""Columns that a group of counts needs beside others."""

NARROWEST_NUMBERS = 90
"""Columns from which on a ranking shows all its numbers in columns."""

BAR = 5
"""Columns of a bar."""

SHORT_LABEL = 14
"""Characters of an address that is shown whole beside its bar."""

_BAR_ROLES = (Role.SUCCESS, Role.TEMPORARY, Role.PERMANENT)
_EIGHTHS = "▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"

NARROWEST_SIDES = 80
"""Below this width the sides of a comparison stack."""

# Time, mark, reason, codes, recipient, who answered; the words have what is left. By the width from which they are used.
ROW_WIDTHS = {120: (14, 1, 20, 12, 26, 13), 96: (14, 1, 19, 12, 22, 0), 0: (0, 1, 17, 12, 20, 0)}


class Terminal:
    """Writes views to one stream in the width and with the abilities that it has."""

    def __init__(self, stream: TextIO, *, colour: bool, links: bool, width: int) -> None:
        self._colour = colour
        self._links = links
        self._console = Console(
            file=stream,
            force_terminal=colour,
            color_system="standard" if colour else None,
            no_color=not colour,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            soft_wrap=False,
        )
        self._width = min(self._console.width, WIDEST)

    def write(self, views: Iterable[View]) -> None:
        """Write views, a blank line between two."""
        for number, view in enumerate(views):
            if number:
                self._console.print()
            for block in self._drawn(view):
                self._console.print(block, width=self._width)

    def height(self, view: View) -> int:
        """The lines that a view takes."""
        options = self._console.options.update(width=self._width)
        return sum(len(self._console.render_lines(block, options, pad=False)) for block in self._drawn(view))

    def write_panel(self, view: View) -> None:
        """Write one view between two lines, so that it can be told from what scrolled by before."""
        title = view[0]
        tone = title.tone if isinstance(title, Title) else Role.PLAIN
        panel = Panel(Group(*self._drawn(view)), box=box.HORIZONTALS, border_style=self._style(tone), padding=(0, 0))
        self._console.print(panel, width=self._width)

    def write_row(self, cells: Sequence[Line]) -> None:
        """Write one record as one line in fixed columns; the words take what is left and are cut, never wrapped."""
        widths = next(widths for least, widths in ROW_WIDTHS.items() if self._console.width >= least)
        row = Text(no_wrap=True, overflow="ellipsis", end="\n")
        for cell, width in zip(cells, (*widths, None), strict=True):
            if width == 0:
                continue
            text = self._text(cell)
            if width is not None:
                text.truncate(width, overflow="ellipsis", pad=True)
                text.append(" ")
            row.append_text(text)
        row.truncate(self._console.width, overflow="ellipsis")
        self._console.print(row, no_wrap=True, crop=False)

    def _drawn(self, view: View) -> list[RenderableType]:
        return [drawn for block in view for drawn in self._block(block)]

    def _block(self, block: Block) -> list[RenderableType]:
        match block:
            case Title():
                return self._title(block)
            case Paragraph():
                return [Padding(self._text(block.line), (0, 1, 1, 1))]
            case Fields():
                return [self._fields(block.rows)]
            case Sides():
                return self._sides(block)
            case Listing():
                return [Text(), Text(" " + block.heading, self._style(Role.HEADING)), self._listing(block)]
            case Table():
                return self._table(block)
            case Beside():
                return self._beside(block)
            case Course():
                return self._course(block)
            case Ranking():
                return self._ranking(block)

    def _title(self, title: Title) -> list[RenderableType]:
        badge, tags = self._badge(title), self._text(title.right)
        if badge.cell_len + tags.cell_len + 4 > self._width:
            return [Padding(badge, (0, 1)), Padding(tags, (0, 1))]
        grid = RichTable.grid(expand=True, padding=(0, 1), pad_edge=True)
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right")
        grid.add_row(badge, tags)
        return [grid]

    def _badge(self, title: Title) -> Text:
        code, *rest = title.left
        text = Text()
        is_code = code.role is Role.CODE
        text.append(f" {code.text} " if is_code else code.text, self._style(title.tone) + Style(reverse=is_code and self._colour))
        for part in rest:
            text.append("  " if is_code else " ").append(part.text, self._style(part.role))
        return text

    def _fields(self, rows: Sequence[Field]) -> RenderableType:
        labels = max((len(row.label) for row in rows), default=0)
        grid = RichTable.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=min(labels, 22), style=self._style(Role.LABEL))
        grid.add_column(ratio=1, overflow="fold")
        for row in rows:
            grid.add_row(Text(row.label), self._lines(row.lines, numbered=row.numbered))
        return Padding(grid, (0, 1))

    def _lines(self, lines: Sequence[Line], *, numbered: bool = False) -> RenderableType:
        if not numbered:
            return Text("\n").join(map(self._text, lines))
        grid = RichTable.grid(padding=(0, 2, 0, 0))
        grid.add_column(style=self._style(Role.DO))
        grid.add_column(ratio=1, overflow="fold")
        for number, line in enumerate(lines, 1):
            grid.add_row(str(number), self._text(line))
        return grid

    def _sides(self, sides: Sides) -> list[RenderableType]:
        if self._width < NARROWEST_SIDES or self._width < 24 * len(sides.titles) + 12:
            return self._stacked(sides)
        labels = max(len(label) for label, _ in sides.rows) if sides.rows else 8
        table = RichTable(box=None, show_header=False, padding=(0, 1), expand=True, pad_edge=True)
        table.add_column(width=min(max(labels, 8), 14), style=self._style(Role.LABEL))
        for _ in sides.titles:
            table.add_column(ratio=1, overflow="fold")
        table.add_row("", *(self._badge(title) for title in sides.titles))
        table.add_row("", *(self._text(title.right) for title in sides.titles))
        table.add_row("", *(Rule(style=self._style(title.tone), characters="─") for title in sides.titles))
        for label, cells in sides.rows:
            table.add_row(Text(label), *(self._lines(cell, numbered=len(cell) > 1) for cell in cells))
            table.add_row()
        return [table, *self._same(sides)]

    def _stacked(self, sides: Sides) -> list[RenderableType]:
        drawn: list[RenderableType] = []
        for number, title in enumerate(sides.titles):
            fields = tuple(Field(label, cells[number], len(cells[number]) > 1) for label, cells in sides.rows)
            drawn += [*self._title(title), self._fields(fields), Text()]
        return drawn + self._same(sides)

    def _same(self, sides: Sides) -> list[RenderableType]:
        if not sides.same:
            return []
        grid = self._fields([Field(field.label, field.lines, field.numbered) for field in sides.same])
        return [Text(" =", self._style(Role.DIM)), grid]

    def _listing(self, listing: Listing) -> RenderableType:
        grid = RichTable.grid(padding=(0, 1, 0, 0))
        if any(label for label, _ in listing.rows):
            grid.add_column(style=self._style(Role.CODE), justify="right")
        grid.add_column(ratio=1, overflow="fold")
        for label, line in listing.rows:
            grid.add_row(*([label] if len(grid.columns) > 1 else []), self._text(line))
        return Padding(grid, (0, 1))

    def _table(self, table: Table) -> list[RenderableType]:
        grid = RichTable.grid(padding=(0, 2, 0, 0))
        for _ in table.columns[:-1]:
            grid.add_column(no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        for row in table.rows:
            grid.add_row(*map(self._text, row))
        heading = [Text(f"\n {table.heading}", self._style(Role.HEADING))] if table.heading else []
        return [*heading, Padding(grid, (0, 1))]

    def _beside(self, beside: Beside) -> list[RenderableType]:
        groups = [group for group in beside.groups if group.rows]
        if not groups:
            return []
        across = max(1, min(len(groups), self._width // NARROWEST_BARS))
        grid = RichTable.grid(padding=(0, 2, 0, 0), expand=True)
        for _ in range(across):
            grid.add_column(ratio=1)
        for start in range(0, len(groups), across):
            grid.add_row(*map(self._bars, groups[start : start + across]))
        return [Padding(grid, (0, 1, 1, 1))]

    def _bars(self, bars: Bars) -> RenderableType:
        grid = RichTable.grid(padding=(0, 1, 0, 0), expand=True)
        grid.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True, style=self._style(Role.DIM))
        grid.add_column(width=BAR, no_wrap=True)
        most = max(count for _, count in bars.rows)
        for label, count in bars.rows:
            share = f"{100 * count / bars.total:.0f} %" if bars.total else ""
            bar = Text(_bar(count / most if most else 0), self._style(label.role if label.role in _BAR_ROLES else Role.DO))
            grid.add_row(self._text((_shortened(label),)), grouped(count, bars.thousands), share, bar)
        return Group(Text(bars.heading, self._style(Role.HEADING)), grid)

    def _course(self, course: Course) -> list[RenderableType]:
        if not course.points:
            return []
        room = max(self._width - 4 - len(course.heading), NARROWEST_BARS)
        # More points than there is room for stand together, so that a month is one line too.
        together = -(-len(course.points) // room)
        sums = [sum(count for _, count in course.points[at : at + together]) for at in range(0, len(course.points), together)]
        most = max(sums)
        line = "".join(_STEPS[round((len(_STEPS) - 1) * count / most)] if count else " " for count in sums)
        busiest = max(course.points, key=lambda point: point[1])
        ends = f"{course.points[0][0]} – {course.points[-1][0]}, ▲ {grouped(busiest[1], course.thousands)} ({busiest[0]})"
        heading = Text().append(course.heading + "  ", self._style(Role.HEADING))
        fits = len(course.heading) + len(line) + len(ends) + 6 <= self._width
        text = heading.append(line, self._style(Role.DO)).append("  " if fits else "\n", Style()).append(ends, self._style(Role.DIM))
        return [Padding(text, (0, 1))]

    def _ranking(self, ranking: Ranking) -> list[RenderableType]:
        """A row a line, what is said of it below, each cut to its line: one screen has room for no more."""
        width = self._width - 1
        # Where there is little room, only the first number has a column, and the others are facts.
        shown = len(ranking.columns) if width >= NARROWEST_NUMBERS else 1
        rows = [[grouped(number, ranking.thousands) for number in row.numbers] for row in ranking.rows]
        columns = [max(map(len, column)) for column in zip(ranking.columns, *rows, strict=True)][:shown]
        room = width - 6 - sum(columns) - 2 * len(columns)
        heads = max((len(row.cells) for row in ranking.rows), default=1)
        # The last cell says more than the others, so that it has what they leave.
        cells = [min(max(_length(row.cells[n]) for row in ranking.rows), 2 * room // (heads + 1)) for n in range(heads - 1)]
        cells.append(room - sum(cells) - 2 * len(cells))

        heading = Text(ranking.heading, self._style(Role.HEADING))
        heading.truncate(room, pad=True)
        lines = [Text(" ").append_text(heading).append(" " * 5)]
        for name, size in zip(ranking.columns, columns, strict=False):
            lines[0].append("  " + name.rjust(size), self._style(Role.DIM))
        for place, row in enumerate(ranking.rows, 1):
            head = Text(no_wrap=True, overflow="ellipsis").append(f" {place:>2} ", self._style(Role.CODE))
            for cell, size in zip(map(self._text, row.cells), cells, strict=False):
                cell.truncate(size, overflow="ellipsis", pad=True)
                head.append_text(cell).append("  ")
            for number, size in zip(rows[place - 1], columns, strict=False):
                head.append("  " + number.rjust(size), self._style(Role.STRONG))
            lines.append(head)
            if row.quote:
                lines.append(Text("    ").append_text(self._cut(row.quote, width - 4)))
            others = zip(rows[place - 1][shown:], ranking.columns[shown:], strict=True) if row.facts else ()
            told = (Span(f"{number} {name}", Role.DIM) for number, name in others if number != "1")
            facts = (*row.facts[:1], *told, *row.facts[1:])
            lines += self._folded(facts, width)
        return [*lines]

    def _cut(self, quote: Line, room: int) -> Text:
        """A quotation on one line, with the words that decided in sight."""
        text = self._text(quote)
        # The codes in front stay, too.
        first = len(quote[0].text) if quote[0].role is Role.CODE else 0
        before = 0
        for part in quote:
            end = before + len(part.text)
            if part.role is Role.MATCH and end > room:
                start = max(first, min(before, end - room + first + 2))
                # From the beginning of a word, if there is one.
                space = text.plain.find(" ", start, before)
                text = text[:first].append("…").append_text(text[space if space >= 0 else start :])
                break
            before = end
        text.truncate(room, overflow="ellipsis")
        return text

    def _folded(self, facts: Line, width: int) -> list[Text]:
        """Facts on as many lines as they need, none of them broken."""
        lines: list[Text] = []
        for fact in facts:
            text = self._text((fact,))
            if lines and lines[-1].cell_len + 3 + text.cell_len <= width:
                lines[-1].append(" · ", self._style(Role.DIM)).append_text(text)
            else:
                text.truncate(width - 4, overflow="ellipsis")
                lines.append(Text("    ").append_text(text))
        return lines

    def _text(self, line: Line) -> Text:
        text = Text()
        for part in line:
            style = self._style(part.role)
            if part.link and self._links:
                style += Style(link=part.link)
            text.append(part.text, style)
        return text

    def _style(self, role: Role) -> Style:
        return THEME[role] if self._colour else Style()


def _length(line: Line) -> int:
    return sum(len(part.text) for part in line)


def _shortened(label: Span) -> Span:
    """An address whose beginning is made anew each time by its end; of any other the beginning tells more."""
    at = label.text.find("@") if len(label.text) > SHORT_LABEL and "{id}" in label.text.partition("@")[0] else -1
    return label._replace(text=f"…{label.text[at:]}") if at > 0 else label


def _bar(part: float) -> str:
    """A bar as long as `part` of the room, to an eighth of a column."""
    eighths = max(round(part * BAR * 8), 1 if part else 0)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")
