"""What every reader of a format is: it is offered lines in order, and says which are its own.

A reader knows one format's shape and nothing about reasons. What several formats share (stamps, files, replies) is in its own module.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, NamedTuple

from ..model import InputFormat, Record
from .stamps import LogLine


class InputLine(NamedTuple):
    """One line of an input, without its end, as text and as it was; and its parts where it has a stamp that is known."""

    number: int
    text: str
    raw: bytes
    stamp: LogLine | None


class Reader:
    """Reads one format from one input.

    `is_open` says that the reader is in the middle of something of several lines (a message, a document, a table),
    so that the next line is offered to it before all others.
    """

    format: ClassVar[InputFormat]
    formats: ClassVar[frozenset[InputFormat]] = frozenset()
    """All of them, of a reader that knows several formats by one mechanism."""
    only: InputFormat | None = None
    """The format that the user named, if any."""
    is_open = False
    is_of_lines: ClassVar[bool] = False
    """Whether every line is understood when it comes: the reader is never open and gives nothing back."""
    has_passed_over = False
    """Whether `skim_past` has passed over a line that completes a record."""
    is_second_hand: ClassVar[bool] = False
    """Whether its records are dropped at the end of an input in which a mail server's own log tells of outcomes."""

    def __init__(self, source: str, latest: datetime) -> None:
        self.source = source
        self.latest = latest

    def take(self, line: InputLine) -> list[Record] | None:
        """The records that a line completes, mostly none or one; None where the line is not of this format."""
        raise NotImplementedError

    def skim(self, block: bytes, start: int, end: int) -> int:  # noqa: ARG002  (nothing is passed over by a reader that does not say so)
        """Pass over lines of `block` that complete no record, and keep what later ones need: only the same as `take` would do, sooner.

        A line begins at `start`, and none is passed over that does not end before `end`; returns where the first begins that was left.
        Asked after a line that was taken, of a reader of lines.
        """
        return start

    def skim_past(self, block: bytes, start: int, end: int) -> int:
        """Do the same where nobody wants to know the records: pass over those lines too that only complete one."""
        return self.skim(block, start, end)

    def give_back(self) -> list[InputLine]:
        """Lines that were taken and then proved to be of no format known here, for the other readers; asked after `take` and `finish`."""
        return []

    def pause(self) -> list[Record]:
        """What can be said now that another reader goes on, or that a live input has paused."""
        return []

    def finish(self) -> list[Record]:
        """What is left to say at the end of the input."""
        return self.pause()
