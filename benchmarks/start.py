"""What a start costs: whole processes against importing Typer and Rich, or Typer alone, alternating, in one run.

    python benchmarks/start.py [RUNS]

The interpreter that runs this must have smtpref installed (not editable: an installed package is compiled once, for good).
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TYPER = [sys.executable, "-c", "import typer"]
TYPER_AND_RICH = [sys.executable, "-c", "import typer, rich.table, rich.panel, rich.console"]
LINE = b"550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown\n"
TYPED = "smtpref explain 55"


class Start(NamedTuple):
    """A start of smtpref, and what it is held against."""

    arguments: tuple[str, ...]
    stdin: bytes = b""
    settings: Mapping[str, str] = {}
    base: list[str] = TYPER_AND_RICH


STARTS = {
    "explain 550": Start(("explain", "550", "--format", "rich")),
    "compare 220 550": Start(("compare", "220", "550", "--format", "rich")),
    "classify, one line": Start(("classify", "--format", "plain"), LINE),
    "explain 550, piped": Start(("explain", "550")),
    "Tab in bash": Start((), settings={"_SMTPREF_COMPLETE": "complete_bash", "COMP_WORDS": TYPED, "COMP_CWORD": "2"}, base=TYPER),
    "Tab in zsh": Start((), settings={"_SMTPREF_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": TYPED}),
    "Tab in fish": Start(
        (), settings={"_SMTPREF_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": TYPED}
    ),
}


def cpu_seconds(command: Sequence[str], stdin: bytes, settings: Mapping[str, str], folder: str) -> float:
    """User and system time of one process, which other processes disturb less than the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    everything = {**os.environ, "COLUMNS": "100", **settings}
    subprocess.run(command, input=stdin, stdout=subprocess.DEVNULL, check=True, cwd=folder, env=everything)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the median ratio of each start to its base."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    smtpref = str(Path(sysconfig.get_path("scripts")) / "smtpref")
    with tempfile.TemporaryDirectory() as folder:
        for name, start in STARTS.items():
            ratios = []
            for _ in range(runs + 1):
                base = cpu_seconds(start.base, b"", {}, folder)
                ratios.append(cpu_seconds([smtpref, *start.arguments], start.stdin, start.settings, folder) / base)
            held_against = "Typer and Rich" if start.base is TYPER_AND_RICH else "Typer"
            least, most = min(ratios[1:]), max(ratios[1:])
            print(f"{name:20} {statistics.median(ratios[1:]):.2f} times importing {held_against} ({least:.2f} to {most:.2f})")


if __name__ == "__main__":
    main()
