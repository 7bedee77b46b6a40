"""What records are counted by, usual lines for the most part by their kinds; and the distinct replies.

This takes most of a summary's time and needs nothing of what messages come to: another process can do it beside the reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .apart import Anatomy
from .model import Action, Classified, Outcome, Verdict
from .parsing.postfix_usual import UsualLine
from .replies import MAX_SHAPES, FoundReplies, Replies, Reply
from .rows import LONGEST_ID, SHORTEST_ID, WORDS_OF_HAND_OVER, Facts, Listing, Rows, facts_of, handed_over_as, handed_over_by
from .usual import Told, UsualLines


class _OfKind(NamedTuple):
    """What usual lines of a kind are counted by."""

    number: int
    """Of its facts."""

    shape: str
    reply: Reply
    is_judged_alone: bool
    """Whether each of its lines has a verdict of its own, that may be counted otherwise."""

    may_hand_over: bool
    place_of_id: int | None
    """Which of the things that vary is the id under which the next server goes on, where one is sure to be."""

    listing: Listing | None


class Counting:
    """Gives the rows of records, and keeps their replies. Facts are told by numbers, in the order in which they first come."""

    def __init__(self, names: frozenset[str], anatomy: Anatomy) -> None:
        self._replies = Replies(names, anatomy)
        self._kinds: dict[int, _OfKind] = {}
        self._numbers: dict[Facts, int] = {}
        self._new: list[Facts] = []

    def rows(self, classified: Iterable[Classified], *, with_replies: bool = True) -> Rows:
        """The rows of records; `with_replies` counts their replies."""
        rows = Rows([], [], {})
        for one in classified:
            self._add(rows, one)
            if with_replies:
                self._replies.add(one)
        return rows

    def rows_of_usual(self, usual: Iterable[UsualLine], lines: UsualLines) -> Rows:
        """The rows of usual lines: what those of their records would be, for the most part known from others of their kinds."""
        rows = Rows([], [], {})
        numbers, handed_over, listings = rows
        for line in usual:
            told = lines.told(line)
            kind = told and (self._kinds.get(told.kind.number) or self._new_kind(told))
            if not told or not kind:
                classified = lines.as_told(told, line, "")
                self._add(rows, classified)
                self._replies.add(classified)
                continue
            if kind.is_judged_alone:
                classified = lines.as_told(told, line, "")
                self._add(rows, classified)
                if numbers[-1] != kind.number:
                    self._replies.add(classified)
                    continue
            else:
                if kind.listing:
                    listings[len(numbers)] = kind.listing
                numbers.append(kind.number)
                handed_over.append(_handed_over_as(told, kind.place_of_id) if kind.may_hand_over else None)
            reply = kind.reply
            reply.records += 1
            if (line.time or "") <= reply.time:
                reply.keep(lines.as_told(told, line, ""), kind.shape)
        return rows

    def new_facts(self) -> list[Facts]:
        """The facts that have come since this was asked last."""
        new, self._new = self._new, []
        return new

    def replies(self) -> FoundReplies:
        """The replies of all records."""
        return self._replies.found()

    def _add(self, rows: Rows, classified: Classified) -> None:
        facts = facts_of(*classified)
        listing = _listing_of(facts, classified.verdict)
        if listing:
            rows.listings[len(rows.facts)] = listing
        rows.facts.append(self._number_of(facts))
        rows.handed_over.append(handed_over_by(classified.record))

    def _number_of(self, facts: Facts) -> int:
        number = self._numbers.get(facts)
        if number is None:
            number = self._numbers[facts] = len(self._numbers)
            self._new.append(facts)
        return number

    def _new_kind(self, told: Told) -> _OfKind:
        if len(self._kinds) >= MAX_SHAPES:
            self._kinds.clear()
        shape, known = told.kind.shape, told.kind.known
        facts = facts_of(shape, known.verdict)
        masked, reply = self._replies.of_shape(shape, shape.text, known.verdict)
        kind = self._kinds[told.kind.number] = _OfKind(
            self._number_of(facts),
            masked,
            reply,
            known.varies or (bool(known.blamed) and facts.action == Action.REQUEST_DELISTING),
            shape.outcome is Outcome.DELIVERED and any(words in shape.text for words in WORDS_OF_HAND_OVER),
            _place_of_id(told),
            _listing_of(facts, known.verdict),
        )
        return kind


def _listing_of(facts: Facts, verdict: Verdict) -> Listing | None:
    return Listing(verdict.about or "", verdict.blocklist or "") if facts.action == Action.REQUEST_DELISTING else None


def _place_of_id(told: Told) -> int | None:
    text, varying = told.kind.shape.text, told.kind.form.varying
    name = handed_over_as(text)
    is_sure = sum(words in text for words in WORDS_OF_HAND_OVER) == 1
    return varying.index(name) if is_sure and name in varying else None


def _handed_over_as(told: Told, place: int | None) -> str | None:
    name = told.values[place] if place is not None else ""
    # What varies may be more than an id.
    return name if name.isalnum() and SHORTEST_ID <= len(name) <= LONGEST_ID else handed_over_as(told.text())
