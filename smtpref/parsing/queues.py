"""Queue listings: Postfix's (`postqueue -j`, `postqueue -p`), Sendmail's (`mailq`) and Exim's (`exim -bp`, which gives no reasons).

An entry names message and sender first, then the reason, then the recipients that the reason is for. A recipient without a reason waits:
Postfix's marks and queue names, put into words, are then all there is to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..model import Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .documents import Documents, JsonObject, NotJson
from .facts import objects_in, text_of, time_of
from .postfix_usual import quoted_reply
from .reader import InputLine, Reader
from .reply import parse_reply
from .stamps import year_inferred

ON_HOLD = "on hold"
ACTIVE = "still being delivered"
QUEUED = "queued for delivery"

_OF_QUEUE = {"hold": ON_HOLD, "active": ACTIVE}
_OF_MARK = {"!": ON_HOLD, "*": ACTIVE}

_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2})"
_POSTFIX_ENTRY = lazily(
    rf"(?P<id>[0-9A-Za-z]{{5,24}})(?P<mark>[*!#]?)\s+\d+ {_DAY} (?P<clock>\d\d:\d\d:\d\d)\s+(?P<sender>\S.{{0,500}}?)\s*$"
)
_POSTFIX_NEWS = lazily(
    r"-+Queue ID-+ +-+Size-+ |-- \d+ [KMG]?bytes in \d+ Requests?\.|Mail queue is empty$|postqueue: warning: Mail system is down",
    re.IGNORECASE,
)
_SENDMAIL_ENTRY = lazily(
    rf"(?P<id>[0-9A-Za-z]{{8,24}})(?P<mark>[*X?-]?)\s+(?:\d+|\?)\s+(?:\d+[+ ]\s*)?{_DAY} (?P<clock>\d\d:\d\d)\s+(?P<sender><[^<>]{{0,400}}>|MAILER-DAEMON)\s*$"
)
_SENDMAIL_NEWS = lazily(
    r"\s*(?:-+Q-ID-+ +-+Size-+ |Total requests: \d|(?:MSP|MTA) Queue status\.\.\.|/\S{1,300} (?:\(\d+ requests?\)|is empty)|\S{1,300}: \(\d+ requests?\))"
)
_EXIM_ENTRY = lazily(
    r"\s{0,3}\d+[smhdw]\s+[\d.]+[KMG]?\s+[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} <[^<>]{0,400}>(?: \*\*\* frozen \*\*\*)?(?: \(\S{1,100}\))?\s*$"
)
_EXIM_RECIPIENT = lazily(r"\s+(?:\+?D\s+)?\S{1,400}\s*$")
_REASON = lazily(r"\s*(?:(?:8BITMIME|7BIT|BODY=\S+|QUARANTINE\S*)\s+)?\((?P<reason>.*?)\)?\s*$", re.DOTALL)
_RECIPIENT = lazily(r"\s+(?P<address>\S(?:.{0,500}\S)?)\s*$")

# "connect to x[ip]:25: ...", "host x[ip] said: ...", and Sendmail's "Connection timed out with x".
_POSTFIX_RELAY = lazily(
    r"(?:host (?P<host>\S{1,300}) (?:said|refused)|connect to (?P<next>\S{1,300}\[[^\]]{1,100}\](?::\d{1,5})?):"
    r"|(?:lost connection with|conversation with|server|delivery via) (?P<peer>\S{1,300}\[[^\]]{1,100}\](?::\d{1,5})?))"
)
_SENDMAIL_RELAY = lazily(
    r"(?:refused by|timed out with|(?:error|EOF|reset|connection) (?:from|by|with|to)|waiting for .{1,60} (?:from|with)) (?P<host>[\w-]+(?:\.[\w-]+)+\.?)(?= |$)"
)
_SENDMAIL_STATUS = lazily(r"(?:Deferred|Service unavailable|User unknown|Host unknown[^:]{0,100}): (?=[2-5]\d\d[ -])")
_LISTED = lazily(r"(?P<address>\S{1,400}?)(?: \((?P<reason>.*)\))?$", re.DOTALL)


class PostqueueJsonReader(Reader):
    """Reads `postqueue -j`: an object a message; arrays of them and indented ones too, as other programs pass them on."""

    format = InputFormat.POSTQUEUE_JSON

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._documents = Documents(frozenset())
        self._is_queue = False
        self._held: list[InputLine] = []
        self._given_back: list[InputLine] = []

    @property
    def is_open(self) -> bool:  # type: ignore[override]  # what is open is told by the document
        """Whether the lines so far end within a document."""
        return self._documents.is_open

    def take(self, line: InputLine) -> list[Record] | None:
        """A document is held until its first message shows that it is a queue's."""
        was_open = self.is_open
        records: list[Record] = []
        try:
            for element in self._documents.feed(line.number, line.text):
                if _is_message(element.value):
                    self._is_queue, self._held = True, []
                    records += (record._replace(last_line=line.number) for record in self._of_message(element.line, element.value))
        except NotJson:
            is_queue, self._is_queue = self._is_queue, False
            if not was_open and not is_queue:
                return None
            self._return(line)
            return records
        is_queue, self._is_queue = self._is_queue, self._is_queue and self.is_open
        if is_queue:
            return records
        if not (self.is_open or was_open):
            return None
        self._held.append(line)
        if not self.is_open:
            self._return()
        return []

    def give_back(self) -> list[InputLine]:
        """The lines of a document that is none of a queue."""
        lines, self._given_back = self._given_back, []
        return lines

    def finish(self) -> list[Record]:
        """Whatever never became a document is given back."""
        self._return()
        return []

    def _return(self, *more: InputLine) -> None:
        self._given_back += [*self._held, *more]
        self._held = []

    def _of_message(self, number: int, message: JsonObject) -> Iterator[Record]:
        queue = text_of(message.get("queue_name"))
        base = Record(
            self.source,
            number,
            self.format,
            time_of(message.get("arrival_time")),
            direction=Direction.OUTBOUND,
            queue_id=text_of(message.get("queue_id")),
            sender=_sender(message["sender"]) if isinstance(message.get("sender"), str) else None,
        )
        recipients = message["recipients"]
        for recipient in objects_in(recipients):
            yield _in_queue(base, text_of(recipient.get("address")), text_of(recipient.get("delay_reason")), _OF_QUEUE.get(queue, QUEUED))
        # Mailcow makes one string of both.
        for text in map(text_of, recipients):
            listed = _LISTED.match(text) if text else None
            if listed:
                yield _in_queue(base, listed["address"], listed["reason"] or "", _OF_QUEUE.get(queue, QUEUED))


class _Listing(Reader):
    """What the listings for people share: an entry's line, its reason, its recipients."""

    entry: re.Pattern[str]
    news: re.Pattern[str]

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._entry: Record | None = None
        self._mark = ""
        self._reason = ""

    def take(self, line: InputLine) -> list[Record] | None:
        """A recipient's line completes a record."""
        if line.stamp:
            self._close()
            return None
        text = line.text
        match = self.entry.match(text)
        if match:
            self._open(line.number, match)
            return []
        if self.news.match(text):
            self._close()
            return []
        if self._entry is None:
            return None
        if not text.strip() or not text.startswith((" ", "\t", "(")):
            self._close()
            return [] if not text.strip() else None
        reason = _REASON.match(text)
        if reason:
            self._reason = reason["reason"]
            return []
        recipient = _RECIPIENT.match(text)
        if recipient:
            base = self._entry._replace(line=line.number)
            return [_in_queue(base, recipient["address"].strip("<>"), self._reason, _OF_MARK.get(self._mark, QUEUED))]
        return []

    def _open(self, number: int, match: re.Match[str]) -> None:
        clock = match["clock"] if len(match["clock"]) > len("hh:mm") else f"{match['clock']}:00"
        self._entry = Record(
            self.source,
            number,
            self.format,
            year_inferred(match["month"], match["day"], clock, self.latest),
            direction=Direction.OUTBOUND,
            queue_id=match["id"],
            sender=_sender(match["sender"]),
        )
        self._mark, self._reason, self.is_open = match["mark"], "", True

    def _close(self) -> None:
        self._entry, self.is_open = None, False


class PostqueueReader(_Listing):
    """Reads `postqueue -p`, which is also Postfix's `mailq`."""

    format = InputFormat.POSTQUEUE
    entry = _POSTFIX_ENTRY
    news = _POSTFIX_NEWS


class MailqReader(_Listing):
    """Reads Sendmail's `mailq`; Exim's listing is passed over, since it gives no reasons."""

    format = InputFormat.MAILQ
    entry = _SENDMAIL_ENTRY
    news = _SENDMAIL_NEWS

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._is_exim = False

    def take(self, line: InputLine) -> list[Record] | None:
        """Exim's entries are taken with their recipients and give nothing."""
        if _EXIM_ENTRY.match(line.text):
            self._close()
            self._is_exim = self.is_open = True
            return []
        if self._is_exim:
            if _EXIM_RECIPIENT.match(line.text):
                return []
            self._close()
            if not line.text.strip():
                return []
        return super().take(line)

    def _close(self) -> None:
        super()._close()
        self._is_exim = False


def _is_message(value: JsonObject) -> bool:
    return (
        isinstance(value.get("queue_id"), str)
        and isinstance(value.get("recipients"), list)
        and ("queue_name" in value or "arrival_time" in value)
    )


def _in_queue(base: Record, recipient: str, reason: str, waiting: str) -> Record:
    """The record of one recipient in a queue: deferred for a reason, or waiting."""
    base = base._replace(recipient=recipient or None)
    if not reason:
        return base._replace(text=waiting)
    status = _SENDMAIL_STATUS.match(reason)
    reply = parse_reply(reason[status.end() :]) if status else quoted_reply(reason)
    relay = _POSTFIX_RELAY.search(reason) or _SENDMAIL_RELAY.search(reason)
    return base._replace(
        outcome=Outcome.DEFERRED,
        relay=next(filter(None, relay.groups()), None) if relay else None,
        phase=reply.phase,
        reply_code=reply.code,
        enhanced_code=reply.enhanced,
        text=reply.text,
    )


def _sender(address: str) -> str:
    address = address.strip("<>")
    return "" if address == "MAILER-DAEMON" else address
