"""Every message once, with what was last said of it: records go in, in any order, and messages come out.

A message is what one host, queue id and recipient have in common; a record without a queue id is a message of its own. Of a message there
are kept hashes and small numbers, in columns, since an input may have millions; what the numbers stand for is kept once.
"""

from __future__ import annotations

from array import array
from bisect import bisect, bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress, islice
from operator import eq
from typing import NamedTuple

from .closed import Closed
from .hashes import hash_of
from .model import Action, Bounce, Direction, Outcome
from .moments import Moments
from .patterns import lazily
from .rows import NONE, Columns, Facts, Listing, Rows
from .shapes import Names, sender_shape

NULL_SENDER = "<>"
MAX_NAMES = 100_000
"""Domains, and senders, that are told apart; of more of them only the ends of their names are."""

FEW_ROWS = 300_000
"""Rows below which none are brought together before somebody asks."""

NEW_ROWS = 150_000
"""Rows that were read last, to which something may still be added whatever they say."""

ROWS_AT_ONCE = 400_000

_UNTIMED = -(1 << 61)
"""Times below this are no times but places in an input: what has a time comes after what has none."""

# What a suppression list can hold: one address, and nothing beside it.
_ADDRESS = lazily(r"[^\s@,;<>\x00-\x1f\x7f]+@[^\s@,;<>\x00-\x1f\x7f]+")

# How much an outcome settles, where two records of a message have the same time.
_FINALITY = {NONE: 0, Outcome.DEFERRED.value: 1, Outcome.COMPLAINT.value: 3}


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


class _Few:
    """Numbers of few rows, which come in the order of the rows: a quarter of what a dictionary takes."""

    def __init__(self) -> None:
        self._rows = array("I")
        self._values = array("q")

    def add(self, row: int, value: int) -> None:
        self._rows.append(row)
        self._values.append(value)

    def get(self, row: int) -> int | None:
        place = bisect_left(self._rows, row)
        return self._values[place] if place < len(self._rows) and self._rows[place] == row else None

    def rows(self) -> Sequence[int]:
        return self._rows

    def items(self) -> Iterator[tuple[int, int]]:
        return zip(self._rows, self._values, strict=True)

    def remove(self, gone: Sequence[int], stay: Sequence[int]) -> None:
        """Leave out the rows that are gone; the others move up."""
        staying = [stay[row] for row in self._rows]
        self._values = array("q", compress(self._values, staying))
        self._rows = array("I", [row - bisect(gone, row) for row in compress(self._rows, staying)])


class _FewTexts:
    """Texts of few rows, one behind the other: a third of what strings take."""

    def __init__(self) -> None:
        self._begins = _Few()
        self._bytes = bytearray()

    def add(self, row: int, text: str) -> None:
        self._begins.add(row, len(self._bytes))
        self._bytes += text.encode("utf-8", "surrogatepass") + b"\n"

    def get(self, row: int) -> str | None:
        begin = self._begins.get(row)
        return None if begin is None else self._bytes[begin : self._bytes.index(b"\n", begin)].decode("utf-8", "surrogatepass")

    def rows(self) -> Sequence[int]:
        return self._begins.rows()

    def remove(self, gone: Sequence[int], stay: Sequence[int]) -> None:
        """Leave out the rows that are gone; the others move up."""
        begins, written = self._begins, self._bytes
        begins.remove(gone, stay)
        self._begins, self._bytes = _Few(), bytearray()
        for row, begin in begins.items():
            self._begins.add(row, len(self._bytes))
            self._bytes += written[begin : written.index(b"\n", begin) + 1]


class Messages:
    """Takes records in any order and gives messages.

    Each record is a row; the rows of one message become one before anybody asks, and while there are too many. A delivery that so much was
    read since is closed: if its id comes again, that is another message.
    """

    def __init__(self, facts: Sequence[Facts]) -> None:
        self._facts = facts
        """What rows tell by numbers; more may come, before the first row that tells them."""

        self._columns = {name: array(code) for name, code in _COLUMNS.items()}
        self._domains = Names(MAX_NAMES, _registered, _top)
        self._senders = Names(MAX_NAMES, _registered_sender, _top_sender)
        self._moments = Moments()
        self._listings = Names(MAX_NAMES)
        self._closed = Closed()
        self._firsts: dict[int, int] = {}
        self._listed = _Few()
        self._following = _Few()
        self._addresses = _FewTexts()
        self._taken_back: set[tuple[int, int]] = set()
        self._count = 0
        self._unidentified = 0
        self._limit = FEW_ROWS
        self._is_settled = True
        self._handed_over: set[int] = set()
        self._counts: list[tuple[Facts, str, str | None, int]] | None = None

    def add(self, rows: Rows, columns: Columns) -> None:
        """Take records: the message of each is new, or known and then changed by whatever is said last."""
        if self._count >= self._limit:
            self._settle()
            self._close()
            self._limit = self._count + max(FEW_ROWS - NEW_ROWS, self._count // 4)
        first = self._count
        hosts, queue_ids, senders, addresses, times, lines = columns
        recipients = [address.lower() if address else "" for address in addresses]
        groups = [hash((host, queue_id)) if queue_id else 0 for host, queue_id in zip(hosts, queue_ids, strict=True)]
        alone = iter(range(self._unidentified, self._unidentified + len(groups)))
        self._unidentified += groups.count(0)
        moments = {time: self._moments.moment(time) for time in dict.fromkeys(times) if time}
        moments_of = [moments[time] if time else (2 * _UNTIMED + line, 0) for time, line in zip(times, lines, strict=True)]
        domains = [recipient.rpartition("@")[2] or NONE for recipient in recipients]
        shapes = [sender and sender_shape(sender) for sender in senders]
        domain_numbers = {domain: self._domains.number(domain) for domain in dict.fromkeys(domains)}
        sender_numbers = {shape: self._senders.number(shape or NULL_SENDER) + 1 for shape in dict.fromkeys(shapes) if shape is not None}
        added: dict[str, Iterable[int]] = {
            "key": [hash((group, recipient) if group else ("", next(alone))) for group, recipient in zip(groups, recipients, strict=True)],
            "group": groups,
            "recipient": [hash_of(recipient) if recipient else 0 for recipient in recipients],
            "last": [when for when, _ in moments_of],
            "facts": rows.facts,
            "domain": map(domain_numbers.__getitem__, domains),
            "sender": [0 if shape is None else sender_numbers[shape] for shape in shapes],
            "hour": [hour for _, hour in moments_of],
        }
        for name, values in added.items():
            self._columns[name].extend(values)
        self._count += len(rows.facts)
        self._is_settled = False
        self._counts = None
        for row, (host, queue_id, group) in enumerate(zip(hosts, rows.handed_over, groups, strict=True), first):
            if queue_id and group and (following := hash((host, queue_id))) != group:
                self._following.add(row, following)
        self._remark(first, rows, recipients)

    def of(self, are: Callable[[Facts], bool]) -> Iterator[Message]:
        """The messages with such facts, but for closed ones; those only handed over to a filter on their own host are told by what followed."""
        chosen = self._chosen(are)
        columns = self._columns
        for row in compress(range(self._count), chosen):
            last = columns["last"][row]
            first = self._firsts.get(row, last)
            hour, offset = self._moments.hour(columns["hour"][row])
            listed = self._listed.get(row)
            yield Message(
                self._facts[columns["facts"][row]],
                self._domains[columns["domain"][row]],
                self._sender(columns["sender"][row]),
                hour,
                first if first > _UNTIMED else None,
                last if last > _UNTIMED else None,
                offset,
                columns["recipient"][row],
                self._addresses.get(row),
                Listing(*self._listings[listed].split("\t")) if listed is not None else None,
            )

    def counts(self) -> Sequence[tuple[Facts, str, str | None, int]]:
        """How many messages have the same facts, domain and hour, more cheaply than from the messages; the same may come again."""
        if self._counts is None:
            self._counts = list(self._count_them())
        return self._counts

    def _count_them(self) -> Iterator[tuple[Facts, str, str | None, int]]:
        closed = (((facts, domain, hour), count) for facts, domain, _, hour, count in self._closed.counts())
        for (facts, domain, hour), count in chain(closed, self._counted("facts", "domain", "hour")):
            yield self._facts[facts], self._domains[domain], self._moments.hour(hour)[0], count

    def counts_of_senders(self) -> Iterator[tuple[Facts, str, int]]:
        """How many messages have the same facts and sender; the same may come again."""
        closed = (((facts, sender), count) for facts, _, sender, _, count in self._closed.counts())
        for (facts, sender), count in chain(closed, self._counted("facts", "sender")):
            yield self._facts[facts], self._sender(sender), count

    def last_of_domains(self, are: Callable[[Facts], bool]) -> dict[str, tuple[int, str]]:
        """The last time, with its offset, of the messages with such facts to each domain."""
        chosen = self._chosen(are)
        latest: dict[tuple[int, int], int] = {}
        closed = ((domain, hour, last) for facts, domain, last, hour in self._closed.latest() if are(self._facts[facts]))
        rows = zip(*(self._columns[name] for name in ("domain", "hour", "last")), strict=True)
        for domain, hour, last in chain(closed, compress(rows, chosen)):
            if last > latest.get((domain, hour), _UNTIMED):
                latest[domain, hour] = last
        found: dict[str, tuple[int, str]] = {}
        for (domain, hour), last in latest.items():
            time, name = (last, self._moments.hour(hour)[1]), self._domains[domain]
            found[name] = max(found.get(name, time), time)
        return found

    def latest(self) -> int | None:
        """The last time that anything was said of any message."""
        self._settle()
        last = max(chain(self._columns["last"], (last for _, _, last, _ in self._closed.latest())), default=_UNTIMED)
        return last if last > _UNTIMED else None

    def recipients(self, are: Callable[[Facts], bool]) -> Iterator[int]:
        """The recipients of the messages with such facts, and of all closed deliveries."""
        chosen = self._chosen(are)
        return chain(self._closed.reached, compress(self._columns["recipient"], chosen))

    def condemned(self) -> Iterator[frozenset[int]]:
        """The recipients of hard bounces, some at a time."""
        self._settle()
        recipients = map(self._columns["recipient"].__getitem__, self._addresses.rows())
        while some := frozenset(islice(recipients, ROWS_AT_ONCE)):
            yield some

    def reached_before(self) -> frozenset[int]:
        """Recipients of deliveries that something else was said of later, as where an id is used again."""
        self._settle()
        groups = set(self._columns["group"]) if self._taken_back else ()
        return frozenset(recipient for recipient, following in self._taken_back if not following or following not in groups)

    def _remark(self, first: int, rows: Rows, recipients: list[str]) -> None:
        """Keep who is listed where, and whose address is to be removed."""
        for place, listing in rows.listings.items():
            self._listed.add(first + place, self._listings.number("\t".join(listing)))
        dead = frozenset(number for number in set(rows.facts) if _is_dead(self._facts[number]))
        for place in [place for place, number in enumerate(rows.facts) if number in dead]:
            if _ADDRESS.fullmatch(recipients[place]):
                self._addresses.add(first + place, recipients[place])

    def _chosen(self, are: Callable[[Facts], bool]) -> bytearray:
        """For each row whether it is a message with such facts."""
        self._settle()
        chosen = bytearray(map(bytes(map(are, self._facts)).__getitem__, self._columns["facts"]))
        for row in self._handed_over:
            chosen[row] = False
        return chosen

    def _counted(self, *names: str) -> Iterator[tuple[tuple[int, ...], int]]:
        chosen = self._chosen(lambda _: True)
        rows = compress(zip(*(self._columns[name] for name in names), strict=True), chosen)
        while counts := Counter(islice(rows, ROWS_AT_ONCE)):
            yield from counts.items()

    def _sender(self, number: int) -> str:
        return self._senders[number - 1] if number else NONE

    def _settle(self) -> None:
        """Make the rows of each message one, by what was said last, and find those that only hand a message over."""
        if self._is_settled:
            return
        self._is_settled = True
        gone = sorted(row for rows in self._repeated() for row in self._merged(rows))
        if gone:
            self._remove(gone)
        columns = self._columns
        following = {name for _, name in self._following.items()}
        following.intersection_update(columns["group"])
        self._handed_over = {row for row, name in self._following.items() if name in following}

    def _close(self) -> None:
        """Keep less of the settled messages that are only counted, and that nothing was said of for long."""
        columns = self._columns
        facts, groups = columns["facts"], columns["group"]
        old = range(max(0, self._count - NEW_ROWS))
        # What goes on with a message that stays must stay, or the message would be counted twice.
        followed: set[int] = set()
        more = {name for row, name in self._following.items() if row >= old.stop}
        while not more <= followed:
            followed |= more
            more = {name for row, name in self._following.items() if row < old.stop and groups[row] in followed}
        is_counted = bytes(map(_is_only_counted, self._facts))
        closing = [row for row in old if is_counted[facts[row]] and groups[row] not in followed]
        if not closing:
            return
        counted = array("I", [row for row in closing if row not in self._handed_over])

        def kept(name: str) -> array[int]:
            return array(columns[name].typecode, map(columns[name].__getitem__, counted))

        is_delivered = [facts.outcome == Outcome.DELIVERED for facts in self._facts]
        reached = compress(kept("recipient"), map(is_delivered.__getitem__, kept("facts")))
        self._closed.add(*map(kept, ("facts", "domain", "sender", "hour", "last")), reached=reached)
        self._remove(closing)
        self._is_settled = False

    def _repeated(self) -> Iterable[list[int]]:
        """The rows of each message that has several."""
        keys = self._columns["key"]
        parts = 1 + len(keys) // ROWS_AT_ONCE
        repeated: set[int] = set()
        for part in range(parts):
            some = sorted(key for key in keys if key % parts == part) if parts > 1 else sorted(keys)
            repeated.update(compress(some, map(eq, some, islice(some, 1, None))))
        rows: dict[int, list[int]] = {}
        for row, key in enumerate(keys) if repeated else ():
            if key in repeated:
                rows.setdefault(key, []).append(row)
        return rows.values()

    def _merged(self, rows: list[int]) -> Iterator[int]:
        """Make one row of a message's; yields the others."""
        columns = self._columns
        last = max(rows, key=self._rank)
        firsts = [first for row in rows if (first := self._firsts.get(row, columns["last"][row])) > _UNTIMED]
        if firsts:
            self._firsts[last] = min(firsts)
        senders = [sender for row in rows if (sender := columns["sender"][row])]
        if senders:
            # Later records often do not know the sender.
            columns["sender"][last] = min(senders, key=self._sender)
        was_delivered = self._outcome(last) == Outcome.DELIVERED
        for row in rows:
            if row != last:
                if not was_delivered and self._outcome(row) == Outcome.DELIVERED:
                    self._taken_back.add((columns["recipient"][row], self._following.get(row) or 0))
                yield row

    def _outcome(self, row: int) -> str:
        return self._facts[self._columns["facts"][row]].outcome

    def _rank(self, row: int) -> tuple[object, ...]:
        """What is greater for what was said later: by time, else by what settles more; never by the order of reading."""
        when, facts = self._columns["last"][row], self._facts[self._columns["facts"][row]]
        final = _FINALITY.get(facts.outcome, 2)
        # The facts themselves come last, so that no two records are alike unless they say the same.
        return (1, when, final, facts) if when > _UNTIMED else (0, final, when, facts)

    def _remove(self, gone: list[int]) -> None:
        stay = bytearray(b"\1") * len(self._columns["key"])
        for row in gone:
            stay[row] = 0
        for name, column in self._columns.items():
            self._columns[name] = array(column.typecode, compress(column, stay))
        self._count -= len(gone)
        for few in (self._listed, self._following, self._addresses):
            few.remove(gone, stay)
        self._firsts = {row - bisect(gone, row): first for row, first in self._firsts.items() if stay[row]}


_COLUMNS = {
    "key": "q",
    "group": "q",
    "recipient": "q",
    "last": "q",
    "facts": "I",
    "domain": "I",
    "sender": "I",
    "hour": "I",
}


def _is_dead(facts: Facts) -> bool:
    return facts.action == Action.REMOVE_ADDRESS and facts.direction == Direction.OUTBOUND


def _is_only_counted(facts: Facts) -> bool:
    """Whether nobody asks for each message with such facts: it was delivered without a word against that, or refused here."""
    is_success = facts.outcome == Outcome.DELIVERED and facts.bounce == Bounce.NONE and facts.action == Action.NONE
    return is_success or facts.direction == Direction.INBOUND


def _registered(domain: str) -> str:
    return "*." + ".".join(domain.split(".")[-2:])


def _top(domain: str) -> str:
    return "*." + domain.rpartition(".")[2]


def _registered_sender(sender: str) -> str:
    return f"*@{sender.rpartition('@')[2]}"


def _top_sender(sender: str) -> str:
    return f"*@*.{sender.rpartition('.')[2]}"
