"""Running smtpref as its users do, and the places of test data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from smtpref.knowledge import Knowledge, load_knowledge

TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
SAMPLES = sorted(
    path for path in (TESTS / "cases").rglob("*") if path.is_file() and not path.name.endswith((".md", ".yaml", "expected.jsonl"))
)
"""Every input that the tests have as a file."""

# What the caller's terminal, locale and settings would change.
_DECIDING = (
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "LINES",
    "TERM",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "SMTPREF_LANG",
    "SMTPREF_CODES",
    "SMTPREF_DEBUG",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what smtpref prints now into tests/golden")


@dataclass(frozen=True)
class Result:
    """What a run printed, and how it ended."""

    stdout: str
    stderr: str
    status: int


def environment(**settings: str) -> dict[str, str]:
    """The test's own environment: no terminal, English, UTF-8, and what `settings` say."""
    kept = {name: value for name, value in os.environ.items() if name not in _DECIDING and not name.startswith("COV_")}
    return {**kept, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", **settings}


Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `smtpref ARGUMENTS` in a process of its own; a status that the test did not name fails it."""

    def run_smtpref(*arguments: str, stdin: str | bytes = b"", status: int = 0, env: dict[str, str] | None = None) -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "smtpref", *arguments],
            input=given,
            capture_output=True,
            check=False,
            env=environment(**(env or {})),
            timeout=60,
        )
        result = Result(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"), done.returncode)
        assert result.status == status, f"status {result.status}, expected {status}\n{result.stdout}\n{result.stderr}"
        return result

    return run_smtpref


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The shipped knowledge."""
    return load_knowledge()
