"""A coverage-guided fuzzer for the readers: what reaches new lines of code is kept and changed further.

python benchmarks/fuzz.py SECONDS [FORMAT...]

The target of a format is its reader, fed with changed samples of `tests/cases`; without a FORMAT each has its turn, with the time divided.
An input that breaks a law is written to a file here, made as short as it will go, and the status is 1. The laws: no exception, no hang,
no line lost, evidence that is a slice of the reply, no control character in any output.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from smtpref.classification import Classifier
from smtpref.judging import Judge
from smtpref.knowledge import load_knowledge
from smtpref.line_account import LineAccount
from smtpref.model import Classified
from smtpref.parsing.files import Input, lines_of
from smtpref.parsing.postfix_usual import UsualLine
from smtpref.parsing.recognition import as_record, read_items
from smtpref.redaction import Redactor
from smtpref.render import records, text
from smtpref.render.views import Viewer

CASES = Path(__file__).parent.parent / "tests" / "cases"
LATEST = datetime(2026, 10, 1)
SLOW = 5.0
"""Seconds, while every line is traced, after which an input counts as one that hangs."""

LONGEST = 20_000
SHOWN = 3
"""Records of an input that are written as well."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
PIECES = [
    *(
        b"550 ",
        b"5.1.1 ",
        b"451-",
        b" status=",
        b"to=<",
        b"said: ",
        b"<>",
        b'"',
        b"'",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"(",
        b")",
        b"=",
        b";",
        b":",
    ),
    *(b"\0", b"\x1b[31m", b"\r", b"\n", b"\n\n", b"\t", b"\xff\xfe", b"\xe2\x80\xae", b"\xc2\x9b", b"=?utf-8?q?", b"\\ud800"),
    *(
        b"99999999999999999999",
        b"9999-99-99T99:99:99Z",
        b"Jan 32 25:61:61 ",
        b"--",
        b"--b\n",
        b"Content-Type: message/rfc822\n\n",
        b"a" * 500,
        b"[" * 200,
    ),
]

KNOWLEDGE = load_knowledge()
CLASSIFIER = Classifier(KNOWLEDGE)
JUDGE = Judge(KNOWLEDGE)
VIEWER = Viewer(KNOWLEDGE, "en")


class Broken(Exception):
    """A law does not hold."""


def target(data: bytes) -> None:
    """Read, judge and write an input; raises whatever goes wrong."""
    account = LineAccount()
    lines = account.follow(lines_of(data), lambda number: ("-", number))
    begin = time.monotonic()
    shown = 0
    for told in read_items(Input("-", LATEST, lines)):
        record = as_record(told, "-")
        if isinstance(told, UsualLine):
            account.claim_usual(told)
            if CLASSIFIER.classified(told, "-") != Classified(record, JUDGE.judge(record)):
                raise Broken(f"{record.text!r} is told otherwise by its kind")
        else:
            account.claim(record)
        verdict = JUDGE.judge(record)
        codes = (str(record.reply_code), str(record.enhanced_code))
        if verdict.evidence.match not in record.text and verdict.evidence.match not in codes:
            raise Broken(f"evidence {verdict.evidence.match!r} of {record.text!r}")
        if shown < SHOWN:
            shown += 1
            item = Classified(record, verdict)
            for written in (*_written(item), *_written(Redactor(KNOWLEDGE).redact(item))):
                if _CONTROL.search(written):
                    raise Broken(f"a control character in {written!r}")
    account.close()
    if account.counts.read != sum(1 for _ in lines_of(data)):
        raise Broken("a line was lost")
    if account.counts.without_outcome < account.counts.not_understood:
        raise Broken(f"the account of lines: {account.counts}")
    if time.monotonic() - begin > SLOW:
        raise Broken(f"{time.monotonic() - begin:.1f} s")


def _written(item: Classified) -> Iterator[str]:
    yield records.record_line(item).rstrip("\n")
    yield records.plain_line(item).rstrip("\n").replace("\t", " ")
    yield text.markdown(VIEWER.record(item)).replace("\n", " ")


class Coverage:
    """Which lines of the readers were reached."""

    def __init__(self) -> None:
        self._seen: set[tuple[CodeType, int]] = set()
        self._new = False

    def reaches_new(self, run: Callable[[bytes], None], data: bytes) -> bool:
        """Run, and tell whether a line was reached for the first time."""
        self._new = False
        sys.settrace(self._called)
        try:
            run(data)
        finally:
            sys.settrace(None)
        return self._new

    def __len__(self) -> int:
        return len(self._seen)

    def _called(self, frame: FrameType, _event: str, _arg: object) -> Any:
        return self._traced if "/smtpref/parsing/" in frame.f_code.co_filename else None

    def _traced(self, frame: FrameType, event: str, _arg: object) -> Any:
        if event == "line":
            place = (frame.f_code, frame.f_lineno)
            if place not in self._seen:
                self._seen.add(place)
                self._new = True
        return self._traced


def changed(chance: random.Random, corpus: list[bytes]) -> bytes:
    """One of the corpus, with a few changes."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 2, 8, 40))
        match chance.randrange(7):
            case 0:
                del data[place : place + length]
            case 1:
                data[place:place] = chance.choice(PIECES)
            case 2:
                data[place : place + 1] = bytes((chance.randrange(256),))
            case 3:
                data[place:place] = data[place : place + length] * chance.choice((1, 2, 20))
            case 4:
                other = chance.choice(corpus)
                start = chance.randrange(len(other) + 1)
                data[place:] = other[start:]
            case 5:
                lines = data.split(b"\n")
                chance.shuffle(lines)
                data = bytearray(b"\n".join(lines[: chance.choice((3, 30))]))
            case _:
                del data[place:]
    return bytes(data[:LONGEST])


def shortest(data: bytes, breaks: Callable[[bytes], bool]) -> bytes:
    """What is left of an input when everything that it can do without is gone."""
    size = len(data) // 2
    while size:
        place = 0
        while place < len(data):
            without = data[:place] + data[place + size :]
            if breaks(without):
                data = without
            else:
                place += size
        size //= 2
    return data


def fuzz(name: str, samples: list[bytes], seconds: float, seed: int) -> Iterator[bytes]:
    """Yield the inputs that break a law, each once for its error, shortened."""
    chance = random.Random(seed)
    coverage = Coverage()
    errors: set[str] = set()
    corpus = [sample[:LONGEST] for sample in samples]
    runs = 0

    def error_of(data: bytes) -> str | None:
        try:
            target(data)
        except Exception as why:  # noqa: BLE001  (any is a find)
            place = why.__traceback__
            while place and place.tb_next:
                place = place.tb_next
            return f"{type(why).__name__} at {place and place.tb_lineno}"
        return None

    end = time.monotonic() + seconds
    waiting = list(corpus)
    while time.monotonic() < end:
        data = waiting.pop() if waiting else changed(chance, corpus)
        runs += 1
        try:
            if coverage.reaches_new(target, data):
                corpus.append(data)
        except Exception:  # noqa: BLE001
            error = error_of(data)
            if error and error not in errors:
                errors.add(error)
                print(f"{name}: {error}")
                yield shortest(data, lambda shorter, error=error: error_of(shorter) == error)  # type: ignore[misc]
    print(
        f"{name}: {runs:,} inputs, {len(corpus) - len(samples):,} of them reached new lines, {len(coverage):,} lines in all, {len(errors)} errors"
    )


def main() -> int:
    """Fuzz the formats that are named, or all."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    folders = {folder.name: folder for folder in sorted((CASES / "formats").iterdir()) if folder.is_dir()}
    folders["postfix"] = CASES / "postfix"
    names = sys.argv[2:] or list(folders)
    found = 0
    for name in names:
        samples = [
            path.read_bytes()
            for path in sorted(folders[name].rglob("*"))
            if path.is_file() and path.name != "ORIGIN" and ".expected." not in path.name
        ]
        for data in fuzz(name, samples, seconds / len(names), seed=int(time.time())):
            path = Path(f"fuzz-{name}-{hashlib.sha256(data).hexdigest()[:8]}")
            path.write_bytes(data)
            print(f"  {path}: {data[:200]!r}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
