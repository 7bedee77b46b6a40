"""What every reader of a format is: it is offered lines in order, and says which are its own.

A reader knows one format's shape and nothing about reasons. What several formats share (stamps, files, replies) is in its own module.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, NamedTuple

from ..model import InputFormat, Record
from .files import Cuts
from .postfix_usual import UsualLine
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
    """Whether `skim` has passed over a line that completes a record."""
    is_of_server: ClassVar[bool] = False
    """Whether it reads the log of a mail server, beside which filters and delivery agents log."""
    is_second_hand: ClassVar[bool] = False
    """Whether its records are dropped at the end of an input in which a mail server's own log tells of outcomes."""

    def __init__(self, source: str, latest: datetime) -> None:
        self.source = source
        self.latest = latest
        self.cuts = Cuts()

    def take(self, line: InputLine) -> list[Record] | None:
        """The records that a line completes, mostly none or one; None where the line is not of this format."""
        raise NotImplementedError

    def skim(self, found: list[UsualLine] | None, block: bytes, start: int, end: int, number: int) -> tuple[int, int]:  # noqa: ARG002  (nothing, unless a reader says so)
        """Read lines of `block` faster than `take` would, with the same outcome; those with an outcome go into `found`, or nowhere where that is None.

        Line `number` begins at `start`, and none is read that does not end before `end`; returns where the first begins that was left, and
        its number. Asked after a line that was taken, of a reader of lines.
        """
        return start, number

    def give_back(self) -> list[InputLine]:
        """Lines that were taken and then proved to be of no format known here, for the other readers; asked after `take` and `finish`."""
        return []

    def pause(self) -> list[Record]:
        """What can be said now that another reader goes on, or that a live input has paused."""
        return []

    def finish(self) -> list[Record]:
        """What is left to say at the end of the input."""
        return self.pause()
