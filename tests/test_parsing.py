"""What is read of an input: its records and their facts, before anybody judges them. The cases are data, under `cases/`."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smtpref.classification import classify_text
from smtpref.errors import Unreadable
from smtpref.knowledge import Knowledge
from smtpref.model import EnhancedCode, Record, ReplyCode
from smtpref.parsing import recognition
from smtpref.parsing.files import IDLE, CutLines, Input, lines_of, open_input
from smtpref.parsing.recognition import read_records
from smtpref.parsing.reply import find_reply
from smtpref.parsing.stamps import split_stamp

from .conftest import TESTS, Run

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A law holds however slow the machine is."""

CASES = TESTS / "cases"
LOGS = sorted((CASES / "postfix").glob("*.log"))
LATEST = datetime(2024, 12, 31, 23, 59, 59)

Facts = dict[str, Any]


def facts(record: Record) -> Facts:
    """The record with its codes as users see them."""
    row: Facts = record._asdict()
    row["reply_code"] = record.reply_code.value if record.reply_code else None
    row["enhanced_code"] = str(record.enhanced_code) if record.enhanced_code else None
    return row


def read(content: bytes | str, latest: datetime = LATEST) -> list[Facts]:
    """The facts of all records in `content`, also of texts that may be a reply only by their words."""
    encoded = content.encode() if isinstance(content, str) else content
    return [facts(record) for record in read_records(Input("-", latest, lines_of(encoded)))]


def read_path(path: Path, year: int | None = None) -> list[Facts]:
    """The facts of the records of a file that more than mere words make one."""
    return [facts(record) for record in read_records(open_input(str(path), year)) if not record.words_only]


def only(expected: Facts, actual: Facts) -> Facts:
    """What of `actual` the case speaks of."""
    return {key: actual[key] for key in expected}


# Postfix logs


@cache
def expected_of(log: Path) -> list[Facts]:
    """The facts of a log's records in the order in which they come; the reason is compared in test_verdict."""
    rows = log.with_suffix(".expected.jsonl").read_text("utf-8").splitlines()
    return [{key: value for key, value in json.loads(row).items() if key != "reason"} for row in rows]


@cache
def actual_of(log: Path) -> dict[int, Facts]:
    return {row["line"]: row for row in read_path(log, year=2024)}


POSTFIX_CASES = [pytest.param(log, row, id=f"{log.stem}:{row['line']}") for log in LOGS for row in expected_of(log)]


@pytest.mark.parametrize(("log", "expected"), POSTFIX_CASES)
def test_a_line_of_postfix_gives_its_facts(log: Path, expected: Facts) -> None:
    actual = actual_of(log).get(expected["line"])
    assert actual is not None, "no record"
    assert expected == only(expected, actual)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_a_log_of_postfix_gives_the_records_that_it_holds_and_no_others(log: Path) -> None:
    assert [row["line"] for row in expected_of(log)] == [row["line"] for row in read_path(log, year=2024)]


def test_a_line_that_quotes_an_attempt_counts_only_where_no_status_of_the_message_follows() -> None:
    attempt = "Mar  5 10:00:0{} mx1 postfix/smtp[1]: {}: host mx.example.com[192.0.2.5] said: 450 4.7.1 Wait (in reply to RCPT TO command)"
    status = (
        "Mar  5 10:00:09 mx1 postfix/smtp[1]: 4C1D2E3F02: to=<a@example.com>, relay=none, dsn=4.4.1, status=deferred (connect: timed out)"
    )
    log = "\n".join([attempt.format(1, "4C1D2E3F01"), attempt.format(2, "4C1D2E3F02"), attempt.format(3, "4C1D2E3F01"), status])
    assert [(row["queue_id"], row["line"]) for row in read(log)] == [("4C1D2E3F02", 4), ("4C1D2E3F01", 3)]


def test_the_sender_of_a_removed_message_is_not_the_sender_of_a_later_one_with_the_same_queue_id() -> None:
    log = """\
Mar  5 10:00:01 mx1 postfix/qmgr[9]: 4C1D2E3F01: from=<ann@example.org>, size=1, nrcpt=1 (queue active)
Mar  5 10:00:02 mx1 postfix/smtp[1]: 4C1D2E3F01: to=<a@example.com>, relay=none, dsn=2.0.0, status=sent (250 Ok)
Mar  5 10:00:03 mx1 postfix/qmgr[9]: 4C1D2E3F01: removed
Mar  5 10:00:04 mx1 postfix/smtp[1]: 4C1D2E3F01: to=<b@example.com>, relay=none, dsn=2.0.0, status=sent (250 Ok)
"""
    assert [row["sender"] for row in read(log)] == ["ann@example.org", None]


# Bare replies


REPLIES = yaml.safe_load((CASES / "replies.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", REPLIES, ids=lambda case: case["name"])
def test_a_reply_is_taken_out_of_what_surrounds_it(case: Facts) -> None:
    expected = case.get("records") or [case["reads"]]
    rows = read(case["text"])
    # What may be a reply only by its words is left to the rules where something else is one.
    actual = [row for row in rows if not row["words_only"]] or rows
    assert len(expected) == len(actual), actual
    assert expected == [only(want, got) for want, got in zip(expected, actual, strict=True)]


WORDS = st.lists(
    st.sampled_from(["mailbox", "Full", "user", "unknown,", "see", "<bob@example.com>", "(x)", "refused."]), min_size=1, max_size=8
)


@LAW
@given(st.integers(200, 559).filter(lambda n: n // 10 % 10 <= 5), st.sampled_from("245"), st.integers(0, 999), st.integers(0, 999), WORDS)
def test_what_a_server_writes_is_what_is_read(code: int, digit: str, subject: int, detail: int, words: list[str]) -> None:
    reply, text = ReplyCode(code), " ".join(words)
    enhanced = EnhancedCode(digit if digit != "2" and code >= 300 else "2" if code < 300 else "5", subject, detail)
    found = find_reply(f"{reply} {enhanced} {text}")
    assert found is not None
    assert (reply, enhanced, text) == (found.code, found.enhanced, found.text)


@LAW
@given(st.integers(1, 8), st.integers(400, 559).filter(lambda n: n // 10 % 10 <= 5), WORDS)
def test_a_multi_line_reply_reads_as_its_words_on_one_line(lines: int, code: int, words: list[str]) -> None:
    pieces = [*(f"{code}-{' '.join(words)}" for _ in range(lines)), f"{code} end"]
    expected = " ".join([*words * lines, "end"])
    for text in ("\n".join(pieces), " ".join(pieces), "\r\n".join(f"> {piece}" for piece in pieces)):
        assert [(code, expected)] == [(row["reply_code"], row["text"]) for row in read(text)]


# What is neither


NO_RECORDS = [line for line in (CASES / "no-records.txt").read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("line", NO_RECORDS, ids=lambda line: line[:60])
def test_what_tells_of_no_outcome_gives_no_record(line: str, knowledge: Knowledge) -> None:
    assert [item.to_dict() for item in classify_text(line, knowledge)] == []


def test_lines_without_an_outcome_give_none_together_either(knowledge: Knowledge) -> None:
    found = classify_text("\n".join(NO_RECORDS), knowledge)
    assert [(item.record.line, NO_RECORDS[item.record.line - 1]) for item in found] == []


# Stamps


def time_of(stamp: str, latest: datetime) -> str | None:
    line = split_stamp(f"{stamp} mx1 postfix/smtp[1]: message", latest)
    assert line is not None
    return line.time


@pytest.mark.parametrize(
    ("stamp", "latest", "expected"),
    [
        ("Mar  5 10:00:00", "2024-03-05T12:00:00", "2024-03-05T10:00:00"),
        ("Jan  1 00:00:00", "2024-03-05T12:00:00", "2024-01-01T00:00:00"),
        ("Dec 31 23:59:59", "2024-03-05T12:00:00", "2023-12-31T23:59:59"),
        ("Mar  6 11:59:59", "2024-03-05T12:00:00", "2024-03-06T11:59:59"),
        ("Mar  6 12:00:01", "2024-03-05T12:00:00", "2023-03-06T12:00:01"),
        ("Dec 31 23:59:59", "2024-12-31T23:59:59", "2024-12-31T23:59:59"),
        ("Jan  1 00:00:01", "2024-12-31T23:59:59", "2024-01-01T00:00:01"),
        ("Jan  1 00:00:01", "2023-12-31T23:59:59", "2023-01-01T00:00:01"),
        ("Feb 29 10:00:00", "2024-03-05T12:00:00", "2024-02-29T10:00:00"),
        ("Feb 29 10:00:00", "2024-02-29T12:00:00", "2024-02-29T10:00:00"),
        ("Feb 29 10:00:00", "2025-01-10T12:00:00", "2024-02-29T10:00:00"),
    ],
)
def test_a_stamp_without_a_year_falls_in_the_twelve_months_before_the_file_was_written(stamp: str, latest: str, expected: str) -> None:
    assert expected == time_of(stamp, datetime.fromisoformat(latest))


@pytest.mark.parametrize(("stamp", "latest"), [("Feb 29 10:00:00", "2024-02-10T12:00:00"), ("Feb 29 10:00:00", "2022-06-01T00:00:00")])
def test_a_day_that_those_twelve_months_do_not_have_is_no_time(stamp: str, latest: str) -> None:
    assert time_of(stamp, datetime.fromisoformat(latest)) is None


@pytest.mark.parametrize(
    "stamp",
    [
        "Feb 30 10:00:00",
        "Mar 32 10:00:00",
        "Mar  0 10:00:00",
        "Mar  5 25:00:00",
        "Mar  5 10:61:00",
        "2024-02-30T10:00:00Z",
        "2024-13-01T10:00:00",
        "2024-03-05T10:00:00+99:00",
    ],
)
def test_an_impossible_stamp_is_no_time_and_costs_no_record(stamp: str) -> None:
    row = read(f"{stamp} mx1 postfix/smtp[1]: 4C1D2E3F01: to=<a@example.com>, relay=none, dsn=2.0.0, status=sent (250 Ok)")
    assert [(r["time"], r["recipient"]) for r in row] == [(None, "a@example.com")]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2021-03-05T10:00:00Z", "2021-03-05T10:00:00+00:00"),
        ("2021-03-05T10:00:00.123456+02:00", "2021-03-05T10:00:00.123456+02:00"),
        ("2021-03-05T10:00:00-0330", "2021-03-05T10:00:00-03:30"),
        ("2021-03-05T10:00:00", "2021-03-05T10:00:00"),
        ("2021-03-05 10:00:00", "2021-03-05T10:00:00"),
        ("2021-03-05 10:00:00,5 +0100", "2021-03-05T10:00:00.5+01:00"),
        ("Mar  5 2021 10:00:00", "2021-03-05T10:00:00"),
    ],
)
def test_a_stamp_that_holds_its_year_keeps_it_and_its_offset(stamp: str, expected: str) -> None:
    assert expected == time_of(stamp, LATEST)


MICROSECONDS: list[Any] = ["²²²", "", "-1", "1e9", "9" * 30, 5, 1.5, None, True, [], {}]


@pytest.mark.parametrize("stamp", MICROSECONDS, ids=repr)
def test_an_odd_time_of_journald_is_no_time_and_costs_no_record(stamp: object) -> None:
    line = {
        "__REALTIME_TIMESTAMP": stamp,
        "SYSLOG_IDENTIFIER": "postfix/smtp",
        "MESSAGE": "4C1D2E3F01: to=<a@example.com>, relay=none, dsn=2.0.0, status=sent (250 Ok)",
    }
    assert [(row["time"], row["recipient"]) for row in read(json.dumps(line))] == [(None, "a@example.com")]


STAMPED = """\
{} mx1 postfix/smtp[1]: 4C1D2E3F01: to=<a@example.com>, relay=none, dsn=2.0.0, status=sent (250 Ok)
"""


@pytest.mark.parametrize(
    ("stamp", "year", "expected"),
    [
        ("Dec 31 23:59:59", None, "2022-12-31T23:59:59"),
        ("Jan  2 03:04:05", None, "2023-01-02T03:04:05"),
        ("Dec 31 23:59:59", 2019, "2019-12-31T23:59:59"),
        ("Jan  1 00:00:00", 2019, "2019-01-01T00:00:00"),
        ("Feb 29 00:00:00", 2020, "2020-02-29T00:00:00"),
        ("Feb 29 00:00:00", 2019, None),
        ("2021-03-05T10:00:00Z", 2019, "2021-03-05T10:00:00+00:00"),
    ],
)
def test_the_year_is_that_of_the_file_unless_one_is_given(tmp_path: Path, stamp: str, year: int | None, expected: str | None) -> None:
    log = tmp_path / "mail.log"
    log.write_text(STAMPED.format(stamp))
    written = datetime(2023, 6, 1, 12).timestamp()
    os.utime(log, (written, written))
    assert [expected] == [row["time"] for row in read_path(log, year)]


def test_the_command_line_s_year_is_the_stamps_(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(STAMPED.format("Dec 31 23:59:59"))
    rows = run("classify", "--year", "2019", "--format", "jsonl", str(log)).stdout.splitlines()
    assert [json.loads(row)["time"] for row in rows] == ["2019-12-31T23:59:59"]


# Files


DELIVERIES = b"""\
Mar  5 10:00:01 mx1 postfix/smtp[1]: 4C1D2E3F01: to=<a@example.com>, relay=none, dsn=2.0.0, status=sent (250 Ok)
Mar  5 10:00:02 mx1 postfix/smtp[1]: 4C1D2E3F02: to=<b@example.com>, relay=none, dsn=5.1.1, status=bounced (unknown user)
"""


def zstd(content: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd as library  # noqa: PLC0415

        return library.compress(content)
    compressed: bytes = pytest.importorskip("zstandard").compress(content)
    return compressed


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


def recipients(path: Path) -> list[tuple[int, str]]:
    return [(row["line"], row["recipient"]) for row in read_path(path)]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_compressed_file_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mail.log{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](DELIVERIES))
    assert recipients(path) == [(1, "a@example.com"), (2, "b@example.com")]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_compressed_files_put_together_are_read_to_the_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mail.log{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](DELIVERIES) * 2)
    assert [line for line, _ in recipients(path)] == [1, 2, 3, 4]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_damaged_file_gives_its_records_and_then_says_that_it_cannot_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mail.log{suffix}"
    whole = COMPRESSIONS[suffix](DELIVERIES * 5000 + bytes(range(256)) * 400)
    path.write_bytes(whole[: len(whole) // 2])
    records = read_records(open_input(str(path)))
    assert next(records).recipient == "a@example.com"
    with pytest.raises(Unreadable) as error:
        list(records)
    assert str(path) == error.value.path


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_what_is_not_compressed_as_its_name_says_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mail.log{suffix}"
    path.write_bytes(DELIVERIES)
    if suffix == ".zst":
        zstd(b"")
    with pytest.raises(Unreadable) as error:
        read_path(path)
    assert str(path) == error.value.path


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as error:
        read_path(tmp_path / "mail.log")
    assert str(tmp_path / "mail.log") == error.value.path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\n\n\n", [], id="empty lines"),
        pytest.param(DELIVERIES.rstrip(b"\n"), ["postfix:1", "postfix:2"], id="no final line end"),
        pytest.param(DELIVERIES.replace(b"\n", b"\r\n"), ["postfix:1", "postfix:2"], id="CRLF"),
        pytest.param(b"\n \r\n" + DELIVERIES, ["postfix:3", "postfix:4"], id="empty lines first"),
        pytest.param(b"\xef\xbb\xbf" + DELIVERIES, ["postfix:1", "postfix:2"], id="byte order mark"),
        pytest.param(DELIVERIES.replace(b"Ok", b"O\0k"), ["postfix:1", "postfix:2"], id="NUL"),
        pytest.param(b"\0" * 4096 + b"\n" + DELIVERIES, ["postfix:2", "postfix:3"], id="a hole that a crash left"),
        pytest.param(b"\xff\xfe\x80\n" + DELIVERIES, ["postfix:2", "postfix:3"], id="no text"),
        pytest.param(b"x" * 3_000_000 + b"\n" + DELIVERIES, ["postfix:2", "postfix:3"], id="a line of 3 MB"),
        pytest.param(DELIVERIES + b"550 " + b"x " * 1_500_000, ["postfix:1", "postfix:2", "reply:3"], id="a reply of 3 MB"),
        pytest.param(
            DELIVERIES.replace(b"unknown user", b"x" * 3_000_000) * 2, [f"postfix:{n}" for n in (1, 2, 3, 4)], id="a status of 3 MB"
        ),
    ],
)
def test_a_file_s_oddities_cost_no_other_line(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(content)
    assert expected == [f"{row['format']}:{row['line']}" for row in read_path(path)]


def test_a_line_end_of_windows_is_no_part_of_a_text() -> None:
    assert [
        row["text"]
        for row in read(
            b"550 5.1.1 User unknown\r\n\r\nMar  5 10:00:01 mx1 postfix/smtp[1]: 4C1D2E3F01: to=<a@example.com>, relay=none, status=sent (250 Ok)\r\n"
        )
    ] == ["User unknown", "Ok"]


def test_each_line_is_decoded_by_itself() -> None:
    line = "Mar  5 10:00:01 mx1 postfix/smtp[1]: 4C1D2E3F01: to=<jürgen@example.com>, relay=none, status=bounced (550 Empfänger unbekannt)"
    content = b"\n".join([line.encode(), line.encode("cp1252"), line.encode()])
    assert [(row["recipient"], row["text"]) for row in read(content)] == [("jürgen@example.com", "Empfänger unbekannt")] * 3


def test_a_record_s_source_is_the_file_as_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mail.log").write_bytes(DELIVERIES)
    assert [row["source"] for row in read_path(Path("mail.log"))] == ["mail.log", "mail.log"]


# A live input


def test_a_log_line_s_record_comes_before_the_next_line_is_read() -> None:
    texts = DELIVERIES.decode().splitlines()
    taken: list[int] = []

    def chunks() -> Iterator[bytes | None]:
        for number, text in enumerate(texts, 1):
            taken.append(number)
            yield f"{text}\n".encode()

    records = read_records(Input("-", LATEST, CutLines(chunks())))
    assert [(record.line, list(taken)) for record in records] == [(1, [1]), (2, [1, 2])]


def test_a_reply_comes_when_the_input_pauses() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[bytes | None]:
        for number in (1, 2):
            taken.append(number)
            yield b"550 5.1.1 User unknown\n"
            yield IDLE

    records = read_records(Input("-", LATEST, CutLines(chunks())))
    assert [(record.line, list(taken)) for record in records] == [(1, [1]), (2, [1, 2])]


# Laws


FORMAT_SAMPLES = [p for p in (TESTS / "cases" / "formats").glob("*/*") if p.is_file() and p.suffix != ".jsonl" and p.name != "ORIGIN"]
POSTFIX_LINES = [line for log in LOGS for line in log.read_bytes().splitlines()]
LINES = [
    *(line for sample in sorted(FORMAT_SAMPLES) for line in sample.read_bytes().splitlines()),
    *POSTFIX_LINES,
    *(line for case in REPLIES for line in case["text"].encode().splitlines()),
    *(line.encode() for line in NO_RECORDS),
]

SOME_LINE = st.sampled_from(LINES)
DAMAGED_LINE = st.builds(
    lambda line, start, stop, junk: line[:start] + junk + line[stop:],
    SOME_LINE,
    st.integers(0, 200),
    st.integers(0, 300),
    st.binary(max_size=8),
)
INPUTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.lists(st.one_of(SOME_LINE, DAMAGED_LINE, st.binary(max_size=60)), max_size=12).map(b"\n".join),
)


@LAW
@given(INPUTS)
@example(b'{"email":"","event":"dropped","sg_":""}')
def test_no_bytes_are_too_odd_to_be_read(content: bytes) -> None:
    for row in read(content):
        assert row["source"] == "-"
        assert 1 <= row["line"] <= content.count(b"\n") + 1
        assert row["time"] is None or datetime.fromisoformat(row["time"])
        assert "\n" not in row["text"]
        assert row["text"] == row["text"].strip()


@LAW
@given(st.lists(st.sampled_from(POSTFIX_LINES), max_size=30).map(b"\n".join))
def test_records_come_in_input_order_and_open_attempts_or_what_filters_told_at_the_end(content: bytes) -> None:
    rows = read(content)
    descents = [number for number, (one, other) in enumerate(pairwise(rows), 1) if one["line"] >= other["line"]]
    assert len(descents) <= 1
    late = rows[descents[0] :] if descents else []
    if late and late[0]["format"] == "reply":
        assert {"reply"} == {row["format"] for row in rows}
        return
    assert [("postfix", "outbound", None, None)] * len(late) == [
        (row["format"], row["direction"], row["outcome"], row["recipient"]) for row in late
    ]


@LAW
@given(st.lists(SOME_LINE, max_size=12))
@example([b"From: bob@example.com", b"Auto-Submitted: auto-replied", b"", b"I am away.", b""])
def test_line_ends_change_nothing(lines: list[bytes]) -> None:
    assert read(b"\n".join(lines)) == read(b"\r\n".join(lines)) == read(b"\n".join(lines) + b"\n")


@LAW
@given(st.text(max_size=200))
def test_a_reply_that_is_found_was_there(text: str) -> None:
    reply = find_reply(text)
    if reply is not None:
        assert reply.code is not None or reply.enhanced is not None
        assert all(str(code) in text for code in (reply.code, reply.enhanced) if code)


@LAW
@given(st.lists(st.from_regex(r"[2-5][0-5][0-9][ -][ -~]{0,60}", fullmatch=True), max_size=6))
def test_replies_alone_say_what_they_say_to_all_readers(replies: list[str]) -> None:
    """As long as there is nothing but replies, the readers that take none are not asked."""
    content = "\n".join(replies).encode()
    few = read(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognition, "READERS", tuple(entry._replace(takes_replies=True) for entry in recognition.READERS))
        assert read(content) == few
