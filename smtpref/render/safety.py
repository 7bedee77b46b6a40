"""The one door through which foreign text reaches a terminal, a page or a file: control characters leave it visible and dead."""

from __future__ import annotations

import re

from ..patterns import lazily

# C0, DEL and C1; line and paragraph separators; bidirectional marks, overrides and isolates; the invisible ones; lone surrogates.
_UNSAFE = lazily("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")


def visible(text: str) -> str:
    r"""`text` with every control character as an escape that can be read: ESC becomes \x1b, an override \u202e."""
    # Most text is plain, and needs no pattern.
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_escape, text)


def json_escaped(text: str) -> str:
    r"""A JSON text with the controls that JSON itself lets through (DEL, C1, bidirectional) as \\u escapes."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(number) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")
