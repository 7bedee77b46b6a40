"""`explain`: codes are answered by their entries, a whole reply by what happened and by the entries of its codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .errors import NotACode
from .knowledge import Knowledge, Language
from .model import Classified, Entry, EvidenceBy
from .reference import Reference


class Explanation(NamedTuple):
    """The entries asked for, the whole replies among what was asked, and what was no code."""

    entries: tuple[Entry, ...]
    records: tuple[Classified, ...]
    errors: tuple[NotACode, ...]


def explain_codes(asked: Sequence[str], knowledge: Knowledge, language: Language) -> Explanation:
    """Answer each CODE of a command line; what is no code is among the errors, and the others are answered all the same."""
    reference = Reference(knowledge, language)
    entries: list[Entry] = []
    records: list[Classified] = []
    errors: list[NotACode] = []
    for given in reference.grouped(asked, pair_codes=True):
        try:
            entries += reference.entries(given)
        except NotACode as error:
            found = _classified(given, knowledge) if " " in given.strip() else []
            entries += [entry for item in found for code in _codes_of(item) for entry in reference.entries(code)]
            records += found
            errors += [] if found else [error]
    return Explanation(tuple(dict.fromkeys(entries)), tuple(records), tuple(errors))


def _classified(reply: str, knowledge: Knowledge) -> list[Classified]:
    # Readers and rules take as long to import as a third of a start; a code needs none of them.
    from .classification import classify_text  # noqa: PLC0415

    return classify_text(reply, knowledge)


def _codes_of(item: Classified) -> list[str]:
    """What the reply of a record can be asked about: the provider's own code that decided, then its enhanced code and its reply code."""
    record, evidence = item.record, item.verdict.evidence
    own = evidence.rule.replace("/", " ", 1) if evidence.by is EvidenceBy.PROVIDER else None
    return [str(code) for code in (own, record.enhanced_code, record.reply_code) if code]
