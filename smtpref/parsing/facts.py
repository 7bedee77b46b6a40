"""What the fields of a structured record say, whoever wrote it: times, addresses, codes and the reply behind them.

Values come from outside: any of them may be missing or of another type, and then says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..model import ENHANCED_CODE, EnhancedCode, Phase, Record
from ..patterns import lazily
from .reply import Reply, find_reply, parse_reply

Event = dict[str, Any]

MAX_TEXT = 20_000
"""Characters of one field that are looked at."""

MILLISECONDS = 100_000_000_000
"""From here on a number counts milliseconds since 1970: in seconds it would be the year 5138."""

_ISO = lazily(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,12})?\s?(Z|[+-][0-9]{2}:?[0-9]{2})?")
_PLAIN_ADDRESS = lazily(r"[\w.+-]+@[\w.-]+", re.ASCII)
_WORD_BREAKS = lazily(r"[_\s]+|(?<=[a-z])(?=[A-Z][a-z])")


class Said(NamedTuple):
    """What was answered to an attempt, and the fields of a record that it fills."""

    reply: Reply
    is_reply: bool
    """Whether a reply's code was there; words without one may be the program's own."""

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "reply_code": self.reply.code,
            "enhanced_code": self.reply.enhanced,
            "text": self.reply.text,
            "phase": self.reply.phase,
        }


def said(*texts: object, code: object = None, enhanced: object = None, phase: Phase | None = None, label: str = "") -> Said:
    """The reply in the first of `texts` that holds one, else the first words, else the program's label of what happened.

    `code` is a reply code that a field of its own gives, `enhanced` the status of the record; the reply's own enhanced code wins over it.
    A label is never searched for a reply: the number in "SpamNotification (512)" is no code.
    """
    lines = [line for line in map(text_of, texts) if line]
    number = _reply_code(code)
    reply = next((found for found in map(find_reply, lines) if found and found.code and number in (None, str(found.code))), None)
    if number and not reply:
        reply = _with_code(number, next((text for text in texts if text_of(text)), ""))
    reply = reply or next(filter(None, map(find_reply, lines)), None) or Reply(None, None, lines[0] if lines else "", None)
    words = reply.text
    # "sent (250 2.0.0 OK)": the bracket is not the server's.
    if reply.code and words.endswith(")") and words.count(")") > words.count("("):
        words = words[:-1].rstrip()
    found = reply._replace(enhanced=reply.enhanced or enhanced_of(enhanced), text=words or label, phase=reply.phase or phase)
    return Said(found, reply.code is not None)


def text_of(value: object) -> str:
    """A string on one line, without what no text can hold; "" for anything else."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = " ".join(value)
    if not isinstance(value, str):
        return ""
    # JSON can spell half of a surrogate pair.
    return " ".join(value[:MAX_TEXT].encode("utf-8", "replace").decode().split())


def words_of(label: object) -> str:
    """A label as words: "bad_mailbox", "MailboxFull"; a sentence stays as it is."""
    text = text_of(label)
    return text if " " in text else _WORD_BREAKS.sub(" ", text).strip()


def name_of(value: object) -> str | None:
    """An id or a name, which may be a number; None where there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 1 << 128 else None
    return text_of(value)[:1000] or None


def enhanced_of(value: object) -> EnhancedCode | None:
    """An enhanced code written as "5.1.1", or as an object with class, subject and detail."""
    if isinstance(value, dict):
        value = ".".join(str(value.get(part)) for part in ("class", "subject", "detail"))
    text = value.strip() if isinstance(value, str) else ""
    return EnhancedCode.parse(text) if ENHANCED_CODE.fullmatch(text) else None


def addresses_of(*values: object) -> list[str]:
    """The addresses in strings ("Name <address>", several with commas) and lists of them, each once, in their order."""
    # It imports sockets and calendars, which only events with addresses need.
    from email.utils import getaddresses  # noqa: PLC0415

    found: dict[str, None] = {}
    for value in values:
        for part in value if isinstance(value, list) else [value]:
            text = text_of(part.get("email") if isinstance(part, dict) else part)[:1000]
            if _PLAIN_ADDRESS.fullmatch(text):
                found[text] = None
                continue
            named = [address for _, address in getaddresses([text]) if "@" in address] if text else []
            # "Test Sender " is a name that lost its address.
            found |= dict.fromkeys(named or ([text] if text and " " not in text else []))
    return list(found)


def address_of(*values: object) -> str | None:
    """The first address in `values`."""
    return next(iter(addresses_of(*values)), None)


def envelope_sender_of(value: object) -> str | None:
    """The address that MAIL FROM named; "" is the null sender, None where no field says it."""
    return "" if value in ("", "<>") else address_of(value)


def time_of(*values: object) -> str | None:
    """The first of `values` that is a time: ISO 8601, or seconds or milliseconds since 1970, also as a string."""
    return next((time for time in map(_time, values) if time), None)


def first_object(*values: object) -> dict[str, Any]:
    """The first of `values` that is a JSON object with members, else an empty one."""
    return next((value for value in values if isinstance(value, dict) and value), {})


def objects_in(value: object) -> Iterable[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def for_each(recipients: list[str], record: Record) -> Iterator[Record]:
    """A record for each recipient; one without where none is known."""
    if not recipients:
        yield record
    for recipient in recipients:
        yield record._replace(recipient=recipient)


def _reply_code(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) and 200 <= value <= 599 else ""
    return text if len(text) == 3 and parse_reply(text).code else None


def _with_code(number: str, text: object) -> Reply:
    """The reply of a record that keeps its code apart; each of several lines has lost it."""
    lines = text[:MAX_TEXT].splitlines() if isinstance(text, str) else [text_of(text)]
    separator = "-" if len(lines) > 1 else " "
    return parse_reply(" ".join(f"{number}{separator}{text_of(line)}" for line in lines if line.strip()) or number)


def _time(value: object) -> str | None:
    if isinstance(value, str):
        match = _ISO.match(value.strip())
        if match:
            date, clock, fraction, zone = match.groups()
            if not _is_date(f"{date}T{clock}"):
                return None
            zone = "+00:00" if zone == "Z" else zone or ""
            return f"{date}T{clock}{fraction or ''}{zone if ':' in zone or not zone else f'{zone[:3]}:{zone[3:]}'}"
        value = value.strip()
        value = float(value) if re.fullmatch(r"[0-9]{9,14}(?:\.[0-9]{1,9})?", value) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MILLISECONDS * 1000:
        return None
    return datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS else value, UTC).isoformat()


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
