"""Which of thousands of words and pieces of phrases stand in a text, found by what they share with its words.

Nothing is searched for in the text but what one of its words makes likely; and the words of replies are few, so what they make likely is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from .patterns import lazily

TOKEN = lazily(r"\w+")
STEM = 3
"""Letters by which words are looked up."""

MAX_TOKENS = 20_000
"""Words of texts of which it is remembered what they hold."""


class Subject:
    """A text in small letters, and its words with their places."""

    def __init__(self, text: str) -> None:
        self.text = text
        lowered = text.lower()
        if len(lowered) != len(text):  # a letter such as U+0130, whose small form is two characters long
            lowered = "".join(letter if len(letter.lower()) != 1 else letter.lower() for letter in text)
        self.lowered = lowered
        self.tokens = [(match[0], match.start()) for match in TOKEN.finditer(lowered)]


class WordIndex:
    """Words in small letters; they may be parts of words of a text, or several of them with signs between."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_piece: dict[str, list[str]] = {}
        self._pieces_by_stem: dict[str, list[str]] = {}
        self._loose: list[str] = []
        self._held_by = lru_cache(maxsize=MAX_TOKENS)(self._find_held)
        for word in sorted(set(words)):
            piece = max(TOKEN.findall(word), key=len, default="")
            if len(piece) < STEM:
                self._loose.append(word)
            else:
                self._by_piece.setdefault(piece, []).append(word)
        for piece in self._by_piece:
            self._pieces_by_stem.setdefault(piece[:STEM], []).append(piece)

    def present(self, subject: Subject) -> set[str]:
        """The words that stand in a text."""
        lowered = subject.lowered
        found = {word for word in self._loose if word in lowered}
        for token in {token for token, _ in subject.tokens}:
            held, perhaps = self._held_by(token)
            found.update(held)
            if perhaps:
                found.update(word for word in perhaps if word in lowered)
        return found

    def _find_held(self, token: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words that a word of a text holds, and those of which it holds the longest piece."""
        stems = {token[start : start + STEM] for start in range(len(token) - STEM + 1)}
        pieces = {piece for stem in stems for piece in self._pieces_by_stem.get(stem, ()) if piece in token}
        words = [word for piece in pieces for word in self._by_piece[piece]]
        return tuple(word for word in words if word in token), tuple(word for word in words if word not in token)
