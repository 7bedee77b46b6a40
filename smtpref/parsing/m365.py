"""Microsoft 365 message traces as CSV or list: summary, enhanced summary, extended and detail reports.

Each report names its columns in its own way (`RecipientAddress`, `recipient_address`, `Recipient address`), so they are compared by plain
name. A summary has a status, an enhanced summary the events of each recipient (`a@example.com##Receive, Fail;...`), the others an event
and what was answered. Only the extended and detail reports hold a reply.
No captured export was found: the shapes are those of Microsoft's documentation and of third-party test data.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Direction, InputFormat, Outcome, Record
from .tables import Row, TableReader, address_list, any_time, plain
from .tracking import NOTHING, OUTCOMES, Status, last_error, settled, status_of, statuses_of

_TIMES = ("datetime", "datetimeutc", "date", "timestamp", "received", "receivedutc", "origintimestamp", "origintimestamputc")
_IDS = ("messageid", "messagetraceid", "networkmessageid")
_EVENTS = ("eventid", "event")
_RECIPIENTS = ("recipientaddress", "recipient", "recipients")
_BLOCKED = frozenset(("filteredasspam", "quarantine", "quarantined"))


class M365Reader(TableReader):
    """Reads exported message traces; as a list they are handed over by the reader of Exchange, whose lists begin in the same way."""

    format = InputFormat.M365
    hints = ("recipient", "messagetraceid", "message trace id", "detail", "eventid", "status")

    def knows_header(self, names: frozenset[str]) -> bool:
        return is_trace(names)

    def knows_list(self, names: frozenset[str]) -> bool:
        return is_trace(names)

    def reads_lists(self) -> bool:
        return self.only is self.format

    def records_of(self, row: Row) -> Iterator[Record]:
        return trace_records(row, self.source)


def is_trace(names: frozenset[str]) -> bool:
    """Whether these are the columns of a message trace."""
    if names.isdisjoint(_IDS):
        return False
    is_summary = "status" in names and not names.isdisjoint(_RECIPIENTS)
    is_detail = names >= {"event", "detail"}
    is_extended = "eventid" in names and "recipientaddress" in names
    return "recipientstatus" in names or is_summary or is_detail or is_extended


def trace_records(row: Row, source: str) -> Iterator[Record]:
    """The records of a trace's row, one for each recipient of an outcome."""
    for recipient, outcome, event, status in _outcomes(row):
        reply = status.reply
        came_in = row.get("directionality").lower() in ("incoming", "inbound")
        is_blocked = plain(event) in _BLOCKED
        yield Record(
            source,
            row.number,
            InputFormat.M365,
            time=next((time for time in map(any_time, filter(None, map(row.get, _TIMES))) if time), None),
            direction=Direction.OUTBOUND if not is_blocked else Direction.INBOUND if came_in else None,
            outcome=settled(outcome, status),
            queue_id=row.get(*_IDS) or None,
            sender=_sender(row),
            recipient=recipient,
            relay=status.host or row.get("serverhostname") or None,
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text or event,
        )


def _outcomes(row: Row) -> Iterator[tuple[str | None, Outcome, str, Status]]:
    """Recipient, outcome, the trace's own word for it, and what was answered."""
    status = row.get("recipientstatus")
    event = row.get(*_EVENTS, "status", "deliverystatus")
    if "##" in status and not row.get(*_EVENTS):
        yield from _of_enhanced_summary(status)
        return
    outcome = OUTCOMES.get(plain(event))
    if outcome is None:
        return
    recipients: list[str | None] = [*address_list(row.get(*_RECIPIENTS))] or [None]
    detail = row.get("detail", "data") if "detail" in row.cells else ""
    if detail:
        answered = [last_error(detail) if "{LED=" in detail else status_of(detail)] * len(recipients)
    else:
        answered = statuses_of(status, len(recipients))
    for recipient, answer in zip(recipients, answered, strict=True):
        yield recipient, outcome, event, answer


def _of_enhanced_summary(status: str) -> Iterator[tuple[str | None, Outcome, str, Status]]:
    """`address##event, event;address##event`: a recipient's last event that is an outcome."""
    for item in status.split(";"):
        address, _, events = item.partition("##")
        words = [word.strip() for word in events.replace("##", ",").split(",")]
        decisive = [word for word in words if plain(word) in OUTCOMES]
        recipient = address.strip().strip("<>")
        if decisive and recipient:
            yield recipient, OUTCOMES[plain(decisive[-1])], decisive[-1], NOTHING


def _sender(row: Row) -> str | None:
    path, sender = row.get("returnpath"), row.get("senderaddress", "sender")
    if "<>" in (path, sender):
        return ""
    return (sender or path).strip("<>") or None
