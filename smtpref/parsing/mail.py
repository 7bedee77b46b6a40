"""E-mails: gathering the lines of a message, and telling what kind of notice it is.

A message is a file that starts with header fields, or each part of an mbox that starts with "From ". Its line is its first one.
Bounces (RFC 3464 and what came before), abuse reports (RFC 5965) and auto-replies (RFC 3834) give records; ordinary mail gives none.
"""

from __future__ import annotations

import re
from datetime import datetime

from ..model import InputFormat, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .reply import CODE_FIRST

MAX_MESSAGE = 4 << 20
"""Bytes of a message that are kept; what tells of an outcome stands before the message that comes back."""

MAX_MESSAGE_LINES = 50_000
MAX_HEAD_LINES = 1000
MIN_FIELDS = 2
"""Common fields that make a head."""

SURE_FIELDS = 4
"""Common fields after which a line that is none spoils a head no more."""

# "From bob@example.com Mon Jan  1 00:00:00 2024", with a time zone here and there.
_SEPARATOR = lazily(r"From \S{0,320}\s+(?:\S{1,40}\s+)?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,?\s.{4,60}\d{4}")
# How mail systems begin to tell of a failure; somebody who pastes a bounce often leaves out its head.
_BOUNCE_OPENING = lazily(
    r"""\W{0,3}(?:
      Hi\.\ This\ is\ the\ .{1,40}\ (?:program|deliver)\b
    | This\ is\ the\ mail\ (?:system|delivery)\b
    | This\ message\ was\ created\ automatically\ by\ mail\ delivery\ software
    | The\ original\ message\ was\ received\ at\b
    | Message\ (?:not\ delivered|blocked|rejected|expired)$
    | (?:Your\ message\ wasn't\ delivered|There\ was\ a\ (?:temporary\ )?problem\ delivering\ your\ message|Delivery\ to\ the\ following\ recipients?\ failed)\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_HEAD_LEFT_OUT = (b"From: MAILER-DAEMON", b"Subject: Undelivered Mail Returned to Sender", b"")
_QUOTED_SEPARATOR = lazily(rb"^>(>*From )")
_FIELD = lazily(r"(?P<name>[!-9;-~]{1,80}):(?:[ \t]|$|(?=[<\"(=\w]))")
_CONTINUED = lazily(r"[ \t]+\S")

SOME_FIELDS = ("from", "subject")

# Of these a message has two at least, and each starts one.
_COMMON = frozenset(
    (
        "auto-submitted",
        "content-type",
        "date",
        "delivered-to",
        "from",
        "message-id",
        "mime-version",
        "received",
        "return-path",
        "subject",
        "to",
    )
)
_OTHERS = frozenset(
    (
        "authentication-results",
        "cc",
        "content-transfer-encoding",
        "disclose-recipients",
        "dkim-signature",
        "domainkey-signature",
        "envelope-to",
        "errors-to",
        "in-reply-to",
        "importance",
        "precedence",
        "received-spf",
        "references",
        "reply-to",
        "sender",
        "thread-index",
        "thread-topic",
        "user-agent",
    )
)
_PREFIXES = ("x-", "arc-", "list-", "resent-", "content-")


class MailReader(Reader):
    """Gathers the lines of messages, and gives what each tells when it has ended."""

    format = InputFormat.DSN
    formats = frozenset((InputFormat.DSN, InputFormat.ARF, InputFormat.AUTO_REPLY, InputFormat.SES))

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._lines: list[InputLine] = []
        self._size = 0
        self._last_line = 0
        self._fields: set[str] = set()
        self._is_in_head = False
        self._is_mbox = False
        self._has_head = True
        self._is_cut = False
        self._is_first = True
        self._last_empty = 0
        self._refused = 0
        self._returned: list[InputLine] = []

    def take(self, line: InputLine) -> list[Record] | None:
        """Lines that look like a message's head are kept until it is one, and handed back if it is none."""
        if line.number <= self._refused:
            return None
        is_start = self._last_empty == line.number - 1 and self._starts(line)
        if not line.text.strip():
            self._last_empty = line.number
        if self.is_open and self._is_mbox and is_start and _SEPARATOR.match(line.text):
            records = self.finish()
            self._open(line)
            return records
        if not self.is_open:
            is_first, self._is_first = self._is_first, self._is_first and not line.text.strip()
            if is_first and not CODE_FIRST.match(line.text) and _BOUNCE_OPENING.match(line.text):
                return self._open_body(line)
            return self._open(line) if is_start else None
        self._keep(line)
        return self._read_head(line) if self._is_in_head else []

    def pause(self) -> list[Record]:
        """A head that is none yet need not become one: its lines are handed back."""
        if self._is_in_head and len(self._fields) < MIN_FIELDS and not self._is_mbox:
            self._refuse()
        return []

    def finish(self) -> list[Record]:
        """The records of the message that ends here."""
        if len(self._fields) < MIN_FIELDS:
            self._refuse()
        if not self.is_open:
            return []
        lines, last_line = self._lines, self._last_line
        content = _content(lines) if self._has_head else b"\n".join([*_HEAD_LEFT_OUT, *(line.raw for line in lines)])
        self._close()
        records = [record._replace(last_line=last_line) for record in self._records(content, lines[0].number)]
        return [record for record in records if self.only in (None, record.format)]

    def give_back(self) -> list[InputLine]:
        """The lines that turned out to be no message."""
        lines, self._returned = self._returned, []
        return lines

    def _starts(self, line: InputLine) -> bool:
        if line.text.startswith("From ") and _SEPARATOR.match(line.text):
            return not self.is_open or self._is_mbox
        name = _field(line.text)
        return name is not None and (name in _COMMON or name in _OTHERS or name.startswith(_PREFIXES))

    def _open(self, line: InputLine) -> list[Record]:
        self._close()
        self.is_open = self._is_in_head = True
        self._is_mbox = bool(_SEPARATOR.match(line.text))
        self._keep(line)
        return [] if self._is_mbox else self._read_head(line)

    def _open_body(self, line: InputLine) -> list[Record]:
        self._close()
        self.is_open, self._has_head, self._fields = True, False, set(SOME_FIELDS)
        self._keep(line)
        return []

    def _close(self) -> None:
        self._lines, self._size, self._fields, self._has_head, self._is_cut = [], 0, set(), True, False
        self.is_open = self._is_in_head = self._is_mbox = False

    def _keep(self, line: InputLine) -> None:
        # Empty lines at the end are the file's as much as the message's.
        if line.text.strip():
            self._last_line = line.number
        if self._size <= MAX_MESSAGE and len(self._lines) < MAX_MESSAGE_LINES:
            self._lines.append(line)
            self._size += len(line.raw)
        elif not self._is_cut:
            self._is_cut = True
            self.cuts.add("message", self._lines[0].number)

    def _read_head(self, line: InputLine) -> list[Record]:
        """Whether what was gathered is still the head of a message."""
        name = _field(line.text)
        if name in _COMMON:
            self._fields.add(name)
        elif not line.text.strip() and len(self._fields) >= MIN_FIELDS:
            self._is_in_head = False
        elif name is None and not _CONTINUED.match(line.text) and len(self._fields) < SURE_FIELDS:
            self._refuse()
        if self._is_in_head and len(self._lines) > MAX_HEAD_LINES:
            self._is_in_head = False
        return []

    def _refuse(self) -> None:
        if self._lines:
            self._returned = self._lines
            self._refused = self._lines[-1].number
        self._close()

    def _records(self, content: bytes, number: int) -> list[Record]:
        # The email package and the patterns for bounces take 40 ms, which only mails are worth.
        from .delivery_status import MAX_RECIPIENTS  # noqa: PLC0415
        from .message import iso_time, parse_message  # noqa: PLC0415
        from .notices import notice_records  # noqa: PLC0415

        message = parse_message(content)
        base = Record(self.source, number, self.format, iso_time(message.headers.get("date")))
        text = next(message.texts(), "").lstrip()
        events = self._events(text, base) if text.startswith("{") else []
        records = events or notice_records(message, base)
        if len(records) > MAX_RECIPIENTS:
            self.cuts.add("recipients", number)
        return records[:MAX_RECIPIENTS]

    def _events(self, text: str, base: Record) -> list[Record]:
        """Of an event of a sending service that comes by e-mail (Amazon SNS does it so), wrapped anywhere."""
        document = "".join(text.partition("\n--\n")[0].splitlines())
        # Few messages are a service's notice, whose event they hold.
        from .events import EventReader  # noqa: PLC0415

        reader = EventReader(self.source, self.latest)
        records = reader.take(InputLine(base.line, document, b"", None)) or []
        return [*records, *reader.finish()]


def _field(line: str) -> str | None:
    match = _FIELD.match(line)
    return match["name"].lower() if match else None


def _content(lines: list[InputLine]) -> bytes:
    """A message's bytes, without what an mbox adds to them."""
    raw = [line.raw.removesuffix(b"\r") for line in lines]
    if raw[0].startswith(b"From "):
        raw = [_QUOTED_SEPARATOR.sub(rb"\1", line) for line in raw[1:]]
    return b"\n".join(raw)
