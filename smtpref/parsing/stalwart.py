"""Stalwart: log lines of the form `LEVEL Description (event.name) key = value, ...`, and the same events as its web hooks send them.

The first keys are those of the message (queueId, from, to = [...]), the later ones the event's own: of two equal keys the last holds.
Strings are quoted without escapes, a value may be a list or an event of its own, `Words (event.name) { key = value }`.
An answer stands on its event's line (`delivery.rcpt-to-rejected`); the notification that follows (`delivery.dsn-perm-fail`) counts where it
says something else, or where nothing was said before. Refusals of clients (`smtp.*`) are read by Stalwart's list of events alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .facts import addresses_of, enhanced_of, name_of, text_of, time_of
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply, phase_of

MAX_LINE = 1 << 16
MAX_WAITING = 100
"""Look-ups of one message that wait for what comes of them."""

_COLOUR = lazily(r"\x1b\[[0-9;]{0,12}m")
_CONTAINER = lazily(r"[\w.-]{1,60}\s*\|\s+")
_LINE = lazily(
    r"(?:(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))\s+)?(?:TRACE|DEBUG|INFO|WARN|ERROR)\s+"
    r"(?P<title>[^()]{1,120}) \((?P<event>[a-z0-9-]{2,40}\.[a-z0-9-]{2,60})\)\s?(?P<values>.*)$",
    re.DOTALL,
)
_EVENT = lazily(r"[a-z0-9-]{2,40}\.[a-z0-9-]{2,60}")
_KEY = lazily(r"(?:^|, |\{ )(?P<key>[a-z][A-Za-z0-9]{0,40}) = ")
_NESTED = lazily(r"(?P<title>[^(){}\"]{1,120}) \([a-z0-9.-]{3,100}\) \{ (?P<values>.*?) ?\}?$", re.DOTALL)
_ANSWER = lazily(
    r"(?:Unexpected response for (?P<command>[^:]{1,60})(?::<[^>]{0,320}>)?: )?Code: (?P<code>\d{3})"
    r"(?:, Enhanced code: (?P<enhanced>[\d.]{5,11}))?(?:, Message: (?P<text>.*))?$",
    re.DOTALL,
)

# What Stalwart calls any failure of a socket or look-up; the words after it say which.
_LABEL = lazily(r"\b(?:I/O|Connection) Error: (?=\S)", re.IGNORECASE)

_SETTLED = {
    "delivery.delivered": (Outcome.DELIVERED, Phase.END_OF_DATA),
    "delivery.dsn-success": (Outcome.DELIVERED, None),
    "delivery.dsn-temp-fail": (Outcome.DEFERRED, None),
    "delivery.dsn-perm-fail": (Outcome.BOUNCED, None),
    "delivery.double-bounce": (Outcome.DISCARDED, None),
}
_REFUSED = {
    "delivery.greeting-failed": Phase.CONNECT,
    "delivery.ehlo-rejected": Phase.EHLO,
    "delivery.lhlo-rejected": Phase.EHLO,
    "delivery.auth-failed": Phase.AUTH,
    "delivery.mail-from-rejected": Phase.MAIL,
    "delivery.rcpt-to-rejected": Phase.RCPT,
    "delivery.rcpt-to-failed": Phase.RCPT,
    "delivery.message-rejected": Phase.END_OF_DATA,
    "delivery.start-tls-error": Phase.STARTTLS,
}
"""Answers of the peer; a 4yz code puts the message off, whatever the event's name says."""

_ATTEMPTS = frozenset(
    ("delivery.connect-error", "delivery.implicit-tls-error", "delivery.rate-limit-exceeded", "delivery.concurrency-limit-exceeded")
)
_LOOK_UPS = frozenset(("delivery.mx-lookup-failed", "delivery.null-mx", "delivery.ip-lookup-failed"))
"""They count where nothing else is said of the message before its next attempt."""

_ENDS = frozenset(("queue.rescheduled", "delivery.attempt-end", "delivery.completed"))
_INBOUND = {
    "smtp.mailbox-does-not-exist": Phase.RCPT,
    "smtp.relay-not-allowed": Phase.RCPT,
    "smtp.rcpt-to-greylisted": Phase.RCPT,
    "smtp.too-many-recipients": Phase.RCPT,
    "smtp.mail-from-unauthenticated": Phase.MAIL,
    "smtp.mail-from-unauthorized": Phase.MAIL,
    "smtp.mail-from-not-allowed": Phase.MAIL,
    "smtp.message-too-large": Phase.END_OF_DATA,
    "smtp.loop-detected": Phase.END_OF_DATA,
    "smtp.rate-limit-exceeded": None,
    "smtp.concurrency-limit-exceeded": None,
}

Values = Mapping[str, Any]


class StalwartReader(Reader):
    """Reads Stalwart's log lines."""

    format = InputFormat.STALWART

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._told: Remembered[Outcome | None] = Remembered()
        """What was said last of a message and recipient."""
        self._looked_up: Remembered[list[Record]] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """A line with an event's name in brackets is this reader's, whatever the event."""
        match = _event_line(line)
        if not match:
            return None
        values = _values(match["values"][:MAX_LINE])
        stamp = line.stamp
        time = time_of(match["time"]) or (stamp.time if stamp else None)
        base = Record(self.source, line.number, self.format, time, stamp.host if stamp else None)
        queue_id = name_of(values.get("queueId")) or ""
        records = list(event_records(match["event"], match["title"], values, base))
        waiting = self._looked_up.pop(queue_id, [])
        if match["event"] in _LOOK_UPS:
            waiting, records = [*waiting[:MAX_WAITING], *records], []
        told = {record.recipient for record in records}
        waiting = [record for record in waiting if record.recipient not in told]
        if match["event"] in _ENDS:
            records = waiting
        elif waiting:
            self._looked_up[queue_id] = waiting
        return [record for record in records if self._is_news(match["event"], record)]

    def finish(self) -> list[Record]:
        """What was looked up in vain, where the log ends before it says what came of it."""
        looked_up, self._looked_up = self._looked_up, Remembered()
        return [record for records in looked_up.values() for record in records]

    def _is_news(self, event: str, record: Record) -> bool:
        key = f"{record.queue_id} {record.recipient}"
        is_repeated = event.startswith("delivery.dsn-") and self._told.get(key) is record.outcome
        self._told[key] = record.outcome
        return not is_repeated


def owns_event(event: Mapping[str, Any]) -> bool:
    """Whether a JSON object is an event of a Stalwart web hook."""
    kind = event.get("type")
    return isinstance(kind, str) and _EVENT.fullmatch(kind) is not None and isinstance(event.get("data"), dict) and "createdAt" in event


def hook_records(event: Mapping[str, Any], base: Record) -> Iterator[Record]:
    """The records of a web hook's event."""
    base = base._replace(time=time_of(event.get("createdAt")), direction=None)
    yield from event_records(event["type"], event["type"].partition(".")[2].replace("-", " "), event["data"], base)


def event_records(event: str, title: str, values: Values, base: Record) -> Iterator[Record]:
    """The records of an event, one for each recipient; most events are none."""
    phase: Phase | None
    if event in _SETTLED:
        outcome, phase = _SETTLED[event]
    elif event in _REFUSED:
        outcome, phase = None, _REFUSED[event]
    elif event in _ATTEMPTS or event in _LOOK_UPS:
        outcome, phase = (Outcome.BOUNCED if event == "delivery.null-mx" else Outcome.DEFERRED), None
    elif event in _INBOUND:
        yield from _inbound(title, values, base._replace(phase=_INBOUND[event]))
        return
    else:
        return
    reply = _reply(values, title)
    if event in _ATTEMPTS and not reply.code and reply.text != title.strip():
        reply = reply._replace(text=f"{title.strip()}: {reply.text}")
    if outcome is None:
        outcome = Outcome.BOUNCED if reply.code and reply.code.permanent else Outcome.DEFERRED
    base = base._replace(
        direction=Direction.OUTBOUND,
        outcome=outcome,
        queue_id=name_of(values.get("queueId")),
        sender=_sender(values.get("from")),
        relay=text_of(values.get("hostname")) or None,
        phase=reply.phase or phase,
        reply_code=reply.code,
        enhanced_code=reply.enhanced,
        text=reply.text,
    )
    yield from _for_each(_concerned(values), base)


def _concerned(values: Values) -> list[str]:
    """The recipients that an event speaks of: those of the domain that it names, where it names one."""
    recipients = addresses_of(values.get("to"))
    domain = text_of(values.get("domain")).lower()
    return [address for address in recipients if domain and address.lower().endswith(f"@{domain}")] or recipients


def _inbound(title: str, values: Values, base: Record) -> Iterator[Record]:
    details = text_of(values.get("details"))
    base = base._replace(
        direction=Direction.INBOUND,
        outcome=Outcome.REJECTED,
        queue_id=name_of(values.get("queueId")),
        sender=_sender(values.get("from")),
        client=text_of(values.get("remoteIp")) or None,
        text=f"{title.strip()}: {details}" if details else title.strip(),
    )
    yield from _for_each(addresses_of(values.get("to")), base)


def _for_each(recipients: list[str], base: Record) -> Iterator[Record]:
    if not recipients:
        yield base
    for recipient in recipients:
        yield base._replace(recipient=recipient)


def _event_line(line: InputLine) -> re.Match[str] | None:
    text = _COLOUR.sub("", line.text[: MAX_LINE * 2]) if "\x1b" in line.text else line.text
    match = _LINE.match(text) or _LINE.match(_CONTAINER.sub("", text, count=1))
    if match or not line.stamp or not line.stamp.program.startswith("stalwart"):
        return match
    return _LINE.match(_COLOUR.sub("", line.stamp.message[: MAX_LINE * 2]))


def _values(text: str) -> dict[str, Any]:
    """The keys and values of a line; of equal keys the last holds.

    A value ends before the next key, unless its own quote, bracket or brace is still open there.
    """
    values: dict[str, Any] = {}
    matches = [match for match in _KEY.finditer(text) if not match[0].startswith("{")]
    position = 0
    while position < len(matches):
        start = matches[position]
        position += 1
        while position < len(matches) and _is_open(text, start.end(), matches[position].start()):
            position += 1
        end = matches[position].start() if position < len(matches) else len(text)
        values[start["key"]] = _value(text[start.end() : end].strip())
    return values


def _is_open(text: str, start: int, end: int) -> bool:
    """Whether the value between the two places has begun something that it has not ended."""
    first = text[start]
    if first == '"':
        return end - start < 2 or text[end - 1] != '"'
    if first == "[":
        return text[end - 1] != "]"
    return text[end - 1] != "}" and text.find(" { ", start, min(end, start + 300)) != -1


def _value(text: str) -> Any:
    if text[:1] == '"':
        return text[1:].removesuffix('"')
    if text[:1] == "[":
        return [item.strip().strip('"') for item in text[1:].removesuffix("]").split(",")]
    return text


def _reply(values: Values, title: str) -> Reply:
    """The reply by its code and details, or within the words of a notification; else the event's own words."""
    details = values.get("details")
    details = " ".join(part for part in details if isinstance(part, str)) if isinstance(details, list) else details
    text = _words(details) or _words(values.get("causedBy")) or text_of(values.get("reason")) or title.strip()
    code = str(values.get("code", ""))
    if re.fullmatch(r"[2-5]\d\d", code):
        return parse_reply(f"{code} {text}" if values.get("details") else code)
    answer = _ANSWER.match(text)
    if not answer:
        return Reply(None, None, _LABEL.sub("", text), None)
    enhanced = enhanced_of(answer["enhanced"])
    command = answer["command"]
    reply = parse_reply(f"{answer['code']} {answer['text'] or ''}", phase_of(command) if command else None)
    return reply._replace(enhanced=enhanced or reply.enhanced)


def _words(value: object) -> str:
    """The words of a value, and of an event inside it its title's details and reason."""
    if isinstance(value, dict):
        inner: Values = value
    else:
        text = text_of(value)
        nested = _NESTED.match(text)
        if not nested:
            return text
        inner = _values(nested["values"])
    return ": ".join(text for text in (text_of(inner.get("details")), text_of(inner.get("reason"))) if text)


def _sender(value: object) -> str | None:
    text = text_of(value)
    return text.strip("<>") if text else "" if value == "" else None
