"""Codes are values: written and read without loss, ordered as numbers, and their digits say whether a refusal is for good."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpref.model import (
    Action,
    Actor,
    Bounce,
    Category,
    Classified,
    CodePattern,
    Direction,
    EnhancedCode,
    Evidence,
    EvidenceBy,
    Finding,
    Outcome,
    Phase,
    Record,
    ReplyCode,
    Verdict,
)

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A law holds however slow the machine is."""

NUMBERS = st.integers(0, 999)
REPLY_CODES = st.integers(100, 699).map(ReplyCode)
ENHANCED_CODES = st.builds(EnhancedCode, st.sampled_from("245"), NUMBERS, NUMBERS)

ALL_REPLY_CODES = [ReplyCode(value) for value in range(100, 700)]

NO_REPLY_CODES = [
    "",
    "5",
    "55",
    "5500",
    "099",
    "000",
    "700",
    "999",
    "55x",
    "5yz",
    "x50",
    "-50",
    "+50",
    "5 0",
    "5.0",
    " 550",
    "550 ",
    "550\n",
    "550-",
    "0x2",
    "٥٥٠",
    "５５０",
    "5.1.1",
    "550 5.1.1",
]

NO_ENHANCED_CODES = [
    "",
    "5",
    "5.1",
    "5.1.",
    "5..1",
    ".1.1",
    "5.1.1.1",
    "5.1.1000",
    "5.1000.1",
    "5.01.1",
    "5.1.01",
    "5.00.0",
    "05.1.1",
    "0.1.1",
    "1.1.1",
    "3.1.1",
    "6.1.1",
    "X.1.1",
    "5.x.1",
    "5.1.x",
    "5.-1.1",
    "5. 1.1",
    "5,1,1",
    "5-1-1",
    " 5.1.1",
    "5.1.1 ",
    "5.1.1\n",
    "#5.1.1",
    "٥.١.١",
    "5.1.١",
    "550",
]

CODE_PATTERNS = [
    "2yz",
    "3yz",
    "4yz",
    "5yz",
    "55z",
    "45z",
    "x5z",
    "x0z",
    "4xx",
    "5xx",
    "X.1.1",
    "X.7.509",
    "X.7.x",
    "4.7.x",
    "5.x.x",
    "2.x.x",
]

NO_CODE_PATTERNS = [
    "",
    "x",
    "5",
    "5y",
    "5yzz",
    "6yz",
    "1yz",
    "yyz",
    "5zy",
    "5y z",
    " 5yz",
    "5yz\n",
    "X.1",
    "X.1.1.1",
    "X..1",
    "X.1000.x",
    "3.1.x",
    "6.x.x",
    "X.1.x ",
    "X.1.y",
    "X.١.1",
    "X.x.٢",
]


def exactly(text: str) -> str:
    """The pattern of nothing but `text`: what was refused is what the error names."""
    return rf"\A{re.escape(text)}\Z"


def test_every_reply_code_is_read_back_as_it_was_written() -> None:
    assert [ReplyCode.parse(str(code)) for code in ALL_REPLY_CODES] == ALL_REPLY_CODES


@LAW
@given(ENHANCED_CODES)
def test_every_enhanced_code_is_read_back_as_it_was_written(code: EnhancedCode) -> None:
    assert code == EnhancedCode.parse(str(code))


@pytest.mark.parametrize("position", ["subject", "detail"])
@pytest.mark.parametrize("digit", ["2", "4", "5"])
def test_no_subject_and_no_detail_is_lost(digit: str, position: str) -> None:
    codes = [EnhancedCode(digit, n, 1) if position == "subject" else EnhancedCode(digit, 1, n) for n in range(1000)]
    assert codes == [EnhancedCode.parse(str(code)) for code in codes]
    assert sorted(set(codes)) == codes


@pytest.mark.parametrize("text", CODE_PATTERNS)
def test_a_pattern_is_read_back_as_it_was_written(text: str) -> None:
    assert text == str(CodePattern.parse(text))


@pytest.mark.parametrize("text", NO_REPLY_CODES, ids=repr)
def test_what_is_no_reply_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=exactly(text)):
        ReplyCode.parse(text)


@pytest.mark.parametrize("text", NO_ENHANCED_CODES, ids=repr)
def test_what_is_no_enhanced_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=exactly(text)):
        EnhancedCode.parse(text)


@pytest.mark.parametrize("text", NO_CODE_PATTERNS, ids=repr)
def test_what_is_no_pattern_of_codes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=exactly(text)):
        CodePattern.parse(text)


@LAW
@given(st.text(max_size=12))
def test_whatever_is_read_as_a_code_is_written_the_same_way(text: str) -> None:
    for form in (ReplyCode, EnhancedCode, CodePattern):
        try:
            code = form.parse(text)
        except ValueError:
            continue
        assert text == str(code)


def test_reply_codes_are_ordered_as_numbers() -> None:
    downwards = [ReplyCode(value) for value in range(699, 99, -1)]
    assert sorted(downwards) == ALL_REPLY_CODES


def test_enhanced_codes_are_ordered_as_numbers_part_by_part() -> None:
    ordered = ["2.1.5", "2.10.0", "4.0.0", "4.7.1", "4.7.2", "4.7.10", "4.7.100", "4.10.1", "5.0.999", "5.1.1", "5.7.26", "5.7.509"]
    assert ordered == [str(code) for code in sorted(map(EnhancedCode.parse, reversed(ordered)))]


@LAW
@given(ENHANCED_CODES, ENHANCED_CODES)
def test_the_order_of_enhanced_codes_is_that_of_their_numbers(one: EnhancedCode, other: EnhancedCode) -> None:
    def numbers(code: EnhancedCode) -> list[int]:
        return [int(part) for part in str(code).split(".")]

    assert (numbers(one) < numbers(other)) == (one < other)


def test_the_first_digit_of_a_reply_code_says_whether_it_is_permanent() -> None:
    expected = [None] * 300 + [False] * 100 + [True] * 100 + [None] * 100
    assert expected == [code.permanent for code in ALL_REPLY_CODES]


@LAW
@given(ENHANCED_CODES)
def test_the_first_digit_of_an_enhanced_code_says_whether_it_is_permanent(code: EnhancedCode) -> None:
    assert {"4": False, "5": True}.get(str(code)[0]) is code.permanent


def test_the_grammar_of_rfc_5321_allows_2_to_5_then_0_to_5_then_any_digit() -> None:
    expected = [f"{first}{second}{third}" for first, second, third in product("2345", "012345", "0123456789")]
    assert expected == [str(code) for code in ALL_REPLY_CODES if code.is_in_grammar]


@pytest.mark.parametrize(("code", "any_class"), [("2.1.5", "X.1.5"), ("4.7.1", "X.7.1"), ("5.7.509", "X.7.509"), ("5.0.0", "X.0.0")])
def test_the_registry_s_way_of_writing_a_code_leaves_the_class_open(code: str, any_class: str) -> None:
    assert any_class == EnhancedCode.parse(code).any_class


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("5yz", ["500", "550", "571", "599"], ["450", "250", "5.1.1", "55", "5500", ""]),
        ("5xx", ["500", "550", "571", "599"], ["450", "250", "5.1.1"]),
        ("55z", ["550", "554", "559"], ["540", "450", "5.5.0"]),
        ("x5z", ["250", "354", "451", "550"], ["220", "421", "x.5.1"]),
        ("4.7.x", ["4.7.0", "4.7.1", "4.7.650"], ["5.7.1", "4.1.7", "4.7", "4.7.1.1", "471", ""]),
        ("X.1.1", ["2.1.1", "4.1.1", "5.1.1"], ["5.1.10", "5.11.1", "5.1.0", "511"]),
        ("X.7.x", ["4.7.1", "5.7.26"], ["5.1.7", "5.77.1"]),
        ("5.x.x", ["5.0.0", "5.1.1", "5.999.999"], ["4.1.1", "511", "5.1"]),
    ],
)
def test_a_pattern_matches_the_codes_that_share_its_digits(pattern: str, matching: list[str], others: list[str]) -> None:
    matches = CodePattern.parse(pattern).matches
    assert matching == [code for code in (*matching, *others) if matches(code)]


@LAW
@given(ENHANCED_CODES)
def test_a_code_matches_the_pattern_that_leaves_its_class_open(code: EnhancedCode) -> None:
    same = [str(EnhancedCode(digit, code.subject, code.detail)) for digit in "245"]
    assert same == [text for text in same if CodePattern.parse(code.any_class).matches(text)]


@LAW
@given(REPLY_CODES, st.sampled_from(["2yz", "3yz", "4yz", "5yz"]))
def test_a_class_matches_the_codes_with_its_first_digit(code: ReplyCode, pattern: str) -> None:
    assert (pattern[0] == str(code)[0]) is CodePattern.parse(pattern).matches(str(code))


def test_a_pattern_is_no_code_and_a_code_equals_only_itself() -> None:
    one = [ReplyCode(550), EnhancedCode("5", 5, 0), CodePattern("550"), CodePattern("5.5.0")]
    assert [(a is b) for a, b in product(one, one)] == [(a == b) for a, b in product(one, one)]


VOCABULARIES = {
    Outcome: "delivered deferred bounced rejected expired discarded complaint",
    Direction: "outbound inbound",
    Category: "recipient sender reputation rate content policy transport system protocol none",
    Bounce: "hard soft block none",
    Action: "remove-address retry-later slow-down fix-authentication fix-dns fix-content fix-configuration"
    " request-delisting contact-postmaster review-suppression none",
    Actor: "sender sender-admin recipient receiver-admin none",
    EvidenceBy: "provider text enhanced-code reply-code format",
}


@pytest.mark.parametrize(("vocabulary", "words"), VOCABULARIES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_closed_vocabulary_has_the_words_that_users_can_rely_on(vocabulary: type[Outcome], words: str) -> None:
    assert words.split() == [str(member) for member in vocabulary]


KEYS = (
    "source line format time host direction outcome queue_id sender recipient relay client phase reply_code enhanced_code text"
    " reason category bounce permanent action acts about cause provider blocklist retry_after evidence"
)

VERDICT = Verdict(
    reason="user-unknown",
    category=Category.RECIPIENT,
    bounce=Bounce.HARD,
    permanent=True,
    action=Action.REMOVE_ADDRESS,
    acts=Actor.SENDER,
    about=None,
    cause=None,
    provider=None,
    blocklist=None,
    retry_after=None,
    evidence=Evidence(EvidenceBy.TEXT, "user-unknown/example", "User unknown"),
    overruled=(Finding("policy-rejected", Evidence(EvidenceBy.REPLY_CODE, "reply/550", "550")),),
)


def test_a_classified_record_has_all_keys_in_their_order_and_null_where_nothing_is_known() -> None:
    row = Classified(Record("-", 1, "reply"), VERDICT).to_dict()
    assert KEYS.split() == list(row)
    unknown = KEYS.split()[3:15]
    assert dict.fromkeys(unknown) == {key: row[key] for key in unknown}


def test_a_classified_record_is_written_in_types_of_json() -> None:
    record = Record(
        source="mail.log",
        line=7,
        format="postfix",
        time="2024-03-05T08:14:02+01:00",
        host="mx1",
        direction=Direction.OUTBOUND,
        outcome=Outcome.BOUNCED,
        queue_id="4C1D2E3F",
        sender="",
        recipient="bob@example.com",
        relay="mx.example.com[192.0.2.1]:25",
        phase=Phase.RCPT,
        reply_code=ReplyCode(550),
        enhanced_code=EnhancedCode("5", 1, 1),
        text="User unknown",
    )
    expected = {
        "source": "mail.log",
        "line": 7,
        "format": "postfix",
        "time": "2024-03-05T08:14:02+01:00",
        "host": "mx1",
        "direction": "outbound",
        "outcome": "bounced",
        "queue_id": "4C1D2E3F",
        "sender": "",
        "recipient": "bob@example.com",
        "relay": "mx.example.com[192.0.2.1]:25",
        "client": None,
        "phase": "rcpt",
        "reply_code": 550,
        "enhanced_code": "5.1.1",
        "text": "User unknown",
        "reason": "user-unknown",
        "category": "recipient",
        "bounce": "hard",
        "permanent": True,
        "action": "remove-address",
        "acts": "sender",
        "about": None,
        "cause": None,
        "provider": None,
        "blocklist": None,
        "retry_after": None,
        "evidence": {"by": "text", "rule": "user-unknown/example", "match": "User unknown"},
    }
    actual = Classified(record, VERDICT).to_dict()
    assert expected == actual
    plain = (str, int, bool, dict, type(None))
    assert dict.fromkeys(actual, True) == {key: type(value) in plain for key, value in actual.items()}
