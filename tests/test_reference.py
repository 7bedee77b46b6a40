"""What is a code and what it means, how codes differ, and which ones some words find."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from itertools import combinations

import pytest

from smtpref.comparison import compare_codes
from smtpref.errors import NotACode, WrongUsage
from smtpref.explanation import explain_codes
from smtpref.knowledge import LANGUAGES, Knowledge, Language
from smtpref.model import Comparison, EnhancedCode, Entry, Kind, Phase, ReplyCode
from smtpref.reference import Reference
from smtpref.search import Filters, grouped, search_entries

Named = list[tuple[str, str | None]]
"""Codes, each with the provider whose own it is."""

ENTRY_KEYS = [
    "code",
    "kind",
    "name",
    "registered",
    "class",
    "permanent",
    "acts",
    "meaning",
    "when",
    "phases",
    "fix",
    "example",
    "provider",
    "related",
    "sources",
]
"""What an entry has at least, in its order."""

OF_EVERY_KIND = [
    "220",
    "250",
    "354",
    "421",
    "450",
    "550",
    "556",
    "599",
    "5xx",
    "4xx",
    "55x",
    "3yz",
    "5.1.1",
    "4.1.1",
    "X.1.1",
    "2.1.5",
    "5.7.1",
    "5.9.9",
    "X.1.99",
    "X.7.x",
    "4.7.x",
    "5.x.x",
    "gmail 4.2.1",
    "gmail 5.7.26",
    "outlook S3140",
    "TSS04",
    "AS(201806281)",
    "greylisted",
    "mailbox-full",
    "success",
    "unknown",
    "zen.spamhaus.org",
    "b.barracudacentral.org",
    "550 5.1.1",
]


def named(entries: Iterable[Entry]) -> Named:
    return [(entry.code, entry.provider) for entry in entries]


# What explain accepts

ACCEPTED: dict[str, Named] = {
    "550": [("550", None)],
    "5.1.1": [("5.1.1", None)],
    "X.1.1": [("X.1.1", None)],
    "x.1.1": [("X.1.1", None)],
    "550 5.1.1": [("5.1.1", None), ("550", None)],
    "550-5.1.1": [("5.1.1", None), ("550", None)],
    "550 x.1.1": [("X.1.1", None), ("550", None)],
    "550 #5.1.1": [("5.1.1", None), ("550", None)],
    "550 (#5.1.1)": [("5.1.1", None), ("550", None)],
    "5xx": [("5yz", None)],
    "5XX": [("5yz", None)],
    "5yz": [("5yz", None)],
    "55x": [("55z", None)],
    "55z": [("55z", None)],
    "4.7.x": [("4.7.x", None)],
    "4.7.X": [("4.7.x", None)],
    "5.7.*": [("5.7.x", None)],
    "5.x.x": [("5.x.x", None)],
    "5.x": [("5.x.x", None)],
    "X.7": [("X.7.x", None)],
    "x.7.x": [("X.7.x", None)],
    "#5.1.1": [("5.1.1", None)],
    "(#5.7.1)": [("5.7.1", None)],
    "smtp; 550 5.1.1": [("5.1.1", None), ("550", None)],
    "smtp;550": [("550", None)],
    "SMTP 550": [("550", None)],
    "Status: 5.1.1": [("5.1.1", None)],
    "550,": [("550", None)],
    "550:": [("550", None)],
    '"550"': [("550", None)],
    "[550]": [("550", None)],
    " 550 ": [("550", None)],
    "5.7.26": [("5.7.26", None), ("5.7.26", "google")],
    "gmail 5.7.26": [("5.7.26", "google"), ("5.7.26", None)],
    "Google 5.7.26": [("5.7.26", "google"), ("5.7.26", None)],
    "gmail 550-5.7.26": [("5.7.26", "google"), ("5.7.26", None), ("550", None)],
    "gmail 599": [("599", None)],
    "S3140": [("S3140", "outlook-com")],
    "s3140": [("S3140", "outlook-com")],
    "(S3140)": [("S3140", "outlook-com")],
    "outlook S3140": [("S3140", "outlook-com")],
    "outlook.com S3140": [("S3140", "outlook-com")],
    "[TSS04]": [("TSS04", "yahoo")],
    "AS(201806281)": [("AS(201806281)", "microsoft365")],
    "greylisted": [("greylisted", None)],
    "Greylisted": [("greylisted", None)],
    "zen.spamhaus.org": [("zen.spamhaus.org", None)],
    "ZEN.spamhaus.org.": [("zen.spamhaus.org", None)],
    "Spamhaus ZEN": [("zen.spamhaus.org", None)],
    "599": [("599", None)],
    "5.9.9": [("5.9.9", None)],
    "5.1.99": [("5.1.99", None)],
    "X.1.99": [("X.1.99", None)],
    "5.999.999": [("5.999.999", None)],
}

NO_CODES: dict[str, list[str]] = {
    "999": [],
    "0": [],
    "55": ["550", "551"],
    "5500": ["550"],
    "5.1": ["5.7.1"],
    "5.1.1.1": ["5.1.1"],
    "5.01.1": ["5.1.1"],
    "5.1000.1": ["5.1.1"],
    "3.1.1": ["5.1.1"],
    "6.1.1": ["5.1.1"],
    "550.5.1.1": ["5.1.1"],
    "x50": [],
    "x.x.x": [],
    "٥٥٠": [],
    "hello": [],
    "greylistd": ["greylisted"],
    "spamhous": [],
    "gmail hello": [],
    "": [],
    " ": [],
    "()": [],
}
"""What is no code, and what must be among the candidates that are offered for it."""


@pytest.mark.parametrize(("given", "expected"), ACCEPTED.items(), ids=ACCEPTED)
def test_a_code_is_whatever_a_person_would_paste(given: str, expected: Named, knowledge: Knowledge) -> None:
    explanation = explain_codes([given], knowledge, "en")
    assert (named(explanation.entries), explanation.records, explanation.errors) == (expected, (), ())


@pytest.mark.parametrize("given", ["450", "AUP#1120", "BL000010", "OFR_999", "RESOLVER.ADR.RecipNotFound", "IB605"])
def test_a_provider_s_code_is_known_whether_listed_or_of_a_known_form(given: str, knowledge: Knowledge) -> None:
    assert explain_codes([given], knowledge, "en").entries[0].code == given


@pytest.mark.parametrize(("given", "expected"), NO_CODES.items(), ids=[given or "nothing" for given in NO_CODES])
def test_what_is_no_code_gets_up_to_three_candidates(given: str, expected: list[str], knowledge: Knowledge) -> None:
    with pytest.raises(NotACode) as raised:
        Reference(knowledge, "en").entries(given)
    assert raised.value.given == given
    assert len(raised.value.commands) <= 3
    assert [code for code in expected if f"smtpref explain {code}" not in raised.value.commands] == []


@pytest.mark.parametrize(("given", "expected"), NO_CODES.items(), ids=[given or "nothing" for given in NO_CODES])
def test_every_candidate_is_a_code(given: str, expected: list[str], knowledge: Knowledge) -> None:
    assert expected == [code for code in expected if Reference(knowledge, "en").entries(code)]
    for command in Reference(knowledge, "en").nearest(given):
        _, name, *rest = shlex.split(command)
        assert name == "search" or explain_codes(rest, knowledge, "en").errors == ()


ASKED: list[tuple[list[str], Named]] = [
    (["550", "5.1.1"], [("5.1.1", None), ("550", None)]),
    (["5.1.1", "550"], [("5.1.1", None), ("550", None)]),
    (["550", "4.1.1"], [("550", None), ("4.1.1", None)]),
    (["550", "550"], [("550", None)]),
    (["5.7.1", "421"], [("5.7.1", None), ("421", None)]),
    (["gmail", "5.7.26"], [("5.7.26", "google"), ("5.7.26", None)]),
    (["421", "gmail", "4.2.1"], [("421", None), ("4.2.1", "google"), ("4.2.1", None)]),
    (["gmail", "550", "5.7.26"], [("5.7.26", "google"), ("5.7.26", None), ("550", None)]),
    (["5xx", "4.7.x", "greylisted"], [("5yz", None), ("4.7.x", None), ("greylisted", None)]),
]


@pytest.mark.parametrize(("words", "expected"), ASKED, ids=[" ".join(words) for words, _ in ASKED])
def test_words_that_belong_together_are_one_code(words: list[str], expected: Named, knowledge: Knowledge) -> None:
    assert named(explain_codes(words, knowledge, "en").entries) == expected


def test_what_is_no_code_keeps_no_other_from_being_answered(knowledge: Knowledge) -> None:
    explanation = explain_codes(["hello", "550", "0"], knowledge, "en")
    assert named(explanation.entries) == [("550", None)]
    assert [error.given for error in explanation.errors] == ["hello", "0"]


REPLIES: dict[str, tuple[str, list[str]]] = {
    "550 5.1.1 <bob@example.com>: User unknown": ("user-unknown", ["5.1.1", "550"]),
    "550 User unknown": ("user-unknown", ["550"]),
    "smtp; 550 5.2.2 Mailbox full": ("mailbox-full", ["5.2.2", "550"]),
    "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred": ("rate-limited", ["TSS04", "4.7.0", "421"]),
}


@pytest.mark.parametrize(("reply", "expected"), REPLIES.items(), ids=REPLIES)
def test_a_whole_reply_is_classified_and_then_its_codes_are_explained(
    reply: str, expected: tuple[str, list[str]], knowledge: Knowledge
) -> None:
    reason, codes = expected
    reference = Reference(knowledge, "en")
    explanation = explain_codes([reply], knowledge, "en")
    assert [record.verdict.reason for record in explanation.records] == [reason]
    assert named(explanation.entries) == named(entry for code in codes for entry in reference.entries(code))


# Whose meaning comes first


def numbers_of_providers(knowledge: Knowledge) -> list[tuple[str, str]]:
    """The codes that an RFC or the registry defines and a provider has a meaning of its own for."""
    registered = {digit + code[1:] for code in knowledge.enhanced for digit in "245"} | set(knowledge.replies)
    owned = [(provider["id"], block["code"]) for provider in knowledge.providers.values() for block in provider.get("codes", ())]
    return [(provider, code) for provider, code in owned if code in registered]


def test_the_registry_s_meaning_comes_first_and_the_named_provider_s_before_it(knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    for provider, code in numbers_of_providers(knowledge):
        alone, by_name = named(reference.entries(code)), named(reference.entries(f"{provider} {code}"))
        assert alone[0] == (code, None)
        assert (code, provider) in alone[1:]
        assert by_name[0] == (code, provider)
        assert (code, None) in by_name[1:]


def test_a_registered_number_tells_what_providers_mean_by_it(knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    for provider, code in numbers_of_providers(knowledge):
        assert (provider, code) in {(use.provider, use.code) for use in reference.entries(code)[0].uses}


def test_only_numbers_are_used_by_providers(knowledge: Knowledge) -> None:
    """A provider's handle that happens to read like a reason is another thing."""
    entries = list(Reference(knowledge, "en").every_entry())
    assert [entry.code for entry in entries if entry.uses and entry.kind not in (Kind.REPLY, Kind.ENHANCED)] == []


# Every entry


@pytest.fixture(scope="module")
def everything(knowledge: Knowledge) -> dict[Language, list[Entry]]:
    """All entries that there are, those of every class of an enhanced code, and some that are put together from digits."""
    digits = [EnhancedCode.parse(digit + code[1:]) for code in knowledge.enhanced for digit in "245"]
    made_up = ["599", "299", "569", "5.9.9", "5.1.99", "X.1.99", "2.9.9", "AS(201806281)", "AUP#1120", "BL000010", "OFR_999"]
    patterns = [f"{digit}{second}z" for digit in "2345" for second in "012345"]
    patterns += [f"{digit}.{subject}.x" for digit in "245X" for subject in range(9)]
    asked = [*map(str, digits), *made_up, *patterns]
    return {
        language: [
            *Reference(knowledge, language).every_entry(),
            *(entry for code in asked for entry in Reference(knowledge, language).entries(code)),
        ]
        for language in LANGUAGES
    }


def is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() == value != "" and not re.search(r"\bNone\b(?! of)|[{}]|\s\s", value)


def problems_of(entry: Entry) -> list[str]:
    """Which fields are not what the contract says."""
    row = entry.to_dict()
    fits = {
        "code": is_text(row["code"]),
        "kind": row["kind"] in [str(kind) for kind in Kind],
        "name": is_text(row["name"]) and not row["name"].endswith("."),
        "registered": isinstance(row["registered"], bool),
        "class": row["class"] is None or is_text(row["class"]),
        "permanent": row["permanent"] in (True, False, None),
        "acts": row["acts"] in ("sender", "sender-admin", "recipient", "receiver-admin", "none"),
        "meaning": is_text(row["meaning"]) and row["meaning"].endswith((".", ".)")),
        "when": is_text(row["when"]) and row["when"].endswith((".", ".)")),
        "use": is_text(row["use"]) and row["use"].endswith((".", ".)")),
        "phases": set(row["phases"]) <= {str(phase) for phase in Phase},
        "fix": bool(row["fix"]) and all(map(is_text, row["fix"])),
        "example": row["example"] is None or row["example"].strip() == row["example"] != "",
        "provider": (row["provider"] is None) == (entry.kind is not Kind.PROVIDER),
        "related": all(map(is_text, row["related"])) and entry.code not in row["related"],
        "sources": bool(row["sources"]) and all(list(s) == ["title", "url"] and s["url"].startswith("http") for s in row["sources"]),
    }
    return [field for field, fit in fits.items() if not fit]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_has_what_the_contract_promises(language: Language, everything: dict[Language, list[Entry]]) -> None:
    for entry in everything[language]:
        assert [key for key in entry.to_dict() if key in ENTRY_KEYS] == ENTRY_KEYS
    wrong = {(entry.code, entry.provider): problems_of(entry) for entry in everything[language]}
    assert {code: fields for code, fields in wrong.items() if fields} == {}


def test_every_entry_says_the_same_in_both_languages(everything: dict[Language, list[Entry]]) -> None:
    def facts(entry: Entry) -> tuple[object, ...]:
        return (
            entry.code,
            entry.kind,
            entry.registered,
            entry.permanent,
            entry.acts,
            entry.phases,
            len(entry.fix),
            entry.related,
            len(entry.sources),
            entry.note is None,
        )

    pairs = list(zip(everything["en"], everything["vi"], strict=True))
    assert [(one.code, facts(one), facts(other)) for one, other in pairs if facts(one) != facts(other)] == []
    assert [one.code for one, other in pairs if one.meaning == other.meaning or one.fix == other.fix] == []


def test_every_entry_can_be_written_as_json(everything: dict[Language, list[Entry]]) -> None:
    rows = [entry.to_dict() for entry in everything["en"]]
    assert json.loads(json.dumps(rows)) == rows


def test_every_entry_is_found_by_its_own_code(knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    for entry in reference.every_entry():
        is_handle = entry.kind is Kind.PROVIDER and entry.code.isalpha() and entry.code.islower()
        assert is_handle or entry in reference.entries(entry.code)
        if entry.provider:
            assert reference.entries(f"{entry.provider} {entry.code}")[0].provider == entry.provider


def test_every_entry_leads_only_to_codes_that_can_be_explained(everything: dict[Language, list[Entry]], knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    told = {code for entry in everything["en"] for code in (*entry.related, *entry.replies, *entry.enhanced, *entry.reasons)}
    assert {code for code in told if not reference.entries(code)} == set()


def test_the_example_of_a_code_is_of_its_class(everything: dict[Language, list[Entry]]) -> None:
    """Also where the code was put together from digits: an entry without a fitting example has none."""

    def first_digit(entry: Entry) -> str | None:
        form = r"[245]\.\d{1,3}\.\d{1,3}" if "." in entry.code else r"\d{3}"
        found = re.search(rf"(?<![\w.]){form}(?![\w.])", entry.example or "")
        return found[0][0] if found else None

    coded = [entry for entry in everything["en"] if entry.kind in (Kind.REPLY, Kind.ENHANCED, Kind.CLASS) and entry.code[0].isdigit()]
    assert [(entry.code, entry.example) for entry in coded if first_digit(entry) not in (None, entry.code[0])] == []


def test_a_success_asks_nobody_to_act(everything: dict[Language, list[Entry]]) -> None:
    successes = [entry for entry in everything["en"] if entry.lasting == "success"]
    assert [entry.code for entry in successes if entry.acts != "none"] == []


CLASS_NAMES = {
    "2": "Positive Completion",
    "3": "Positive Intermediate",
    "4": "Transient Negative Completion",
    "5": "Permanent Negative Completion",
}


def test_a_reply_code_has_rfc_5321_s_name_of_its_class_and_its_permanence(knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    for number in range(200, 600):
        entry = reference.entries(str(number))[0]
        digit = str(number)[0]
        assert (entry.class_name, entry.permanent) == (CLASS_NAMES[digit], {"4": False, "5": True}.get(digit))


# What nobody registered

UNREGISTERED = [
    # asked, digits that it is explained by, whether RFC 5321's grammar allows them, where that grammar stands
    ("209", ["Positive Completion"], True, "rfc5321"),
    ("299", ["Positive Completion"], False, "rfc5321"),
    ("339", ["Positive Intermediate"], True, "rfc5321"),
    ("559", ["Permanent Negative Completion", "Mail system"], True, "rfc5321"),
    ("569", ["Permanent Negative Completion"], False, "rfc5321"),
    ("599", ["Permanent Negative Completion"], False, "rfc5321"),
    ("5.1.99", ["Permanent Failure", "Addressing"], True, "rfc3463"),
    ("4.7.99", ["Persistent Transient Failure", "Security or policy"], True, "rfc3463"),
    ("5.9.9", ["Permanent Failure", "subject 9"], True, "rfc3463"),
    ("X.1.99", ["Addressing"], True, "rfc3463"),
    ("5.8.x", ["Permanent Failure", "subject 8"], True, "rfc3463"),
    ("X.9.x", ["subject 9"], True, "rfc3463"),
]


@pytest.mark.parametrize(("code", "digits", "allowed", "rfc"), UNREGISTERED, ids=[row[0] for row in UNREGISTERED])
def test_an_unregistered_code_is_explained_by_its_digits(
    code: str, digits: list[str], allowed: bool, rfc: str, knowledge: Knowledge
) -> None:
    entry = Reference(knowledge, "en").entries(code)[0]
    assert (entry.code, entry.registered) == (code, False)
    assert entry.meaning.startswith(f"No RFC and no registry defines {code}.")
    assert [word for word in digits if word not in entry.meaning] == []
    assert ("does not even allow these digits" in entry.meaning) is not allowed
    assert entry.name.endswith("(unregistered)")
    assert any(rfc in source.url for source in entry.sources)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_well_formed_code_is_explained(language: Language, knowledge: Knowledge) -> None:
    reference = Reference(knowledge, language)
    numbers = [str(ReplyCode(number)) for number in range(200, 600)]
    numbers += [
        str(EnhancedCode(digit, subject, detail)) for digit in "245" for subject in (0, 1, 7, 8, 42, 999) for detail in (0, 9, 60, 999)
    ]
    for number in numbers:
        entry = reference.entries(number)[0]
        assert (entry.code, problems_of(entry)) == (number, [])


# How codes differ

PLURAL_SUBJECT = re.compile(r"\band \S+ (?:is|means|answers|asks|reports|has|does|belongs)\b")


def tells_apart(comparison: Comparison) -> bool:
    """Whether the differences of two sides would be others with the sides exchanged."""
    one, other = (entry.code for entry in comparison.entries)
    both = rf"(?<![\w.])(?:{re.escape(one)}|{re.escape(other)})(?![\w.]*\w)"

    def exchanged(sentence: str) -> str:
        return re.sub(both, lambda match: other if match[0] == one else one, sentence)

    def neutral(sentence: str) -> str:
        """Without the order in which both sides are named at once."""
        return re.sub(rf"{both} (and|và) {both}", "both", sentence)

    told = {neutral(sentence).lower() for sentence in comparison.differences}
    return {neutral(exchanged(sentence)).lower() for sentence in comparison.differences} != told


def sentence_problems(comparison: Comparison) -> list[str]:
    """Differences that are no whole sentences."""
    return [
        sentence
        for sentence in comparison.differences
        if not sentence.endswith(".")
        or re.search(r"None|[{}]|\s\s|\.\.|\s[.,;:]|[;:,]\.|^[\s;.]", sentence)
        or (PLURAL_SUBJECT.search(sentence))
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("first", OF_EVERY_KIND)
def test_differences_are_whole_sentences(first: str, language: Language, knowledge: Knowledge) -> None:
    for second in OF_EVERY_KIND[OF_EVERY_KIND.index(first) + 1 :]:
        comparison = compare_codes([first, second], knowledge, language)
        if len(comparison.entries) < 2:
            continue
        assert comparison.differences, (first, second)
        assert sentence_problems(comparison) == [], (first, second)
        assert list(comparison.when) == [entry.code for entry in comparison.entries]
        assert all(is_text(sentence) and sentence.endswith(".") for sentence in comparison.when.values())


@pytest.mark.parametrize("first", OF_EVERY_KIND)
def test_differences_tell_the_sides_apart(first: str, knowledge: Knowledge) -> None:
    for second in OF_EVERY_KIND[OF_EVERY_KIND.index(first) + 1 :]:
        comparison = compare_codes([first, second], knowledge, "en")
        if len(comparison.entries) == 2:
            assert tells_apart(comparison), (first, second, comparison.differences)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [3, 4])
def test_several_sides_are_compared_in_whole_sentences(count: int, language: Language, knowledge: Knowledge) -> None:
    for sides in combinations(OF_EVERY_KIND[::4], count):
        comparison = compare_codes(sides, knowledge, language)
        assert sentence_problems(comparison) == [], sides
        assert list(comparison.when) == [entry.code for entry in comparison.entries]


PAIRS: dict[tuple[str, ...], str] = {
    ("4.1.1", "5.1.1"): "4.1.1 and 5.1.1 name the same cause; only the first digit, and so whether to try again, differs.",
    ("250", "550"): "250 reports success; 550 is a refusal for good: sent again unchanged, the message is refused again.",
    ("550", "5.1.1"): "5.1.1 is one of the enhanced codes that go with 550: the two often stand in one reply.",
    ("550", "5xx"): "550 belongs to the class 5yz.",
    ("5.7.1", "X.7"): "5.7.1 belongs to the class X.7.x.",
    ("450", "greylisted"): "450 is a reply code, which every server sends and which decides what the sending server does; greylisted is",
}


@pytest.mark.parametrize(("sides", "expected"), PAIRS.items(), ids=[" ".join(sides) for sides in PAIRS])
def test_the_weightiest_difference_is_told(sides: tuple[str, ...], expected: str, knowledge: Knowledge) -> None:
    told = compare_codes(sides, knowledge, "en").differences
    assert any(sentence.startswith(expected) for sentence in told), told


def test_reply_codes_of_different_second_digits_differ_in_their_topic(knowledge: Knowledge) -> None:
    connections, mail = (knowledge.categories[code]["topic"]["en"] for code in ("x2z", "x5z"))
    assert f"421 is about {connections}; 450 is about {mail}." in compare_codes(["421", "450"], knowledge, "en").differences


def test_sides_stand_in_the_order_in_which_they_were_asked_for(knowledge: Knowledge) -> None:
    asked = ["550", "4xx", "greylisted", "5.7.1"]
    assert [entry.code for entry in compare_codes(asked, knowledge, "en").entries] == ["550", "4yz", "greylisted", "5.7.1"]


SIDES: list[tuple[list[str], Named]] = [
    (["550", "5.1.1"], [("550", None), ("5.1.1", None)]),
    (["550 5.1.1", "450"], [("5.1.1", None), ("450", None)]),
    (["gmail", "5.7.26", "550"], [("5.7.26", "google"), ("550", None)]),
    (["5.7.26", "gmail", "5.7.26"], [("5.7.26", None), ("5.7.26", "google")]),
    (["outlook", "S3140", "yahoo", "TSS04"], [("S3140", "outlook-com"), ("TSS04", "yahoo")]),
]


@pytest.mark.parametrize(("asked", "expected"), SIDES, ids=[" ".join(asked) for asked, _ in SIDES])
def test_every_word_is_a_side_of_its_own_but_for_a_named_provider(asked: list[str], expected: Named, knowledge: Knowledge) -> None:
    comparison = compare_codes(asked, knowledge, "en")
    assert named(comparison.entries) == expected
    assert len(comparison.when) == len(expected)


@pytest.mark.parametrize(
    ("asked", "message", "count"),
    [
        ([], "error-missing-codes", "0"),
        (["550"], "error-missing-codes", "1"),
        (["gmail", "5.7.26"], "error-missing-codes", "1"),
        (["550", "551", "552", "553", "554"], "error-too-many-codes", "5"),
    ],
)
def test_two_to_four_codes_can_be_compared(asked: list[str], message: str, count: str, knowledge: Knowledge) -> None:
    with pytest.raises(WrongUsage) as raised:
        compare_codes(asked, knowledge, "en")
    assert (raised.value.message, raised.value.facts) == (message, {"count": count})


def test_what_is_no_code_cannot_be_compared(knowledge: Knowledge) -> None:
    with pytest.raises(NotACode) as raised:
        compare_codes(["550", "5500"], knowledge, "en")
    assert raised.value.given == "5500"


@pytest.mark.parametrize("asked", [["550", "550"], ["5xx", "5yz"], ["zen.spamhaus.org", "Spamhaus ZEN"]], ids=" ".join)
def test_equal_codes_are_one_side_without_differences(asked: list[str], knowledge: Knowledge) -> None:
    comparison = compare_codes(asked, knowledge, "en")
    assert (len(comparison.entries), len(comparison.when), comparison.differences) == (1, 1, ())


def test_a_comparison_has_the_keys_of_the_contract(knowledge: Knowledge) -> None:
    comparison = compare_codes(["450", "550"], knowledge, "en")
    row = comparison.to_dict()
    assert list(row) == ["codes", "differences", "when", "more"]
    assert row["codes"] == [entry.to_dict() for entry in comparison.entries]
    assert json.loads(json.dumps(row)) == row


def test_what_to_ask_next_can_be_asked(knowledge: Knowledge) -> None:
    commands = {command for pair in combinations(OF_EVERY_KIND[::2], 2) for command in compare_codes(pair, knowledge, "en").commands}
    for command in commands:
        program, name, *codes = command.split()
        assert (program, name in ("explain", "compare")) == ("smtpref", True)
        assert explain_codes(codes, knowledge, "en").errors == ()


# Search

FIRST_HITS: dict[tuple[Language, str], str] = {
    ("en", "greylist"): "greylisted",
    ("en", "greylsit"): "greylisted",
    ("en", "mailbox full"): "mailbox-full",
    ("en", "mailbx full"): "mailbox-full",
    ("en", "spamhaus zen"): "zen.spamhaus.org",
    ("en", "550"): "550",
    ("en", "5.1.1"): "X.1.1",
    ("en", "S3140"): "S3140",
    ("vi", "hộp thư đầy"): "mailbox-full",
    ("vi", "HOP THU day"): "mailbox-full",
    ("vi", "danh sách chặn"): "blocklisted",
}


@pytest.mark.parametrize(("asked", "expected"), FIRST_HITS.items(), ids=[" ".join(asked) for asked in FIRST_HITS])
def test_the_best_hit_comes_first(asked: tuple[Language, str], expected: str, knowledge: Knowledge) -> None:
    language, words = asked
    hits = search_entries(words.split(), Reference(knowledge, language), Filters())
    assert [entry.code for entry in hits[:1]] == [expected]


def test_a_hit_by_name_comes_before_one_by_description(knowledge: Knowledge) -> None:
    hits = search_entries(["dmarc"], Reference(knowledge, "en"), Filters())
    assert "dmarc" in (hits[0].name + hits[0].code).lower()
    assert "auth-failed" in [entry.code for entry in hits]


def test_words_may_be_one_argument_or_several(knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    assert search_entries(["mailbox full"], reference, Filters()) == search_entries(["mailbox", "full"], reference, Filters())


@pytest.mark.parametrize("words", [["zzzzqqq"], ["mailbox", "zzzzqqq"]], ids=" ".join)
def test_all_words_must_be_found(words: list[str], knowledge: Knowledge) -> None:
    assert search_entries(words, Reference(knowledge, "en"), Filters()) == []


@pytest.mark.parametrize("words", [[], [""], ["…"]], ids=["none", "an empty one", "punctuation"])
def test_without_words_everything_is_listed(words: list[str], knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    assert search_entries(words, reference, Filters()) == list(reference.every_entry())


FILTERS = {
    "phase": Filters(phase=Phase.RCPT),
    "permanent": Filters(permanent=True),
    "temporary": Filters(permanent=False),
    "provider": Filters(provider="google"),
    "reason": Filters(reason="greylisted"),
    "several": Filters(phase=Phase.RCPT, permanent=False, reason="greylisted"),
}


def is_admitted(entry: Entry, filters: Filters) -> bool:
    return (
        filters.phase in (None, *entry.phases)
        and filters.permanent in (None, entry.permanent)
        and filters.provider in (None, entry.provider, *(use.provider for use in entry.uses))
        and filters.reason in (None, entry.code, *entry.reasons)
    )


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_a_filter_keeps_what_fits_in_the_order_of_the_reference(filters: Filters, knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    kept = search_entries([], reference, filters)
    assert kept == [entry for entry in reference.every_entry() if is_admitted(entry, filters)]
    assert kept


def test_a_filter_and_words_go_together(knowledge: Knowledge) -> None:
    reference = Reference(knowledge, "en")
    every_hit = search_entries(["greylist"], reference, Filters())
    assert search_entries(["greylist"], reference, Filters(permanent=False)) == [entry for entry in every_hit if entry.permanent is False]


def test_groups_keep_every_entry_once(knowledge: Knowledge) -> None:
    entries = list(Reference(knowledge, "en").every_entry())
    groups = grouped(entries)
    assert Counter(entry.kind for entry in entries) == {kind: len(group) for kind, group in groups}
    assert all(entry.kind is kind for kind, group in groups for entry in group)
