"""A summary as blocks: on a terminal one screen, whose first line is the answer; elsewhere all of it.

What is still stuck, what to do first, totals, the most frequent refusals, and what was not understood, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ..knowledge import say
from ..model import Action, Direction, Outcome
from ..patterns import lazily
from ..priorities import UNSUBSCRIBE, WAIT_AND_CHECK, Task
from ..rows import NONE
from ..summary import Maps, Summary
from .views import Bars, Beside, Course, Line, Paragraph, Ranked, Ranking, Role, Span, View, Viewer, grouped, line, span

SETTLED = ("success", "in-progress", "waiting")
"""Reasons that are no failures."""


class Extent(NamedTuple):
    """How much of a summary is shown."""

    tasks: int
    """Tasks with what is known of them."""

    brief: int
    """Tasks after those, of a line each."""

    bars: int
    replies: int
    with_all: bool = False


WHOLE = Extent(tasks=1000, brief=0, bars=50, replies=1000, with_all=True)
TICKET = Extent(tasks=1000, brief=0, bars=10, replies=10, with_all=True)
SCREENS = tuple(
    Extent(*sizes)
    for sizes in (
        (20, 20, 10, 10), (12, 20, 8, 8), (8, 20, 6, 6), (6, 20, 5, 5), (6, 20, 4, 3), (5, 20, 4, 3), (4, 20, 4, 3), (3, 20, 4, 3),
        (3, 20, 3, 3), (3, 20, 3, 2), (3, 20, 2, 2), (2, 20, 2, 2), (1, 20, 2, 2), (1, 20, 2, 1), (3, 5, 2, 2), (3, 3, 2, 1),
        (2, 3, 2, 1), (3, 8, 0, 0), (3, 5, 0, 0), (2, 4, 0, 0), (2, 2, 0, 0), (1, 3, 0, 0), (1, 1, 0, 0),
    )
)  # fmt: skip
"""What fits on a screen, the most first: what to do is given up last."""

FEWEST_OUTCOMES = 4
"""Outcomes and types of bounces that are shown on the smallest screen: all that are common."""

MOST_LISTINGS = 3
MOST_EXPLAINED = 3
"""Listings of a task that are named, and reasons that are explained."""

MOST_DAYS_BY_HOUR = 8
MOST_DAYS = 200
MOST_YEARS = 40
"""How long a time is shown by hour, and by day, and by month."""

_TONES = {
    Outcome.DELIVERED: Role.SUCCESS,
    Outcome.DEFERRED: Role.TEMPORARY,
    Outcome.BOUNCED: Role.PERMANENT,
    Outcome.EXPIRED: Role.PERMANENT,
    "soft": Role.TEMPORARY,
    "hard": Role.PERMANENT,
    "block": Role.PERMANENT,
}
_CODES = lazily(r"(?:[2-5]\d\d )?(?:[245]\.\d{1,3}\.\d{1,3} )?(?<= )")
_WORDS = {"outcomes": "outcome-{}", "bounces": "bounce-{}"}
HERE = "outcomes-here"
"""The key of outcomes of which rejections are only this server's own."""


class SummaryViewer:
    """Makes the views of a summary in one language."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._say = viewer.say
        self._thousands = "." if viewer.language == "vi" else ","

    def view(self, summary: Summary, extent: Extent) -> View:
        """The whole report, as much of it as `extent` asks for."""
        return (
            Paragraph(self.headline(summary)),
            *self._tasks(summary, extent),
            Beside(tuple(self.bars(summary, extent)) if extent.bars else ()),
            Course(self._say("sum-hours"), tuple(even(summary.all.hours).items()), self._thousands),
            *self._replies(summary, extent),
            *self._lines(summary, extent),
            *(() if extent.bars else (Paragraph(line(self._say("sum-no-room"), Role.DIM)),)),
        )

    # Sentences

    def number(self, number: int) -> str:
        """A number as people of this language write it."""
        return grouped(number, self._thousands)

    def messages(self, number: int) -> str:
        """So many messages."""
        return self._say("sum-message" if number == 1 else "sum-messages", n=self.number(number))

    def headline(self, summary: Summary) -> Line:
        """What is still stuck, since when and why."""
        stuck = summary.stuck
        records = self._say("sum-record" if summary.records == 1 else "sum-records", n=self.number(summary.records))
        total = self._say("sum-of-messages", messages=self.messages(summary.messages), records=records)
        if not stuck.messages:
            return (span(self._say("sum-nothing-stuck"), Role.SUCCESS), span(f" · {total}", Role.DIM))
        parts = [span(self._say("sum-stuck", messages=self.messages(stuck.messages)), Role.TEMPORARY)]
        if stuck.since and stuck.seconds is not None:
            parts.append(span(self._say("sum-oldest", since=plain_time(stuck.since)[:16], age=self.age(stuck.seconds)), Role.STRONG))
        reason, count = max(stuck.reasons.items(), key=lambda pair: pair[0] != "waiting")
        if reason != "waiting":
            parts.append(span(self._say("sum-mainly", things=f"{reason} {self.number(count)}")))
        waiting = stuck.reasons.get("waiting", 0)
        if waiting:
            parts.append(span(self._say("sum-not-tried", n=self.number(waiting))))
        return tuple(part for number, text in enumerate(parts) for part in ((Span(" · ", Role.DIM), text) if number else (text,)))

    def age(self, seconds: int) -> str:
        """A duration in its two largest units: "3 d 4 h"."""
        vietnamese = self._viewer.language == "vi"
        units = (("ngày", 86400), ("giờ", 3600), ("phút", 60)) if vietnamese else (("d", 86400), ("h", 3600), ("min", 60))
        parts = []
        for name, size in units:
            count, seconds = divmod(seconds, size)
            if count:
                parts.append(f"{count} {name}")
        return " ".join(parts[:2]) or f"{seconds} {'giây' if vietnamese else 's'}"

    def task_name(self, task: Task) -> str:
        """What is to be done, in a few words."""
        if task.action == Action.REMOVE_ADDRESS:
            count = len(task.addresses)
            return self._say("sum-address" if count == 1 else "sum-addresses", n=self.number(count))
        if task.action in (WAIT_AND_CHECK, UNSUBSCRIBE):
            return self._say(f"sum-{task.action}")
        name: str = say(self._viewer.knowledge.actions[task.action]["name"], self._viewer.language)
        return name

    def actor(self, task: Task) -> str:
        """Who has to act."""
        return self._say(f"sum-actor-{task.acts}")

    def reasons(self, reasons: Mapping[str, int], most: int = 3) -> str:
        """The most frequent reasons with their counts."""
        parts = [f"{reason} {self.number(count)}" if len(reasons) > 1 else reason for reason, count in reasons.items()]
        return ", ".join(parts[:most]) + (" …" if len(parts) > most else "")

    def doubts(self, task: Task) -> str:
        """Why to wait, with the number of messages for each doubt."""
        return ", ".join(self._say(f"sum-doubt-{doubt}", n=self.number(count)) for doubt, count in task.doubts.items())

    def explained(self, summary: Summary, tasks: Iterable[Task]) -> str:
        """The share of the failures that the tasks are about."""
        count = sum(task.messages for task in tasks)
        share = 100 * count / summary.failures
        # Less than all is never rounded to all.
        text = f"{min(share, 99.9):.1f}" if count < summary.failures and share > 99 else f"{share:.0f}"
        text = text.replace(".", ",") if self._viewer.language == "vi" else text
        return self._say("sum-explained", share=f"{text} %", failures=self.messages(summary.failures))

    def circumstances(self, task: Task, *, has_deliveries: bool, is_short: bool = False) -> Iterator[str]:
        """What is listed where, when it was seen, the last success there, the sender behind most of it."""
        for (about, blocklist, provider), count in [*task.listings.items()][:MOST_LISTINGS]:
            where = blocklist or (self.label("providers", provider) if provider else "")
            if about and where:
                yield self._say("sum-listed", about=about, where=where, n=self.number(count))
            elif where:
                yield self._say("sum-listed-by", where=where, n=self.number(count))
            elif about:
                yield f"{about}: {self.number(count)}"
        if task.first and task.last:
            yield self._seen(task.first, task.last)
        domain = next((name for name in task.domains if name != NONE), None)
        if domain:
            # A queue holds no deliveries: that there was none says nothing.
            key = "sum-last-success" if task.last_success else "sum-no-success" if has_deliveries else "sum-most-to"
            yield self._say(key, n=self.number(task.domains[domain]), domain=domain, time=short(task.last_success or ""))
        sender = next((name for name in task.senders if name != NONE), None)
        if sender:
            # What is made anew for each message says nothing, and needs room.
            named = sender[sender.find("@") :] if is_short and "{id}" in sender.partition("@")[0] else sender
            yield self._say("sum-most-from", n=self.number(task.senders[sender]), sender=named)

    def _seen(self, first: str, last: str) -> str:
        """From when to when, with as much of the dates as tells them."""
        if first[:4] != last[:4]:
            return self._say("sum-seen", first=plain_time(first)[:16], last=plain_time(last)[:16])
        if first[:16] == last[:16]:
            return short(first)
        return self._say("sum-seen", first=short(first), last=short(last)[6 if first[:10] == last[:10] else 0 :])

    def command(self, task: Task, most: int = MOST_EXPLAINED) -> str:
        """What explains it: the most frequent of its reasons."""
        return " ".join(("smtpref explain", *[*task.reasons][:most]))

    # Blocks

    def _tasks(self, summary: Summary, extent: Extent) -> Iterator[Paragraph | Ranking]:
        if not summary.failures:
            yield Paragraph(line(self._say("sum-nothing-failed"), Role.SUCCESS))
            return
        # Doubts about removing are as important as removing.
        waiting = [task for task in summary.tasks if task.is_waiting and task.action != WAIT_AND_CHECK]
        doing = [task for task in summary.tasks if task not in waiting]
        detailed, brief, rest = (
            doing[: extent.tasks],
            doing[extent.tasks :][: extent.brief],
            doing[extent.tasks + extent.brief :],
        )
        room = len(waiting) if extent.with_all else max(extent.tasks - len(detailed), 0)
        detailed += waiting[:room]
        waiting = waiting[room:]
        shown = [*detailed, *brief]
        if shown:
            columns = (self._say("sum-column-messages"), self._say("sum-column-domains"))
            has_deliveries = bool(summary.outbound.outcomes.get(Outcome.DELIVERED))
            detail = [self._ranked(task, has_deliveries=has_deliveries, is_short=not extent.with_all) for task in detailed]
            rows = (*detail, *map(self._brief, brief))
            yield Ranking(self._say("sum-do-first"), columns, rows, self._thousands)
        closing = [self.explained(summary, [*shown, *waiting])]
        if rest:
            closing.append(self._say("sum-more", things=self.number(len(rest))))
        if waiting:
            yield Paragraph((span(f"{self._waiting(waiting)} · ", Role.TEMPORARY), span(" · ".join(closing), Role.DIM)))
        else:
            yield Paragraph(line(" · ".join(closing), Role.DIM))

    def _waiting(self, tasks: Iterable[Task]) -> str:
        reasons: dict[str, int] = {}
        for task in tasks:
            for reason, count in task.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + count
        most = dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])))
        text = self._say("sum-waiting", messages=self.messages(sum(reasons.values())))
        return f"{text} ({self.reasons(most)})"

    def _ranked(self, task: Task, *, has_deliveries: bool, is_short: bool) -> Ranked:
        quote: Line = ()
        if task.action == WAIT_AND_CHECK:
            quote = line(self.doubts(task))
        elif task.example:
            codes = _CODES.match(task.example)
            rest = task.example[codes.end() :] if codes else task.example
            quote = (*((span(codes[0], Role.CODE),) if codes else ()), *self._viewer._matched(rest, task.match))
        command = self.command(task, 1 if is_short else MOST_EXPLAINED)
        circumstances = self.circumstances(task, has_deliveries=has_deliveries, is_short=is_short)
        facts = (span(command, Role.DO), *(span(text, Role.DIM) for text in circumstances))
        return self._brief(task)._replace(cells=self._cells(task), quote=quote, facts=facts)

    def _brief(self, task: Task) -> Ranked:
        name, actor, reasons = self._cells(task)
        if task.action == WAIT_AND_CHECK:
            reasons = line(self.doubts(task))
        return Ranked((name, actor, reasons), (task.messages, len(task.domains)))

    def _cells(self, task: Task) -> tuple[Line, Line, Line]:
        return line(self.task_name(task), Role.STRONG), line(self.actor(task)), line(self.reasons(task.reasons))

    def bars(self, summary: Summary, extent: Extent) -> Iterator[Bars]:
        """The totals that people look at: failures without what succeeded, which is in the outcomes."""
        outbound, size = summary.outbound, extent.bars
        yield self._bars(self.outcomes_key(summary), summary.all.outcomes, max(size, FEWEST_OUTCOMES))
        yield self._bars("bounces", summary.all.bounces, max(size, FEWEST_OUTCOMES))
        failed = {name: count for name, count in outbound.reasons.items() if name not in SETTLED}
        yield self._bars("reasons", failed, size)
        if extent.with_all:
            yield self._bars("categories", {name: n for name, n in summary.all.categories.items() if name != NONE}, size)
            yield self._bars("reply-codes", outbound.reply_codes, size)
        enhanced, codes = (
            {name: count for name, count in counts.items() if not name.startswith(("2", NONE))}
            for counts in (outbound.enhanced_codes, outbound.reply_codes)
        )
        # Many receivers never send enhanced codes.
        yield self._bars("enhanced-codes", enhanced, size) if enhanced or extent.with_all else self._bars("reply-codes", codes, size)
        yield self._bars("providers", {name: n for name, n in outbound.providers.items() if name != NONE}, size, outbound)
        yield self._bars("domains", outbound.domains, size)
        yield self._bars("senders", outbound.senders, size)
        if summary.inbound.reasons:
            yield self._bars("inbound", summary.inbound.reasons, size)

    @staticmethod
    def outcomes_key(summary: Summary) -> str:
        """The key of the outcomes of all messages."""
        return "outcomes" if summary.all.outcomes.get(Outcome.REJECTED) != summary.inbound.outcomes.get(Outcome.REJECTED) else HERE

    def _bars(self, key: str, counts: Mapping[str, int], size: int, whole: Maps | None = None) -> Bars:
        rows = tuple((span(self.label(key, name), _TONES.get(name, Role.PLAIN)), count) for name, count in [*counts.items()][:size])
        total = sum(whole.outcomes.values()) if whole else sum(counts.values())
        return Bars(self._say(f"sum-{key.removesuffix('-here')}"), rows, total, self._thousands)

    def label(self, key: str, name: str) -> str:
        """What a row of counts is called: ids stay, as other commands take them."""
        if name == NONE and key != "bounces":
            return self._say("sum-none")
        if key == HERE:
            return self._viewer.outcome(name, here=True)
        if key in _WORDS:
            return self._say(_WORDS[key].format(name))
        if key == "providers" and name in self._viewer.knowledge.providers:
            return str(self._viewer.knowledge.providers[name]["name"])
        return name

    def _replies(self, summary: Summary, extent: Extent) -> Iterator[Ranking]:
        refused = [reply for reply in summary.replies if reply.reason not in SETTLED]
        rows = [Ranked((line(reply.reason), line(reply.shape, Role.QUOTE)), (reply.records,)) for reply in refused]
        if rows and extent.replies:
            yield Ranking(self._say("sum-replies"), (self._say("sum-column-records"),), tuple(rows[: extent.replies]), self._thousands)

    def _lines(self, summary: Summary, extent: Extent) -> Iterator[Paragraph | Ranking]:
        lines = summary.lines
        if not lines.read:
            return
        text = self._say(
            "sum-lines", read=self.number(lines.read), in_records=self.number(lines.in_records), without=self.number(lines.without_outcome)
        )
        if not lines.not_understood:
            yield Paragraph(line(f"{text}, {self._say('sum-all-understood')}", Role.DIM))
            return
        yield Paragraph(line(text, Role.DIM))
        told = self._say("sum-not-understood", lines=self.number(lines.not_understood), shapes=self.number(len(summary.not_understood)))
        rows = tuple(Ranked((line(shape, Role.QUOTE),), (count,)) for shape, count in summary.not_understood.items())
        yield Ranking(told, (self._say("sum-lines-column"),), rows if extent.with_all else rows[: extent.replies or 1][:2], self._thousands)


def even(hours: Mapping[str, int]) -> dict[str, int]:
    """The counts of hours, of days or of months, without gaps; of whichever there are not too many."""
    names = [*hours]
    if not names:
        return {}
    first, last = (datetime.fromisoformat(f"{name}:00:00") for name in (names[0], names[-1]))
    days = (last - first).days
    size = 13 if days < MOST_DAYS_BY_HOUR else 10 if days < MOST_DAYS else 7
    step = timedelta(hours=1) if size == 13 else timedelta(days=1)
    if days > MOST_YEARS * 366:
        return dict(hours)
    counts = {}
    at = first if size == 13 else first.replace(hour=0)
    # The end of the calendar has nothing after it.
    for number in range((last - at) // step + 1):
        counts[(at + number * step).isoformat()[:size]] = 0
    for name, count in hours.items():
        counts[name[:size]] += count
    return {name.replace("T", " ") + "h" if size == 13 else name: count for name, count in counts.items()}


def plain_time(time: str) -> str:
    """A time for people: without T, fraction and offset."""
    return time[:19].replace("T", " ")


def short(time: str) -> str:
    """Month, day and minute."""
    return time[5:16].replace("T", " ")


def directions(summary: Summary) -> tuple[tuple[Direction, Maps], ...]:
    """The two directions with their counts."""
    return ((Direction.OUTBOUND, summary.outbound), (Direction.INBOUND, summary.inbound))
