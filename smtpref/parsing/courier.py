"""Courier: deliveries (`courieresmtp`, `courierlocal`) and refusals of clients (`courieresmtpd: error,...`), in syslog.

A delivery takes several lines of the same `id=` and `addr=`: the lines of the reply, `success: ...` with the host, and `status: ...`;
they give one record, at the line that says how it ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply, phase_of
from .stamps import LogLine

MAX_REPLY_LINES = 50

_PROGRAM = lazily(r"(?:\S*/)?courier(?P<module>[\w-]*)$")
_ID = r"[0-9A-F]{4,20}\.[0-9A-F]{4,20}\.[0-9A-F]{4,20}"
_DELIVERY = lazily(
    rf"id=(?P<queue_id>{_ID}),from=<(?P<sender>[^<>]{{0,500}})>,addr=<(?P<recipient>[^<>]{{0,500}})>(?:,size=\d{{1,20}})?"
    r"(?:,(?P<kind>success|failure|deferred|status): ?|: ?)(?P<text>.*)$",
    re.DOTALL,
)
_DELIVERED_TO = lazily(r"delivered: (?P<relay>\S{1,255}(?: \[[^\[\]\s]{1,60}\])?)")
_REFUSAL = lazily(
    r"error,relay=(?P<client>[^,\s]{1,255}?)(?:,port=\d{1,5})?(?:,ident=[^,]{0,100})?"
    r"(?:,from=<(?P<sender>[^<>]{0,500})>)?(?:,to=<(?P<recipient>[^<>]{0,500})>)?"
    r"(?:,msg=\"(?P<message>.*)\",cmd: ?(?P<command>.*)|: (?P<text>.*))$",
    re.DOTALL,
)
_WITH_CODE = lazily(r"[2-5]\d\d(?:[ -]|$)")
_GOES_ON = lazily(r"[2-5]\d\d-")

_OUTCOMES = {"success": Outcome.DELIVERED, "failure": Outcome.BOUNCED, "deferred": Outcome.DEFERRED}
# The module that writes bounce messages reports on those, not on a delivery.
_NO_DELIVERIES = frozenset(("dsn",))


class _Attempt(NamedTuple):
    """What was said of one recipient so far."""

    first: Record
    """At the first line of the reply; it is the record where no other line comes."""
    lines: tuple[str, ...]
    is_told: bool
    """A record was given already: the `status:` line only repeats it."""


class CourierReader(Reader):
    """Reads the lines of Courier."""

    format = InputFormat.COURIER
    is_of_server = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._attempts: Remembered[_Attempt] = Remembered()
        # A reply of several lines to a client, each on a line of its own.
        self._refusal: Record | None = None
        self._refusal_lines: list[str] = []

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of Courier is this reader's even where it holds no outcome."""
        stamp = line.stamp or LogLine(None, None, "", line.text)
        program = _PROGRAM.match(stamp.program)
        delivery = _DELIVERY.match(stamp.message)
        if not (program or delivery):
            return None
        base = Record(self.source, line.number, self.format, stamp.time, stamp.host)
        if delivery:
            is_of_notices = bool(program and program["module"] in _NO_DELIVERIES)
            return [*self.pause(), *([] if is_of_notices else self._delivery(delivery, base))]
        refusal = _REFUSAL.match(stamp.message)
        return self._refused(refusal, base) if refusal else self.pause()

    def pause(self) -> list[Record]:
        """The refusal whose reply may have had more lines."""
        record, lines = self._refusal, self._refusal_lines
        self._refusal, self._refusal_lines = None, []
        return [_with_reply(record, _reply(lines))] if record else []

    def finish(self) -> list[Record]:
        """What waited, and the replies that no `status:` followed."""
        attempts, self._attempts = self._attempts, Remembered()
        replies = (_with_reply(attempt.first, _reply(attempt.lines)) for attempt in attempts.values() if not attempt.is_told)
        return [*self.pause(), *replies]

    def _delivery(self, match: re.Match[str], base: Record) -> Iterator[Record]:
        key = f"{match['queue_id']} {match['recipient']}"
        text, kind = match["text"].strip(), match["kind"]
        record = base._replace(
            direction=Direction.OUTBOUND, queue_id=match["queue_id"], sender=match["sender"], recipient=match["recipient"] or None
        )
        before = self._attempts.get(key)
        if kind is None:
            goes_on = before and not before.is_told
            lines = (*before.lines, text)[:MAX_REPLY_LINES] if before and goes_on else (text,)
            self._attempts[key] = _Attempt(before.first if before and goes_on else record, lines, is_told=False)
            return
        outcome = _OUTCOMES.get(text.lower() if kind == "status" else kind)
        if outcome is None:
            return
        if kind == "status" and before and before.is_told:
            del self._attempts[key]
            return
        said = before.lines if before and not before.is_told else ()
        words = text if kind != "status" else ""
        delivered = _DELIVERED_TO.match(words)
        reply = _reply(said or (words,))
        yield _with_reply(record._replace(outcome=outcome, relay=delivered["relay"] if delivered else None), reply)
        if kind == "status":
            self._attempts.pop(key, None)
        else:
            self._attempts[key] = _Attempt(record, (), is_told=True)

    def _refused(self, match: re.Match[str], base: Record) -> list[Record]:
        words = match["message"] if match["message"] is not None else match["text"]
        record = base._replace(
            direction=Direction.INBOUND,
            outcome=Outcome.REJECTED,
            sender=match["sender"],
            recipient=match["recipient"] or None,
            client=match["client"],
            phase=_phase(match),
        )
        if not _WITH_CODE.match(words):
            return self.pause()
        waiting = self._refusal
        is_same = (
            waiting is not None
            and _GOES_ON.match(self._refusal_lines[-1])
            and self._refusal_lines[-1][:3] == words[:3]
            and (waiting.client, waiting.sender, waiting.recipient) == (record.client, record.sender, record.recipient)
            and len(self._refusal_lines) < MAX_REPLY_LINES
        )
        completed = [] if is_same else self.pause()
        self._refusal = waiting if is_same else record
        self._refusal_lines.append(words)
        return completed if _GOES_ON.match(words) else [*completed, *self.pause()]


def _phase(match: re.Match[str]) -> Phase | None:
    if match["recipient"] is not None:
        return Phase.RCPT
    if match["sender"] is not None:
        return Phase.MAIL
    # "AUTH PLAIN AAAA", or the answer to a challenge
    command = (match["command"] or "").split(maxsplit=1)
    return (phase_of(command[0]) if command else None) or (Phase.AUTH if (match["message"] or "").startswith("535") else None)


def _reply(lines: list[str] | tuple[str, ...]) -> Reply:
    text = " ".join(lines)
    return parse_reply(text) if _WITH_CODE.match(text) else Reply(None, None, " ".join(text.split()), None)


def _with_reply(record: Record, reply: Reply) -> Record:
    return record._replace(
        phase=record.phase or reply.phase,
        reply_code=reply.code,
        enhanced_code=reply.enhanced,
        text=reply.text,
    )
