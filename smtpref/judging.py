"""The judge: verdicts on what a reply says, whatever ids, numbers and names stand in it; what it has judged once it remembers.

A log says the same things again and again. A text is taken apart into its shape, in which something of the same kind stands in for all that
varies, and what stood there. The shape is judged, by the order of evidence of `verdict.py`, and in the verdict each thing is put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .circumstances import UNITS, Names
from .knowledge import Knowledge
from .model import Record, Verdict
from .rules import MAX_TEXT
from .verdict import OrderOfEvidence

MAX_SHAPES = 10_000
"""Shapes that are remembered, at 2 to 3 KB each; all are forgotten where there are more."""

MAX_VARYING = 20
"""Things that may vary in a text; one with more is judged as it stands."""

# Whatever has a digit in it; only in an IPv6 address there are colons.
_NUMBERED = re.compile(
    r"((?<![\w.+=-])(?:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f:]*+(?![\w.])|[A-Za-z.+=_-]*+\d[\w.+=-]*+))",
    re.ASCII,
)
# A host's own labels with numbers, and those of whoever runs it.
_HOST = re.compile(r"(.*\d)(\.(?:[A-Za-z-]+\.)+[A-Za-z]{2,})", re.ASCII)
# An id is no word with a number behind it, and no host.
_KIND = re.compile(
    r"(?P<ip>(?=.*(?:::|[a-f]))[0-9a-f:]+|(?!127\.)(?:\d{1,3}\.){3}\d{1,3})|(?P<number>\d{5,9})|(?P<measure>\d{1,5}\.\d{2,3})"
    r"|(?P<id>\d{10,}|(?!.*\.[A-Za-z]{2,63}$)(?=.{0,60}?\d[A-Za-z]|[A-Za-z.-]{1,40}\d{5})[0-9A-Za-z.-]{10,})"
)
FIRST = 100
"""The first number of what stands in: all have three digits."""

_RECIPIENT = ("a-recipient@", "recipient.example")
_SENDER = ("a-sender@", "sender.example")
_UNIT = re.compile(rf"\s?(?:{UNITS})(?![\w-])", re.IGNORECASE)


class _Apart(NamedTuple):
    """A text's shape, and what stands for what in it."""

    shape: str
    stands_for: dict[str, str]

    def restored(self, text: str) -> str:
        """A piece of the shape in the words of the text."""
        for stand_in, value in self.stands_for.items():
            text = text.replace(stand_in, value)
        return text


_NOTHING_SAID = _Apart("", {})


class _Known(NamedTuple):
    """A shape's verdict, and what it may blame."""

    verdict: Verdict
    blamed: tuple[str, ...]
    varies: bool
    """Whether anything that varies stands in the verdict."""


class Judge:
    """Gives verdicts by the rules of one Knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._evidence = OrderOfEvidence(knowledge)
        self._fixed = knowledge.fixed
        self._known: dict[tuple[object, ...], _Known] = {}

    def judge(self, record: Record) -> Verdict:
        """Return the verdict for a record; its evidence is always one rule, and its match a slice of the reply or one of its codes."""
        recogniser = self._evidence.recogniser
        if self._evidence.is_plain_success(record):
            return self._verdict_of_shape(_NOTHING_SAID, record, recogniser.provider(record)).verdict
        apart = self._taken_apart(record)
        if apart:
            known = self._verdict_of_shape(apart, record, recogniser.told_by_names(record))
            verdict = known.verdict
            if known.varies or known.blamed:
                verdict = _restored(verdict, apart) if known.varies else verdict
                verdict = _with_about(verdict, map(apart.restored, known.blamed), record)
            if not known.varies or _is_said(verdict, record):
                return verdict
        verdict = self._evidence.verdict(record)
        return _with_about(verdict, self._evidence.blamed(record, verdict.reason), record)

    def _taken_apart(self, record: Record) -> _Apart | None:
        """A text's shape; None where it has none: too long, too many things that vary, or what stands in for others is in it already."""
        text = record.text
        if len(text) > MAX_TEXT:
            return None
        stands_for: dict[str, str] = {}
        for names, address in ((_RECIPIENT, record.recipient), (_SENDER, record.sender)):
            if address and address in text:
                user, at, domain = address.rpartition("@")
                if user and user + at not in self._fixed:
                    if names[0] in text or names[1] in text:
                        return None
                    text = text.replace(address, "".join(names))
                    stands_for[names[0]], stands_for[names[1]] = user + at, domain
        pieces = _NUMBERED.split(text)
        if len(pieces) > 2 * MAX_VARYING:
            return None
        for place in range(1, len(pieces), 2):
            before, value, after = self._varying(pieces[place], pieces[place + 1])
            if value:
                stand_in = _stand_in(value, FIRST + place, after + pieces[place + 1])
                if stand_in in text:
                    return None
                stands_for[stand_in] = value
                pieces[place] = before + stand_in + after
        return _Apart("".join(pieces), stands_for)

    def _varying(self, piece: str, following: str) -> tuple[str, str, str]:
        """What varies in a piece of text with a digit, and what stands before and after that; nothing where nothing does."""
        if following.startswith("@"):
            return "", piece, ""
        before, equals, value = piece.rpartition("=")
        before += equals
        word = value.rstrip(".-+=_")
        after = value[len(word) :]
        host = None if word in self._fixed else _HOST.fullmatch(word)
        if host:
            return before, host[1], host[2] + after
        kind = _KIND.fullmatch(word)
        if not kind or word in self._fixed or (kind["number"] and _UNIT.match(after + following)):
            return "", "", ""
        return before, word, after

    def _verdict_of_shape(self, apart: _Apart, record: Record, provider: Names | str | None) -> _Known:
        """The verdict of a shape, with what is known of the provider beside it."""
        said = (record.reply_code, record.enhanced_code, record.phase, record.outcome, record.direction, record.format, record.words_only)
        key = (apart.shape, provider, *said)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MAX_SHAPES:
                self._known.clear()
            shape = record._replace(text=apart.shape)
            verdict = self._evidence.verdict(shape)
            if not isinstance(provider, Names):
                verdict = verdict._replace(provider=provider)
            told = "\n".join([*_matches(verdict), verdict.blocklist or "", verdict.about or ""])
            blamed = tuple(self._evidence.blamed(shape, verdict.reason)) if verdict.about is None else ()
            known = self._known[key] = _Known(verdict, blamed, any(stand_in in told for stand_in in apart.stands_for))
        return known


def _stand_in(value: str, number: int, following: str) -> str:
    """Something of the same kind, of which no two are alike; none is a part of another."""
    if following.startswith("@"):
        return f"a-user-{number}"
    if ":" in value:
        return f"2001:db8::{number}"
    if value.count(".") == 3 and value.replace(".", "").isdecimal():
        return f"198.18.0.{number}"
    if value.isdecimal():
        return f"7000{number}"
    if following.startswith("."):
        return f"mx7{number}"
    if len(value) < 10:
        return f"7.{number}"
    return f"X0X0X0X0{number}" if value.isupper() else f"x0x0x0x0{number}" if value.islower() else f"Xx0Xx0Xx0{number}"


def _matches(verdict: Verdict) -> list[str]:
    return [verdict.evidence.match, *(finding.evidence.match for finding in verdict.overruled)]


def _with_about(verdict: Verdict, blamed: Iterable[str], record: Record) -> Verdict:
    """The verdict with the first thing that the reply blames and that is not the server that sent it, unless a rule has said what it is."""
    relay = (record.relay or "").lower()
    about = verdict.about or next((name for name in blamed if name.lower() not in relay), None)
    return verdict if about == verdict.about else verdict._replace(about=about)


def _restored(verdict: Verdict, apart: _Apart) -> Verdict:
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
