"""The checked knowledge as a file that costs next to nothing to open: `codes.jsonl`, made from `codes.yaml`.

Each line is a JSON list of section, identity and block; a block is parsed when it is asked for, since a run needs few of a thousand.
The first line tells what the file was made from. The last sections are indexes that would need every block to be parsed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
BUILT = "codes.jsonl"

Block = Mapping[str, Any]


class Blocks(Mapping[str, Block]):
    """The blocks of one section by identity, in the order of the file."""

    def __init__(self, lines: dict[str, bytes | Block]) -> None:
        self._lines = lines

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
    if built.exists():
        first, _, rest = built.read_bytes().partition(b"\n")
        if stamp in (None, json.loads(first)[2]):
            return _sections(rest)
    # Only a changed checkout needs it.
    from .building import build  # noqa: PLC0415

    content = build(written)
    _replace(built, content)
    return _sections(content.partition(b"\n")[2])


def listed(value: str | list[str] | None) -> list[str]:
    """The values of a field that may hold one or several."""
    return [] if value is None else [value] if isinstance(value, str) else value


def _sections(content: bytes) -> Sections:
    sections: dict[str, dict[str, bytes | Block]] = {}
    for line in content.splitlines():
        _, section, _, identity, _ = line.split(b'"', 4)
        sections.setdefault(section.decode(), {})[identity.decode()] = line
    return {name: Blocks(lines) for name, lines in sections.items()}


def stamp_of(written: Path) -> str:
    """Tells one state of the codes file, and of what it is checked and written by, from every other."""
    import hashlib  # noqa: PLC0415  (an installed smtpref never needs it)

    makers = (
        written,
        PACKAGE / "codes_form.py",
        PACKAGE / "codes_file.py",
        PACKAGE / "literals.py",
        PACKAGE / "building.py",
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
