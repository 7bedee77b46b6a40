"""Which rules of words match a text; which of several wins is decided in `verdict.py`.

Rules are found by their words: a text's words lead to the phrases that start with them, its letters to the words that patterns need.
So thousands of phrases cost little, and a pattern is compiled when a text first has the words that it needs (see `literals.py`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from .built import listed
from .model import CodePattern, Phase
from .patterns import lazily
from .words import TOKEN, Subject, WordIndex

FEW_TEXTS = 5
"""Texts that are looked through word by word; after these it takes less to have an index of the words,"""

FEW_WORDS = 100
"""unless there are no more than these."""

MAX_TEXT = 8192
"""Characters of a reply that rules look at: sixteen times what RFC 5321 section 4.5.3.1.5 allows a reply line."""

_OPAQUE = lazily(
    r"""https?://[!#-&(-;=?-~]{1,2000}      # a link, whose words are not the server's
    | <?[!#-&*-;=?A-~]{1,64}@[\w.-]{1,255}>?   # an address; Chinese words may stand against either without a blank
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
# Where a Latin word stands against a letter of a script without blanks ("RBL中"): `\b` sees no end of a word there.
# Without regard to case, its range of letters would take longer to compile than all else that is imported.
_AGAINST = lazily(r"(?-i:(?<=[A-Za-z0-9])(?=[\u2e80-\uffff])|(?<=[\u2e80-\uffff])(?=[A-Za-z0-9]))")
_OPAQUE_OR_AGAINST = lazily(f"{_OPAQUE.pattern}|{_AGAINST.pattern}", re.VERBOSE | re.IGNORECASE | re.ASCII)
# A link without its scheme: "mail.i.ua/err/10".
_PATH = lazily(r"\w\.\w+/")
# A provider's own token has a digit or is written in capitals; a plain word is only the handle of a phrase.
_OWN_TOKEN = lazily(r"^(?!\d\.\d+\.\d+$)(?=.*\d|[A-Z#:._()-]+$)(?=.*[A-Za-z]).{4,}$")

Needs = list[list[str]]
NeedsOf = Callable[[str], Needs]


class MaskedText:
    """A text whose links and addresses are blanks, and whose Latin words have blanks around them; and the way back to the original's positions."""

    def __init__(self, original: str) -> None:
        self.original = original[:MAX_TEXT]
        pieces: list[str] = []
        self._starts = [0]
        self._shifts = [0]
        position = length = 0
        for match in (_OPAQUE if self.original.isascii() else _OPAQUE_OR_AGAINST).finditer(self.original):
            before = self.original[position : match.start()]
            # One blank stays between the words on both sides.
            piece = before if not before or before[-1] == " " else before + " "
            pieces.append(piece)
            length += len(piece)
            position = match.end()
            if self.original[position : position + 1] == " ":
                position += 1
            self._starts.append(length)
            self._shifts.append(position - length)
        pieces.append(self.original[position:])
        self.masked = Subject("".join(pieces).replace("\u2019", "'"))
        self.is_masked = len(self._starts) > 1

    @cached_property
    def raw(self) -> Subject:
        """The original as rules look at it that want to see links and addresses."""
        return Subject(self.original)

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
    words_only: bool = False
    """Whether nothing but words is there: no code, and no log that tells of an outcome."""


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
    """One block of `rules`; `needs_of` says what words its patterns need."""

    def __init__(self, block: Mapping[str, Any], needs_of: NeedsOf) -> None:
        self.id: str = block["id"]
        self.reason: str = block["reason"]
        self.general: bool = block.get("general", False)
        self.topic: bool = block.get("topic", False)
        self.raw: bool = block.get("raw", False)
        self.providers = frozenset(block.get("provider", ()))
        self.beats = frozenset(block.get("beats", ()))
        self.action: str | None = block.get("action")
        self.acts: str | None = block.get("acts")
        self._block = block
        self._needs_of = needs_of
        self._replies = tuple(block.get("replies", ()))
        self._enhanced = tuple(block.get("enhanced", ()))
        self._phases = frozenset(block.get("phases", ()))
        self._expected = tuple(block.get("expects", ()))
        conditions = (self.providers, self._replies, self._enhanced, self._phases)
        # A listed code says more than the family that it belongs to, whatever reply codes come with both.
        self.conditions = sum(map(bool, conditions)) + (2 if block.get("is_listed") else 0)

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        """The phrases, as they stand in a text that rules look at."""
        # Only raw rules look at a text whose words stand as they were sent.
        as_seen = (phrase if self.raw else _AGAINST.sub(" ", phrase) for phrase in self._block.get("phrases", ()))
        return tuple(" ".join(phrase.lower().split()) for phrase in as_seen)

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        form = r"(?<!\w)(?:{})(?!\w)" if self._block.get("as_word") else "{}"
        return tuple(Pattern(form.replace("{}", text), self._needs_of(text)) for text in listed(self._block.get("pattern")))

    @property
    def speaks_of_success(self) -> bool:
        """Whether the rule is meant for 2yz and 3yz replies, whose words otherwise never tell of a failure."""
        return any(code[0] in "23" for code in self._replies)

    def applies(self, situation: Situation) -> bool:
        """Whether the conditions on provider, codes and phase hold; a mere topic says nothing where no code stands beside it."""
        return (
            not (self.topic and situation.words_only)
            and (not self.providers or situation.provider in self.providers)
            and (not self._replies or _any_matches(self._replies, situation.reply_code))
            and (not self._enhanced or _any_matches(self._enhanced, situation.enhanced_code))
            and (not self._phases or situation.phase in self._phases)
        )

    def agreement(self, situation: Situation) -> int:
        """How many of the reply's codes are among those that the rule expects."""
        return sum(_any_matches(self._expected, code) for code in (situation.reply_code, situation.enhanced_code)) if self._expected else 0

    def is_silenced(self, subject: str) -> bool:
        """Whether words are there that the rule does not stand beside."""
        return any(_has_needed(subject, needs) and pattern.search(subject) for needs, pattern in self._silencers)

    @cached_property
    def _silencers(self) -> tuple[tuple[Needs, re.Pattern[str]], ...]:
        """Patterns, each with the words that it needs."""
        phrases = [phrase.lower() for phrase in self._block.get("unless", ())]
        return (
            *(([[word] for word in phrase.split()], _compiled(phrase_pattern(phrase))) for phrase in phrases),
            *((self._needs_of(pattern), _compiled(pattern)) for pattern in listed(self._block.get("unless_pattern"))),
        )


class Pattern:
    """One regular expression of a rule, and the groups of words of which a text must have one each."""

    def __init__(self, text: str, needs: Needs) -> None:
        self.needs = needs
        # Of the groups, the one whose words are the longest is the rarest.
        self.first_needs = max(needs, key=lambda group: min(map(len, group)), default=[])
        self.other_needs = [group for group in needs if group is not self.first_needs]
        self.compiled = _compiled(text)


class _Phrase(NamedTuple):
    text: str
    rule: int
    lead: int
    """Characters before the phrase's first word."""


def index_of(rules: Iterable[Rule]) -> dict[str, Any]:
    """What leads to rules, each told by its number, in types of JSON: the words that phrases start with, those that patterns need."""
    index: dict[str, Any] = {"phrases": {}, "unspaced": [], "patterns": [], "by_word": {}, "always": [], "words": []}
    for number, rule in enumerate(rules):
        for phrase in rule.phrases:
            first, second = [*TOKEN.finditer(phrase), None, None][:2]
            if first is None or _is_unspaced(first[0][0]):
                index["unspaced"].append([phrase, number, 0])
            else:
                by_second = index["phrases"].setdefault(first[0], {})
                by_second.setdefault(second[0] if second else "", []).append([phrase, number, first.start()])
        for place, pattern in enumerate(rule.patterns):
            for word in pattern.first_needs:
                index["by_word"].setdefault(word, []).append(len(index["patterns"]))
            if not pattern.needs:
                index["always"].append(len(index["patterns"]))
            index["patterns"].append([number, place, pattern.other_needs])
            index["words"] += [word for group in pattern.needs for word in group]
    index["words"] = sorted(set(index["words"]))
    return index


class RuleSet:
    """Rules, ready to be held against texts: by their index, and made when a text first leads to them."""

    def __init__(self, index: Mapping[str, Any], rule_of: Callable[[int], Rule]) -> None:
        self._by_first_words: Mapping[str, Mapping[str, list[list[Any]]]] = index["phrases"]
        self._unspaced: list[list[Any]] = index["unspaced"]
        self._patterns: list[tuple[int, int, Needs]] = index["patterns"]
        self._by_word: Mapping[str, list[int]] = index["by_word"]
        self._always: list[int] = index["always"]
        self._words: list[str] = index["words"]
        self._rule_of = rule_of
        self._texts = 0
        self._is_empty = not (self._by_first_words or self._unspaced or self._patterns)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> RuleSet:
        """A set of rules that are there already."""
        rules = list(rules)
        return cls(index_of(rules), rules.__getitem__)

    @cached_property
    def _needed(self) -> WordIndex:
        return WordIndex(self._words)

    def _present(self, subject: Subject) -> set[str]:
        """The needed words that stand in a text."""
        self._texts += 1
        if self._texts > FEW_TEXTS and len(self._words) > FEW_WORDS:
            return self._needed.present(subject)
        return {word for word in self._words if word in subject.lowered}

    def find(self, text: MaskedText, situation: Situation) -> list[Hit]:
        """Every rule that matches, each with the longest stretch that it knows."""
        if self._is_empty:
            return []
        hits = self._find_in(text.masked, situation, text, raw=False)
        if text.is_masked:
            hits += self._find_in(text.raw, situation, text, raw=True)
        return hits

    def may_match(self, text: str) -> bool:
        """Whether a text has any of the words without which no rule matches."""
        lowered = text.lower()
        words = (*self._by_word, *self._by_first_words, *(phrase for phrase, _, _ in self._unspaced))
        return bool(self._always) or any(word in lowered for word in words)

    def _find_in(self, subject: Subject, situation: Situation, text: MaskedText, *, raw: bool) -> list[Hit]:
        """Hits in the masked text, of all rules but raw ones where links were masked; or of the raw ones in the original."""
        spans: dict[Rule, tuple[int, int, re.Match[str] | None]] = {}
        wanted = None if not text.is_masked else raw
        for phrase, start in self._phrases_in(subject):
            _keep_longest(spans, self._rule_of(phrase.rule), start, start + len(phrase.text), None)
        for number in self._patterns_for(subject):
            of_rule, place, _ = self._patterns[number]
            rule = self._rule_of(of_rule)
            if (wanted is None or rule.raw is wanted) and rule.applies(situation):
                match = rule.patterns[place].compiled.search(subject.lowered)
                if match:
                    _keep_longest(spans, rule, match.start(), match.end(), match)
        hits = []
        for rule, (start, end, found) in spans.items():
            if (wanted is None or rule.raw is wanted) and rule.applies(situation) and not rule.is_silenced(subject.lowered):
                slice_of = text.original_slice if not raw else _slicer(subject.text)
                named = {name: slice_of(*found.span(name)) for name, value in found.groupdict().items() if value} if found else {}
                hits.append(Hit(rule, slice_of(start, end), start, named, rule.agreement(situation)))
        return hits

    def _phrases_in(self, subject: Subject) -> Iterator[tuple[_Phrase, int]]:
        tokens, lowered = subject.tokens, subject.lowered
        for number, (word, position) in enumerate(tokens, 1):
            by_second = self._by_first_words.get(word)
            if by_second is None:
                continue
            following = tokens[number][0] if number < len(tokens) else ""
            for text, rule, lead in (*by_second.get("", ()), *(by_second.get(following, ()) if following else ())):
                start = position - lead
                if start >= 0 and lowered.startswith(text, start) and _ends_at_word(lowered, start + len(text)):
                    yield _Phrase(text, rule, lead), start
        if not lowered.isascii():
            for text, rule, lead in self._unspaced:
                start = lowered.find(text)
                if start >= 0:
                    yield _Phrase(text, rule, lead), start

    def _patterns_for(self, subject: Subject) -> list[int]:
        """The patterns whose needed words are all there."""
        present = self._present(subject)
        candidates = dict.fromkeys(self._always)
        # In an order of their own: which of two equal stretches is kept must not change from run to run.
        for word in sorted(present & self._by_word.keys()):
            for pattern in self._by_word[word]:
                for group in self._patterns[pattern][2]:
                    if present.isdisjoint(group):
                        break
                else:
                    candidates[pattern] = None
        return list(candidates)


def provider_rules(provider: Mapping[str, Any], needs_of: NeedsOf) -> Iterator[Rule]:
    """The rules that a provider's own codes make: its phrases, and its tokens where they stand as words of the reply.

    A number is no token: what the provider means by an enhanced code is said by `provider_code_for`.
    """
    for block in (*provider.get("codes", ()), *provider.get("families", ())):
        if block["reasons"][0] == "unknown":
            continue
        pattern = block.get("pattern")
        is_token = pattern is None and _OWN_TOKEN.search(block["code"])
        phrases = [*block.get("phrases", ()), *([block["code"]] if is_token else [])]
        if not phrases and not pattern:
            continue
        yield Rule(
            {
                "id": f"{provider['id']}/{block['code']}",
                "reason": block["reasons"][0],
                "provider": [provider["id"]],
                "phrases": phrases,
                # What the provider does not document is a guess from its neighbours.
                "general": not block.get("certain", True),
                "is_listed": pattern is None,
                "pattern": pattern,
                "as_word": True,
                "expects": [*block.get("replies", ()), *block.get("enhanced", ())],
                "raw": any(_OPAQUE.search(phrase) or _PATH.search(phrase) for phrase in phrases),
                "action": block.get("action"),
                "acts": block["acts"],
            },
            needs_of,
        )


def provider_code_for(provider: Mapping[str, Any], code: str) -> Mapping[str, Any] | None:
    """The block of a provider that gives an enhanced code a meaning of its own."""
    return next((block for block in provider.get("codes", ()) if block["code"] == code), None)


def phrase_pattern(phrase: str) -> str:
    """The pattern of a literal phrase: any white space between its words, and whole words where the script has blanks between them."""
    body = r"\s+".join(map(re.escape, phrase.split()))
    before = "" if _is_open(phrase[0]) else r"(?<!\w)"
    after = "" if _is_open(phrase[-1]) else r"(?!\w)"
    return f"{before}{body}{after}"


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern for texts in small letters; one that is in small letters itself is matched twice as fast."""
    letters = re.sub(r"\\.", "", pattern)
    return lazily(pattern, 0 if letters == letters.lower() else re.IGNORECASE)


def _has_needed(text: str, needs: Needs) -> bool:
    for group in needs:
        for word in group:
            if word in text:
                break
        else:
            return False
    return True


def _is_open(character: str) -> bool:
    """Whether a phrase that starts or ends with `character` may touch another word."""
    return not character.isalnum() or _is_unspaced(character)


def _is_unspaced(character: str) -> bool:
    """Whether `character` belongs to a script without blanks between words: Chinese and Japanese, from U+2E80 on."""
    return character >= "\u2e80"


def _ends_at_word(text: str, end: int) -> bool:
    return end == len(text) or _is_open(text[end - 1]) or not (text[end].isalnum() or text[end] == "_")


def _keep_longest(
    spans: dict[Rule, tuple[int, int, re.Match[str] | None]], rule: Rule, start: int, end: int, match: re.Match[str] | None
) -> None:
    known = spans.get(rule)
    if known is None or end - start > known[1] - known[0]:
        spans[rule] = (start, end, match)


def _slicer(subject: str) -> Any:
    return lambda start, end: subject[start:end]


def _any_matches(patterns: tuple[str, ...], code: str | None) -> bool:
    return code is not None and any(pattern == code or CodePattern(pattern).matches(code) for pattern in patterns)
