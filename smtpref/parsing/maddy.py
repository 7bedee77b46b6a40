"""Maddy: events of its queue and refusals of its endpoints, `module: message<TAB>{JSON}`.

Where `io_op` is set, or no server is named, nobody replied: the code beside it is Maddy's own. A `delivery attempt failed` holds what
happened; the `will retry` or `not delivered` after it only repeats whom it happened to.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from ..model import REPLY_CODE, Direction, EnhancedCode, InputFormat, Outcome, Phase, Record, ReplyCode
from ..patterns import lazily
from .facts import enhanced_of, time_of
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import parse_reply, phase_of

_EVENT = lazily(
    r"(?:(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d{9,11}\.\d{1,9}) )?"
    r"(?P<debug>\[debug\] )?(?P<module>[a-z][\w./-]{1,60}): (?P<message>[\w #,./'()-]{3,120}?)(?:\t|  ?\s*)(?P<facts>\{.*\})\s*$",
    re.DOTALL,
)
_REFUSAL = lazily(r"(?P<command>MAIL FROM|MAIL|RCPT TO|RCPT|DATA|BDAT|AUTH|EHLO|HELO) error$")
_PROGRAM = "maddy"


class MaddyReader(Reader):
    """Reads the events of Maddy."""

    format = InputFormat.MADDY

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._incoming: Remembered[tuple[str | None, str | None]] = Remembered()
        self._told: Remembered[None] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """An event of a known shape is this reader's even where it is no outcome."""
        stamp = line.stamp if line.stamp and line.stamp.program == _PROGRAM else None
        match = _EVENT.match(stamp.message if stamp else line.text)
        facts = _facts(match["facts"]) if match else None
        if match is None or facts is None:
            return [] if stamp else None
        time = stamp.time if stamp else time_of(match["time"])
        base = Record(self.source, line.number, self.format, time, stamp.host if stamp else None, queue_id=_text(facts, "msg_id"))
        if match["debug"]:
            return []
        message = match["message"].strip()
        if match["module"].split("/")[0] == "queue":
            return self._of_queue(message, facts, base)
        refusal = _REFUSAL.match(message)
        if refusal:
            return [self._refused(refusal["command"], facts, base)]
        if message == "incoming message" and base.queue_id:
            client = " ".join(filter(None, (_text(facts, "src_host"), f"[{facts['src_ip']}]" if facts.get("src_ip") else None))) or None
            self._incoming[base.queue_id] = (_text(facts, "sender"), client)
            return []
        is_known = "msg_id" in facts or match["module"].split("/")[0] in ("smtp", "submission", "imap", "remote", "target.remote", "lmtp")
        return [] if is_known else None

    def _of_queue(self, message: str, facts: dict[str, Any], base: Record) -> list[Record]:
        recipient = _text(facts, "rcpt")
        key = f"{base.queue_id} {recipient}"
        sender = self._incoming.get(base.queue_id or "", (None, None))[0]
        base = base._replace(direction=Direction.OUTBOUND, recipient=recipient, sender=sender)
        if message == "delivered":
            self._told.pop(key, None)
            return [base._replace(outcome=Outcome.DELIVERED, relay=_relay(facts), text=message)]
        if message == "delivery attempt failed":
            self._told[key] = None
            record = _failed(facts, base)
            return [record._replace(outcome=Outcome.BOUNCED if record.reply_code and record.reply_code.permanent else Outcome.DEFERRED)]
        if message.startswith("not delivered"):
            is_repetition = key in self._told
            self._told.pop(key, None)
            return [] if is_repetition else [_failed(facts, base, message)._replace(outcome=Outcome.BOUNCED)]
        return []

    def _refused(self, command: str, facts: dict[str, Any], base: Record) -> Record:
        sender, client = self._incoming.get(base.queue_id or "", (None, None))
        code, enhanced = _codes(facts)
        return base._replace(
            direction=Direction.INBOUND,
            outcome=Outcome.REJECTED,
            sender=_text(facts, "sender") or sender,
            recipient=_text(facts, "rcpt"),
            client=client or _text(facts, "src_ip"),
            # An endpoint's DATA error comes when it has the whole message.
            phase=Phase.END_OF_DATA if command == "DATA" else phase_of(command),
            reply_code=code,
            enhanced_code=enhanced,
            text=_words(facts, "smtp_msg", "reason"),
        )


def _failed(facts: dict[str, Any], base: Record, message: str = "") -> Record:
    """A failed attempt: the peer's reply where one is named and no input or output failed, else Maddy's own words."""
    relay = _relay(facts)
    code, enhanced = _codes(facts)
    is_reply = relay is not None and "io_op" not in facts and code is not None
    text = _words(facts, "smtp_msg", "reason") if is_reply else _words(facts, "reason", "smtp_msg")
    return base._replace(relay=relay, reply_code=code if is_reply else None, enhanced_code=enhanced, text=text or message)


def _facts(text: str) -> dict[str, Any] | None:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def _text(facts: dict[str, Any], key: str) -> str | None:
    value = facts.get(key)
    return value if isinstance(value, str) else None


def _words(facts: dict[str, Any], *keys: str) -> str:
    words = next((value for value in (_text(facts, key) for key in keys) if value), "")
    reply = parse_reply(words)
    return reply.text if reply.code or reply.enhanced else " ".join(words.split())


def _relay(facts: dict[str, Any]) -> str | None:
    server, address = _text(facts, "remote_server"), _text(facts, "remote_addr")
    return f"{server} [{address}]" if server and address and server not in address else server or address


def _codes(facts: dict[str, Any]) -> tuple[ReplyCode | None, EnhancedCode | None]:
    code = str(facts.get("smtp_code"))
    return ReplyCode.parse(code) if REPLY_CODE.fullmatch(code) else None, enhanced_of(facts.get("smtp_enchcode"))
