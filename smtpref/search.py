"""`search`: the entries that a person means by some words, the best first, typing mistakes forgiven."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .model import Entry, Kind, Phase
from .patterns import lazily
from .reference import Reference

NAME, CODE, TELLING, REST = 10, 20, 4, 1
OWN_HANDLE = 6
"""A provider's own word for a code weighs less than a name: few people type it."""

ORDER = (Kind.REASON, Kind.REPLY, Kind.ENHANCED, Kind.CLASS, Kind.BLOCKLIST, Kind.PROVIDER)
"""What comes first of hits that weigh the same."""

ENOUGH_LIKE = 0.8
"""How alike two words must be (difflib's ratio) for one to be taken for a typing mistake of the other."""

_WORD = lazily(r"[^\W_]+(?:[.'-][^\W_]+)*")


class Filters(NamedTuple):
    """What a hit must be, beside having the words."""

    phase: Phase | None = None
    permanent: bool | None = None
    provider: str | None = None
    reason: str | None = None

    def admit(self, entry: Entry) -> bool:
        return (
            (self.phase is None or self.phase in entry.phases)
            and (self.permanent is None or entry.permanent is self.permanent)
            and (self.provider is None or entry.provider == self.provider or any(u.provider == self.provider for u in entry.uses))
            and (self.reason is None or self.reason in entry.reasons or entry.code == self.reason)
        )


def search_entries(words: Sequence[str], reference: Reference, filters: Filters) -> list[Entry]:
    """Return the admitted entries that have all the words, best first; without words all of them, in the reference's order."""
    entries = [entry for entry in reference.every_entry() if filters.admit(entry)]
    wanted = [token for word in words for token in _tokens(word)]
    if not wanted:
        return entries
    indexed = [(entry, dict(_weights(entry))) for entry in entries]
    forgiving = [_known_spelling(token, indexed) for token in wanted]
    scored = [(score, entry) for entry, weights in indexed if (score := _score(forgiving, weights))]
    return [entry for _, entry in sorted(scored, key=lambda pair: (-pair[0], ORDER.index(pair[1].kind)))]


def grouped(entries: Iterable[Entry]) -> list[tuple[Kind, list[Entry]]]:
    """The entries by kind, in their order."""
    groups: dict[Kind, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.kind, []).append(entry)
    return list(groups.items())


def _score(wanted: Sequence[str], weights: dict[str, int]) -> int:
    total = 0
    for token in wanted:
        best = max((weight * (3 if word == token else 1) for word, weight in weights.items() if word.startswith(token)), default=0)
        if not best:
            return 0
        total += best
    return total


def _known_spelling(token: str, indexed: Sequence[tuple[Entry, dict[str, int]]]) -> str:
    vocabulary = {word for _, weights in indexed for word in weights}
    if any(word.startswith(token) for word in vocabulary):
        return token
    near = difflib.get_close_matches(token, vocabulary, n=1, cutoff=ENOUGH_LIKE)
    return near[0] if near else token


def _weights(entry: Entry) -> Iterator[tuple[str, int]]:
    # Later pairs win in a dict: the weightiest come last.
    for text in (
        *entry.fix,
        entry.note or "",
        entry.example or "",
        *(use.provider_name for use in entry.uses),
        *entry.replies,
        *entry.enhanced,
    ):
        yield from ((token, REST) for token in _tokens(text))
    for text in (entry.meaning, entry.when, *entry.reasons):
        yield from ((token, TELLING) for token in _tokens(text))
    yield from ((token, NAME) for token in _tokens(entry.name))
    weight = OWN_HANDLE if entry.kind is Kind.PROVIDER and entry.code.islower() else CODE
    if entry.kind is Kind.ENHANCED:
        yield from ((digit + entry.code[1:], CODE) for digit in "245")
    yield from ((token, weight) for token in _tokens(entry.code.replace("-", " ") if entry.kind is Kind.REASON else entry.code))


def _tokens(text: str) -> list[str]:
    """The words of a text without case and accents, so that "hop thu" finds "hộp thư"."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return _WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))
