"""Lines that are passed over, and inputs that several read: the records are those that one gives who reads every line."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpref import beside, parallel, report
from smtpref.beside import work_beside
from smtpref.cli import app
from smtpref.errors import PassedOver, SmtprefError
from smtpref.knowledge import Knowledge
from smtpref.model import Classified, Record
from smtpref.parallel import Work, plan_for, write_in_parallel
from smtpref.parsing import files, recognition
from smtpref.parsing.files import open_input
from smtpref.parsing.postfix import PostfixReader
from smtpref.parsing.recognition import Share, as_record, read_records, read_share
from smtpref.render.records import record_line

from .conftest import SAMPLES

SENDER = "alice@example.com"


def log(seed: int, messages: int = 60) -> str:
    """A Postfix log as a busy server writes it: its messages' lines run into one another, and other programs write between them."""
    chance = random.Random(seed)
    lines: list[tuple[float, str]] = []
    for _ in range(messages):
        start = chance.random() * 100
        queue_id = f"{chance.randrange(16**10):010X}"
        recipient = f"user{chance.randrange(9)}@example.{chance.choice(('com', 'net'))}"
        lines.append((start, f"postfix/smtpd[7]: {queue_id}: client=app[192.0.2.{chance.randrange(9)}]"))
        lines.append((start + 1, f"postfix/qmgr[8]: {queue_id}: from=<{SENDER}>, size=99, nrcpt=1 (queue active)"))
        for attempt in range(chance.randrange(1, 4)):
            status, reply = chance.choice(
                (
                    ("sent", "250 2.0.0 Ok: queued as 1234567890"),
                    ("bounced", f"host mx[192.0.2.1] said: 550 5.1.1 <{recipient}>: User unknown (in reply to RCPT TO command)"),
                    ("deferred", "host mx[192.0.2.1] said: 450 4.2.0 Greylisted (in reply to RCPT TO command)"),
                )
            )
            when = start + 2 + attempt * 20
            if status == "deferred" and chance.random() < 0.3:
                lines.append((when - 0.5, f"postfix/smtp[9]: {queue_id}: host mx[192.0.2.1] said: 450 4.2.0 Greylisted"))
            items = f"to=<{recipient}>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn={reply.split()[-1] and '4.0.0'}"
            items = items.replace("4.0.0", {"sent": "2.0.0", "bounced": "5.1.1", "deferred": "4.2.0"}[status])
            lines.append((when, f"postfix/smtp[9]: {queue_id}: {items}, status={status} ({reply})"))
        if chance.random() < 0.2:
            lines.append((start + 70, f"postfix/qmgr[8]: {queue_id}: from=<{SENDER}>, status=expired, returned to sender"))
        if chance.random() < 0.8:
            lines.append((start + 80, f"postfix/qmgr[8]: {queue_id}: removed"))
        if chance.random() < 0.2:
            lines.append((start + 3, "dovecot: imap-login: Login: user=<bob>, method=PLAIN"))
        if chance.random() < 0.1:
            lines.append((start + 3, "550 5.7.1 Relaying denied"))
    return "".join(f"Oct  1 10:{int(when / 60) % 60:02}:{int(when) % 60:02} mx1 {text}\n" for when, text in sorted(lines))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mail.log"


def records(path: Path) -> list[Record]:
    return list(read_records(open_input(str(path), 2024)))


@pytest.mark.parametrize("seed", range(5))
def test_passing_over_lines_loses_nothing(path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(log(seed))
    quick = records(path)
    monkeypatch.setattr(PostfixReader, "is_of_lines", False)
    assert records(path) == quick
    assert len(quick) > 60


def shared(path: Path, readers: int, part: int) -> list[Record]:
    """The records that several readers give of one file, put together as their parts stand in it."""
    parts = max(1, -(-path.stat().st_size // part))
    shares = [read_share(open_input(str(path), 2024), Share(number, readers, 0, parts)) for number in range(readers)]

    def of_part(number: int) -> Iterator[Record]:
        for record in shares[number % readers]:
            if record is None:
                return
            yield as_record(record, str(path))
        raise AssertionError("a part has no end")

    found = [record for number in range(parts) for record in of_part(number)]
    assert [list(share) for share in shares] == [[]] * readers
    return found


@pytest.mark.parametrize("case", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_several_readers_give_what_one_gives(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = max(1, case.stat().st_size // 7)
    monkeypatch.setattr(recognition, "PART", part)
    assert shared(case, 3, part) == records(case)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), readers=st.integers(1, 5), part=st.integers(1, 9000))
def test_however_a_log_is_shared_nothing_changes(tmp_path_factory: pytest.TempPathFactory, seed: int, readers: int, part: int) -> None:
    path = tmp_path_factory.mktemp("shared") / "mail.log"
    path.write_text(log(seed, 12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognition, "PART", part)
        assert shared(path, readers, part) == records(path)


def written(paths: list[str], knowledge: Knowledge, processes: int, errors: list[SmtprefError]) -> tuple[str, int]:
    plan = plan_for(paths, processes)
    assert plan
    pieces: list[str] = []
    count = write_in_parallel(plan, Work(knowledge, None, 2024, _is_kept, record_line), pieces.append, errors)
    return "".join(pieces), count


def _is_kept(classified: Classified) -> bool:
    return classified.verdict.reason != "success"


def test_processes_write_what_one_writes(tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for number in range(3):
        paths.append(str(tmp_path / f"{number}.log"))
        Path(paths[-1]).write_text(log(number))
    monkeypatch.setattr(parallel, "WORTHWHILE", 1)
    monkeypatch.setattr(parallel, "PART", 3000)
    monkeypatch.setattr(recognition, "PART", 3000)
    errors: list[SmtprefError] = []
    one, two = (written(paths, knowledge, processes, errors) for processes in (2, 3))
    assert one == two
    assert one[1] == one[0].count("\n") > 100
    assert errors == []


def test_it_is_said_once_what_was_cut(tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTHWHILE", 1)
    for module in (parallel, recognition):
        monkeypatch.setattr(module, "PART", 3000)
    monkeypatch.setattr(files, "MAX_LINE", 5000)
    path = tmp_path / "mail.log"
    path.write_text(log(1) + "x" * 9000 + "\n" + log(2))
    for processes in (2, 3):
        errors: list[SmtprefError] = []
        written([str(path)], knowledge, processes, errors)
        (cut,) = errors
        assert isinstance(cut, PassedOver)
        assert (cut.path, cut.line, cut.what, cut.count) == (str(path), log(1).count("\n") + 1, "line", 1)


def test_a_file_that_breaks_off_leaves_the_others(tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTHWHILE", 1)
    whole, broken = tmp_path / "a.log", tmp_path / "b.log.gz"
    whole.write_text(log(1))
    broken.write_bytes(b"\x1f\x8b\x08\x00 this is no gzip")
    errors: list[SmtprefError] = []
    text, count = written([str(broken), str(whole)], knowledge, 2, errors)
    assert count == text.count("\n") > 0
    assert [str(broken) in str(error) for error in errors] == [True]


@pytest.mark.parametrize("name", ["missing.log", "-", "."])
def test_what_cannot_be_shared_is_left_to_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTHWHILE", 0)
    assert plan_for([name], 4) is None


@pytest.mark.parametrize("form", ["jsonl", "plain", "markdown"])
def test_every_format_is_the_same_from_one_core_and_from_all(
    path: Path, form: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_text(log(7))
    arguments = ["classify", "--format", form, "--year", "2024", "--bounce", "soft", str(path)]

    def run_with(processes: int) -> str:
        monkeypatch.setattr(parallel, "_cores", lambda: processes)
        with pytest.raises(SystemExit) as ended:
            app(arguments)
        assert ended.value.code == 0
        return capfd.readouterr().out

    from_one = run_with(1)
    for module in (parallel, recognition):
        monkeypatch.setattr(module, "PART", 2000)
    monkeypatch.setattr(parallel, "WORTHWHILE", 1)
    assert run_with(3) == from_one
    assert from_one.count("\n") > 20


@pytest.mark.parametrize("filters", [[], ["--bounce", "soft"]], ids=["all", "some"])
def test_a_summary_is_the_same_from_one_process_and_from_two(
    path: Path, filters: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_text("".join(map(log, range(3))) + "550 5.1.1 User unknown\n")
    monkeypatch.setattr(beside, "BATCH", 20)
    monkeypatch.setattr(report, "WORTHWHILE", 1)
    found = []
    for cores in (1, 2):
        monkeypatch.setattr(parallel, "_cores", lambda cores=cores: cores)
        with pytest.raises(SystemExit) as ended:
            app(["classify", "--summary", "--format", "json", "--year", "2024", *filters, str(path)])
        assert ended.value.code == 0
        found.append(capfd.readouterr().out)
    assert found[0] == found[1]
    assert json.loads(found[0])["records"] > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_work_beside_comes_back_in_its_order() -> None:
    taken: list[tuple[str, str]] = []
    # More than pipes hold, both ways.
    items = [str(number) * 9000 for number in range(1, 200)]
    assert work_beside(iter(items), str.upper, lambda *pair: taken.append(pair), lambda: "end") == "end"
    assert taken == [(item, item) for item in items]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_ends_leaves_nobody_waiting() -> None:
    with pytest.raises(RuntimeError, match="has ended"):
        work_beside(iter(range(1, 200)), lambda number: os._exit(3) if number > 5 else number, lambda *_: None, lambda: None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_an_error_of_work_beside_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        work_beside(iter(range(9, -1, -1)), lambda number: 1 // number, lambda *_: None, lambda: None)
