"""How fast a Postfix log is read, against pflogsumm and grep in the same run: python benchmarks/throughput.py [MEGABYTES|FILE]."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from make_log import log

SMTPREF = str(Path(sysconfig.get_path("scripts")) / "smtpref")


def seconds(command: str) -> float:
    """How long a shell command takes, whatever it prints."""
    begin = time.perf_counter()
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    """Print the time of each command, and how many times as fast as pflogsumm it is."""
    given = sys.argv[1] if len(sys.argv) > 1 else "50"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(given)
        if not path.exists():
            path = Path(folder) / "mail.log"
            path.write_text("".join(log(int(float(given) * 1e6))))
        commands = {
            "grep": f"cat {path} | grep -c status=",
            "pflogsumm": f"pflogsumm {path}" if shutil.which("pflogsumm") else "",
            "smtpref --format jsonl": f"{SMTPREF} classify --format jsonl {path}",
            "smtpref --format jsonl, one core": f"cat {path} | {SMTPREF} classify --format jsonl",
            "smtpref --summary": f"{SMTPREF} classify --summary {path}",
        }
        taken = {name: seconds(command) for name, command in commands.items() if command}
        print(f"{path.stat().st_size / 1e6:,.0f} MB")
        for name, time_taken in taken.items():
            ratio = f"{taken['pflogsumm'] / time_taken:6.2f} times as fast as pflogsumm" if "pflogsumm" in taken else ""
            print(f"{name:34} {time_taken:7.2f} s {ratio}")


if __name__ == "__main__":
    main()
