"""The invariants of codes.yaml: whoever adds a block adds its tests with it."""

from __future__ import annotations

import copy
import re
import signal
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from smtpref.built import listed
from smtpref.codes_file import read_codes_file
from smtpref.codes_form import RFC_SOURCE, SECTIONS, SHARED_WORDS
from smtpref.judging import Judge
from smtpref.knowledge import LANGUAGES, load_knowledge
from smtpref.literals import needs_of
from smtpref.model import Bounce, EnhancedCode, EvidenceBy, Record, ReplyCode, Verdict
from smtpref.parsing.files import Input, lines_of
from smtpref.parsing.recognition import read_records
from smtpref.parsing.reply import find_reply, nested_starts
from smtpref.rules import MAX_TEXT, Hit, MaskedText, Rule, RuleSet, Situation, phrase_pattern, provider_rules
from smtpref.verdict import OrderOfEvidence

from .conftest import CHECKOUT

Block = Any

KNOWLEDGE = load_knowledge()
JUDGE = Judge(KNOWLEDGE)
EVIDENCE = OrderOfEvidence(KNOWLEDGE)
RULES = {name: Rule(block, KNOWLEDGE.needs_of) for name, block in KNOWLEDGE.rules.items()}

UNTRANSLATED: dict[str, int] = {}
"""How many texts of a section wait for a translator; every other section has none."""

DECIDED_OTHERWISE = {
    "microsoft365/5.0.350:1": "the reply that the example nests says more",
    "docomo/filtered:1": "docomo sends the same words for an address that it does not know",
}
"""Replies of providers that give none of the code's reasons, and why that is right."""

HARD_BY_DIGITS = {"X.1.1", "X.1.2", "X.1.3", "X.1.6", "X.1.10", "X.2.1", "556"}
"""The contract's list of codes whose digits alone may condemn an address."""

OF_OUTCOMES_AND_CLASSES = {"success", "in-progress", "expired", "policy-rejected", "feedback-report", "unknown"}
"""Reasons that an input's own outcome or the first digit gives."""

MARKS_OF_MESSAGES = {"auto-reply", "feedback-report"}
"""Reasons whose example is a header of a message, no reply."""

NAME_LENGTH, SUMMARY_LENGTH, SENTENCE_LENGTH = 45, 80, 110

PLACEHOLDER = re.compile(r"\{\w*\}")
FACTS_OF_A_VERDICT = {"{recipient}", "{sender}", "{about}", "{blocklist}", "{provider}", "{relay}", "{wait}"}


def section(name: str) -> dict[str, Block]:
    return dict(getattr(KNOWLEDGE, name, {}))


def blocks_of(*names: str, having: Iterable[str] = ()) -> list[Any]:
    """Parameters of a test: the blocks of some sections, each by its own name."""
    wanted = set(having)
    blocks = [(name, key, block) for name in names for key, block in section(name).items()]
    return [pytest.param(block, id=key) for name, key, block in blocks if not wanted or wanted & set(block)]


def worded_blocks() -> list[Any]:
    """Parameters of a test: every block that says something to people."""
    names = [name for name in SECTIONS if name not in ("sources", "rules")]
    return [pytest.param(name, block, id=f"{name}:{key}") for name in names for key, block in section(name).items()]


def own_codes(provider: Block) -> Iterator[Block]:
    yield from (*provider.get("codes", ()), *provider.get("families", ()))


def patterns_of(rule: Block) -> list[str]:
    given = [rule.get("pattern", []), rule.get("unless_pattern", [])]
    return [pattern for one in given for pattern in ([one] if isinstance(one, str) else one)]


def localised(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything in a block that is written in several languages, with the fields that lead to it."""
    if isinstance(value, dict) and "en" in value:
        yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from localised(part, f"{path}/{name}")
    elif isinstance(value, list):
        for part in value:
            yield from localised(part, path)


def sentences(text: dict[str, Any]) -> Iterator[str]:
    """A text or list in every language it has."""
    for one in text.values():
        yield from [one] if isinstance(one, str) else one


@cache
def records(text: str) -> tuple[Record, ...]:
    return tuple(read_records(Input("-", datetime(2026, 10, 1), lines_of(text.encode()))))


@cache
def judged(text: str, host: str | None = None) -> tuple[tuple[Record, Verdict], ...]:
    """What a text means, answered by `host` unless it names another; judged once, however many tests ask."""
    answered = [record._replace(relay=record.relay or host) for record in records(text)]
    return tuple((record, JUDGE.judge(record)) for record in answered)


def situation(record: Record, provider: str | None) -> Situation:
    reply, enhanced = record.reply_code, record.enhanced_code
    return Situation(provider, str(reply) if reply else None, str(enhanced) if enhanced else None, record.phase)


@cache
def rules_of(provider: str | None) -> RuleSet:
    """The rules that a provider's codes make; those of the file for nobody."""
    return RuleSet.of(RULES.values() if provider is None else provider_rules(KNOWLEDGE.providers[provider], KNOWLEDGE.needs_of))


def hits(record: Record, provider: str | None) -> dict[str, Hit]:
    """Every rule that matches a record, whether or not another one beats it."""
    text, known = MaskedText(record.text), situation(record, provider)
    found = [hit for rules in {rules_of(None), rules_of(provider)} for hit in rules.find(text, known)]
    return {hit.rule.id: hit for hit in found}


def relay(provider: Block) -> str | None:
    """A host of the provider that answers."""
    return f"mx.{provider['hosts'][0].lstrip('.')}" if "hosts" in provider else None


# The file as a whole


def test_the_codes_file_has_no_mistake() -> None:
    written = read_codes_file(CHECKOUT / "codes.yaml")
    known = {name: len(section(name)) for name in written if hasattr(KNOWLEDGE, name)}
    assert known == {name: len(written[name]) for name in known}


def test_every_shared_word_is_used() -> None:
    text = (CHECKOUT / "codes.yaml").read_text(encoding="utf-8")
    _, _, shared = text.partition("\nvocabulary:\n")
    defined = re.findall(r"^  - id: (\S+)$", shared.partition("\nrules:\n")[0], re.MULTILINE)
    assert sorted(set(defined) - set(SHARED_WORDS.findall(text))) == []


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_translated_as_far_as_expected(name: str) -> None:
    missing = sum("vi" not in text for block in section(name).values() for _, text in localised(block, name))
    assert missing == UNTRANSLATED.get(name, 0)


def claims(kind: str) -> Iterator[tuple[str, str]]:
    """What providers and blocklists are known by, and which of them it is."""
    for key, block in section("blocklists" if kind == "blocklist" else "providers").items():
        match kind:
            case "blocklist":
                names = [block["zone"], block["name"], *block.get("names", ())]
            case "provider":
                names = [block["id"], block["name"], *block.get("aliases", ())]
            case _:
                names = [mark.strip(".") for mark in block.get(kind, ())]
        yield from ((name.lower(), key) for name in names)


@pytest.mark.parametrize("kind", ["provider", "hosts", "markers", "blocklist"])
def test_nothing_is_known_by_another_s_name(kind: str) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for name, owner in claims(kind):
        owners[name].add(owner)
    assert {name: who for name, who in owners.items() if len(who) > 1} == {}


def test_every_source_is_cited() -> None:
    def cited(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value.get("sources", ())
            for part in value.values():
                yield from cited(part)
        elif isinstance(value, list):
            for part in value:
                yield from cited(part)

    everywhere = {source for name in SECTIONS if name != "sources" for source in cited(list(section(name).values()))}
    assert sorted(set(KNOWLEDGE.sources) - everywhere) == []


def test_the_tests_speak_of_what_exists() -> None:
    assert set(DECIDED_OTHERWISE) - {param.id for param in replies_of_providers()} == set()
    assert set(UNTRANSLATED) - set(SECTIONS) == set()
    assert HARD_BY_DIGITS - {*KNOWLEDGE.enhanced, *KNOWLEDGE.replies} == set()
    assert (OF_OUTCOMES_AND_CLASSES | MARKS_OF_MESSAGES) - set(KNOWLEDGE.reasons) == set()


# Words and sources


@pytest.mark.parametrize(("name", "block"), worded_blocks())
def test_a_text_says_the_same_in_each_language(name: str, block: Block) -> None:
    for path, text in localised(block, name):
        assert set(text) <= set(LANGUAGES), path
        items = [[one] if isinstance(one, str) else one for one in text.values()]
        assert len({len(one) for one in items}) == 1, path
        for translations in zip(*items, strict=True):
            assert len({frozenset(PLACEHOLDER.findall(one)) for one in translations}) == 1, (path, translations)
            assert all(one.strip() == one != "" for one in translations), (path, translations)


@pytest.mark.parametrize(("name", "block"), worded_blocks())
def test_a_text_fits_where_it_is_shown(name: str, block: Block) -> None:
    """Whole sentences, names without a full stop, short enough, and placeholders only where something fills them in."""
    for path, text in localised(block, name):
        fillable = FACTS_OF_A_VERDICT if path == "reasons/do" else {"{code}"} if path == "providers/families/meaning" else set()
        for one in sentences(text):
            assert set(PLACEHOLDER.findall(one)) - fillable == set(), (path, one)
            match path.rpartition("/")[2]:
                case "name":
                    assert len(one) < NAME_LENGTH, one
                    assert not one.endswith("."), one
                case "summary":
                    assert len(one) < SUMMARY_LENGTH, one
                    assert not one.endswith("."), one
                case "do":
                    assert len(one) < SENTENCE_LENGTH, one
                case "meaning" if path == "blocklists/return_codes/meaning":
                    assert not one.endswith("."), one
                case "meaning" | "when" | "use" | "note" | "removal":
                    assert one.endswith((".", '."', ".)", ".”")), (path, one)


@pytest.mark.parametrize("source", blocks_of("sources"))
def test_a_source_is_a_page_with_a_title(source: Block) -> None:
    assert re.fullmatch(r"https?://[a-z0-9.-]+\.[a-z]{2,}(?::\d+)?(?:/[^\s<>\"]*)?", source["url"])
    assert source["title"].strip() == source["title"] != ""
    assert not RFC_SOURCE.fullmatch(source["id"])


@pytest.mark.parametrize("name", SECTIONS)
def test_a_source_leads_to_its_page(name: str) -> None:
    for key, block in section(name).items():
        for source in block.get("sources", ()):
            rfc = RFC_SOURCE.fullmatch(source)
            page = f"https://www.rfc-editor.org/rfc/rfc{rfc[1]}" if rfc else KNOWLEDGE.sources[source]["url"].partition("#")[0]
            assert KNOWLEDGE.source(source).url.partition("#")[0] == page, key


# Codes


@pytest.mark.parametrize("block", blocks_of("replies"))
def test_the_example_of_a_reply_code_has_that_code(block: Block) -> None:
    """A number that only programs write about themselves stands there too, but need not be read as a reply."""
    own = ReplyCode.parse(block["code"])
    reply = find_reply(block["example"])
    assert (reply and reply.code) in ((own,) if block.get("registered", True) else (own, None))
    assert re.search(rf"(?<!\d){own}(?!\d)", block["example"])


@pytest.mark.parametrize("block", blocks_of("enhanced"))
def test_the_example_of_an_enhanced_code_has_that_code_and_class(block: Block) -> None:
    variants = [variant for variant in block.get("variants", ()) if "example" in variant]
    classes = [block["classes"][0], *(variant["class"] for variant in variants)]
    examples = [block["example"], *(variant["example"] for variant in variants)]
    found = [reply and reply.enhanced for reply in map(find_reply, examples)]
    assert found == [EnhancedCode.parse(block["code"].replace("X", digit)) for digit in classes]


@pytest.mark.parametrize("block", blocks_of("classes", "subjects"))
def test_the_example_of_a_class_belongs_to_it(block: Block) -> None:
    form = r"[245]\.\d+\.\d+" if "." in block["code"] else r"\d{3}"
    first = re.search(rf"(?<![\d.]){form}(?![\d.])", block["example"])
    assert first
    digits = block["code"].rstrip("xyz.").replace("X", r"\d").replace(".", r"\.")
    assert re.match(digits, first[0])


@pytest.mark.parametrize("block", blocks_of("replies", "enhanced"))
def test_codes_that_go_together_are_of_one_class(block: Block) -> None:
    if "classes" in block:
        assert {variant["class"] for variant in block.get("variants", ())} - set(block["classes"][1:]) == set()
        assert {code[0] for code in block.get("replies", ())} - set(block["classes"]) == set()
        assert set(block.get("replies", ())) - set(KNOWLEDGE.replies) == set()
    else:
        beside = block.get("enhanced", ())
        assert {code[0] for code in beside} - {block["code"][0]} == set()
        assert [code for code in beside if f"X{code[1:]}" not in KNOWLEDGE.enhanced and not KNOWLEDGE.users_of(code)] == []


@pytest.mark.parametrize("block", blocks_of("replies", "enhanced"))
def test_digits_imply_a_reason_that_may_stand_behind_them(block: Block) -> None:
    parts = [part for part in (block, *block.get("variants", ())) if "implies" in part]
    assert [part["implies"] for part in parts if part["implies"] not in part.get("reasons", block["reasons"])] == []


@pytest.mark.parametrize("block", blocks_of("replies", "enhanced"))
def test_digits_alone_condemn_only_the_listed_codes(block: Block) -> None:
    hard = {reason for reason, facts in section("reasons").items() if facts["bounce"] == Bounce.HARD}
    implied = {part.get("implies") for part in (block, *block.get("variants", ()))}
    assert not implied & hard or block["code"] in HARD_BY_DIGITS


@pytest.mark.parametrize("provider", blocks_of("providers"))
def test_a_provider_s_number_alone_condemns_only_the_listed_codes(provider: Block) -> None:
    written = {code for block in own_codes(provider) for code in (block["code"], *block.get("enhanced", ()))}
    numbers = [EnhancedCode.parse(code) for code in sorted(written) if re.fullmatch(r"[45]\.\d{1,3}\.\d{1,3}", code)]
    verdicts = {number: JUDGE.judge(Record("-", 1, "reply", relay=relay(provider), enhanced_code=number)) for number in numbers}
    hard = {number.any_class for number, verdict in verdicts.items() if verdict.bounce is Bounce.HARD}
    assert hard - HARD_BY_DIGITS == set()


# Reasons


@pytest.mark.parametrize("reason", KNOWLEDGE.reasons)
def test_a_reason_can_be_reached(reason: str) -> None:
    coded = [part for name in ("replies", "enhanced") for block in section(name).values() for part in (block, *block.get("variants", ()))]
    by_digits = {part.get("implies") for part in coded}
    by_words = {rule["reason"] for rule in section("rules").values()}
    by_providers = {block["reasons"][0] for provider in section("providers").values() for block in own_codes(provider)}
    assert reason in by_digits | by_words | by_providers | OF_OUTCOMES_AND_CLASSES


@pytest.mark.parametrize("reason", [param for param in blocks_of("reasons") if param.id not in MARKS_OF_MESSAGES])
def test_the_example_of_a_reason_is_judged_so(reason: Block) -> None:
    assert [verdict.reason for _, verdict in judged(reason["example"])] == [reason["id"]]


# Rules


def replies_of_rules(field: str) -> list[Any]:
    return [
        pytest.param(rule, text, id=f"{rule}:{number}")
        for rule, block in section("rules").items()
        for number, text in enumerate(block.get(field, ()), 1)
    ]


@pytest.mark.parametrize(("rule", "text"), replies_of_rules("matches"))
def test_a_rule_wins_its_own_examples(rule: str, text: str) -> None:
    assert [verdict.evidence.rule for _, verdict in judged(text)] == [rule], text


@pytest.mark.parametrize(("rule", "text"), replies_of_rules("rejects"))
def test_a_rule_leaves_its_near_misses_alone(rule: str, text: str) -> None:
    for record, verdict in judged(text):
        assert rule not in {verdict.evidence.rule, *hits(record, verdict.provider)}, text


@pytest.mark.parametrize("rule", KNOWLEDGE.rules)
def test_no_pattern_matches_without_the_words_that_it_needs(rule: str) -> None:
    block = KNOWLEDGE.rules[rule]
    texts = [MaskedText(text).raw.lowered for text in (*block.get("matches", ()), *block.get("rejects", ()))]
    for pattern in (*listed(block.get("pattern")), *listed(block.get("unless_pattern"))):
        for text in filter(re.compile(pattern, re.IGNORECASE).search, texts):
            assert [group for group in KNOWLEDGE.needs_of(pattern) if not any(word in text for word in group)] == []


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("no such user", [["no such user"]]),
        ("(?:no such|missing) mailbox", [[" mailbox"], ["missing", "no such"]]),
        ("[çc]ok fazla", [["cok fazla", "çok fazla"]]),
        ("s[ıi]n[ıi]r(?: dol)?", [["sinir", "sinır", "sınir", "sınır"]]),
        ("[a-z]+ is [^.]{0,9}full", [[" is "], ["full"]]),
        ("(?:limit|[0-9]+) reached", [[" reached"]]),
        ("full|[0-9]+", []),
        ("(?:quota)?", []),
    ],
)
def test_the_words_that_a_pattern_needs(pattern: str, needs: list[list[str]]) -> None:
    assert needs_of(pattern) == needs


@pytest.mark.parametrize("rule", KNOWLEDGE.rules)
def test_no_rule_is_dead(rule: str) -> None:
    """Without the rule, at least one of its examples would be told another reason, action or circumstance."""

    def told(verdict: Verdict) -> Verdict:
        return verdict._replace(evidence=verdict.evidence._replace(by=EvidenceBy.FORMAT, rule="", match=""), overruled=())

    def told_without(record: Record, verdict: Verdict) -> Verdict:
        speaking = {verdict.evidence.rule, *(finding.evidence.rule for finding in verdict.overruled)} | RULES[rule].beats
        lesser = copy.copy(EVIDENCE)
        others = [other for other in RULES.values() if other.id != rule and {other.id, other.reason} & speaking]
        lesser.__dict__["_rules"] = RuleSet.of(others)
        lesser.__dict__["_rules_of_success"] = RuleSet.of(other for other in others if other.speaks_of_success)
        # What the whole has remembered is not the lesser's.
        lesser.__dict__["_hits"] = lesser._find_hits
        return told(lesser.verdict(record, EVIDENCE.recogniser.provider(record)))

    examples = [example for text in KNOWLEDGE.rules[rule]["matches"] for example in judged(text)]
    assert any(
        told(EVIDENCE.verdict(record, EVIDENCE.recogniser.provider(record))) != told_without(record, verdict)
        for record, verdict in examples
    )


def every_example() -> Iterator[Any]:
    """The replies that rules and providers' codes stand for, each with who answers."""
    for name, rule in section("rules").items():
        for number, text in enumerate(rule["matches"], 1):
            yield pytest.param(text, None, id=f"{name}:{number}")
    for name, provider in section("providers").items():
        for block in own_codes(provider):
            if "example" in block:
                yield pytest.param(block["example"], relay(provider), id=f"{name}/{block['code']}")


@pytest.mark.parametrize(("text", "host"), list(every_example()))
def test_two_reasons_for_one_reply_are_told_apart_by_documented_strength(text: str, host: str | None) -> None:
    """Nothing is left to the names of rules: one `beats` the other, or is less general, more exact, longer or earlier."""
    for record, verdict in judged(text, host):
        evidence, matching = verdict.evidence, hits(record, verdict.provider)
        if evidence.rule not in matching or nested_starts(record.text):
            continue
        told_otherwise = {
            finding.evidence.rule
            for finding in verdict.overruled
            if finding.evidence.by is evidence.by and finding.reason != verdict.reason
        }
        *decisive, _ = matching[evidence.rule].strength
        assert [name for name in told_otherwise & set(matching) if [*matching[name].strength[:-1]] >= decisive] == []


@pytest.mark.parametrize("rule", blocks_of("rules"))
def test_a_rule_matches_words_and_captures_what_a_verdict_shows(rule: Block) -> None:
    """Codes are matched as fields, never as text."""
    code = re.compile(r"(?<![\w\\.#{,-])[245](?:[0-5]\d|\\?\.\d{1,3}\\?\.\d{1,3})(?![\w},])")
    patterns = patterns_of(rule)
    assert [text for text in (*patterns, *rule.get("phrases", ())) if code.search(text)] == []
    assert {name for pattern in patterns for name in re.compile(pattern).groupindex} - {"about", "blocklist"} == set()


def test_no_two_rules_know_the_same_phrase() -> None:
    """Unless a condition tells them apart, only one of them can ever speak."""
    conditions = {"provider", "replies", "enhanced", "phases", "unless", "unless_pattern"}
    free = [rule for rule in section("rules").values() if not conditions & set(rule)]
    counted = Counter(words.lower() for rule in free for words in rule.get("phrases", ()))
    assert [words for words, count in counted.items() if count > 1] == []


# Providers


def replies_of_providers() -> Iterator[Any]:
    """Each provider's examples, and its phrases behind the codes that they come with."""
    for name, provider in section("providers").items():
        for block in own_codes(provider):
            # A code that stands for no reason leaves the verdict to the rest of the reply.
            if block["reasons"] == ["unknown"]:
                continue
            usual = "450" if block.get("permanent") is False else "550"
            codes = [code for code in (*block.get("replies", [usual])[:1], *block.get("enhanced", ())[:1]) if re.fullmatch(r"[\d.]+", code)]
            phrases = [" ".join([*codes, words, "- thank you"]) for words in block.get("phrases", ())]
            for number, text in enumerate([*([block["example"]] if "example" in block else []), *phrases], 1):
                key = f"{name}/{block['code']}:{number}"
                marks = [pytest.mark.xfail(reason=DECIDED_OTHERWISE[key])] if key in DECIDED_OTHERWISE else []
                yield pytest.param(text, relay(provider), block["reasons"], id=key, marks=marks)


@pytest.mark.parametrize(("text", "host", "reasons"), list(replies_of_providers()))
def test_a_provider_s_own_words_give_one_of_its_reasons(text: str, host: str | None, reasons: list[str]) -> None:
    verdicts = [verdict for _, verdict in judged(text, host)]
    assert len(verdicts) == 1, text
    assert verdicts[0].reason in reasons, (text, verdicts[0].evidence)


@pytest.mark.parametrize("provider", blocks_of("providers", having=["hosts"]))
def test_a_provider_is_known_by_its_hosts(provider: Block) -> None:
    answered = {host: Record("-", 1, "reply", relay=f"{host.strip('.')}[192.0.2.1]:25", text="no") for host in provider["hosts"]}
    assert {host: JUDGE.judge(record).provider for host, record in answered.items()} == dict.fromkeys(answered, provider["id"])


@pytest.mark.parametrize("provider", blocks_of("providers", having=["families"]))
def test_the_parts_of_a_family_are_groups_of_its_pattern(provider: Block) -> None:
    for family in provider["families"]:
        groups = re.compile(family["pattern"], re.IGNORECASE).groupindex
        assert {part["group"] for part in family.get("parts", ())} - set(groups) == set(), family["code"]


# Hostile input


class TooSlowError(Exception):
    """The processor time that a test grants is used up."""


@contextmanager
def processor_seconds(granted: int) -> Iterator[None]:
    """End the block with TooSlowError after so much processor time of its own, however busy the machine is."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, granted)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


needs_timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers of processor time")

_SYNTAX = re.compile(r"\\.|\(\?P?<\w+>|\(\?[:=!<]+|\{[\d,]+\}|\[\^?|[\\\]^$?*+.|()]")


def repeated(body: str, length: int) -> str:
    return (body * (length // len(body) + 1))[:length]


def hostile(patterns: Iterable[re.Pattern[str]], length: int) -> Iterator[str]:
    """Texts that patterns may choke on: their own words without end, and what opens and never closes."""
    words = list(dict.fromkeys(word for pattern in patterns for word in _SYNTAX.sub(" ", pattern.pattern).split())) or ["a"]
    own = [" ".join(words) + " ", "".join(words), ". ".join(reversed(words)), words[0], f"{words[-1]} "]
    for body in dict.fromkeys([*own, "a", "0 ", " ", "1.", "('\"<[{", "-a@a."]):
        yield repeated(body, length)


@needs_timers
@pytest.mark.parametrize("rule", blocks_of("rules"))
def test_a_rule_finishes_on_hostile_text(rule: Block) -> None:
    silencers = map(phrase_pattern, rule.get("unless", ()))
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in (*patterns_of(rule), *silencers)]
    with processor_seconds(2):
        for text in hostile(patterns, MAX_TEXT):
            for pattern in patterns:
                pattern.search(text)


@needs_timers
@pytest.mark.parametrize("provider", blocks_of("providers", having=["families", "tokens"]))
def test_a_provider_s_patterns_finish_on_hostile_text(provider: Block) -> None:
    families = [re.compile(family["pattern"], re.IGNORECASE) for family in provider.get("families", ())]
    patterns = [*families, *([re.compile(provider["tokens"])] if "tokens" in provider else [])]
    with processor_seconds(2):
        for text in hostile(patterns, MAX_TEXT):
            for pattern in patterns:
                pattern.search(text)
        # What is typed behind `explain` has no bound.
        for text in hostile(patterns, 100_000):
            for pattern in families:
                pattern.fullmatch(text)


@needs_timers
@pytest.mark.parametrize("body", ["mailbox full ", "spam", "<a@b.example> ", "https://a.example/ ", '"', "user unknown: 550 5.1.1 "])
def test_a_reply_of_a_hundred_kilobytes_costs_what_a_long_one_does(body: str) -> None:
    with processor_seconds(2):
        assert JUDGE.judge(Record("-", 1, "reply", reply_code=ReplyCode(550), text=repeated(body, 100_000)))
