"""What `codes.yaml` says, indexed: blocks by their code or id, in the form that `codes_file.py` has checked.

Nothing here judges a message or looks at a pattern. An installed smtpref carries the checked knowledge as `codes.json`, made by the build;
a checkout makes that file anew beside the package whenever it was not made from the present `codes.yaml`.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from .model import Source

Block = Mapping[str, Any]
Language = Literal["en", "vi"]
LANGUAGES: tuple[Language, ...] = ("en", "vi")

PACKAGE = Path(__file__).parent
BUILT = "codes.json"
RFC_URL = "https://www.rfc-editor.org/rfc/rfc{number}"


class Knowledge:
    """The blocks of every section, by code or id, in the order of the file."""

    def __init__(self, sections: Mapping[str, list[dict[str, Any]]]) -> None:
        self.sections = sections

    @cached_property
    def replies(self) -> dict[str, Block]:
        return self._index("replies", "code")

    @cached_property
    def enhanced(self) -> dict[str, Block]:
        return self._index("enhanced", "code")

    @cached_property
    def classes(self) -> dict[str, Block]:
        return self._index("classes", "code")

    @cached_property
    def categories(self) -> dict[str, Block]:
        return self._index("categories", "code")

    @cached_property
    def subjects(self) -> dict[str, Block]:
        return self._index("subjects", "code")

    @cached_property
    def reasons(self) -> dict[str, Block]:
        return self._index("reasons", "id")

    @cached_property
    def actions(self) -> dict[str, Block]:
        return self._index("actions", "id")

    @cached_property
    def providers(self) -> dict[str, Block]:
        return self._index("providers", "id")

    @cached_property
    def blocklists(self) -> dict[str, Block]:
        return self._index("blocklists", "zone")

    @cached_property
    def sources(self) -> dict[str, Block]:
        return self._index("sources", "id")

    @property
    def rules(self) -> list[dict[str, Any]]:
        return self.sections["rules"]

    def source(self, name: str) -> Source:
        """The page behind a source as codes.yaml writes it: "RFC 5321 4.2.3", or an id of its `sources`."""
        if name in self.sources:
            return Source(self.sources[name]["title"], self.sources[name]["url"])
        _, number, *section = name.split(" ", 2)
        url = RFC_URL.format(number=number)
        if not section:
            return Source(name, url)
        part = "section" if section[0][0].isdigit() else "appendix"
        return Source(f"RFC {number} {part} {section[0]}", f"{url}#{part}-{section[0]}")

    def completions(self, typed: str, language: Language) -> Iterator[tuple[str, str]]:
        """The codes, classes and reasons that start with what was typed, each with its name."""
        for code, block in (*self.replies.items(), *self.classes.items(), *self.reasons.items()):
            if code.startswith(typed):
                yield code, say(block["name"], language)
        for any_class, block in self.enhanced.items():
            for digit in block["classes"]:
                code = f"{digit}{any_class[1:]}"
                if code.startswith(typed):
                    yield code, say(block["name"], language)

    def _index(self, section: str, identity: str) -> dict[str, Block]:
        return {block[identity]: block for block in self.sections[section]}


def say(text: Mapping[str, Any], language: Language) -> Any:
    """The translation of a localised text or list, or its English where there is none."""
    return text.get(language) or text["en"]


def load_knowledge(own: Path | None = None) -> Knowledge:
    """Return the shipped knowledge, with the blocks of the file `own` laid over it.

    Raises KnowledgeError with every mistake of a codes file, Unreadable where `own` cannot be read.
    """
    sections = _shipped()
    if own is not None:
        # yaml costs a third of a start; only a user's own file and a changed checkout need it.
        from .codes_file import read_codes_file  # noqa: PLC0415

        sections = read_codes_file(own, shipped=sections)
    return Knowledge(sections)


def _shipped() -> dict[str, list[dict[str, Any]]]:
    written = PACKAGE.parent / "codes.yaml"
    built = PACKAGE / BUILT
    is_checkout = written.exists() and (PACKAGE.parent / "pyproject.toml").exists()
    stamp = _stamp(written) if is_checkout else None
    if built.exists():
        content = json.loads(built.read_bytes())
        if stamp in (None, content["made_from"]):
            return content["sections"]  # type: ignore[no-any-return]
    built_anew = build_json(written)
    _replace(built, built_anew)
    return json.loads(built_anew)["sections"]  # type: ignore[no-any-return]


def build_json(written: Path) -> bytes:
    """The content of `codes.json` for the codes file `written`; raises KnowledgeError where that is wrong."""
    from .codes_file import read_codes_file  # noqa: PLC0415

    content = {"made_from": _stamp(written), "sections": read_codes_file(written)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _stamp(written: Path) -> str:
    """Tells one state of the codes file and of the form it was checked against from every other."""
    checker = (PACKAGE / "codes_file.py").read_bytes()
    return hashlib.sha256(written.read_bytes() + checker).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all; a checkout that cannot be written works without it, only slower."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(name).replace(path)
