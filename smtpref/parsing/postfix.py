"""Postfix: every daemon's line that tells of an outcome, and what other lines of the same queue id add to it.

Deliveries carry `status=`; refusals of clients carry `reject:`; a queue id's sender stands on the queue manager's line.
A line that only quotes a host's answer to an attempt counts when no status line of that queue id follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .deferrals import Deferrals
from .postfix_usual import REFUSED, Clock, UsualLine, quoted_reply, usual_lines
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import parse_reply, phase_of
from .stamps import LogLine

_PROGRAM = lazily(r"postfix[\w.-]*(?:/|$)")
# OpenSMTPD and qmail have an smtpd too; and a pasted line may have lost its program.
_BARE_PROGRAMS = frozenset(("", "smtp", "smtpd", "lmtp", "qmgr", "cleanup", "bounce", "postscreen", "error", "pipe", "local", "virtual"))
# The short, the long, and what people write over one before they show a log.
_QUEUE_ID = (
    r"(?:[0-9A-F]{5,24}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6,10}z[0-9A-Za-z]{3,12}|[0-9A-Za-z]{10,20}"
    r"|[Xx*]{3,24}|[\[<(](?i:redacted|removed|masked|queue.?id)[\])>])"
)

# What Postfix writes, where a log or a person left out time, host and program.
_UNSTAMPED = lazily(
    rf"(?:{_QUEUE_ID}|NOQUEUE): (?:to=(?!.{{0,2000}}, stat=)|from=|client=|uid=|message-id=|(?:milter-|proxy-)?(?:reject|discard|hold|filter|redirect)|removed$|skipped|host )"
    r"|(?:postdrop: )?(?:warning|fatal|panic): |addr \S+ listed by domain |(?:dis)?connect from |lost connection after |connect to \S+\[|statistics: "
    r"|(?:Untrusted|Trusted|Verified|Anonymous) TLS connection |(?:PREGREET|HANGUP|BARE NEWLINE|PASS|WHITELISTED|ALLOWLISTED|DNSBL|COMMAND) "
)

# The usual items in their order, or whatever else stands before the status.
_DELIVERY = lazily(
    rf"(?P<queue_id>{_QUEUE_ID}): to=(?P<recipient><(?:[^>\"]|\"(?:[^\"\\]|\\.)*\")*>|[^,]*)"
    r"(?:, relay=(?P<relay>[^,]*), delay=[\d.]*, delays=[\d./]*, dsn=(?P<dsn>[245]\.\d{1,3}\.\d{1,3}), |(?P<items>,.{0,2000}?\b))"
    r"status=(?P<status>[\w-]+)\s*(?:\((?P<text>.*))?$",
    re.DOTALL,
)
_RELAY = lazily(r", relay=([^,]*(?:\[[^\]]*\][^,]*)?),")
_DSN = lazily(r", dsn=([245]\.\d{1,3}\.\d{1,3})")
_REFUSAL = lazily(
    rf"(?:(?P<queue_id>{_QUEUE_ID}|NOQUEUE): )?(?P<what>reject|milter-reject|proxy-reject|discard|milter-discard|milter-header-reject): "
    r"(?P<command>[A-Za-z-]+)(?: (?P<header>\S.{0,2000}?))??(?: from (?P<client>\S+\[[^\]]*\](?::\d+)?|\[[^\]]*\](?::\d+)?))?(?:: |; )(?P<rest>.*)$",
    re.DOTALL,
)
# cleanup puts the client and the addresses behind what it found, which is foreign text, and its own words last.
_CONTENT = lazily(
    rf"(?P<queue_id>{_QUEUE_ID}): (?P<what>reject|discard|milter-header-reject): (?:(?:mime-|nested-)?header|body|content) .* from (?P<client>\S+); "
    r"from=<(?P<sender>[^>]*)> to=<(?P<recipient>[^>]*)>(?: proto=\S+)?(?: helo=<[^>]*>)?: (?P<words>.*)$",
    re.DOTALL,
)
_EXPIRED = lazily(rf"(?P<queue_id>{_QUEUE_ID}): from=<(?P<sender>[^>]*)>, status=(?:force-)?expired, returned to sender")
_SENDER = lazily(rf"(?P<queue_id>{_QUEUE_ID}): from=<(?P<sender>[^>]*)>")
_REMOVED = lazily(rf"(?P<queue_id>{_QUEUE_ID}): removed$")
_ATTEMPT = lazily(
    rf"(?P<queue_id>{_QUEUE_ID}): (?P<text>(?:host (?P<relay>\S+) (?:said|refused)|SASL authentication failed; server (?P<server>\S+) said"
    r"|lost connection with|conversation with).*)$",
    re.DOTALL,
)
# A message that a program of this machine handed over and that was not taken.
_SUBMISSION = lazily(r"warning: uid=\d{1,10}: (?P<text>.{1,300})$")
_DETAILS = lazily(r"[;,] (?:from=<|to=<|proto=|helo=<)")
_DETAIL_SENDER = lazily(r"[;,]? from=<([^>]*)>")
_DETAIL_RECIPIENT = lazily(r"[;,]? to=<([^>]*)>")


class PostfixReader(Reader):
    """Reads the lines of Postfix's daemons."""

    format = InputFormat.POSTFIX
    is_of_server = True
    is_of_lines = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._senders: Remembered[str] = Remembered()
        self._attempts: Remembered[Record] = Remembered()
        self._deferred = Deferrals()
        self._clock = Clock(latest)
        self._block = b""
        self._text = ""

    def take(self, line: InputLine) -> list[Record] | None:
        """A Postfix program's lines are this reader's even where they hold no outcome."""
        stamp = line.stamp or LogLine(None, None, "", line.text)
        message = stamp.message
        if not (_PROGRAM.match(stamp.program) or (stamp.program in _BARE_PROGRAMS and _UNSTAMPED.match(message))):
            return None
        if "status=" in message:
            return self._delivery(message, line.number, stamp)
        base = Record(self.source, line.number, self.format, stamp.time, stamp.host)
        if "reject: " in message or "discard: " in message:
            return list(self._refusal(message, base))
        submission = _SUBMISSION.search(message)
        if submission:
            return [base._replace(direction=Direction.INBOUND, outcome=Outcome.REJECTED, text=submission["text"])]
        self._remember(message, base)
        return []

    def skim(self, found: list[UsualLine] | None, block: bytes, start: int, end: int, number: int) -> tuple[int, int]:
        """Read the usual lines, of which a busy server's log has little else."""
        if block is not self._block:
            # Every byte a character: what is not ASCII is not usual.
            self._block, self._text = block, block.decode("latin-1")
        text = self._text
        deferred, attempts, time_of = self._deferred, self._attempts, self._clock.time
        # Most messages come and go within a block.
        senders: dict[str, str] = {}
        counted = place = start
        for match in usual_lines().finditer(text, start, end):
            kind = match.lastgroup
            if kind == "sender":
                queue_id, sender = match.group("queue_id", "sender")
                senders[queue_id] = sender
                continue
            if kind == "removed":
                queue_id = match["queue_id"]
                senders.pop(queue_id, None)
                self._forget(queue_id)
                continue
            if kind == "other":
                place = match.end()
                break
            if found is None and (kind == "refused" or not (attempts or match["status"] == "deferred" or match["queue_id"] in deferred)):
                # Nothing of it is kept but that it was there.
                self.has_passed_over = True
                continue
            stamp, host, queue_id, _, recipient, relay, dsn, status, reply, _, command, client, words, of, refused, _ = match.groups()
            number += text.count("\n", counted, match.end())
            counted = match.end()
            if status:
                if attempts or queue_id in deferred:
                    self._settle(queue_id, recipient)
                sender = senders[queue_id] if queue_id in senders else self._senders.get(queue_id)
                usual = UsualLine(
                    number - 1, time_of(stamp), host, queue_id, sender, recipient, relay, None, dsn, status, reply.removesuffix(")")
                )
                if status == "deferred":
                    deferred.keep(usual)
            else:
                usual = UsualLine(number - 1, time_of(stamp), host, None, of, refused, None, client, None, f"{REFUSED}{command}", words)
            if found is not None:
                found.append(usual)
            self.has_passed_over = self.has_passed_over or found is None
        self._senders.update(senders)
        return place, number + text.count("\n", counted, place)

    def finish(self) -> list[Record]:
        """The attempts that no status line followed."""
        attempts, self._attempts = self._attempts, Remembered()
        return list(attempts.values())

    def _delivery(self, message: str, number: int, stamp: LogLine) -> list[Record]:
        match = _DELIVERY.match(message)
        if not match:
            return self._expiry(message, Record(self.source, number, self.format, stamp.time, stamp.host))
        queue_id, recipient, relay, dsn, items, status, text = match.groups()
        if items:
            relay, dsn = _item(_RELAY, items), _item(_DSN, items)
        recipient = _address(recipient)
        text = (text or "").strip().removesuffix(")")
        self._settle(queue_id, recipient)
        usual = UsualLine(number, stamp.time, stamp.host, queue_id, self._senders.get(queue_id), recipient, relay, None, dsn, status, text)
        record = usual.record(self.source)
        if record.outcome is Outcome.DEFERRED:
            self._deferred.keep(usual)
        return [record]

    def _settle(self, queue_id: str, recipient: str) -> None:
        """Forget what was said of a recipient before, now that a status line tells it."""
        if self._attempts:
            self._attempts.pop(queue_id, None)
        self._deferred.settle(queue_id, recipient)

    def _expiry(self, message: str, base: Record) -> list[Record]:
        match = _EXPIRED.match(message)
        if not match:
            return []
        alone = base._replace(direction=Direction.OUTBOUND, queue_id=match["queue_id"], text="returned to sender")
        # The line names no recipient and no cause: those of the last attempts are what expired.
        last = [usual.record(self.source) for usual in self._deferred.take(match["queue_id"])] or [alone]
        told = base._replace(outcome=Outcome.EXPIRED, sender=match["sender"])
        return [
            record._replace(line=told.line, time=told.time, host=told.host, outcome=told.outcome, sender=told.sender) for record in last
        ]

    def _refusal(self, message: str, base: Record) -> Iterator[Record]:
        content = _CONTENT.match(message)
        if content:
            reply = parse_reply(content["words"])
            yield base._replace(
                direction=Direction.INBOUND,
                outcome=Outcome.DISCARDED if content["what"] == "discard" else Outcome.REJECTED,
                queue_id=content["queue_id"],
                sender=content["sender"],
                recipient=content["recipient"],
                client=None if content["client"] == "local" else content["client"],
                phase=Phase.END_OF_DATA,
                reply_code=reply.code,
                enhanced_code=reply.enhanced,
                text=reply.text,
            )
            return
        match = _REFUSAL.match(message)
        if not match:
            return
        rest = match["rest"]
        details = _DETAILS.search(rest)
        words = rest[: details.start()] if details else rest
        where = rest[details.start() :] if details else rest
        sender, recipient = _DETAIL_SENDER.search(" " + where), _DETAIL_RECIPIENT.search(" " + where)
        queue_id = match["queue_id"] if match["queue_id"] != "NOQUEUE" else None
        reply = parse_reply(words)
        yield base._replace(
            direction=Direction.INBOUND,
            outcome=Outcome.DISCARDED if "discard" in match["what"] else Outcome.REJECTED,
            queue_id=queue_id,
            sender=sender[1] if sender else self._senders.get(queue_id or ""),
            recipient=recipient[1] if recipient else None,
            client=match["client"],
            phase=phase_of(match["command"]),
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
        )

    def _remember(self, message: str, base: Record) -> None:
        match = _SENDER.match(message)
        if match:
            self._senders[match["queue_id"]] = match["sender"]
            return
        match = _REMOVED.match(message)
        if match:
            self._forget(match["queue_id"])
            return
        match = _ATTEMPT.match(message)
        if match:
            reply = quoted_reply(match["text"])
            record = base._replace(
                direction=Direction.OUTBOUND,
                queue_id=match["queue_id"],
                sender=self._senders.get(match["queue_id"]),
                relay=match["relay"] or match["server"],
                phase=reply.phase,
                reply_code=reply.code,
                enhanced_code=reply.enhanced,
                text=reply.text,
            )
            self._attempts[match["queue_id"]] = record

    def _forget(self, queue_id: str) -> None:
        self._senders.pop(queue_id, None)
        self._deferred.forget(queue_id)


def _item(pattern: re.Pattern[str], items: str) -> str | None:
    match = pattern.search(items)
    return match[1] if match else None


def _address(text: str) -> str:
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text
