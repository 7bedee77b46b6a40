"""`classify`: an input's records, each with its verdict, in input order and as soon as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from .errors import SmtprefError, Unreadable
from .judging import Judge
from .knowledge import Knowledge
from .model import STDIN, Classified, InputFormat, Record
from .parsing.files import Input, files_in, lines_of, open_input
from .parsing.recognition import read_records
from .verdict import UNKNOWN


def classify_text(text: str, knowledge: Knowledge) -> list[Classified]:
    """Return the outcomes and replies in `text`: a reply, a log line, or many of them. Empty where there are none."""
    opened = Input(STDIN, datetime.now(), lines_of(text.encode("utf-8", "surrogatepass")))
    return list(classify_input(opened, Judge(knowledge)))


def classify_path(path: str, knowledge: Knowledge) -> Iterator[Classified]:
    """Yield what the file or Maildir at `path` tells; raises Unreadable where it cannot be read."""
    judge = Judge(knowledge)
    for file in files_in(path):
        yield from classify_input(open_input(file), judge)


def classify_inputs(
    paths: Iterable[str],
    knowledge: Knowledge,
    errors: list[SmtprefError],
    only: InputFormat | None = None,
    year: int | None = None,
    before_waiting: Callable[[], None] = lambda: None,
) -> Iterator[Classified]:
    """Yield what each file or Maildir ("-" for stdin) tells; one that cannot be read is added to `errors` and the others are read.

    `only` forces one format; `year` is the year of stamps that have none; `before_waiting` is called before a live input is waited for.
    """
    judge = Judge(knowledge)
    for path in paths:
        try:
            files = files_in(path)
        except Unreadable as error:
            errors.append(error)
            continue
        for file in files:
            try:
                yield from classify_input(open_input(file, year, before_waiting), judge, only)
            except Unreadable as error:
                errors.append(error)


def classify_input(opened: Input, judge: Judge, only: InputFormat | None = None) -> Iterator[Classified]:
    """Yield what an opened input tells."""
    for record in read_records(opened, only):
        classified = classified_of(record, judge)
        if classified:
            yield classified


def classified_of(record: Record, judge: Judge) -> Classified | None:
    """A record with its verdict; None where it is nothing but words and these say nothing."""
    verdict = judge.judge(record)
    return None if record.words_only and verdict.reason == UNKNOWN else Classified(record, verdict)
