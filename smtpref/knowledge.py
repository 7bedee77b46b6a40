"""What `codes.yaml` says, by code or id, in the form that `codes_file.py` has checked.

Nothing here judges a message or looks at a pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .built import INDEX, Block, Blocks, Sections, shipped_sections

if TYPE_CHECKING:
    from .model import Source

Language = Literal["en", "vi"]
LANGUAGES: tuple[Language, ...] = ("en", "vi")

RFC_URL = "https://www.rfc-editor.org/rfc/rfc{number}"


class Knowledge:
    """The blocks of every section, in the order of the file."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections
        self.replies = self._section("replies")
        self.enhanced = self._section("enhanced")
        self.classes = self._section("classes")
        self.categories = self._section("categories")
        self.subjects = self._section("subjects")
        self.reasons = self._section("reasons")
        self.actions = self._section("actions")
        self.providers = self._section("providers")
        self.blocklists = self._section("blocklists")
        self.rules = self._section("rules")
        self.sources = self._section("sources")

    def source(self, name: str) -> Source:
        """The page behind a source as codes.yaml writes it: "RFC 5321 4.2.3", or an id of its `sources`."""
        # Completion asks for no source.
        from .model import Source  # noqa: PLC0415

        if name in self.sources:
            return Source(self.sources[name]["title"], self.sources[name]["url"])
        _, number, *section = name.split(" ", 2)
        url = RFC_URL.format(number=number)
        if not section:
            return Source(name, url)
        part = "section" if section[0][0].isdigit() else "appendix"
        return Source(name, f"{url}#{part}-{section[0]}")

    def users_of(self, code: str) -> tuple[Block, ...]:
        """The providers that have a meaning of their own for a code."""
        users: Any = self._index("users")
        return tuple(self.providers[provider] for provider in users.get(code.lower(), ()))

    def needs_of(self, pattern: str) -> list[list[str]]:
        """The words that a pattern of a rule or family needs."""
        needs: Any = self._index("needs")
        found: list[list[str]] = needs[pattern]
        return found

    @property
    def marks(self) -> Mapping[str, Any]:
        """What providers and blocklists are known by, without all else that is said of them."""
        marks: Mapping[str, Any] = self._index("marks")
        return marks

    @property
    def index_of_rules(self) -> Mapping[str, Any]:
        """What leads to the rules (see `rules.index_of`)."""
        index: Mapping[str, Any] = self._index("rules")
        return index

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The numbers, ids and users ("postmaster@") that rules, providers and blocklists mention: no two of them are alike."""
        fixed: Any = self._index("fixed")
        return frozenset(fixed)

    def completions(self, typed: str, language: Language) -> Iterator[tuple[str, str]]:
        """The codes, reasons and blocklists that start with what was typed, each with its name: numbers in their order, words last."""

        def place(named: list[Any]) -> list[int]:
            parts = named[0].split(".")
            if all(map(str.isdigit, parts)):
                return [len(parts), *map(int, parts)]
            return [2] if named[0] in self.classes else [4]

        names: Any = self._index("names")
        for code, name in sorted(names, key=place):
            if code.startswith(typed):
                yield code, say(name, language)

    def _index(self, name: str) -> Any:
        return self._sections[INDEX.format(name=name)][name]

    def _section(self, name: str) -> Blocks:
        return self._sections.get(name, Blocks({}))


def say(text: Mapping[str, Any], language: Language) -> Any:
    """The translation of a localised text or list, or its English where there is none."""
    return text.get(language) or text["en"]


def load_knowledge(own: Path | None = None) -> Knowledge:
    """Return the shipped knowledge, with the blocks of the file `own` laid over it.

    Raises KnowledgeError with every mistake of a codes file, Unreadable where `own` cannot be read.
    """
    shipped = shipped_sections()
    if own is None:
        return Knowledge(shipped)
    from .codes_file import lay_over  # noqa: PLC0415  (yaml, see built.py)

    return Knowledge(lay_over(own, shipped))
