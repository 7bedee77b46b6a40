"""Taking a text apart: its shape, and what varies in it.

A log says the same things again and again, of other addresses, hosts and ids. In a text's shape something of the same kind stands in for each
of these, so that whatever reads the shape (a rule, a pattern, a person) finds in it what it would find in the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .circumstances import UNITS

MAX_VARYING = 20
"""Things that may vary in a text; one with more has no shape."""

MAX_WORDS = 20_000
"""Words of which it is remembered that nothing varies in them; all are forgotten where there are more."""

FIRST = 100
"""The first number of what stands in: all have three digits."""

# Whatever has a digit in it; only in an IPv6 address there are colons.
_NUMBERED = re.compile(
    r"((?<![\w.+=-])(?:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f:]*+(?![\w.])|[A-Za-z.+=_-]*+\d[\w.+=-]*+))",
    re.ASCII,
)
# A host's own labels with numbers, and those of whoever runs it.
_HOST = re.compile(r"(.*\d)(\.(?:[A-Za-z-]+\.)+[A-Za-z]{2,})", re.ASCII)
# An id is no word with a number behind it, and no host.
_KIND = re.compile(
    r"(?P<ip>(?=.*(?:::|[a-f]))[0-9a-f:]+|(?!127\.)(?:\d{1,3}\.){3}\d{1,3})|(?P<number>\d{5,9})|(?P<measure>\d{1,5}\.\d{2,3})"
    r"|(?P<id>\d{10,}|(?!.*\.[A-Za-z]{2,63}$)(?=.{0,60}?\d[A-Za-z]|[A-Za-z.-]{1,40}\d{5})[0-9A-Za-z.-]{10,})"
)
# A word in which one thing varies, as most do, between the signs around it: what `_word_apart` finds piece by piece, in one match.
_FREQUENT = re.compile(
    r"""(?:[<(\[]|[A-Za-z]+=|[A-Za-z.-]+\[)?
    (?:(?P<ip>(?!127\.)(?:\d{1,3}\.){3}\d{1,3})(?::25)?
      |(?P<measure>\d{1,5}\.\d{2,3})
      |(?=\S*@)(?<!=)(?<![A-Za-z.-]\[)(?P<local>[\w.+=-]*\d[\w.+=-]*)@[A-Za-z.-]+
      |(?=\S*\.[A-Za-z]{2,63}[])>,;:]*$)(?!(?:\d+\.){4})(?P<host>[\w.+-]*\d)\.(?:[A-Za-z-]+\.)+[A-Za-z]{2,}
      |(?!\S*\.[A-Za-z]{2,63}[])>,;:]*$)(?=[0-9A-Za-z.-]{0,60}?\d[A-Za-z]|[A-Za-z.-]{1,40}\d{5})
        (?:(?P<upper>[0-9A-Z.-]{9,}[0-9A-Z])|(?P<lower>[0-9a-z.-]{9,}[0-9a-z])|(?P<mixed>[0-9A-Za-z.-]{9,}[0-9A-Za-z]))
    )[])>,;:]*""",
    re.ASCII | re.VERBOSE,
)
_ID = re.compile(r"\w{0,60}?\d[A-Za-z]|[A-Za-z]{1,40}\d{5}", re.ASCII)
_DIGIT = re.compile(r"\d")
_UNIT = re.compile(rf"\s?(?:{UNITS})(?![\w-])", re.IGNORECASE)

RECIPIENT = ("a-recipient@", "recipient.example")
SENDER = ("a-sender@", "sender.example")


class Apart(NamedTuple):
    """A text's shape, and what stands for what in it."""

    shape: str
    stands_for: dict[str, str]

    def restored(self, text: str) -> str:
        """A piece of the shape in the words of the text."""
        for stand_in, value in self.stands_for.items():
            text = text.replace(stand_in, value)
        return text


NOTHING_SAID = Apart("", {})


class Anatomy:
    """Takes texts apart; what is in `fixed` means something and never varies: numbers, ids, numbered hosts, users ("postmaster@")."""

    def __init__(self, fixed: frozenset[str]) -> None:
        self._fixed = fixed
        self._plain_words: set[str] = set()

    def take(self, text: str, recipient: str | None = None, sender: str | None = None) -> Apart | None:
        """Return a text's shape, None where it has none: too many things vary, or what stands in for others is in it already."""
        stands_for: dict[str, str] = {}
        for names, address in ((RECIPIENT, recipient), (SENDER, sender)):
            if address and address in text:
                user, at, domain = address.rpartition("@")
                if user and user + at not in self._fixed:
                    if names[0] in text or names[1] in text:
                        return None
                    text = text.replace(address, "".join(names))
                    stands_for[names[0]], stands_for[names[1]] = user + at, domain
        words = text.split(" ")
        plain = self._plain_words
        others = [place for place, word in enumerate(words) if word not in plain]
        number = FIRST
        for place in others:
            word = words[place]
            following = words[place + 1] if place + 1 < len(words) else ""
            value = word.lstrip("<([").rstrip("])>,;:")
            kind = None
            if value.isalnum():
                kind = _kind_of(value, following)
            elif match := _FREQUENT.fullmatch(word):
                kind = match.lastgroup or ""
                value = match[kind]
            if kind and value.isascii() and value not in self._fixed:
                found = [(f"{_STAND_INS[kind]}{number}", value)]
                words[place] = word.replace(value, found[0][0], 1)
            else:
                words[place], found = self._word_apart(word, following, number)
            for stand_in, value in found:
                if stand_in in text:
                    return None
                stands_for[stand_in] = value
            number += len(found)
            if number > FIRST + MAX_VARYING:
                return None
        return Apart(" ".join(words), stands_for)

    def _word_apart(self, word: str, following: str, number: int) -> tuple[str, list[tuple[str, str]]]:
        """The shape of a word, with what stands for what in it."""
        pieces = _NUMBERED.split(word) if _DIGIT.search(word) else [word]
        found: list[tuple[str, str]] = []
        is_plain = True
        for place in range(1, len(pieces), 2):
            rest = pieces[place + 1]
            before, value, after, is_amount = self._varying(pieces[place], rest if place + 2 < len(pieces) else f"{rest} {following}")
            is_plain = is_plain and not is_amount
            if value:
                stand_in = _stand_in(value, number + len(found), after + rest)
                found.append((stand_in, value))
                pieces[place] = before + stand_in + after
        if is_plain and not found:
            if len(self._plain_words) >= MAX_WORDS:
                self._plain_words.clear()
            self._plain_words.add(word)
        return "".join(pieces), found

    def _varying(self, piece: str, following: str) -> tuple[str, str, str, bool]:
        """What varies in a piece of text with a digit, what stands before and after that, and whether it is an amount, which does not."""
        if following.startswith("@"):
            return "", piece, "", False
        before, equals, value = piece.rpartition("=")
        before += equals
        word = value.rstrip(".-+=_")
        after = value[len(word) :]
        host = None if word in self._fixed else _HOST.fullmatch(word)
        if host:
            return before, host[1], host[2] + after, False
        kind = None if word in self._fixed else _KIND.fullmatch(word)
        if not kind:
            return "", "", "", False
        if kind.lastgroup == "number" and _UNIT.match(after + following):
            return "", "", "", True
        return before, word, after, False


def _kind_of(value: str, following: str) -> str | None:
    """What a word of letters and digits alone is, if it varies."""
    if value.isdecimal():
        if len(value) >= 10:
            return "digits"
        return "number" if len(value) >= 5 and not _UNIT.match(following) else None
    if len(value) < 10 or not _ID.match(value):
        return None
    return "upper" if value.isupper() else "lower" if value.islower() else "mixed"


_STAND_INS = {
    "local": "a-user-",
    "host": "mx7",
    "ip": "198.18.0.",
    "number": "7000",
    "digits": "7000",
    "measure": "7.",
    "upper": "X0X0X0X0",
    "lower": "x0x0x0x0",
    "mixed": "Xx0Xx0Xx0",
}


def _stand_in(value: str, number: int, following: str) -> str:
    """Something of the same kind, of which no two are alike; none is a part of another."""
    if following.startswith("@"):
        return f"a-user-{number}"
    if ":" in value:
        return f"2001:db8::{number}"
    if value.count(".") == 3 and value.replace(".", "").isdecimal():
        return f"{_STAND_INS['ip']}{number}"
    if value.isdecimal():
        return f"7000{number}"
    if following.startswith("."):
        return f"mx7{number}"
    if len(value) < 10:
        return f"7.{number}"
    kind = "upper" if value.isupper() else "lower" if value.islower() else "mixed"
    return f"{_STAND_INS[kind]}{number}"
