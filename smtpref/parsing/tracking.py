"""What Exchange's tracking log and Microsoft 365's traces share: the names of events, and the status of a recipient.

A status is a bare reply, or a list of named parts in braces: `[{LED=550 5.1.1 ...};{MSG=};{FQDN=host};{IP=address};{LRT=time}]`
(LED is the last error, LRT the last retry), which `last_error` takes apart by the names, in whatever order they stand.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..model import Outcome
from ..patterns import lazily
from .reply import Reply, find_reply, parse_reply

OUTCOMES = {
    "deliver": Outcome.DELIVERED,
    "delivered": Outcome.DELIVERED,
    "send": Outcome.DELIVERED,
    "sendexternal": Outcome.DELIVERED,
    "fail": Outcome.BOUNCED,
    "failed": Outcome.BOUNCED,
    "deliverfail": Outcome.BOUNCED,
    "badmail": Outcome.BOUNCED,
    "defer": Outcome.DEFERRED,
    "deferred": Outcome.DEFERRED,
    "pending": Outcome.DEFERRED,
    "drop": Outcome.DISCARDED,
    "dropped": Outcome.DISCARDED,
    # Microsoft's documentation: "identified as spam, and was rejected or blocked (not quarantined)"
    "filteredasspam": Outcome.REJECTED,
    "quarantine": Outcome.DISCARDED,
    "quarantined": Outcome.DISCARDED,
}
"""By the plain name of the event or status; every other one (receive, expand, resolve, submit, transfer, ...) is no outcome."""

_PART = lazily(r"\{(LED|MSG|FQDN|IP|LRT)=")
_PART_END = lazily(r"\}\s*(?:;\s*$|;?\s*\]|$)|\};\s*$")
_GROUPS = lazily(r"[;,]\s*(?=\[\{)")
_NEXT_STATUS = lazily(r";(?=\s*(?:[245]\d\d[ -]|(?:To|Cc|Bcc)\b|;|$))")
_CARBON = frozenset(("to", "cc", "bcc"))
_STARTS_WITH_CODE = lazily(r"\s*[245]\d\d[ -]")
# What Exchange could not do by itself: the code before it is Exchange's own, nobody answered.
_UNANSWERED = lazily(
    r"Winsock error|Socket error|Failed to connect|DNS query failed|Connection (?:refused|timed out|was forcibly closed)", re.IGNORECASE
)


class Status(NamedTuple):
    """What is said of one recipient."""

    reply: Reply
    host: str | None = None
    """The host that the last attempt went to."""


NOTHING = Status(Reply(None, None, "", None))


def settled(outcome: Outcome, status: Status) -> Outcome:
    """The outcome, where a failure may be that the queue gave up: Exchange has no event of its own for that."""
    is_expired = outcome is Outcome.BOUNCED and "QUEUE.Expired" in status.reply.text
    return Outcome.EXPIRED if is_expired else outcome


def statuses_of(text: str, count: int) -> list[Status]:
    """The statuses of `count` recipients, which stand in the recipients' order."""
    text = text.strip()
    if text.startswith("{") and text.endswith("}") and not text.startswith("{LED="):
        text = text[1:-1].strip()
    pieces = [text]
    if count > 1:
        pieces = _GROUPS.split(text) if "{LED=" in text else [piece.strip(" ;") for piece in _NEXT_STATUS.split(text)]
    if len(pieces) != count:
        # One status for all, or lists that do not agree.
        pieces = [pieces[0]] * count if len(set(pieces)) == 1 else [*pieces, *[""] * count][:count]
    return [status_of(piece) for piece in pieces]


def status_of(text: str) -> Status:
    """The status of one recipient; a mere "To" or "Cc" says nothing."""
    text = text.strip()
    if "{LED=" in text or "{LRT=" in text:
        return last_error(text)
    if not text or text.lower() in _CARBON:
        return NOTHING
    return Status(_reply(text))


def last_error(text: str) -> Status:
    """The last error of a list of named parts."""
    starts = list(_PART.finditer(text))
    parts: dict[str, str] = {}
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        value = text[start.end() : following.start() if following else len(text)]
        end = _PART_END.search(value) if following is None else None
        value = value[: end.start()] if end else value.strip().removesuffix(";").removesuffix("}")
        parts.setdefault(start[1], value.strip())
    return Status(_reply(parts.get("LED", "") or parts.get("MSG", "")), parts.get("FQDN") or parts.get("IP") or None)


def _reply(text: str) -> Reply:
    if not _STARTS_WITH_CODE.match(text):
        found = find_reply(text) if "responded with" in text else None
        return found or Reply(None, None, " ".join(text.split()), None)
    reply = parse_reply(text)
    is_own = _UNANSWERED.search(reply.text) and "responded with" not in reply.text
    return reply._replace(code=None) if is_own else reply
