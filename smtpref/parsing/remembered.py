"""What a reader keeps from line to line, by queue id: never more than a busy server's queue, so that a log of a month fills no memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

Value = TypeVar("Value")

MAX_OPEN_MESSAGES = 50_000
"""Entries that are kept; the one that was set longest ago is forgotten first."""


class Remembered(OrderedDict[str, Value]):
    """A mapping that forgets its oldest entries."""

    def __init__(self, limit: int = MAX_OPEN_MESSAGES) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: str, value: Value) -> None:
        if key in self:
            self.move_to_end(key)
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]
