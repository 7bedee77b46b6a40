"""ZoneMTA: what its senders say of each delivery: `Sender/zone/pid ID.SEQ ACCEPTED|DEFERRED|REJECTED ... (REPLY)`.

The word says what ZoneMTA did, the code what the peer said; they may differ. A reply of several lines goes over as many log lines,
each with the sender's own prefix. A line that only quotes an answer (SMTPCLOSE and the like) counts when no word on that id follows.
"""

from __future__ import annotations

import re
from datetime import datetime

from ..model import Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import parse_reply
from .stamps import LogLine, iso_time

MAX_REPLY = 20_000

_LEVEL = r"(?:info|ERR!|WARN|warn|verb|silly|http|error|debug)"
_PM2 = lazily(r"^\d{1,3}\|[^|]{1,60}\| ")
_TIME = lazily(r"^(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,12}):? ")
_SHAPE = lazily(
    rf"(?:{_LEVEL} )?\(?(?P<who>(?:Sender|SMTP|Queue|API|Bounce|Plugins?|Log|Receiver)/[^\s()]{{1,100}})\)? (?P<rest>.*)$", re.DOTALL
)
_OTHER_SHAPE = lazily(rf"{_LEVEL} \S{{1,100}} (?:id=\S{{1,40}} )?[0-9a-f]{{18}}(?:\.\d{{3}})? [A-Z]{{3,}}")
_EVENT = lazily(
    r"(?:id=\S{1,60} )?(?P<id>[0-9a-f]{14,24}(?:\.\w{1,6})?) (?P<word>[A-Z]{3,20})(?:\[(?P<category>[\w-]{0,40})\])?(?: (?P<rest>.*))?$",
    re.DOTALL,
)
_CONTINUES = lazily(r"[245]\d\d(?:[ -]|$)")
_FIELD = lazily(r"(?:^|\s)(?P<key>from|to|mx)=(?P<value>\S{0,600})")
_MAIL_FROM = lazily(r"(?P<header>[^\[\]]*)\[(?P<envelope>[^\[\]]*)\]$")
_REPLY_IN_QUOTES = lazily(r'\bresponse="?(?P<text>[^"]{1,2000})')
_PROGRAMS = frozenset(("zone-mta", "zonemta"))

_OUTCOMES = {"ACCEPTED": Outcome.DELIVERED, "DEFERRED": Outcome.DEFERRED, "REJECTED": Outcome.BOUNCED}
_ATTEMPTS = frozenset(("SMTPERR", "SMTPCLOSE", "ERRCONNECT", "CONNFAIL"))


class ZoneMtaReader(Reader):
    """Reads the lines of ZoneMTA."""

    format = InputFormat.ZONEMTA

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._open: tuple[str, Record, bool] | None = None
        self._attempts: Remembered[Record] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of a known shape is this reader's even where it holds no outcome."""
        stamp = line.stamp or _unstamped(line.text)
        match = _SHAPE.match(stamp.message)
        if not match:
            is_own = stamp.program in _PROGRAMS or _OTHER_SHAPE.match(stamp.message)
            return self.pause() if is_own else None
        who, rest = match["who"], match["rest"]
        if self._open and self._open[0] == who and _CONTINUES.match(rest):
            return self._extend(rest)
        completed = self.pause()
        event = _EVENT.match(rest)
        if not event or not who.startswith("Sender/"):
            return completed
        base = Record(self.source, line.number, self.format, stamp.time, stamp.host, Direction.OUTBOUND, queue_id=event["id"])
        text = event["rest"] or ""
        if event["word"] in _OUTCOMES:
            self._attempts.pop(event["id"], None)
            self._open = (who, _delivered(base, event, text), False)
            if text.endswith(")"):
                completed += self.pause()
        elif event["word"] in _ATTEMPTS:
            said = _REPLY_IN_QUOTES.search(text)
            if said:
                self._open = (who, base._replace(text=said["text"]), True)
        return completed

    def pause(self) -> list[Record]:
        """The delivery whose reply was being gathered; an attempt waits on."""
        gathered, self._open = self._open, None
        if not gathered:
            return []
        _, record, is_attempt = gathered
        text = record.text.strip().removeprefix("(").removesuffix(")") if not is_attempt else record.text.rstrip('" ')
        reply = parse_reply(text)
        record = record._replace(reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text)
        if not is_attempt:
            return [record]
        if reply.code:
            self._attempts[record.queue_id or ""] = record
        return []

    def finish(self) -> list[Record]:
        """What was being gathered, then the attempts that no word on their message followed."""
        completed = self.pause()
        attempts, self._attempts = self._attempts, Remembered()
        return [*completed, *attempts.values()]

    def _extend(self, text: str) -> list[Record]:
        if self._open:
            who, record, is_attempt = self._open
            self._open = (who, record._replace(text=f"{record.text} {text}"[:MAX_REPLY]), is_attempt)
            if text.endswith(")" if not is_attempt else '"'):
                return self.pause()
        return []


def _delivered(base: Record, event: re.Match[str], text: str) -> Record:
    """The delivery with its reply still in its parentheses."""
    head, opened, reply = text.partition(" (")
    fields = {match["key"]: match["value"] for match in _FIELD.finditer(head)}
    mail_from = _MAIL_FROM.match(fields.get("from", ""))
    # A domain whose mail hosts were not found has answered nothing.
    relay = fields.get("mx") if event["category"] != "dns" else None
    return base._replace(
        outcome=_OUTCOMES[event["word"]],
        sender=mail_from["header"] or mail_from["envelope"] if mail_from else fields.get("from"),
        recipient=fields.get("to") or None,
        relay=relay or None,
        text=opened + reply,
    )


def _unstamped(text: str) -> LogLine:
    text = _PM2.sub("", text)
    match = _TIME.match(text)
    return LogLine(iso_time(match["time"]), None, "", text[match.end() :]) if match else LogLine(None, None, "", text)
