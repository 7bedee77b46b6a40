"""What can go wrong, with the facts as attributes.

The sentences are composed in `wording.py`, so that they exist once and in every language; nothing here is formatted for a terminal.
"""

from __future__ import annotations


class SmtprefError(Exception):
    """Anything that smtpref understands and cannot do."""


class NotACode(SmtprefError):
    """`given` is no code, class, provider code, blocklist or reason; `commands` are what may have been meant."""

    def __init__(self, given: str, commands: tuple[str, ...] = ()) -> None:
        super().__init__(given)
        self.given = given
        self.commands = commands


class Unreadable(SmtprefError):
    """An input file cannot be read; `why` is the operating system's or the decoder's word for it."""

    def __init__(self, path: str, why: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
        self.hint = hint

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str, str, str | None]]:
        """How it goes from one process to another."""
        return Unreadable, (self.path, self.why, self.hint)


class PassedOver(SmtprefError):
    """Of an input, `count` times something was too large and only its beginning was read, first at `line`; `what` it was names a phrase."""

    def __init__(self, path: str, line: int, what: str, count: int) -> None:
        super().__init__(f"{path}:{line}: {what}")
        self.path = path
        self.line = line
        self.what = what
        self.count = count

    def __reduce__(self) -> tuple[type[PassedOver], tuple[str, int, str, int]]:
        """How it goes from one process to another."""
        return PassedOver, (self.path, self.line, self.what, self.count)


class WrongUsage(SmtprefError):
    """The command line asks for what there is not; `message` names a phrase of `wording.py`, `facts` fill it in."""

    def __init__(self, message: str, *commands: str, **facts: str) -> None:
        super().__init__(message)
        self.message = message
        self.commands = commands
        self.facts = facts


class KnowledgeError(SmtprefError):
    """A codes file has mistakes; `problems` lists them all, each naming file, block and field."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
