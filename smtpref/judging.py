"""The judge: verdicts on what a reply says, whatever ids, numbers and names stand in it; what it has judged once it remembers.

A log says the same things again and again. A text is taken apart into its shape, in which something of the same kind stands in for all that
varies, and what stood there. The shape is judged, by the order of evidence of `verdict.py`, and in the verdict each thing is put back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .apart import NOTHING_SAID, Anatomy, Apart
from .circumstances import Names
from .knowledge import Knowledge
from .model import Record, Verdict
from .rules import MAX_TEXT
from .verdict import OrderOfEvidence

MAX_SHAPES = 5_000
"""Shapes that are remembered, at 2 to 3 KB each; all are forgotten where there are more."""


class Known(NamedTuple):
    """A shape's verdict, and what it may blame."""

    verdict: Verdict
    blamed: tuple[str, ...]
    varies: bool
    """Whether anything that varies stands in the verdict."""

    def verdict_on(self, record: Record, apart: Apart) -> Verdict | None:
        """The verdict on a record of this shape; None where the shape does not tell: a rule may have cut through what stands in."""
        verdict = _restored(self.verdict, apart) if self.varies else self.verdict
        if self.blamed:
            verdict = _with_about(verdict, map(apart.restored, self.blamed), record)
        return None if self.varies and not _is_said(verdict, record) else verdict


class Judge:
    """Gives verdicts by the rules of one Knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._evidence = OrderOfEvidence(knowledge)
        self._known: dict[tuple[object, ...], Known] = {}
        self.anatomy = Anatomy(knowledge.fixed)
        self.told_by_names = self._evidence.recogniser.told_by_names

    def judge(self, record: Record) -> Verdict:
        """Return the verdict for a record; its evidence is always one rule, and its match a slice of the reply or one of its codes."""
        if self._evidence.is_plain_success(record):
            return self._known_success(record).verdict
        apart = self.anatomy.take(record.text, record.recipient, record.sender) if len(record.text) <= MAX_TEXT else None
        verdict = self._known_by_shape(apart, record).verdict_on(record, apart) if apart else None
        if verdict:
            return verdict
        verdict = self._evidence.verdict(record, self._evidence.recogniser.provider(record))
        return _with_about(verdict, self._evidence.blamed(record, verdict.reason), record)

    def known(self, apart: Apart, record: Record) -> Known:
        """What is known of a record's text, taken apart."""
        return self._known_success(record) if self._evidence.is_plain_success(record) else self._known_by_shape(apart, record)

    def _known_success(self, record: Record) -> Known:
        return self._of_shape(NOTHING_SAID, record, self._evidence.recogniser.provider(record))

    def _known_by_shape(self, apart: Apart, record: Record) -> Known:
        return self._of_shape(apart, record, self.told_by_names(record))

    def _of_shape(self, apart: Apart, record: Record, names: Names | str | None) -> Known:
        """What is known of a shape, from somebody with such names or from a provider."""
        said = (record.reply_code, record.enhanced_code, record.phase, record.outcome, record.direction, record.format, record.words_only)
        key = (apart.shape, names, *said)
        known = self._known.get(key)
        if known is None:
            shape = record._replace(text=apart.shape)
            provider = self._evidence.recogniser.provider(shape) if isinstance(names, Names) else names
            if provider and not self._evidence.says_in_its_own_way(shape, provider):
                # Many providers answer in the same words.
                known = self._of_shape(apart, record, None)
                known = known._replace(verdict=known.verdict._replace(provider=provider))
            else:
                known = self._new(apart, shape, provider)
            if len(self._known) >= MAX_SHAPES:
                self._known.clear()
            self._known[key] = known
        return known

    def _new(self, apart: Apart, shape: Record, provider: str | None) -> Known:
        verdict = self._evidence.verdict(shape, provider)
        told = "\n".join([*_matches(verdict), verdict.blocklist or "", verdict.about or ""])
        blamed = tuple(self._evidence.blamed(shape, verdict.reason)) if verdict.about is None else ()
        return Known(verdict, blamed, any(stand_in in told for stand_in in apart.stands_for))


def _matches(verdict: Verdict) -> list[str]:
    return [verdict.evidence.match, *(finding.evidence.match for finding in verdict.overruled)]


def _with_about(verdict: Verdict, blamed: Iterable[str], record: Record) -> Verdict:
    """The verdict with the first thing that the reply blames and that is not the server that sent it, unless a rule has said what it is."""
    relay = (record.relay or "").lower()
    about = verdict.about or next((name for name in blamed if name.lower() not in relay), None)
    return verdict if about == verdict.about else verdict._replace(about=about)


def _restored(verdict: Verdict, apart: Apart) -> Verdict:
    """A shape's verdict in the words of the text."""
    return verdict._replace(
        about=verdict.about and apart.restored(verdict.about),
        blocklist=verdict.blocklist and apart.restored(verdict.blocklist),
        evidence=verdict.evidence._replace(match=apart.restored(verdict.evidence.match)),
        overruled=tuple(
            finding._replace(evidence=finding.evidence._replace(match=apart.restored(finding.evidence.match)))
            for finding in verdict.overruled
        ),
    )


def _is_said(verdict: Verdict, record: Record) -> bool:
    """Whether all words of the evidence are to be found in the record: a rule may have cut through a stand-in."""
    codes = (str(record.reply_code), str(record.enhanced_code))
    return all(match in record.text or match in codes for match in _matches(verdict))
