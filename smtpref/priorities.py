"""What to do first: the messages that failed, by what has to be done about them, ordered by the mail that it would free.

"Remove" is safe to feed to a suppression list unread: only addresses that bounced hard, that nothing else in the input was delivered to, and
that are not part of a burst of unknown users at one large domain, which is a fault over there more often than the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .messages import NONE, Message, time_text
from .model import Action, Actor, Bounce, Direction, Outcome

WAIT_AND_CHECK = "wait-and-check"
"""Hard by its words, and not to be trusted: wait, and check before any address is removed."""

UNSUBSCRIBE = "unsubscribe"
"""A complaint: the address receives mail, and does not want it."""

WAITING = frozenset((Action.RETRY_LATER.value, WAIT_AND_CHECK, Action.NONE.value))
"""Actions that free nothing by being done; they come after those that do."""

LARGE_DOMAIN = 200
"""Messages of an input that make a domain a large one; the domains of known providers always are."""

BURST = 10
"""Unknown users within an hour that may be a burst,"""

BURST_SHARE = 0.3
"""and the share of that hour's messages to their domain that makes them one; a worn-out list has a tenth of it."""

RISE_SHARE, RISE = 0.1, 4
"""Or a smaller share, where it is several times that of the other hours."""

UNKNOWN_USER = "user-unknown"
_SETTLED = frozenset(("success", "in-progress", "waiting"))


class Task(NamedTuple):
    """Something to do, and the messages that it is about."""

    action: str
    acts: str
    messages: int
    domains: dict[str, int]
    senders: dict[str, int]
    reasons: dict[str, int]
    first: str | None
    last: str | None
    last_success: str | None
    """The last delivery to the domain that most of the messages were for."""

    example: str | None
    match: str
    """The words of the example that decided."""

    addresses: dict[str, int]
    """The addresses to remove, of that action, and their messages; no other has any."""

    @property
    def is_waiting(self) -> bool:
        """Whether there is nothing to do but to wait."""
        return self.action in WAITING

    def to_dict(self) -> dict[str, Any]:
        """The documented keys."""
        row = {name: value for name, value in self._asdict().items() if name not in ("match", "addresses")}
        return row | {"addresses": sorted(self.addresses)} if self.action == Action.REMOVE_ADDRESS else row


class Example(NamedTuple):
    """A reply as it came, and the words of it that decided."""

    text: str
    match: str
    recipient: int
    """A hash of whom it was about."""

    shape: str


def is_failure(message: Message) -> bool:
    """Whether a message that this server sent did not arrive, or was not wanted."""
    facts = message.facts
    if facts.direction != Direction.OUTBOUND or facts.reason in _SETTLED:
        return False
    return facts.action != Action.NONE or facts.bounce != Bounce.NONE


class Doubts(NamedTuple):
    """What speaks against condemning an address: its domain's burst of unknown users in an hour, and a delivery to it."""

    bursts: frozenset[tuple[str, str | None]]
    reached: frozenset[int]


def find_tasks(messages: Iterable[Message], examples: Mapping[tuple[str, str], Sequence[Example]]) -> tuple[Task, ...]:
    """Return what to do, first things first; goes over `messages` several times.

    `examples` are replies by reason and action, the most frequent first.
    """
    hard = {message.recipient for message in messages if message.address}
    doubts = Doubts(_bursts(messages), frozenset(m.recipient for m in messages if m.recipient in hard and _is_delivered(m)))
    successes = _last_successes(messages)
    gathered: dict[tuple[str, str], _Gathering] = {}
    for message in messages:
        if is_failure(message):
            gathered.setdefault(_task_of(message, doubts), _Gathering()).add(message)
    tasks = [gathering.task(key, successes, examples) for key, gathering in gathered.items()]
    return tuple(sorted(tasks, key=lambda task: (task.is_waiting, -task.messages, task.action, task.acts)))


def ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts, most first; those that are equal by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _is_delivered(message: Message) -> bool:
    return message.facts.outcome == Outcome.DELIVERED and not is_failure(message)


def _task_of(message: Message, doubts: Doubts) -> tuple[str, str]:
    facts = message.facts
    if facts.action != Action.REMOVE_ADDRESS:
        return facts.action, facts.acts
    if facts.bounce != Bounce.HARD:
        return UNSUBSCRIBE, facts.acts
    is_in_burst = facts.reason == UNKNOWN_USER and (message.domain, message.hour) in doubts.bursts
    if is_in_burst or message.recipient in doubts.reached or not message.address:
        return WAIT_AND_CHECK, Actor.SENDER.value
    return facts.action, facts.acts


class _Gathering:
    """The messages of one task."""

    def __init__(self) -> None:
        self._domains: Counter[str] = Counter()
        self._senders: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._replies: Counter[tuple[str, str]] = Counter()
        self._addresses: Counter[str] = Counter()
        self._recipients: set[int] = set()
        self._times: list[tuple[int, str]] = []

    def add(self, message: Message) -> None:
        self._domains[message.domain] += 1
        self._senders[message.sender] += 1
        self._reasons[message.facts.reason] += 1
        self._replies[message.facts.reason, message.facts.action] += 1
        if message.address:
            self._addresses[message.address] += 1
            self._recipients.add(message.recipient)
        times = [(time, message.offset) for time in (message.first, message.last) if time is not None]
        if times:
            times += self._times
            self._times = [min(times), max(times)]

    def task(
        self, key: tuple[str, str], successes: Mapping[str, tuple[int, str]], examples: Mapping[tuple[str, str], Sequence[Example]]
    ) -> Task:
        action, acts = key
        domains, replies = ordered(self._domains), sorted(self._replies, key=lambda pair: (-self._replies[pair], pair))
        success = successes.get(next((name for name in domains if name != NONE), NONE))
        is_named = action == Action.REMOVE_ADDRESS
        found = [example for reply in replies for example in examples.get(reply, ())]
        example = self._named(found) if is_named else next(iter(found), None)
        return Task(
            action,
            acts,
            self._reasons.total(),
            domains,
            ordered(self._senders),
            ordered(self._reasons),
            time_text(*self._times[0]) if self._times else None,
            time_text(*self._times[1]) if self._times else None,
            time_text(*success) if success else None,
            example.text if example else None,
            example.match if example else "",
            ordered(self._addresses) if is_named else {},
        )

    def _named(self, found: Sequence[Example]) -> Example | None:
        """An example about an address that is to be removed, or else one that names nobody."""
        masked = found[0]._replace(text=found[0].shape, match="") if found else None
        return next((example for example in found if example.recipient in self._recipients), masked)


def _bursts(messages: Iterable[Message]) -> frozenset[tuple[str, str | None]]:
    """The domains and hours in which unknown users came in a burst."""
    sent: Counter[tuple[str, str]] = Counter()
    unknown: Counter[tuple[str, str]] = Counter()
    large: set[str] = set()
    for message in messages:
        facts = message.facts
        if facts.direction != Direction.OUTBOUND or message.hour is None:
            continue
        sent[message.domain, message.hour] += 1
        if facts.provider != NONE:
            large.add(message.domain)
        if facts.reason == UNKNOWN_USER:
            unknown[message.domain, message.hour] += 1
    all_sent, all_unknown = _by_domain(sent), _by_domain(unknown)
    large |= {domain for domain, count in all_sent.items() if count >= LARGE_DOMAIN}
    found = set()
    for (domain, hour), count in unknown.items():
        if domain not in large or count < BURST:
            continue
        share = count / sent[domain, hour]
        others = all_sent[domain] - sent[domain, hour]
        usual = (all_unknown[domain] - count) / others if others else 0.0
        if share >= BURST_SHARE or (others and share >= RISE_SHARE and share >= RISE * usual):
            found.add((domain, hour))
    return frozenset(found)


def _by_domain(counts: Mapping[tuple[str, str], int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (domain, _), count in counts.items():
        found[domain] += count
    return found


def _last_successes(messages: Iterable[Message]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for message in messages:
        if message.last is not None and message.facts.direction == Direction.OUTBOUND and _is_delivered(message):
            time = (message.last, message.offset)
            found[message.domain] = max(found.get(message.domain, time), time)
    return found
