"""Verdicts a second on one core, over the examples of the rules: of replies of new shapes, and of replies that differ in names and ids.

python benchmarks/verdicts.py [COUNT]
"""

from __future__ import annotations

import random
import sys
import time

from smtpref.judging import Judge
from smtpref.knowledge import load_knowledge
from smtpref.model import Record
from smtpref.parsing.reply import parse_reply


def record(text: str, number: int) -> Record:
    """A record of a reply without its wrapping."""
    reply = parse_reply(text)
    return Record("-", number, "reply", reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text)


def rate(judge: Judge, records: list[Record]) -> float:
    """How many of the records are judged in a second."""
    begin = time.perf_counter()
    for item in records:
        judge.judge(item)
    return len(records) / (time.perf_counter() - begin)


def main() -> None:
    """Print both figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    knowledge = load_knowledge()
    examples = [text for rule in knowledge.rules.values() for text in rule["matches"]]
    chance = random.Random(1)
    new = [record(f"{examples[number % len(examples)]} (word{'abcdefghij'[number % 10]} {number})", number) for number in range(count // 4)]
    same = [
        record(f"{examples[number % len(examples)]} ({chance.randrange(16**15):016x} 198.51.100.{chance.randrange(250)})", number)
        for number in range(count)
    ]
    judge = Judge(knowledge)
    # Patterns are compiled when a text first needs them.
    rate(judge, [record(text, number) for number, text in enumerate(examples)])
    print(f"{rate(judge, new):,.0f} verdicts a second on new shapes")
    rate(judge, same[: len(examples)])
    print(f"{rate(judge, same):,.0f} verdicts a second on different replies of {len(examples)} shapes, {len(knowledge.rules)} rules")


if __name__ == "__main__":
    main()
