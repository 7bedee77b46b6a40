"""Bare replies: what a person pastes, with whatever stands around it, one reply of one or more lines after another.

Lines are gathered while they belong together (a multi-line reply, a reply that a mail program wrapped); each gathering gives at most one
record. Text without any code may be a reply too ("Mailbox full"): it is given as `words_only`, for the rules to know or to drop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import InputFormat, Phase, Record
from .files import Line
from .reply import find_reply

FORMAT = InputFormat.REPLY

MAX_LINES = 100
MAX_WORDS = 600
"""Characters up to which a text without any code may be a reply."""

_QUOTED = re.compile(r"^(?:[>|] ?)+")
_CODE_FIRST = re.compile(r"\s*(?:smtp;\s*)?[2-5]\d\d(?P<separator>[ -]|$)")
_STARTS_A_REPLY = re.compile(
    r"\s*(?:[2-5]\d\d(?:[ -]|$)|smtp;|<[^<>\s]+@[^<>\s]+>.{0,80}:|Diagnostic-Code:|<<<|REJECTED |ACCEPTED )", re.IGNORECASE
)
_UNFINISHED = re.compile(r"(?:[:;,(-]|\b(?:host|to|the|from|of|in|for|and|said|Please))\s*$", re.IGNORECASE)
_RECIPIENT = re.compile(
    r"^\s*<([^<>\s@]{1,64}@[^<>\s]{1,255})>(?: \([^)]*\))?:|\bRCPT TO:\s?<([^<>\s]{1,320})>|^\s*([^\s<>@:]{1,64}@[\w.-]{1,255}):?\s*$",
    re.IGNORECASE,
)
_HOST = re.compile(r"\bhost ([\w.-]{1,255}(?:\s?\[[\w.:]{2,45}\])?)(?: said|:| refused| SMTP)", re.IGNORECASE)
_COMMANDS = re.compile(
    r"^\s*(?:C:|->|~>|>>>|S:|<-|<~)?\s*(?:EHLO|HELO|MAIL FROM:|RCPT TO:|DATA|QUIT|STARTTLS|AUTH |RSET|NOOP)\b", re.IGNORECASE
)


class Reader:
    """Gathers the lines of one input into replies."""

    format = FORMAT

    def __init__(self, source: str) -> None:
        self._source = source
        self._gathered: list[Line] = []
        self._open = False
        self._in_dialogue = False

    def read(self, line: Line) -> Iterator[Record]:
        """Take one line; yield the record that it completes, if any."""
        text = _QUOTED.sub("", line.text).rstrip()
        if not text.strip():
            yield from self.finish()
            return
        if _COMMANDS.match(text):
            yield from self.finish()
            self._in_dialogue = True
            return
        if self._gathered and not self._continues(text):
            yield from self.finish()
        self._gathered.append(Line(line.number, text))
        first = _CODE_FIRST.match(text)
        self._open = bool(first and first["separator"] == "-")

    def finish(self) -> Iterator[Record]:
        """Yield the record of what was gathered so far."""
        gathered, self._gathered, self._open = self._gathered, [], False
        if not gathered:
            return
        text = " ".join(line.text.strip() for line in gathered)
        record = self._record(text, gathered[0].number)
        if record and not self._is_small_talk(record):
            yield record

    def _continues(self, text: str) -> bool:
        if len(self._gathered) >= MAX_LINES:
            return False
        last = self._gathered[-1].text
        if self._open:
            return True
        is_announced = _UNFINISHED.search(last) and not any(_CODE_FIRST.match(line.text) for line in self._gathered)
        if _STARTS_A_REPLY.match(text) and not (is_announced and _CODE_FIRST.match(text)):
            return False
        is_indented = text[0] in " \t"
        is_wrapped = len(last) >= 50 and text[0].islower()
        return is_indented or is_wrapped or last.count("(") > last.count(")") or bool(_UNFINISHED.search(last))

    def _record(self, text: str, number: int) -> Record | None:
        recipient = _RECIPIENT.search(text)
        host = _HOST.search(text)
        reply = find_reply(text)
        if reply is None and len(text) > MAX_WORDS:
            return None
        return Record(
            self._source,
            number,
            FORMAT,
            recipient=next((group for group in recipient.groups() if group), None) if recipient else None,
            relay=host[1] if host else None,
            phase=reply.phase if reply else None,
            reply_code=reply.code if reply else None,
            enhanced_code=reply.enhanced if reply else None,
            text=reply.text if reply else " ".join(text.split()),
            words_only=reply is None,
        )

    def _is_small_talk(self, record: Record) -> bool:
        """Within a dialogue, only refusals are news."""
        code = record.reply_code
        return self._in_dialogue and (code is None or code.class_digit in "23") and record.phase is not Phase.END_OF_DATA
