"""The distinct replies of an input: how often each came, and how it was when it came first."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from .apart import RECIPIENT, Anatomy
from .hashes import hash_of
from .model import Classified, Record, Verdict
from .priorities import Example, ordered
from .shapes import MAX_TEXT, Names, coarse, shape_of

MAX_SHAPES = 5000
"""Shapes of replies that are told apart while reading; of more of them only the first words are."""

MAX_REPLIES = 300
"""Distinct replies of a summary; rarer ones are counted together, by reason."""

MAX_EXAMPLE = 500
LATEST = "\U0010ffff"
"""Later than any time."""

OTHERS = "…"
"""The shape that stands for all the rarer ones of a reason."""


class ReplyGroup(NamedTuple):
    """Replies that differ only in what varies."""

    shape: str
    records: int
    reason: str
    example: str


class FoundReplies(NamedTuple):
    """The distinct replies of an input."""

    groups: tuple[ReplyGroup, ...]
    """Most first; the rarest together, by reason."""

    examples: dict[tuple[str, str], list[Example]]
    """By reason and action, those of the most frequent replies first."""


class _Kind(NamedTuple):
    """What replies are counted by."""

    shape: int
    reason: str
    action: str


class Reply:
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


class Replies:
    """The distinct replies, with an example each."""

    def __init__(self, names: frozenset[str], anatomy: Anatomy) -> None:
        self._names = names
        self._anatomy = anatomy
        self._shapes = Names(MAX_SHAPES, coarse, _codes_only)
        self._shape_of = lru_cache(maxsize=MAX_SHAPES)(self._masked)
        self._replies: dict[_Kind, Reply] = {}

    def add(self, classified: Classified) -> None:
        """Count a record's reply."""
        record, verdict = classified
        apart = self._anatomy.take(record.text[:MAX_TEXT], record.recipient, record.sender)
        shape, reply = self.of_shape(record, apart.shape if apart else record.text, verdict)
        reply.records += 1
        if (record.time or "") <= reply.time:
            reply.keep(classified, shape)

    def of_shape(self, record: Record, shape: str, verdict: Verdict) -> tuple[str, Reply]:
        """The reply that a record is counted as, whose text has this shape (see `apart.py`), and how the shape is shown."""
        shown = _codes_of(record) + self._shape_of(shape)
        kind = _Kind(self._shapes.number(shown), verdict.reason, verdict.action.value)
        reply = self._replies.get(kind)
        if reply is None:
            reply = self._replies[kind] = Reply()
        return shown, reply

    def _masked(self, shape: str) -> str:
        return shape_of(shape, "".join(RECIPIENT), self._names)

    def found(self) -> FoundReplies:
        """What was counted."""
        return FoundReplies(self._groups(), self._examples())

    def _groups(self) -> tuple[ReplyGroup, ...]:
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

    def _examples(self) -> dict[tuple[str, str], list[Example]]:
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
