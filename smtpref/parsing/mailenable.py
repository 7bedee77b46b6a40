"""MailEnable: the SMTP activity log, a tab-separated line for each command with the reply to it.

Columns: time (month first), SMTP-IN or SMTP-OU, message file (the queue id), socket, address, command, what the client said, the reply.
A row has both sides of an exchange, so whose command it was is told by the second column.
What is known of the format is its documentation and third-party test data.
"""

from __future__ import annotations

import re
from datetime import datetime

from ..model import InputFormat, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .sessions import Sessions

_STAMP = lazily(r"(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d\d|\d{4}) (?P<clock>\d\d:\d\d:\d\d)$")
_SERVICE_LINE = lazily(r"\[\d\d/\d\d/\d\d(?:\d\d)? \d\d:\d\d:\d\d\]\*{3,} .{0,80}\*{3,}\s*$")
_KINDS = frozenset(("SMTP-IN", "SMTP-OU", "SMTP-OUT"))
_MESSAGE_COMMANDS = frozenset(("DATA", "DATE"))
MIN_COLUMNS = 8


class MailenableReader(Reader):
    """Reads MailEnable's SMTP activity log."""

    format = InputFormat.MAILENABLE

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._sessions = Sessions()

    def take(self, line: InputLine) -> list[Record] | None:
        """A row is one command and its reply; the lines about the service itself say nothing."""
        text = line.text.lstrip("\ufeff")
        columns = text.split("\t", MIN_COLUMNS)
        stamp = _STAMP.match(columns[0])
        if not stamp or len(columns) < MIN_COLUMNS or columns[1] not in _KINDS:
            return [] if _SERVICE_LINE.match(text) else None
        _, kind, message, socket, peer, verb, said, reply = (column.strip() for column in columns[:MIN_COLUMNS])
        is_client = kind != "SMTP-IN"
        key = "\t".join((kind, message, socket, peer))
        if verb == "CONN":
            self._sessions.end(key)
        session = self._sessions.get(key, is_client=is_client)
        if verb in _MESSAGE_COMMANDS and not said.upper().startswith("DATA"):
            # The reply to the message itself; what the client said is its last line.
            session.command("." if said or verb == "DATE" else verb)
        elif verb != "CONN":
            session.command(said or verb)
        if not reply:
            return []
        base = Record(self.source, line.number, self.format, time=_time(stamp), queue_id=message or None, relay=peer or None)
        return session.reply(reply, base, is_whole=True)


def _time(stamp: re.Match[str]) -> str | None:
    year = stamp["year"] if len(stamp["year"]) == 4 else f"20{stamp['year']}"
    try:
        return datetime.fromisoformat(f"{year}-{stamp['month']}-{stamp['day']}T{stamp['clock']}").isoformat()
    except ValueError:
        return None
