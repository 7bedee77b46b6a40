"""Filters of `classify`: what is kept, how times are held against each other, and what is said of a value that there is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpref.errors import WrongUsage
from smtpref.filtering import NO_FILTERS, Filters, choose_filters
from smtpref.knowledge import Knowledge
from smtpref.model import Action, Actor, Bounce, Category, Classified, Direction, Evidence, EvidenceBy, Record, Verdict

from .conftest import TESTS, Run

LOG = str(TESTS / "cases" / "readme.log")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone(timedelta(hours=1)))
EVIDENCE = Evidence(EvidenceBy.FORMAT, "format/nothing-known", "")


def record(
    reason: str = "unknown",
    bounce: Bounce = Bounce.NONE,
    direction: Direction | None = None,
    provider: str | None = None,
    queue_id: str | None = None,
    recipient: str | None = None,
    time: str | None = None,
) -> Classified:
    verdict = Verdict(reason, Category.NONE, bounce, None, Action.NONE, Actor.NONE, None, None, provider, None, None, EVIDENCE)
    return Classified(Record("-", 1, "postfix", time, direction=direction, queue_id=queue_id, recipient=recipient), verdict)


def asked(knowledge: Knowledge, **options: object) -> Filters:
    return choose_filters(knowledge, now=NOW, **options)  # type: ignore[arg-type]


def is_kept(knowledge: Knowledge, time: str | None, **options: str) -> bool:
    return asked(knowledge, **options).admit(record(time=time))


@pytest.mark.parametrize(
    ("options", "kept", "dropped"),
    [
        ({"reasons": ["greylisted", "mailbox-full"]}, [record("greylisted"), record("mailbox-full")], [record("blocklisted")]),
        ({"bounces": [Bounce.HARD]}, [record(bounce=Bounce.HARD)], [record(bounce=Bounce.SOFT), record()]),
        ({"directions": [Direction.INBOUND]}, [record(direction=Direction.INBOUND)], [record(direction=Direction.OUTBOUND), record()]),
        ({"providers": ["Gmail"]}, [record(provider="google")], [record(provider="yahoo"), record()]),
        ({"queue_ids": ["4Jgy"]}, [record(queue_id="4Jgy")], [record(queue_id="4JGY"), record(queue_id="4Jgy1"), record()]),
        (
            {"recipients": ["<Bob@example.com>"]},
            [record(recipient="bob@Example.com")],
            [record(recipient="bob@example.org"), record(recipient="bob"), record()],
        ),
        (
            {"recipients": ["@example.com"]},
            [record(recipient="bob@example.com"), record(recipient="Ann@EXAMPLE.com")],
            [record(recipient="bob@mx.example.com"), record(recipient="bob")],
        ),
        ({"recipients": ["root"]}, [record(recipient="root")], [record(recipient="root@example.com")]),
        ({"recipients": [""]}, [], [record(), record(recipient="")]),
        (
            {"reasons": ["greylisted"], "recipients": ["bob@example.com"]},
            [record("greylisted", recipient="bob@example.com")],
            [record("greylisted"), record(recipient="bob@example.com")],
        ),
    ],
)
def test_a_record_is_kept_where_one_value_of_every_kind_matches(knowledge, options, kept, dropped):
    filters = asked(knowledge, **options)
    assert [filters.admit(item) for item in (*kept, *dropped)] == [True] * len(kept) + [False] * len(dropped)


def test_without_filters_everything_is_kept(knowledge):
    assert asked(knowledge) == NO_FILTERS
    assert NO_FILTERS.admit(record())


@pytest.mark.parametrize("name", ["google", "GOOGLE", "gmail", "Google (Gmail)", " workspace "])
def test_a_provider_goes_by_its_id_its_name_and_its_other_names(knowledge, name):
    assert asked(knowledge, providers=[name]).providers == {"google"}


@pytest.mark.parametrize(
    ("since", "first", "last_before"),
    [
        ("2026-11-24", "2026-11-24T00:00:00", "2026-11-23T23:59:59"),
        ("2026-11-24 08:30", "2026-11-24T08:30:00", "2026-11-24T08:29:59"),
        ("2026-11-24T08:30:15", "2026-11-24T08:30:15", "2026-11-24T08:30:14.9"),
        ("08:30", "2026-11-24T08:30:00", "2026-11-24T08:29:59"),
        ("today", "2026-11-24T00:00:00", "2026-11-23T23:59:59"),
        ("yesterday", "2026-11-23T00:00:00", "2026-11-22T23:59:59"),
        ("2h ago", "2026-11-24T10:00:00+01:00", "2026-11-24T09:59:59+01:00"),
        ("2 hours ago", "2026-11-24T09:00:00+00:00", "2026-11-24T08:59:59+00:00"),
        ("90min", "2026-11-24T10:30:00+01:00", "2026-11-24T10:29:59+01:00"),
        ("30 s ago", "2026-11-24T11:59:30+01:00", "2026-11-24T11:59:29+01:00"),
        ("3d ago", "2026-11-21T12:00:00+01:00", "2026-11-21T11:59:59+01:00"),
        ("1 week ago", "2026-11-17T12:00:00+01:00", "2026-11-17T11:59:59+01:00"),
        ("now", "2026-11-24T12:00:00+01:00", "2026-11-24T11:59:59+01:00"),
    ],
)
def test_since_keeps_from_the_beginning_of_what_it_names(knowledge, since, first, last_before):
    assert (is_kept(knowledge, first, since=since), is_kept(knowledge, last_before, since=since)) == (True, False)


@pytest.mark.parametrize(
    ("until", "last", "first_after"),
    [
        ("2026-11-24", "2026-11-24T23:59:59.9", "2026-11-25T00:00:00"),
        ("yesterday", "2026-11-23T23:59:59", "2026-11-24T00:00:00"),
        ("2026-11-24 08:30", "2026-11-24T08:30:59", "2026-11-24T08:31:00"),
        ("2026-11-24 08:30:15", "2026-11-24T08:30:15.9", "2026-11-24T08:30:16"),
        ("2026-11-24 08:30:15.5", "2026-11-24T08:30:15.500000", "2026-11-24T08:30:15.6"),
        ("2h ago", "2026-11-24T09:59:59+01:00", "2026-11-24T10:00:00+01:00"),
    ],
)
def test_until_keeps_to_the_end_of_what_it_names(knowledge, until, last, first_after):
    assert (is_kept(knowledge, last, until=until), is_kept(knowledge, first_after, until=until)) == (True, False)


@pytest.mark.parametrize("time", ["2026-11-24T08:30:00", "2026-11-24T08:30:00+00:00", "2026-11-24T08:30:00-11:00", "2026-11-24T08:30:00Z"])
def test_a_time_without_an_offset_is_compared_with_times_as_they_are_written(knowledge, time):
    assert is_kept(knowledge, time, since="2026-11-24 08:30", until="2026-11-24 08:30")


@pytest.mark.parametrize("given", ["2026-11-24 08:30+01:00", "2026-11-24T08:30 +0100", "2026-11-24T07:30Z"])
def test_a_time_with_an_offset_is_an_instant(knowledge, given):
    times = ["2026-11-24T07:30:00+00:00", "2026-11-24T08:30:00+00:00", "2026-11-24T07:29:59Z", "2026-11-24T09:30:30+02:00"]
    assert [is_kept(knowledge, time, since=given, until=given) for time in times] == [True, False, False, True]


@pytest.mark.parametrize("time", [None, "", "Tuesday"])
def test_a_record_without_a_time_is_in_no_span(knowledge, time):
    assert (is_kept(knowledge, time, since="2000-01-01"), is_kept(knowledge, time, until="2100-01-01")) == (False, False)


@settings(deadline=None)
@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31)).map(lambda time: time.replace(microsecond=0)),
    st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31)).map(lambda time: time.replace(microsecond=0)),
    st.sampled_from([None, UTC]),
)
def test_since_and_until_of_one_time_share_only_that_time(knowledge, bound, time, zone):
    bound, time = bound.replace(tzinfo=zone), time.replace(tzinfo=zone)
    since, until = (is_kept(knowledge, time.isoformat(), **{option: bound.isoformat()}) for option in ("since", "until"))
    assert (since, until) == (time >= bound, time <= bound)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "fool",
        "2026-13-01",
        "2026-02-30",
        "24:61",
        "2026-11-2408:30",
        "tomorrow",
        "2h later",
        "999999w ago",
        "9999-12-31",
        "-2h",
        "2026",
    ],
)
def test_what_is_no_time_is_said_to_be_none(knowledge, given):
    with pytest.raises(WrongUsage) as error:
        asked(knowledge, until=given) if given == "9999-12-31" else asked(knowledge, since=given)
    assert (error.value.message, error.value.facts) == ("error-time", {"given": given})


@pytest.mark.parametrize(
    ("option", "given", "candidate"), [("reasons", "mailbox_full", "--reason mailbox-full"), ("providers", "gogle", "--provider google")]
)
def test_an_unknown_value_gets_the_nearest_ones(knowledge, option, given, candidate):
    with pytest.raises(WrongUsage) as error:
        asked(knowledge, **{option: [given]})
    assert (error.value.facts, error.value.commands[0], len(error.value.commands)) == ({"given": given}, candidate, 3)


# The command


def lines(run: Run, *options: str, status: int = 0) -> list[int]:
    printed = run("classify", "--year", "2026", "-f", "jsonl", *options, LOG, status=status).stdout
    return [json.loads(row)["line"] for row in printed.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--reason", "mailbox-full", "--reason", "relay-denied"], [3, 5]),
        (["--bounce", "hard", "--bounce", "none"], [1, 2]),
        (["--direction", "inbound"], [5]),
        (["--provider", "gmail"], [3]),
        (["--queue-id", "4JgyGN3kgGzMCn"], [2]),
        (["--recipient", "LIST@example.net", "--recipient", "@example.edu"], [4, 5]),
        (["--since", "2026-11-24 08:15:09", "--until", "2026-11-24 08:15:20"], [3, 4]),
        (["--since", "2026-11-24", "--bounce", "block", "--direction", "outbound"], [4]),
    ],
)
def test_the_options_keep_what_they_name(run, options, expected):
    assert lines(run, *options) == expected


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "no record in the input is what the options ask for"), ("vi", "không có bản ghi nào trong đầu vào")]
)
def test_nothing_left_is_status_1_and_says_so(run, language, sentence):
    result = run("classify", "--reason", "virus-detected", "--lang", language, LOG, status=1)
    assert (result.stdout, result.stderr.count("\n"), sentence in result.stderr) == ("", 1, True)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--reason", "mailbx"], "--reason mailbox-full"),
        (["--provider", "gogle"], "--provider google"),
        (["--bounce", "hrd"], "'hard'"),
        (["--direction", "in"], "'inbound'"),
        (["--since", "fool"], '--since "2h ago"'),
        (["--until", "fool"], '--until "2h ago"'),
    ],
)
def test_an_unknown_value_is_one_line_with_candidates_and_status_2(run, options, word):
    result = run("classify", *options, LOG, status=2)
    first, *rest = result.stderr.splitlines()
    assert (result.stdout, first.startswith("smtpref: "), options[1] in first) == ("", True, True)
    assert word in result.stderr
    assert len(rest) <= 1


@pytest.mark.parametrize(
    ("option", "typed", "offered"),
    [
        ("--reason", "greyl", ["greylisted"]),
        ("--bounce", "", ["hard", "soft", "block", "none"]),
        ("--direction", "i", ["inbound"]),
        ("--provider", "goo", ["google"]),
    ],
)
def test_values_complete(run, option, typed, offered):
    line = f"smtpref classify {option} {typed}"
    env = {
        "_SMTPREF_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": line,
        "COLUMNS": "9999",
    }
    assert [row.split("\t")[0] for row in run(env=env).stdout.splitlines()] == offered
