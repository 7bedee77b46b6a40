"""`classify`: an input's records, each with its verdict, in input order and as soon as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from .errors import SmtprefError, Unreadable
from .judging import Judge
from .knowledge import Knowledge
from .model import STDIN, Classified, InputFormat, Record
from .parsing.files import Input, files_in, lines_of, open_input
from .parsing.postfix_usual import UsualLine
from .parsing.recognition import read_items
from .usual import UsualLines
from .verdict import UNKNOWN


class Classifier:
    """Gives what inputs tell its verdicts, by one Knowledge; what it has judged once it remembers."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.judge = Judge(knowledge)
        self.usual_lines = UsualLines(self.judge)

    def classify(self, opened: Input, only: InputFormat | None = None) -> Iterator[Classified]:
        """Yield what an opened input tells; `only` forces one format."""
        for item in read_items(opened, only):
            classified = self.classified(item, opened.source)
            if classified:
                yield classified

    def classified(self, item: Record | UsualLine, source: str) -> Classified | None:
        """What an item of an input tells, with its verdict; None where it is nothing but words and these say nothing."""
        if isinstance(item, UsualLine):
            return self.usual_lines.classified(item, source)
        verdict = self.judge.judge(item)
        return None if item.words_only and verdict.reason == UNKNOWN else Classified(item, verdict)


def classify_text(text: str, knowledge: Knowledge) -> list[Classified]:
    """Return the outcomes and replies in `text`: a reply, a log line, or many of them. Empty where there are none."""
    opened = Input(STDIN, datetime.now(), lines_of(text.encode("utf-8", "surrogatepass")))
    return list(Classifier(knowledge).classify(opened))


def classify_path(path: str, knowledge: Knowledge) -> Iterator[Classified]:
    """Yield what the file or Maildir at `path` tells; raises Unreadable where it cannot be read."""
    classifier = Classifier(knowledge)
    for file in files_in(path):
        yield from classifier.classify(open_input(file))


def classify_inputs(
    paths: Iterable[str],
    knowledge: Knowledge,
    errors: list[SmtprefError],
    only: InputFormat | None = None,
    year: int | None = None,
    before_waiting: Callable[[], None] = lambda: None,
) -> Iterator[Classified]:
    """Yield what each file or Maildir ("-" for stdin) tells; one that cannot be read is added to `errors`, as is what was cut of one, and the others are read.

    `only` forces one format; `year` is the year of stamps that have none; `before_waiting` is called before a live input is waited for.
    """
    classifier = Classifier(knowledge)
    for path in paths:
        try:
            files = files_in(path)
        except Unreadable as error:
            errors.append(error)
            continue
        for file in files:
            try:
                opened = open_input(file, year, before_waiting)
                yield from classifier.classify(opened, only)
                errors += opened.lines.cuts.told(file)
            except Unreadable as error:
                errors.append(error)
