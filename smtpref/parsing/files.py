"""Opening what was named on the command line, and cutting it into lines; what the bytes mean is decided elsewhere.

Lines come as soon as they are there, so that `tail -F mail.log | smtpref classify` is live, and no line is held whole beyond `MAX_LINE`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import select
import shlex
import sys
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ..errors import Unreadable
from ..model import STDIN

MAX_LINE = 1 << 20
"""Bytes of one line that are looked at; the rest of a longer one is passed over."""

CHUNK = 1 << 16
IDLE_SECONDS = 0.2


class Line(NamedTuple):
    """One line of an input, without its end, counted from 1."""

    number: int
    text: str
    raw: bytes


IDLE = None
"""Stands between lines where a live input has paused: what waits for a continuation need not wait longer."""


class Input(NamedTuple):
    """An opened input: its name as given, when it was written last, and its lines."""

    source: str
    latest: datetime
    lines: Iterator[Line | None]


def open_input(path: str, year: int | None = None) -> Input:
    """Open a file, or stdin for "-"; with `year`, its stamps fall in that year.

    Raises Unreadable where that cannot be done or the compression is unknown here.
    """
    if path == STDIN:
        return Input(STDIN, _latest(datetime.now(), year), _live_lines(sys.stdin.buffer))
    try:
        if Path(path).is_dir():
            raise Unreadable(path, "is a directory")
        file = cast(BinaryIO, _decompressed(path))
        latest = datetime.fromtimestamp(os.stat(path).st_mtime)
    except OSError as why:
        raise Unreadable(path, why.strerror or str(why), hint=_hint(path)) from why
    return Input(path, _latest(latest, year), _file_lines(path, file))


def lines_of(content: bytes) -> Iterator[Line | None]:
    """The lines of something that is in memory already."""
    return _cut(iter([content]))


def _latest(written: datetime, year: int | None) -> datetime:
    return datetime(year, 12, 31, 23, 59, 59) if year else written


def _hint(path: str) -> str | None:
    """The command that a person meant who named a reply where a file belongs."""
    return f"echo {shlex.quote(path)} | smtpref classify" if path[:3].isdigit() and not Path(path).exists() else None


def _decompressed(path: str) -> object:
    if path.endswith(".gz"):
        return gzip.open(path, "rb")
    if path.endswith(".bz2"):
        return bz2.open(path, "rb")
    if path.endswith(".xz"):
        return lzma.open(path, "rb")
    if path.endswith(".zst"):
        return _zstd(path)
    return open(path, "rb", buffering=0)


def _zstd(path: str) -> object:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415

        return zstd.open(path, "rb")
    try:
        import zstandard  # noqa: PLC0415  (an extra)
    except ImportError as why:
        raise Unreadable(path, "zstd-compressed", hint="pip install 'smtpref[zstd]'") from why
    return zstandard.open(path, "rb")


def _file_lines(path: str, file: BinaryIO) -> Iterator[Line | None]:
    try:
        with file:
            yield from _cut(iter(lambda: file.read(CHUNK), b""))
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as why:
        raise Unreadable(path, getattr(why, "strerror", None) or str(why)) from why
    except Exception as why:
        # zstandard's own error class cannot be named without importing it.
        if type(why).__module__.startswith(("zstandard", "compression")):
            raise Unreadable(path, str(why)) from why
        raise


def _live_lines(stream: io.BufferedIOBase | BinaryIO) -> Iterator[Line | None]:
    try:
        descriptor = stream.fileno()
    except (OSError, AttributeError, ValueError):
        return _cut(iter(lambda: stream.read(CHUNK), b""))
    return _cut(_live_chunks(descriptor))


def _live_chunks(descriptor: int) -> Iterator[bytes | None]:
    can_wait = os.name == "posix"
    while True:
        if can_wait and not select.select([descriptor], [], [], IDLE_SECONDS)[0]:
            yield IDLE
            select.select([descriptor], [], [])
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            return
        yield chunk


def _cut(chunks: Iterator[bytes | None]) -> Iterator[Line | None]:
    rest = b""
    number = 0
    for chunk in chunks:
        if chunk is None:
            yield IDLE
            continue
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            number += 1
            raw = (rest + piece)[:MAX_LINE]
            yield Line(number, _text(raw), raw)
            rest = b""
        rest = (rest + last)[:MAX_LINE]
    if rest:
        yield Line(number + 1, _text(rest), rest)


def _text(line: bytes) -> str:
    """UTF-8, or else the Western encoding that old mail software writes; no byte is refused."""
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").rstrip("\r")
