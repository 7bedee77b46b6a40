"""Making `codes.jsonl` from `codes.yaml`: what a checkout that was changed, a build and a user's own file need, and no other start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .built import INDEX, listed, stamp_of
from .codes_form import SECTIONS
from .literals import needs_of
from .patterns import lazily
from .rules import Rule, index_of
from .shapes import NO_WORD

COMPLETED = lazily(r"(?=.*[A-Z])[A-Za-z][A-Za-z0-9._-]+")
"""Providers' own codes that complete: no plain word, which is only a handle, and no sign that a shell takes for its own."""

MARKS = ("id", "name", "domains", "aliases", "hosts", "markers", "tokens")
"""What a provider is known by."""

_FIXED = lazily(
    r"(?<![\w.-])[\w-]{1,60}\d(?:\.[A-Za-z-]{1,60}){2,6}(?![\w.-])"
    r"|(?<![\d.])\d{1,5}\.\d{2,3}(?![\d.])|\d{5,}|(?=[A-Za-z]*\d)[0-9A-Za-z]{10,}|(?:\d{1,3}\.){3}\d{1,3}|[\w.+-]+@"
    rf"|(?<=\\\[)\d{{1,4}}(?=\\\\\])|(?<=\[)\d{{1,4}}(?=\])|(?<![A-Za-z]){NO_WORD}"
)


def build(written: Path) -> bytes:
    """The content of `codes.jsonl` for a codes file; raises KnowledgeError where that is wrong."""
    # It takes its indexes from here.
    from .codes_file import read_codes_file  # noqa: PLC0415

    sections = read_codes_file(written)
    lines = {name: _lines(name, {block[SECTIONS[name].identity]: block for block in blocks}) for name, blocks in sections.items()}
    lines |= {INDEX.format(name=name): _lines("index", {name: index}) for name, index in indexes(sections).items()}
    sizes = {name: len(content) for name, content in lines.items()}
    return b"".join([_line("made from", "", stamp_of(written), sizes), *lines.values()])


def _lines(section: str, blocks: Mapping[str, Any]) -> bytes:
    return b"".join(_line(section, identity, block) for identity, block in blocks.items())


def _line(*values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def indexes(sections: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What would need every block to be read: who uses a code, the names of codes for completion, what patterns need (see `literals.py`)."""
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
    fields = ("pattern", "unless_pattern")
    patterns = [pattern for block in (*sections["rules"], *families) for field in fields for pattern in listed(block.get(field))]
    fixed = sorted({token for name in ("rules", "providers", "blocklists") for block in sections[name] for token in _fixed(block)})
    marks = {
        "providers": [{name: block[name] for name in MARKS if name in block} for block in sections["providers"]],
        "blocklists": [[block["name"], block["zone"], *block.get("names", ())] for block in sections["blocklists"]],
    }
    needs = {pattern: needs_of(pattern) for pattern in patterns}
    return {
        "users": users,
        "names": names,
        "fixed": fixed,
        "needs": needs,
        "marks": marks,
        "rules": index_of(Rule(block, needs.__getitem__) for block in sections["rules"]),
    }


def _fixed(block: object) -> set[str]:
    """The numbers, numbered hosts, ids and users that a block mentions, other than in its examples; the signs of a pattern may touch them."""
    if isinstance(block, Mapping):
        return set().union(*(_fixed(value) for key, value in block.items() if key not in ("matches", "rejects", "example", "sources")))
    if isinstance(block, list):
        return set().union(*map(_fixed, block))
    return set(_FIXED.findall(block)) if isinstance(block, str) else set()
