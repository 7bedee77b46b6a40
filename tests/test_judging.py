"""A verdict is that of a reply's shape: the same whether it was judged before or not, whatever ids and names stand in the reply."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpref import judging
from smtpref.judging import Judge
from smtpref.knowledge import load_knowledge
from smtpref.model import Record, Verdict
from smtpref.parsing.files import open_input
from smtpref.parsing.recognition import read_records
from smtpref.parsing.reply import find_reply

from .conftest import SAMPLES

KNOWLEDGE = load_knowledge()


def record(text: str, recipient: str | None = None, relay: str | None = None) -> Record:
    reply = find_reply(text)
    assert reply
    return Record(
        "-", 1, "reply", None, recipient=recipient, relay=relay, reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text
    )


def examples() -> list[Record]:
    replies = [record(text) for rule in KNOWLEDGE.rules.values() for text in rule["matches"] if find_reply(text)]
    return replies + [found for path in SAMPLES for found in read_records(open_input(str(path), 2024))]


def test_what_was_judged_before_is_told_as_when_it_was_new(monkeypatch: pytest.MonkeyPatch) -> None:
    records = examples()
    judge = Judge(KNOWLEDGE)
    first = [judge.judge(item) for item in records]
    assert [judge.judge(item) for item in records] == first
    backwards = Judge(KNOWLEDGE)
    assert [backwards.judge(item) for item in reversed(records)] == first[::-1]
    monkeypatch.setattr(judging, "MAX_SHAPES", 0)
    forgetful = Judge(KNOWLEDGE)
    assert [forgetful.judge(item) for item in records] == first


VARIANTS = [
    (
        "550 5.1.1 <{user}@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
        {"recipient": "{user}@example.com"},
    ),
    ("554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org", {}),
    ("421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to user complaints - 4.16.55.1", {}),
    (
        "550 5.4.1 Recipient address rejected: Access denied. [{upper}.eop-nam11.prod.protection.outlook.com 2026-10-01T10:00:00.000Z {upper}]",
        {},
    ),
    ("450 4.2.0 Greylisted for 300 seconds (id {lower})", {}),
    ("552 5.3.4 Message size {number} exceeds the fixed limit of {number} bytes", {}),
    ("554 This user doesn't have an account [{count}] - queued on mx1.example.com as {number}-{letters}", {}),
    ("550-5.1.1 The email account that you tried to reach does not exist. {lower}-{lower}si{number}.123 - gsmtp", {}),
]
NAMES = st.fixed_dictionaries(
    {
        "user": st.from_regex(r"[a-z]{3,8}(\.[a-z]{3,8}|[0-9]{1,4})?", fullmatch=True),
        "ip": st.ip_addresses(v=4).map(str).filter(lambda ip: not ip.startswith("127.") and ip not in KNOWLEDGE.fixed),
        "upper": st.from_regex(r"[A-F][0-9][A-F]{2}[0-9A-F]{8,16}", fullmatch=True),
        "lower": st.from_regex(r"[a-f][0-9][a-f]{2}[0-9a-f]{8,16}", fullmatch=True),
        "letters": st.from_regex(r"[a-z][A-Z][a-z][A-Z]{6,9}", fullmatch=True),
        "count": st.integers(0, 99).map(str).filter(lambda number: number not in KNOWLEDGE.fixed),
        "number": st.integers(100_000_000, 999_999_999).map(str).filter(lambda number: number not in KNOWLEDGE.fixed),
    }
)
JUDGE = Judge(KNOWLEDGE)


@pytest.mark.parametrize(("text", "facts"), VARIANTS)
@settings(max_examples=30, deadline=None)
@given(one=NAMES, other=NAMES)
def test_a_name_changes_nothing_but_the_name(text: str, facts: dict[str, str], one: dict[str, str], other: dict[str, str]) -> None:
    def told(names: dict[str, str]) -> Verdict:
        item = record(text.format(**names), **{key: value.format(**names) for key, value in facts.items()})
        verdict = JUDGE.judge(item)
        assert verdict.evidence.match in item.text
        return verdict._replace(about=None, evidence=verdict.evidence._replace(match=""), overruled=())

    assert told(one) == told(other)


def test_what_a_reply_blames_is_named_as_it_stands_there() -> None:
    for ip in ("198.51.100.7", "203.0.113.254", "2001:db8::53"):
        verdict = JUDGE.judge(record(f"554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org"))
        assert (verdict.reason, verdict.about, verdict.blocklist) == ("blocklisted", ip, "Spamhaus ZEN")
        assert verdict.evidence.match in f"Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org"


def test_what_stands_in_for_a_name_may_stand_in_a_reply() -> None:
    """Nobody who knows the stand-ins makes one name take another's place."""
    for name in ("198.18.0.101", "7000101", "a-recipient@recipient.example", "Xx0Xx0Xx0101"):
        text = f"550 5.7.1 203.0.113.9 4F1A2B3C4D5E 12345678 bob@example.com: {name} is blocked"
        item = record(text, recipient="bob@example.com")
        verdict = JUDGE.judge(item)
        assert verdict.evidence.match in item.text
        assert verdict.about is None or verdict.about in item.text


def test_the_server_s_own_name_is_not_blamed() -> None:
    text = "550 5.7.1 203.0.113.9 is listed at zen.spamhaus.org"
    assert JUDGE.judge(record(text, relay="mx.example.net[203.0.113.9]:25")).about is None
    assert JUDGE.judge(record(text, relay="mx.example.org[203.0.113.8]:25")).about == "203.0.113.9"
