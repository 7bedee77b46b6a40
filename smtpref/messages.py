"""Every message once, with what was last said of it: records go in, in any order, and messages come out.

A message is what one host, queue id and recipient have in common; a record without a queue id is a message of its own. Of a message there
are kept hashes and small numbers, in columns, since an input may have millions; what the numbers stand for is kept once.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from .hashes import HashIndex, hash_of
from .model import Action, Classified, Direction, Outcome, Record, Verdict
from .shapes import Names, sender_shape

NONE = "none"
"""What stands for anything that a record does not tell."""

NULL_SENDER = "<>"
MAX_NAMES = 100_000
"""Domains, and senders, that are told apart; of more of them only the ends of their names are."""

_UNTIMED = -(1 << 61)
"""Times below this are no times but places in an input: what has a time comes after what has none."""

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_MINUTES = re.compile(r"([+-])(\d\d):(\d\d)")

# What a suppression list can hold: one address, and nothing beside it.
_ADDRESS = re.compile(r"[^\s@,;<>\x00-\x1f\x7f]+@[^\s@,;<>\x00-\x1f\x7f]+")

# How much an outcome settles, where two records of a message have the same time.
_FINALITY = {NONE: 0, Outcome.DEFERRED.value: 1, Outcome.COMPLAINT.value: 3}

# A hand-over names the id under which the next server, or a content filter's, goes on: Postfix, Exim, Sendmail.
_HANDED_OVER = re.compile(
    r"\bqueued as (?P<postfix>[0-9A-Za-z]{5,24})\b|\bid=(?P<exim>\w{6}-\w{6,11}-\w{2,4})\b|\b(?P<sendmail>\w{14}) Message accepted for delivery"
)


class Facts(NamedTuple):
    """What is counted of a message, beside domain, sender and time."""

    direction: str
    outcome: str
    reason: str
    category: str
    bounce: str
    reply_code: str
    enhanced_code: str
    provider: str
    action: str
    acts: str


class Listing(NamedTuple):
    """What is listed, and in which blocklist, as far as the reply told; empty where it did not."""

    about: str
    blocklist: str


class Message(NamedTuple):
    """A message with what was last said of it. Times are microseconds of `instant`, None where nothing told any."""

    facts: Facts
    domain: str
    sender: str
    hour: str | None
    first: int | None
    last: int | None
    offset: str
    """The offset from UTC of its times, as the input writes it; empty where it writes none."""

    recipient: int
    """A hash of the recipient; 0 where it is unknown."""

    address: str | None
    """The recipient, of a message that is bounced hard, if it is an address."""

    listing: Listing | None
    """Of a message that a list refused."""


class Messages:
    """Takes records in any order and gives messages."""

    def __init__(self) -> None:
        self._index = HashIndex()
        self._groups = HashIndex()
        self._columns = {name: array(code) for name, code in _COLUMNS.items()}
        self._facts: list[Facts] = []
        self._numbers_of_facts: dict[Facts, int] = {}
        self._domains = Names(MAX_NAMES, _registered, _top)
        self._senders = Names(MAX_NAMES, _registered_sender, _top_sender)
        self._hours = Names(MAX_NAMES)
        self._offsets = Names(MAX_NAMES)
        self._listings = Names(MAX_NAMES)
        self._addresses: dict[int, str] = {}
        self._taken_back: set[tuple[int, int]] = set()
        self._unidentified = 0

    def add(self, classified: Classified) -> None:
        """Take a record: its message is new, or known and then changed by whatever is said last."""
        record, verdict = classified
        group = hash_of(record.host, record.queue_id) if record.queue_id else 0
        if group:
            self._groups.add(group)
            key = hash_of(group, (record.recipient or "").lower())
        else:
            self._unidentified += 1
            key = hash_of("", self._unidentified)
        known = len(self._index)
        row = self._index.add(key)
        if row == known:
            for name, column in self._columns.items():
                column.append(_UNTIMED if name in ("first", "last") else 0)
            self._columns["facts"][row] = self._number(Facts(*(NONE,) * len(Facts._fields)))
        when, offset = instant(record.time) if record.time else (2 * _UNTIMED + record.line, "")
        self._set_sender(row, record)
        if record.time and (self._columns["first"][row] <= _UNTIMED or when < self._columns["first"][row]):
            self._columns["first"][row] = when
        facts = facts_of(record, verdict)
        is_last = row == known or self._is_later(row, when, facts)
        if row != known:
            self._note_delivery(row, record, facts, group, is_last=is_last)
        if is_last:
            self._set(row, record, facts, group, (when, offset))
            self._columns["listing"][row] = self._listing(verdict) if facts.action == Action.REQUEST_DELISTING else 0

    def __iter__(self) -> Iterator[Message]:
        """The messages: those that were only handed over to a filter on their own host are told by what followed."""
        columns = self._columns
        for row in range(len(self._index)):
            following = columns["following"][row]
            if following and following in self._groups:
                continue
            first, last, hour = columns["first"][row], columns["last"][row], columns["hour"][row]
            yield Message(
                self._facts[columns["facts"][row]],
                self._domains[columns["domain"][row]],
                self._senders[columns["sender"][row] - 1] if columns["sender"][row] else NONE,
                self._hours[hour - 1] if hour else None,
                first if first > _UNTIMED else None,
                last if last > _UNTIMED else None,
                self._offsets[columns["offset"][row]],
                columns["recipient"][row],
                self._addresses.get(row),
                Listing(*self._listings[columns["listing"][row] - 1].split("\t")) if columns["listing"][row] else None,
            )

    def recipients(self, are: Callable[[Facts], bool]) -> Iterator[int]:
        """The recipients of the messages with such facts, more cheaply than from the messages."""
        chosen = {number for number, facts in enumerate(self._facts) if are(facts)}
        columns = self._columns
        for number, recipient, following in zip(columns["facts"], columns["recipient"], columns["following"], strict=True):
            if number in chosen and not (following and following in self._groups):
                yield recipient

    def condemned(self) -> frozenset[int]:
        """The recipients of hard bounces."""
        return frozenset(self._columns["recipient"][row] for row in self._addresses)

    def _listing(self, verdict: Verdict) -> int:
        return self._listings.number(f"{verdict.about or ''}\t{verdict.blocklist or ''}") + 1

    def reached_before(self) -> frozenset[int]:
        """Recipients of deliveries that something else was said of later, as where an id is used again."""
        return frozenset(recipient for recipient, following in self._taken_back if not following or following not in self._groups)

    def _note_delivery(self, row: int, record: Record, facts: Facts, group: int, *, is_last: bool) -> None:
        """Keep in mind a delivery that is not the last that is said of its message."""
        columns = self._columns
        known = self._facts[columns["facts"][row]]
        if (facts.outcome == Outcome.DELIVERED) == (known.outcome == Outcome.DELIVERED):
            return
        if is_last and known.outcome == Outcome.DELIVERED:
            self._taken_back.add((columns["recipient"][row], columns["following"][row]))
        elif not is_last and facts.outcome == Outcome.DELIVERED:
            self._taken_back.add((columns["recipient"][row], _following(record, group)))

    def _set_sender(self, row: int, record: Record) -> None:
        """The first sender that is known, in the order of names: later records often do not know it."""
        if record.sender is None:
            return
        senders = self._columns["sender"]
        name = sender_shape(record.sender) if record.sender else NULL_SENDER
        if not senders[row] or name < self._senders[senders[row] - 1]:
            senders[row] = self._senders.number(name) + 1

    def _is_later(self, row: int, when: int, facts: Facts) -> bool:
        """Whether a record comes after what is known of its message: by time, else by what settles more; never by the order of reading."""
        known = self._facts[self._columns["facts"][row]]
        return _rank(when, facts) > _rank(self._columns["last"][row], known)

    def _set(self, row: int, record: Record, facts: Facts, group: int, time: tuple[int, str]) -> None:
        columns = self._columns
        recipient = (record.recipient or "").lower()
        columns["facts"][row] = self._number(facts)
        columns["last"][row], offset = time
        columns["offset"][row] = self._offsets.number(offset)
        columns["hour"][row] = self._hours.number(record.time[:13]) + 1 if record.time else 0
        columns["domain"][row] = self._domains.number(recipient.rpartition("@")[2] or NONE)
        columns["recipient"][row] = hash_of(recipient) if recipient else 0
        columns["following"][row] = _following(record, group)
        self._addresses.pop(row, None)
        if facts.action == Action.REMOVE_ADDRESS and record.direction is Direction.OUTBOUND and _ADDRESS.fullmatch(recipient):
            self._addresses[row] = recipient

    def _number(self, facts: Facts) -> int:
        number = self._numbers_of_facts.setdefault(facts, len(self._facts))
        if number == len(self._facts):
            self._facts.append(facts)
        return number


_COLUMNS = {
    "facts": "I",
    "domain": "I",
    "sender": "I",
    "hour": "I",
    "listing": "I",
    "offset": "I",
    "first": "q",
    "last": "q",
    "recipient": "Q",
    "following": "Q",
}


def facts_of(record: Record, verdict: Verdict) -> Facts:
    """What is counted of a record."""
    return Facts(
        record.direction.value if record.direction else NONE,
        record.outcome.value if record.outcome else NONE,
        verdict.reason,
        verdict.category.value,
        verdict.bounce.value,
        str(record.reply_code or NONE),
        str(record.enhanced_code or NONE),
        verdict.provider or NONE,
        verdict.action.value,
        verdict.acts.value,
    )


def instant(time: str) -> tuple[int, str]:
    """The microseconds since 1970 of an ISO 8601 time, and its offset; a time without an offset counts as UTC."""
    moment = datetime.fromisoformat(time)
    offset = moment.utcoffset()
    if offset is None:
        return (moment - _EPOCH) // _MICROSECOND, ""
    # Reckoned in numbers: at the ends of the calendar there is no such moment in UTC.
    return (moment.replace(tzinfo=None) - _EPOCH - offset) // _MICROSECOND, time[-6:]


def time_text(microseconds: int, offset: str = "") -> str:
    """The time of an instant, with the offset that it was written with."""
    sign = _MINUTES.fullmatch(offset)
    minutes = int(sign[1] + "1") * (60 * int(sign[2]) + int(sign[3])) if sign else 0
    moment = _EPOCH + timedelta(microseconds=microseconds, minutes=minutes)
    if sign:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    precision = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision)


def _rank(when: int, facts: Facts) -> tuple[object, ...]:
    final = _FINALITY.get(facts.outcome, 2)
    # The facts themselves come last, so that no two records are alike unless they say the same.
    return (1, when, final, facts) if when > _UNTIMED else (0, final, when, facts)


def _following(record: Record, group: int) -> int:
    """The hash of the message that goes on with this one, if it is on the same host."""
    match = _HANDED_OVER.search(record.text) if group and record.outcome is Outcome.DELIVERED else None
    if not match:
        return 0
    following = hash_of(record.host, match["postfix"] or match["exim"] or match["sendmail"])
    return 0 if following == group else following


def _registered(domain: str) -> str:
    return "*." + ".".join(domain.split(".")[-2:])


def _top(domain: str) -> str:
    return "*." + domain.rpartition(".")[2]


def _registered_sender(sender: str) -> str:
    return f"*@{sender.rpartition('@')[2]}"


def _top_sender(sender: str) -> str:
    return f"*@*.{sender.rpartition('.')[2]}"
