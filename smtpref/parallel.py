"""Large files on more than one core; what is written is byte for byte what one process writes.

Records are written by several processes that share the parts of the inputs. Each reads all of a file, since a message's lines may be far
apart; but what costs most, to judge and to write, it does for its own parts only (see `read_share`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from .classification import Classifier
from .errors import SmtprefError, Unreadable
from .knowledge import Knowledge
from .model import STDIN, Classified, InputFormat
from .parsing.files import files_in, open_input
from .parsing.recognition import PART, Share, read_share

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTHWHILE = 8 * PART
"""Bytes from which on it pays to start processes."""


class _File(NamedTuple):
    path: str
    first: int
    """The number of its first part."""
    parts: int


class Plan(NamedTuple):
    """Which files are shared by how many processes."""

    files: tuple[_File, ...]
    processes: int


class Work(NamedTuple):
    """What is done with each file: how it is read, which records are kept, how one is written."""

    knowledge: Knowledge
    only: InputFormat | None
    year: int | None
    keeps: Callable[[Classified], bool]
    render: Callable[[Classified], str]


def plan_for(paths: Iterable[str], processes: int | None = None) -> Plan | None:
    """How to share the reading of files, or None where one process does as well: small ones, a pipe, or what cannot be read."""
    processes = processes or _cores()
    if processes < 2 or not hasattr(os, "fork"):
        return None
    files: list[_File] = []
    size = first = 0
    try:
        for path in paths:
            if path == STDIN:
                return None
            for name in files_in(path):
                if not os.path.isfile(name):
                    return None
                own = os.path.getsize(name)
                # What is compressed has no parts that could be told by its size.
                is_plain = not name.endswith((".gz", ".bz2", ".xz", ".zst"))
                parts = max(1, -(-own // PART)) if is_plain else 1
                files.append(_File(name, first, parts))
                first, size = first + parts, size + own
    except (OSError, Unreadable):
        return None
    return Plan(tuple(files), min(processes, first)) if size >= WORTHWHILE and first > 1 else None


def write_in_parallel(plan: Plan, work: Work, put: Callable[[str], None], errors: list[SmtprefError]) -> int:
    """Write the records of the planned files with `put`, and return how many there were; a file that cannot be read, or was not read whole, is added to `errors`."""
    # It takes a tenth of a start; small inputs do without.
    import multiprocessing  # noqa: PLC0415

    context = multiprocessing.get_context("fork")
    sources: list[Connection] = []
    for number in range(plan.processes):
        source, sink = context.Pipe(duplex=False)
        context.Process(target=_do_share, args=(sink, plan, number, work), daemon=True).start()
        sink.close()
        sources.append(source)
    count = 0
    for file in plan.files:
        try:
            for part in range(file.first, file.first + file.parts):
                done: _Part = sources[part % plan.processes].recv()
                put(done.text)
                count += done.records
                errors += done.errors
        except EOFError:
            errors.append(Unreadable(file.path, "a process that read it has ended"))
            break
    return count


class _Part(NamedTuple):
    """What is written of a part, and how many records it has."""

    text: str
    records: int
    errors: list[SmtprefError]


def _do_share(sink: Connection, plan: Plan, number: int, work: Work) -> None:
    try:
        classifier = Classifier(work.knowledge)
        for file in plan.files:
            share = Share(number, plan.processes, file.first, file.parts)
            if any(share.owns(part) for part in range(file.parts)):
                for part in _parts(file.path, share, classifier, work):
                    sink.send(part)
    except (KeyboardInterrupt, BrokenPipeError):
        # Whoever reads has gone, or is told by the same key.
        os._exit(1)


def _parts(path: str, share: Share, classifier: Classifier, work: Work) -> Iterator[_Part]:
    """What is written of each of a file's own parts: as a whole, since a process that had to wait for its reader would not be at work."""
    ends = sum(share.owns(part) for part in range(share.parts))
    errors: list[SmtprefError] = []
    lines: list[str] = []
    try:
        opened = open_input(path, work.year)
        for item in read_share(opened, share, work.only):
            if item is None and ends > 1:
                yield _Part("".join(lines), len(lines), [])
                lines, ends = [], ends - 1
            if item is None:
                # The last part waits for what is to be said of the whole file.
                continue
            classified = classifier.classified(item, path)
            if classified and work.keeps(classified):
                lines.append(work.render(classified))
        found: list[SmtprefError] = [*opened.lines.cuts.told(path)]
    except Unreadable as error:
        found = [error]
    # The others tell of the same file as well.
    errors = found if share.owns(share.parts - 1) else []
    for _ in range(ends):
        yield _Part("".join(lines), len(lines), errors)
        lines, errors = [], []


def has_more_than_one_core() -> bool:
    """Whether other processes can be at work at the same time, and be started as copies of this one."""
    return _cores() > 1 and hasattr(os, "fork")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
