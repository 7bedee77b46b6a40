"""Usual lines of a Postfix log: what is known of their kind is what each of them gives that is read and judged alone."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpref import usual
from smtpref.classification import Classifier
from smtpref.counting import Counting
from smtpref.judging import Judge
from smtpref.knowledge import load_knowledge
from smtpref.model import Classified
from smtpref.parsing.files import Input, lines_of, open_input
from smtpref.parsing.postfix_usual import Clock, UsualLine
from smtpref.parsing.recognition import read_items
from smtpref.parsing.stamps import split_stamp
from smtpref.render.records import record_line
from smtpref.rows import columns_of
from smtpref.summary import Summariser

from .conftest import SAMPLES

KNOWLEDGE = load_knowledge()
JUDGE = Judge(KNOWLEDGE)
LATEST = datetime(2026, 10, 2)

STATUSES = (
    (
        "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (host mx.example.net[{ip}] said: 550 5.1.1"
        " <{user}@example.com>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))"
    ),
    "relay=gmail-smtp-in.l.google.com[{ip}]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 OK  {number} {lower}-{lower}si{number}.1 - gsmtp)",
    "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {upper})",
    "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 OK id={upper}-{lower})",
    (
        "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.net[{ip}] said: 554 5.7.1"
        " Service unavailable; Client host [{other}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{other}"
        " (in reply to RCPT TO command))"
    ),
    (
        "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=4.4.2, status=deferred (host mx.example.net[{ip}] refused to talk to me:"
        " 421 4.7.0 mx{small}.example.net Error: too many connections from {other})"
    ),
    "relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx{small}.example.com[{ip}]:25: Connection timed out)",
    "relay={relay}, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (mail transport unavailable)",
    'relay=local, delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (unknown user: "{user}")',
    (
        "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=5.7.0, status=bounced (host mx.example.net[{ip}] said: 554 5.7.0 Reject,"
        " id={pair} - spam (in reply to end of DATA command))"
    ),
    (
        "relay=mx.example.net[{ip}]:25, delay=1, delays=0/0/1/0, dsn=4.7.1, status=deferred (host mx.example.net[{ip}] said: 452 4.7.1"
        " <{user}@example.com>: Rate limit exceeded, {small} messages per hour, try again in {number} seconds (in reply to RCPT TO command))"
    ),
)
REFUSALS = (
    "554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{ip}",
    "450 4.7.1 <{user}@example.com>: Recipient address rejected: Greylisted for {small} minutes",
    "550 5.7.1 Client host rejected: cannot find your hostname, [{ip}]",
)
NAMES = st.fixed_dictionaries(
    {
        "user": st.from_regex(r"[a-z]{2,8}(\.[a-z]{3,8}|[0-9]{1,4}|%[a-z]{2})?|postmaster|7000101|a-recipient", fullmatch=True),
        "ip": st.ip_addresses(v=4).map(str),
        "other": st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str), st.just("198.18.0.101")),
        "upper": st.from_regex(r"[A-F][0-9A-Z]{4,16}", fullmatch=True),
        "lower": st.from_regex(r"[a-z0-9]{9,20}|[A-Za-z]{10,14}|Xx0Xx0Xx010[0-3]", fullmatch=True),
        "number": st.integers(1, 10**11).map(str),
        "small": st.integers(1, 9999).map(str),
        "relay": st.sampled_from(("none", "mx.example.net[192.0.2.1]:25", "gmail-smtp-in.l.google.com[192.0.2.2]:25")),
        "pair": st.from_regex(r"[0-9]{4,6}-[0-9]{1,3}", fullmatch=True),
    }
)
LINES = st.lists(st.tuples(st.sampled_from((*STATUSES, *REFUSALS)), NAMES), min_size=1, max_size=12)


def log(lines: list[tuple[str, dict[str, str]]]) -> bytes:
    """Deliveries and refusals at one server."""
    written = ["Oct  1 10:00:00 mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]"]
    for number, (text, names) in enumerate(lines):
        stamp = f"Oct  1 10:00:{number % 60:02} mx1 postfix"
        told = text.format(**names)
        user = names["user"]
        if text in REFUSALS:
            helo = f"from=<a@example.org> to=<{user}@example.com> proto=ESMTP helo=<x>"
            written.append(f"{stamp}/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{names['ip']}]: {told}; {helo}")
        else:
            written.append(f"{stamp}/qmgr[8]: {number:010X}: from=<b+{user}=example.com@example.org>, size=9, nrcpt=1 (queue active)")
            written.append(f"{stamp}/smtp[9]: {number:010X}: to=<{user}@example.com>, {told}")
    return "".join(f"{line}\n" for line in written).encode()


def usual_lines(opened: Input) -> list[UsualLine]:
    return [item for item in read_items(opened) if isinstance(item, UsualLine)]


def alone(line: UsualLine) -> Classified:
    record = line.record("-")
    return Classified(record, JUDGE.judge(record))


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_a_line_of_a_known_kind_says_what_it_says_alone(lines: list[tuple[str, dict[str, str]]]) -> None:
    found = usual_lines(Input("-", LATEST, lines_of(log(lines))))
    assert len(found) == len(lines)
    classifier = Classifier(KNOWLEDGE)
    expected = [record_line(alone(line)) for line in found]
    for _ in range(3):
        assert [record_line(classifier.usual_lines.classified(line, "-")) for line in found] == expected


@pytest.mark.parametrize("bound", ["MAX_FORMS", "MAX_KINDS", "MAX_SIGNS", "MAX_ALIKE", "MAX_NAMES"])
def test_what_is_forgotten_is_found_again(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = Classifier(KNOWLEDGE)
    monkeypatch.setattr(usual, bound, 1)
    for path in SAMPLES:
        for line in usual_lines(open_input(str(path), 2026)):
            assert classifier.usual_lines.classified(line, "-") == alone(line)


@settings(max_examples=40, deadline=None)
@given(LINES)
def test_a_summary_of_kinds_is_that_of_records(lines: list[tuple[str, dict[str, str]]]) -> None:
    classifier = Classifier(KNOWLEDGE)
    names = frozenset(KNOWLEDGE.blocklists)
    by_kind, by_record = (Counting(names, classifier.judge.anatomy) for _ in range(2))
    summary_of_kinds, summary_of_records = Summariser(), Summariser()
    for line in usual_lines(Input("-", LATEST, lines_of(log(lines * 2)))):
        for counting, summariser, rows in (
            (by_kind, summary_of_kinds, by_kind.rows_of_usual([line], classifier.usual_lines)),
            (by_record, summary_of_records, by_record.rows([alone(line)])),
        ):
            summariser.know(counting.new_facts())
            summariser.add(rows, columns_of([line]))
    whole = [summary_of_kinds.summary(by_kind.replies()), summary_of_records.summary(by_record.replies())]
    assert json.dumps(whole[0].to_dict()) == json.dumps(whole[1].to_dict())


@given(
    st.one_of(
        st.datetimes(datetime(2025, 9, 28), datetime(2026, 10, 5)).map(lambda time: f"{time:%b} {time.day:2} {time:%H:%M:%S}"),
        st.from_regex(r"(Oct|Feb|Dec|Foo) ([ 1-3][0-9]) [0-2][0-9]:[0-6][0-9]:[0-6][0-9]", fullmatch=True),
        st.from_regex(
            r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])", fullmatch=True
        ),
    )
)
def test_a_clock_tells_what_a_stamp_tells(stamp: str) -> None:
    parsed = split_stamp(f"{stamp} mx1 postfix/smtpd[1]: x", LATEST)
    clock = Clock(LATEST)
    for _ in range(2):
        assert clock.time(stamp) == (parsed.time if parsed else None)
