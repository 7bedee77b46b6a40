"""JSON documents among an input's lines: one object a line, or objects and arrays that are spread over many.

`Documents` is fed line by line and hands over elements: an object that stands alone, or each object of an array as soon as it is complete,
so that an array is never held whole. It walks over the brackets only to see where an element ends; what stands between them is read by `json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_ELEMENT = 1 << 20
"""Characters of one element; a service's notification has a few thousand."""

MAX_DEPTH = 64

JsonObject = dict[str, Any]

# Control characters within a string are forbidden and written all the same.
_DECODER = json.JSONDecoder(strict=False)
_PAIRS = {"}": "{", "]": "["}
# What numbers, `true`, `false` and `null` are made of, and what separates values.
_BETWEEN = frozenset(" \t\r\n:,+-.0123456789eEtrufalsn")


class NotJson(ValueError):
    """A line that cannot go on with the document, or begin one."""


class Element(NamedTuple):
    """An object, and the line on which it starts."""

    line: int
    value: JsonObject


class Documents:
    """Gathers lines into elements.

    `lists` names the members of an outermost object whose lists are read like an array of their own: `{"events": [...]}`.
    """

    def __init__(self, lists: frozenset[str]) -> None:
        self._lists = lists
        self._begin()

    @property
    def is_open(self) -> bool:
        """Whether the lines so far end within a document."""
        return bool(self._stack)

    def feed(self, number: int, text: str) -> Iterator[Element]:
        """The elements that a line completes. Raises NotJson, after what was complete, where the line is no JSON; the document is then over."""
        if not self._stack and not starts_document(text):
            raise NotJson(text)
        try:
            yield from self._walk(number, text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as why:
            self._begin()
            raise NotJson(text) from why

    def _begin(self) -> None:
        self._stack: list[str] = []
        self._member = ""
        self._between_elements()

    def _between_elements(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._line = 0
        self._base: int | None = None
        """How many brackets stand around the element that is being gathered; None between elements."""

    def _walk(self, number: int, text: str) -> Iterator[Element]:
        position = start = 0
        while position < len(text):
            character = text[position]
            if character == '"':
                value, position = _DECODER.raw_decode(text, position)
                if len(self._stack) == 1:
                    self._member = value
                continue
            if character == "{" and self._is_place_of_element():
                whole = _whole_object(text, position)
                if whole:
                    value, position = whole
                    yield Element(number, value)
                    continue
                self._base, self._line, start = len(self._stack), number, position
            position += 1
            if character in "{[":
                self._open(character)
            elif character in _PAIRS:
                self._close(character)
                if self._base == len(self._stack):
                    yield Element(self._line, _DECODER.decode("".join((*self._pieces, text[start:position]))))
                    self._between_elements()
            elif character not in _BETWEEN:
                raise NotJson(text)
        if self._base is not None:
            self._gather(text[start:])

    def _is_place_of_element(self) -> bool:
        """Outermost, in an outermost array, or in a list of `lists`."""
        return self._base is None and (not self._stack or self._stack in (["["], ["{", "["]))

    def _open(self, bracket: str) -> None:
        if bracket == "[" and self._stack == ["{"] and self._base == 0 and self._member in self._lists:
            # The object around it is no element but holds them.
            self._between_elements()
        self._stack.append(bracket)
        if len(self._stack) > MAX_DEPTH:
            raise NotJson(bracket)

    def _close(self, bracket: str) -> None:
        if not self._stack or self._stack.pop() != _PAIRS[bracket]:
            raise NotJson(bracket)

    def _gather(self, text: str) -> None:
        self._pieces += (text, "\n")
        self._size += len(text) + 1
        if self._size > MAX_ELEMENT:
            raise NotJson(text)


def _whole_object(text: str, position: int) -> tuple[JsonObject, int] | None:
    """The object that starts at `position`, and where it ends; None where it does not end on this line. Most do."""
    try:
        return _DECODER.raw_decode(text, position)
    except ValueError:
        return None


def starts_document(text: str) -> bool:
    """Whether a line may begin a JSON document that holds an object."""
    text = text.lstrip("\ufeff \t")
    if not text or text[0] not in "{[":
        return False
    following = text[1:].lstrip()[:1]
    return following in ('"', "}", "") if text[0] == "{" else following in ("{", "]", "")
