"""Opening what was named on the command line, and cutting it into lines; what the bytes mean is decided elsewhere.

Lines come as soon as they are there, so that `tail -F mail.log | smtpref classify` is live, and no line is held whole beyond `MAX_LINE`.
"""

from __future__ import annotations

import bz2
import codecs
import errno
import io
import lzma
import os
import select
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, Self, cast

from ..errors import PassedOver, Unreadable
from ..model import STDIN
from ..patterns import lazily

MAX_LINE = 1 << 20
"""Bytes of one line that are looked at; the rest of a longer one is passed over."""

CHUNK = 1 << 16
"""Bytes that are read at once of what comes live,"""

FILE_CHUNK = 1 << 18
"""and of a file."""

_UTF16 = lazily(rb"\xff\xfe[\x01-\x7f]\0|\xfe\xff\0[\x01-\x7f]")
IDLE_SECONDS = 0.2


class Line(NamedTuple):
    """One line of an input, without its end, counted from 1."""

    number: int
    text: str
    raw: bytes
    begin: int
    """Where it begins: the bytes before it."""


IDLE = None
"""Stands between lines where a live input has paused: what waits for a continuation need not wait longer."""


class Cuts:
    """What of an input was too large and read only as far as its bound: "line", "message" or "recipients", how often and where first."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def add(self, what: str, line: int) -> None:
        """Take note of one cut."""
        self._first.setdefault(what, line)
        self._counts[what] += 1

    def told(self, path: str) -> list[PassedOver]:
        """A note for each kind of cut."""
        return [PassedOver(path, line, what, self._counts[what]) for what, line in self._first.items()]


Skim = Callable[[bytes, int, int, int], tuple[int, int]]
"""Given bytes, where a line begins in them, where to stop, and that line's number: where the first line begins that was left, and its number.

None is passed over whose end is not there.
"""


class Lines(Protocol):
    """The lines of an input, one after another, and IDLE where it has paused."""

    def __iter__(self) -> Iterator[Line | None]: ...

    def __next__(self) -> Line | None: ...

    def skim(self, skim: Skim, until: int | None = None) -> int:
        """Pass over lines that are at hand already, as far as `skim` goes and to the byte `until`, and return how many they were."""
        ...

    @property
    def size(self) -> int:
        """How many bytes have been passed."""
        ...

    @property
    def cuts(self) -> Cuts:
        """What has been cut of them, and of what their readers made of them."""
        ...


class CutLines:
    """The lines of chunks of bytes, as they come."""

    def __init__(self, chunks: Iterator[bytes | None]) -> None:
        self._chunks = _without_utf16(chunks)
        self._block = b""
        self._position = 0
        self._passed = 0
        self._number = 0
        self.cuts = Cuts()

    def __iter__(self) -> Iterator[Line | None]:
        return self

    def __next__(self) -> Line | None:
        while (end := self._block.find(b"\n", self._position)) < 0:
            rest = self._block[self._position :]
            try:
                chunk = next(self._chunks)
            except StopIteration:
                if not rest:
                    raise
                begin = self.size
                self._position = len(self._block)
                return self._line(rest, begin)
            if chunk is None:
                return IDLE
            self._take(rest, chunk)
        raw = self._block[self._position : min(end, self._position + MAX_LINE)]
        begin = self.size
        self._position = end + 1
        return self._line(raw, begin)

    def skim(self, skim: Skim, until: int | None = None) -> int:
        end = len(self._block) if until is None else min(len(self._block), until - self._passed)
        before = self._number
        self._position, following = skim(self._block, self._position, end, before + 1)
        self._number = following - 1
        return self._number - before

    @property
    def size(self) -> int:
        return self._passed + self._position

    def _take(self, rest: bytes, chunk: bytes) -> None:
        if not (self._number or rest or self._passed):
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        self._passed += self._position
        end = chunk.find(b"\n")
        if end >= 0 and len(rest) + end <= MAX_LINE:
            self._block = rest + chunk
        else:
            # What is too long is dropped as it comes.
            self._block = (rest + chunk[:end])[:MAX_LINE] + chunk[end:] if end >= 0 else (rest + chunk)[:MAX_LINE]
        self._position = 0

    def _line(self, raw: bytes, begin: int) -> Line:
        self._number += 1
        if len(raw) >= MAX_LINE:
            self.cuts.add("line", self._number)
        return Line(self._number, decoded(raw), raw, begin)


class Input(NamedTuple):
    """An opened input: its name as given, when it was written last, and its lines."""

    source: str
    latest: datetime
    lines: Lines


def open_input(path: str, year: int | None = None, before_waiting: Callable[[], None] = lambda: None) -> Input:
    """Open a file, or stdin for "-"; with `year`, its stamps fall in that year. `before_waiting` is called where nothing more is there yet.

    Raises Unreadable where that cannot be done or the compression is unknown here.
    """
    if path == STDIN:
        return Input(STDIN, _latest(datetime.now(), year), CutLines(_live_chunks(sys.stdin.buffer, before_waiting)))
    try:
        if Path(path).is_dir():
            raise Unreadable(path, "is a directory")
        file = cast(BinaryIO, _decompressed(path))
        latest = datetime.fromtimestamp(os.stat(path).st_mtime)
    except OSError as why:
        raise Unreadable(path, why.strerror or str(why), hint=_hint(path, why)) from why
    return Input(path, _latest(latest, year), CutLines(_file_chunks(path, file)))


def files_in(path: str) -> list[str]:
    """The files that `path` stands for: the messages of a Maildir in the order in which they came, or else itself.

    Raises Unreadable where a Maildir cannot be listed.
    """
    folders = [os.path.join(path, name) for name in ("cur", "new")] if path != STDIN and os.path.isdir(path) else []
    found = [folder for folder in folders if os.path.isdir(folder)]
    try:
        files = [entry.path for folder in found for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")]
    except OSError as why:
        raise Unreadable(path, why.strerror or str(why)) from why
    return sorted(files, key=_arrival) if found else [path]


def _arrival(path: str) -> tuple[int, str]:
    """The seconds with which a message's file name starts."""
    name = os.path.basename(path)
    seconds = name.partition(".")[0]
    return (int(seconds) if seconds.isdecimal() and len(seconds) < 20 else 0, name)


def lines_of(*chunks: bytes | None) -> CutLines:
    """The lines of something that is in memory already, in the pieces in which it would come; IDLE is a pause."""
    return CutLines(iter(chunks))


def _latest(written: datetime, year: int | None) -> datetime:
    return datetime(year, 12, 31, 23, 59, 59) if year else written


def _hint(path: str, why: OSError) -> str | None:
    """The command that a person meant who named a reply where a file belongs."""
    if not (path[:3].isdigit() and why.errno in (errno.ENOENT, errno.ENAMETOOLONG)):
        return None
    import shlex  # noqa: PLC0415  (a start that succeeds needs none)

    return f"echo {shlex.quote(path)} | smtpref classify"


def _decompressed(path: str) -> object:
    if path.endswith(".gz"):
        # Few inputs are compressed.
        import gzip  # noqa: PLC0415

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
    return _ZstdChunks(open(path, "rb"), zstandard.ZstdDecompressor().decompressobj)


class _ZstdChunks:
    """Frames one after another; a last one that does not end is an error, which zstandard's own reader passes over."""

    def __init__(self, file: BinaryIO, new_frame: Callable[[], Any]) -> None:
        self._file = file
        self._new_frame = new_frame
        self._frame: Any = None

    def read(self, size: int) -> bytes:
        while chunk := self._file.read(size):
            content = b""
            while chunk:
                self._frame = self._frame or self._new_frame()
                content += self._frame.decompress(chunk)
                chunk = self._frame.unused_data
                if self._frame.eof:
                    self._frame = None
            if content:
                return content
        if self._frame:
            raise EOFError("the file ends before its last frame does")
        return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _file_chunks(path: str, file: BinaryIO) -> Iterator[bytes | None]:
    try:
        with file:
            yield from iter(lambda: file.read(FILE_CHUNK), b"")
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as why:
        raise Unreadable(path, getattr(why, "strerror", None) or str(why)) from why
    except Exception as why:
        # zstandard's own error class cannot be named without importing it.
        if type(why).__module__.startswith(("zstandard", "compression")):
            raise Unreadable(path, str(why)) from why
        raise


def _live_chunks(stream: io.BufferedIOBase | BinaryIO, before_waiting: Callable[[], None]) -> Iterator[bytes | None]:
    try:
        descriptor = stream.fileno()
    except (OSError, AttributeError, ValueError):
        yield from iter(lambda: stream.read(CHUNK), b"")
        return
    can_wait = os.name == "posix"
    while True:
        if not (can_wait and select.select([descriptor], [], [], 0)[0]):
            before_waiting()
            if can_wait and not select.select([descriptor], [], [], IDLE_SECONDS)[0]:
                yield IDLE
                before_waiting()
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            return
        yield chunk


def _without_utf16(chunks: Iterator[bytes | None]) -> Iterator[bytes | None]:
    """UTF-16 with its byte order mark, as PowerShell writes files, becomes UTF-8; all else stays as it is."""
    decoder: codecs.IncrementalDecoder | None = None
    is_first = True
    for chunk in chunks:
        if chunk and is_first:
            is_first = False
            # The first letter of any log is one of ASCII.
            if _UTF16.match(chunk):
                decoder = codecs.getincrementaldecoder("utf-16")("replace")
        yield decoder.decode(chunk).encode() if chunk and decoder else chunk


def decoded(line: bytes) -> str:
    """UTF-8, or else the Western encoding that old mail software writes; no byte is refused."""
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").rstrip("\r")
