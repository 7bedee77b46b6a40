"""Verdicts a second on one core, over the examples of the rules, each made different from every other.

python benchmarks/verdicts.py [COUNT]
"""

from __future__ import annotations

import sys
import time

from smtpref.judging import Judge
from smtpref.knowledge import load_knowledge
from smtpref.model import Record
from smtpref.parsing.reply import parse_reply


def main() -> None:
    """Print how many different replies are judged in a second."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    knowledge = load_knowledge()
    examples = [text for rule in knowledge.rules.values() for text in rule["matches"]]
    replies = [parse_reply(f"{examples[n % len(examples)]} (id {n})") for n in range(count)]
    records = [Record("-", n, "reply", reply_code=r.code, enhanced_code=r.enhanced, text=r.text) for n, r in enumerate(replies)]
    judge = Judge(knowledge)
    for record in records[: len(examples)]:
        judge.judge(record)
    begin = time.perf_counter()
    for record in records:
        judge.judge(record)
    print(
        f"{count / (time.perf_counter() - begin):,.0f} verdicts a second, {len(examples)} different examples, {len(knowledge.rules)} rules"
    )


if __name__ == "__main__":
    main()
