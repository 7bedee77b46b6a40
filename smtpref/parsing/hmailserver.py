"""hMailServer: the conversations in its log, "SMTPC" as a client and "SMTPD" as a server.

A line has its kind, a thread, a session's number, time, address and `SENT: ...` or `RECEIVED: ...`; quotes inside are not escaped, and `[nl]`
stands for a line's end. "APPLICATION" lines name a message and its recipients, which gives a conversation's records the message's number.
What is known of the format are sessions in public write-ups and third-party test data.
"""

from __future__ import annotations

import re
from datetime import datetime

from ..model import InputFormat, Record
from ..patterns import lazily
from .facts import time_of
from .reader import InputLine, Reader
from .remembered import Remembered
from .sessions import Sessions
from .tables import address_list

_LINE = lazily(
    r'"(?P<kind>[A-Z][A-Z0-9]{2,15})"\s{1,8}-?\d{1,10}\s{1,8}(?:(?P<session>\d{1,12})\s{1,8})?'
    r'"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)"\s{1,8}(?:"(?P<peer>[0-9A-Fa-f:.]{0,45})"\s{1,8})?"(?P<text>.*)$',
    re.DOTALL,
)
_SAID = lazily(r"(SENT|RECEIVED): ?(.*)$", re.DOTALL)
_MESSAGE = lazily(
    r"SMTPDeliverer - Message (?P<id>\d{1,19}): Delivering message from (?P<sender>\S{0,320}) to (?P<recipients>.{1,20000}?)\. File: "
)


class HmailserverReader(Reader):
    """Reads hMailServer's log."""

    format = InputFormat.HMAILSERVER

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._sessions = Sessions()
        self._messages: Remembered[str] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """Lines of every kind are this reader's; those of POP3, IMAP and TCP tell of no mail."""
        match = _LINE.match(line.text.lstrip("\ufeff"))
        if not match:
            return None
        kind, text = match["kind"], match["text"].removesuffix('"')
        if kind == "APPLICATION":
            self._note(text)
        said = _SAID.match(text) if kind in ("SMTPC", "SMTPD") else None
        if not said:
            return []
        who, what = said.groups()
        what = what.replace("[nl]", "\n").strip()
        is_client = kind == "SMTPC"
        session = self._sessions.get(f"{kind} {match['session']}", is_client=is_client)
        if is_client == (who == "SENT"):
            session.command(what)
            return []
        base = Record(self.source, line.number, self.format, time=time_of(match["time"]), relay=match["peer"] or None)
        return [self._with_message(record) for record in session.reply(what, base, is_whole=True)]

    def _note(self, text: str) -> None:
        match = _MESSAGE.match(text)
        for recipient in address_list(match["recipients"]) if match else ():
            self._messages[recipient.lower()] = match["id"] if match else ""

    def _with_message(self, record: Record) -> Record:
        known = self._messages.get((record.recipient or "").lower()) if record.relay else None
        return record._replace(queue_id=known) if known else record
