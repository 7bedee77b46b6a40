"""What a reply means, who has to act and why: the order of evidence, and what no evidence may ever do to an address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpref.judging import Judge
from smtpref.knowledge import load_knowledge
from smtpref.model import (
    Action,
    Bounce,
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
from smtpref.parsing.files import Input, lines_of, open_input
from smtpref.parsing.recognition import read_records
from smtpref.parsing.reply import find_reply

from .conftest import TESTS

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A law holds however slow the machine is."""

CASES = TESTS / "cases"
LOGS = sorted((CASES / "postfix").glob("*.log"))
KNOWLEDGE = load_knowledge()
JUDGE = Judge(KNOWLEDGE)

HARD_REASONS = {"user-unknown", "domain-unknown", "domain-refuses-mail", "mailbox-disabled", "recipient-moved", "bad-address"}
"""The reasons for which an address may be given up (the contract's taxonomy)."""

HARD_ENHANCED_CODES = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"]
HARD_REPLY_CODES = ["556"]
"""The codes whose digits alone may condemn an address (the contract's list)."""

OWN_FAULTS = {"local-fault", "system-error", "system-full", "service-unavailable", "dns-failure"}
"""The reasons for which a server that refused somebody has to act itself (the contract's list)."""

Facts = dict[str, Any]


def read(text: str) -> list[Record]:
    return list(read_records(Input("-", datetime(2024, 12, 31), lines_of(text.encode()))))


def reply_of(text: str, **given_facts: Any) -> Record:
    """The record of a bare reply."""
    reply = find_reply(text)
    assert reply is not None
    record = Record("-", 1, "reply", phase=reply.phase, reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text)
    return record._replace(**given_facts)


def facts(verdict: Verdict) -> Facts:
    """The verdict in one level, as a case writes it."""
    row: Facts = verdict._asdict()
    return {**row, "by": verdict.evidence.by, "rule": verdict.evidence.rule, "match": verdict.evidence.match}


# The cases


FORMS: dict[str, Any] = {"outcome": Outcome, "direction": Direction, "phase": Phase}
PROMISES: dict[str, list[Facts]] = yaml.safe_load((CASES / "verdicts.yaml").read_text("utf-8"))
VERDICT_CASES = [pytest.param(case, id=f"{promise}: {case['name']}") for promise, cases in PROMISES.items() for case in cases]


def record_of(case: Facts) -> Record:
    given_facts = {key: FORMS.get(key, str)(value) for key, value in case.get("with", {}).items()}
    return read(case["text"])[-1]._replace(**given_facts)


@pytest.mark.parametrize("case", VERDICT_CASES)
def test_a_case_gets_its_verdict(case: Facts) -> None:
    expected = case["verdict"]
    actual = facts(JUDGE.judge(record_of(case)))
    assert expected == {key: actual[key] for key in expected}


@cache
def verdicts_of(log: Path) -> dict[int, Verdict]:
    return {record.line: JUDGE.judge(record) for record in read_records(open_input(str(log), 2024))}


def expected_reasons() -> Iterator[Any]:
    for log in LOGS:
        for row in map(yaml.safe_load, log.with_suffix(".expected.jsonl").read_text("utf-8").splitlines()):
            if "reason" in row:
                yield pytest.param(log, row["line"], row["reason"], id=f"{log.stem}:{row['line']}")


@pytest.mark.parametrize(("log", "line", "reason"), list(expected_reasons()))
def test_a_line_of_postfix_gets_its_reason(log: Path, line: int, reason: str) -> None:
    assert reason == verdicts_of(log)[line].reason


# Everything that the cases hold, and what must be true of each verdict


def all_records() -> Iterator[tuple[str, Record]]:
    for promise, cases in PROMISES.items():
        for case in cases:
            yield f"{promise}: {case['name']}", record_of(case)
    for case in yaml.safe_load((CASES / "replies.yaml").read_text("utf-8")):
        for number, record in enumerate(read(case["text"])):
            yield f"{case['name']}:{number}", record
    for log in sorted(CASES.rglob("*.log")):
        for record in read_records(open_input(str(log), 2024)):
            yield f"{log.stem}:{record.line}", record
    for rule in KNOWLEDGE.rules.values():
        for number, text in enumerate(rule["matches"]):
            for record in read(text):
                yield f"{rule['id']}:{number}", record


JUDGED = [(name, record, JUDGE.judge(record)) for name, record in all_records()]


def names_where(is_wrong: Any) -> list[str]:
    return [name for name, record, verdict in JUDGED if is_wrong(record, verdict)]


def is_slice(record: Record, evidence: Evidence) -> bool:
    """Whether the evidence's match stands in the reply: in its text, or as its code."""
    if evidence.by in (EvidenceBy.ENHANCED_CODE, EvidenceBy.REPLY_CODE):
        return evidence.match in (str(record.enhanced_code), str(record.reply_code))
    if evidence.by is EvidenceBy.FORMAT:
        return evidence.match in ("", record.text)
    return bool(evidence.match) and (evidence.match in record.text or evidence.match == str(record.enhanced_code))


def test_every_verdict_has_its_evidence_and_the_match_is_a_slice_of_the_reply() -> None:
    assert names_where(lambda record, verdict: not (verdict.evidence.rule and is_slice(record, verdict.evidence))) == []


def test_what_was_overruled_has_its_own_evidence() -> None:
    assert (
        names_where(
            lambda record, verdict: not all(found.evidence.rule and is_slice(record, found.evidence) for found in verdict.overruled)
        )
        == []
    )


def test_no_finding_is_both_decisive_and_overruled() -> None:
    assert names_where(lambda _, verdict: verdict.evidence in [found.evidence for found in verdict.overruled]) == []


def test_only_a_fault_of_the_address_or_its_domain_is_hard_and_only_for_good() -> None:
    def is_wrong(_: Record, verdict: Verdict) -> bool:
        return verdict.bounce is Bounce.HARD and (verdict.reason not in HARD_REASONS or verdict.permanent is False)

    assert names_where(is_wrong) == []


def test_only_what_is_hard_or_a_complaint_asks_to_remove_an_address() -> None:
    def is_wrong(_: Record, verdict: Verdict) -> bool:
        return verdict.action is Action.REMOVE_ADDRESS and verdict.bounce is not Bounce.HARD and verdict.reason != "feedback-report"

    assert names_where(is_wrong) == []


def test_permanence_is_the_reply_code_s_and_else_the_enhanced_code_s() -> None:
    def permanence(record: Record) -> bool | None:
        code = str(record.reply_code or record.enhanced_code or "")
        return {"4": False, "5": True}.get(code[:1])

    assert names_where(lambda record, verdict: verdict.permanent is not permanence(record)) == []


def test_a_cause_is_given_only_for_what_expired() -> None:
    assert names_where(lambda _, verdict: verdict.cause is not None and verdict.reason != "expired") == []


def test_a_blocklist_is_named_only_where_it_is_the_reason() -> None:
    assert names_where(lambda _, verdict: verdict.blocklist is not None and verdict.reason != "blocklisted") == []


def test_category_and_bounce_are_those_of_the_reason() -> None:
    def is_wrong(_: Record, verdict: Verdict) -> bool:
        own = KNOWLEDGE.reasons[verdict.reason]
        bounce = "soft" if own["bounce"] == "hard" and verdict.permanent is False else own["bounce"]
        return (own["category"], bounce) != (verdict.category, verdict.bounce)

    assert names_where(is_wrong) == []


def test_a_temporary_reply_with_the_same_words_is_never_hard() -> None:
    def is_wrong(record: Record, _: Verdict) -> bool:
        temporary = [record._replace(reply_code=ReplyCode(450)), record._replace(reply_code=None, enhanced_code=EnhancedCode("4", 0, 0))]
        verdicts = map(JUDGE.judge, temporary)
        return any(verdict.bounce is Bounce.HARD or verdict.permanent is not False for verdict in verdicts)

    hard = [name for name, record, verdict in JUDGED if verdict.bounce is Bounce.HARD and is_wrong(record, verdict)]
    assert hard == []


def test_a_server_that_refused_somebody_has_nothing_to_do_unless_the_fault_is_its_own() -> None:
    def is_wrong(record: Record, _: Verdict) -> bool:
        verdict = JUDGE.judge(record._replace(direction=Direction.INBOUND))
        return verdict.action is not Action.NONE and verdict.reason not in OWN_FAULTS

    assert names_where(is_wrong) == []


@pytest.mark.parametrize("outcome", [Outcome.DELIVERED, Outcome.DEFERRED, Outcome.BOUNCED, Outcome.REJECTED])
def test_what_became_of_a_message_does_not_change_what_its_reply_means(outcome: Outcome) -> None:
    def verdict(record: Record) -> Verdict:
        return JUDGE.judge(record)._replace(overruled=())

    replies = [reply_of(text) for text in ("550 5.1.1 User unknown", "452 4.2.2 Mailbox full", "554 5.7.1 Relay access denied")]
    assert [verdict(reply) for reply in replies] == [verdict(reply._replace(outcome=outcome)) for reply in replies]


# Digits alone


def hard_among(records: list[tuple[str, Record]]) -> list[str]:
    return [name for name, record in records if JUDGE.judge(record).bounce is Bounce.HARD]


def test_digits_alone_are_hard_only_for_the_reply_codes_of_the_contract() -> None:
    codes = [str(value) for value in range(200, 600)]
    assert hard_among([(code, Record("-", 1, "reply", reply_code=ReplyCode.parse(code))) for code in codes]) == HARD_REPLY_CODES


def test_digits_alone_are_hard_only_for_the_enhanced_codes_of_the_contract() -> None:
    registered = sorted(EnhancedCode.parse(digit + code[1:]) for digit, code in product("245", KNOWLEDGE.enhanced))
    assert hard_among([(str(code), Record("-", 1, "reply", enhanced_code=code)) for code in registered]) == HARD_ENHANCED_CODES


def test_digits_alone_are_hard_only_for_the_contract_s_codes_whatever_reply_code_they_come_with() -> None:
    def records(reply: str) -> list[tuple[str, Record]]:
        registered = sorted(EnhancedCode.parse(digit + code[1:]) for digit, code in product("45", KNOWLEDGE.enhanced))
        return [(str(code), Record("-", 1, "reply", reply_code=ReplyCode.parse(reply), enhanced_code=code)) for code in registered]

    assert {reply: hard_among(records(reply)) for reply in ("450", "550", "554")} == {
        "450": [],
        "550": HARD_ENHANCED_CODES,
        "554": HARD_ENHANCED_CODES,
    }


def test_who_answered_is_told_by_an_address_at_the_end_unless_it_may_be_the_senders() -> None:
    texts = ("Unknown user bob@docomo.ne.jp", "No mail from <bob@docomo.ne.jp>", "Sender refused: bob@docomo.ne.jp")
    records = (Record("-", 1, "reply", reply_code=ReplyCode.parse("550"), text=text) for text in texts)
    assert [JUDGE.judge(record).provider for record in records] == ["docomo", None, None]


def test_a_provider_s_own_numbers_make_no_other_address_hard() -> None:
    records = [
        (f"{provider['id']} {code['code']}", code["code"], provider["hosts"][0])
        for provider in KNOWLEDGE.providers.values()
        for code in provider.get("codes", ())
        if provider.get("hosts") and code["code"][0] in "45" and code["code"].count(".") == 2 and code["code"].replace(".", "").isdigit()
    ]
    hard = hard_among(
        [(name, Record("-", 1, "reply", relay=f"mx.{host}", enhanced_code=EnhancedCode.parse(code))) for name, code, host in records]
    )
    assert len(records) > 100
    assert [name for name in hard if name.split()[-1] not in HARD_ENHANCED_CODES] == []


@LAW
@given(st.sampled_from("245"), st.integers(0, 999), st.integers(0, 999))
def test_a_number_that_nobody_registered_is_never_hard(digit: str, subject: int, detail: int) -> None:
    code = EnhancedCode(digit, subject, detail)
    verdict = JUDGE.judge(Record("-", 1, "reply", enhanced_code=code))
    assert (str(code) in HARD_ENHANCED_CODES) is (verdict.bounce is Bounce.HARD)


# What was overruled


def test_what_the_words_overruled_is_kept_with_its_evidence() -> None:
    verdict = JUDGE.judge(reply_of("550 5.1.1 mailbox full"))
    assert verdict.evidence == Evidence(EvidenceBy.TEXT, "mailbox-full/over-quota", "mailbox full")
    assert verdict.overruled == (
        Finding("user-unknown", Evidence(EvidenceBy.ENHANCED_CODE, "enhanced/5.1.1", "5.1.1")),
        Finding("unknown", Evidence(EvidenceBy.REPLY_CODE, "class/5yz", "550")),
    )


def test_findings_stand_in_the_order_of_their_strength() -> None:
    verdict = JUDGE.judge(reply_of("421 4.2.0 Try again later - RL000001"))
    strength = list(EvidenceBy)
    found = [verdict.evidence.by, *(finding.evidence.by for finding in verdict.overruled)]
    assert found[0] is EvidenceBy.PROVIDER
    assert sorted(found, key=strength.index) == found


def test_a_verdict_without_any_evidence_says_so() -> None:
    verdict = JUDGE.judge(Record("-", 1, "reply", text="Lorem ipsum"))
    assert ("unknown", Evidence(EvidenceBy.FORMAT, "format/nothing-known", ""), ()) == (verdict.reason, verdict.evidence, verdict.overruled)


# Laws


SOME_TEXTS = st.sampled_from([record.text for _, record, _ in JUDGED if record.text])
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.one_of(SOME_TEXTS, st.text(max_size=20)), max_size=4).map(" ".join),
    st.lists(SOME_TEXTS, min_size=2, max_size=3).map(" 550 5.0.0 ".join),
)
RECORDS = st.builds(
    Record,
    st.just("-"),
    st.just(1),
    st.just("reply"),
    outcome=st.none() | st.sampled_from(Outcome),
    direction=st.none() | st.sampled_from(Direction),
    relay=st.none() | st.sampled_from(["gmail-smtp-in.l.google.com[192.0.2.1]:25", "mx.example.com", "", "[", "mta5.am0.yahoodns.net"]),
    phase=st.none() | st.sampled_from(Phase),
    reply_code=st.none() | st.integers(100, 699).map(ReplyCode),
    enhanced_code=st.none() | st.builds(EnhancedCode, st.sampled_from("245"), st.integers(0, 30), st.integers(0, 30)),
    text=TEXTS,
)


@LAW
@given(RECORDS)
def test_whatever_is_judged_keeps_the_promises(record: Record) -> None:
    verdict = JUDGE.judge(record)
    for evidence in (verdict.evidence, *(finding.evidence for finding in verdict.overruled)):
        assert is_slice(record, evidence)
    if verdict.bounce is Bounce.HARD:
        assert verdict.reason in HARD_REASONS
        assert verdict.permanent is not False
    if verdict.action is Action.REMOVE_ADDRESS:
        assert verdict.bounce is Bounce.HARD or verdict.reason == "feedback-report"
    if record.direction is Direction.INBOUND:
        assert verdict.action is Action.NONE or verdict.reason in OWN_FAULTS
    if record.outcome is Outcome.EXPIRED:
        assert verdict.reason == "expired"
    assert verdict == JUDGE.judge(record)


@LAW
@given(RECORDS)
def test_the_same_record_gets_the_same_verdict_from_another_judge(record: Record) -> None:
    assert JUDGE.judge(record) == OTHER_JUDGE.judge(record)


OTHER_JUDGE = Judge(KNOWLEDGE)


def test_a_reply_without_end_is_judged_by_its_beginning() -> None:
    record = reply_of("550 5.1.1 User unknown " + "x " * 100_000)
    assert (JUDGE.judge(record).reason, JUDGE.judge(record).evidence.match) == ("user-unknown", "User unknown")
