"""What the documents promise: README examples are replayed in a terminal, commands and options are documented, modules say what they are."""

from __future__ import annotations

import ast
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from smtpref.model import InputFormat

from .conftest import CHECKOUT, Run, environment

README = CHECKOUT / "README.md"
COLUMNS = 96

_CONSOLE = re.compile(r"^```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)^```$", re.MULTILINE | re.DOTALL)


def in_terminal(command: str, shims: Path) -> str:
    """What a shell command prints on a terminal of COLUMNS columns without colour."""
    shim = shims / "smtpref"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m smtpref "$@"\n')
    shim.chmod(0o755)
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    env = environment(NO_COLOR="1", TERM="xterm", PATH=f"{shims}{os.pathsep}{os.environ['PATH']}")
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=env, cwd=CHECKOUT)
    os.close(theirs)
    output = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            break
        if not chunk:
            break
        output += chunk
    os.close(ours)
    assert process.wait(timeout=30) == 0, output.decode()
    lines = output.decode().replace("\r\n", "\n").splitlines()
    # A stamp without a year is read in the year before the file's date.
    return "".join(f"{line.rstrip()}\n" for line in lines)


EXAMPLES = [match["command"] for match in _CONSOLE.finditer(README.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("command", EXAMPLES)
def test_readme_shows_what_the_command_prints(command: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    text = README.read_text(encoding="utf-8")
    block = next(match for match in _CONSOLE.finditer(text) if match["command"] == command)
    printed = in_terminal(command, tmp_path)
    if pytestconfig.getoption("update_golden"):
        README.write_text(text[: block.start("output")] + printed + text[block.end("output") :], encoding="utf-8")
        return
    assert block["output"] == printed


def test_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("number", [0, 1], ids=["install and run", "install and test"])
def test_the_two_commands_come_first(number: int) -> None:
    fenced = re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines() if "pip install" in line]
    expected = [("smtpref compare 220 550", "smtpref classify"), ("pytest",)]
    assert all(part in lines[number] for part in expected[number])


@pytest.mark.parametrize("command", ["explain", "compare", "classify", "search"])
def test_every_command_and_option_has_help(run: Run, command: str) -> None:
    text = run(command, "--help").stdout
    options = re.findall(r"^  (?:-\w, )?(--[\w-]+)(?: \S+)?(.*)$", text, re.MULTILINE)
    described = re.sub(r"\n {10,}", "  ", text)
    assert all(re.search(rf"{re.escape(option)}\b.*?  \S", described) for option, _ in options)
    assert text.index("Examples:") < text.index("Options:")


@pytest.mark.parametrize("module", sorted((CHECKOUT / "smtpref").rglob("*.py")), ids=lambda path: path.stem)
def test_every_module_and_public_class_says_what_it_is(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    silent = [
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert (bool(ast.get_docstring(tree)), silent) == (True, [])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(name: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (CHECKOUT / name).read_text(encoding="utf-8"))
    assert [target for target in targets if not (CHECKOUT / target).exists()] == []


def test_every_input_format_is_documented_once() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", (CHECKOUT / "docs" / "formats.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(InputFormat)


@pytest.mark.parametrize("name", InputFormat)
def test_every_input_format_has_samples(name: InputFormat) -> None:
    cases = CHECKOUT / "tests" / "cases"
    named = {"postfix": cases / "postfix", "reply": cases / "replies.yaml"}
    shared = {"postqueue-json": "queue", "postqueue": "queue", "mailq": "queue"}
    assert named.get(name, cases / "formats" / shared.get(name, name)).exists()
