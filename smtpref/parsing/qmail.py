"""qmail: what qmail-send tells of each delivery, and what the programs in front of qmail-smtpd refuse.

Who sent a message stands on its `info msg` line, who gets it on `starting delivery`, what became of it on `delivery`; the numbers are
used again and again. A report has underscores for blanks and slashes for line ends. The stamp is multilog's, tai64nlocal's, splogger's or none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply
from .stamps import iso_time

TAI64_EPOCH = (1 << 62) + 10
"""What qmail calls 1970 (it counts no leap seconds after the first ten)."""

_STAMP = lazily(
    r"(?:@(?P<tai>[0-9a-f]{16})(?P<nano>[0-9a-f]{8})|(?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?P<fraction>\.\d{1,9})?|(?P<seconds>\d{9,11})\.(?P<micro>\d{6})) "
)
_NEWS = lazily(
    r"(?:new msg \d+$|end msg \d+$|bounce msg \d+ qp \d+|triple bounce: discarding |info msg \d+: bytes \d+ from <|starting delivery \d+: msg \d+ to "
    r"|delivery \d+: (?:success|failure|deferral|report mangled)|(?:success|failure|deferral) <[^<>]{0,400}> \w+=<|status: (?:local \d+/\d+ remote \d+/\d+|exiting)"
    r"|tcpserver: (?:status|pid|ok|deny|end|warning)\b|(?:rblsmtpd|qmail-smtpd): |CHKUSER )"
)
_INFO = lazily(r"info msg (?P<message>\d{1,20}): bytes \d+ from <(?P<sender>[^>]{0,400})>")
_START = lazily(r"starting delivery (?P<delivery>\d{1,20}): msg (?P<message>\d{1,20}) to (?P<where>local|remote) (?P<recipient>\S{1,400})")
# Patched ones name the message's ids, and leave out the delivery's number.
_DELIVERY = lazily(
    r"(?:delivery (?P<delivery>\d{1,20}): (?P<status>success|failure|deferral)|(?P<bare>success|failure|deferral)(?= .{0,400}=<))"
    r"(?: <[^<>]{0,400}>)?(?: \w{2,10}=<[^<>]{0,400}>){0,6}: (?P<report>.*)$",
    re.DOTALL,
)
_NEW_OR_END = lazily(r"(?:new|end) msg (?P<message>\d{1,20})$")
_RBL = lazily(r"rblsmtpd: (?P<client>[\da-fA-F.:]{3,45}) pid \d+(?: [\w.-]{1,255})?: (?P<reply>[45]\d\d .*)$", re.DOTALL)
_SMTPD = lazily(r"qmail-smtpd: (?P<reply>[45]\d\d .*)$", re.DOTALL)
_CHKUSER = lazily(
    r"CHKUSER rejected (?P<what>rcpt|relaying|sender): from <(?P<sender>[^:>]{0,320})[^>]{0,320}> remote <(?P<remote>[^>]{0,400})> "
    r"rcpt <(?P<recipient>[^>]{0,320})> : (?P<text>.*)$",
    re.DOTALL,
)

# qmail-remote's sentences.
_REPORT_RECIPIENT = lazily(r"\(([^()\s@]{1,64}@[^()\s]{1,255})\) ")
_PEER = r"[\w.:-]{3,255}"
_RELAY = lazily(
    rf"\bConnected to ({_PEER}) but|(?<![\w.:-])({_PEER}) (?:accepted message|does not like recipient|failed on DATA command|failed after I sent)"
    rf"|\bGiving up on ({_PEER}?)\.(?: |$|/)"
)
_REMOTE_SAID = lazily(r"[/ ]?Remote host said: ")
_PHASES = {
    "greeting failed": Phase.CONNECT,
    "my name was rejected": Phase.EHLO,
    "sender was rejected": Phase.MAIL,
    "does not like recipient": Phase.RCPT,
    "failed on DATA command": Phase.DATA,
    "failed after I sent the message": Phase.END_OF_DATA,
    "accepted message": Phase.END_OF_DATA,
}
_GIVEN_UP = "this message has been in the queue too long"
_OUTCOMES = {"success": Outcome.DELIVERED, "failure": Outcome.BOUNCED, "deferral": Outcome.DEFERRED}


class _Delivery(NamedTuple):
    message: str
    is_local: bool
    recipient: str


class QmailReader(Reader):
    """Reads the lines of qmail-send, and of what refuses clients for qmail."""

    format = InputFormat.QMAIL
    is_of_server = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._senders: Remembered[str] = Remembered()
        self._deliveries: Remembered[_Delivery] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of a known shape is this reader's even where it holds no outcome; its own stamp may follow syslog's."""
        time, message = _split(line.text)
        host = None
        if not _NEWS.match(message) and line.stamp:
            stamp = line.stamp
            inner, message = _split(stamp.message)
            if not _NEWS.match(message):
                message = f"{stamp.program}: {message}"
            time, host = stamp.time or inner, stamp.host
        if not _NEWS.match(message):
            return None
        base = Record(self.source, line.number, self.format, time, host)
        delivery = _DELIVERY.match(message)
        if delivery:
            return [self._delivered(delivery, base)]
        refused = _refused(message, base)
        if refused:
            return [refused]
        self._remember(message)
        return []

    def _delivered(self, match: re.Match[str], base: Record) -> Record:
        delivery = self._deliveries.pop(match["delivery"] or "", None)
        status = match["status"] or match["bare"]
        report = match["report"].replace("_", " ").strip()
        recipient = _REPORT_RECIPIENT.match(report)
        relay = _RELAY.search(report)
        reply = _reply(report)
        outcome = Outcome.EXPIRED if status == "failure" and _GIVEN_UP in report else _OUTCOMES[status]
        return base._replace(
            direction=Direction.OUTBOUND,
            outcome=outcome,
            queue_id=delivery.message if delivery else None,
            sender=self._senders.get(delivery.message) if delivery else None,
            recipient=delivery.recipient if delivery else recipient[1] if recipient else None,
            relay=None if relay is None or (delivery and delivery.is_local) else next(filter(None, relay.groups())),
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
        )

    def _remember(self, message: str) -> None:
        match = _INFO.match(message)
        if match:
            self._senders[match["message"]] = match["sender"]
            return
        match = _START.match(message)
        if match:
            self._deliveries[match["delivery"]] = _Delivery(match["message"], match["where"] == "local", match["recipient"])
            return
        match = _NEW_OR_END.match(message)
        if match:
            self._senders.pop(match["message"], None)


def _split(text: str) -> tuple[str | None, str]:
    """A line's time and what follows it."""
    match = _STAMP.match(text)
    if not match:
        return None, text
    message = text[match.end() :]
    if match["local"]:
        return iso_time(match["local"] + (match["fraction"] or "")[:7]), message
    seconds, micro = (
        (int(match["tai"], 16) - TAI64_EPOCH, int(match["nano"], 16) // 1000)
        if match["tai"]
        else (int(match["seconds"]), int(match["micro"]))
    )
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro).isoformat(), message
    except (ValueError, OverflowError, OSError):
        return None, message


def _refused(message: str, base: Record) -> Record | None:
    base = base._replace(direction=Direction.INBOUND, outcome=Outcome.REJECTED)
    match = _RBL.match(message)
    if match:
        reply = parse_reply(match["reply"])
        return base._replace(client=match["client"], phase=Phase.RCPT, reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text)
    match = _SMTPD.match(message)
    if match:
        reply = parse_reply(match["reply"])
        return base._replace(reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text)
    match = _CHKUSER.match(message)
    if match:
        is_sender = match["what"] == "sender"
        return base._replace(
            sender=match["sender"],
            recipient=match["recipient"] or None,
            client=match["remote"].rpartition(":")[2] or None,
            phase=Phase.MAIL if is_sender else Phase.RCPT,
            text=match["text"].strip(),
        )
    return None


def _reply(report: str) -> Reply:
    """What the remote host said, or qmail's own words with the enhanced code that they may end in."""
    said = _REMOTE_SAID.search(report)
    if not said:
        words = " ".join(report.rstrip("/ ").replace("/I'm not going", " I'm not going").split())
        return Reply(None, parse_reply(f"- {words}").enhanced, words, None)
    before = report[: said.start()]
    phase = next((phase for sentence, phase in _PHASES.items() if sentence in before), None)
    text = report[said.end() :].partition("/Giving up on ")[0].rstrip("/ ")
    # Only the code tells a line of a multi-line reply from a slash in its words.
    return parse_reply(re.sub(r"/(?=[245]\d\d[ -])", " ", text), phase)
