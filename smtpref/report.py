"""The summary of a survey: what is read, judged, filtered, made anonymous and counted, on two cores where that pays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from .classification import Classifier
from .filtering import NO_FILTERS, Filters
from .knowledge import Knowledge
from .line_account import LineAccount, LineCounts
from .memory import give_back_large_blocks
from .model import InputFormat, Record
from .parallel import WORTHWHILE, Batch, batches, has_more_than_one_core, read_beside
from .parsing.postfix_usual import UsualLine
from .summary import Summariser, Summary, as_counted
from .survey import Survey, Watch

if TYPE_CHECKING:
    from .redaction import Redactor

Ending = tuple[LineCounts, dict[str, int]]
"""What is known of the lines when all are read: their counts, and the shapes of those that were not understood."""


def summary_of(
    survey: Survey,
    knowledge: Knowledge,
    filters: Filters = NO_FILTERS,
    redactor: Redactor | None = None,
    only: InputFormat | None = None,
    watch: Watch | None = None,
) -> Summary:
    """Return the summary of the records that `filters` keep, anonymous where there is a `redactor`; `watch` is called with the bytes read."""
    classifier = Classifier(knowledge)
    account = LineAccount()
    takes_all = filters == NO_FILTERS and not redactor
    may_be_large = survey.size is None or survey.size >= WORTHWHILE

    def counted(items: Iterator[Batch], ending: Callable[[], Ending]) -> Summary:
        if may_be_large:
            give_back_large_blocks()
        providers = frozenset(domain for marks in knowledge.marks["providers"] for domain in marks.get("domains", ()))
        summariser = Summariser(frozenset(knowledge.blocklists), providers, classifier.judge.anatomy)
        for usual, others in items:
            if takes_all:
                summariser.add_usual(usual, classifier.usual_lines)
            alone: Iterable[Record | UsualLine] = others if takes_all else chain(usual, others)
            for item in alone:
                classified = classifier.classified(item, "")
                if classified is None:
                    continue
                take = summariser.add if filters.admit(classified) else summariser.note
                take(redactor.redact(as_counted(classified)) if redactor else classified)
        lines, shapes = ending()
        shown = {redactor.text(shape) if redactor else shape: count for shape, count in shapes.items()}
        return summariser.summary(lines, shown, now=datetime.now().astimezone())

    def ending() -> Ending:
        return account.counts, account.shapes

    items = batches(survey.items(classifier, account, only, watch))
    # What comes through a pipe may be large, but has to be counted where it is read.
    is_shared = survey.size is not None and may_be_large and has_more_than_one_core()
    return read_beside(items, counted, ending) if is_shared else counted(items, ending)
