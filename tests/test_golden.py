"""Transcripts: a file of tests/golden holds a command line and then exactly what it prints; --update-golden writes them anew."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .conftest import CHECKOUT, TESTS, Run

GOLDEN = sorted((TESTS / "golden").glob("*.txt"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_transcript(path: Path, run: Run, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _, expected = path.read_text(encoding="utf-8").partition("\n")
    words = shlex.split(first.removeprefix("$ "))
    env = dict(word.split("=", 1) for word in words[: words.index("smtpref")])
    arguments = words[words.index("smtpref") + 1 :]
    status = int(env.pop("STATUS", "0"))
    monkeypatch.chdir(CHECKOUT)
    result = run(*arguments, status=status, env=env)
    printed = "".join(f"{line.rstrip()}\n" for line in (result.stdout + result.stderr).splitlines())
    if pytestconfig.getoption("update_golden"):
        path.write_text(f"{first}\n{printed}", encoding="utf-8")
        return
    assert expected == printed
