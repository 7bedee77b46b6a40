"""What an output is and can do: its format, its language, whether colour and hyperlinks may be written, how wide it is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from ..knowledge import Knowledge, Language

if TYPE_CHECKING:
    from .terminal import Terminal
    from .views import Viewer


NARROWEST = 20
"""Columns below which nothing can be laid out."""


AT_ONCE = 1 << 16
"""Characters that are written at once."""


class Format(StrEnum):
    """What an output is written as."""

    RICH = "rich"
    PLAIN = "plain"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"
    PROMETHEUS = "prometheus"


SUMMARY_ONLY = (Format.HTML, Format.PROMETHEUS)
"""Formats that only a summary has."""


class Output:
    """Where a result goes, in which format and language."""

    def __init__(
        self,
        stream: TextIO,
        notes: TextIO,
        format: Format,  # noqa: A002  (the option's name)
        language: Language,
        knowledge: Knowledge,
    ) -> None:
        self.stream = stream
        self.notes = notes
        self.format = format
        self.language = language
        self.knowledge = knowledge
        self._pending: list[str] = []
        self._pending_size = 0

    @property
    def viewer(self) -> Viewer:
        # A completion shows nothing.
        from .views import Viewer  # noqa: PLC0415

        return Viewer(self.knowledge, self.language)

    def terminal(self) -> Terminal:
        # rich costs as much as typer; only this format needs it.
        from .terminal import Terminal  # noqa: PLC0415

        return Terminal(self.stream, colour=has_colour(self.stream), links=has_links(self.stream), width=columns(self.stream))

    def put(self, pieces: Iterable[str]) -> None:
        for piece in pieces:
            self.stream.write(piece)

    def put_whole(self, line: str) -> None:
        """Write a line with others, never a part of it: whoever interrupts leaves whole lines. `flush` writes what waits."""
        self._pending.append(line)
        self._pending_size += len(line)
        if self._pending_size >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write all that waits, before an input is waited for."""
        if self._pending:
            pending, self._pending, self._pending_size = self._pending, [], 0
            self.stream.write("".join(pending))
            self.stream.flush()


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


def columns(stream: TextIO) -> int:
    """The width that COLUMNS asks for, or that of the terminal, or 80."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdecimal() and int(asked) >= NARROWEST:
        return int(asked)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, NARROWEST)
    except (OSError, ValueError):
        return 80


def height(stream: TextIO) -> int:
    """The height that LINES asks for, or that of the terminal, or 50."""
    asked = os.environ.get("LINES", "")
    if asked.isascii() and asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).lines
    except (OSError, ValueError):
        return 50


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _forced() -> bool:
    return os.environ.get("FORCE_COLOR", "") not in ("", "0")


def _refused() -> bool:
    return bool(os.environ.get("NO_COLOR"))
