"""Postfix: every daemon's line that tells of an outcome, and what other lines of the same queue id add to it.

Deliveries carry `status=`; refusals of clients carry `reject:`; a queue id's sender stands on the queue manager's line.
A line that only quotes a host's answer to an attempt counts when no status line of that queue id follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache, partial

from ..model import ENHANCED_CODE, Direction, InputFormat, Outcome, Phase, Record
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, enhanced_code, find_reply, parse_reply, phase_of
from .stamps import LogLine, split_stamp

_PROGRAM = re.compile(r"postfix[\w.-]*(?:/|$)")
# OpenSMTPD and qmail have an smtpd too; and a pasted line may have lost its program.
_BARE_PROGRAMS = frozenset(("", "smtp", "smtpd", "lmtp", "qmgr", "cleanup", "bounce", "postscreen", "error", "pipe", "local", "virtual"))
# The short, the long, and what people write over one before they show a log.
_QUEUE_ID = (
    r"(?:[0-9A-F]{5,24}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6,10}z[0-9A-Za-z]{3,12}|[0-9A-Za-z]{10,20}"
    r"|[Xx*]{3,24}|[\[<(](?i:redacted|removed|masked|queue.?id)[\])>])"
)

# What Postfix writes, where a log or a person left out time, host and program.
_UNSTAMPED = re.compile(
    rf"(?:{_QUEUE_ID}|NOQUEUE): (?:to=(?!.{{0,2000}}, stat=)|from=|client=|uid=|message-id=|(?:milter-|proxy-)?(?:reject|discard|hold|filter|redirect)|removed$|skipped|host )"
    r"|(?:postdrop: )?(?:warning|fatal|panic): |addr \S+ listed by domain |(?:dis)?connect from |lost connection after |connect to \S+\[|statistics: "
    r"|(?:Untrusted|Trusted|Verified|Anonymous) TLS connection |(?:PREGREET|HANGUP|BARE NEWLINE|PASS|WHITELISTED|ALLOWLISTED|DNSBL|COMMAND) "
)

# The usual items in their order, or whatever else stands before the status.
_DELIVERY = re.compile(
    rf"(?P<queue_id>{_QUEUE_ID}): to=(?P<recipient><(?:[^>\"]|\"(?:[^\"\\]|\\.)*\")*>|[^,]*)"
    r"(?:, relay=(?P<relay>[^,]*), delay=[\d.]*, delays=[\d./]*, dsn=(?P<dsn>[245]\.\d{1,3}\.\d{1,3}), |(?P<items>,.{0,2000}?\b))"
    r"status=(?P<status>[\w-]+)\s*(?:\((?P<text>.*))?$",
    re.DOTALL,
)
_RELAY = re.compile(r", relay=([^,]*(?:\[[^\]]*\][^,]*)?),")
_DSN = re.compile(r", dsn=([245]\.\d{1,3}\.\d{1,3})")
_REFUSAL = re.compile(
    rf"(?:(?P<queue_id>{_QUEUE_ID}|NOQUEUE): )?(?P<what>reject|milter-reject|proxy-reject|discard|milter-discard|milter-header-reject): "
    r"(?P<command>[A-Za-z-]+)(?: (?P<header>\S.{0,2000}?))??(?: from (?P<client>\S+\[[^\]]*\](?::\d+)?|\[[^\]]*\](?::\d+)?))?(?:: |; )(?P<rest>.*)$",
    re.DOTALL,
)
# cleanup puts the client and the addresses behind what it found, which is foreign text, and its own words last.
_CONTENT = re.compile(
    rf"(?P<queue_id>{_QUEUE_ID}): (?P<what>reject|discard|milter-header-reject): (?:(?:mime-|nested-)?header|body|content) .* from (?P<client>\S+); "
    r"from=<(?P<sender>[^>]*)> to=<(?P<recipient>[^>]*)>(?: proto=\S+)?(?: helo=<[^>]*>)?: (?P<words>.*)$",
    re.DOTALL,
)
_EXPIRED = re.compile(rf"(?P<queue_id>{_QUEUE_ID}): from=<(?P<sender>[^>]*)>, status=(?:force-)?expired, returned to sender")
_SENDER = re.compile(rf"(?P<queue_id>{_QUEUE_ID}): from=<(?P<sender>[^>]*)>")
_REMOVED = re.compile(rf"(?P<queue_id>{_QUEUE_ID}): removed$")
_ATTEMPT = re.compile(
    rf"(?P<queue_id>{_QUEUE_ID}): (?P<text>(?:host (?P<relay>\S+) (?:said|refused)|SASL authentication failed; server (?P<server>\S+) said"
    r"|lost connection with|conversation with).*)$",
    re.DOTALL,
)
_CODE = re.compile(r"\d{3}[ -]")
# A message that a program of this machine handed over and that was not taken.
_SUBMISSION = re.compile(r"warning: uid=\d{1,10}: (?P<text>.{1,300})$")
_DETAILS = re.compile(r"[;,] (?:from=<|to=<|proto=|helo=<)")
_DETAIL_SENDER = re.compile(r"[;,]? from=<([^>]*)>")
_DETAIL_RECIPIENT = re.compile(r"[;,]? to=<([^>]*)>")

_OUTCOMES = {
    "sent": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "softbounce": Outcome.DEFERRED,
    "bounced": Outcome.BOUNCED,
    "expired": Outcome.EXPIRED,
    "force-expired": Outcome.EXPIRED,
    # Address probes (RFC 3461 has no word for them) touch no message: deliverable, undeliverable, undeliverable-but-not-cached.
}


# Most lines of a busy server's log, as its syslog writes them: those that tell of no outcome, a sender's coming and going, deliveries.
_USUAL = (
    rb"(?:(?P<quiet>(?:%(stamp)s%(tag)s(?:connect from |disconnect from |%(id)s: (?:client=|message-id=)|statistics: "
    rb"|(?:Anonymous|Untrusted|Trusted|Verified) TLS )[^\n]*+\n)++)"
    rb"|(?P<time>%(stamp)s)(?P<host>[\w.-]{1,255}) postfix[\w.-]*/[\w/-]{1,80}\[\d+\]: (?P<queue_id>%(id)s): (?:(?P<removed>removed)"
    rb"|from=<(?P<sender>[!-=?-~]*)>, size=\d+, nrcpt=\d+ \(queue active\)"
    rb"|to=<(?P<recipient>[!#-=?-~]*)>, relay=(?P<relay>[!-+\--~]*), delay=[\d.]*, delays=[\d./]*, dsn=(?P<dsn>[245]\.\d{1,3}\.\d{1,3}),"
    rb" status=(?P<status>sent|deferred|bounced) \((?P<text>[ -~]*))\n)"
) % {
    b"stamp": rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ",
    b"tag": rb"[\w.-]{1,255} postfix[\w.-]*/[\w/-]{1,80}\[\d+\]: ",
    b"id": _QUEUE_ID.encode(),
}


_Items = tuple[str, str, str | None, str | None, str, str | None]
"""Queue id, recipient, relay, dsn, status and what stands in parentheses."""


class PostfixReader(Reader):
    """Reads the lines of Postfix's daemons."""

    format = InputFormat.POSTFIX
    is_of_lines = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._senders: Remembered[str] = Remembered()
        self._attempts: Remembered[Record] = Remembered()
        self._deferred: Remembered[dict[str, Record]] = Remembered()
        self._time_of = lru_cache(maxsize=1024)(partial(_time, latest))

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

    def skim(self, found: list[Record] | None, block: bytes, start: int, end: int, number: int) -> tuple[int, int]:
        """Read the usual lines, of which a busy server's log has little else."""
        usual = _usual_lines()
        match = usual.match(block, start, end)
        while match:
            kind = match.lastgroup
            if kind == "quiet":
                number += block.count(b"\n", start, match.end())
            else:
                if kind == "text":
                    self._usual_delivery(match, number, found)
                elif kind == "sender":
                    self._senders[match["queue_id"].decode()] = match["sender"].decode()
                else:
                    self._forget(match["queue_id"].decode())
                number += 1
            start = match.end()
            match = usual.match(block, start, end)
        return start, number

    def _usual_delivery(self, match: re.Match[bytes], number: int, found: list[Record] | None) -> None:
        if found is None and match["status"] != b"deferred":
            # Nothing of it is kept but that nothing more is expected.
            self.has_passed_over = True
            if self._attempts or self._deferred:
                self._settle(match["queue_id"].decode(), match["recipient"].decode())
            return
        _, stamp, host, queue_id, _, _, recipient, relay, dsn, status, text = [group.decode() if group else "" for group in match.groups()]
        record = self._delivered(number, self._time_of(stamp), host, (queue_id, recipient, relay, dsn, status, text))
        if found is not None:
            found.append(record)

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
        return [self._delivered(number, stamp.time, stamp.host, (queue_id, _address(recipient), relay, dsn, status, text))]

    def _delivered(self, number: int, time: str | None, host: str | None, items: _Items) -> Record:
        """The record of a status line."""
        queue_id, recipient, relay, dsn, status, text = items
        self._settle(queue_id, recipient)
        reply = quoted_reply((text or "").strip().removesuffix(")"))
        outcome = _OUTCOMES.get(status.lower())
        record = Record(
            source=self.source,
            line=number,
            format=self.format,
            time=time,
            host=host,
            direction=Direction.OUTBOUND,
            outcome=outcome,
            queue_id=queue_id,
            sender=self._senders.get(queue_id),
            recipient=recipient,
            relay=relay if relay != "none" else None,
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced or (enhanced_code(dsn) if dsn and _is_enhanced(dsn) else None),
            text=reply.text,
        )
        if outcome is Outcome.DEFERRED:
            # What was said last, for the line that will say that it expired.
            self._deferred[queue_id] = {**self._deferred.get(queue_id, {}), recipient: record}
        return record

    def _settle(self, queue_id: str, recipient: str) -> None:
        """Forget what was said of a recipient before, now that a status line tells it."""
        if self._attempts:
            self._attempts.pop(queue_id, None)
        deferred = self._deferred.get(queue_id)
        if deferred:
            deferred.pop(recipient, None)
            if not deferred:
                del self._deferred[queue_id]

    def _expiry(self, message: str, base: Record) -> list[Record]:
        match = _EXPIRED.match(message)
        if not match:
            return []
        alone = base._replace(direction=Direction.OUTBOUND, queue_id=match["queue_id"], text="returned to sender")
        # The line names no recipient and no cause: those of the last attempts are what expired.
        last = self._deferred.pop(match["queue_id"], {"": alone})
        told = base._replace(outcome=Outcome.EXPIRED, sender=match["sender"])
        return [
            record._replace(line=told.line, time=told.time, host=told.host, outcome=told.outcome, sender=told.sender)
            for record in last.values()
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
        self._deferred.pop(queue_id, None)


@cache
def _usual_lines() -> re.Pattern[bytes]:
    """Compiled when a log is read, not at every start."""
    return re.compile(_USUAL)


def _time(latest: datetime, stamp: str) -> str | None:
    parsed = split_stamp(f"{stamp}host program[1]: ", latest)
    return parsed.time if parsed else None


def quoted_reply(text: str) -> Reply:
    """The reply in a delivery's parentheses, or Postfix's own words, which carry no reply code of anybody."""
    if _CODE.match(text) or " said: " in text or " refused to talk to me: " in text:
        return find_reply(text) or Reply(None, None, text, None)
    return Reply(None, None, " ".join(text.split()), None)


def _is_enhanced(text: str) -> bool:
    return bool(ENHANCED_CODE.fullmatch(text))


def _item(pattern: re.Pattern[str], items: str) -> str | None:
    match = pattern.search(items)
    return match[1] if match else None


def _address(text: str) -> str:
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text
