"""Delivery status notifications (RFC 3464): the machine-readable part first, and from the human-readable one what it lacks.

A block of fields for the message, then one for each recipient. Real ones break the blocks in two, leave out Diagnostic-Code or cut it
after its first line, and put program's own words where a reply belongs; the part for people then has the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model import Direction, EnhancedCode, Outcome, Record
from ..patterns import lazily
from .failure import ADDRESS, MAX_WORDS, Failure, find_refusal, fuller, says_something
from .message import iso_time
from .reply import Reply, find_reply

MAX_RECIPIENTS = 10_000
MAX_FIELDS = 100_000

Fields = dict[str, str]

_FIELD = lazily(r"^\s{0,8}(?P<name>[A-Za-z][\w-]{1,60})\s?:\s*(?P<value>.*)$")
_NAMES = frozenset(("action", "status"))
_TYPED = lazily(r"^\s*(?P<type>[A-Za-z][\w.&-]{0,40})\s*;\s*(?P<value>.*)$", re.DOTALL)
_STATUS = lazily(r"^\s*(?P<code>[245]\.\d{1,3}\.\d{1,3})\s*(?:\((?P<comment>.*)\))?", re.DOTALL)
# The class in words, as the examples of RFC 3464 have it.
_SAYS_NO_MORE = lazily(
    r"(?:unknown|permanent|temporary|persistent|other|undefined|transient)\b.{0,30}(?:failure|error|status)?$", re.IGNORECASE
)
_QUEUE_ID = lazily(r"^x-[\w-]{1,60}-queue-?id$")
_SENDER = lazily(r"^x-[\w-]{1,60}-sender$")
_ACTIONS = {
    "failed": Outcome.BOUNCED,
    "failure": Outcome.BOUNCED,
    "fail": Outcome.BOUNCED,
    "bounced": Outcome.BOUNCED,
    "expired": Outcome.BOUNCED,
    "delayed": Outcome.DEFERRED,
    "deferred": Outcome.DEFERRED,
    "delivered": Outcome.DELIVERED,
    "deliverable": Outcome.DELIVERED,
    "relayed": Outcome.DELIVERED,
    "expanded": Outcome.DELIVERED,
}
_OF_CLASS = {"2": Outcome.DELIVERED, "4": Outcome.DEFERRED, "5": Outcome.BOUNCED}

# A program's own words that quote a peer's reply.
_QUOTES = lazily(
    r"^\s*[2-5]\d\d[\s:-]|\bsaid:|refused to talk to me:|\bsaid \(|(?:->|returned:?|response:?|replied:?)\s*[\"']?[45]\d\d[ -]",
    re.IGNORECASE,
)
# Amazon SES gives up with a reply of its own around the last one of the peer.
_GAVE_UP_AFTER = lazily(r"^[45]\d\d 4\.4\.7 Message expired[^<]{0,200}<(?P<last>\d{3} .*)>\s*$", re.DOTALL | re.IGNORECASE)


def read_status(text: str) -> tuple[Fields, list[Fields]]:
    """Return the fields about the message and those about each recipient, names in small letters."""
    whole: Fields = {}
    recipients: list[Fields] = []
    for block in _blocks(text):
        about_message = {name: value for name, value in block.items() if name in _OF_MESSAGE or name.startswith("x-")}
        if "final-recipient" in block or "original-recipient" in block:
            # One more than is kept tells that there are more.
            if len(recipients) <= MAX_RECIPIENTS:
                recipients.append(block)
            whole |= {name: value for name, value in about_message.items() if name in _OF_MESSAGE and name not in whole}
        elif recipients and not recipients[-1].keys() >= _OF_RECIPIENT:
            # An empty line among one recipient's fields.
            recipients[-1] = block | recipients[-1]
        else:
            whole = block | whole
    return whole, [fields if "action" in fields or "status" in fields else whole | fields for fields in recipients]


_OF_MESSAGE = frozenset(("reporting-mta", "received-from-mta", "arrival-date", "original-envelope-id", "dsn-gateway"))
_OF_RECIPIENT = frozenset(("action", "status", "diagnostic-code"))


def status_records(text: str, told: Sequence[Failure], human: str, base: Record) -> Iterator[Record]:
    """The records of a status part; `told` is what the part for people says of each recipient, `human` that part itself."""
    whole, recipients = read_status(text)
    queue_id = next((value.strip() for name, value in whole.items() if _QUEUE_ID.match(name)), None)
    sender = next((_address(value) for name, value in whole.items() if _SENDER.match(name)), base.sender)
    by_recipient = {(failure.recipient or "").lower(): failure for failure in told}
    in_order = told if len(told) == len(recipients) else ()
    for place, fields in enumerate(recipients):
        recipient = _recipient(fields)
        failure = by_recipient.get(recipient.lower()) or (in_order[place] if in_order else None)
        if failure and failure.recipient and not re.fullmatch(ADDRESS, recipient):
            # A pipe or a file, where the part for people has the address.
            recipient = failure.recipient
        status = _STATUS.match(fields.get("status", ""))
        reply = _reply(fields, failure, status, human)
        enhanced = EnhancedCode.parse(_canonical(status["code"])) if status else None
        action = fields.get("action", "").strip().lower().split(" ")[0]
        yield base._replace(
            time=iso_time(fields.get("last-attempt-date", "")) or base.time,
            host=_host(whole.get("reporting-mta")) or base.host,
            direction=Direction.OUTBOUND,
            outcome=_ACTIONS.get(action.strip("();,.")) or (_OF_CLASS[enhanced.class_digit] if enhanced else Outcome.BOUNCED),
            queue_id=queue_id,
            sender=sender,
            recipient=recipient or None,
            relay=_host(fields.get("remote-mta")) or (failure.relay if failure else None),
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced or enhanced,
            text=reply.text,
        )


def _blocks(text: str) -> Iterator[Fields]:
    block: Fields = {}
    last = ""
    for line in text.splitlines()[:MAX_FIELDS]:
        match = _FIELD.match(line)
        name = match["name"].lower() if match else ""
        is_folded = line[:1] in " \t" and bool(block) and not _is_field(name)
        if not line.strip():
            if block:
                yield block
            block, last = {}, ""
        elif match and _is_field(name) and not is_folded:
            # Two recipients without an empty line between them.
            if name == "final-recipient" and name in block:
                yield block
                block = {}
            last = name
            block.setdefault(name, match["value"])
        elif last:
            block[last] = f"{block[last]} {line.strip()}"[: MAX_WORDS * 4]
    if block:
        yield block


def _is_field(name: str) -> bool:
    return name in _NAMES or "-" in name


def _recipient(fields: Fields) -> str:
    """The address that the sender wrote, where there is a field for it: it is the one that a sender can find and remove."""
    values = [_address(fields.get(name, "")) for name in ("original-recipient", "final-recipient", "x-actual-recipient")]
    return next((value for value in values if re.fullmatch(ADDRESS, value)), values[1] or next(filter(None, values), ""))


def _address(value: str) -> str:
    typed = _TYPED.match(value)
    return (typed["value"] if typed else value).strip().strip("<>").strip()


def _host(value: str | None) -> str | None:
    """The name in "dns; mx.example.com (192.0.2.1)"."""
    words = _address(value or "").split()
    return words[0].rstrip(".,;") or None if words else None


def _reply(fields: Fields, failure: Failure | None, status: re.Match[str] | None, human: str) -> Reply:
    reply = _diagnosis(fields.get("diagnostic-code", ""))
    if reply is None and status is None:
        reply = find_reply(fields.get("status", ""))
    said = failure.reply if failure else None
    if reply:
        return fuller(reply, said) if said and said.code else reply
    comment = ((status["comment"] if status else "") or "").strip()
    if comment and not _SAYS_NO_MORE.match(comment) and not (said and said.code):
        return Reply(None, None, comment, None)
    if said and (said.code or said.enhanced or said.text):
        return said
    return Reply(None, None, " ".join(human.split())[:MAX_WORDS] or comment, None)


def _diagnosis(value: str) -> Reply | None:
    """What Diagnostic-Code says: a peer's reply, or a program's words; None where neither."""
    typed = _TYPED.match(value)
    text = " ".join((typed["value"] if typed else value).split())
    if not says_something(text) and not re.match(r"[2-5]\d\d\b", text):
        return None
    gave_up = _GAVE_UP_AFTER.match(text)
    if gave_up:
        text = gave_up["last"]
    is_smtp = typed is None or typed["type"].lower() in ("smtp", "lmtp", "esmtp")
    reply = find_refusal(text) if is_smtp or _QUOTES.search(text) else None
    if reply and (reply.code is None or reply.text or reply.enhanced):
        return reply
    return reply or Reply(None, None, text, None)


def _canonical(code: str) -> str:
    """The digits of "5.01.1" as RFC 3463 writes them."""
    return ".".join(str(int(digits)) for digits in code.split("."))
