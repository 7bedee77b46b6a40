"""The summary of a survey: what is read, judged, filtered, made anonymous and counted, on two cores where that pays."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from .beside import Batch, batches, work_beside
from .classification import Classifier
from .counting import Counting
from .filtering import NO_FILTERS, Filters
from .knowledge import Knowledge
from .line_account import LineAccount
from .memory import give_back_large_blocks
from .model import QUEUES, STDIN, Classified, InputFormat, Record
from .parallel import WORTHWHILE, has_more_than_one_core
from .rows import Columns, Facts, Rows, columns_of
from .summary import Summariser, Summary, as_counted
from .survey import Survey, Watch

if TYPE_CHECKING:
    from .redaction import Redactor


class Counted(NamedTuple):
    """What a batch comes to."""

    facts: list[Facts]
    """Those that come for the first time."""

    usual: Rows
    """Where usual lines are counted by their kinds, the batch's own."""

    others: tuple[Rows, Columns]
    noted: tuple[Rows, Columns]
    """Records that the filters leave out."""

    is_queue_of_now: bool
    """Whether any of the others lists a queue as it is at the moment."""


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
    counting = Counting(frozenset(knowledge.blocklists), classifier.judge.anatomy)
    summariser = Summariser(frozenset(domain for marks in knowledge.marks["providers"] for domain in marks.get("domains", ())))
    takes_all = filters == NO_FILTERS and not redactor
    is_queue_of_now = False

    def counted(batch: Batch) -> Counted:
        usual = counting.rows_of_usual(batch.usual, classifier.usual_lines)
        kept: list[Classified] = []
        noted: list[Classified] = []
        for item in batch.others:
            classified = classifier.classified(item, "")
            if classified:
                (kept if filters.admit(classified) else noted).append(redactor.redact(as_counted(classified)) if redactor else classified)
        others = (counting.rows(kept), columns_of([one.record for one in kept]))
        of_noted = (counting.rows(noted, with_replies=False), columns_of([one.record for one in noted]))
        return Counted(counting.new_facts(), usual, others, of_noted, any(_is_queue_of_now(one.record) for one in kept))

    def take(batch: Batch, result: Counted) -> None:
        nonlocal is_queue_of_now
        is_queue_of_now = is_queue_of_now or result.is_queue_of_now
        summariser.know(result.facts)
        summariser.add(result.usual, columns_of(batch.usual))
        summariser.add(*result.others)
        summariser.note(*result.noted)

    items = batches(survey.items(classifier, account, only, watch), by_kinds=takes_all)
    is_large = survey.size is None or survey.size >= WORTHWHILE
    if is_large:
        give_back_large_blocks()
    # What comes through a pipe may be large, but has to be counted where it is read; and pseudonyms have one order.
    if survey.size is not None and is_large and not redactor and has_more_than_one_core():
        replies = work_beside(items, counted, take, counting.replies)
    else:
        for batch in items:
            take(batch, counted(batch))
        replies = counting.replies()
    shown = {redactor.text(shape) if redactor else shape: count for shape, count in account.shapes.items()}
    return summariser.summary(replies, account.counts, shown, datetime.now().astimezone() if is_queue_of_now else None)


def _is_queue_of_now(record: Record) -> bool:
    return record.source == STDIN and record.format in QUEUES
