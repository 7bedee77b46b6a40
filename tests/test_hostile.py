"""What a spammer, a broken disk or an impatient user may do to `classify`: a bounded answer, whole lines, and no traceback."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smtpref.parallel import WORTHWHILE

from .conftest import Run, environment

MAX_MEMORY = 150 << 20
LAST = b"550 5.1.1 User unknown\n"
DELIVERY = (
    "Oct  1 10:00:00 mx1 postfix/smtp[9]: {:010X}: to=<bob@example.com>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=5.1.1, "
    "status=bounced (host mx[192.0.2.1] said: 550 5.1.1 <bob@example.com>: User unknown (in reply to RCPT TO command))\n"
)


def nested_parts() -> bytes:
    levels = "".join(f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n" for level in range(3000))
    return f"From: MAILER-DAEMON\nSubject: failure\nMIME-Version: 1.0\n{levels}Content-Type: text/plain\n\nx\n".encode()


def many_recipients() -> bytes:
    head = (
        "From: MAILER-DAEMON@example.com\nTo: a@example.com\nSubject: Undelivered\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.com\n\n"
    )
    blocks = "".join(f"Final-Recipient: rfc822; user{number}@example.com\nAction: failed\nStatus: 5.1.1\n\n" for number in range(12_000))
    return f"{head}{blocks}--b--\n".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "one-endless-line": lambda: b"Oct  1 10:00:00 mx1 postfix/smtp[9]: 4F1A2B3C4D: to=<" + b"a" * 30_000_000 + b"\n" + LAST,
    "nothing-but-nul": lambda: bytes(20_000_000) + b"\n" + LAST,
    "line-ends": lambda: b"\r\n" * 100_000 + LAST,
    "parts-in-parts": nested_parts,
    "messages-in-messages": lambda: b"From: MAILER-DAEMON\nSubject: failure\n" + b"Content-Type: message/rfc822\n\n" * 3000 + LAST,
    "lists-in-lists": lambda: b"[" * 300_000 + b"\n" + LAST,
    "objects-in-objects": lambda: b'{"event":' * 100_000 + b"\n" + LAST,
    "a-million-brackets": lambda: b"(((<<<[[[" * 100_000 + b"\n" + LAST,
    "recipients-without-end": many_recipients,
    "codes-without-end": lambda: b"550 5.1.1 550-5.1.1 said: 550 " * 50_000 + b"\n" + LAST,
    "addresses-without-end": lambda: b"550 5.1.1 " + b"<a@b.c> a@b " * 50_000 + b"\n" + LAST,
}


def run_bounded(arguments: list[str]) -> tuple[subprocess.CompletedProcess[bytes], int]:
    """A run, and the most memory that it took, in bytes."""
    measured = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'smtpref', *sys.argv[1:]], timeout=50)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
        "sys.exit(done.returncode)\n"
    )
    done = subprocess.run([sys.executable, "-c", measured, *arguments], capture_output=True, env=environment(), timeout=60, check=False)
    taken = int(done.stderr.split()[-1])
    return done, taken if sys.platform == "darwin" else taken * 1024


@pytest.mark.skipif(os.name != "posix", reason="memory is measured by POSIX means")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_input_is_read_in_bounded_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(HOSTILE[name]())
    done, memory = run_bounded(["classify", "--format", "jsonl", str(path)])
    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr
    assert memory < MAX_MEMORY
    assert all(json.loads(line)["source"] == str(path) for line in done.stdout.splitlines())


@pytest.mark.skipif(os.name != "posix", reason="memory is measured by POSIX means")
def test_a_bomb_is_unpacked_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "mail.log.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(100):
            file.write(bytes(1 << 20))
        file.write(b"\n" + LAST)
    assert path.stat().st_size < 1 << 20
    done, memory = run_bounded(["classify", "--format", "plain", str(path)])
    assert (done.returncode, done.stdout.count(b"User unknown")) == (0, 1)
    assert memory < MAX_MEMORY


def long_message() -> bytes:
    return (
        many_recipients().partition(b"Final-Recipient: rfc822; user1@")[0]
        + b"\n--b\nContent-Type: text/plain\n\n"
        + b"x\n" * 60_000
        + b"--b--\n"
    )


CUT: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "line": (lambda: LAST + b"x" * 2_000_000 + b"\n" + LAST, 2, "2: a line is longer than 1 MiB"),
    "message": (long_message, 1, "1: a message is larger than 4 MiB or has more than 50,000 lines"),
    "recipients": (many_recipients, 10_000, "1: a bounce message tells of more than 10,000 recipients"),
}


@pytest.mark.parametrize("options", [["--format", "jsonl"], ["--format", "json"], ["--summary", "--format", "json"]], ids=" ".join)
@pytest.mark.parametrize("what", CUT)
def test_it_is_said_what_was_cut(what: str, options: list[str], tmp_path: Path, run: Run) -> None:
    make, records, said = CUT[what]
    path = tmp_path / "input"
    path.write_bytes(make())
    result = run("classify", *options, str(path))
    assert result.stderr.startswith(f"smtpref: {path}:{said}")
    assert result.stderr.count("\n") == 1
    found = json.loads(result.stdout)["records"] if "--summary" in options else result.stdout.count('"line":')
    assert found == records


def test_logs_that_are_read_as_one_are_named_each(tmp_path: Path, run: Run) -> None:
    paths = [tmp_path / name for name in ("a.log", "b.log")]
    for path in paths:
        path.write_bytes(DELIVERY.format(1).encode() + b"z" * 2_000_000 + b"\n")
    result = run("classify", "--summary", "--format", "json", *map(str, paths))
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == [str(path) for path in paths]


@pytest.mark.skipif(os.name != "posix", reason="named pipes and links are made by POSIX means")
def test_a_named_pipe_is_read_and_a_link_to_itself_is_named(tmp_path: Path, run: Run) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    writer = subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'wb').write({LAST!r})"])
    result = run("classify", "--format", "plain", str(pipe), str(loop), status=2)
    writer.wait(timeout=10)
    assert "user-unknown" in result.stdout
    assert result.stderr.count("\n") == 1
    assert str(loop) in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="interrupted by a signal")
@pytest.mark.parametrize("size", [1 << 21, WORTHWHILE + 1], ids=["one-process", "several"])
def test_an_interrupted_run_leaves_whole_lines(size: int, tmp_path: Path) -> None:
    log, output = tmp_path / "mail.log", tmp_path / "out.jsonl"
    lines = size // len(DELIVERY.format(0))
    log.write_text("".join(map(DELIVERY.format, range(lines))))
    with output.open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "smtpref", "classify", "--format", "jsonl", str(log)],
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        end = time.monotonic() + 30
        while not output.stat().st_size and time.monotonic() < end:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=20)
    written = output.read_bytes()
    assert running.returncode in (130, 0)
    assert errors == b""
    assert written.endswith(b"\n")
    assert all(json.loads(line)["reason"] == "user-unknown" for line in written.splitlines())
