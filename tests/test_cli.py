"""Manners of the command line: exit statuses, help, errors, colour, pipes, terminals, encodings, languages and a user's own codes file."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpref import __version__
from smtpref.built import shipped_sections
from smtpref.cli import COMMANDS, main
from smtpref.codes_file import lay_over
from smtpref.codes_form import SECTIONS
from smtpref.errors import KnowledgeError

from .conftest import Result, Run, environment

PATIENCE = 30
"""Seconds after which a process that says nothing has failed; none of them needs one."""

REFUSED = "550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown"
GREYLISTED = "450 4.7.1 <amy@example.org>: Recipient address rejected: Greylisted, try again in 300 seconds"
LOGGED = (
    "2026-10-01T13:05:07+02:00 mx1 postfix/smtp[4711]: 4cXyz12345z9qkB: to=<bob@example.com>, relay=mx.example.com[192.0.2.25]:25, "
    f"delay=1.2, delays=0.1/0/0.5/0.6, dsn=5.1.1, status=bounced (host mx.example.com[192.0.2.25] said: {REFUSED} "
    "(in reply to RCPT TO command))"
)

BOX = re.compile(r"[\u2500-\u259f]")
SGR = re.compile(r"\x1b\[[\d;]*m")
HYPERLINK = "\x1b]8;"

posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes, signals and terminals of POSIX")


read_once = cache(shipped_sections)
"""The shipped knowledge, which no run changes."""


def called(
    *arguments: str, stdin: bytes = b"", status: int | None = 0, encoding: str = "utf-8", env: dict[str, str] | None = None
) -> Result:
    """Run `smtpref ARGUMENTS` in this process, with pipes of an encoding for its streams; None admits every status."""
    written, told = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        wanted = environment(**(env or {}))
        for name in os.environ.keys() - wanted.keys():
            patch.delenv(name)
        for name in wanted.keys() - {name for name in wanted if os.environ.get(name) == wanted[name]}:
            patch.setenv(name, wanted[name])
        patch.setattr("smtpref.knowledge.shipped_sections", read_once)
        patch.setattr(sys, "argv", ["smtpref", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding=encoding))
        patch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        patch.setattr(sys, "stderr", io.TextIOWrapper(told, encoding=encoding))
        ended = int(main())
        sys.stdout.flush()
        sys.stderr.flush()
        result = Result(written.getvalue().decode(encoding), told.getvalue().decode(encoding), ended)
    assert "Traceback" not in result.stderr
    assert "SMTPREF_DEBUG" not in result.stderr, result.stderr
    assert status in (None, result.status), f"status {result.status}, expected {status}\n{result.stdout}\n{result.stderr}"
    return result


@contextmanager
def running(*arguments: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """`smtpref ARGUMENTS` in a process with pipes for its streams, ended at last."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smtpref", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**env),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def shown(descriptor: int, until: bytes) -> bytes:
    """What comes out of a pipe or terminal, up to the end of a text."""
    output = b""
    while until not in output:
        assert select.select([descriptor], [], [], PATIENCE)[0], f"no {until!r} after {output!r}"
        chunk = os.read(descriptor, 65536)
        assert chunk, f"no {until!r} in {output!r}"
        output += chunk
    return output


def on_terminal(*arguments: str, stdin: bytes = b"", width: int = 100, **env: str) -> Result:
    """Run `smtpref ARGUMENTS` with a terminal for its stdout."""
    import termios  # noqa: PLC0415  (Windows has none)

    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (50, width))
    command = [sys.executable, "-m", "smtpref", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=theirs, stderr=pipe, env=environment(**{"TERM": "xterm", **env})) as process:
        os.close(theirs)
        assert process.stdin
        assert process.stderr
        process.stdin.write(stdin)
        process.stdin.close()
        output = b""
        while select.select([ours], [], [], PATIENCE)[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux's way of saying that the other end is closed
                break
            if not chunk:
                break
            output += chunk
        os.close(ours)
        told = process.stderr.read()
    return Result(output.decode().replace("\r\n", "\n"), told.decode(), process.returncode)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What a test run in the background ignores, the processes that it starts would ignore too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def hints(result: Result) -> list[str]:
    """The commands that an error's second line offers."""
    return result.stderr.splitlines()[1].removeprefix("try: ").split(", ")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(f"{LOGGED}\n")
    return path


# Exit statuses


@pytest.mark.parametrize(
    ("arguments", "stdin", "status"),
    [
        pytest.param(["explain", "550"], b"", 0, id="a code"),
        pytest.param(["explain", "599"], b"", 0, id="a code that nobody registered"),
        pytest.param(["explain", REFUSED], b"", 0, id="a whole reply"),
        pytest.param(["compare", "450", "550"], b"", 0, id="two codes"),
        pytest.param(["search", "greylist"], b"", 0, id="words that are found"),
        pytest.param(["classify"], REFUSED.encode(), 0, id="a record"),
        pytest.param(["search", "xyzzyplugh"], b"", 1, id="words that are not found"),
        pytest.param(["classify"], b"", 1, id="empty input"),
        pytest.param(["classify"], b"Dear diary,\n", 1, id="input without a record"),
        pytest.param(["explain", "hello"], b"", 2, id="no code"),
        pytest.param(["compare", "550"], b"", 2, id="one code to compare"),
        pytest.param(["explain"], b"", 2, id="nothing to explain"),
        pytest.param(["classify", "nowhere.log"], b"", 2, id="no such file"),
        pytest.param(["search", "--phase", "lunch"], b"", 2, id="a value that an option does not know"),
    ],
)
def test_exit_status_says_whether_something_was_found(arguments, stdin, status):
    called(*arguments, stdin=stdin, status=status)


def test_nothing_found_is_said_on_stderr():
    assert Result("", "smtpref: nothing in the input looks like a reply or a delivery outcome\n", 1) == called("classify", status=1)


# Help and version


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "smtpref")
def test_help_is_led_by_examples_and_readable_in_a_pipe(command):
    asked = called(*command, "--help")
    assert called(*command, "-h") == asked
    assert asked.stderr == ""
    assert BOX.findall(asked.stdout) == []
    assert "\x1b" not in asked.stdout
    headings = re.findall(r"^ *(\w+)(?::$|: \w+ .*\[OPTIONS\])", asked.stdout, re.MULTILINE)
    assert headings[:2] == ["Usage", "Examples"]
    assert headings[-1] == ("Options" if command else "Commands")


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_help_keep_their_lines_where_it_is_narrow(command):
    wide, narrow = (called(command, "--help", env={"COLUMNS": columns}).stdout for columns in ("100", "40"))
    examples = re.findall(r"^    (.*smtpref .*)$", wide, re.MULTILINE)
    assert len(examples) >= 3
    assert re.findall(r"^    (.*smtpref .*)$", narrow, re.MULTILINE) == examples


def test_help_is_not_coloured_by_force():
    assert called("--help", env={"FORCE_COLOR": "1"}) == called("--help")


def test_smtpref_alone_shows_its_help():
    alone = called(status=2)
    assert alone.stdout + alone.stderr == called("--help").stdout


def test_version_is_one_line(run: Run):
    assert run("--version") == Result(f"smtpref {__version__}\n", "", 0)


# Errors

NUMBER = "is no SMTP code: a reply code has three digits, the first from 2 to 5; an enhanced code three numbers, the first 2, 4 or 5"
WORD = "is no code, provider's code, blocklist or reason that smtpref knows"


@pytest.mark.parametrize(
    ("arguments", "line", "offered"),
    [
        pytest.param(
            ["explain", "55"],
            f"smtpref: “55” {NUMBER}",
            ["smtpref explain 550", "smtpref explain 551", "smtpref search 55"],
            id="two digits",
        ),
        pytest.param(["550"], "smtpref: “550” is no command", ["smtpref explain 550", "smtpref --help"], id="a code for a command"),
        pytest.param(["5.1.1"], "smtpref: “5.1.1” is no command", ["smtpref explain 5.1.1", "smtpref --help"], id="an enhanced code"),
        pytest.param(
            ["compare", "550"], "smtpref: compare needs two to four codes, 1 given", ["smtpref compare 450 550"], id="one code to compare"
        ),
        pytest.param(["compare"], "smtpref: compare needs two to four codes, 0 given", ["smtpref compare 450 550"], id="none to compare"),
        pytest.param(["explain"], "smtpref: explain needs a code", ["smtpref explain 550", "smtpref explain 5.7.1"], id="none to explain"),
        pytest.param(["explain", "-x", "550"], "smtpref: no such option: -x", ["smtpref explain --help"], id="unknown short option"),
        pytest.param(["--nope"], "smtpref: no such option: --nope", ["smtpref --help"], id="unknown option"),
        pytest.param(
            ["explain", "--lang", "fr", "550"],
            "smtpref: invalid value for '--lang': 'fr' is not one of 'en', 'vi'",
            ["smtpref explain --help"],
            id="unknown language",
        ),
        pytest.param(
            ["search", "--format", "xml"],
            "smtpref: invalid value for '--format' / '-f': 'xml' is not one of 'rich', 'plain', 'json', 'jsonl', 'csv', 'markdown'",
            ["smtpref search --help"],
            id="unknown format",
        ),
        pytest.param(
            ["classify", REFUSED],
            f"smtpref: cannot read “{REFUSED}”: {os.strerror(errno.ENOENT)}",
            [f"echo {shlex.quote(REFUSED)} | smtpref classify"],
            id="a reply for a file",
        ),
    ],
)
def test_an_error_is_one_line_and_a_hint(arguments, line, offered):
    failed = called(*arguments, status=2)
    assert failed.stdout == ""
    assert failed.stderr.splitlines() == [line, f"try: {', '.join(offered)}"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(["explain", "hello"], "“hello”", id="a word like no other"),
        pytest.param(["explain", "greylistd"], "“greylistd”", id="a mistyped reason"),
        pytest.param(["explain", "gogle"], "“gogle”", id="a mistyped provider without a code"),
        pytest.param(["explain", "spamhous"], "“spamhous”", id="a mistyped blocklist"),
        pytest.param(["explain", "999"], "“999”", id="a number beyond the grammar"),
        pytest.param(["explain", "5.1"], "“5.1”", id="two numbers"),
        pytest.param(["explain", "3.1.1"], "“3.1.1”", id="a class that there is not"),
        pytest.param(["compare", "550", "hello"], "“hello”", id="no code to compare"),
        pytest.param(["compare", "421", "450", "451", "452", "550"], "5 given", id="five codes to compare"),
        pytest.param(["search", "--provider", "gogle"], "“gogle”", id="a mistyped provider to search by"),
    ],
)
def test_an_error_names_what_was_given_and_offers_what_would_do(arguments, named):
    failed = called(*arguments, status=2)
    lines = failed.stderr.splitlines()
    assert (failed.stdout, len(lines)) == ("", 2)
    assert lines[0].startswith("smtpref: ")
    assert named in lines[0]
    assert lines[1].startswith("try: smtpref ")
    for command in hints(failed):
        _, *offered = shlex.split(command)
        # A search may find nothing; whatever else is offered is answered.
        called(*offered, status=None if offered[0] == "search" else 0)


def test_a_mistyped_command_is_answered_by_the_nearest_one():
    failed = called("explian", "550", status=2)
    assert failed.stderr.splitlines()[0] == "smtpref: “explian” is no command"
    assert hints(failed)[0] in ("smtpref explain", "smtpref explain 550", "smtpref explain --help")


def test_an_option_before_the_command_is_what_is_complained_about():
    assert "--format" in called("--format", "json", "explain", "550", status=2).stderr.splitlines()[0]


def test_other_arguments_are_answered_when_one_is_no_code():
    answered = called("explain", "550", "hello", "5.1.1", "-f", "json", status=2)
    assert [entry["code"] for entry in json.loads(answered.stdout)] == ["550", "5.1.1"]
    assert answered.stderr.splitlines()[0] == f"smtpref: “hello” {WORD}"


def test_every_argument_that_is_no_code_is_named():
    failed = called("explain", "hello", "55", status=2)
    assert re.findall("“(.*?)”", failed.stderr) == ["hello", "55"]


def test_a_full_disk_is_an_error_and_no_traceback():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "smtpref", "explain", "550"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment(), check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr.decode()) == (2, f"smtpref: {os.strerror(errno.ENOSPC)}\n")


# Files


def sources(result: Result) -> list[str]:
    return [json.loads(line)["source"] for line in result.stdout.splitlines()]


def test_files_are_read_in_their_order_and_a_hyphen_is_stdin(log):
    assert sources(called("classify", "-f", "jsonl", str(log), "-", str(log), stdin=GREYLISTED.encode())) == [str(log), "-", str(log)]


def damaged(content: bytes) -> bytes:
    return content[: len(content) // 2]


MANY = "".join(f"550 5.1.1 <user{number}@example.com>: User unknown\n" for number in range(1000)).encode()
DAMAGED = {
    "cut.gz": damaged(gzip.compress(MANY)),
    "cut.bz2": damaged(bz2.compress(MANY)),
    "cut.xz": damaged(lzma.compress(MANY)),
    "text.gz": MANY,
    "text.bz2": MANY,
    "text.xz": MANY,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named_and_the_others_are_read(name, log):
    path = log.parent / name
    path.write_bytes(DAMAGED[name])
    done = called("classify", "-f", "jsonl", str(path), str(log), status=2)
    assert sources(done)[-1] == str(log)
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"smtpref: cannot read “{path}”: ")


def test_a_missing_file_among_others_is_named_and_the_others_are_read(log):
    missing = log.parent / "mail.log.1"
    done = called("classify", "-f", "jsonl", str(log), str(missing), str(log), status=2)
    assert sources(done) == [str(log), str(log)]
    assert done.stderr == f"smtpref: cannot read “{missing}”: {os.strerror(errno.ENOENT)}\n"


def test_a_directory_is_named_and_the_others_are_read(log):
    done = called("classify", "-f", "jsonl", str(log.parent), str(log), status=2)
    assert sources(done) == [str(log)]
    assert done.stderr.splitlines() == [f"smtpref: cannot read “{log.parent}”: is a directory"]


def test_a_reply_too_long_for_a_file_name_gets_the_hint_and_the_others_are_read(log):
    reply = f"550 5.7.1 {'Message refused. ' * 20}"
    done = called("classify", "-f", "jsonl", reply, str(log), status=2)
    assert sources(done) == [str(log)]
    assert hints(done) == [f"echo {shlex.quote(reply)} | smtpref classify"]


# Colour, width, hyperlinks in a pipe


@pytest.mark.parametrize(
    ("env", "drawn", "coloured"),
    [
        pytest.param({}, False, False, id="nothing set"),
        pytest.param({"FORCE_COLOR": "1"}, True, True, id="FORCE_COLOR"),
        pytest.param({"FORCE_COLOR": "0"}, False, False, id="FORCE_COLOR=0"),
        pytest.param({"FORCE_COLOR": ""}, False, False, id="FORCE_COLOR empty"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, id="NO_COLOR wins"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "0"}, False, False, id="NO_COLOR=0 is set"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": ""}, True, True, id="NO_COLOR empty"),
        pytest.param({"FORCE_COLOR": "1", "TERM": "xterm"}, True, True, id="FORCE_COLOR on the way to a terminal"),
        pytest.param({"TERM": "xterm"}, False, False, id="TERM says nothing of a pipe"),
    ],
)
def test_a_pipe_gets_colour_only_by_force_and_never_a_hyperlink(env, drawn, coloured):
    output = called("compare", "450", "550", env=env).stdout
    assert (bool(BOX.search(output)), bool(SGR.search(output))) == (drawn, coloured)
    assert HYPERLINK not in output
    assert "\x1b" not in SGR.sub("", output)


def test_rich_in_a_pipe_is_drawn_without_escapes():
    output = called("compare", "450", "550", "-f", "rich").stdout
    assert (bool(BOX.search(output)), "\x1b" in output) == (True, False)


@pytest.mark.parametrize("written_as", ["plain", "json", "jsonl", "csv", "markdown"])
def test_force_colours_no_other_format(written_as):
    forced = {"FORCE_COLOR": "1"}
    assert called("explain", "550", "-f", written_as, env=forced) == called("explain", "550", "-f", written_as)


@pytest.mark.parametrize("columns", [40, 100])
@pytest.mark.parametrize("arguments", [["explain", "550"], ["compare", "450", "550"], ["search"]], ids=" ".join)
def test_rich_keeps_within_columns(arguments, columns):
    output = called(*arguments, "-f", "rich", env={"COLUMNS": str(columns)}).stdout
    assert [line for line in output.splitlines() if len(line) > columns] == []


@pytest.mark.parametrize("columns", ["0", "1", "-1", "80x24", ""])
def test_columns_that_are_no_width_lose_nothing(columns):
    assert "Mailbox" in called("explain", "550", "-f", "rich", env={"COLUMNS": columns}).stdout


@pytest.mark.parametrize("arguments", [["explain", "550"], ["compare", "421", "450", "451", "452"], ["search"]], ids=" ".join)
def test_plain_is_never_wrapped(arguments):
    assert called(*arguments, env={"COLUMNS": "30"}) == called(*arguments, env={"COLUMNS": "300"})


# Terminals


@posix_only
@pytest.mark.parametrize(
    ("env", "coloured", "linked"),
    [
        pytest.param({}, True, True, id="a terminal"),
        pytest.param({"NO_COLOR": "1"}, False, False, id="NO_COLOR"),
        pytest.param({"TERM": "dumb"}, False, False, id="TERM=dumb"),
        pytest.param({"TERM": "linux"}, True, False, id="TERM=linux"),
    ],
)
def test_a_terminal_gets_colour_and_hyperlinks_unless_it_says_otherwise(env, coloured, linked):
    done = on_terminal("explain", "550", **env)
    assert (done.status, done.stderr) == (0, "")
    assert "Mailbox unavailable" in SGR.sub("", done.stdout)
    assert (bool(SGR.search(done.stdout)), HYPERLINK in done.stdout) == (coloured, linked)
    if not coloured:
        assert "\x1b" not in done.stdout


@posix_only
def test_a_lone_record_on_a_terminal_is_a_panel():
    done = on_terminal("classify", stdin=f"{REFUSED}\n".encode(), NO_COLOR="1")
    lines = done.stdout.splitlines()
    assert {lines[0].strip(), lines[-1].strip()} == {"─" * 98}
    assert lines[1].split()[:2] == ["✗", "Undeliverable:"]
    assert (done.status, done.stderr) == (0, "")


@posix_only
def test_many_records_on_a_terminal_are_a_line_each_and_counted_on_stderr():
    replies = [REFUSED, GREYLISTED, "250 2.0.0 OK", f"{REFUSED} {'and so on ' * 30}"]
    done = on_terminal("classify", stdin="".join(f"{reply}\n\n" for reply in replies).encode(), NO_COLOR="1", width=110)
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["✗", "user-unknown"], ["~", "greylisted"], ["✓", "success"], ["✗", "user-unknown"]]
    assert max(map(len, lines)) <= 110
    assert (done.status, done.stderr) == (0, "4 records: ✓ 1, ~ 1, ✗ 2\n")


@posix_only
def test_a_terminal_for_stdin_is_told_what_is_waited_for():
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "smtpref", "classify"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=theirs, stdout=pipe, stderr=pipe, env=environment()) as process:
        os.close(theirs)
        assert process.stderr
        told = shown(process.stderr.fileno(), b"\n").decode()
        os.write(ours, f"{REFUSED}\n\x04".encode())
        output, rest = process.communicate(timeout=PATIENCE)
    os.close(ours)
    assert told == "smtpref: reading from the terminal: paste a reply or log lines, then press Ctrl-D\n"
    assert (process.returncode, rest, output.split(b"\t")[2]) == (0, b"", b"user-unknown")


# Pipes that close, signals, live input


@posix_only
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["explain", "550"],
        ["search", "-f", "rich"],
        ["classify"],
        ["classify", "-f", "rich"],
    ],
    ids=" ".join,
)
def test_a_closed_pipe_ends_it_quietly(arguments):
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "smtpref", *arguments]
    done = subprocess.run(command, input=MANY, stdout=theirs, stderr=subprocess.PIPE, env=environment(), check=False, timeout=PATIENCE)
    os.close(theirs)
    assert (done.stderr.decode(), done.returncode) == ("", 0)


@posix_only
def test_head_gets_its_line_and_nobody_complains():
    with running("search", "-f", "json") as process:
        assert process.stdout
        assert process.stderr
        first = process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        assert (first, told, process.wait(PATIENCE)) == (b"[\n", b"", 0)


@posix_only
@pytest.mark.parametrize(
    ("written_as", "line"),
    [
        pytest.param("plain", REFUSED, id="plain a bare reply"),
        pytest.param("plain", LOGGED, id="plain a log line"),
        pytest.param("jsonl", REFUSED, id="jsonl a bare reply"),
        pytest.param("jsonl", LOGGED, id="jsonl a log line"),
        pytest.param("csv", LOGGED, id="csv a log line"),
        pytest.param("rich", LOGGED, id="rich a log line"),
    ],
)
@pytest.mark.usefixtures("interruptible")
def test_a_record_appears_while_the_input_goes_on_and_an_interrupt_ends_it_quietly(written_as, line):
    with running("classify", "-f", written_as) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()
        shown(process.stdout.fileno(), b"user-unknown")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
        assert (process.returncode, told) == (130, b"")


@posix_only
def test_the_end_of_a_live_input_ends_it():
    with running("classify") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{LOGGED}\n".encode())
        process.stdin.flush()
        shown(process.stdout.fileno(), b"user-unknown")
        assert (process.communicate(timeout=PATIENCE), process.returncode) == ((b"", b""), 0)


# Encodings


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("written_as", ["plain", "csv", "jsonl", "markdown"])
def test_an_output_that_is_not_utf_8_loses_letters_only(encoding, written_as):
    arguments = ("explain", "550", "greylisted", "--lang", "vi", "-f", written_as)
    expected = called(*arguments).stdout.encode(encoding, "replace").decode(encoding)
    assert called(*arguments, encoding=encoding) == Result(expected, "", 0)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", ["explain", "compare"])
def test_a_drawing_that_is_not_utf_8_keeps_its_words(encoding, command):
    narrow = {"COLUMNS": "100"}
    whole = called(command, "450", "550", "-f", "rich", env=narrow).stdout
    lossy = called(command, "450", "550", "-f", "rich", env=narrow, encoding=encoding)
    assert re.findall("[a-z]+", whole) == re.findall("[a-z]+", lossy.stdout)
    assert lossy.stderr == ""


def test_an_error_that_is_not_utf_8_is_still_told():
    failed = called("explain", "bưu điện", "--lang", "vi", encoding="ascii", status=2)
    assert failed.stderr.startswith("smtpref: ?b?u ?i?n? ")


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="POSIX locale"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ASCII"),
        pytest.param({"PYTHONIOENCODING": "cp1252"}, id="cp1252"),
    ],
)
def test_a_real_output_that_is_not_utf_8_loses_letters_only(run, env):
    done = run("classify", "--lang", "vi", "-f", "rich", stdin=f"{REFUSED} “xin chào”\n", env=env)
    assert "user-unknown" in done.stdout
    assert "User unknown" in done.stdout
    assert done.stderr == ""


@posix_only
def test_a_file_name_that_is_not_utf_8_is_written_as_escapes(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/mail-\xff.log")
    try:
        Path(path).write_text(f"{LOGGED}\n")
    except OSError:
        pytest.skip("this file system knows no such names")
    assert sources(called("classify", "-f", "jsonl", path)) == [path]
    assert called("classify", f"{path}.1", status=2).stderr.startswith(f"smtpref: cannot read “{tmp_path}/mail-\\udcff.log.1”: ")


# Languages

HEADINGS = ["Mô tả", "Khi bạn thấy mã này", "Cách khắc phục", "Sự khác biệt chính", "Khi nào dùng cái nào", "Tìm hiểu thêm"]


@pytest.mark.parametrize("written_as", ["plain", "markdown", "rich"])
def test_compare_has_its_headings_in_vietnamese(written_as):
    # A heading of its own line, or the first of its row.
    output = called("compare", "220", "550", "--lang", "vi", "-f", written_as, env={"COLUMNS": "70"}).stdout
    found = re.findall(rf"^[ |*#]*({'|'.join(HEADINGS)})(?=\t|\*|  |$)", output, re.MULTILINE)
    assert list(dict.fromkeys(found)) == HEADINGS


@pytest.mark.parametrize(
    ("env", "arguments", "language"),
    [
        pytest.param({}, [], "en", id="English by default"),
        pytest.param({"SMTPREF_LANG": "vi"}, [], "vi", id="SMTPREF_LANG"),
        pytest.param({"LC_ALL": "vi_VN.UTF-8"}, [], "vi", id="the locale"),
        pytest.param({"LC_ALL": "", "LANG": "vi_VN"}, [], "vi", id="LANG"),
        pytest.param({"SMTPREF_LANG": "vi"}, ["--lang", "en"], "en", id="--lang wins over SMTPREF_LANG"),
        pytest.param({"SMTPREF_LANG": "en", "LC_ALL": "vi_VN.UTF-8"}, [], "en", id="SMTPREF_LANG wins over the locale"),
        pytest.param({"SMTPREF_LANG": "fr"}, [], "en", id="a language that smtpref does not know"),
    ],
)
def test_language_is_asked_for_or_set_or_that_of_the_locale(env, arguments, language):
    expected = called("explain", "550", "--lang", language).stdout
    assert called("explain", "550", *arguments, env=env).stdout == expected


@pytest.mark.parametrize("arguments", [["explain", "55"], ["explain", "--nope", "550"], ["550"]], ids=" ".join)
def test_errors_speak_the_language_too(arguments):
    lines = called(*arguments, status=2, env={"SMTPREF_LANG": "vi"}).stderr.splitlines()
    assert lines[1].startswith("thử: smtpref ")


# A codes file of one's own

NEW_BLOCK = """
replies:
  - code: "590"
    registered: false
    name: {en: Snark refused}
    phases: [rcpt]
    acts: sender
    meaning: {en: This house takes no snarks.}
    when: {en: After RCPT TO.}
    use: {en: Where snarks are sent.}
    fix: {en: [Send something else.]}
    example: 590 5.7.1 no snarks
    reasons: [policy-rejected]
    sources: ["RFC 5321 4.2"]
rules:
  - id: policy-rejected/no-snarks
    reason: policy-rejected
    phrases: [no snarks]
    matches: [590 5.7.1 no snarks]
    source: our own server
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.yaml"


def test_a_changed_meaning_is_laid_over_the_shipped_block(own):
    own.write_text('replies:\n  - code: "550"\n    meaning: {en: Ask Bob.}\n')
    shipped, changed = (json.loads(called("explain", "550", "-f", "json", *more).stdout) for more in ([], ["--codes", str(own)]))
    assert changed == [{**shipped[0], "meaning": "Ask Bob."}]


def test_a_block_without_a_translation_is_shown_in_english(own):
    own.write_text('replies:\n  - code: "550"\n    meaning: {en: Ask Bob.}\n')
    assert json.loads(called("explain", "550", "-f", "json", "--lang", "vi", "--codes", str(own)).stdout)[0]["meaning"] == "Ask Bob."


def test_a_new_code_is_explained_and_a_new_rule_decides(own):
    own.write_text(NEW_BLOCK)
    explained = json.loads(called("explain", "590", "-f", "json", "--codes", str(own)).stdout)
    assert [(entry["code"], entry["name"], entry["meaning"]) for entry in explained] == [
        ("590", "Snark refused", "This house takes no snarks.")
    ]
    classified = json.loads(called("classify", "-f", "jsonl", "--codes", str(own), stdin=b"550 we want no snarks here\n").stdout)
    assert classified["evidence"] == {"by": "text", "rule": "policy-rejected/no-snarks", "match": "no snarks"}


@pytest.mark.parametrize("command", [["explain", "590"], ["compare", "590", "550"], ["search", "snark"]], ids=" ".join)
def test_smtpref_codes_says_the_same_as_the_option_for_every_command(own, command):
    own.write_text(NEW_BLOCK)
    by_option = called(*command, "--codes", str(own))
    assert "Snark refused" in by_option.stdout
    assert called(*command, env={"SMTPREF_CODES": str(own)}) == by_option


def test_the_codes_option_wins_over_smtpref_codes(own):
    own.write_text(NEW_BLOCK)
    called("explain", "590", "--codes", str(own), env={"SMTPREF_CODES": "nowhere.yaml"})


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(
            'replies:\n  - code: "550"\n    acts: sendr\n',
            ['smtpref: own.yaml: replies: 550: acts: "sendr" is not one who acts (sender?)'],
            id="a word that is not known",
        ),
        pytest.param(
            "replies:\n  - code: 550\n",
            ['smtpref: own.yaml: replies: block 1: code: must be in quotes, as in "550"'],
            id="a code without quotes",
        ),
        pytest.param(
            'replies:\n  - code: "550"\n    meening: {en: Ask Bob.}\n',
            ['smtpref: own.yaml: replies: 550: "meening" is not a field (meaning?)'],
            id="a field that is not known",
        ),
        pytest.param(
            'replies:\n  - code: "550"\n    acts: nobody\n    example: ""\n',
            [
                "smtpref: 2 mistakes in the codes file",
                'own.yaml: replies: 550: acts: "nobody" is not one who acts',
                "own.yaml: replies: 550: example: is empty",
            ],
            id="two mistakes",
        ),
        pytest.param(
            'replies:\n  - code: "550"\n    acts: sender\n    acts: none\n',
            ['smtpref: own.yaml: line 4: "acts" stands twice in one block'],
            id="a field twice",
        ),
        pytest.param("replys: []\n", ['smtpref: own.yaml: the file: "replys" is not a section (replies?)'], id="an unknown section"),
        pytest.param("[]\n", ["smtpref: own.yaml: the file: must be a mapping of sections"], id="a list"),
    ],
)
def test_a_mistake_is_named_with_file_block_and_field(own, content, lines):
    own.write_text(content)
    failed = called("explain", "550", "--codes", str(own), status=2)
    assert (failed.stdout, failed.stderr.splitlines()) == ("", lines)


@pytest.mark.parametrize("content", [b"replies: [\n", b"\xff\xfe\xfd", b"a: \x1b[31m\n", b'replies:\n  - ? ["550"]\n    : x\n'], ids=repr)
def test_what_is_no_yaml_is_one_line_that_names_the_file(own, content):
    own.write_bytes(content)
    failed = called("explain", "550", "--codes", str(own), status=2)
    assert (failed.stdout, len(failed.stderr.splitlines())) == ("", 1)
    assert failed.stderr.startswith("smtpref: own.yaml: ")


def test_a_codes_file_that_is_not_there_is_named():
    assert called("explain", "550", "--codes", "nowhere.yaml", status=2) == Result(
        "", f"smtpref: cannot read “nowhere.yaml”: {os.strerror(errno.ENOENT)}\n", 2
    )


@pytest.mark.parametrize("section", SECTIONS)
def test_a_value_of_a_wrong_kind_is_named_whatever_the_field(own, section):
    shipped = read_once()
    identity = SECTIONS[section].identity
    values = dict(zip(shipped[section], [5, "", [], [[1]], {"a": "b"}, None], strict=False))
    blocks = [dict.fromkeys(SECTIONS[section].fields, value) | {identity: name} for name, value in values.items()]
    own.write_text(yaml.safe_dump({section: blocks}))
    with pytest.raises(KnowledgeError) as raised:
        lay_over(own, shipped)
    named = {problem.split(": ")[2] for problem in raised.value.problems if problem.startswith(f"own.yaml: {section}: ")}
    assert (named, len(raised.value.problems) >= len(values)) == (set(values), True)


# Foreign text at the boundary of errors, and any bytes as input

DANGEROUS = [
    chr(number) for number in (*range(1, 32), *range(127, 160), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
]
ALIVE = re.compile(f"[{''.join(map(re.escape, DANGEROUS))}\ud800-\udfff]")
"""Whatever may move a cursor, start an escape sequence, turn the direction of text, or cannot be encoded."""

SURROGATES = [chr(number) for number in (0xDC80, 0xDCFF, 0xD800)]
foreign = st.text(st.one_of(st.sampled_from([*DANGEROUS, *SURROGATES]), st.characters(codec="utf-8", min_codepoint=1)), max_size=30)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["{}", "explain {}", "compare 550 {}", "explain --{}", "explain 550 --lang {}", "search --provider {}"]), foreign)
def test_no_control_character_of_an_argument_survives_an_error(line, text):
    done = called(*(word.format(text) for word in line.split(" ")), status=None)
    assert ALIVE.findall((done.stdout + done.stderr).replace("\n", "").replace("\t", "")) == []


@settings(deadline=None, max_examples=15)
@given(foreign)
def test_no_control_character_of_a_file_name_survives_an_error(text):
    done = called("classify", f"nowhere/{text}", status=2)
    assert ALIVE.findall(done.stderr.replace("\n", "")) == []
    assert len(done.stderr.splitlines()) == 1


FRAGMENTS = [
    *(line.encode() for line in (REFUSED, GREYLISTED, LOGGED, LOGGED[:120], "550-5.7.1 first", "550 5.7.1 last", "354 Go ahead")),
    b"Oct  1 13:05:07 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <",
    b'{"MESSAGE": "4cXyz12345z9qkB: to=<a@b>, status=',
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\x00",
    b"\x1f\x8b",
    b"\xff\xfe",
    b"status=bounced (",
    b"5.1.1",
    b"<<< ",
    b">>> RCPT TO:<a@b>\n",
]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=20))).map(b"".join))
def test_any_bytes_are_classified_or_passed_over(content):
    done = called("classify", "-f", "jsonl", stdin=content, status=None)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.status == (0 if records else 1)
    assert [
        record
        for record in records
        if record["evidence"]["match"] not in f"{record['text']} {record['reply_code']} {record['enhanced_code']}"
    ] == []
