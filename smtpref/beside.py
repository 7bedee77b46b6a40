"""Work that another process does beside the one that reads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from .model import Record
from .parsing.postfix_usual import UsualLine

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from queue import SimpleQueue

BATCH = 2000
"""Items that are counted, and handed over, at once."""

AHEAD = 20
"""Batches that may be on their way before the reader waits for one."""

_HAS_ENDED = "the process that works beside this one has ended"

Item = TypeVar("Item")
Result = TypeVar("Result")
Ending = TypeVar("Ending")


class Batch(NamedTuple):
    """Some of an input's items."""

    usual: list[UsualLine]
    """Usual lines that are to be counted by their kinds."""

    others: list[Record | UsualLine]

    def __reduce__(self) -> tuple[Any, ...]:
        """What another process is given: columns, which take half the time of rows. Those that only the reader needs stay here."""
        _, times, _, _, *said = zip(*self.usual, strict=True) if self.usual else [()] * len(UsualLine._fields)
        return _batch, (times, said, self.others)


def _batch(times: tuple[str | None, ...], said: list[tuple[Any, ...]], others: list[Record | UsualLine]) -> Batch:
    rows = zip(repeat(0), times, repeat(None), repeat(None), *said, strict=False)
    return Batch(list(map(UsualLine._make, rows)), others)


class _Failed(NamedTuple):
    """What went wrong in the other process."""

    error: Exception


def batches(items: Iterator[Record | UsualLine], *, by_kinds: bool) -> Iterator[Batch]:
    """Yield the items some thousand at a time; `by_kinds` has usual lines apart."""
    while some := list(islice(items, BATCH)):
        usual = [item for item in some if isinstance(item, UsualLine)] if by_kinds else []
        yield Batch(usual, [item for item in some if not isinstance(item, UsualLine)] if usual else some)


def work_beside(
    items: Iterator[Item], work: Callable[[Item], Result], take: Callable[[Item, Result], None], end: Callable[[], Ending]
) -> Ending:
    """Call `take` here with each item and its `work`, which another process does, and return what that says in the `end`."""
    # They take a tenth of a start; small inputs do without.
    import multiprocessing  # noqa: PLC0415
    import threading  # noqa: PLC0415
    from queue import SimpleQueue  # noqa: PLC0415

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, work, end), daemon=True)
    process.start()
    there.close()
    results: SimpleQueue[Any] = SimpleQueue()
    # Whoever waits for an item to be taken must not have to wait for a result to be taken.
    threading.Thread(target=_collect, args=(here, results), daemon=True).start()
    waiting: deque[Item] = deque()
    try:
        for item in items:
            _send(here, item)
            waiting.append(item)
            while len(waiting) > AHEAD or (waiting and not results.empty()):
                take(waiting.popleft(), _result(results))
        _send(here, None)
        for item in waiting:
            take(item, _result(results))
        return cast("Ending", _result(results))
    finally:
        process.terminate()
        process.join()


def _send(here: Connection, item: object) -> None:
    try:
        here.send(item)
    except ConnectionError as why:
        raise RuntimeError(_HAS_ENDED) from why


def _work(there: Connection, work: Callable[[Item], Result], end: Callable[[], Ending]) -> None:
    try:
        while (item := there.recv()) is not None:
            there.send(work(item))
        there.send(end())
    except (EOFError, ConnectionError, KeyboardInterrupt):
        os._exit(1)
    except Exception as error:  # noqa: BLE001  (raised again where the result is taken)
        there.send(_Failed(error))


def _collect(here: Connection, results: SimpleQueue[Any]) -> None:
    try:
        while True:
            results.put(here.recv())
    except (EOFError, OSError):
        results.put(_HAS_ENDED)


def _result(results: SimpleQueue[Any]) -> Any:
    result = results.get()
    if result is _HAS_ENDED:
        raise RuntimeError(_HAS_ENDED)
    if isinstance(result, _Failed):
        raise result.error
    return result
