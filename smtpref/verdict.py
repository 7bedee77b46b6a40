"""What a record's reply means: the order of evidence, in one place.

Strongest first: the provider's own code or phrase, the words of the reply, the enhanced code, the reply code, the class.
Words beat numbers where they contradict each other; of nested replies the innermost that says something decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from .built import Block
from .circumstances import Recogniser, things_named, wait_seconds
from .knowledge import Knowledge
from .model import (
    Action,
    Actor,
    Bounce,
    Category,
    Direction,
    EnhancedCode,
    Evidence,
    EvidenceBy,
    Finding,
    InputFormat,
    Outcome,
    Record,
    ReplyCode,
    Verdict,
)
from .parsing.reply import nested_starts
from .rules import Hit, MaskedText, Rule, RuleSet, Situation, provider_code_for, provider_rules

MAX_TEXTS = 500
"""Texts that are kept as rules look at them, with what matches: the same shape comes from one provider after another."""

LONG = 2000
"""Characters of a text that is not kept: a line may have a million."""

UNKNOWN = "unknown"
EXPIRED = "expired"
OUR_OWN_FAULTS = frozenset(("local-fault", "system-error", "system-full", "service-unavailable", "dns-failure"))
"""Reasons for which a server that refused somebody has to act itself."""

_OF_OUTCOME = {
    Outcome.DELIVERED: "success",
    Outcome.EXPIRED: "expired",
    Outcome.DISCARDED: "policy-rejected",
    Outcome.COMPLAINT: "feedback-report",
}
_OF_NOTICE: dict[str, str] = {InputFormat.AUTO_REPLY: "auto-reply", InputFormat.ARF: "feedback-report"}
"""What a notice is that tells of no outcome: nobody's words in it say more."""


class _Judged(NamedTuple):
    """A finding, and the rule behind it where it was one of words."""

    finding: Finding
    hit: Hit | None = None


class OrderOfEvidence:
    """Gives verdicts on texts as they stand, by the rules of one Knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.recogniser = Recogniser(knowledge)
        self._own_rules: dict[str | None, RuleSet] = {}
        self._known_rules: dict[int, Rule] = {}
        self._ids = list(knowledge.rules)
        self._known_hits = lru_cache(maxsize=MAX_TEXTS)(self._find_hits)

    @cached_property
    def _rules(self) -> RuleSet:
        return RuleSet(self._knowledge.index_of_rules, self._rule)

    @cached_property
    def _rules_of_success(self) -> RuleSet:
        """The few rules that are made for 2yz and 3yz replies, whose words otherwise never tell of a failure."""
        rules = map(self._rule, range(len(self._knowledge.rules)))
        return RuleSet.of(rule for rule in rules if rule.speaks_of_success)

    def _rule(self, number: int) -> Rule:
        if number not in self._known_rules:
            self._known_rules[number] = Rule(self._knowledge.rules[self._ids[number]], self._knowledge.needs_of)
        return self._known_rules[number]

    def _rules_of(self, provider: str | None) -> RuleSet:
        if provider not in self._own_rules:
            self._own_rules[provider] = RuleSet.of(
                provider_rules(self._knowledge.providers[provider], self._knowledge.needs_of) if provider else ()
            )
        return self._own_rules[provider]

    @cached_property
    def _with_rules_for_them(self) -> frozenset[str]:
        """The providers that rules ask for."""
        return frozenset(provider for block in self._knowledge.rules.values() for provider in block.get("provider", ()))

    def is_plain_success(self, record: Record) -> bool:
        """Whether a delivery's words say nothing more than its codes do, unless who answered."""
        return (
            record.outcome is Outcome.DELIVERED
            and record.reply_code is not None
            and record.reply_code.class_digit == "2"
            and not self._rules_of_success.may_match(record.text)
        )

    def says_in_its_own_way(self, record: Record, provider: str) -> bool:
        """Whether words or codes stand in a reply that a provider uses in its own way."""
        codes = (code for code in (record.enhanced_code, record.reply_code) if code)
        block = self._knowledge.providers[provider]
        if provider in self._with_rules_for_them or any(provider_code_for(block, str(code)) for code in codes):
            return True
        rules, situation = self._rules_of(provider), _situation(record, provider)
        return any(rules.find(text, situation) for text in _nested_texts(record.text))

    def verdict(self, record: Record, provider: str | None) -> Verdict:
        """Return the verdict for a record of a provider; `about` is set only where a rule says it (see `blamed`)."""
        findings = list(self._findings(record, provider))
        decisive = findings[0]
        reason = decisive.finding.reason
        cause = None
        if record.outcome is Outcome.EXPIRED and reason != EXPIRED:
            cause, reason = (None if reason == UNKNOWN else reason), EXPIRED
        overruled = tuple(judged.finding for judged in findings[1:])
        return self._complete(record, provider, reason, cause, decisive, overruled)

    def _findings(self, record: Record, provider: str | None) -> Iterator[_Judged]:
        """Everything that says something about the record, strongest first; never empty."""
        words = self._by_words(record, provider)
        telling = [judged for judged in words if not _is_weak(judged)]
        weak = [judged for judged in words if _is_weak(judged)]
        codes = [*self._by_own_number(record, provider), *self._by_enhanced_code(record)]
        middle = [*weak, *codes] if self._outweighs(weak, codes) else [*codes, *weak]
        # A complaint's words are the complainer's, whatever they speak of.
        told = list(self._by_format(record)) if record.outcome is Outcome.COMPLAINT or _is_notice(record) else []
        found = [*told, *telling, *middle, *self._by_reply_code(record), *([] if told else self._by_format(record))]
        yield from found or [_judged(UNKNOWN, EvidenceBy.FORMAT, "format/nothing-known", "")]

    def _outweighs(self, weak: list[_Judged], codes: list[_Judged]) -> bool:
        """Whether general words say more than the codes do: only where these name nothing either, and no address is condemned."""
        if not weak or not codes:
            return False
        reasons = self._knowledge.reasons
        return bool(reasons[codes[0].finding.reason].get("general")) and reasons[weak[0].finding.reason]["bounce"] != Bounce.HARD

    def _by_words(self, record: Record, provider: str | None) -> list[_Judged]:
        situation = _situation(record, provider)
        ranked: list[Hit] = []
        for text in _nested_texts(record.text):
            hits = self._hits(text, situation)
            ranked += [hit for hit in hits if hit not in ranked]
        # An inner reply comes first, but weak words inside never beat telling words outside, and none of them the words of giving up.
        yielding = [hit for hit in ranked if self._yields(hit.rule, ranked)]
        ranked.sort(
            key=lambda hit: (hit.rule.reason != EXPIRED, not hit.rule.providers or hit in yielding, hit.rule.general or hit in yielding)
        )
        return [
            _judged(hit.rule.reason, EvidenceBy.PROVIDER if hit.rule.providers else EvidenceBy.TEXT, hit.rule.id, hit.match, hit)
            for hit in ranked
        ]

    def _yields(self, rule: Rule, hits: list[Hit]) -> bool:
        """Whether a provider's words against the recipient stand beside words against the sender, for whom nobody is condemned."""
        reasons = self._knowledge.reasons
        others = [hit.rule for hit in hits if not hit.rule.general and not hit.rule.providers]
        is_hard = rule.providers and reasons[rule.reason]["bounce"] == Bounce.HARD
        return bool(is_hard and any(reasons[other.reason]["category"] in (Category.SENDER, Category.REPUTATION) for other in others))

    def _hits(self, text: MaskedText, situation: Situation) -> tuple[Hit, ...]:
        return (self._known_hits if len(text.original) <= LONG else self._find_hits)(text, situation)

    def _find_hits(self, text: MaskedText, situation: Situation) -> tuple[Hit, ...]:
        """The rules that match and that no other matching one beats, strongest first."""
        if (situation.reply_code or "")[:1] in ("2", "3"):
            hits = self._rules_of_success.find(text, situation)
        else:
            hits = [*self._rules_of(situation.provider).find(text, situation), *self._rules.find(text, situation)]
        standing = [hit for hit in hits if not any(_beats(other.rule, hit.rule) for other in hits)]
        return tuple(sorted(standing or hits, key=lambda hit: hit.strength, reverse=True))

    def _by_own_number(self, record: Record, provider: str | None) -> Iterator[_Judged]:
        """What the provider itself means by the enhanced code, or by the reply code, where that is not what the registry says."""
        if provider is None:
            return
        for code in (record.enhanced_code, record.reply_code):
            block = provider_code_for(self._knowledge.providers[provider], str(code)) if code else None
            if block is None:
                continue
            reason = block["reasons"][0]
            is_hard = self._knowledge.reasons[reason]["bounce"] == Bounce.HARD
            by_registry = self._implied_by_enhanced(code, record.reply_code) if isinstance(code, EnhancedCode) else None
            # Digits alone condemn no address unless the registry's do.
            if reason != UNKNOWN and not (is_hard and by_registry != reason):
                yield _judged(reason, EvidenceBy.PROVIDER, f"{provider}/{code}", str(code))

    def _by_enhanced_code(self, record: Record) -> Iterator[_Judged]:
        enhanced, reply = record.enhanced_code, record.reply_code
        if enhanced and not (reply and reply.class_digit == "3"):
            reason = self._implied_by_enhanced(enhanced, reply)
            if reason:
                yield _judged(reason, EvidenceBy.ENHANCED_CODE, f"enhanced/{enhanced}", str(enhanced))

    def _by_reply_code(self, record: Record) -> Iterator[_Judged]:
        reply = record.reply_code
        if reply:
            reason = self._knowledge.replies.get(str(reply), {}).get("implies")
            if reason:
                yield _judged(reason, EvidenceBy.REPLY_CODE, f"reply/{reply}", str(reply))
            of_class = {"2": "success", "3": "in-progress"}.get(reply.class_digit, UNKNOWN)
            yield _judged(of_class, EvidenceBy.REPLY_CODE, f"class/{reply.class_digit}yz", str(reply))

    def _implied_by_enhanced(self, code: EnhancedCode, reply: ReplyCode | None) -> str | None:
        if code.class_digit == "2":
            return "success" if reply is None else None
        block = self._knowledge.enhanced.get(code.any_class)
        if block is None:
            return None
        variant: Block = next((v for v in block.get("variants", ()) if v["class"] == code.class_digit), {})
        implied: str | None = variant.get("implies", block.get("implies"))
        # What the registry has only as 5.y.z condemns no address as 4.y.z.
        is_hard = implied is not None and self._knowledge.reasons[implied]["bounce"] == Bounce.HARD
        return None if is_hard and code.class_digit != "5" else implied

    def _by_format(self, record: Record) -> Iterator[_Judged]:
        if record.outcome in _OF_OUTCOME:
            yield _judged(_OF_OUTCOME[record.outcome], EvidenceBy.FORMAT, f"format/{record.outcome}", "")
        elif _is_notice(record):
            yield _judged(_OF_NOTICE[record.format], EvidenceBy.FORMAT, f"format/{record.format}", "")
        elif record.format == InputFormat.AUTO_REPLY and record.outcome is Outcome.REJECTED:
            # The recipient's own filter answered (RFC 5429).
            yield _judged("recipient-rejected", EvidenceBy.FORMAT, "format/rejected-by-recipient", "")

    def _complete(
        self, record: Record, provider: str | None, reason: str, cause: str | None, decisive: _Judged, overruled: tuple[Finding, ...]
    ) -> Verdict:
        block = self._knowledge.reasons[reason]
        rule = decisive.hit.rule if decisive.hit else None
        named = decisive.hit.named if decisive.hit else {}
        permanent = _permanent(record)
        bounce = Bounce(block["bounce"])
        if bounce is Bounce.HARD and permanent is False:
            bounce = Bounce.SOFT
        action = Action((rule and rule.action) or block["action"])
        if action is Action.REMOVE_ADDRESS and bounce is not Bounce.HARD and record.outcome is not Outcome.COMPLAINT:
            action = Action.RETRY_LATER if bounce is not Bounce.NONE else Action.NONE
        if record.direction is Direction.INBOUND and reason not in OUR_OWN_FAULTS:
            action = Action.NONE
        return Verdict(
            reason=reason,
            category=Category(block["category"]),
            bounce=bounce,
            permanent=permanent,
            action=action,
            acts=Actor((rule and rule.acts) or block["acts"]),
            about=named.get("about"),
            cause=cause,
            provider=provider,
            blocklist=self._blocklist(record, reason, named.get("blocklist")),
            retry_after=wait_seconds(record.text) if bounce is Bounce.SOFT else None,
            evidence=decisive.finding.evidence,
            overruled=overruled,
        )

    def blamed(self, record: Record, reason: str) -> Iterator[str]:
        """What the reply may blame where it gives this reason, most likely first."""
        named = things_named(record.text, self._knowledge.reasons[reason].get("about", ()))
        # Who keeps a list is not who is on it.
        return (name for name in named if not self.recogniser.blocklist(name))

    def _blocklist(self, record: Record, reason: str, named: str | None) -> str | None:
        if reason != "blocklisted" and not named:
            return None
        return (self.recogniser.blocklist(named) or named) if named else self.recogniser.blocklist(record.text)


def _judged(reason: str, by: EvidenceBy, rule: str, match: str, hit: Hit | None = None) -> _Judged:
    return _Judged(Finding(reason, Evidence(by, rule, match)), hit)


def _nested_texts(text: str) -> tuple[MaskedText, ...]:
    return _known_texts(text) if len(text) <= LONG else _texts_of(text)


def _texts_of(text: str) -> tuple[MaskedText, ...]:
    """A reply's text in as many parts as there are replies in it, the innermost first."""
    starts = [*nested_starts(text), 0]
    return tuple(MaskedText(text[begin:end]) for begin, end in zip(starts, [None, *starts], strict=False))


_known_texts = lru_cache(maxsize=MAX_TEXTS)(_texts_of)


def _situation(record: Record, provider: str | None) -> Situation:
    return Situation(
        provider,
        str(record.reply_code) if record.reply_code else None,
        str(record.enhanced_code) if record.enhanced_code else None,
        record.phase,
        record.words_only,
    )


def _is_notice(record: Record) -> bool:
    return record.outcome is None and record.format in _OF_NOTICE


def _beats(rule: Rule, other: Rule) -> bool:
    """Whether `rule` says that it is right where both match; nothing beats a provider's own words but its own."""
    if other.providers and not rule.providers:
        return False
    return other.id in rule.beats or (other.reason in rule.beats and other.reason != rule.reason)


def _is_weak(judged: _Judged) -> bool:
    """Whether nothing but general words ("rejected", "try again later") speak: a code that names a cause says more."""
    return judged.hit is not None and judged.hit.rule.general


def _permanent(record: Record) -> bool | None:
    """By the reply code, which decides where both codes stand and differ; else by the enhanced code."""
    code = record.reply_code or record.enhanced_code
    return code.permanent if code else None
