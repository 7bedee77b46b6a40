"""PowerMTA: the accounting file, a CSV of which each site chooses the columns.

A record's type says what it is: d delivered, b bounced, t and tq a transient error (of a recipient, of a queue), rb and rs a bounce or
status that came back as a message, f a complaint, r received (no outcome). `dsnDiag` is the reply behind `smtp;`, `dsnStatus` a code with
PowerMTA's own words, `bounceCat` its own category. Without a header, the columns around `dsnAction` are known by what they hold.
Rows of the types t, tq, rb, rs and f are read by the documentation alone: none were found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .facts import enhanced_of
from .reply import Reply, parse_reply
from .tables import Row, TableReader, any_time, fits, plain

_OUTCOMES = {
    "d": Outcome.DELIVERED,
    "b": Outcome.BOUNCED,
    "rb": Outcome.BOUNCED,
    "t": Outcome.DEFERRED,
    "tq": Outcome.DEFERRED,
    "f": Outcome.COMPLAINT,
}
_OF_ACTION = {
    "delivered": Outcome.DELIVERED,
    "relayed": Outcome.DELIVERED,
    "expanded": Outcome.DELIVERED,
    "delayed": Outcome.DEFERRED,
    "failed": Outcome.BOUNCED,
}
_TYPES = frozenset(("r", "rs", *_OUTCOMES))
_OWN_NAMES = frozenset(("timelogged", "dsnstatus", "dsndiag", "bouncecat", "vmta", "dlvsourceip", "feedbacktype", "originalrcptto"))

_ROW = lazily(r'"?(?:d|b|t|tq|r|rb|rs|f)"?,"?(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\d{9,11}(?:\.\d+)?"?,)')
_STATUS = lazily(r"(?P<code>[245]\.\d{1,3}\.\d{1,3})?\s*(?:\((?P<words>.*)\))?\s*$", re.DOTALL)
_REPLY = lazily(r"[2-5]\d\d(?:[ -]|$)")
# What says no more than that something went wrong.
_EMPTY_WORDS = frozenset(("", "undefined status", "other", "success"))
# The columns of a file without a header, as PowerMTA orders them by default, around dsnAction.
_AROUND_ACTION = {-3: "orig", -2: "rcpt", 0: "dsnaction", 1: "dsnstatus", 2: "dsndiag", 3: "dsnmta", 4: "bouncecat"}
_ACTION_PLACES = range(4, 9)


class PowermtaReader(TableReader):
    """Reads PowerMTA's accounting files."""

    format = InputFormat.POWERMTA
    hints = ("type",)

    def knows_header(self, names: frozenset[str]) -> bool:
        return "type" in names and len(names & _OWN_NAMES) > 1

    def may_be_row(self, text: str) -> bool:
        return bool(_ROW.match(text))

    def names_of(self, cells: list[str], header: tuple[str, ...]) -> tuple[str, ...]:
        """By the header, else by the place of dsnAction; a row begins with one of PowerMTA's types."""
        if header and fits(cells, header):
            return header if dict(zip(header, cells, strict=False))["type"].strip() in _TYPES else ()
        if cells[0] not in _TYPES or len(cells) < 6:
            return ()
        place = next((place for place in _ACTION_PLACES if place < len(cells) and cells[place] in _OF_ACTION), None)
        names = [f"column{number}" for number in range(len(cells))]
        names[0], names[1] = "type", "timelogged"
        if place is None:
            # What was received has no delivery status and is no outcome.
            return tuple(names) if cells[0] == "r" and _ROW.match(",".join(cells[:3])) else ()
        for offset, name in _AROUND_ACTION.items():
            if 1 < place + offset < len(names):
                names[place + offset] = name
        return tuple(names)

    def records_of(self, row: Row) -> Iterator[Record]:
        kind, category = row.get("type"), row.get("bouncecat")
        outcome = _OF_ACTION.get(row.get("dsnaction").lower()) if kind == "rs" else _OUTCOMES.get(kind)
        if outcome is None:
            return
        status = _STATUS.match(row.get("dsnstatus"))
        words = (status["words"] if status else row.get("dsnstatus")) or ""
        if outcome is Outcome.BOUNCED and kind == "b" and (plain(category) == "messageexpired" or "expired" in words.lower()):
            outcome = Outcome.EXPIRED
        reply = _reply(row.get("dsndiag"))
        text = reply.text or next((text for text in (words, category) if text.lower() not in _EMPTY_WORDS), "")
        is_attempt = kind in ("d", "b", "t", "tq")
        yield Record(
            self.source,
            row.number,
            self.format,
            time=any_time(row.get("timelogged")),
            direction=None if outcome is Outcome.COMPLAINT else Direction.OUTBOUND,
            outcome=outcome,
            queue_id=row.get("envid", "headermessageid") or None,
            sender=_sender(row),
            recipient=row.get("rcpt", "originalrcptto", "orcpt").removeprefix("rfc822;") or None,
            relay=row.get("dsnmta") or (row.get("dlvdestinationip") if is_attempt else "") or None,
            phase=reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced or (enhanced_of(status["code"]) if status else None),
            text=text,
        )


def _reply(diagnostic: str) -> Reply:
    """The reply in `dsnDiag`; what PowerMTA says itself (`x-pmta;...`) has no code of anybody."""
    kind, separator, rest = diagnostic.partition(";")
    is_typed = bool(separator) and re.fullmatch(r"[\w-]{2,20}", kind) is not None
    text = rest.strip() if is_typed else diagnostic.strip()
    if _REPLY.match(text) and (not is_typed or kind.lower() == "smtp"):
        return parse_reply(text)
    return Reply(None, None, " ".join(text.split()), None)


def _sender(row: Row) -> str | None:
    """A column that is there and empty is the null sender of a bounce; one that is not there says nothing."""
    sender = row.get("orig", "originalmailfrom").strip("<>")
    return sender or ("" if row.get("rcpt") and "orig" in row.cells else None)
