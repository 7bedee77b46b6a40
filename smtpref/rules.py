"""A rule of `codes.yaml`, ready to be held against a text.

Whether a rule matches is decided here, which of several matching ones wins in `verdict.py`.
A pattern is compiled when one of its words occurs for the first time: most runs need few of several hundred.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from .model import CodePattern, Phase

MAX_TEXT = 8192
"""Characters of a reply that rules look at: sixteen times what RFC 5321 section 4.5.3.1.5 allows a reply line."""

_OPAQUE = re.compile(
    r"""https?://[^\s<>"']{1,2000}      # a link, whose words are not the server's
    | <?[^\s<>@"'()]{1,64}@[\w.-]{1,255}>?   # an address
    """,
    re.VERBOSE | re.IGNORECASE,
)


# A provider's own token has a digit or is written in capitals; a plain word is only the handle of a phrase.
_TOKEN = re.compile(r"^(?!\d\.\d+\.\d+$)(?=.*\d|[A-Z#:._()-]+$)(?=.*[A-Za-z]).{4,}$")


class MaskedText:
    """A text whose links and addresses are each one blank, and the way back to the original's positions."""

    def __init__(self, original: str) -> None:
        self.original = original[:MAX_TEXT]
        pieces: list[str] = []
        self._starts = [0]
        self._shifts = [0]
        position = length = 0
        for match in _OPAQUE.finditer(self.original):
            pieces.append(self.original[position : match.start()])
            pieces.append(" ")
            length += match.start() - position + 1
            position = match.end()
            self._starts.append(length)
            self._shifts.append(position - length)
        pieces.append(self.original[position:])
        self.masked = "".join(pieces).replace("\u2019", "'")
        self.lowered = self.masked.lower()
        self.raw_lowered = self.original.lower()

    def original_slice(self, start: int, end: int) -> str:
        """The original's words behind a stretch of the masked text."""
        return self.original[self._original(start) : self._original(end - 1) + 1] if end > start else ""

    def _original(self, position: int) -> int:
        return position + self._shifts[bisect_right(self._starts, position) - 1]


class Situation(NamedTuple):
    """What is known of a reply beside its words."""

    provider: str | None
    reply_code: str | None
    enhanced_code: str | None
    phase: Phase | None


class Hit(NamedTuple):
    """A rule that matches, and where."""

    rule: Rule
    match: str
    start: int
    named: Mapping[str, str]
    agreement: int
    """How many of the codes that the rule expects, but does not ask for, the reply has."""

    @property
    def strength(self) -> tuple[bool, int, int, int, str]:
        """Greater is stronger: not general, more that fits, the longer match, the earlier one; the id makes it total."""
        return (not self.rule.general, self.rule.conditions + self.agreement, len(self.match), -self.start, self.rule.id)


class Rule:
    """One block of `rules`."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        self.id: str = block["id"]
        self.reason: str = block["reason"]
        self.general: bool = block.get("general", False)
        self.raw: bool = block.get("raw", False)
        self.providers = frozenset(block.get("provider", ()))
        self.beats = frozenset(block.get("beats", ()))
        self.action: str | None = block.get("action")
        self.acts: str | None = block.get("acts")
        self._replies = tuple(block.get("replies", ()))
        self._enhanced = tuple(block.get("enhanced", ()))
        self._phases = frozenset(block.get("phases", ()))
        self._expected = tuple(block.get("expects", ()))
        self._phrases = tuple(block.get("phrases", ()))
        self._patterns = _listed(block.get("pattern"))
        self._unless = (*map(phrase_pattern, block.get("unless", ())), *_listed(block.get("unless_pattern")))
        # A family of codes has no word in common: without any, the pattern is always tried.
        self.words = (
            ()
            if self._patterns and "words" not in block
            else (*(word.lower() for word in block.get("words", ())), *map(_longest_word, self._phrases))
        )
        self.conditions = sum(map(bool, (self.providers, self._replies, self._enhanced, self._phases)))

    @property
    def speaks_of_success(self) -> bool:
        """Whether the rule is meant for 2yz and 3yz replies, whose words otherwise never tell of a failure."""
        return any(code[0] in "23" for code in self._replies)

    def find(self, text: MaskedText, situation: Situation) -> Hit | None:
        """The longest stretch of `text` that this rule knows, if its conditions hold and nothing silences it."""
        lowered = text.raw_lowered if self.raw else text.lowered
        if (self.words and not any(word in lowered for word in self.words)) or not self._applies(situation):
            return None
        subject = text.original if self.raw else text.masked
        best = max((m for m in self._search(subject)), key=lambda m: m.end() - m.start(), default=None)
        if best is None or any(pattern.search(subject) for pattern in self._silencers):
            return None
        start, end = best.span()
        match = subject[start:end] if self.raw else text.original_slice(start, end)
        named = {
            name: subject[slice(*best.span(name))] if self.raw else text.original_slice(*best.span(name))
            for name, value in best.groupdict().items()
            if value
        }
        codes = (situation.reply_code, situation.enhanced_code)
        return Hit(self, match, start, named, agreement=sum(_any_matches(self._expected, code) for code in codes))

    def _applies(self, situation: Situation) -> bool:
        return (
            (not self.providers or situation.provider in self.providers)
            and (not self._replies or _any_matches(self._replies, situation.reply_code))
            and (not self._enhanced or _any_matches(self._enhanced, situation.enhanced_code))
            and (not self._phases or situation.phase in self._phases)
        )

    def _search(self, subject: str) -> Iterable[re.Match[str]]:
        for pattern in self._compiled:
            match = pattern.search(subject)
            if match:
                yield match

    @cached_property
    def _compiled(self) -> tuple[re.Pattern[str], ...]:
        phrases = ("|".join(map(phrase_pattern, self._phrases)),) if self._phrases else ()
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (*phrases, *self._patterns))

    @cached_property
    def _silencers(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in self._unless)


def provider_rules(provider: Mapping[str, Any]) -> Iterator[Rule]:
    """The rules that a provider's own codes make: its phrases, and its tokens where they stand as words of the reply.

    A number is no token: what the provider means by an enhanced code is said by `provider_code_for`.
    """
    for block in (*provider.get("codes", ()), *provider.get("families", ())):
        if block["reasons"][0] == "unknown":
            continue
        pattern = block.get("pattern")
        is_token = pattern is None and _TOKEN.search(block["code"])
        phrases = [*block.get("phrases", ()), *([block["code"]] if is_token else [])]
        if not phrases and not pattern:
            continue
        yield Rule(
            {
                "id": f"{provider['id']}/{block['code']}",
                "reason": block["reasons"][0],
                "provider": [provider["id"]],
                "phrases": phrases,
                # A listed code says more than the family that it belongs to.
                "general": pattern is not None,
                "pattern": pattern and rf"(?<!\w)(?:{pattern})(?!\w)",
                "expects": [*block.get("replies", ()), *block.get("enhanced", ())],
                "raw": any(_OPAQUE.search(phrase) for phrase in phrases),
                "action": block.get("action"),
                "acts": block["acts"],
            }
        )


def provider_code_for(provider: Mapping[str, Any], code: str) -> Mapping[str, Any] | None:
    """The block of a provider that gives an enhanced code a meaning of its own."""
    return next((block for block in provider.get("codes", ()) if block["code"] == code), None)


def phrase_pattern(phrase: str) -> str:
    """The pattern of a literal phrase: any white space between its words, and whole words where the script has blanks between them."""
    body = r"\s+".join(map(re.escape, phrase.split()))
    before = r"(?<!\w)" if _ends_a_word(phrase[0]) else ""
    after = r"(?!\w)" if _ends_a_word(phrase[-1]) else ""
    return f"{before}{body}{after}"


def _ends_a_word(character: str) -> bool:
    # From U+2E80 on: Chinese and Japanese, written without blanks between words.
    return character.isalnum() and character < "\u2e80"


def _longest_word(phrase: str) -> str:
    return max(phrase.lower().split(), key=len)


def _listed(value: str | list[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _any_matches(patterns: tuple[str, ...], code: str | None) -> bool:
    return code is not None and any(pattern == code or CodePattern(pattern).matches(code) for pattern in patterns)
