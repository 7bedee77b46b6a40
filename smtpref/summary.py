"""What many records come to: counts of messages, what is still stuck, what to do first, and the most frequent replies.

A summary is made from classified records in any order, after whatever filters them or makes them anonymous; it judges and reads nothing.
It counts messages, not attempts (see `messages.py`); only the distinct replies are counted by record. `docs/summary.md` describes the JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from .apart import Anatomy
from .beside import BATCH
from .counting import Counting
from .line_account import LineCounts
from .messages import Messages
from .model import Bounce, Classified, Direction, Outcome
from .moments import instant, time_text
from .priorities import Task, find_tasks, is_failure, ordered
from .replies import FoundReplies, ReplyGroup
from .rows import NONE, Columns, Facts, Rows, columns_of
from .shapes import sender_shape


class Maps(NamedTuple):
    """Counts of messages, most first; `hours` in the order of time."""

    outcomes: dict[str, int]
    bounces: dict[str, int]
    reasons: dict[str, int]
    categories: dict[str, int]
    reply_codes: dict[str, int]
    enhanced_codes: dict[str, int]
    providers: dict[str, int]
    domains: dict[str, int]
    senders: dict[str, int]
    hours: dict[str, int]


class Stuck(NamedTuple):
    """The messages that are still in a queue."""

    messages: int
    since: str | None
    """When the oldest was first seen."""

    seconds: int | None
    """How old it is, at the last time that the input tells."""

    reasons: dict[str, int]
    domains: dict[str, int]


class Series(NamedTuple):
    """What messages are told apart by in a monitoring system."""

    direction: str
    outcome: str
    reason: str
    bounce: str
    provider: str


class Summary(NamedTuple):
    """A report on many records."""

    lines: LineCounts
    records: int
    messages: int
    all: Maps
    outbound: Maps
    inbound: Maps
    tasks: tuple[Task, ...]
    failures: int
    failed_hours: dict[str, int]
    replies: tuple[ReplyGroup, ...]
    stuck: Stuck
    series: dict[Series, int]
    not_understood: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The documented keys; keys are only ever added."""
        lines = self.lines
        return {
            "lines": {
                "read": lines.read,
                "in_records": lines.in_records,
                "without_outcome": lines.without_outcome,
                "not_understood": lines.not_understood,
            },
            "records": self.records,
            **self.all._asdict(),
            "actions": [task.to_dict() for task in self.tasks],
            "replies": [reply._asdict() for reply in self.replies],
            "direction": {"inbound": self.inbound._asdict(), "outbound": self.outbound._asdict()},
        }

    def counts(self) -> Iterator[tuple[str, str, int]]:
        """Everything that is counted, a section, a key and a count at a time."""
        row = self.to_dict()
        yield from (("lines", state, count) for state, count in row["lines"].items())
        yield "records", "records", self.records
        for section, counts in self.all._asdict().items():
            yield from ((section, key, count) for key, count in counts.items())
        for task in self.tasks:
            yield "actions", f"{task.action}/{task.acts}", task.messages
        for task in self.tasks:
            yield from ((task.action, address, count) for address, count in task.addresses.items())
        for task in self.tasks:
            yield from (("listings", " ".join(filter(None, listing)), count) for listing, count in task.listings.items())
        yield from (("replies", reply.shape, reply.records) for reply in self.replies)
        for direction, maps in (("inbound", self.inbound), ("outbound", self.outbound)):
            for section, counts in maps._asdict().items():
                yield from ((f"{direction}.{section}", key, count) for key, count in counts.items())


class Summariser:
    """Takes the rows of records, and gives their summary at the end; `providers` are the domains of known ones."""

    def __init__(self, providers: frozenset[str] = frozenset()) -> None:
        self._providers = providers
        self._facts: list[Facts] = []
        self._messages = Messages(self._facts)
        self._others = Messages(self._facts)
        self._records = 0

    def know(self, facts: Iterable[Facts]) -> None:
        """Take facts that rows will tell by numbers, in the order in which they come."""
        self._facts.extend(facts)

    def add(self, rows: Rows, columns: Columns) -> None:
        """Count records."""
        self._records += len(rows.facts)
        self._messages.add(rows, columns)

    def note(self, rows: Rows, columns: Columns) -> None:
        """Take note of records that are not counted: a delivery speaks against removing its address, whoever asked for what."""
        self._others.add(rows, columns)

    def summary(
        self,
        replies: FoundReplies,
        lines: LineCounts | None = None,
        not_understood: Mapping[str, int] | None = None,
        now: datetime | None = None,
    ) -> Summary:
        """The summary of what was added, whose replies these are. Where there is a `now`, what waits is as old as it is then."""
        tallies = {direction: _Tally() for direction in (Direction.INBOUND, Direction.OUTBOUND, NONE)}
        series: Counter[Series] = Counter()
        failures = 0
        failed_hours: Counter[str] = Counter()
        for facts, domain, hour, count in self._messages.counts():
            tallies[facts.direction].add(facts, domain, hour, count)
            series[_series_of(facts)] += count
            if is_failure(facts):
                failures += count
                if hour:
                    failed_hours[hour] += count
        for facts, sender, count in self._messages.counts_of_senders():
            tallies[facts.direction].add_sender(sender, count)
        whole = _Tally()
        for tally in tallies.values():
            whole.merge(tally)
        return Summary(
            lines or LineCounts(),
            self._records,
            whole.messages,
            whole.maps(bounces=tallies[Direction.OUTBOUND].bounces),
            tallies[Direction.OUTBOUND].maps(bounces=tallies[Direction.OUTBOUND].bounces),
            tallies[Direction.INBOUND].maps(bounces=Counter()),
            find_tasks(self._messages, self._others, replies.examples, self._providers),
            failures,
            dict(sorted(failed_hours.items())),
            replies.groups,
            _stuck(self._messages, now),
            dict(sorted(series.items(), key=lambda pair: (-pair[1], pair[0]))),
            dict(not_understood or {}),
        )


def summarise(classified: Iterable[Classified], names: frozenset[str] = frozenset(), providers: frozenset[str] = frozenset()) -> Summary:
    """Return the summary of classified records; what is in `names` is not masked in replies, `providers` are the domains of known ones."""
    counting = Counting(names, Anatomy(frozenset()))
    summariser = Summariser(providers)
    items = iter(classified)
    while some := list(islice(items, BATCH)):
        rows = counting.rows(some)
        summariser.know(counting.new_facts())
        summariser.add(rows, columns_of([item.record for item in some]))
    return summariser.summary(counting.replies())


def as_counted(classified: Classified) -> Classified:
    """A record with the sender that it is counted by, so that one made anew for each message still has one pseudonym."""
    sender = classified.record.sender
    return classified._replace(record=classified.record._replace(sender=sender_shape(sender))) if sender else classified


class _Tally:
    """Counts of one direction."""

    def __init__(self) -> None:
        self._facts: Counter[Facts] = Counter()
        self._domains: Counter[str] = Counter()
        self._senders: Counter[str] = Counter()
        self._hours: Counter[str] = Counter()

    @property
    def messages(self) -> int:
        return self._facts.total()

    @property
    def bounces(self) -> Counter[str]:
        return self._counts("bounce")

    def add(self, facts: Facts, domain: str, hour: str | None, count: int) -> None:
        self._facts[facts] += count
        self._domains[domain] += count
        if hour:
            self._hours[hour] += count

    def add_sender(self, sender: str, count: int) -> None:
        self._senders[sender] += count

    def merge(self, other: _Tally) -> None:
        self._facts.update(other._facts)
        self._domains.update(other._domains)
        self._senders.update(other._senders)
        self._hours.update(other._hours)

    def maps(self, *, bounces: Counter[str]) -> Maps:
        return Maps(
            ordered(self._counts("outcome")),
            ordered(bounces),
            ordered(self._counts("reason")),
            ordered(self._counts("category")),
            ordered(self._counts("reply_code")),
            ordered(self._counts("enhanced_code")),
            ordered(self._counts("provider")),
            ordered(self._domains),
            ordered(self._senders),
            dict(sorted(self._hours.items())),
        )

    def _counts(self, name: str) -> Counter[str]:
        place = Facts._fields.index(name)
        found: Counter[str] = Counter()
        for facts, count in self._facts.items():
            found[facts[place]] += count
        return found


def _is_stuck(facts: Facts) -> bool:
    return facts.direction != Direction.INBOUND and (facts.outcome == Outcome.DEFERRED or facts.reason == "waiting")


def _stuck(messages: Messages, now: datetime | None) -> Stuck:
    """What is still in a queue, and since when."""
    reasons: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    oldest: tuple[int, str] | None = None
    for message in messages.of(_is_stuck):
        reasons[message.facts.reason] += 1
        domains[message.domain] += 1
        if message.first is not None:
            time = (message.first, message.offset)
            oldest = min(oldest or time, time)
    until = messages.latest()
    if now and oldest:
        # A time without an offset is a clock's, and that clock is the one that is here.
        until, _ = instant((now if oldest[1] else now.replace(tzinfo=None)).isoformat())
    seconds = max(0, until - oldest[0]) // 1_000_000 if oldest and until is not None else None
    return Stuck(reasons.total(), time_text(*oldest) if oldest else None, seconds, ordered(reasons), ordered(domains))


def _series_of(facts: Facts) -> Series:
    # What was refused here is no bounce.
    bounce = facts.bounce if facts.direction != Direction.INBOUND else Bounce.NONE.value
    return Series(facts.direction, facts.outcome, facts.reason, bounce, facts.provider)
