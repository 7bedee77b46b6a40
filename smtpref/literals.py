"""Which words a text must have before a pattern can match it: worked out from the pattern, so that nobody has to write them down.

A pattern's needs are groups of words; of each group one must be in the text. They are found once, when `codes.jsonl` is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _constants, _parser  # type: ignore[attr-defined]  # the parser of `re` has no public name since Python 3.11
from typing import Any

SHORTEST = 3
"""Letters below which a word is too common to be worth looking for; in scripts from U+2E80 on, one letter is a word."""

MOST_WORDS = 60
"""A group of more words than this tells little."""

MOST_SPELLINGS = 16
"""Ways to write a word, some of whose letters are one of several."""

MOST_GROUPS = 3

Needs = list[list[str]]


def needs_of(pattern: str) -> Needs:
    """The groups of words of `pattern`, the most telling first; empty where it may match without any."""
    groups = [sorted(group) for group in _groups(_parser.parse(pattern, re.IGNORECASE)) if 0 < len(group) <= MOST_WORDS]
    groups.sort(key=lambda group: (-min(map(len, group)), len(group)))
    unique = [group for number, group in enumerate(groups) if group not in groups[:number]]
    return unique[:MOST_GROUPS]


def _groups(parsed: Sequence[Any]) -> Iterator[set[str]]:
    """One group for every stretch of the sequence that cannot be left out."""
    words = {""}
    for operation, argument in parsed:
        letters = _letters(operation, argument)
        if letters and len(words) * len(letters) <= MOST_SPELLINGS:
            words = {word + letter for word in words for letter in letters}
            continue
        if all(map(_is_word, words)):
            yield words
        words = letters or {""}
        if operation is _constants.SUBPATTERN:
            yield from _groups(argument[3])
        elif operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and argument[0] > 0:
            yield from _groups(argument[2])
        elif operation is _constants.BRANCH:
            yield from _branches(argument[1])
    if all(map(_is_word, words)):
        yield words


def _letters(operation: Any, argument: Any) -> set[str]:
    """The letters that may stand in one place of a word; none where that is no letter, or may be one of many."""
    if operation is _constants.LITERAL:
        return {chr(argument).lower()}
    if operation is _constants.IN and all(kind is _constants.LITERAL for kind, _ in argument):
        return {chr(letter).lower() for _, letter in argument}
    return set()


def _branches(branches: Sequence[Sequence[Any]]) -> Iterator[set[str]]:
    """The one group that alternatives make: the most telling group of each, if each has one."""
    words: set[str] = set()
    for branch in branches:
        groups = list(_groups(branch))
        if not groups:
            return
        words |= max(groups, key=lambda group: min(map(len, group)))
    yield words


def _is_word(text: str) -> bool:
    return len(text) >= SHORTEST or any(letter >= "\u2e80" for letter in text)
