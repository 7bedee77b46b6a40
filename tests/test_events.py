"""JSON documents and the events in them: what is handed over when, what is given back, and that nothing in them is too odd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpref.model import OF_EVENTS, InputFormat, Record
from smtpref.parsing.documents import MAX_ELEMENT, Documents
from smtpref.parsing.events import SERVICES
from smtpref.parsing.files import CutLines, Input, lines_of
from smtpref.parsing.recognition import read_records

from .conftest import TESTS

LATEST = datetime(2024, 12, 31)
BOUNCE = {"event": "bounce", "email": "bob@example.net", "sg_event_id": "1", "reason": "550 5.1.1 no such user"}
SAMPLES = [path for service in SERVICES for path in sorted((TESTS / "cases" / "formats" / service.format).glob("*.json"))]


def read(text: str, only: InputFormat | None = None) -> list[Record]:
    return [record for record in read_records(Input("-", LATEST, lines_of(text.encode("utf-8", "replace"))), only) if not record.words_only]


def objects_of(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def test_an_array_s_records_come_before_its_end() -> None:
    seen = []

    def chunks() -> Iterator[bytes | None]:
        for number, text in enumerate(("[", *json.dumps(BOUNCE, indent=1).splitlines()), 1):
            seen.append(number)
            yield f"{text}\n".encode()
        yield b",\n"
        raise AssertionError("the record should have come")

    record = next(read_records(Input("-", LATEST, CutLines(chunks()))))
    assert (record.line, record.recipient, seen[-1]) == (2, "bob@example.net", len(seen))


def test_a_long_array_is_never_held_whole() -> None:
    documents = Documents(frozenset())
    text = json.dumps(BOUNCE | {"pad": "x" * 1000})
    assert [element.line for element in documents.feed(1, "[")] == []
    for number in range(2, 2 * MAX_ELEMENT // len(text)):
        assert [element.line for element in documents.feed(number, f"  {text},")] == [number]
    assert documents.is_open


def test_an_object_that_stands_below_a_name_has_its_own_line() -> None:
    text = json.dumps({"total": 2, "events": [BOUNCE, BOUNCE]}, indent=2)
    assert [record.line for record in read(text)] == [4, 10]


def test_json_of_nobody_is_read_as_what_its_lines_say() -> None:
    text = json.dumps({"error": {"note": "550 5.1.1 <bob@example.net>: User unknown"}}, indent=2)
    assert [(record.format, str(record.enhanced_code)) for record in read(text)] == [("reply", "5.1.1")]


def test_a_document_that_breaks_off_costs_no_other_line() -> None:
    log = (
        "Mar  5 09:00:24 mx postfix/smtp[1]: 3F373F5418: to=<eve@example.net>, relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)"
    )
    records = read("\n".join(("[", json.dumps(BOUNCE) + ",", '{"event": "bounce",', log)))
    assert [(record.format, record.line) for record in records] == [("sendgrid", 2), ("postfix", 4)]


@pytest.mark.parametrize(
    ("event", "format_"),
    [
        ({"eventType": "Bounce", "bounce": {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "bob@example.net"}]}}, "ses"),
        ({"event": "dropped", "email": "bob@example.net", "reason": "Bounced Address"}, "sendgrid"),
        ({"event": "failed", "recipient": "bob@example.net", "delivery-status": {"code": 605}}, "mailgun"),
        ({"event": "reject", "msg": {"email": "bob@example.net", "reject": "hard-bounce"}}, "mandrill"),
        ({"email": "bob@example.net", "status": "rejected", "reject_reason": "unsigned"}, "mandrill"),
        ({"event": "blocked", "email": "bob@example.net", "error_related_to": "mailjet", "error": "preblocked"}, "mailjet"),
        ({"RecordType": "Bounce", "Type": "DnsError", "TypeCode": 256, "Email": "bob@example.net"}, "postmark"),
        ({"ErrorCode": 406, "Message": "Inactive recipient", "To": "bob@example.net"}, "postmark"),
    ],
)
def test_an_event_is_known_by_the_parts_that_people_quote(event: dict[str, Any], format_: str) -> None:
    assert [(record.format, record.recipient) for record in read(json.dumps(event))] == [(format_, "bob@example.net")]


def test_a_named_format_decides_whose_event_it_is() -> None:
    event = BOUNCE | {"MessageID": 1}
    assert [record.format for record in read(json.dumps(event))] == ["sendgrid"]
    assert [record.format for record in read(json.dumps(event), InputFormat.MAILJET)] == ["mailjet"]


@pytest.mark.parametrize(
    "line",
    ['{"a": ' * 5000, "[" * 5000, '{"event": "bounce", "email": ', "{", "[", "[]", "{}", '{"event": NaN}', '["550 5.1.1"'],
    ids=ascii,
)
def test_broken_json_is_no_event(line: str) -> None:
    assert [record for record in read(line) if record.format != "reply"] == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("indent", [None, 1, 8])
def test_layout_changes_nothing_but_the_lines(path: Any, indent: int | None) -> None:
    def told(text: str) -> list[Record]:
        return [record._replace(line=0, last_line=0) for record in read(text)]

    text = path.read_text("utf-8")
    assert told("\n".join(json.dumps(value, indent=indent) for value in objects_of(text))) == told(text)


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 10**40, 1e300, "", "<>", "\ud800", "550", "9999-99-99T99:99:99Z", [], {}, [[]], ["a", 1], {"a": {}}]
)


@settings(max_examples=300)
@given(st.sampled_from([value for path in SAMPLES for value in objects_of(path.read_text("utf-8"))]), st.data())
def test_no_event_is_too_odd_to_be_read(value: Any, data: st.DataObject) -> None:
    def changed(inner: Any) -> Any:
        if data.draw(st.integers(0, 12)) == 0:
            return data.draw(ODD)
        if isinstance(inner, dict):
            return {key: changed(item) for key, item in inner.items()}
        return [changed(item) for item in inner] if isinstance(inner, list) else inner

    for record in read(json.dumps(changed(value), indent=data.draw(st.sampled_from([None, 1])))):
        facts = (record.text, record.recipient, record.sender, record.queue_id, record.relay, record.client, record.time)
        assert all(fact is None or isinstance(fact, str) for fact in facts)
        # No half of a surrogate pair, which no output could take.
        "".join(fact or "" for fact in facts).encode()


def test_the_formats_of_events_are_those_of_the_services() -> None:
    assert {service.format for service in SERVICES} == OF_EVENTS
