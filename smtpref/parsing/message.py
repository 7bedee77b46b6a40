"""An e-mail's bytes as a value: its headers, its text parts, and the headers of the message that it returns.

MIME is the standard library's work; here are the bounds around it. Mail is hostile: a part is looked at up to `MAX_PART`, nesting up to
`MAX_DEPTH`, and whatever the library refuses is read as a message without parts.
"""

from __future__ import annotations

import binascii
import quopri
from collections.abc import Iterable, Iterator
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as MimeMessage
from email.parser import BytesParser, HeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from typing import NamedTuple

MAX_PART = 1 << 20
"""Characters of a part that are looked at."""

MAX_HTML = 1 << 18
MAX_PARTS = 100
MAX_BLOCKS = 10_010
"""Blocks of fields in a status part, one for each recipient."""

MAX_DEPTH = 20
MAX_FOLDED = 1 << 14
"""Bytes of one header field; the library's work on parameters grows with the square of it."""

MAX_BOUNDARIES = 50
"""Declared boundaries; the library compares each line with every open one."""

# What email.parser raises on hostile input: nesting beyond the interpreter's stack, parameters with absurd numbers or charsets.
_UNPARSEABLE = (RecursionError, ValueError, LookupError, TypeError, AttributeError)

# Names in use that Python does not know.
_CHARSETS = {"unicode-1-1-utf-7": "utf-7", "x-unknown": "utf-8", "unknown-8bit": "utf-8", "iso-8859-8-i": "iso-8859-8", "cp-850": "cp850"}
_BLOCKS = frozenset(
    ("p", "br", "div", "tr", "td", "li", "h1", "h2", "h3", "h4", "pre", "table", "ul", "hr", "dt", "dd", "blockquote", "title")
)
_UNSEEN = frozenset(("style", "script", "head"))


class Headers:
    """Header fields by name, decoded, unfolded."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name.lower(), []).append(value)

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str:
        """The first field called `name`, in small letters; "" where there is none."""
        values = self._values.get(name)
        return _decoded_words(" ".join(values[0].split())) if values else ""

    def addresses(self, *names: str) -> list[str]:
        """The addresses in all fields called so, in order."""
        values = [" ".join(value.split()) for name in names for value in self._values.get(name, ())][:MAX_PARTS]
        try:
            pairs = getaddresses(values)
        except _UNPARSEABLE:
            return []
        return [address for _, address in pairs if "@" in address]


class Part(NamedTuple):
    """A leaf of a message; `returned` says that it belongs to a message inside this one."""

    kind: str
    text: str
    returned: bool


class Message(NamedTuple):
    """A message as far as it is looked at."""

    headers: Headers
    parts: tuple[Part, ...]
    returned: Headers

    def texts(self) -> Iterator[str]:
        """What people were to read: plain text first, then HTML without its markup."""
        own = [part for part in self.parts if not part.returned]
        yield from (part.text for part in own if part.kind == "text/plain" and part.text.strip())
        yield from (plain_text(part.text) for part in own if part.kind == "text/html")

    def kinds(self, *kinds: str) -> list[Part]:
        """The parts of one of `kinds`, the message's own before those of messages inside it."""
        return sorted((part for part in self.parts if part.kind in kinds), key=lambda part: part.returned)


def parse_message(content: bytes) -> Message:
    """Return what `content` holds; never raises."""
    bounded = _bounded(content)
    try:
        parsed = BytesParser(policy=policy.compat32).parsebytes(bounded)
        return Message(_headers(parsed), tuple(_leaves(parsed)), _returned_headers(parsed))
    except _UNPARSEABLE:
        head, _, body = bounded.replace(b"\r\n", b"\n").partition(b"\n\n")
        text = _decoded(body[:MAX_PART], "")
        return Message(_parse_headers(_decoded(head, "")), (Part("text/plain", text, False),), Headers())


def iso_time(date: str) -> str | None:
    """An RFC 5322 date in ISO 8601, with an offset where it has one."""
    try:
        return parsedate_to_datetime(date[:100]).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def plain_text(html: str) -> str:
    """HTML without its markup, a line for each block."""
    reader = _TextOfHtml()
    reader.feed(html[:MAX_HTML])
    return "".join(reader.pieces)


def _bounded(content: bytes) -> bytes:
    """`content` without what would make the library slow: endless fields, and what follows too many boundaries."""
    kept: list[bytes] = []
    folded = boundaries = 0
    for line in content.split(b"\n"):
        boundaries += b"boundary" in line.lower()
        if boundaries > MAX_BOUNDARIES:
            break
        folded = folded + len(line) if line[:1] in (b" ", b"\t") else len(line)
        if folded <= MAX_FOLDED:
            kept.append(line)
        elif line[:1] not in (b" ", b"\t"):
            kept.append(line[:MAX_FOLDED])
    return b"\n".join(kept)


def _leaves(message: MimeMessage) -> Iterator[Part]:
    waiting: list[tuple[MimeMessage, int, bool]] = [(message, 0, False)]
    count = 0
    while waiting and count < MAX_PARTS:
        part, depth, returned = waiting.pop()
        kind = part.get_content_type()
        payload = part.get_payload()
        count += 1
        if kind.endswith("delivery-status"):
            yield Part("message/delivery-status", _rejoined(part), returned)
        elif kind in ("message/feedback-report", "message/disposition-notification"):
            yield Part(kind, _rejoined(part), returned)
        elif isinstance(payload, list):
            inside = returned or kind.startswith("message/")
            if depth < MAX_DEPTH:
                waiting += [(child, depth + 1, inside) for child in reversed(payload) if isinstance(child, MimeMessage)]
        elif kind.startswith(("text/", "multipart/")) or not part["content-type"]:
            # A multipart without a boundary is the text that it looks like.
            shown = kind if kind.startswith("text/") else "text/plain"
            yield Part(shown, _decoded_payload(part), returned)


def _rejoined(part: MimeMessage) -> str:
    """The text of a part that the library took apart into blocks of fields."""
    payload = part.get_payload()
    children = payload if isinstance(payload, list) else []
    raw = b"\n".join(_block(child) for child in children[:MAX_BLOCKS] if isinstance(child, MimeMessage))
    encoding = str(part["content-transfer-encoding"] or "").strip().lower()
    if encoding == "quoted-printable":
        raw = quopri.decodestring(raw)
    elif encoding == "base64":
        raw = _base64(raw)
    return _decoded((raw if children else _raw_payload(part))[:MAX_PART], "")


def _block(block: MimeMessage) -> bytes:
    fields = "".join(f"{name}: {value}\n" for name, value in block.raw_items()).encode("ascii", "surrogateescape")
    body = b"" if block.is_multipart() else _raw_payload(block)
    # Where a line among the fields was none, the library calls what follows the body.
    return fields + body if block.defects or not body else fields + b"\n" + body


def _raw_payload(part: MimeMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _decoded_payload(part: MimeMessage) -> str:
    try:
        charset = part.get_content_charset() or ""
    except _UNPARSEABLE:
        charset = ""
    return _decoded(_raw_payload(part)[:MAX_PART], charset)


def _base64(raw: bytes) -> bytes:
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        return raw


def _decoded(raw: bytes, charset: str) -> str:
    """By the declared charset, else UTF-8, else what the bytes look like; no byte is refused."""
    is_japanese = b"\x1b$" in raw or b"\x1b(B" in raw
    for name in (_CHARSETS.get(charset, charset), "iso-2022-jp" if is_japanese else "", "utf-8"):
        if name and not (name == "utf-8" and is_japanese):
            try:
                return raw.decode(name)
            except (LookupError, UnicodeError, ValueError):
                continue
    return raw.decode("iso-2022-jp" if is_japanese else "cp1252", "replace")


def _decoded_words(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) decoded, as far as they can be."""
    if value.isascii() and "=?" not in value:
        return value
    text = _decoded(value.encode("utf-8", "surrogateescape"), "")
    if "=?" not in text:
        return text
    try:
        chunks = decode_header(text)
    except (HeaderParseError, ValueError, LookupError):
        return text
    return "".join(chunk if isinstance(chunk, str) else _decoded(chunk, charset or "") for chunk, charset in chunks)


def _headers(message: MimeMessage) -> Headers:
    return Headers((name, str(value)) for name, value in message.raw_items())


def _parse_headers(text: str) -> Headers:
    try:
        return _headers(HeaderParser(policy=policy.compat32).parsestr(text))
    except _UNPARSEABLE:
        return Headers()


def _returned_headers(message: MimeMessage) -> Headers:
    """The headers of the message that came back, whole or as headers only."""
    payload = message.get_payload()
    children = payload if isinstance(payload, list) and message.get_content_maintype() == "multipart" else []
    for child in children[:MAX_PARTS]:
        if not isinstance(child, MimeMessage):
            continue
        kind, inner = child.get_content_type(), child.get_payload()
        if kind in ("message/rfc822", "message/global", "message/partial") and isinstance(inner, list) and inner:
            return _headers(inner[0]) if isinstance(inner[0], MimeMessage) else Headers()
        if "rfc822-header" in kind or kind == "message/global-headers":
            block = inner[0] if isinstance(inner, list) and inner else None
            return _headers(block) if isinstance(block, MimeMessage) else _parse_headers(_decoded_payload(child).lstrip())
    return Headers()


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  (the library names it)
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)
