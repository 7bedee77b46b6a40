"""What many records come to: counts of messages, what is still stuck, what to do first, and the most frequent replies.

A summary is made from classified records in any order, after whatever filters them or makes them anonymous; it judges and reads nothing.
It counts messages, not attempts (see `messages.py`); only the distinct replies are counted by record. `docs/summary.md` describes the JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from .apart import RECIPIENT, Anatomy
from .hashes import hash_of
from .line_account import LineCounts
from .messages import NONE, REMARKABLE, WORDS_OF_HAND_OVER, Facts, Messages, facts_of, handed_over_as
from .model import STDIN, Action, Bounce, Classified, Direction, InputFormat, Outcome, Record, Verdict
from .moments import instant, time_text
from .parsing.postfix_usual import UsualLine
from .priorities import Example, Task, find_tasks, is_failure, ordered
from .shapes import MAX_TEXT, Names, coarse, sender_shape, shape_of
from .usual import Told, UsualLines

MAX_SHAPES = 5000
"""Shapes of replies that are told apart while reading; of more of them only the first words are."""

MAX_REPLIES = 300
"""Distinct replies of a summary; rarer ones are counted together, by reason."""

MAX_EXAMPLE = 500
LATEST = "\U0010ffff"
"""Later than any time."""

OTHERS = "…"
"""The shape that stands for all the rarer ones of a reason."""

_QUEUES = (InputFormat.POSTQUEUE, InputFormat.POSTQUEUE_JSON, InputFormat.MAILQ)


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


class ReplyGroup(NamedTuple):
    """Replies that differ only in what varies."""

    shape: str
    records: int
    reason: str
    example: str


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
    """Takes classified records, one after another, and gives their summary at the end."""

    def __init__(
        self, names: frozenset[str] = frozenset(), providers: frozenset[str] = frozenset(), anatomy: Anatomy | None = None
    ) -> None:
        self._providers = providers
        self._messages = Messages()
        self._others = Messages()
        self._replies = _Replies(names, anatomy or Anatomy(frozenset()))
        self._kinds: dict[int, _OfKind] = {}
        self._records = 0
        self._queue_from_stdin = False

    def add(self, classified: Classified) -> None:
        """Count a record."""
        self._records += 1
        self._messages.add(classified)
        self._replies.add(classified)
        record = classified.record
        self._queue_from_stdin = self._queue_from_stdin or (record.source == STDIN and record.format in _QUEUES)

    def add_usual(self, usual: Iterable[UsualLine], lines: UsualLines) -> None:
        """Count usual lines: what their records would come to, for the most part known from others of their kinds."""
        known: list[UsualLine] = []
        kinds: list[_OfKind] = []
        handed_over: list[str | None] = []
        remarkable: list[tuple[int, Verdict]] = []
        for line in usual:
            told = lines.told(line)
            if told is None:
                self.add(lines.as_told(told, line, ""))
                continue
            kind = self._kinds.get(told.kind.number) or self._new_kind(told)
            verdict = told.kind.known.verdict
            if kind.is_judged_alone:
                classified = lines.as_told(told, line, "")
                verdict = classified.verdict
                if facts_of(classified.record, verdict) != kind.facts:
                    self.add(classified)
                    continue
            if kind.is_remarkable:
                remarkable.append((len(known), verdict))
            known.append(line)
            kinds.append(kind)
            handed_over.append((handed_over_as(line.text) or handed_over_as(told.text())) if kind.may_be_handed_over else None)
            reply = kind.reply
            reply.records += 1
            if (line.time or "") <= reply.time:
                reply.keep(lines.as_told(told, line, ""), kind.shape)
        if known:
            _, times, hosts, queue_ids, senders, recipients, *_ = columns = tuple(zip(*known, strict=True))
            numbers = [kind.number for kind in kinds]
            first = self._messages.add_rows(numbers, hosts, queue_ids, senders, recipients, times, columns[0], handed_over)
            for place, verdict in remarkable:
                self._messages.remark(first + place, kinds[place].facts, recipients[place], verdict)
            self._records += len(known)

    def _new_kind(self, told: Told) -> _OfKind:
        if len(self._kinds) >= MAX_SHAPES:
            self._kinds.clear()
        shape, known = told.kind.shape, told.kind.known
        facts = facts_of(shape, known.verdict)
        masked, reply = self._replies.of_shape(shape, shape.text, known.verdict)
        kind = self._kinds[told.kind.number] = _OfKind(
            facts,
            self._messages.number_of(facts),
            masked,
            reply,
            known.varies or (bool(known.blamed) and facts.action == Action.REQUEST_DELISTING),
            shape.outcome is Outcome.DELIVERED and any(words in shape.text for words in WORDS_OF_HAND_OVER),
            facts.action in REMARKABLE,
        )
        return kind

    def note(self, classified: Classified) -> None:
        """Take note of a record that is not counted: a delivery speaks against removing its address, whoever asked for what."""
        self._others.add(classified)

    def summary(
        self, lines: LineCounts | None = None, not_understood: Mapping[str, int] | None = None, now: datetime | None = None
    ) -> Summary:
        """The summary of what was added. A queue that is listed on stdin is as old as it is at `now`."""
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
            find_tasks(self._messages, self._others, self._replies.examples(), self._providers),
            failures,
            dict(sorted(failed_hours.items())),
            self._replies.groups(),
            _stuck(self._messages, now if self._queue_from_stdin else None),
            dict(sorted(series.items(), key=lambda pair: (-pair[1], pair[0]))),
            dict(not_understood or {}),
        )


def summarise(classified: Iterable[Classified], names: frozenset[str] = frozenset(), providers: frozenset[str] = frozenset()) -> Summary:
    """Return the summary of classified records; what is in `names` is not masked in replies, `providers` are the domains of known ones."""
    summariser = Summariser(names, providers)
    for item in classified:
        summariser.add(item)
    return summariser.summary()


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


class _Kind(NamedTuple):
    """What replies are counted by."""

    shape: int
    reason: str
    action: str


class _Reply:
    """How often a reply came, and how it was when it came first."""

    def __init__(self) -> None:
        self.records = 0
        self.time = LATEST
        self.example = Example("", "", 0, "")

    @property
    def first(self) -> tuple[str, Example]:
        return self.time, self.example

    def keep(self, classified: Classified, shape: str) -> None:
        """Keep a record as the example, if it is: the earliest, and of those the first by its letters, so that the order of reading does not show."""
        record, verdict = classified
        recipient = hash_of(record.recipient.lower()) if record.recipient else 0
        text = (_codes_of(record) + record.text)[:MAX_EXAMPLE]
        candidate = (record.time or "", Example(text, verdict.evidence.match, recipient, shape))
        self.time, self.example = min(self.first, candidate)


class _OfKind(NamedTuple):
    """What usual lines of a kind are counted by."""

    facts: Facts
    number: int
    shape: str
    reply: _Reply
    is_judged_alone: bool
    """Whether each of its lines has a verdict of its own, that may be counted otherwise."""

    may_be_handed_over: bool
    is_remarkable: bool


class _Replies:
    """The distinct replies, with an example each."""

    def __init__(self, names: frozenset[str], anatomy: Anatomy) -> None:
        self._names = names
        self._anatomy = anatomy
        self._shapes = Names(MAX_SHAPES, coarse, _codes_only)
        self._shape_of = lru_cache(maxsize=MAX_SHAPES)(self._masked)
        self._replies: dict[_Kind, _Reply] = {}

    def add(self, classified: Classified) -> None:
        record, verdict = classified
        apart = self._anatomy.take(record.text[:MAX_TEXT], record.recipient, record.sender)
        shape, reply = self.of_shape(record, apart.shape if apart else record.text, verdict)
        reply.records += 1
        if (record.time or "") <= reply.time:
            reply.keep(classified, shape)

    def of_shape(self, record: Record, shape: str, verdict: Verdict) -> tuple[str, _Reply]:
        """The reply that a record is counted as, whose text has this shape (see `apart.py`), and how the shape is shown."""
        shown = _codes_of(record) + self._shape_of(shape)
        kind = _Kind(self._shapes.number(shown), verdict.reason, verdict.action.value)
        reply = self._replies.get(kind)
        if reply is None:
            reply = self._replies[kind] = _Reply()
        return shown, reply

    def _masked(self, shape: str) -> str:
        return shape_of(shape, "".join(RECIPIENT), self._names)

    def groups(self) -> tuple[ReplyGroup, ...]:
        """The replies, most first; the rarest together, by reason."""
        counts: Counter[tuple[str, str]] = Counter()
        examples: dict[tuple[str, str], tuple[str, Example]] = {}
        for kind, reply in self._replies.items():
            if reply.records:
                key = (self._shapes[kind.shape], kind.reason)
                counts[key] += reply.records
                examples[key] = min(examples.get(key, reply.first), reply.first)
        most = sorted(counts, key=lambda key: (-counts[key], key))
        rest: Counter[str] = Counter()
        of_rest: dict[str, tuple[str, Example]] = {}
        for key in most[MAX_REPLIES:]:
            rest[key[1]] += counts[key]
            of_rest[key[1]] = min(of_rest.get(key[1], examples[key]), examples[key])
        return (
            *(ReplyGroup(shape, counts[shape, reason], reason, examples[shape, reason][1].text) for shape, reason in most[:MAX_REPLIES]),
            *(ReplyGroup(OTHERS, count, reason, of_rest[reason][1].text) for reason, count in ordered(rest).items()),
        )

    def examples(self) -> dict[tuple[str, str], list[Example]]:
        """The examples by reason and action, those of the most frequent replies first."""
        found: dict[tuple[str, str], list[Example]] = {}
        replies = ((kind, reply) for kind, reply in self._replies.items() if reply.records)
        for kind, reply in sorted(replies, key=lambda pair: (-pair[1].records, self._shapes[pair[0].shape], pair[0])):
            found.setdefault((kind.reason, kind.action), []).append(reply.example)
        return found


def _codes_of(record: Record) -> str:
    return "".join(f"{code} " for code in (record.reply_code, record.enhanced_code) if code)


def _codes_only(shape: str) -> str:
    words = shape.split()
    return " ".join([*(word for word in words[:2] if word[0].isdigit()), OTHERS])


def _series_of(facts: Facts) -> Series:
    # What was refused here is no bounce.
    bounce = facts.bounce if facts.direction != Direction.INBOUND else Bounce.NONE.value
    return Series(facts.direction, facts.outcome, facts.reason, bounce, facts.provider)
