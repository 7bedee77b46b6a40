"""Records as rows of what a summary counts them by: facts, who sent what to whom and when, and under which id the next server goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .model import Outcome, Record, Verdict
from .parsing.postfix_usual import UsualLine
from .patterns import lazily

NONE = "none"
"""What stands for anything that a record does not tell."""

SHORTEST_ID, LONGEST_ID = 5, 24
"""Letters and digits of queue ids."""

# A hand-over names the id under which the next server, or a content filter's, goes on: Postfix, Exim, Sendmail.
_HANDED_OVER = lazily(
    rf"\bqueued as (?P<postfix>[0-9A-Za-z]{{{SHORTEST_ID},{LONGEST_ID}}})\b|\bid=(?P<exim>\w{{6}}-\w{{6,11}}-\w{{2,4}})\b|\b(?P<sendmail>\w{{14}}) Message accepted for delivery"
)

WORDS_OF_HAND_OVER = ("queued as ", "id=", " Message accepted for delivery")
"""Without any of these no reply hands a message over."""


class Facts(NamedTuple):
    """What is counted of a message, beside domain, sender and time."""

    direction: str
    outcome: str
    reason: str
    category: str
    bounce: str
    reply_code: str
    enhanced_code: str
    provider: str
    action: str
    acts: str


class Listing(NamedTuple):
    """What is listed, and in which blocklist, as far as the reply told; empty where it did not."""

    about: str
    blocklist: str


class Columns(NamedTuple):
    """What the rows of records say themselves."""

    hosts: Sequence[str | None]
    queue_ids: Sequence[str | None]
    senders: Sequence[str | None]
    recipients: Sequence[str | None]
    times: Sequence[str | None]
    lines: Sequence[int]


class Rows(NamedTuple):
    """What the rows of records are counted by."""

    facts: list[int]
    """Numbers, of whoever counts."""

    handed_over: list[str | None]
    """The ids under which the next servers go on."""

    listings: dict[int, Listing]
    """By row, where the facts make somebody ask for them."""


def columns_of(records: Sequence[Record | UsualLine]) -> Columns:
    """The columns of records, or of lines that tell of one each."""
    return Columns(
        [record.host for record in records],
        [record.queue_id for record in records],
        [record.sender for record in records],
        [record.recipient for record in records],
        [record.time for record in records],
        [record.line for record in records],
    )


def facts_of(record: Record, verdict: Verdict) -> Facts:
    """What is counted of a record."""
    return Facts(
        record.direction.value if record.direction else NONE,
        record.outcome.value if record.outcome else NONE,
        verdict.reason,
        verdict.category.value,
        verdict.bounce.value,
        str(record.reply_code or NONE),
        str(record.enhanced_code or NONE),
        verdict.provider or NONE,
        verdict.action.value,
        verdict.acts.value,
    )


def handed_over_as(text: str) -> str | None:
    """The id under which the next server, or a filter on the same host, goes on."""
    match = _HANDED_OVER.search(text)
    return (match["postfix"] or match["exim"] or match["sendmail"]) if match else None


def handed_over_by(record: Record) -> str | None:
    """The id under which the next server goes on with a record's message, if it was handed over."""
    return handed_over_as(record.text) if record.outcome is Outcome.DELIVERED else None
