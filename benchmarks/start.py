"""What a start costs: whole processes against importing Typer and Rich, alternating, in one run.

    python benchmarks/start.py [RUNS]

The interpreter that runs this must have smtpref installed (not editable: an installed package is compiled once, for good).
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

BASE = [sys.executable, "-c", "import typer, rich.table, rich.panel, rich.console"]
LINE = b"550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown\n"
COMMANDS = {
    "explain 550": (["explain", "550", "--format", "rich"], b""),
    "compare 220 550": (["compare", "220", "550", "--format", "rich"], b""),
    "classify, one line": (["classify", "--format", "plain"], LINE),
    "explain 550, piped": (["explain", "550"], b""),
}


def cpu_seconds(command: list[str], stdin: bytes, folder: str) -> float:
    """User and system time of one process, which other processes disturb less than the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=stdin, stdout=subprocess.DEVNULL, check=True, cwd=folder, env={**os.environ, "COLUMNS": "100"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the median ratio of each command to the base."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        for name, (arguments, stdin) in COMMANDS.items():
            command = [sys.executable, "-m", "smtpref", *arguments]
            ratios = []
            for _ in range(runs + 1):
                base = cpu_seconds(BASE, b"", folder)
                ratios.append(cpu_seconds(command, stdin, folder) / base)
            print(
                f"{name:20} {statistics.median(ratios[1:]):.2f} times importing Typer and Rich ({min(ratios[1:]):.2f} to {max(ratios[1:]):.2f})"
            )


if __name__ == "__main__":
    main()
