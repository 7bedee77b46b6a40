"""Haraka: what its outbound queue tells of recipients, and whom its core refused: `[LEVEL] [UUID] [plugin] text`.

A transaction's id is the start of the ids of the messages that it left in the queue, so that sender and recipients of a delivery are
those of its transaction. "Temp failing" and "bouncing mail" are records unless the recipient's own line said it before.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply
from .stamps import iso_time

MAX_RECIPIENTS = 100
"""Recipients of one transaction that are remembered."""

_LEVELS = "DATA|PROTOCOL|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRIT|ALERT|EMERG"
_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_LINE = lazily(
    rf"\s*(?:(?P<time>\d{{4}}-\d\d-\d\dT[\d:.]{{5,18}}(?:Z|[+-]\d\d:?\d\d)?) )?\[(?P<level>{_LEVELS})\] \[(?P<uuid>{_UUID}[.\d]{{0,20}}|-)\] "
    rf"\[(?P<plugin>[\w./ -]{{1,60}})\] (?:\[{_UUID}[.\d]{{0,20}}\] |\[outbound\] )?(?P<text>.*)$",
    re.DOTALL,
)
# A quoted line that has lost its first fields.
_SHORT = lazily(
    r"\[(?P<plugin>outbound|core)\] (?P<text>(?:recipient (?:domain )?<|bouncing mail: |Temp failing |delivered file=).*)$", re.DOTALL
)

_REFUSED = lazily(r"recipient (?P<domain>domain )?<(?P<recipient>[^<>]{0,400})> (?P<what>rejected|deferred): (?P<reply>.*)$", re.DOTALL)
_BOUNCED = lazily(r"bouncing mail: (?P<reply>.*)$", re.DOTALL)
_FAILED = lazily(r"Temp failing \S{1,400} for \d+ seconds: (?P<reply>.*)$", re.DOTALL)
_DELIVERED = lazily(r"delivered file=\S")
_CORE = lazily(
    r"(?P<what>recipient|sender|message|queue|helo|ehlo|connect|data)(?: <(?P<address>[^<>]{0,400})>)?(?P<pairs> .*)$", re.DOTALL
)
_PAIR = lazily(r'(?<!\S)(?P<key>[a-z]{2,10})=(?P<value>"(?:[^"\\]|\\.){0,2000}"|\S{0,400})')
_RESPONSE = lazily(r'(?<!\S)response=(?P<text>"(?:[^"\\]|\\.){0,2000}"|.{0,2000}?)(?= (?:delay|fails|rcpts)=|$)', re.DOTALL)
_TROUBLE = lazily(
    r"(?:Remote end (?P<closed>\S{1,300}) closed connection|Ongoing connection failed to (?P<ongoing>\S{1,300}) : |Attempting to deliver to: (?P<next>\S{1,300})"
    r"|Failed to get (?:pool entry|socket|connection): )"
)
_LAST_ERROR = lazily(r"Too many failures \((?P<error>.*)\)$", re.DOTALL)

_REFUSALS = frozenset(("DENY", "DENYSOFT", "DENYDISCONNECT", "DENYSOFTDISCONNECT"))
_PHASES = {
    "recipient": Phase.RCPT,
    "sender": Phase.MAIL,
    "message": Phase.END_OF_DATA,
    "queue": Phase.END_OF_DATA,
    "helo": Phase.HELO,
    "ehlo": Phase.EHLO,
    "connect": Phase.CONNECT,
    "data": Phase.DATA,
}


class _Transaction(NamedTuple):
    sender: str | None
    recipients: tuple[str, ...]


class _Attempt(NamedTuple):
    """What was told of a message in the queue since it was tried last."""

    relay: str | None = None
    trouble: str = ""
    is_told: bool = False


class HarakaReader(Reader):
    """Reads the lines of Haraka."""

    format = InputFormat.HARAKA

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._transactions: Remembered[_Transaction] = Remembered()
        self._attempts: Remembered[_Attempt] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of Haraka's shape is this reader's even where it holds no outcome."""
        stamp = line.stamp
        message = stamp.message if stamp else line.text
        match = _LINE.match(message) or _SHORT.match(message)
        if not match:
            return None
        fields = match.groupdict()
        time = stamp.time if stamp else iso_time(fields.get("time") or "")
        uuid = fields.get("uuid")
        base = Record(self.source, line.number, self.format, time, stamp.host if stamp else None, queue_id=None if uuid == "-" else uuid)
        if fields.get("level") in ("PROTOCOL", "DATA", "DEBUG"):
            return []
        if fields["plugin"].startswith("outbound"):
            return self._of_queue(fields["text"].strip(), base)
        return self._of_core(fields["text"].strip(), base) if fields["plugin"] == "core" else []

    def _of_queue(self, text: str, base: Record) -> list[Record]:
        uuid = base.queue_id or ""
        attempt = self._attempts.get(uuid, _Attempt())
        base = base._replace(direction=Direction.OUTBOUND, sender=self._transaction(uuid).sender)
        refused = _REFUSED.match(text)
        if refused:
            self._attempts[uuid] = attempt._replace(is_told=True)
            recipient = None if refused["domain"] else refused["recipient"]
            is_final = refused["what"] == "rejected" and not refused["reply"].startswith("4")
            return [
                _answered(base, refused["reply"])._replace(recipient=recipient, outcome=Outcome.BOUNCED if is_final else Outcome.DEFERRED)
            ]
        if _DELIVERED.match(text):
            return self._delivered(text, base)
        bounced = _BOUNCED.match(text)
        if bounced:
            return [] if attempt.is_told else [_bounced(base, bounced["reply"])]
        failed = _FAILED.match(text)
        if failed:
            self._attempts.pop(uuid, None)
            if attempt.is_told and failed["reply"].startswith(("Some recipients", "Upstream error")):
                return []
            record = _answered(base, failed["reply"])
            words = f"{record.text}: {attempt.trouble}" if attempt.trouble and record.reply_code is None else record.text
            return [record._replace(outcome=Outcome.DEFERRED, relay=attempt.relay, text=words)]
        trouble = _TROUBLE.match(text)
        if trouble and uuid:
            relay = next(filter(None, trouble.groups()), attempt.relay)
            self._attempts[uuid] = attempt._replace(relay=relay, trouble="" if trouble["next"] else " ".join(text.split())[:400])
        return []

    def _delivered(self, text: str, base: Record) -> list[Record]:
        pairs = _pairs(text)
        response = _RESPONSE.search(text)
        reply = parse_reply(_unquoted(response["text"])) if response else Reply(None, None, "delivered", None)
        host, address, port = pairs.get("host"), pairs.get("ip"), pairs.get("port")
        where = f"{host}[{address}]" if host and address and host != address else host or address
        self._attempts.pop(base.queue_id or "", None)
        record = base._replace(
            outcome=Outcome.DELIVERED,
            relay=f"{where}:{port}" if where and port else where,
            phase=Phase.END_OF_DATA,
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
        )
        domain = "@" + pairs.get("domain", "").lower()
        recipients = [address for address in self._transaction(base.queue_id or "").recipients if address.lower().endswith(domain)]
        return [record._replace(recipient=recipient) for recipient in recipients] or [record]

    def _of_core(self, text: str, base: Record) -> list[Record]:
        match = _CORE.match(text)
        if not match:
            return []
        pairs = _pairs(match["pairs"])
        what, address, code = match["what"], match["address"], pairs.get("code", "")
        uuid = base.queue_id or ""
        transaction = self._transactions.get(uuid, _Transaction(None, ()))
        sender = address if what == "sender" else pairs.get("sender", transaction.sender)
        if code in _REFUSALS:
            reply = parse_reply(pairs.get("msg", ""))
            return [
                base._replace(
                    direction=Direction.INBOUND,
                    outcome=Outcome.REJECTED,
                    sender=sender,
                    recipient=address if what == "recipient" else None,
                    client=pairs.get("ip"),
                    phase=_PHASES[what],
                    reply_code=reply.code,
                    enhanced_code=reply.enhanced,
                    text=reply.text or code,
                )
            ]
        if uuid and what in ("recipient", "sender"):
            known = transaction.recipients
            recipients = (*known, address) if what == "recipient" and address and len(known) < MAX_RECIPIENTS else known
            self._transactions[uuid] = _Transaction(sender, recipients)
        return []

    def _transaction(self, uuid: str) -> _Transaction:
        """The transaction that left a message: its id without the last number."""
        return self._transactions.get(uuid.rpartition(".")[0], _Transaction(None, ()))


def _answered(base: Record, text: str) -> Record:
    reply = parse_reply(text) if re.match(r"\s*[2-5]\d\d(?:[ -]|$)", text) else Reply(None, None, " ".join(text.split()), None)
    return base._replace(reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text)


def _bounced(base: Record, text: str) -> Record:
    given_up = _LAST_ERROR.match(text)
    if given_up:
        return _answered(base, given_up["error"])._replace(outcome=Outcome.EXPIRED)
    return _answered(base, text)._replace(outcome=Outcome.BOUNCED)


def _pairs(text: str) -> dict[str, str]:
    return {match["key"]: _unquoted(match["value"]) for match in _PAIR.finditer(text[:8000])}


def _unquoted(value: str) -> str:
    return value[1:-1].replace('\\"', '"') if len(value) > 1 and value[0] == value[-1] == '"' else value
