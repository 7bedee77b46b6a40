"""The checked knowledge as a file that costs next to nothing to open: `codes.jsonl`, made from `codes.yaml`.

Each line is a JSON list of section, identity and block; a block is parsed when it is asked for, since a run needs few of a thousand.
The first line tells what the file was made from. The last sections are indexes that would need every block to be parsed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
BUILT = "codes.jsonl"

COMPLETED = re.compile(r"(?=.*[A-Z])[A-Za-z][A-Za-z0-9._-]+")
"""Providers' own codes that complete: no plain word, which is only a handle, and no sign that a shell takes for its own."""

_FIXED = re.compile(
    r"(?<![\w.-])[\w-]{1,60}\d(?:\.[A-Za-z-]{1,60}){2,6}(?![\w.-])"
    r"|(?<![\d.])\d{1,5}\.\d{2,3}(?![\d.])|\d{5,}|(?=[A-Za-z]*\d)[0-9A-Za-z]{10,}|(?:\d{1,3}\.){3}\d{1,3}|[\w.+-]+@"
)

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
    stamp = _stamp(written) if is_checkout else None
    built = PACKAGE / BUILT
    if built.exists():
        first, _, rest = built.read_bytes().partition(b"\n")
        if stamp in (None, json.loads(first)[2]):
            return _sections(rest)
    content = build(written)
    _replace(built, content)
    return _sections(content.partition(b"\n")[2])


def build(written: Path) -> bytes:
    """The content of `codes.jsonl` for a codes file; raises KnowledgeError where that is wrong."""
    # yaml costs a third of a start; only a changed checkout, a build and a user's own file need it.
    from .codes_file import read_codes_file  # noqa: PLC0415
    from .codes_form import SECTIONS  # noqa: PLC0415

    sections = read_codes_file(written)
    lines: list[list[Any]] = [["made from", "", _stamp(written)]]
    lines += [[name, block[SECTIONS[name].identity], block] for name, blocks in sections.items() for block in blocks]
    lines += [["indexes", name, index] for name, index in indexes(sections).items()]
    return b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)


def indexes(sections: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What would need every block to be read: who uses a code, the names of codes for completion, what patterns need (see `literals.py`)."""
    from .literals import needs_of  # noqa: PLC0415  (an installed smtpref has it worked out)

    users: dict[str, list[str]] = {}
    for provider in sections["providers"]:
        for block in provider.get("codes", ()):
            for code in (block["code"], *block.get("enhanced", ())):
                owners = users.setdefault(code.lower(), [])
                if provider["id"] not in owners:
                    owners.append(provider["id"])
    names = [[block["code"], block["name"]] for section in ("replies", "classes") for block in sections[section]]
    names += [[digit + block["code"][1:], block["name"]] for block in sections["enhanced"] for digit in block["classes"]]
    names += [[block["id"], block["name"]] for block in sections["reasons"]]
    own = [block for provider in sections["providers"] for block in provider.get("codes", ())]
    names += [[code, name] for code, name in {block["code"]: block["name"] for block in own}.items() if COMPLETED.fullmatch(code)]
    names += [[block["zone"], {"en": block["name"]}] for block in sections["blocklists"]]
    families = [family for provider in sections["providers"] for family in provider.get("families", ())]
    patterns = [pattern for block in (*sections["rules"], *families) for pattern in listed(block.get("pattern"))]
    fixed = sorted({token for name in ("rules", "providers", "blocklists") for block in sections[name] for token in _fixed(block)})
    return {"users": users, "names": names, "fixed": fixed, "needs": {pattern: needs_of(pattern) for pattern in patterns}}


def listed(value: str | list[str] | None) -> list[str]:
    """The values of a field that may hold one or several."""
    return [] if value is None else [value] if isinstance(value, str) else value


def _fixed(block: object) -> set[str]:
    """The numbers, numbered hosts, ids and users that a block mentions, other than in its examples; the signs of a pattern may touch them."""
    if isinstance(block, Mapping):
        return set().union(*(_fixed(value) for key, value in block.items() if key not in ("matches", "rejects", "example", "sources")))
    if isinstance(block, list):
        return set().union(*map(_fixed, block))
    return set(_FIXED.findall(block)) if isinstance(block, str) else set()


def _sections(content: bytes) -> Sections:
    sections: dict[str, dict[str, bytes | Block]] = {}
    for line in content.splitlines():
        _, section, _, identity, _ = line.split(b'"', 4)
        sections.setdefault(section.decode(), {})[identity.decode()] = line
    return {name: Blocks(lines) for name, lines in sections.items()}


def _stamp(written: Path) -> str:
    """Tells one state of the codes file, and of what it is checked and written by, from every other."""
    import hashlib  # noqa: PLC0415  (an installed smtpref never needs it)

    makers = (written, PACKAGE / "codes_form.py", PACKAGE / "codes_file.py", PACKAGE / "literals.py", Path(__file__))
    return hashlib.sha256(b"".join(maker.read_bytes() for maker in makers)).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all; a checkout that cannot be written works without it, only slower."""
    part = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        part.write_bytes(content)
        part.replace(path)
    part.unlink(missing_ok=True)
