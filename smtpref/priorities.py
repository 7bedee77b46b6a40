"""What to do first: the messages that failed, by what has to be done about them, ordered by the mail that it would free.

"Remove" is safe to feed to a suppression list unread: only addresses that bounced hard and that nothing speaks for (see `Doubt`).
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from .messages import Message, Messages
from .model import Action, Actor, Bounce, Direction, Outcome
from .moments import time_text
from .rows import NONE, Facts

WAIT_AND_CHECK = "wait-and-check"
"""Hard by its words, and not to be trusted: wait, and check before any address is removed."""

UNSUBSCRIBE = "unsubscribe"
"""A complaint: the address receives mail, and does not want it."""

WAITING = frozenset((Action.RETRY_LATER.value, WAIT_AND_CHECK, Action.NONE.value))
"""Actions that free nothing by being done; they come after those that do."""

LARGE_DOMAIN = 200
"""Messages of an input that make a domain a large one; the domains of known providers always are."""

BURST = 10
"""Dead addresses within an hour that may be a burst,"""

BURST_SHARE = 0.3
"""and the share of that hour's messages to their domain that makes them one; a worn-out list has a tenth of it."""

RISE_SHARE, RISE = 0.1, 4
"""Or a smaller share, where it is several times that of the other hours."""

_MAILBOX_IS_DEAD = frozenset(("user-unknown", "mailbox-disabled"))
_DOMAIN_IS_DEAD = frozenset(("domain-unknown", "domain-refuses-mail"))
_SETTLED = frozenset(("success", "in-progress", "waiting"))
_HOUR = timedelta(hours=1)


class Doubt(StrEnum):
    """What speaks against removing an address, the strongest first."""

    REACHED = "delivered-too"
    """The input delivered to it as well."""

    NOT_BOUNCED = "not-bounced"
    """The message is still in the queue, as under Postfix's `soft_bounce`, or was never sent, as where an address is only verified."""

    DOMAIN_WORKS = "domain-works"
    """The domain is said not to exist or not to take mail, and belongs to a known provider or was delivered to."""

    LOOKUP = "lookup-fails"
    """Many domains are not found at once, which is a fault of our own resolver more often."""

    BURST = "burst"
    """Many dead addresses at one large domain at once, which is a fault over there more often."""

    NO_ADDRESS = "no-address"
    """What is named is not an address that a suppression list could hold."""


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

    doubts: dict[str, int]
    """Why to wait and check, of that action, and the messages of each doubt."""

    listings: dict[tuple[str, str, str], int]
    """What is listed, the blocklist and the provider that refused, of the action to request delisting; empty where not told."""

    @property
    def is_waiting(self) -> bool:
        """Whether there is nothing to do but to wait."""
        return self.action in WAITING

    def to_dict(self) -> dict[str, Any]:
        """The documented keys."""
        row = {name: value for name, value in self._asdict().items() if name not in ("match", "addresses", "doubts", "listings")}
        if self.action == Action.REMOVE_ADDRESS:
            row["addresses"] = sorted(self.addresses)
        if self.action == WAIT_AND_CHECK:
            row["doubts"] = self.doubts
        if self.action == Action.REQUEST_DELISTING:
            names = ("about", "blocklist", "provider")
            row["listings"] = [
                dict(zip(names, (name or None for name in listing), strict=True)) | {"messages": count}
                for listing, count in self.listings.items()
            ]
        return row


class Example(NamedTuple):
    """A reply as it came, and the words of it that decided."""

    text: str
    match: str
    recipient: int
    """A hash of whom it was about."""

    shape: str


def is_failure(facts: Facts) -> bool:
    """Whether a message that this server sent did not arrive, or was not wanted."""
    if facts.direction != Direction.OUTBOUND or facts.reason in _SETTLED:
        return False
    return facts.action != Action.NONE or facts.bounce != Bounce.NONE


def _is_delivery(facts: Facts) -> bool:
    return facts.outcome == Outcome.DELIVERED and not is_failure(facts)


def _is_sent_delivery(facts: Facts) -> bool:
    # What failed and was delivered all the same is told by its failure.
    is_telling = facts.reason in _MAILBOX_IS_DEAD or facts.reason == "domain-unknown"
    return facts.direction == Direction.OUTBOUND and _is_delivery(facts) and not is_telling


class Testimony:
    """What the whole input says for addresses and domains: deliveries, and when much failed at once."""

    def __init__(self, messages: Messages, others: Messages, providers: Collection[str]) -> None:
        self.last_successes: dict[str, tuple[int, str]] = {}
        self._providers = providers
        self._working: set[str] = set()
        self._reached = messages.reached_before() | others.reached_before()
        for condemned in messages.condemned():
            for part in (messages, others):
                self._reached |= condemned.intersection(part.recipients(_is_delivery))
        sent, dead, lost = _Hourly(), _Hourly(), _Hourly()
        large: set[str] = set()
        for facts, domain, hour, count in chain(messages.counts(), others.counts()):
            if facts.direction != Direction.OUTBOUND:
                continue
            sent.add(domain, hour or "", count)
            if facts.provider != NONE:
                large.add(domain)
            if facts.reason in _MAILBOX_IS_DEAD:
                dead.add(domain, hour or "", count)
            elif facts.reason == "domain-unknown":
                lost.add("", hour or "", count)
            elif _is_delivery(facts):
                self._working.add(domain)
        for part in (messages, others):
            for domain, time in part.last_of_domains(_is_sent_delivery).items():
                self.last_successes[domain] = max(self.last_successes.get(domain, time), time)
        of_providers = {domain for domain in sent.totals if self._is_providers(domain)}
        self._working |= of_providers
        large |= of_providers | {domain for domain, count in sent.totals.items() if count >= LARGE_DOMAIN}
        self._bursts = _bursts(dead, sent, large)
        self._blind = _bursts(lost, sent.together(), {""})

    def _is_providers(self, domain: str) -> bool:
        # A pseudonym stands below its provider's domain: "host2.gmail.com".
        return domain in self._providers or domain.partition(".")[2] in self._providers

    def doubt(self, message: Message) -> Doubt | None:
        """Whether, and why, a hard bounce is not to be trusted."""
        facts, hour = message.facts, message.hour or ""
        if message.recipient in self._reached:
            return Doubt.REACHED
        if facts.outcome in (Outcome.DEFERRED, NONE):
            return Doubt.NOT_BOUNCED
        if facts.reason in _DOMAIN_IS_DEAD and message.domain in self._working:
            return Doubt.DOMAIN_WORKS
        if facts.reason == "domain-unknown" and ("", hour) in self._blind:
            return Doubt.LOOKUP
        if facts.reason in _MAILBOX_IS_DEAD and (message.domain, hour) in self._bursts:
            return Doubt.BURST
        return None if message.address else Doubt.NO_ADDRESS


def find_tasks(
    messages: Messages, others: Messages, examples: Mapping[tuple[str, str], Sequence[Example]], providers: Collection[str] = ()
) -> tuple[Task, ...]:
    """Return what to do, first things first; goes over all messages several times.

    `others` are what the input says beside `messages`, and speak only for addresses and domains. `examples` are replies by reason and
    action, the most frequent first; `providers` are the domains of known providers.
    """
    testimony = Testimony(messages, others, providers)
    named = frozenset(example.recipient for some in examples.values() for example in some)
    gathered: defaultdict[tuple[str, str], _Gathering] = defaultdict(lambda: _Gathering(named))
    for message in messages.of(is_failure):
        key, doubt = _task_of(message, testimony)
        gathered[key].add(message, doubt)
    tasks = [gathering.task(key, testimony.last_successes, examples) for key, gathering in gathered.items()]
    return tuple(sorted(tasks, key=lambda task: (task.is_waiting, -task.messages, task.action, task.acts)))


def ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts, most first; those that are equal by name."""
    return {name: counts[name] for name in _in_order(counts)}


def _in_order(counts: Mapping[str, int]) -> list[str]:
    # Sorted twice, without a pair for each: there may be millions.
    return sorted(sorted(counts), key=counts.__getitem__, reverse=True)


def _task_of(message: Message, testimony: Testimony) -> tuple[tuple[str, str], Doubt | None]:
    facts = message.facts
    if facts.action != Action.REMOVE_ADDRESS:
        return (facts.action, facts.acts), None
    if facts.bounce != Bounce.HARD:
        return (UNSUBSCRIBE, facts.acts), None
    doubt = testimony.doubt(message)
    return ((WAIT_AND_CHECK, Actor.SENDER.value) if doubt else (facts.action, facts.acts)), doubt


class _Gathering:
    """The messages of one task; `named` are the recipients of examples."""

    def __init__(self, named: frozenset[int]) -> None:
        self._named = named
        self._domains: Counter[str] = Counter()
        self._senders: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._replies: Counter[tuple[str, str]] = Counter()
        self._addresses: Counter[str] = Counter()
        self._doubts: Counter[str] = Counter()
        self._listings: Counter[tuple[str, str, str]] = Counter()
        self._recipients: set[int] = set()
        self._first: tuple[int, str] | None = None
        self._last: tuple[int, str] | None = None

    def add(self, message: Message, doubt: Doubt | None) -> None:
        if doubt:
            self._doubts[doubt.value] += 1
        if message.listing:
            provider = message.facts.provider
            self._listings[*message.listing, "" if provider == NONE else provider] += 1
        self._domains[message.domain] += 1
        self._senders[message.sender] += 1
        self._reasons[message.facts.reason] += 1
        self._replies[message.facts.reason, message.facts.action] += 1
        if message.address:
            self._addresses[message.address] += 1
            if message.recipient in self._named:
                self._recipients.add(message.recipient)
        if message.first is not None and message.last is not None:
            first, last = (message.first, message.offset), (message.last, message.offset)
            self._first, self._last = min(self._first or first, first), max(self._last or last, last)

    def task(
        self, key: tuple[str, str], successes: Mapping[str, tuple[int, str]], examples: Mapping[tuple[str, str], Sequence[Example]]
    ) -> Task:
        action, acts = key
        domains, replies = ordered(self._domains), sorted(self._replies, key=lambda pair: (-self._replies[pair], pair))
        success = successes.get(next((name for name in domains if name != NONE), NONE))
        is_named = action == Action.REMOVE_ADDRESS
        found = [example for reply in replies for example in examples.get(reply, ())]
        example = self._example(found) if is_named else next(iter(found), None)
        return Task(
            action,
            acts,
            self._reasons.total(),
            domains,
            ordered(self._senders),
            ordered(self._reasons),
            time_text(*self._first) if self._first else None,
            time_text(*self._last) if self._last else None,
            time_text(*success) if success else None,
            example.text if example else None,
            example.match if example else "",
            self._ordered_addresses() if is_named else {},
            ordered(self._doubts),
            dict(sorted(self._listings.items(), key=lambda pair: (-pair[1], pair[0]))),
        )

    def _ordered_addresses(self) -> dict[str, int]:
        """The addresses, as `ordered`; never twice in memory."""
        names = _in_order(self._addresses)
        counts = array("I", map(self._addresses.__getitem__, names))
        self._addresses.clear()
        return dict(zip(names, counts, strict=True))

    def _example(self, found: Sequence[Example]) -> Example | None:
        """An example about an address that is to be removed, or else one that names nobody."""
        masked = found[0]._replace(text=found[0].shape, match="") if found else None
        return next((example for example in found if example.recipient in self._recipients), masked)


class _Hourly:
    """Messages by domain and hour; those without a time have an hour of their own."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.totals: Counter[str] = Counter()

    def add(self, domain: str, hour: str, count: int = 1) -> None:
        self.counts[domain, hour] += count
        self.totals[domain] += count

    def together(self) -> _Hourly:
        """The same as if all domains were one, without a name."""
        found = _Hourly()
        for (_, hour), count in self.counts.items():
            found.add("", hour, count)
        return found


def _bursts(dead: _Hourly, sent: _Hourly, domains: set[str]) -> frozenset[tuple[str, str]]:
    """Of these domains those, with the hours, in which many of the messages that were sent failed at once."""
    found: set[tuple[str, str]] = set()
    for domain, hour in dead.counts:
        if domain not in domains:
            continue
        count, all_sent = dead.counts[domain, hour], sent.counts[domain, hour]
        share = count / all_sent
        if share >= BURST_SHARE:
            # A burst does not end with the hour, and neither of its parts need be large.
            following = (domain, _next(hour))
            goes_on = following != (domain, hour) and dead.counts[following] >= BURST_SHARE * max(sent.counts[following], 1)
            if goes_on and count + dead.counts[following] >= BURST:
                found |= {(domain, hour), following}
        others = sent.totals[domain] - all_sent
        usual = (dead.totals[domain] - count) / others if others else 0.0
        if count >= BURST and (share >= BURST_SHARE or (others and share >= RISE_SHARE and share >= RISE * usual)):
            found.add((domain, hour))
    return frozenset(found)


def _next(hour: str) -> str:
    """The hour after one; itself where there is none, as after the end of the calendar."""
    try:
        return (datetime.fromisoformat(f"{hour}:00:00") + _HOUR).isoformat()[:13]
    except (ValueError, OverflowError):
        return hour
