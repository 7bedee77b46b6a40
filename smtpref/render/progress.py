"""How far the reading of files is, on stderr, where that is a terminal and the reading takes long enough to be waited for."""

from __future__ import annotations

import os
from time import monotonic
from typing import TextIO

from ..knowledge import Language
from ..wording import phrase

FIRST_AFTER = 0.5
"""Seconds after which somebody waits."""

AGAIN_AFTER = 0.1
WIDTH = 20
_CLEARED = "\r\x1b[K"


class Progress:
    """A bar that is drawn while bytes come in, and wiped out at the end."""

    def __init__(self, stream: TextIO, size: int | None, language: Language) -> None:
        self._stream = stream
        self._size = size or 0
        self._language = language
        self._done = 0
        self._next = monotonic() + FIRST_AFTER
        self._is_drawn = False
        self._can_draw = bool(size) and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def advance(self, size: int) -> None:
        """So many bytes more were read."""
        self._done += size
        if self._can_draw and monotonic() >= self._next:
            self._next = monotonic() + AGAIN_AFTER
            self._is_drawn = True
            self._stream.write(_CLEARED + self.text())
            self._stream.flush()

    def close(self) -> None:
        """Leave no trace."""
        if self._is_drawn:
            self._stream.write(_CLEARED)
            self._stream.flush()

    def text(self) -> str:
        """The bar and its words. A compressed file's size is an estimate: it is never said to be read before it is."""
        part = min(self._done / self._size, 0.99) if self._size else 0.0
        full = int(part * WIDTH)
        words = phrase("sum-progress", self._language, percent=int(100 * part), size=f"{self._size / 1_000_000:.0f} MB")
        return f"{words} ▕{'█' * full}{' ' * (WIDTH - full)}▏"
