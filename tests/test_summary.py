"""`classify --summary`: small inputs with the counts that they must give, and the laws that hold for all inputs."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smtpref import messages
from smtpref import summary as summary_module
from smtpref.classification import Classifier, classify_text
from smtpref.closed import Closed
from smtpref.errors import SmtprefError
from smtpref.knowledge import Knowledge, Language
from smtpref.line_account import LineAccount, looks_like_outcome
from smtpref.model import Classified
from smtpref.moments import instant, time_text
from smtpref.parsing.files import lines_of
from smtpref.render.output import Format, Output
from smtpref.render.progress import Progress
from smtpref.render.prometheus import prometheus_text
from smtpref.render.results import write_summary
from smtpref.render.summary import even
from smtpref.replies import MAX_REPLIES
from smtpref.shapes import Names, sender_shape, shape_of
from smtpref.summary import Series, Summary, summarise
from smtpref.survey import Survey, size_of

from .conftest import TESTS, Run

MAPS = (
    "outcomes", "bounces", "reasons", "categories", "reply_codes", "enhanced_codes", "providers", "domains", "senders", "hours",
)  # fmt: skip
KEYS = ["lines", "records", *MAPS, "actions", "replies", "direction"]
ACTION_KEYS = ["action", "acts", "messages", "domains", "senders", "reasons", "first", "last", "last_success", "example"]
SAMPLES = sorted(
    path for path in (TESTS / "cases" / "formats").glob("*/*") if path.is_file() and path.name != "ORIGIN" and "expected" not in path.name
)


def classified_of(survey: Survey, knowledge: Knowledge, account: LineAccount) -> Iterator[Classified]:
    classifier = Classifier(knowledge)
    items = survey.items(classifier, account)
    return (classified for item in items if (classified := classifier.classified(item, "")))


def line(
    clock: str,
    queue_id: str,
    recipient: str,
    status: str,
    text: str,
    *,
    dsn: str = "",
    relay: str = "mx.example.net[192.0.2.25]:25",
    host: str = "mx1",
    day: str = "Oct  1",
) -> str:
    dsn = dsn or {"sent": "2.0.0", "deferred": "4.0.0"}.get(status, "5.0.0")
    return f"{day} {clock} {host} postfix/smtp[1]: {queue_id}: to=<{recipient}>, relay={relay}, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({text})"


def said(text: str) -> str:
    return f"host mx.example.net[192.0.2.25] said: {text} (in reply to RCPT TO command)"


OK = "250 2.0.0 Ok: queued as 9E0443E949"
UNKNOWN = said("550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown")
GREY = said("450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted")
REFUSED = (
    "Oct  1 08:00:00 mx1 postfix/smtpd[2]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <joe@example.org>: Relay access denied; "
    "from=<spam@example.edu> to=<joe@example.org> proto=ESMTP helo=<x>"
)


def sender(clock: str, queue_id: str, address: str) -> str:
    return f"Oct  1 {clock} mx1 postfix/qmgr[9]: {queue_id}: from=<{address}>, size=1, nrcpt=1 (queue active)"


@pytest.fixture(scope="module")
def summary_of(knowledge: Knowledge) -> Any:
    def summary(*lines: str) -> Summary:
        return summarise(classify_text("\n".join(lines), knowledge))

    return summary


@pytest.fixture
def report(run: Run, tmp_path: Path) -> Any:
    """The JSON of `classify --summary` for files with these contents."""

    def read(*contents: str | bytes, options: Iterable[str] = (), status: int = 0) -> dict[str, Any]:
        paths = []
        for number, content in enumerate(contents):
            path = tmp_path / f"{number}.log"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(str(path))
        found: dict[str, Any] = json.loads(
            run("classify", "--summary", "-f", "json", "--year", "2026", *options, *paths, status=status).stdout
        )
        return found

    return read


def actions(summary: Summary) -> list[tuple[str, int]]:
    return [(task.action, task.messages) for task in summary.tasks]


# Messages


def test_messages_are_counted_with_their_last_outcome_and_attempts_beside(summary_of: Any) -> None:
    summary = summary_of(
        line("08:00:00", "A1B2C3D4E5", "bob@example.net", "deferred", GREY),
        line("08:10:00", "A1B2C3D4E5", "bob@example.net", "deferred", GREY),
        line("08:30:00", "A1B2C3D4E5", "bob@example.net", "sent", OK),
        line("08:00:00", "A1B2C3D4E5", "eve@example.net", "deferred", GREY),
    )
    assert (summary.records, summary.messages) == (4, 2)
    assert summary.all.outcomes == {"deferred": 1, "delivered": 1}
    assert summary.all.reasons == {"greylisted": 1, "success": 1}
    assert [(reply.shape, reply.records) for reply in summary.replies] == [
        ("450 4.2.0 <{address}>: Recipient address rejected: Greylisted", 3),
        ("250 2.0.0 Ok: queued as {id}", 1),
    ]


def test_the_same_queue_id_of_two_hosts_is_two_messages(summary_of: Any) -> None:
    one = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "sent", OK)
    assert summary_of(one, one.replace(" mx1 ", " mx2 ")).all.outcomes == {"delivered": 2}


def test_the_order_of_records_does_not_show(knowledge: Knowledge) -> None:
    log = [
        line("08:00:00", "A1B2C3D4E5", "bob@example.net", "deferred", GREY),
        line("08:30:00", "A1B2C3D4E5", "bob@example.net", "sent", OK),
        line("08:30:00", "B1B2C3D4E5", "eve@example.net", "bounced", UNKNOWN),
        line("08:30:00", "B1B2C3D4E5", "eve@example.net", "deferred", GREY),
        REFUSED,
    ]
    records = list(classify_text("\n".join(log), knowledge))
    summaries = {json.dumps(summarise(order).to_dict()) for order in itertools.permutations(records)}
    assert len(summaries) == 1
    assert summarise(records).all.outcomes == {"bounced": 1, "delivered": 1, "rejected": 1}


def test_a_message_handed_over_to_a_filter_goes_on_on_the_same_host(summary_of: Any) -> None:
    handed = "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as B1B2C3D4E5"
    local = "127.0.0.1[127.0.0.1]:10024"
    to_filter = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "sent", handed, relay=local)
    summary = summary_of(to_filter, line("08:00:05", "B1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN))
    assert (summary.records, summary.all.outcomes) == (2, {"bounced": 1})
    # To the filter is not to the recipient: the address may be removed.
    assert [task.addresses for task in summary.tasks] == [{"bob@example.net": 1}]
    assert summary_of(to_filter).all.outcomes == {"delivered": 1}
    elsewhere = line("08:00:05", "B1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN, host="mx2")
    assert summary_of(to_filter, elsewhere).all.outcomes == {"bounced": 1, "delivered": 1}


def test_records_without_a_queue_id_are_messages_of_their_own(summary_of: Any) -> None:
    summary = summary_of(REFUSED, REFUSED, "550 5.1.1 User unknown", "", "550 5.1.1 User unknown")
    assert summary.all.outcomes == {"none": 2, "rejected": 2}
    assert summary.all.senders == {"none": 2, "spam@example.edu": 2}


def test_inbound_rejections_are_kept_apart_and_are_no_bounces(summary_of: Any) -> None:
    summary = summary_of(REFUSED, line("08:30:00", "B1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN))
    assert summary.all.reasons == {"relay-denied": 1, "user-unknown": 1}
    assert summary.all.bounces == {"hard": 1}
    assert (summary.inbound.outcomes, summary.inbound.bounces) == ({"rejected": 1}, {})
    assert (summary.outbound.outcomes, summary.outbound.reasons) == ({"bounced": 1}, {"user-unknown": 1})
    assert actions(summary) == [("remove-address", 1)]
    assert {series.bounce for series in summary.series if series.direction == "inbound"} == {"none"}


# What is stuck


def test_what_is_stuck_since_when_and_why(summary_of: Any) -> None:
    summary = summary_of(
        line("06:00:00", "A1B2C3D4E5", "bob@example.net", "deferred", GREY),
        line("08:00:00", "A1B2C3D4E5", "bob@example.net", "deferred", "connect to mx.example.net[192.0.2.25]:25: Connection refused"),
        line("07:00:00", "B1B2C3D4E5", "eve@example.net", "sent", OK),
        line("09:15:00", "C1B2C3D4E5", "ann@example.com", "sent", OK),
    )
    stuck = summary.stuck
    year = summary.all.hours and next(iter(summary.all.hours))[:4]
    assert (stuck.messages, stuck.since, stuck.seconds) == (1, f"{year}-10-01T06:00:00", 3 * 3600 + 15 * 60)
    assert (stuck.reasons, stuck.domains) == ({"connection-failed": 1}, {"example.net": 1})


def test_a_queue_on_stdin_is_as_old_as_now(run: Run) -> None:
    queue = {
        "queue_name": "deferred", "queue_id": "4JgyGN3kgGzMCn", "arrival_time": 946684800, "message_size": 1,
        "sender": "a@example.org", "recipients": [{"address": "bob@example.net", "delay_reason": "connect to x[192.0.2.1]:25: timed out"}],
    }  # fmt: skip
    years = datetime.now().year - 2000
    printed = run("classify", "--summary", stdin=json.dumps(queue)).stdout
    age = re.search(r"oldest since 2000-01-01 00:00 \((\d+) d", printed)
    assert age is not None
    assert abs(int(age[1]) - 365 * years) < 800


def test_a_queue_is_as_old_as_its_times_say_wherever_the_clock_is(run: Run) -> None:
    """`postqueue -j` gives instants; `postqueue -p`, on the same machine, the clock's own time."""
    arrival = datetime.now() - timedelta(hours=2, minutes=30)
    entry = {
        "queue_name": "deferred", "queue_id": "4JgyGN3kgGzMCn", "arrival_time": int(arrival.timestamp()), "message_size": 1,
        "sender": "a@example.org", "recipients": [{"address": "bob@example.net", "delay_reason": "connect to x[192.0.2.1]:25: timed out"}],
    }  # fmt: skip
    for zone in ("UTC", "Asia/Ho_Chi_Minh", "America/Los_Angeles"):
        printed = run("classify", "--summary", stdin=json.dumps(entry), env={"TZ": zone}).stdout
        assert "(2 h 3" in printed.splitlines()[0]


# What to do first


def test_a_queue_that_the_filters_leave_out_makes_no_message_older(run: Run, tmp_path: Path) -> None:
    full = "(host mx.example.net[192.0.2.1] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command))"
    queue = f"-Queue ID- --Size-- ----Arrival Time---- -Sender/Recipient-------\nA1B2C3D4E5F     1234 Fri Mar  1 09:00:00  a@example.com\n{full}\n                                         bob@example.net\n\n-- 1 Kbytes in 1 Request.\n"
    log = tmp_path / "mail.log"
    refused = "connect to mx.example.net[192.0.2.1]:25: Connection refused"
    deferrals = [
        line(time, "B1B2C3D4E5", "joe@example.net", "deferred", refused, dsn="4.4.1", relay="none") for time in ("10:00:00", "11:00:00")
    ]
    log.write_text("".join(f"{text}\n" for text in deferrals))
    arguments = ["classify", "--summary", "--format", "plain", "--year", "2024"]
    shown = [run(*arguments, *more, "-", str(log), stdin=queue).stdout for more in ([], ["--reason", "connection-failed"])]
    assert "(1 h)" in shown[1]
    assert "(1 h)" not in shown[0]


def test_actions_are_ordered_by_the_mail_that_they_would_free(summary_of: Any) -> None:
    spf = said("550-5.7.26 Your email has been blocked because the sender is unauthenticated. 550 5.7.26 x - gsmtp")
    lines = [line(f"08:{n:02}:00", f"A{n}B2C3D4E5", f"u{n}@example.com", "deferred", GREY) for n in range(9)]
    lines += [line(f"09:{n:02}:00", f"B{n}B2C3D4E5", f"u{n}@example.net", "bounced", spf) for n in range(5)]
    lines += [sender("08:59:00", f"B{n}B2C3D4E5", "news@example.org") for n in range(5)]
    lines += [line("10:00:00", "C1B2C3D4E5", "old@example.edu", "bounced", UNKNOWN)]
    lines += [line("07:30:00", "D1B2C3D4E5", "ann@example.net", "sent", OK)]
    summary = summary_of(*sorted(lines))
    # To wait frees nothing, however much mail waits.
    assert actions(summary) == [("fix-authentication", 5), ("remove-address", 1), ("retry-later", 9)]
    first = summary.tasks[0]
    year = next(iter(summary.all.hours))[:4]
    assert (first.acts, first.domains, first.senders, first.reasons) == (
        "sender-admin",
        {"example.net": 5},
        {"news@example.org": 5},
        {"auth-failed": 5},
    )
    assert (first.first, first.last, first.last_success) == (
        f"{year}-10-01T09:00:00",
        f"{year}-10-01T09:04:00",
        f"{year}-10-01T07:30:00",
    )
    assert (first.example or "").startswith("550 5.7.26 Your email has been blocked because")
    assert first.match in (first.example or "")
    assert (summary.failures, sum(task.messages for task in summary.tasks)) == (15, 15)


def test_no_address_is_removed_that_was_delivered_to(summary_of: Any) -> None:
    summary = summary_of(
        line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN),
        line("12:00:00", "B1B2C3D4E5", "Bob@Example.net", "sent", OK),
        line("09:00:00", "C1B2C3D4E5", "eve@example.net", "bounced", UNKNOWN.replace("bob@", "eve@")),
    )
    assert actions(summary) == [("remove-address", 1), ("wait-and-check", 1)]
    assert summary.tasks[0].addresses == {"eve@example.net": 1}
    assert "bob@" not in (summary.tasks[0].example or "")


@pytest.mark.parametrize("options", [["--bounce", "hard"], ["--reason", "user-unknown"], ["--until", "2026-10-01 11:00"]])
def test_a_filter_hides_no_delivery_from_what_is_to_be_removed(report: Any, options: list[str]) -> None:
    log = [
        line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN),
        line("09:00:00", "C1B2C3D4E5", "eve@example.net", "bounced", UNKNOWN.replace("bob@", "eve@")),
        line("12:00:00", "B1B2C3D4E5", "bob@example.net", "sent", OK),
    ]
    for more in ([], ["--redact"]):
        found = report("\n".join(log), options=[*options, *more])
        assert [(task["action"], task["messages"]) for task in found["actions"]] == [("remove-address", 1), ("wait-and-check", 1)]
        assert found["outcomes"] == {"bounced": 2}
        assert found["actions"][0]["last_success"] == "2026-10-01T12:00:00"


def test_an_example_names_nobody_who_is_not_to_be_removed(summary_of: Any) -> None:
    """The first reply of a shape is about an address that was delivered to later: the shape stands in its place."""
    summary = summary_of(
        line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN),
        line("08:00:01", "C1B2C3D4E5", "eve@example.net", "bounced", UNKNOWN.replace("bob@", "eve@")),
        line("12:00:00", "B1B2C3D4E5", "bob@example.net", "sent", OK),
    )
    assert summary.tasks[0].example == "550 5.1.1 <{address}>: Recipient address rejected: User unknown"


@pytest.mark.parametrize(
    "text",
    [
        said("450 4.1.1 <bob@example.net>: User unknown"),
        said("552 5.2.2 Mailbox full"),
        said("554 5.7.1 Spam message rejected"),
        said("550 5.7.1 rejected by policy"),
    ],
)
def test_only_what_is_hard_is_removed(summary_of: Any, text: str) -> None:
    status = "deferred" if "450" in text else "bounced"
    summary = summary_of(line("08:00:00", "A1B2C3D4E5", "bob@example.net", status, text))
    assert [task.action for task in summary.tasks if task.addresses or task.action == "remove-address"] == []


def test_a_refusal_for_good_by_this_server_removes_nobody(summary_of: Any) -> None:
    assert (
        summary_of(REFUSED.replace("554 5.7.1 <joe@example.org>: Relay access denied", "550 5.1.1 <joe@example.org>: User unknown")).tasks
        == ()
    )


GOOGLE = "gmail-smtp-in.l.google.com[192.0.2.25]:25"
GONE = (
    "host gmail-smtp-in.l.google.com[192.0.2.25] said: 550-5.1.1 The email account that you tried to reach does not exist. "
    "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser x - gsmtp (in reply to RCPT TO command)"
)


def gmail(hour: int, good: int, gone: int, domain: str = "gmail.com") -> list[str]:
    found = []
    for n in range(good + gone):
        clock, queue_id = f"{hour:02}:{n % 60:02}:{n // 60:02}", f"{hour}{n:03}B2C3D4E5"
        what = ("sent", OK) if n < good else ("bounced", GONE)
        found.append(line(clock, queue_id, f"u{hour}.{n}@{domain}", *what, relay=GOOGLE))
    return found


def test_a_burst_of_unknown_users_at_a_large_domain_is_to_be_checked(summary_of: Any) -> None:
    steady = [*gmail(5, 60, 2), *gmail(6, 60, 2), *gmail(8, 60, 2)]
    assert actions(summary_of(*steady)) == [("remove-address", 6)]
    assert actions(summary_of(*steady, *gmail(7, 20, 30))) == [("remove-address", 6), ("wait-and-check", 30)]
    # A smaller share that is several times the usual one.
    assert actions(summary_of(*steady, *gmail(7, 60, 12))) == [("remove-address", 6), ("wait-and-check", 12)]


def test_many_unknown_users_of_a_small_domain_are_no_burst(summary_of: Any) -> None:
    small = [
        line(f"08:{n:02}:00", f"A{n:02}B2C3D4E5", f"u{n}@example.net", "bounced", UNKNOWN.replace("bob@", f"u{n}@")) for n in range(20)
    ]
    summary = summary_of(*small)
    assert actions(summary) == [("remove-address", 20)]
    assert len(summary.tasks[0].addresses) == 20


def doubts(summary: Summary) -> dict[str, int]:
    """Why nobody is removed, of an input that gives no other advice."""
    (task,) = summary.tasks
    assert task.action == "wait-and-check"
    return task.doubts


def test_a_burst_ends_with_no_hour_and_needs_no_time(summary_of: Any) -> None:
    gone = [*gmail(7, 0, 9), *gmail(8, 0, 9)]
    assert doubts(summary_of(*gone)) == {"burst": 18}
    assert actions(summary_of(*gmail(7, 0, 9), *gmail(9, 0, 9))) == [("remove-address", 18)]
    assert doubts(summary_of(*(text.partition(" mx1 ")[2] for text in gone))) == {"burst": 18}
    disabled = GONE.replace("550-5.1.1", "550-5.2.1").replace("550 5.1.1", "550 5.2.1").replace("does not exist", "is disabled")
    assert doubts(summary_of(*(text.replace(GONE, disabled).replace("dsn=5.1.1", "dsn=5.2.1") for text in gone))) == {"burst": 18}


def test_a_burst_behind_a_smart_host_is_known_by_the_providers_domain(knowledge: Knowledge) -> None:
    relay = "smarthost.example.org[192.0.2.1]:25"
    log = [
        line(f"08:{n}:00", f"A{n}B2C3D4E5", f"u{n}@gmail.com", "bounced", said("550 5.1.1 User unknown"), relay=relay)
        for n in range(10, 30)
    ]
    summary = summarise(classify_text("\n".join(log), knowledge), providers=frozenset({"gmail.com"}))
    assert doubts(summary) == {"burst": 20}


def test_an_id_that_is_used_again_does_not_hide_a_delivery(summary_of: Any) -> None:
    sent = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "sent", "250 2.0.0 Ok")
    bounced = line("09:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN)
    for order in ((sent, bounced), (bounced, sent)):
        assert doubts(summary_of(*order)) == {"delivered-too": 1}


@pytest.mark.parametrize("status", ["deferred", "undeliverable"])
def test_what_has_not_bounced_removes_nobody(summary_of: Any, status: str) -> None:
    """Postfix's `soft_bounce` keeps in the queue what is refused for good; an address that is only verified is sent nothing."""
    assert doubts(summary_of(line("08:00:00", "A1B2C3D4E5", "bob@example.net", status, UNKNOWN, dsn="5.1.1"))) == {"not-bounced": 1}


def not_found(number: int, domain: str) -> str:
    text = f"Host or domain name not found. Name service error for name={domain} type=A: Host not found"
    return line(f"08:{number:02}:00", f"E{number:02}B2C3D4E5", f"u{number}@{domain}", "bounced", text, dsn="5.4.4", relay="none")


def test_a_domain_that_works_is_not_missing(summary_of: Any, knowledge: Knowledge) -> None:
    delivered = line("07:00:00", "A1B2C3D4E5", "eve@example.net", "sent", OK)
    assert doubts(summary_of(not_found(1, "example.net"), delivered)) == {"domain-works": 1}
    assert doubts(summarise(classify_text(not_found(1, "gmail.com"), knowledge), providers=frozenset({"gmail.com"}))) == {"domain-works": 1}
    assert actions(summary_of(not_found(1, "example.net"))) == [("remove-address", 1)]


def test_a_smart_host_that_answers_does_not_make_a_domain_work(summary_of: Any) -> None:
    text = "host gmail-smtp-in.l.google.com[192.0.2.25] said: 550 5.1.2 We weren't able to find the recipient domain. x - gsmtp"
    bounced = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", text, relay=GOOGLE)
    assert actions(summary_of(bounced)) == [("remove-address", 1)]


def test_many_domains_that_are_not_found_at_once_are_a_fault_of_the_resolver(summary_of: Any) -> None:
    assert doubts(summary_of(*(not_found(n, f"d{n}.example") for n in range(20)))) == {"lookup-fails": 20}
    sent = [line(f"08:{n:02}:00", f"A{n:02}B2C3D4E5", f"u{n}@example.com", "sent", OK) for n in range(40)]
    assert actions(summary_of(*sent, *(not_found(n, f"d{n}.example") for n in range(10)))) == [("remove-address", 10)]


@pytest.mark.parametrize("recipient", ["bob", "bob@example.net,eve@example.net"])
def test_what_is_no_address_is_not_removed(summary_of: Any, recipient: str) -> None:
    tasks = summary_of(line("08:00:00", "A1B2C3D4E5", recipient, "bounced", UNKNOWN)).tasks
    assert [(task.action, task.addresses) for task in tasks] == [("wait-and-check", {})]


def test_an_alias_bounces_once_for_the_address_behind_it(summary_of: Any) -> None:
    bounced = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN)
    summary = summary_of(bounced, bounced.replace("relay=", "orig_to=<sales@example.org>, relay="))
    assert [(task.messages, task.addresses) for task in summary.tasks] == [(1, {"bob@example.net": 1})]


def test_a_log_may_begin_in_the_middle(summary_of: Any) -> None:
    summary = summary_of(
        "Oct  1 08:00:00 mx1 postfix/qmgr[1]: F1B2C3D4E5: removed",
        "Oct  1 08:00:01 mx1 postfix/bounce[2]: F2B2C3D4E5: sender non-delivery notification: F3B2C3D4E5",
        line("08:00:02", "A1B2C3D4E5", "bob@example.net", "bounced", UNKNOWN),
    )
    assert (summary.all.senders, actions(summary)) == ({"none": 1}, [("remove-address", 1)])


def test_who_complains_is_no_dead_address(summary_of: Any) -> None:
    event = {"event": "spamreport", "email": "bob@example.net", "timestamp": 1700000000, "sg_event_id": "x", "sg_message_id": "m1"}
    summary = summary_of(json.dumps([event]))
    assert [(task.action, task.messages, task.addresses) for task in summary.tasks] == [("unsubscribe", 1, {})]


def test_the_first_screen_of_a_queue_says_what_is_stuck_and_why(run: Run) -> None:
    queues = [str(path) for path in SAMPLES if path.parent.name == "queue"]
    assert queues
    for path in queues:
        printed = run("classify", "--summary", "-f", "rich", path, env={"COLUMNS": "100", "NO_COLOR": "1"}).stdout.splitlines()
        assert printed[0].startswith(" Still stuck: ")
        assert len(printed) < 50


@pytest.fixture(scope="module")
def much(knowledge: Knowledge) -> Summary:
    """A summary with something to do of nearly every kind."""
    account = LineAccount()
    errors: list[SmtprefError] = []
    survey = Survey([str(path) for path in SAMPLES if path.parent.name in ("postfix", "exim", "ses")], errors)
    found = summarise(classified_of(survey, knowledge, account))
    assert errors == []
    assert len(found.tasks) > 8
    return found._replace(lines=account.counts, not_understood=account.shapes)


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 50), (100, 40), (120, 50), (200, 100)])
def test_a_report_of_much_fits_on_the_screen_that_there_is(
    much: Summary, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, width: int, height: int, language: Language
) -> None:
    """The answer is the first line, and not a line of it has scrolled away."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", str(height))
    stream = io.StringIO()
    write_summary(much, Output(stream, stream, Format.RICH, language, knowledge))
    shown = stream.getvalue().splitlines()
    assert shown[0].startswith({"en": " Still stuck: ", "vi": " Còn kẹt: "}[language])
    assert len(shown) <= height - 2
    assert max(map(len, shown)) <= width
    # What is left out is said to be.
    assert any("--format plain" in text for text in shown) == (height < 30)
    # What to do is given up last: on a usual screen there is a line for everything.
    if height >= 50:
        doing = sum(not task.is_waiting or task.action == "wait-and-check" for task in much.tasks)
        assert sum(bool(re.match(r" {1,2}\d+ ", text)) for text in shown) >= doing


def test_reply_codes_are_not_called_enhanced_ones(run: Run) -> None:
    log = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", said("550 no such user here")).replace(" dsn=5.0.0,", "")
    shown = run("classify", "--summary", "-f", "rich", stdin=log, env={"COLUMNS": "120", "NO_COLOR": "1"}).stdout
    assert ("Reply codes" in shown, "Enhanced codes" in shown) == (True, False)


def test_the_words_that_decided_are_in_sight_on_a_narrow_screen(run: Run) -> None:
    long = said("550 5.1.1 The long story of this mailbox, which was once somebody's and served well for years, ends here: user unknown")
    log = line("08:00:00", "A1B2C3D4E5", "bob@example.net", "bounced", long)
    shown = run("classify", "--summary", "-f", "rich", stdin=log, env={"COLUMNS": "80", "NO_COLOR": "1"}).stdout.splitlines()
    (quote,) = (text for text in shown if text.startswith("    550 5.1.1 …"))
    assert "user unknown" in quote


# Several files


ROTATED = [
    sender("23:59:00", "A1B2C3D4E5", "news@example.org"),
    line("23:59:10", "A1B2C3D4E5", "bob@example.net", "deferred", GREY),
    sender("23:59:30", "B1B2C3D4E5", "shop@example.org"),
    "Oct  1 23:59:40 mx1 postfix/smtp[3]: C1B2C3D4E5: host mx.example.net[192.0.2.25] said: 421 4.3.2 Service not available (in reply to EHLO command)",
    line("00:00:01", "B1B2C3D4E5", "eve@example.net", "bounced", UNKNOWN, day="Oct  2"),
    line("00:05:00", "A1B2C3D4E5", "bob@example.net", "sent", OK, day="Oct  2"),
    line("00:06:00", "C1B2C3D4E5", "ann@example.com", "sent", OK, day="Oct  2"),
    REFUSED.replace("Oct  1 08:00:00", "Oct  2 08:00:00"),
    "Oct  3 08:00:00 mx1 postfix/qmgr[9]: A9B2C3D4E5: from=<late@example.org>, status=expired, returned to sender",
]


def test_rotated_files_in_any_order_give_what_one_file_gives(tmp_path: Path, knowledge: Knowledge) -> None:
    def read(*contents: list[str]) -> dict[str, Any]:
        paths = []
        for lines in contents:
            path = tmp_path / f"{ROTATED.index(lines[0])}-{len(lines)}.log"
            path.write_text("".join(f"{text}\n" for text in lines))
            paths.append(str(path))
        account = LineAccount()
        summary = summarise(classified_of(Survey(paths, [], 2026), knowledge, account))
        return summary._replace(lines=account.counts).to_dict()

    whole = read(ROTATED)
    for first, second in ((2, 5), (3, 4), (4, 8)):
        for order in itertools.permutations((ROTATED[:first], ROTATED[first:second], ROTATED[second:])):
            assert read(*order) == whole
    assert whole["senders"] == {"late@example.org": 1, "news@example.org": 1, "none": 1, "shop@example.org": 1, "spam@example.edu": 1}


def test_compressed_files_are_read_with_the_others(run: Run, tmp_path: Path) -> None:
    text = [f"{entry}\n".encode() for entry in ROTATED]
    (tmp_path / "mail.log").write_bytes(b"".join(text[6:]))
    (tmp_path / "mail.log.1.bz2").write_bytes(bz2.compress(b"".join(text[3:6])))
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(b"".join(text[:3])))
    (tmp_path / "all.log").write_bytes(b"".join(text))
    names = ["mail.log", "mail.log.1.bz2", "mail.log.2.gz"]

    def read(*paths: str) -> Any:
        return json.loads(run("classify", "--summary", "-f", "json", "--year", "2026", *(str(tmp_path / path) for path in paths)).stdout)

    assert read(*names) == read(*reversed(names)) == read("all.log")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_looked_into_beforehand(tmp_path: Path, knowledge: Knowledge) -> None:
    pipe, log = tmp_path / "pipe", tmp_path / "mail.log"
    os.mkfifo(pipe)
    log.write_text(f"{ROTATED[1]}\n")
    survey = Survey([str(pipe), str(log)], [], 2026)
    writer = threading.Thread(target=pipe.write_text, args=(f"{ROTATED[4]}\n",))
    writer.start()
    summary = summarise(classified_of(survey, knowledge, LineAccount()))
    writer.join()
    assert summary.all.outcomes == {"bounced": 1, "deferred": 1}


def test_a_file_that_cannot_be_read_costs_only_itself(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(f"{ROTATED[1]}\n")
    result = run("classify", "--summary", "-f", "json", str(tmp_path / "none.log"), str(path), status=2)
    assert json.loads(result.stdout)["records"] == 1
    assert result.stderr.startswith("smtpref: cannot read")


# Lines


def test_every_line_is_accounted_for(report: Any) -> None:
    doubtful = "Oct  1 09:40:00 mx1 postfix/ourpolicy[7]: delivery refused by table, code 554 5.7.9"
    found = report("\n".join([*ROTATED, doubtful, "", "nothing of interest"]))
    assert found["lines"] == {"read": 12, "in_records": 6, "without_outcome": 6, "not_understood": 1}


def test_a_line_is_counted_once_however_many_records_it_gives(report: Any) -> None:
    queue = {
        "queue_name": "deferred", "queue_id": "4JgyGN3kgGzMCn", "arrival_time": 1700000000, "message_size": 1, "sender": "a@example.org",
        "recipients": [{"address": f"u{n}@example.net", "delay_reason": "connect to x[192.0.2.1]:25: timed out"} for n in range(3)],
    }  # fmt: skip
    found = report(json.dumps(queue, indent=1))
    size = json.dumps(queue, indent=1).count("\n") + 1
    assert (found["records"], found["lines"]["read"], found["lines"]["in_records"]) == (3, size, size)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_laws_hold_for_every_sample(path: Path, knowledge: Knowledge) -> None:
    account = LineAccount()
    content = path.read_bytes()
    survey = Survey([str(path)], [], 2026)
    summary = summarise(classified_of(survey, knowledge, account))._replace(lines=account.counts)
    found = summary.to_dict()
    lines = found["lines"]
    assert lines["read"] == sum(1 for _ in lines_of(content))
    assert lines["read"] == lines["in_records"] + lines["without_outcome"]
    assert 0 <= lines["not_understood"] <= lines["without_outcome"]
    assert lines["in_records"] > 0 or not found["records"]
    messages = sum(found["outcomes"].values())
    assert 0 < messages <= found["records"] or messages == found["records"] == 0
    outbound, inbound = found["direction"]["outbound"], found["direction"]["inbound"]
    for name in MAPS:
        values = list(found[name].values())
        if name == "hours":
            assert list(found[name]) == sorted(found[name])
            continue
        assert values == sorted(values, reverse=True)
        if name != "bounces":
            assert sum(values) == messages
            assert sum(outbound[name].values()) + sum(inbound[name].values()) <= messages
    assert found["bounces"] == outbound["bounces"]
    assert sum(found["bounces"].values()) == sum(outbound["outcomes"].values())
    assert inbound["bounces"] == {}
    assert sum(reply["records"] for reply in found["replies"]) == found["records"]
    assert sum(task["messages"] for task in found["actions"]) == summary.failures
    for task in found["actions"]:
        assert task["messages"] == sum(task["domains"].values()) == sum(task["senders"].values()) == sum(task["reasons"].values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postfix/x[1]: delivery refused, code 554 5.7.9", True),
        ("someserver: status=failed: mailbox not existing", True),
        ("Oct  1 postfix/smtpd[1]: disconnect from x[192.0.2.1] ehlo=1 rcpt=0/1 commands=3/4", False),
        ("NOQUEUE: reject_warning: RCPT from x[192.0.2.1]: 554 5.7.1 refused", False),
        ("A1: sender non-delivery notification: 550ABC", False),
        ("GET /refused HTTP/1.1 404", False),
        ("A1: removed", False),
    ],
)
def test_what_looks_like_an_outcome(text: str, expected: bool) -> None:
    assert looks_like_outcome(text) is expected


def test_lines_that_were_not_understood_are_printed_on_request(run: Run) -> None:
    doubtful = "Oct  1 09:40:00 mx1 postfix/ourpolicy[7]: delivery refused by table for \x1bbob@example.com, code 554 5.7.9"
    text = f"{REFUSED}\n{doubtful}\n"
    assert run("classify", "--not-understood", stdin=text).stdout == f"-:2: {doubtful}\n".replace("\x1b", "\\x1b")
    assert json.loads(run("classify", "--not-understood", "-f", "json", stdin=text).stdout) == [
        {"source": "-", "line": 2, "text": doubtful}
    ]
    assert "bob@" not in run("classify", "--not-understood", "--redact", stdin=text).stdout
    nothing = run("classify", "--not-understood", stdin=REFUSED, status=1)
    assert (nothing.stdout, nothing.stderr) == ("", "smtpref: every line that looks like an outcome was understood\n")


# Against a truth that is counted while the log is written

REPLIES: dict[str, list[tuple[int | None, str, str]]] = {
    "sent": [(250, "2.0.0", "250 2.0.0 Ok: queued as {id}"), (250, "2.0.0", "250 2.0.0 OK {number} {id} - gsmtp")],
    "deferred": [
        (450, "4.2.0", "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.example/help/{domain}.html"),
        (452, "4.2.2", "452 4.2.2 <{to}>: Mailbox full"),
        (None, "4.4.1", "connect to mx.{domain}[192.0.2.7]:25: Connection timed out"),
    ],
    "bounced": [
        (550, "5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
        (554, "5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.{n}] blocked using zen.spamhaus.org"),
        (552, "5.3.4", "552 5.3.4 Message size exceeds fixed limit"),
    ],
}  # fmt: skip


def written_log(seed: int, messages: int) -> tuple[list[str], dict[str, Counter[str]]]:
    """A log of attempts, and what became of its messages."""
    rnd = random.Random(seed)
    truth: dict[str, Counter[str]] = {
        name: Counter() for name in ("outcomes", "reply_codes", "enhanced_codes", "domains", "hours", "senders")
    }
    log = []
    for number in range(messages):
        domain = rnd.choice(["example.com", "example.net", "example.org", "example.edu"])
        to, source, queue_id = f"user{number}@{domain}", f"{rnd.choice(['news', 'shop'])}@mail.example", f"4{number:05}B2C3D4E5"
        second = rnd.randrange(20 * 3600)
        log.append((second, f"mx1 postfix/qmgr[9]: {queue_id}: from=<{source}>, size=1, nrcpt=1 (queue active)"))
        for attempt in range(rnd.choice([1, 1, 1, 2, 3])):
            status = rnd.choice(["sent", "deferred", "bounced"])
            code, enhanced, text = rnd.choice(REPLIES[status])
            second += rnd.randrange(1, 900)
            text = text.format(
                to=to, domain=domain, id=f"{rnd.getrandbits(40):X}", number=rnd.randrange(10**9, 2 * 10**9), n=rnd.randrange(200)
            )
            info = text if status == "sent" or code is None else said(text)
            entry = line("TIME", queue_id, to, status, info, dsn=enhanced, day="DAY").replace("DAY TIME ", "")
            log.append((second, entry))
            last = (code, enhanced, status)
            if status != "deferred":
                break
            assert attempt < 3
        code, enhanced, status = last
        truth["outcomes"][{"sent": "delivered"}.get(status, status)] += 1
        truth["reply_codes"][str(code or "none")] += 1
        truth["enhanced_codes"][enhanced] += 1
        truth["domains"][domain] += 1
        truth["senders"][source] += 1
        truth["hours"][f"2026-10-01T{second // 3600:02}"] += 1
    log.sort(key=lambda entry: entry[0])
    return [f"Oct  1 {at // 3600:02}:{at // 60 % 60:02}:{at % 60:02} {text}" for at, text in log], truth


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_count_is_that_of_the_log(report: Any, seed: int) -> None:
    log, truth = written_log(seed, 400)
    found = report("\n".join(log))
    assert {name: found[name] for name in truth} == {name: dict(counts) for name, counts in truth.items()}
    assert found["lines"]["read"] == len(log)
    assert found["lines"]["in_records"] == found["records"] == sum("status=" in entry for entry in log)
    assert len(found["replies"]) == sum(map(len, REPLIES.values()))


def filtered_log(messages: int) -> list[str]:
    """A log of messages that a content filter takes and gives back under another id, from which they go on."""
    log = []
    for number in range(messages):
        to, there, back = f"user{number % 90}@example.net", f"4{number:05}B2C3D4E5", f"5{number:05}B2C3D4E5"
        handed = f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {back}"
        at, later = 40 * number, 40 * number + 60 + number % 7 * 30
        log.append((at, line("TIME", there, to, "sent", handed, relay="127.0.0.1[127.0.0.1]:10024")))
        log.append((later, line("TIME", back, to, *(("bounced", UNKNOWN) if number % 3 == 0 else ("sent", OK)))))
    log.sort(key=lambda entry: entry[0])
    return [entry.replace("TIME", f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}") for at, entry in log]


@pytest.mark.parametrize("log", [written_log(4, 400)[0], filtered_log(900)], ids=["attempts", "filter"])
@pytest.mark.parametrize("rows", [40, 150, 300])
def test_a_message_that_is_closed_counts_as_one_that_is_not(
    summary_of: Any, monkeypatch: pytest.MonkeyPatch, log: list[str], rows: int
) -> None:
    """Closed are those of which long nothing was said; here that is soon."""
    expected = summary_of(*log).to_dict()
    closed: list[int] = []
    add = Closed.add

    def add_and_tell(self: Closed, facts: Sequence[int], *columns: Sequence[int], reached: Iterable[int]) -> None:
        closed.append(len(facts))
        add(self, facts, *columns, reached=reached)

    monkeypatch.setattr(summary_module, "BATCH", 1)
    monkeypatch.setattr(messages, "FEW_ROWS", rows)
    monkeypatch.setattr(messages, "NEW_ROWS", rows // 2)
    monkeypatch.setattr(Closed, "add", add_and_tell)
    assert summary_of(*log).to_dict() == expected
    assert sum(closed) > 50


# Formats


def test_json_has_the_keys_of_the_contract(report: Any) -> None:
    found = report("\n".join(ROTATED))
    assert list(found) == KEYS
    assert list(found["lines"]) == ["read", "in_records", "without_outcome", "not_understood"]
    assert [list(maps) for maps in found["direction"].values()] == [list(MAPS)] * 2
    assert list(found["direction"]) == ["inbound", "outbound"]
    assert {tuple(reply) for reply in found["replies"]} == {("shape", "records", "reason", "example")}
    for task in found["actions"]:
        assert list(task) == [*ACTION_KEYS, *(["addresses"] if task["action"] == "remove-address" else [])]


def test_jsonl_is_the_same_on_one_line(run: Run) -> None:
    text = "\n".join(ROTATED)
    (one,) = run("classify", "--summary", "-f", "jsonl", "--year", "2026", stdin=text).stdout.splitlines()
    assert json.loads(one) == json.loads(run("classify", "--summary", "-f", "json", "--year", "2026", stdin=text).stdout)


def test_csv_has_a_row_for_every_count(run: Run) -> None:
    text = "\n".join(ROTATED)
    rows = list(csv.DictReader(io.StringIO(run("classify", "--summary", "-f", "csv", "--year", "2026", stdin=text).stdout)))
    found = json.loads(run("classify", "--summary", "-f", "json", "--year", "2026", stdin=text).stdout)
    assert list(rows[0]) == ["section", "key", "count"]
    for name in MAPS:
        assert {row["key"]: int(row["count"]) for row in rows if row["section"] == name} == found[name]
    assert [row["key"] for row in rows if row["section"] == "remove-address"] == ["eve@example.net"]


SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>-?\d+(?:\.\d+)?(?:e[+-]\d+)?)")
LABEL = re.compile(r'(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?P<value>(?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')


def exposed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples of a text in Prometheus' exposition format, read as strictly as the format is written."""
    assert text.endswith("\n")
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    helps: list[str] = []
    types: list[str] = []
    for row in text[:-1].split("\n"):
        if row.startswith("# "):
            _, kind, name, rest = row.split(" ", 3)
            assert kind in ("HELP", "TYPE")
            # HELP, TYPE, then the samples of one metric, all together.
            (helps if kind == "HELP" else types).append(name)
            assert rest == "gauge" if kind == "TYPE" else not re.search(r"\\(?![\\n])", rest)
            continue
        sample = SAMPLE.fullmatch(row)
        assert sample, row
        assert helps[-1] == types[-1] == sample["name"]
        labels, rest = [], sample["labels"] or ""
        while rest:
            label = LABEL.match(rest)
            assert label, row
            labels.append((label["name"], label["value"]))
            rest = rest[label.end() :]
        assert len({name for name, _ in labels}) == len(labels)
        key = (sample["name"], tuple(sorted(labels)))
        assert key not in found
        found[key] = float(sample["value"])
    assert helps == types
    assert len(set(helps)) == len(helps)
    return found


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_prometheus_reads_the_metrics_of_every_sample(path: Path, knowledge: Knowledge) -> None:
    account = LineAccount()
    summary = summarise(classified_of(Survey([str(path)], []), knowledge, account))._replace(lines=account.counts)
    text = "".join(prometheus_text(summary))
    found = exposed(text)
    assert "@" not in text
    assert sum(value for (name, _), value in found.items() if name == "smtpref_messages") == summary.messages
    assert {name for (metric, labels) in found if metric == "smtpref_messages" for name, _ in labels} <= {*Series._fields}


def test_a_label_of_prometheus_is_escaped(much: Summary) -> None:
    odd = Series("outbound", "deferred", 'a"b', "soft", "c\\d\ne")
    found = exposed("".join(prometheus_text(much._replace(series={odd: 1}, stuck=much.stuck._replace(reasons={'a"b': 1})))))
    (labels,) = [dict(labels) for name, labels in found if name == "smtpref_messages"]
    assert labels["reason"] == 'a\\"b'
    assert labels["provider"].startswith("c\\\\d")


def test_prometheus_text_has_help_and_type_and_never_an_address(run: Run) -> None:
    printed = run("classify", "--summary", "-f", "prometheus", "--year", "2026", str(TESTS / "cases" / "summary.log")).stdout
    lines = printed.splitlines()
    assert [text for text in lines if not text.startswith("# ") and not SAMPLE.fullmatch(text)] == []
    names = {text.split("{")[0].split()[0] for text in lines if not text.startswith("#")}
    for kind in ("HELP", "TYPE"):
        assert [text.split()[2] for text in lines if text.startswith(f"# {kind} ")] == sorted(set(names), key=printed.index)
    assert re.findall(r"\S+@\S+|\d+\.\d+\.\d+\.\d+", printed) == []
    counted = sum(int(text.rpartition(" ")[2]) for text in lines if text.startswith("smtpref_messages{"))
    found = json.loads(run("classify", "--summary", "-f", "json", "--year", "2026", str(TESTS / "cases" / "summary.log")).stdout)
    assert counted == sum(found["outcomes"].values())
    assert 'direction="inbound",outcome="rejected",reason="relay-denied",bounce="none"' in printed


@pytest.mark.parametrize("form", [Format.HTML, Format.PROMETHEUS])
def test_some_formats_are_those_of_summaries_only(run: Run, form: str) -> None:
    result = run("classify", "-f", form, stdin=REFUSED, status=2)
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == f"smtpref: {form} is a format of summaries only"
    assert run("explain", "550", "-f", form, status=2).stderr.startswith("smtpref: invalid value")


@pytest.mark.parametrize("form", Format)
def test_no_control_character_of_the_input_is_alive_in_a_summary(run: Run, form: str) -> None:
    odd = "\x1b[31m\x07\x9b\u202e<script>alert(1)</script>[b]"
    bad = line("08:00:00", "A1B2C3D4E5", f"bob{odd}@example{odd}.net", "bounced", said(f"550 5.1.1 User unknown {odd}"))
    text = "\n".join((sender("07:00:00", "A1B2C3D4E5", f"a{odd}@b{odd}"), bad, f"postfix/x[1]: refused, code 554 5.7.9 {odd}"))
    for lang in ("en", "vi"):
        printed = run("classify", "--summary", "-f", form, "--lang", lang, stdin=text).stdout
        assert [character for character in printed if character in "\x1b\x07\x9b\u202e"] == []
    if form == Format.HTML:
        assert "<script>alert" not in printed


@pytest.mark.parametrize("form", [*Format])
def test_no_address_is_left_in_a_redacted_summary(run: Run, form: str) -> None:
    printed = run("classify", "--summary", "--redact", "-f", form, "--year", "2026", str(TESTS / "cases" / "summary.log")).stdout
    assert re.findall(r"[\w.+-]+@(?:\w+\.)*(?:example\.\w+|gmail\.com)|198\.51\.100\.\d+|203\.0\.113\.\d+|192\.0\.2\.\d+", printed) == []


def test_a_summary_of_nothing_says_so(run: Run) -> None:
    result = run("classify", "--summary", stdin="nothing of interest\n", status=1)
    assert (result.stdout, result.stderr) == ("", "smtpref: nothing in the input looks like a reply or a delivery outcome\n")


def test_filters_come_before_the_summary(run: Run) -> None:
    text = "\n".join(ROTATED)
    printed = run("classify", "--summary", "-f", "json", "--direction", "inbound", stdin=text).stdout
    found = json.loads(printed)
    assert (found["records"], found["outcomes"]) == (1, {"rejected": 1})
    assert found["lines"]["in_records"] == 6


# Shapes


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Ok: queued as 9E0443E949", "Ok: queued as {id}"),
        ("OK 1700000000 d9443c01a7336-1cf2a1b2c3dsi1234567plb.12 - gsmtp", "OK {id} - gsmtp"),
        ("<bob@example.com>: Recipient address rejected: Greylisted for 5 minutes", "<{address}>: Recipient address rejected: Greylisted for {n} minutes"),
        ("Client host [192.0.2.9] blocked using zen.spamhaus.org; https://x.example/q", "Client host [{ip}] blocked using zen.spamhaus.org; {url}"),
        ("messages over IPv6 [2001:db8:1f::9] unless signed (S3140)", "messages over IPv6 [{ip}] unless signed (S3140)"),
        ("come back in 00:05:00", "come back in {time}"),
        ("connect to mx.example.net[192.0.2.1]:25: Connection refused", "connect to {host}[{ip}]:{n}: Connection refused"),
        ("(#5.1.1) SMTPSEND.BareLinefeedsAreIllegal; [TSS04]", "(#5.1.1) SMTPSEND.BareLinefeedsAreIllegal; [TSS04]"),
        ("Requested mail action okay: id=qXrcEFblaKTb", "Requested mail action okay: id={id}"),
        ("unknown user: \"bob\"", "unknown user: \"{user}\""),
        ("<WIN-EQDXFJMNBVH>: Helo command rejected", "<{name}>: Helo command rejected"),
        ("gone, gone, {gone}", "gone, gone, {gone}"),
    ],
)  # fmt: skip
def test_what_varies_is_masked(text: str, shape: str) -> None:
    assert shape_of(text, "bob@example.com", frozenset({"zen.spamhaus.org"})) == shape


@pytest.mark.parametrize(
    ("address", "shape"),
    [
        ("bob@example.com", "bob@example.com"),
        ("bounce+1f3-bob=example.net@News.example.com", "bounce+{id}@news.example.com"),
        ("SRS0=ab12=TT=example.net=bob@fwd.example", "SRS0={id}@fwd.example"),
        ("prvs=0123456789=bob@example.com", "bob@example.com"),
        ("0102018b-1c2d3e4f-aaaabbbb-000000@amazonses.com", "{id}@amazonses.com"),
        ("bob+news@example.com", "bob+news@example.com"),
        ("root", "root"),
    ],
)
def test_a_sender_is_one_whatever_it_makes_up_for_each_message(address: str, shape: str) -> None:
    assert sender_shape(address) == shape


def test_replies_stay_in_the_hundreds(summary_of: Any) -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "kappa", "lambda", "sigma"]
    texts = [f"550 5.7.1 refused {' '.join(choice)}" for choice in itertools.permutations(words, 3)]
    summary = summary_of(*(line("08:00:00", f"A{n:04}B2C3D4E5", "bob@example.net", "bounced", said(text)) for n, text in enumerate(texts)))
    assert len(summary.replies) == MAX_REPLIES + 1
    assert summary.replies[-1].shape == "…"
    assert sum(reply.records for reply in summary.replies) == len(texts)


def test_too_many_names_are_folded_whatever_their_order() -> None:
    names = [f"user{n}@host{n % 7}.example" for n in range(60)]
    for order in (names, names[::-1]):
        numbers = Names(20, lambda name: name.partition("@")[2])
        found = Counter(numbers[number] for number in [numbers.number(name) for name in order])
        assert found == Counter(name.partition("@")[2] for name in names)


@pytest.mark.parametrize(
    "time",
    [
        "2026-10-01T08:00:00",
        "2026-10-01T08:00:00.123+02:00",
        "1969-12-31T23:59:59.000001-05:30",
        "9999-12-31T23:30:00-11:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_time_comes_back_as_it_was(time: str) -> None:
    assert time_text(*instant(time)) == time


@pytest.mark.parametrize("form", [Format.JSON, Format.RICH, Format.HTML, Format.PROMETHEUS])
@pytest.mark.parametrize("time", ["9999-12-31T23:30:00-11:00", "0001-01-01T00:00:00+14:00"])
def test_the_calendar_has_ends(run: Run, time: str, form: Format) -> None:
    log = line("", "A1B2C3D4E5", "bob@gmail.com", "deferred", said("550 5.1.1 User unknown"), relay=GOOGLE).partition("  mx1")[2]
    run("classify", "--summary", "-f", form.value, stdin=f"{time} mx1{log}\n")


def test_hours_without_mail_are_shown_too() -> None:
    assert even({"2026-10-01T22": 3, "2026-10-02T01": 1}) == {
        "2026-10-01 22h": 3,
        "2026-10-01 23h": 0,
        "2026-10-02 00h": 0,
        "2026-10-02 01h": 1,
    }
    assert even({"2026-10-01T22": 3, "2026-10-12T01": 1})["2026-10-05"] == 0
    assert list(even({"2025-10-01T22": 3, "2026-10-12T01": 1}))[:2] == ["2025-10", "2025-11"]
    assert even({}) == {}


# Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_a_terminal_and_wiped_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("smtpref.render.progress.FIRST_AFTER", 0.0)
    screen, file = Screen(), io.StringIO()
    for stream, expected in ((screen, "\r\x1b[Ksmtpref: 50 % of 20 MB read ▕██████████          ▏\r\x1b[K"), (file, "")):
        progress = Progress(stream, 20_000_000, "en")
        progress.advance(10_000_000)
        progress.close()
        assert stream.getvalue() == expected
    unknown = Progress(screen, None, "en")
    unknown.advance(1)
    assert "of 0 MB" not in screen.getvalue()


def test_sizes_are_those_of_what_is_read(tmp_path: Path) -> None:
    content = b"Oct  1 08:00:00 mx1 nothing\n" * 1000
    for name, data in (("a.log", content), ("a.log.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(data)
        assert size_of(str(tmp_path / name)) == len(content)
    assert size_of(str(tmp_path / "none")) == 0
