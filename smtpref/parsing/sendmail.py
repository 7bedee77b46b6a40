"""Sendmail: its lines in syslog, `QID: key=value, key=value`, of deliveries (`to=... stat=`) and refusals (`ruleset=... reject=`).

`stat=` holds the words for the mailer's exit status, seldom the peer's reply: sendmail says "User unknown" for whatever 550 it met,
and where `dsn=` tells of something else those words are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..model import ENHANCED_CODE, Direction, EnhancedCode, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply, phase_of
from .stamps import LogLine

_PROGRAM = lazily(r"(?:/\S*/)?(?:sendmail|sm-(?:mta|msp|que|acc|cl|in|out))[\w.-]*$")
# 8.12 and later: eight characters of time and six or more digits of the process; before: fewer.
_QUEUE_ID = r"(?:[0-9A-Za-z]{3,9}\d{5,10}|NOQUEUE)"
_KEYS = (
    r"(?:to|from|ctladdr|delay|xdelay|mailer|pri|relay|dsn|reply|stat|size|class|nrcpts|msgid|proto|daemon|bodytype|arg1|arg2|reject|ntries"
    r"|tls_verify|auth|authid|mech|bits|quarantine|host|addr|helo)"
)
# What no other program writes, where a line lost its program or names another.
_SHAPE = lazily(
    rf"{_QUEUE_ID}: (?:to=.{{1,2000}}, (?:delay|xdelay|mailer)=.{{1,2000}}, stat=|(?:ruleset=\w+, arg1=|Milter: ).{{0,2000}}, reject=)"
)

_ENTRY = lazily(rf"(?:(?P<queue_id>{_QUEUE_ID}): )?(?P<rest>.*)$", re.DOTALL)
_BETWEEN = lazily(rf", (?={_KEYS}=)")
_RULESET = lazily(r"ruleset=(?P<ruleset>\w{1,60}), (?P<keys>.*?)(?:, (?:reject=(?P<reject>.*)|(?P<discard>discard)))$", re.DOTALL)
_MILTER = lazily(
    r"(?:Milter: (?P<command>[\w-]{1,40})|milter=[^,]{1,200}, action=(?P<action>[\w-]{1,40}))(?P<keys>(?:[=:,]| \S).{0,2000}?)?"
    r", (?:reject=(?P<reject>.*)|(?P<discard>discard))$",
    re.DOTALL,
)
_TOLD_CLIENT = lazily(r"<?(?P<recipient>[^<>\s]{1,320}?)>?\.\.\. (?P<text>.*)$", re.DOTALL)
_EXPIRED = lazily(
    rf"{_QUEUE_ID}: (?:sender notify|return to sender|postmaster notify|DSN): (?P<text>(?:Cannot send|Message could not be delivered).*)"
)
# A queue id may start with three digits as well: "425A14aB000111 Message accepted for delivery"
_WITH_CODE = lazily(r"[2-5]\d\d(?:[ -]|$)|[245]\.\d{1,3}\.\d{1,3}(?: |$)")
_SENT = lazily(r"Sent(?:\s*\((?P<text>.*)\)?)?", re.DOTALL)
_RECIPIENTS = lazily(r'((?:"(?:[^"\\]|\\.){0,500}"|<[^<>]{0,500}>|[^,<>"]){1,1000}),?')
_MORE = "[more]"
"""Ends a list of recipients that was too long for the line."""


_PHASES = {
    "check_relay": Phase.CONNECT,
    "check_mail": Phase.MAIL,
    "check_rcpt": Phase.RCPT,
    "check_compat": Phase.RCPT,
    "check_data": Phase.DATA,
    "check_eoh": Phase.END_OF_DATA,
    "check_eom": Phase.END_OF_DATA,
    "check_vrfy": Phase.VRFY,
    "check_expn": Phase.EXPN,
    "check_etrn": Phase.ETRN,
    "from": Phase.MAIL,
    "to": Phase.RCPT,
    "envfrom": Phase.MAIL,
    "envrcpt": Phase.RCPT,
    "header": Phase.END_OF_DATA,
    "eoh": Phase.END_OF_DATA,
    "body": Phase.END_OF_DATA,
    "eom": Phase.END_OF_DATA,
    # The milter library's names for what follows DATA; "data" is the message, as sendmail asks after its end.
    "data": Phase.END_OF_DATA,
}
_OUTBOUND_RULESETS = frozenset(("tls_server", "tls_rcpt", "try_tls"))

# RFC 3463 details that an unknown user may have; any other tells of something that "User unknown" hides.
_USER_DETAILS = frozenset((0, 1, 2, 3, 6, 10))


class SendmailReader(Reader):
    """Reads the lines of sendmail."""

    format = InputFormat.SENDMAIL
    is_of_server = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._senders: Remembered[str] = Remembered()
        # What a milter or a TLS ruleset refused, until sendmail's own line says so.
        self._refusals: Remembered[Record] = Remembered()

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of sendmail is this reader's even where it holds no outcome."""
        stamp = line.stamp or LogLine(None, None, "", line.text)
        if not (_PROGRAM.match(stamp.program) or _SHAPE.match(stamp.message)):
            return None
        match = _ENTRY.match(stamp.message)
        if not match:
            return []
        queue_id = match["queue_id"] if match["queue_id"] != "NOQUEUE" else None
        base = Record(self.source, line.number, self.format, stamp.time, stamp.host, queue_id=queue_id)
        return list(self._read(match["rest"], base))

    def finish(self) -> list[Record]:
        """The refusals that no line of sendmail's own followed."""
        refusals, self._refusals = self._refusals, Remembered()
        return list(refusals.values())

    def _read(self, rest: str, base: Record) -> Iterator[Record]:
        if rest.startswith("to="):
            yield from self._delivery(rest, base)
        elif rest.startswith("from="):
            self._senders[base.queue_id or ""] = _address(_keys(rest).get("from", ""))
        elif "reject=" in rest or rest.endswith(", discard"):
            yield from self._refusal(rest, base)
        elif base.queue_id:
            yield from self._notice(rest, base)

    def _delivery(self, rest: str, base: Record) -> Iterator[Record]:
        before, found, status = rest.partition(", stat=")
        if not found:
            return
        self._refusals.pop(base.queue_id or "", None)
        keys = _keys(before)
        dsn = EnhancedCode.parse(keys["dsn"]) if ENHANCED_CODE.fullmatch(keys.get("dsn", "")) else None
        outcome = _outcome(status, dsn)
        if outcome is None:
            return
        reply = _reply_of(status, keys.get("reply"), dsn)
        relay = keys.get("relay")
        record = base._replace(
            direction=Direction.OUTBOUND,
            outcome=outcome,
            sender=self._sender(base.queue_id, keys.get("ctladdr")),
            relay=relay if relay not in ("", "local") else None,
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced or dsn,
            text=reply.text,
        )
        for recipient in _RECIPIENTS.findall(keys.get("to", "")):
            if recipient != _MORE:
                yield record._replace(recipient=_address(recipient))

    def _refusal(self, rest: str, base: Record) -> Iterator[Record]:
        ruleset, milter = _RULESET.match(rest), _MILTER.match(rest)
        match = ruleset or milter
        if not match:
            return
        reply = _parsed(match["reject"] or "")
        record = base._replace(
            direction=Direction.INBOUND,
            outcome=Outcome.DISCARDED if match["discard"] else Outcome.REJECTED,
            sender=self._senders.get(base.queue_id or ""),
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text or "discard",
        )
        if ruleset:
            yield from self._of_ruleset(ruleset["ruleset"], _keys(ruleset["keys"]), record)
        elif milter:
            yield from self._of_milter(milter, record)

    def _of_ruleset(self, ruleset: str, keys: dict[str, str], record: Record) -> Iterator[Record]:
        if ruleset in _OUTBOUND_RULESETS:
            relay = keys.get("relay") or keys.get("arg1")
            self._refusals[record.queue_id or ""] = record._replace(
                direction=Direction.OUTBOUND, outcome=None, relay=relay, phase=Phase.STARTTLS, reply_code=None
            )
            return
        argument = _address(keys["arg1"]) if "arg1" in keys else None
        other = _address(keys["arg2"]) if "arg2" in keys else None
        is_of_recipient = ruleset == "check_rcpt"
        yield record._replace(
            sender=argument if ruleset in ("check_mail", "check_compat") else record.sender,
            recipient=argument if is_of_recipient else other if ruleset == "check_compat" else None,
            client=keys.get("relay"),
            phase=_PHASES.get(ruleset),
        )

    def _of_milter(self, milter: re.Match[str], record: Record) -> Iterator[Record]:
        command = (milter["command"] or milter["action"]).lower()
        keys = _keys(f"{command}{milter['keys'] or ''}")
        recipient = keys.get("to")
        record = record._replace(
            sender=_address(keys["from"]) if "from" in keys else record.sender,
            recipient=_address(recipient) if recipient else None,
            client=keys.get("host") or keys.get("addr") or keys.get("relay"),
            phase=_PHASES.get(command) or phase_of(command),
        )
        if milter["action"]:
            self._refusals[record.queue_id or ""] = record
            return
        self._refusals.pop(record.queue_id or "", None)
        yield record

    def _notice(self, rest: str, base: Record) -> Iterator[Record]:
        """What sendmail says without keys: that it told a client of an unknown user, or that it gave a message up."""
        expired = _EXPIRED.match(rest)
        if expired:
            yield base._replace(
                direction=Direction.OUTBOUND,
                outcome=Outcome.EXPIRED,
                sender=self._senders.get(base.queue_id or ""),
                text=" ".join(expired["text"].split()),
            )
            return
        told = _TOLD_CLIENT.match(rest)
        if told:
            reply = _parsed(told["text"])
            yield base._replace(
                direction=Direction.INBOUND,
                outcome=Outcome.REJECTED,
                sender=self._senders.get(base.queue_id or ""),
                recipient=told["recipient"],
                phase=Phase.RCPT,
                reply_code=reply.code,
                enhanced_code=reply.enhanced,
                text=reply.text,
            )

    def _sender(self, queue_id: str | None, controlling: str | None) -> str | None:
        """The sender of a message; its controlling user stands in for it where the line of its arrival is not there."""
        known = self._senders.get(queue_id or "")
        if known is not None or controlling is None:
            return known
        return _address(re.sub(r" \(\d{1,10}/\d{1,10}\)$", "", controlling))


def _keys(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in _BETWEEN.split(text))
    return {key: value.strip() for key, _, value in pairs}


def _outcome(status: str, dsn: EnhancedCode | None) -> Outcome | None:
    words = status.lower()
    if words.startswith("warning:"):
        return None
    if words.startswith("sent"):
        return Outcome.DELIVERED
    if words.startswith(("deferred", "queued")):
        return Outcome.DEFERRED
    if words.startswith(("cannot send", "message could not be delivered")):
        return Outcome.EXPIRED
    if dsn:
        return {"2": Outcome.DELIVERED, "4": Outcome.DEFERRED}.get(dsn.class_digit, Outcome.BOUNCED)
    return Outcome.BOUNCED


def _reply_of(status: str, full: str | None, dsn: EnhancedCode | None) -> Reply:
    """The peer's reply: `reply=` of 8.16 and later, or what `stat=` quotes; else sendmail's own words."""
    sent = _SENT.match(status)
    words = (sent["text"] or "").removesuffix(")") if sent else re.sub(r"^Deferred:\s*", "", status)
    reply = _parsed(full if full and _WITH_CODE.match(full) else words)
    if str(reply.code) == "403":
        # Sendmail's own rulesets for TLS invent it; no peer sends that.
        return reply._replace(code=None)
    is_misleading = reply.text == "User unknown" and reply.code is None and not _may_be_unknown_user(dsn)
    return reply._replace(text="") if is_misleading else reply


def _parsed(words: str) -> Reply:
    """The reply that starts here, or mere words."""
    return parse_reply(words) if _WITH_CODE.match(words) else Reply(None, None, " ".join(words.split()), None)


def _may_be_unknown_user(dsn: EnhancedCode | None) -> bool:
    return dsn is None or dsn.subject in (0, 2) or (dsn.subject == 1 and dsn.detail in _USER_DETAILS)


def _address(text: str) -> str:
    """The address in `<a@b>`, and anything else as it stands; a pipe or a file keeps its quotes."""
    stripped = text.strip()
    match = re.search(r"<([^<>]*)>$", stripped)
    return match[1] if match else stripped
