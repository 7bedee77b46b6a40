"""The values that everything else speaks in: codes, records, verdicts, entries.

Immutable, typed, without I/O and without wording. What RFC 5321 and RFC 3463 call a thing is what it is called here.
They are named tuples, not dataclasses: every start of the program makes these classes, and a dataclass takes seven times as long to make.
What they are told by, the terms of `terms.py`, can be had from here as well.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple, Self

from .patterns import lazily
from .terms import OF_EVENTS, QUEUES, STDIN, Action, Actor, Bounce, Category, Direction, EvidenceBy, InputFormat, Kind, Outcome, Phase

__all__ = [
    "CODE_PATTERN",
    "ENHANCED_CODE",
    "OF_EVENTS",
    "PERMANENCE",
    "QUEUES",
    "REPLY_CODE",
    "STDIN",
    "Action",
    "Actor",
    "BlocklistFacts",
    "Bounce",
    "Category",
    "Classified",
    "CodePattern",
    "Comparison",
    "Direction",
    "EnhancedCode",
    "Entry",
    "Evidence",
    "EvidenceBy",
    "Finding",
    "InputFormat",
    "Kind",
    "Outcome",
    "Phase",
    "ProviderUse",
    "Record",
    "ReplyCode",
    "ReturnCode",
    "Source",
    "Verdict",
]


REPLY_CODE = lazily(r"[1-6][0-9]{2}")
ENHANCED_CODE = lazily(r"([245])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")
CODE_PATTERN = lazily(r"[2-5x](?:[0-5y][0-9z]|xx)|[245X]\.(?:[0-9]{1,3}|x)\.(?:[0-9]{1,3}|x)")

PERMANENCE = {"2": None, "3": None, "4": False, "5": True}


class ReplyCode(NamedTuple):
    """A three-digit reply code (RFC 5321 section 4.2); unregistered ones are ordinary values."""

    value: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the code that `text` writes; `parse(str(code)) == code`. Raises ValueError for anything but three digits from 100 to 699."""
        if not REPLY_CODE.fullmatch(text):
            raise ValueError(text)
        return cls(int(text))

    def __str__(self) -> str:
        return f"{self.value:03}"

    @property
    def class_digit(self) -> str:
        return str(self)[0]

    @property
    def permanent(self) -> bool | None:
        """True for 5yz, False for 4yz, None where the question does not arise."""
        return PERMANENCE.get(self.class_digit)

    @property
    def is_in_grammar(self) -> bool:
        """Whether RFC 5321 section 4.2 allows these digits: 2 to 5, then 0 to 5, then any."""
        return "2" <= str(self)[0] <= "5" and str(self)[1] <= "5"


class EnhancedCode(NamedTuple):
    """An enhanced status code, class.subject.detail (RFC 3463 section 2)."""

    class_digit: str
    subject: int
    detail: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the code that `text` writes; `parse(str(code)) == code`. Raises ValueError outside the grammar."""
        match = ENHANCED_CODE.fullmatch(text)
        if not match:
            raise ValueError(text)
        return cls(match[1], int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{self.class_digit}.{self.subject}.{self.detail}"

    @property
    def any_class(self) -> str:
        """The registry's way of writing it: "X.1.1"."""
        return f"X.{self.subject}.{self.detail}"

    @property
    def permanent(self) -> bool | None:
        return PERMANENCE[self.class_digit]


class CodePattern(NamedTuple):
    """Codes that share digits: "5yz" and "55z" for reply codes, "4.7.x", "X.1.1" and "5.x.x" for enhanced ones."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the pattern that `text` writes; raises ValueError where it writes none."""
        if not CODE_PATTERN.fullmatch(text):
            raise ValueError(text)
        return cls(text)

    def __str__(self) -> str:
        return self.text

    def matches(self, code: str) -> bool:
        """Whether `code`, a reply code or an enhanced code as text, has these digits."""
        if "." not in self.text:
            return len(code) == 3 and all(p in ("x", "y", "z", c) for p, c in zip(self.text, code, strict=True))
        parts = code.split(".")
        return len(parts) == 3 and all(p in ("x", "X", c) for p, c in zip(self.text.split("."), parts, strict=True))


class Source(NamedTuple):
    """Where a statement can be read."""

    title: str
    url: str


class ProviderUse(NamedTuple):
    """What one provider means by a code."""

    provider: str
    provider_name: str
    code: str
    meaning: str
    certain: bool


class ReturnCode(NamedTuple):
    """What a blocklist answers to a look-up, and whether that is a refused query instead of a listing."""

    value: str
    meaning: str
    refused: bool


class BlocklistFacts(NamedTuple):
    """What is known of a blocklist beside its meaning."""

    zone: str
    operator: str | None
    lists: tuple[str, ...]
    status: str
    lookup: str | None
    removal: str
    return_codes: tuple[ReturnCode, ...]


class Entry(NamedTuple):
    """What the reference knows about one code, class, reason, provider code or blocklist, in one language."""

    code: str
    kind: Kind
    name: str
    registered: bool
    class_name: str | None
    permanent: bool | None
    acts: Actor
    meaning: str
    when: str
    use: str
    phases: tuple[Phase, ...]
    fix: tuple[str, ...]
    example: str | None
    provider: str | None
    related: tuple[str, ...]
    sources: tuple[Source, ...]
    reasons: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    enhanced: tuple[str, ...] = ()
    uses: tuple[ProviderUse, ...] = ()
    note: str | None = None
    certain: bool = True
    bounce: Bounce | None = None
    category: Category | None = None
    action: Action | None = None
    blocklist: BlocklistFacts | None = None

    @property
    def lasting(self) -> str:
        """Whether trying again may help: "success", "intermediate", "temporary", "permanent", or "either" where the code leaves it open."""
        if self.permanent is not None:
            return "permanent" if self.permanent else "temporary"
        has_digits = self.kind in (Kind.REPLY, Kind.ENHANCED, Kind.CLASS)
        return {"2": "success", "3": "intermediate"}.get(self.code[0], "either") if has_digits else "either"

    def to_dict(self) -> dict[str, Any]:
        """The documented keys in their documented order; keys are only ever added."""
        row = {name: _plain(value) for name, value in self._asdict().items()}
        return {"class" if name == "class_name" else name: value for name, value in row.items()}


class Comparison(NamedTuple):
    """Two to four entries side by side, and what sets them apart, in one language."""

    entries: tuple[Entry, ...]
    differences: tuple[str, ...]
    when: dict[str, str]
    more: tuple[Source, ...]
    commands: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The documented keys: codes, differences, when, more (sources, then commands to go on with)."""
        return {
            "codes": [entry.to_dict() for entry in self.entries],
            "differences": list(self.differences),
            "when": dict(self.when),
            "more": [*(_plain(source) for source in self.more), *self.commands],
        }


class Record(NamedTuple):
    """One delivery outcome or reply as the input tells it, before anybody judges it."""

    source: str
    line: int
    format: str
    time: str | None = None
    host: str | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    queue_id: str | None = None
    sender: str | None = None
    recipient: str | None = None
    relay: str | None = None
    client: str | None = None
    phase: Phase | None = None
    reply_code: ReplyCode | None = None
    enhanced_code: EnhancedCode | None = None
    text: str = ""
    words_only: bool = False
    """Nothing but the words suggests an outcome: without a rule that knows them there is no record."""
    last_line: int = 0
    """The last of the lines that it stands on; 0 where `line` is the only one."""


class Evidence(NamedTuple):
    """The one rule that decided, and the words or digits of the reply that it matched."""

    by: EvidenceBy
    rule: str
    match: str


class Finding(NamedTuple):
    """What one piece of evidence says by itself."""

    reason: str
    evidence: Evidence


class Verdict(NamedTuple):
    """What happened, who has to act, and why smtpref says so."""

    reason: str
    category: Category
    bounce: Bounce
    permanent: bool | None
    action: Action
    acts: Actor
    about: str | None
    cause: str | None
    provider: str | None
    blocklist: str | None
    retry_after: int | None
    evidence: Evidence
    overruled: tuple[Finding, ...] = ()


class Classified(NamedTuple):
    """A record with its verdict: what `classify` gives."""

    record: Record
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """All keys of the contract, in its order, None where unknown."""
        record, verdict = self.record, self.verdict
        return {
            "source": record.source,
            "line": record.line,
            "format": record.format,
            "time": record.time,
            "host": record.host,
            "direction": _plain(record.direction),
            "outcome": _plain(record.outcome),
            "queue_id": record.queue_id,
            "sender": record.sender,
            "recipient": record.recipient,
            "relay": record.relay,
            "client": record.client,
            "phase": _plain(record.phase),
            "reply_code": record.reply_code.value if record.reply_code else None,
            "enhanced_code": str(record.enhanced_code) if record.enhanced_code else None,
            "text": record.text,
            "reason": verdict.reason,
            "category": verdict.category.value,
            "bounce": verdict.bounce.value,
            "permanent": verdict.permanent,
            "action": verdict.action.value,
            "acts": verdict.acts.value,
            "about": verdict.about,
            "cause": verdict.cause,
            "provider": verdict.provider,
            "blocklist": verdict.blocklist,
            "retry_after": verdict.retry_after,
            "evidence": {"by": verdict.evidence.by.value, "rule": verdict.evidence.rule, "match": verdict.evidence.match},
        }


def _plain(value: Any) -> Any:
    """`value` as JSON types."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        return [_plain(item) for item in value] if names is None else {n: _plain(v) for n, v in zip(names, value, strict=True)}
    return value
