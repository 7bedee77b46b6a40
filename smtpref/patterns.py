"""Patterns that are compiled when they are first used: a run needs few of hundreds, and to compile them all takes longer than all else."""

from __future__ import annotations

import re
from typing import Any, TypeVar, cast

Text = TypeVar("Text", str, bytes)


def lazily(pattern: Text, flags: int = 0) -> re.Pattern[Text]:
    """Return what `re.compile` would; a mistake in the pattern is found when it is first used."""
    return cast("re.Pattern[Text]", _Lazy(pattern, flags))


class _Lazy:
    """Stands for a compiled pattern, and hands on whatever is asked of it."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags
        self._compiled: re.Pattern[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        """What is not here yet: kept, so that it is asked for once."""
        self._compiled = self._compiled or re.compile(self.pattern, self._flags)
        value = self.__dict__[name] = getattr(self._compiled, name)
        return value
