"""OpenSMTPD: what became of each envelope, and which commands of clients it refused; the three generations of its log.

A session's error counts when no delivery line follows it.

Since 6.0 a line starts with a session's id and holds `key=value` pairs; before, it starts with what happened (`relay: TempFail for ID: ...`).
`stat=` (or `result=` of a refused command) is the last pair, so that whatever follows it is the reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, find_reply, parse_reply, phase_of
from .stamps import LogLine

_SESSION = lazily(
    r"(?P<session>[0-9a-f]{16}) (?P<part>smtp|mta|mda|filter|lka|scheduler|queue) (?:event=)?(?P<event>[\w-]+) ?(?P<pairs>.*)$", re.DOTALL
)
_OLD_DELIVERY = lazily(
    r"(?P<part>relay|delivery|remote|local|relay-local): (?P<result>Ok|TempFail|PermFail|Loop|Expire\w*|Remove\w*) for (?P<envelope>[0-9a-f]{16}): (?P<pairs>.*)$",
    re.DOTALL,
)
_OLD_REFUSAL = lazily(
    r'smtp-in: (?:Failed command|Bad input) on session (?P<session>[0-9a-f]{16}): (?:"(?P<command>.{0,2000}?)" => )?(?P<reply>.*)$',
    re.DOTALL,
)
_OLD_CLIENT = lazily(r"smtp-in: New session (?P<session>[0-9a-f]{16}) from host (?P<client>\S{1,300}(?: \[[^\]]{1,50}\])?)")
_OLD_ERROR = lazily(r"smtp-out: Error on session (?P<session>[0-9a-f]{16}): (?P<text>\S.*)$", re.DOTALL)
_ERROR = lazily(r"(?:^|\s)reason=(?P<text>\S.*)$", re.DOTALL)
_OLD_NEWS = lazily(r"(?:smtp-in|smtp-out|mta|mda|scheduler|queue|lookup|control|filter|info|warn|fatal|debug): ")
_PROGRAM = "smtpd"
_PROGRAMS = frozenset((_PROGRAM, "transfer", "queue", "mta", "mda", "lookup", "scheduler", "smtp", "pony", "klondike"))

_PAIR = lazily(r'(?P<key>[a-z]{2,10})=(?P<value><[^>]{0,400}>|"(?:[^"\\]|\\.){0,400}"|[^\s,]{0,400}(?: \([^)]{0,300}\))?)')
_STAT = lazily(r"(?:^|[\s,])stat=(?P<text>.*)$", re.DOTALL)
_RESULT = lazily(r"(?:^|\s)result=(?P<text>.*)$", re.DOTALL)
_COMMAND = lazily(r"(?P<verb>MAIL FROM|RCPT TO|[A-Za-z]{4,8})(?::\s?<?(?P<address>[^<>\s]{0,320}))?", re.IGNORECASE)
_INNER_REPLY = lazily(r"(?:server )?error: [245]\d\d[ -]")

_OUTCOMES = {
    "ok": Outcome.DELIVERED,
    "tempfail": Outcome.DEFERRED,
    "permfail": Outcome.BOUNCED,
    "loop": Outcome.BOUNCED,
    "expire": Outcome.EXPIRED,
    "expired": Outcome.EXPIRED,
    "remove": Outcome.DISCARDED,
    "removed": Outcome.DISCARDED,
}


class OpenSmtpdReader(Reader):
    """Reads the lines of OpenSMTPD."""

    format = InputFormat.OPENSMTPD
    is_of_server = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._clients: Remembered[str] = Remembered()
        self._broken: Remembered[Record] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of a known shape is this reader's even where it holds no outcome."""
        stamp = line.stamp
        if stamp and stamp.program not in _PROGRAMS:
            return None
        stamp = stamp or LogLine(None, None, "", line.text)
        message = stamp.message
        base = Record(self.source, line.number, self.format, stamp.time, stamp.host)
        session = _SESSION.match(message)
        if session:
            return list(self._of_session(session, base))
        delivery = _OLD_DELIVERY.match(message)
        if delivery:
            self._broken.clear()
            return [_delivered(base, delivery["pairs"], delivery["result"], delivery["envelope"], delivery["part"])]
        refusal = _OLD_REFUSAL.match(message)
        if refusal:
            return list(self._refused(base, refusal["session"], refusal["command"] or "", refusal["reply"]))
        client = _OLD_CLIENT.match(message)
        if client:
            self._clients[client["session"]] = client["client"]
            return []
        error = _OLD_ERROR.match(message)
        if error:
            self._broken[error["session"]] = _broken(base, error["text"])
            return []
        is_news = _OLD_NEWS.match(message) and (stamp.program == _PROGRAM or message.startswith(("smtp-in: ", "smtp-out: ")))
        return [] if is_news else None

    def finish(self) -> list[Record]:
        """The sessions that broke off and that no delivery line followed."""
        broken, self._broken = self._broken, Remembered()
        return list(broken.values())

    def _of_session(self, match: re.Match[str], base: Record) -> Iterator[Record]:
        session, part, event, text = match["session"], match["part"], match["event"], match["pairs"]
        if event == "delivery":
            # It names the envelope, and often no session.
            self._broken.clear()
            pairs = _pairs(text)
            yield _delivered(base, text, pairs.get("result", ""), pairs.get("evpid"), part)
        elif event == "error" and part == "mta":
            reason = _ERROR.search(text)
            if reason:
                self._broken[session] = _broken(base, _unquoted(reason["text"]))
        elif event == "connected":
            pairs = _pairs(text)
            if "address" in pairs:
                self._clients[session] = f"{pairs['host']} [{pairs['address']}]" if "host" in pairs else pairs["address"]
        elif event in ("failed-command", "bad-input"):
            last = _RESULT.search(text)
            command = _pairs(text).get("command", "")
            if last:
                yield from self._refused(base, session, command, last["text"])
        elif event in ("disconnected", "closed"):
            self._clients.pop(session, None)

    def _refused(self, base: Record, session: str, command: str, text: str) -> Iterator[Record]:
        reply = parse_reply(_unquoted(text))
        if reply.code is None or reply.code.class_digit not in "45":
            return
        said = _COMMAND.match(command)
        phase = phase_of(said["verb"]) if said else None
        address = said["address"] if said else None
        yield base._replace(
            direction=Direction.INBOUND,
            outcome=Outcome.REJECTED,
            sender=address if phase is Phase.MAIL else None,
            recipient=(address or None) if phase is Phase.RCPT else None,
            client=self._clients.get(session),
            phase=phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
        )


def _broken(base: Record, text: str) -> Record:
    """A session that ended before anything was delivered; the envelopes are tried again."""
    reply = _reply(text)
    return base._replace(
        direction=Direction.OUTBOUND, outcome=Outcome.DEFERRED, reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text
    )


def _delivered(base: Record, text: str, result: str, envelope: str | None, part: str) -> Record:
    stat = _STAT.search(text)
    pairs = _pairs(text[: stat.start()] if stat else text)
    reply = _reply(_unquoted(stat["text"]) if stat else "")
    relay = pairs.get("relay")
    return base._replace(
        direction=Direction.OUTBOUND,
        outcome=_OUTCOMES.get(result.lower()),
        queue_id=envelope,
        sender=_sender(pairs.get("from")),
        recipient=pairs.get("to"),
        relay=None if part == "mda" or relay in ("", "-") else relay,
        phase=reply.phase,
        reply_code=reply.code,
        enhanced_code=reply.enhanced,
        text=reply.text,
    )


def _reply(text: str) -> Reply:
    """The peer's reply, or smtpd's own words; a delivery program's words may quote the reply that it got."""
    if re.match(r"\s*[2-5]\d\d[ -]", text):
        return parse_reply(text)
    if _INNER_REPLY.search(text):
        return find_reply(text) or Reply(None, None, " ".join(text.split()), None)
    return Reply(None, None, " ".join(text.split()), None)


def _pairs(text: str) -> dict[str, str]:
    return {match["key"]: _unquoted(match["value"]) for match in _PAIR.finditer(text[:4000])}


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] + value[-1] in ('""', "<>"):
        return value[1:-1].replace('\\"', '"')
    return value


def _sender(address: str | None) -> str | None:
    """The null sender is written as <> or as <@>."""
    return "" if address == "@" else address
