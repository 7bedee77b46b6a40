"""Cisco ESA (IronPort AsyncOS): text mail logs and bounce logs.

A message is a MID, its recipients are RIDs, a delivery connection is a DCID and an injection an ICID; sender, recipient and host stand on
the lines where these begin. An outcome names them: `Bounced:` and `Delayed:` carry AsyncOS's own class and the reply as a tuple,
`('550', ['...'])`, where the code 000 says that nobody answered; `Response` is the answer to a message, and `Message done` counts where
no `Response` follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..model import Direction, EnhancedCode, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .facts import enhanced_of
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply
from .stamps import year_inferred

MAX_RECIPIENTS = 1_000
"""Recipients of one message that are remembered."""

_LINE = lazily(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s{1,2}(?P<month>[A-Z][a-z]{2})\s{1,2}(?P<day>\d{1,2})\s(?P<clock>\d\d:\d\d:\d\d)\s(?P<year>\d{4})\s"
    r"(?P<message>(?:Info|Warning|Critical|Debug|Trace|Error|Information):\s.*)$",
    re.DOTALL,
)
_LEVEL = lazily(r"(?:Info|Warning|Critical|Debug|Trace|Error|Information):\s+")
# What a message begins with that a syslog server passed on, where the program is a name of the site's choice.
_OWN_WORDS = lazily(
    r"(?:MID|ICID|DCID|RID|Start MID|New SMTP|Delivery start|Message (?:done|finished|aborted|\d)|Bounced|Delayed|Double|Connection Error)\b"
)

_INJECTION = lazily(r"New SMTP ICID (?P<icid>\d{1,19}) .{0,300}?\baddress (?P<client>\S{2,60})")
_CONNECTION = lazily(r"New SMTP DCID (?P<dcid>\d{1,19}) .{0,300}?\baddress (?P<relay>\S{2,60})")
_CLOSED = lazily(r"(?P<kind>ICID|DCID) (?P<id>\d{1,19}) close\b")
_SENDER = lazily(r"MID (?P<mid>\d{1,19}) (?:ICID \d{1,19} )?From: <(?P<sender>[^<>]{0,320})>")
_RECIPIENT = lazily(
    r"(?:MID (?P<mid>\d{1,19}) )?ICID (?P<icid>\d{1,19}) (?:RID (?P<rid>\d{1,9}) )?To: <(?P<recipient>[^<>]{0,320})>\s*(?P<refusal>Rejected by .{1,300})?"
)
_REFUSED_CLIENT = lazily(r"ICID (?P<icid>\d{1,19}) (?P<text>(?:REJECT|TCPREFUSE) .{0,1000})")
_STARTED = lazily(r"Delivery start DCID (?P<dcid>\d{1,19}) MID (?P<mid>\d{1,19}) to RID")
_DONE = lazily(r"Message done DCID (?P<dcid>\d{1,19}) MID (?P<mid>\d{1,19}) to RID \[(?P<rids>[\d, ]{1,9000})\]")
_RESPONSE = lazily(r"MID (?P<mid>\d{1,19}) (?:RID )?\[(?P<rids>[\d, ]{1,9000})\] Response (?P<text>.*)$", re.DOTALL)
_FINISHED = lazily(r"Message finished MID (?P<mid>\d{1,19})\b")
_ABORTED = lazily(r"Message aborted MID (?P<mid>\d{1,19}) (?P<text>(?P<what>Dropped|Bounced|Rejected)\b.{0,1000})")
_ADDRESSES = r"(?:From:\s?<(?P<sender>[^<>]{0,320})>\s{1,4})?(?:To:\s?<(?P<recipient>[^<>]{0,320})>\s{0,4})?"
_FAILED = lazily(
    rf"(?P<what>Bounced|Delayed|Double[ -]bounced?): (?:DCID:? (?P<dcid>\d{{1,19}}) )?(?:MID|Message):? (?P<mid>\d{{1,19}}) {_ADDRESSES}"
    r"(?:to )?(?:RID )?(?P<rid>\d{1,9}) - (?P<rest>.*)$",
    re.DOTALL | re.IGNORECASE,
)
_BOUNCE_LOG = lazily(
    rf"(?P<what>Bounced|Delayed|Double[ -]bounced?): (?P<mid>\d{{1,19}}):(?P<rid>\d{{1,9}}) {_ADDRESSES}(?P<rest>Reason: ?\".*)$",
    re.DOTALL | re.IGNORECASE,
)
_CLASS = lazily(r"(?<![\d.])(?P<code>[245]\.\d{1,3}\.\d{1,3}) - (?P<words>[^\"]{1,200}?)\s*(?=\"|\('\d{3}'|\(\"\d{3}\"|$)")
_TUPLE = lazily(r"""\(['"](?P<code>\d{3})['"],\s?\[""")
_STRING = lazily(r"""u?(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)")\s*(?P<end>,|\])?""", re.DOTALL)
_ESCAPES = lazily(r"\\(?P<escape>[nrt]|0\d\d|.)", re.DOTALL)
# Servers that begin a refusal with the recipient; many begin that of a sender in the same way.
_ADDRESSED = lazily(r"<(?P<address>[^<>\s@]{1,64}@[^<>\s]{1,255})>(?:\.\.\.|: Recipient\b)(?!.{0,30}\bsender\b)", re.IGNORECASE)


class _Message:
    """What earlier lines said of a message."""

    def __init__(self) -> None:
        self.sender: str | None = None
        self.recipients: dict[str, str] = {}
        self.done: dict[str, Record] = {}
        """The recipients that were delivered to, whose answer has not been logged yet."""
        self.answered: set[str] = set()


class IronportReader(Reader):
    """Reads the text logs of Cisco's mail appliances."""

    format = InputFormat.IRONPORT

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._messages: Remembered[_Message] = Remembered()
        self._clients: Remembered[str] = Remembered()
        self._relays: Remembered[str] = Remembered()
        self._done: Remembered[None] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """Lines with the appliance's own stamp, or passed on by syslog with words that are its own."""
        match = _LINE.match(line.text.lstrip("\ufeff"))
        if match:
            time = year_inferred(match["month"], match["day"], match["clock"], self.latest, match["year"])
            message, host = match["message"], None
        elif line.stamp:
            message, time, host = line.stamp.message, line.stamp.time, line.stamp.host
        else:
            return None
        level = _LEVEL.match(message)
        message = message[level.end() :] if level else ""
        if not level or not (match or _OWN_WORDS.match(message)):
            return None
        return list(self._read(message, Record(self.source, line.number, self.format, time, host)))

    def pause(self) -> list[Record]:
        """The deliveries whose answer was not logged."""
        return [record for mid in list(self._done) for record in self._done_of(mid)]

    def _read(self, message: str, base: Record) -> Iterator[Record]:
        if message.startswith(("Bounced", "Delayed", "Double")):
            yield from self._failed(message, base)
        elif message.startswith("Message "):
            yield from self._of_message(message, base)
        elif match := _RESPONSE.match(message):
            yield from self._answered(match, base)
        elif match := _RECIPIENT.match(message):
            yield from self._recipient(match, base)
        elif match := _REFUSED_CLIENT.match(message):
            yield base._replace(
                direction=Direction.INBOUND,
                outcome=Outcome.REJECTED,
                client=self._clients.get(match["icid"]),
                phase=Phase.CONNECT,
                text=match["text"].strip(),
            )
        elif match := _CLOSED.match(message):
            (self._clients if match["kind"] == "ICID" else self._relays).pop(match["id"], None)
            if match["kind"] == "DCID":
                yield from self.pause()
        else:
            self._note(message)

    def _note(self, message: str) -> None:
        if match := _SENDER.match(message):
            self._message(match["mid"]).sender = match["sender"]
        elif match := _INJECTION.match(message):
            self._clients[match["icid"]] = match["client"]
        elif match := _CONNECTION.match(message):
            self._relays[match["dcid"]] = match["relay"]

    def _message(self, mid: str) -> _Message:
        if mid not in self._messages:
            self._messages[mid] = _Message()
        return self._messages[mid]

    def _recipient(self, match: re.Match[str], base: Record) -> Iterator[Record]:
        mid, recipient = match["mid"], match["recipient"]
        if match["refusal"]:
            known = self._messages.get(mid) if mid else None
            yield base._replace(
                direction=Direction.INBOUND,
                outcome=Outcome.REJECTED,
                queue_id=mid,
                sender=known.sender if known else None,
                recipient=recipient,
                client=self._clients.get(match["icid"]),
                phase=Phase.RCPT,
                text=match["refusal"].strip(),
            )
        elif mid and match["rid"] and len(self._message(mid).recipients) < MAX_RECIPIENTS:
            self._message(mid).recipients[match["rid"]] = recipient

    def _of_message(self, message: str, base: Record) -> Iterator[Record]:
        if match := _DONE.match(message):
            known = self._message(match["mid"])
            relay = self._relays.get(match["dcid"])
            for rid in _rids(match):
                if rid not in known.answered and len(known.done) < MAX_RECIPIENTS:
                    known.done[rid] = self._delivered(match["mid"], rid, base)._replace(relay=relay)
            self._done[match["mid"]] = None
        elif match := _ABORTED.match(message):
            known = self._message(match["mid"])
            outcomes = {"Dropped": Outcome.DISCARDED, "Bounced": Outcome.BOUNCED}
            base = base._replace(
                direction=Direction.INBOUND,
                outcome=outcomes.get(match["what"], Outcome.REJECTED),
                queue_id=match["mid"],
                sender=known.sender,
                text=match["text"].strip(),
            )
            if not known.recipients:
                yield base
            for recipient in known.recipients.values():
                yield base._replace(recipient=recipient)
        elif match := _FINISHED.match(message):
            yield from self._done_of(match["mid"])
            self._messages.pop(match["mid"], None)

    def _answered(self, match: re.Match[str], base: Record) -> Iterator[Record]:
        text = match["text"].strip()
        if text[:1] in "'\"" and text[-1:] == text[:1] and len(text) > 1:
            text = text[1:-1]
        reply = parse_reply(_unescaped(text))
        known = self._message(match["mid"])
        for rid in _rids(match):
            done = known.done.pop(rid, None)
            if len(known.answered) < MAX_RECIPIENTS:
                known.answered.add(rid)
            yield self._delivered(match["mid"], rid, base)._replace(
                relay=done.relay if done else None,
                phase=Phase.END_OF_DATA,
                reply_code=reply.code,
                enhanced_code=reply.enhanced,
                text=reply.text,
            )

    def _delivered(self, mid: str, rid: str, base: Record) -> Record:
        known = self._message(mid)
        return base._replace(
            direction=Direction.OUTBOUND,
            outcome=Outcome.DELIVERED,
            queue_id=mid,
            sender=known.sender,
            recipient=known.recipients.get(rid),
        )

    def _done_of(self, mid: str) -> list[Record]:
        self._done.pop(mid, None)
        known = self._messages.get(mid)
        if known is None:
            return []
        done, known.done = known.done, {}
        return list(done.values())

    def _failed(self, message: str, base: Record) -> Iterator[Record]:
        match = _FAILED.match(message) or _BOUNCE_LOG.match(message)
        if not match:
            return
        known = self._messages.get(match["mid"]) or _Message()
        own = _CLASS.search(match["rest"][:2000])
        words = own["words"].strip() if own else ""
        reply = _reply_in(match["rest"])
        addressed = _ADDRESSED.match(reply.text) if reply.code else None
        dcid = match["dcid"] if "dcid" in match.re.groupindex else None
        if match["what"].lower() == "delayed":
            outcome = Outcome.DEFERRED
        else:
            outcome = Outcome.EXPIRED if "expired" in words.lower() else Outcome.BOUNCED
        enhanced: EnhancedCode | None = reply.enhanced or (enhanced_of(own["code"]) if own else None)
        yield base._replace(
            direction=Direction.OUTBOUND,
            outcome=outcome,
            queue_id=match["mid"],
            sender=known.sender if match["sender"] is None else match["sender"],
            recipient=match["recipient"] or known.recipients.get(match["rid"]) or (addressed["address"] if addressed else None),
            relay=self._relays.get(dcid) if dcid else None,
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=enhanced,
            text=reply.text or words,
        )


def _rids(match: re.Match[str]) -> list[str]:
    return [rid.strip() for rid in match["rids"].split(",") if rid.strip()][:MAX_RECIPIENTS]


def _reply_in(text: str) -> Reply:
    """The reply of a tuple `('550', ['5.1.1 words', 'more words'])`; the code 000 says that nobody replied."""
    head = _TUPLE.search(text)
    if not head:
        return Reply(None, None, "", None)
    position, lines = head.end(), []
    while item := _STRING.match(text, position):
        lines.append(_unescaped(item["double"] if item["single"] is None else item["single"]))
        position = item.end()
        while text[position : position + 1] == " ":
            position += 1
        if item["end"] != ",":
            break
    # A line that was cut off has no closing quote.
    words = " ".join(lines) if lines else text[position:].strip(" '\"])")
    if head["code"] == "000":
        return Reply(None, None, " ".join(words.split()), None)
    return parse_reply(f"{head['code']} {words}")


def _unescaped(text: str) -> str:
    return _ESCAPES.sub(lambda match: match["escape"] if len(match["escape"]) == 1 and match["escape"] not in "nrt" else " ", text)
