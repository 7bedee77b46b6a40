"""Which records `classify` keeps: by reason, bounce, direction, provider, queue id, recipient and time.

Values of one kind are alternatives, kinds are conditions that must all hold. A time without an offset is a clock's: it is compared with
records' times as they are written; one with an offset, and "2h ago", is an instant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from .errors import WrongUsage
from .knowledge import Knowledge
from .model import Bounce, Classified, Direction
from .patterns import lazily

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGE = lazily(
    r"(?P<number>\d{1,6})\s?(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)(?:\sago)?",
    re.IGNORECASE,
)
_TIME = lazily(
    r"(?P<date>\d{4}-\d\d-\d\d)?(?:(?(date)[T\s])(?P<minute>\d\d:\d\d)(?P<second>:\d\d(?P<fraction>\.\d{1,6})?)?\s?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)
_DAYS = {"today": 0, "yesterday": 1}


class Bound(NamedTuple):
    """A time that records are held against."""

    clock: datetime
    """For times without an offset: as a clock shows it."""
    instant: datetime | None = None
    """For times with an offset, where this one has one too."""

    def is_after(self, time: str) -> bool:
        """Whether a record's time lies before this one; raises ValueError where it is no time."""
        written = datetime.fromisoformat(time)
        if self.instant and written.tzinfo:
            return written < self.instant
        return written.replace(tzinfo=None) < self.clock


class Filters(NamedTuple):
    """What a record must be to be kept; what is empty asks for nothing."""

    reasons: frozenset[str] = frozenset()
    bounces: frozenset[Bounce] = frozenset()
    directions: frozenset[Direction] = frozenset()
    providers: frozenset[str] = frozenset()
    queue_ids: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    """Addresses in small letters; "@example.com" is everybody there."""
    since: Bound | None = None
    until: Bound | None = None

    def admit(self, classified: Classified) -> bool:
        """Whether to keep a record; what it does not say matches nothing."""
        record, verdict = classified.record, classified.verdict
        return (
            (not self.reasons or verdict.reason in self.reasons)
            and (not self.bounces or verdict.bounce in self.bounces)
            and (not self.directions or record.direction in self.directions)
            and (not self.providers or verdict.provider in self.providers)
            and (not self.queue_ids or record.queue_id in self.queue_ids)
            and (not self.recipients or self._has_recipient(record.recipient))
            and self._has_time(record.time)
        )

    def _has_recipient(self, recipient: str | None) -> bool:
        if not recipient:
            return False
        address = recipient.lower()
        _, at, domain = address.rpartition("@")
        return address in self.recipients or at + domain in self.recipients

    def _has_time(self, time: str | None) -> bool:
        if self.since is None and self.until is None:
            return True
        try:
            return time is not None and not (self.since and self.since.is_after(time)) and (self.until is None or self.until.is_after(time))
        except ValueError:
            return False


NO_FILTERS = Filters()


def choose_filters(
    knowledge: Knowledge,
    *,
    reasons: Sequence[str] = (),
    bounces: Sequence[Bounce] = (),
    directions: Sequence[Direction] = (),
    providers: Sequence[str] = (),
    queue_ids: Sequence[str] = (),
    recipients: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    now: datetime | None = None,
) -> Filters:
    """Return the filters that a person asks for; raises WrongUsage for a reason, provider or time that there is not."""
    now = now or datetime.now().astimezone()
    by_name = {
        name.lower(): str(block["id"])
        for block in knowledge.providers.values()
        for name in (*block.get("aliases", ()), block["name"], block["id"])
    }
    return Filters(
        _known("reason", reasons, {reason: reason for reason in knowledge.reasons}),
        frozenset(bounces),
        frozenset(directions),
        _known("provider", providers, by_name),
        frozenset(map(str.strip, queue_ids)),
        frozenset(recipient.strip("<> ").lower() for recipient in recipients),
        _bound("since", since, now) if since is not None else None,
        _bound("until", until, now) if until is not None else None,
    )


def _known(option: str, given: Iterable[str], known: Mapping[str, str]) -> frozenset[str]:
    """The identities that `known` has for what was given."""
    found = []
    for name in given:
        identity = known.get(name.strip().lower())
        if identity is None:
            near = dict.fromkeys(known[other] for other in difflib.get_close_matches(name.lower(), known, n=5, cutoff=0.0))
            raise WrongUsage(f"error-{option}", *(f"--{option} {other}" for other in [*near][:3]), given=name)
        found.append(identity)
    return frozenset(found)


def _bound(option: str, given: str, now: datetime) -> Bound:
    """The bound that `given` writes; `until` holds to the end of the day, minute or second that it names."""
    try:
        time, length = _moment(" ".join(given.split()), now)
        if option == "until":
            time += length
        return Bound(time.astimezone().replace(tzinfo=None), time) if time.tzinfo else Bound(time)
    except (ValueError, OverflowError):
        today = f"{now:%Y-%m-%d}"
        raise WrongUsage("error-time", f"--{option} {today}", f'--{option} "{today} 08:30"', f'--{option} "2h ago"', given=given) from None


def _moment(given: str, now: datetime) -> tuple[datetime, timedelta]:
    """When something begins and how long it lasts: a day, a minute, a second, no time at all. Raises ValueError for what is no time."""
    if given.lower() in _DAYS:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        return midnight - timedelta(days=_DAYS[given.lower()]), timedelta(days=1)
    age = _AGE.fullmatch(given)
    if age or given.lower() == "now":
        seconds = int(age["number"]) * _UNITS[age["unit"][0].lower()] if age else 0
        return now - timedelta(seconds=seconds), timedelta()
    parts = _TIME.fullmatch(given.upper())
    if not given or not parts:
        raise ValueError(given)
    date = parts["date"] or f"{now:%Y-%m-%d}"
    if not parts["minute"]:
        return datetime.fromisoformat(date), timedelta(days=1)
    time = datetime.fromisoformat(f"{date}T{parts['minute']}{parts['second'] or ':00'}{parts['zone'] or ''}")
    if parts["fraction"]:
        return time, timedelta(microseconds=1)
    return time, timedelta(seconds=1) if parts["second"] else timedelta(minutes=1)
