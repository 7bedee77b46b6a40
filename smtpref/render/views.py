"""Results as neutral blocks: what is shown, in which order and with which weight, whatever it is written to.

A `Line` is a row of `Span`s; a span's role says what it is, not how it looks. All text passes the safe door here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from ..knowledge import Knowledge, Language, say
from ..model import (
    Action,
    Actor,
    BlocklistFacts,
    Bounce,
    Classified,
    Comparison,
    Direction,
    Entry,
    EvidenceBy,
    Kind,
    Outcome,
    ReturnCode,
    Source,
)
from ..wording import joined, mid_sentence, phrase
from .safety import visible


class Role(StrEnum):
    """What a span is."""

    PLAIN = "plain"
    CODE = "code"
    STRONG = "strong"
    DIM = "dim"
    LABEL = "label"
    HEADING = "heading"
    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    SUCCESS = "success"
    DO = "do"
    QUOTE = "quote"
    MATCH = "match"


class Span(NamedTuple):
    """A stretch of text with one role."""

    text: str
    role: Role = Role.PLAIN
    link: str | None = None


Line = tuple[Span, ...]


class Title(NamedTuple):
    """The first line: the answer on the left, what kind of thing it is on the right."""

    left: Line
    right: Line
    tone: Role


class Paragraph(NamedTuple):
    """A line that may be as long as it likes."""

    line: Line


class Field(NamedTuple):
    """A label and its lines; `numbered` lines are steps in an order."""

    label: str
    lines: tuple[Line, ...]
    numbered: bool = False


class Fields(NamedTuple):
    """Facts, one label each."""

    rows: tuple[Field, ...]


class Sides(NamedTuple):
    """Things side by side: a title each, then rows of one cell each. `same` holds what does not differ."""

    titles: tuple[Title, ...]
    rows: tuple[tuple[str, tuple[tuple[Line, ...], ...]], ...]
    same: tuple[Field, ...]


class Listing(NamedTuple):
    """A heading over lines, numbered or labelled."""

    heading: str
    rows: tuple[tuple[str, Line], ...]


class Table(NamedTuple):
    """Rows under column names; the last column takes what room is left."""

    heading: str | None
    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


class Bars(NamedTuple):
    """Counts under a heading, each with its share of `total`; `thousands` is what groups the digits of a number for people."""

    heading: str
    rows: tuple[tuple[Span, int], ...]
    total: int
    thousands: str


class Beside(NamedTuple):
    """Counts that stand side by side where there is room."""

    groups: tuple[Bars, ...]


class Course(NamedTuple):
    """How a count went on over time."""

    heading: str
    points: tuple[tuple[str, int], ...]
    thousands: str


class Ranked(NamedTuple):
    """A row of a ranking: what it is, its numbers, a quotation, and facts, of which each stays in one piece."""

    cells: tuple[Line, ...]
    numbers: tuple[int, ...]
    quote: Line = ()
    facts: Line = ()


class Ranking(NamedTuple):
    """Rows in the order of their weight; `columns` name the numbers."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[Ranked, ...]
    thousands: str


Block = Title | Paragraph | Fields | Sides | Listing | Table | Beside | Course | Ranking
View = tuple[Block, ...]

_TONES = {
    "success": Role.SUCCESS,
    "intermediate": Role.SUCCESS,
    "temporary": Role.TEMPORARY,
    "permanent": Role.PERMANENT,
    "either": Role.STRONG,
}
_MARKS = {Role.SUCCESS: "✓", Role.TEMPORARY: "~", Role.PERMANENT: "✗", Role.STRONG: "·"}


def span(text: str, role: Role = Role.PLAIN, link: str | None = None) -> Span:
    """A span of text from anywhere, made safe."""
    return Span(visible(text), role, link and visible(link))


def line(text: str, role: Role = Role.PLAIN) -> Line:
    return (span(text, role),)


def grouped(number: int, thousands: str) -> str:
    """A number with its digits in groups of three."""
    return f"{number:,}".replace(",", thousands)


def phases_text(entry: Entry, language: Language, word: str = "or") -> str:
    """The commands that an entry's code answers, in a sentence's order."""
    return joined((phrase(f"phase-{phase}", language) for phase in entry.phases), language, word)


class Viewer:
    """Makes views in one language."""

    def __init__(self, knowledge: Knowledge, language: Language) -> None:
        self.knowledge = knowledge
        self.language = language

    def say(self, key: str, **facts: object) -> str:
        return phrase(key, self.language, **facts)

    def outcome(self, outcome: str, *, here: bool) -> str:
        """What became of a message; `here` if this server decided it."""
        return self.say("outcome-rejected-here" if here and outcome == Outcome.REJECTED else f"outcome-{outcome}")

    # explain

    def entry(self, entry: Entry, beside: Sequence[Entry] = ()) -> View:
        """One entry of `explain`; what has an entry of its own `beside` it is not told in a line of it too."""
        shown = {(other.provider, other.code) for other in beside}
        uses = [use for use in entry.uses if (use.provider, use.code) not in shown]
        rows = [self._field("when", [line(entry.when)])]
        if entry.phases:
            rows.append(self._field("phases", [line(phases_text(entry, self.language, "and"))]))
        rows.append(self._field("acts", [line(self._actor(entry.acts))]))
        rows.append(self._field("fix", [line(step) for step in entry.fix], numbered=len(entry.fix) > 1))
        if entry.example:
            rows.append(self._field("example", [line(entry.example, Role.QUOTE)]))
        with_it = entry.replies if entry.kind in (Kind.ENHANCED, Kind.REASON) else entry.enhanced
        if with_it:
            rows.append(self._field("codes" if entry.kind is Kind.REASON else "with-it", [self._named_codes(with_it)]))
        if entry.kind is Kind.REASON and entry.enhanced:
            rows.append(self._field("with-it", [self._named_codes(entry.enhanced)]))
        if entry.reasons:
            rows.append(self._field("reasons", [self._joined((self._reason_name(r),) for r in entry.reasons)]))
        if uses:
            rows.append(self._field("providers", [self._use(use.provider_name, use.meaning, use.certain) for use in uses]))
        if entry.related:
            rows.append(self._field("related", [self._named_codes(entry.related)]))
        if entry.blocklist:
            rows += self._blocklist_fields(entry.blocklist)
        if entry.note:
            rows.append(self._field("note", [line(entry.note)]))
        rows.append(self._field("sources", [self._sources(entry.sources)]))
        return (self._title(entry), Paragraph(line(entry.meaning)), Fields(tuple(rows)))

    def _title(self, entry: Entry) -> Title:
        word = entry.lasting
        tags: list[Span] = []
        if entry.bounce:
            tags.append(span(self.say(f"bounce-{entry.bounce}"), _bounce_tone(entry.bounce)))
        elif word != "either" or entry.kind is Kind.ENHANCED:
            tags.append(span(self.say(word), _TONES[word]))
        if entry.kind in (Kind.REPLY, Kind.ENHANCED) and entry.code[0].isdigit():
            tags.append(span(f"{entry.code[0]}yz" if entry.kind is Kind.REPLY else f"{entry.code[0]}.x.x", Role.DIM))
        if not entry.registered and entry.kind is not Kind.PROVIDER:
            tags.append(span(self.say("unregistered"), Role.STRONG))
        if not entry.certain:
            tags.append(span(self.say("uncertain"), Role.STRONG))
        tags.append(span(self._kind(entry), Role.DIM))
        return Title((span(entry.code, Role.CODE), span(entry.name, Role.STRONG)), dotted(tags), _TONES[word])

    def _blocklist_fields(self, facts: BlocklistFacts) -> Iterator[Field]:
        if facts.operator:
            yield self._field("operator", [line(facts.operator)])
        yield self._field("lists", [line(joined((self.say(f"lists-{what}") for what in facts.lists), self.language))])
        yield self._field("status", [line(self.say(f"status-{facts.status}"))])
        if facts.lookup:
            yield self._field("lookup", [(span(facts.lookup, link=facts.lookup),)])
        yield self._field("removal", [line(facts.removal)])
        if facts.return_codes:
            yield self._field("return-codes", [self._return_code(code) for code in facts.return_codes])

    def _return_code(self, code: ReturnCode) -> Line:
        refused = (span(f" ({self.say('query-refused')})", Role.DIM),) if code.refused else ()
        return (span(code.value, Role.CODE), span(f"  {code.meaning}"), *refused)

    def _use(self, name: str, meaning: str, certain: bool) -> Line:
        doubt = "" if certain else f" ({self.say('uncertain')})"
        return (span(f"{name}: ", Role.STRONG), span(meaning + doubt))

    def _named_codes(self, codes: Iterable[str]) -> Line:
        return self._joined((span(code, Role.CODE), *((span(" " + name),) if (name := self.code_name(code)) else ())) for code in codes)

    def _kind(self, entry: Entry) -> str:
        return self.say(f"kind-{entry.kind}", provider=self._provider_name(entry))

    def _provider_name(self, entry: Entry) -> str:
        return str(self.knowledge.providers[entry.provider]["name"]) if entry.provider else ""

    def code_name(self, code: str) -> str | None:
        """The name of a code, in the viewer's language."""
        any_class = "X" + code[1:]
        for index in (
            self.knowledge.replies,
            self.knowledge.enhanced,
            self.knowledge.classes,
            self.knowledge.subjects,
            self.knowledge.reasons,
        ):
            block = index.get(code) or (index.get(any_class) if index is self.knowledge.enhanced else None)
            if block:
                name: str = say(block["name"], self.language)
                return name
        return None

    def _reason_name(self, reason: str) -> Span:
        return span(say(self.knowledge.reasons[reason]["name"], self.language))

    def _sources(self, sources: Iterable[Source]) -> Line:
        return self._joined((span(source.title, link=source.url),) for source in sources)

    # compare

    def comparison(self, comparison: Comparison) -> View:
        """The answer of `compare`: the sides, the differences, when each applies, where to read on."""
        entries = comparison.entries
        cells = [
            ("class", [[line(entry.class_name or self._kind(entry))] for entry in entries]),
            ("meaning", [[line(entry.meaning)] for entry in entries]),
            ("when", [[line(entry.when)] for entry in entries]),
            ("phases", [[line(phases_text(entry, self.language) or "-")] for entry in entries]),
            ("acts", [[line(self._actor(entry.acts))] for entry in entries]),
            ("retry", [[line(self._retry(entry))] for entry in entries]),
            ("fix", [[line(step) for step in entry.fix] for entry in entries]),
            ("example", [[line(entry.example or "-", Role.QUOTE)] for entry in entries]),
            ("note", [[line(entry.note or "-")] for entry in entries]),
        ]
        rows, same = [], []
        for key, sides in cells:
            if all(side == sides[0] for side in sides):
                if sides[0] != [line("-")] and sides[0] != [line("-", Role.QUOTE)]:
                    same.append(Field(self.say(key), tuple(sides[0]), numbered=len(sides[0]) > 1))
            else:
                rows.append((self.say(key), tuple(tuple(side) for side in sides)))
        return (
            Sides(tuple(self._title(entry) for entry in entries), tuple(rows), tuple(same)),
            Listing(self.say("differences"), tuple((f"{n}", line(text)) for n, text in enumerate(comparison.differences, 1))),
            Listing(self.say("use"), tuple((visible(code), line(text)) for code, text in comparison.when.items())),
            Listing(
                self.say("more"),
                (
                    ("", self._sources(comparison.more)),
                    ("", self._joined((span(command, Role.DO),) for command in comparison.commands)),
                ),
            ),
        )

    def _retry(self, entry: Entry) -> str:
        has_digits = entry.kind in (Kind.REPLY, Kind.ENHANCED, Kind.CLASS)
        return "-" if entry.lasting == "either" and not has_digits else self.say(f"retry-{entry.lasting}")

    # search

    def hits(self, groups: Sequence[tuple[str | None, Sequence[Entry]]]) -> View:
        """Entries in groups, a row each."""
        return tuple(
            Table(
                heading,
                (self.say("code"), self.say("lasting"), self.say("name")),
                tuple(
                    (
                        (span(entry.code, Role.CODE),),
                        (span(self._lasting(entry), _TONES[entry.lasting]),),
                        (span(entry.name), *((span(f"  {self._provider_name(entry)}", Role.DIM),) if entry.provider else ())),
                    )
                    for entry in entries
                ),
            )
            for heading, entries in groups
        )

    def _lasting(self, entry: Entry) -> str:
        if entry.bounce:
            return self.say(f"bounce-{entry.bounce}")
        word = entry.lasting
        return "" if word == "either" else self.say(word)

    # classify

    def record(self, classified: Classified) -> View:
        """A lone record: what happened, what to do now, and why smtpref says so."""
        record, verdict = classified.record, classified.verdict
        reason = self.knowledge.reasons[verdict.reason]
        tone = verdict_tone(classified)
        word = (
            self.outcome(record.outcome, here=record.direction is Direction.INBOUND)
            if record.outcome in _TELLING
            else self._bounce_word(classified)
        )
        tags = [span(verdict.reason, Role.STRONG)]
        if verdict.bounce is not Bounce.NONE:
            tags.append(span(self.say(f"bounce-{verdict.bounce}"), tone))
        if verdict.permanent is not None:
            tags.append(span(self.say("permanent" if verdict.permanent else "temporary"), tone))
        title = Title(
            (span(_MARKS[tone], tone), span(f"{word}: {mid_sentence(say(reason['summary'], self.language))}", Role.STRONG)),
            dotted(tags),
            tone,
        )
        rows = [self._field("do-now", [line(self.do_now(classified), Role.DO)])]
        if verdict.action is not Action.NONE:
            here = _is_our_fault(classified)
            rows.append(self._field("acts", [line(self.say("actor-here") if here else self._actor(verdict.acts))]))
        rows += [
            self._field(key, [line(value)])
            for key, value in (
                ("to", record.recipient),
                ("from", "<>" if record.sender == "" else record.sender),
                ("client", record.client),
                ("relay", record.relay),
                ("blocklist", verdict.blocklist),
                ("cause", verdict.cause and say(self.knowledge.reasons[verdict.cause]["name"], self.language)),
                ("at", record.time),
            )
            if value
        ]
        rows.append(self._field("reply" if record.reply_code or record.format == "reply" else "log", [self._reply(classified)]))
        rows.append(self._field("because", self._because(classified)))
        codes = [str(code) for code in (record.enhanced_code, record.reply_code) if code]
        own = verdict.evidence.rule.partition("/")[2] if verdict.evidence.by is EvidenceBy.PROVIDER else None
        own = f"{verdict.provider} {own}" if own and (own.islower() or own in codes) else own
        commands = [f"smtpref explain {code}" for code in dict.fromkeys((*([own] if own else []), *codes, verdict.reason))]
        rows.append(self._field("more", [self._joined((span(command, Role.DO),) for command in commands)]))
        return (title, Fields(tuple(rows)))

    def record_row(self, classified: Classified) -> tuple[Line, ...]:
        """A record among many: time, mark, reason, codes, recipient, who answered, the words."""
        record, verdict = classified.record, classified.verdict
        tone = verdict_tone(classified)
        codes = " ".join(str(code) for code in (record.reply_code, record.enhanced_code) if code)
        return (
            (span(short_time(record.time), Role.DIM),),
            (span(_MARKS[tone], tone),),
            (span(verdict.reason, tone),),
            (span(codes, Role.CODE),),
            (span(record.recipient or record.client or ""),),
            (span(verdict.provider or (record.relay or "").split("[")[0], Role.DIM),),
            self._matched(_from_match(record.text, verdict.evidence.match), verdict.evidence.match),
        )

    def do_now(self, classified: Classified) -> str:
        """What to do now, in one sentence."""
        record, verdict = classified.record, classified.verdict
        reason = self.knowledge.reasons[verdict.reason]
        if _is_our_fault(classified):
            return self.say("do-here")
        if verdict.action in (Action.RETRY_LATER, Action.SLOW_DOWN) and verdict_tone(classified) is Role.PERMANENT:
            return self.say("do-again" if verdict.action is Action.RETRY_LATER else "do-slower")
        if verdict.action != reason["action"]:
            text: str = say(self.knowledge.actions[verdict.action]["do"], self.language)
            return text
        provider = self.knowledge.providers.get(verdict.provider or "")
        facts = {
            "recipient": record.recipient,
            "sender": record.sender,
            "about": verdict.about,
            "blocklist": verdict.blocklist,
            "provider": provider and provider["name"],
            "relay": record.relay,
            "wait": self._duration(verdict.retry_after) if verdict.retry_after else None,
        }
        known = {name: str(value) for name, value in facts.items() if value}
        sentences: list[str] = say(reason["do"], self.language)
        for sentence in sentences:
            try:
                return sentence.format_map(known)
            except KeyError:
                continue
        return sentences[-1]

    def counts(self, tally: dict[Role, int]) -> str:
        """The closing line under many records."""
        total = sum(tally.values())
        counts = ", ".join(f"{_MARKS[tone]} {tally[tone]}" for tone in _MARKS if tally.get(tone))
        return self.say("counted", records=total, counts=counts)

    def _bounce_word(self, classified: Classified) -> str:
        verdict = classified.verdict
        if verdict.reason in ("success", "in-progress"):
            return self.say("word-success")
        if verdict.bounce in (Bounce.SOFT, Bounce.NONE) and verdict_tone(classified) is Role.PERMANENT:
            return self.say("outcome-bounced")
        return self.say(f"word-{verdict.bounce}")

    def _reply(self, classified: Classified) -> Line:
        record = classified.record
        codes = " ".join(str(code) for code in (record.reply_code, record.enhanced_code) if code)
        words = self._matched(record.text, classified.verdict.evidence.match)
        return ((span(codes + " ", Role.CODE),) if codes else ()) + words

    @staticmethod
    def _matched(text: str, match: str) -> Line:
        at = text.find(match) if match else -1
        if at < 0:
            return (span(text, Role.QUOTE),)
        parts = (
            span(text[:at], Role.QUOTE),
            span(match, Role.MATCH),
            span(text[at + len(match) :], Role.QUOTE),
        )
        return tuple(part for part in parts if part.text)

    def _because(self, classified: Classified) -> list[Line]:
        verdict = classified.verdict
        evidence = verdict.evidence
        provider = self.knowledge.providers.get(verdict.provider or "", {}).get("name", verdict.provider)
        key = evidence.by.value
        if verdict.reason in ("success", "in-progress") and evidence.by is EvidenceBy.REPLY_CODE:
            key = "accepted"
        elif evidence.rule == "format/nothing-known":
            key = "nothing"
        lines = [line(self.say(f"because-{key}", provider=provider, rule=evidence.rule, match=evidence.match))]
        others = [finding for finding in verdict.overruled if finding.reason not in (verdict.reason, "unknown")]
        digits = next((f for f in others if f.evidence.by in (EvidenceBy.ENHANCED_CODE, EvidenceBy.REPLY_CODE)), None)
        if digits:
            name = say(self.knowledge.reasons[digits.reason]["name"], self.language)
            lines.append(line(self.say("alone-would-say", match=digits.evidence.match, reason=name)))
        return lines

    # Shared

    def _duration(self, seconds: int) -> str:
        for size, en, vi in ((86400, "day", "ngày"), (3600, "hour", "giờ"), (60, "minute", "phút"), (1, "second", "giây")):
            if seconds % size == 0 and seconds >= size:
                count = seconds // size
                return f"{count} {vi}" if self.language == "vi" else f"{count} {en}{'s' if count > 1 else ''}"
        return str(seconds)

    def _field(self, key: str, lines: Iterable[Line], *, numbered: bool = False) -> Field:
        return Field(self.say(key), tuple(lines), numbered)

    def _actor(self, actor: Actor) -> str:
        return self.say(f"actor-{actor}")

    @staticmethod
    def _joined(groups: Iterable[Line]) -> Line:
        spans: list[Span] = []
        for group in groups:
            spans += [Span(" · ", Role.DIM), *group] if spans else group
        return tuple(spans)


_TELLING = frozenset((Outcome.DEFERRED, Outcome.EXPIRED, Outcome.DISCARDED, Outcome.REJECTED, Outcome.COMPLAINT))
_TONE_OF_OUTCOME = {
    Outcome.DEFERRED: Role.TEMPORARY,
    Outcome.BOUNCED: Role.PERMANENT,
    Outcome.EXPIRED: Role.PERMANENT,
    Outcome.REJECTED: Role.PERMANENT,
    Outcome.DISCARDED: Role.PERMANENT,
}


def verdict_tone(classified: Classified) -> Role:
    """Red for what is refused for good or given up, yellow for what may still work, green for success."""
    record, verdict = classified.record, classified.verdict
    if verdict.reason in ("success", "in-progress"):
        return Role.SUCCESS
    by_outcome = _TONE_OF_OUTCOME.get(record.outcome) if record.outcome else None
    if by_outcome and not (record.direction is Direction.INBOUND and verdict.permanent is False):
        return by_outcome
    if verdict.permanent is not None:
        return Role.PERMANENT if verdict.permanent else Role.TEMPORARY
    tones = {Bounce.HARD: Role.PERMANENT, Bounce.BLOCK: Role.PERMANENT, Bounce.SOFT: Role.TEMPORARY}
    return tones.get(verdict.bounce, Role.STRONG)


def short_time(time: str | None) -> str:
    """Month, day and clock: what tells lines of one log apart."""
    return time[5:19].replace("T", " ") if time else ""


def _is_our_fault(classified: Classified) -> bool:
    """Whether this server refused somebody for a fault of its own: then it has to act itself."""
    return classified.record.direction is Direction.INBOUND and classified.verdict.action is not Action.NONE


def _from_match(text: str, match: str) -> str:
    """The text from the words that decided on: the end of a narrow line is not where they should be lost."""
    at = text.find(match) if match else -1
    return f"…{text[at:]}" if at > 0 else text


def _bounce_tone(bounce: Bounce) -> Role:
    return {Bounce.HARD: Role.PERMANENT, Bounce.BLOCK: Role.PERMANENT, Bounce.SOFT: Role.TEMPORARY}.get(bounce, Role.DIM)


def dotted(tags: Sequence[Span]) -> Line:
    """Spans in a row, a dot between two."""
    return Viewer._joined((tag,) for tag in tags)
