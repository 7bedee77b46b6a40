"""The checked knowledge as a file that costs next to nothing to open: `codes.jsonl`, made from `codes.yaml`.

The first line tells what the file was made from, and how many bytes each section has. Every other line is a JSON list of section, identity
and block: a section is cut into lines, and a block parsed, when it is asked for, since a run needs few of a thousand.
The last sections are indexes.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
BUILT = "codes.jsonl"
INDEX = "index of {name}"
"""A section of one block: what would need every block to be parsed."""

Block = Mapping[str, Any]


class Blocks(Mapping[str, Block]):
    """The blocks of one section by identity, in the order of the file."""

    def __init__(self, written: Mapping[str, Block] | memoryview) -> None:
        self._written = written

    @cached_property
    def _lines(self) -> dict[str, bytes | Block]:
        if not isinstance(self._written, memoryview):
            return dict(self._written)
        lines = bytes(self._written).splitlines()
        return {line.split(b'"', 4)[3].decode(): line for line in lines}

    def __getitem__(self, identity: str) -> Block:
        block = self._lines[identity]
        if isinstance(block, bytes):
            block = json.loads(block)[2]
            self._lines[identity] = block
        return block

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


Sections = Mapping[str, Blocks]


def shipped_sections() -> Sections:
    """The sections of the shipped knowledge: as built into an installed smtpref, or anew from a checkout's changed `codes.yaml`.

    Raises KnowledgeError with every mistake of a changed codes file.
    """
    written = PACKAGE.parent / "codes.yaml"
    is_checkout = written.exists() and (PACKAGE.parent / "pyproject.toml").exists()
    stamp = stamp_of(written) if is_checkout else None
    built = PACKAGE / BUILT
    if built.exists() and built.stat().st_size:
        with built.open("rb") as file:
            # Only the pages that are looked at are read.
            content = mmap(file.fileno(), 0, access=ACCESS_READ)
        if stamp in (None, _first_line(content)[2]):
            return _sections(content)
        # A mapped file cannot be replaced everywhere.
        content.close()
    # Only a changed checkout needs it.
    from .building import build  # noqa: PLC0415

    new = build(written)
    _replace(built, new)
    return _sections(new)


def listed(value: str | list[str] | None) -> list[str]:
    """The values of a field that may hold one or several."""
    return [] if value is None else [value] if isinstance(value, str) else value


def _sections(content: bytes | mmap) -> Sections:
    *_, sizes = _first_line(content)
    found: dict[str, Blocks] = {}
    rest = memoryview(content)[content.find(b"\n") + 1 :]
    for name, size in sizes.items():
        found[name], rest = Blocks(rest[:size]), rest[size:]
    return found


def _first_line(content: bytes | mmap) -> list[Any]:
    line: list[Any] = json.loads(content[: content.find(b"\n")])
    return line


def stamp_of(written: Path) -> str:
    """Tells one state of the codes file, and of what it is checked and written by, from every other."""
    import hashlib  # noqa: PLC0415  (an installed smtpref never needs it)

    makers = (
        written,
        PACKAGE / "codes_form.py",
        PACKAGE / "codes_file.py",
        PACKAGE / "literals.py",
        PACKAGE / "building.py",
        PACKAGE / "built.py",
        PACKAGE / "rules.py",
        PACKAGE / "shapes.py",
    )
    return hashlib.sha256(b"".join(maker.read_bytes() for maker in makers)).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all; a checkout that cannot be written works without it, only slower."""
    part = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        part.write_bytes(content)
        part.replace(path)
    part.unlink(missing_ok=True)
