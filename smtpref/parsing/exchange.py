"""Microsoft Exchange: the message tracking log (CSV, `Get-MessageTrackingLog` as CSV or list) and the SMTP protocol logs.

A tracking row is an outcome by its event (SEND, DELIVER, FAIL, DEFER, ...); recipients and their statuses are lists in the same order.
A protocol row is one line of a conversation (see `sessions.py`): `>` was sent and `<` received, and whether that was a command or a reply
tells which of the two logs it is. Columns are found by the `#Fields:` line; without one, by their number, which differs between versions.
Tracking rows with FAIL or DEFER were seen as list output and as test data only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..model import Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .m365 import is_trace, trace_records
from .sessions import Sessions
from .tables import Row, TableReader, address_list, any_time, fits
from .tracking import OUTCOMES, Status, settled, statuses_of

_UTC = lazily(r"\"?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z\"?,")
_REPLY = lazily(r"[2-5]\d\d(?:[ -]|$)")
_RECEIVE_CONNECTOR = lazily(r"(?P<host>[\w.-]{1,255})\\\S")
# What Exchange's own monitoring sends; nobody waits for it.
_PROBE = lazily(r"healthmailbox[0-9a-f]{6,40}@|(?:inboundproxy|maildeliveryprobe)@(?:inboundproxy|maildeliveryprobe)\.", re.IGNORECASE)

PROTOCOL = ("datetime", "connectorid", "sessionid", "sequencenumber", "localendpoint", "remoteendpoint", "event", "data", "context")
_HEAD = (
    "datetime",
    "clientip",
    "clienthostname",
    "serverip",
    "serverhostname",
    "sourcecontext",
    "connectorid",
    "source",
    "eventid",
    "internalmessageid",
    "messageid",
)
_TAIL = (
    "recipientaddress",
    "recipientstatus",
    "totalbytes",
    "recipientcount",
    "relatedrecipientaddress",
    "reference",
    "messagesubject",
    "senderaddress",
    "returnpath",
    "messageinfo",
    "directionality",
    "tenantid",
    "originalclientip",
    "originalserverip",
    "customdata",
    "transporttraffictype",
    "logid",
    "schemaversion",
)
TRACKING_2007 = (*_HEAD, *_TAIL)
"""Exchange 2007 stops at message-info, 2010 at custom-data."""
TRACKING_2013 = (*_HEAD, "networkmessageid", *_TAIL)


class ExchangeReader(TableReader):
    """Reads Exchange's logs."""

    format = InputFormat.EXCHANGE
    hints = ("eventid", "event-id", "session-id")

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._sessions = Sessions()

    def knows_header(self, names: frozenset[str]) -> bool:
        is_tracking = "eventid" in names and not names.isdisjoint(("internalmessageid", "sourcecontext", "recipients", "connectorid"))
        return (is_tracking and "origintimestamp" not in names) or names >= {"sessionid", "sequencenumber", "event", "data"}

    def knows_list(self, names: frozenset[str]) -> bool:
        return self.knows_header(names) or (self.only is None and is_trace(names))

    def reads_lists(self) -> bool:
        return True

    def may_be_row(self, text: str) -> bool:
        return bool(_UTC.match(text))

    def names_of(self, cells: list[str], header: tuple[str, ...]) -> tuple[str, ...]:
        """Columns by the header where it fits the row, else by their number: a log that is followed live shows no header."""
        if header and header[0] != "datetime":
            # An export of PowerShell's, with names and an order of its own.
            return header if fits(cells, header) else ()
        if not any_time(cells[0]):
            return ()
        if len(cells) == len(PROTOCOL) and cells[6] in "+-<>*" and cells[3].isdigit():
            return PROTOCOL
        if header and fits(cells, header):
            return header
        if 21 <= len(cells) <= 32 and cells[7].isupper() and cells[8].isupper():
            return TRACKING_2007 if len(cells) < 27 else TRACKING_2013
        return ()

    def records_of(self, row: Row) -> Iterator[Record]:
        if "sessionid" in row.cells:
            yield from self._of_conversation(row)
            return
        if "eventid" not in row.cells:
            yield from trace_records(row, self.source)
            return
        outcome = OUTCOMES.get(row.get("eventid").lower())
        recipients = list(address_list(row.get("recipientaddress", "recipients")))
        if outcome is None or not recipients:
            return
        for recipient, status in zip(recipients, statuses_of(row.get("recipientstatus"), len(recipients)), strict=True):
            record = self._record(row, outcome, recipient, status)
            if not (_PROBE.match(recipient) or _PROBE.match(record.sender or "")):
                yield record

    def _record(self, row: Row, outcome: Outcome, recipient: str, status: Status) -> Record:
        connector = _RECEIVE_CONNECTOR.match(row.get("connectorid"))
        outcome = settled(outcome, status)
        is_refusal = outcome is Outcome.BOUNCED and _is_refusal(row, came_in=connector is not None)
        relay = status.host
        if relay is None and (outcome is Outcome.DELIVERED or row.get("source").upper() == "SMTP"):
            relay = row.get("serverhostname") or (row.get("serverip") if row.get("eventid").upper() == "SEND" else None)
        return Record(
            self.source,
            row.number,
            self.format,
            time=any_time(row.get("datetime", "timestamp")),
            host=connector["host"] if connector else None,
            direction=Direction.INBOUND if is_refusal else Direction.OUTBOUND,
            outcome=Outcome.REJECTED if is_refusal else outcome,
            queue_id=row.get("messageid", "networkmessageid", "internalmessageid") or None,
            sender=_sender(row),
            recipient=recipient,
            relay=None if is_refusal else relay or None,
            client=(row.get("clientip", "originalclientip", "clienthostname") or None) if is_refusal else None,
            phase=status.reply.phase,
            reply_code=status.reply.code,
            enhanced_code=status.reply.enhanced,
            text=status.reply.text,
        )

    def _of_conversation(self, row: Row) -> Iterator[Record]:
        key, event, data = row.get("sessionid"), row.get("event"), row.get("data")
        if event in ("+", "-"):
            self._sessions.end(key)
        if event not in ("<", ">") or not data:
            return
        is_reply = bool(_REPLY.match(data))
        session = self._sessions.get(key, is_client=is_reply == (event == "<"))
        if is_reply and session.is_client == (event == "<"):
            connector = _RECEIVE_CONNECTOR.match(row.get("connectorid"))
            base = Record(
                self.source,
                row.number,
                self.format,
                time=any_time(row.get("datetime")),
                host=connector["host"] if connector else None,
                queue_id=key or None,
                relay=row.get("remoteendpoint") or None,
            )
            yield from session.reply(data, base, is_whole=False)
        else:
            session.command(data)


def _is_refusal(row: Row, came_in: bool) -> bool:
    """Whether this server refused mail from outside, instead of failing to pass it on."""
    is_incoming = row.get("directionality").lower() == "incoming"
    source = row.get("source").upper()
    return (source == "SMTP" and came_in) or (source == "AGENT" and is_incoming)


def _sender(row: Row) -> str | None:
    """The envelope's sender where it is the null one, else the address that the log calls the sender."""
    path, sender = row.get("returnpath"), row.get("senderaddress", "sender")
    if path == "<>" or sender == "<>":
        return ""
    return (sender or path).strip("<>") or None
