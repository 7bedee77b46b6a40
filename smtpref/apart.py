"""Taking a text apart: its shape, and what varies in it.

A log says the same things again and again, of other addresses, hosts and ids. In a text's shape something of the same kind stands in for each
of these, so that whatever reads the shape (a rule, a pattern, a person) finds in it what it would find in the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .circumstances import UNITS
from .patterns import lazily
from .shapes import NO_WORD

MAX_VARYING = 20
"""Things that may vary in a text; one with more has no shape."""

MAX_WORDS = 20_000
"""Words of which it is remembered that nothing varies in them; all are forgotten where there are more."""

FIRST = 100
"""The first number of what stands in: all have three digits."""

# Whatever has a digit in it, or letters in no word's order; only in an IPv6 address there are colons.
_TELLING_APART = lazily(
    rf"((?<![\w.+=-])(?:[0-9a-f]{{1,4}}:[0-9a-f]{{1,4}}:[0-9a-f:]*+(?![\w.])|\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{{1,9}})?Z?(?![\w.:+-])"
    rf"|[A-Za-z.+=_-]*+\d[\w.+=-]*+|(?:[A-Za-z]{{1,20}}=)?{NO_WORD}(?![\w.+=@-])))",
    re.ASCII,
)
# A host's own labels with numbers, and those of whoever runs it.
_HOST = lazily(r"(.*\d)(\.(?:[A-Za-z-]+\.)+[A-Za-z]{2,})", re.ASCII)
# Two parts of which the first is a long number, as of a time; digits in base 16.
_MORE_IDS = r"\d{9,}-[A-Za-z]|[A-F]{1,15}\d[0-9A-F]*(?![\w.-])"
# An id is no word with a number behind it, and no host.
_KIND = lazily(
    r"(?P<ip>(?=.*(?:::|[a-f]))[0-9a-f:]+|(?!127\.)(?:\d{1,3}\.){3}\d{1,3})|(?P<number>\d{5,9})|(?P<measure>\d{1,5}\.\d{2,3})"
    r"|(?P<time>\d{4}-\d\d-\d\dT.+)|(?P<pair>\d{4,7}-\d{1,4})|(?P<exchanger>mx[a-z]{0,8}\d{1,4})|(?P<count>\d{1,4})"
    rf"|(?P<id>\d{{10,}}|(?!.*\.[A-Za-z]{{2,63}}$)(?=.{{0,60}}?\d[A-Za-z]|[A-Za-z.-]{{1,40}}\d{{5}}|{_MORE_IDS}|{NO_WORD})[0-9A-Za-z.-]{{10,}})",
    re.ASCII,
)
_PLAIN = lazily(r"[^\dA-Z]*|[^\dA-Za-z]*[A-Za-z][a-z]*[^\dA-Za-z]*", re.ASCII)
_COUNTED = lazily(r" (?:messages|mails|emails|recipients|connections)\b", re.IGNORECASE)
_UNIT = lazily(rf"\s?(?:{UNITS})(?![\w-])", re.IGNORECASE)

RECIPIENT = ("a-recipient@", "recipient.example")
SENDER = ("a-sender@", "sender.example")
USER = "a-recipient"
"""What stands in for the recipient without the domain."""


class Apart(NamedTuple):
    """A text's shape, and what stands for what in it."""

    shape: str
    stands_for: dict[str, str]

    def restored(self, text: str) -> str:
        """A piece of the shape in the words of the text."""
        for stand_in, value in self.stands_for.items():
            text = text.replace(stand_in, value)
        return text

    @property
    def varying(self) -> list[str]:
        """What stands in for others, as it comes in the shape, but for the names of the recipient and the sender."""
        return [stand_in for stand_in in self.stands_for if stand_in not in (*RECIPIENT, USER, *SENDER)]

    def pattern(self) -> re.Pattern[str]:
        """A pattern of texts of this shape, in which the names stand in already: a group for each of the things that vary."""
        pattern = re.escape(self.shape)
        for stand_in in self.varying:
            is_of_host = self.shape.partition(stand_in)[2][1:2].isalpha()
            pattern = pattern.replace(re.escape(stand_in), f"({_alike(stand_in, self.stands_for[stand_in], is_of_host=is_of_host)})", 1)
        return re.compile(pattern, re.ASCII)


NOTHING_SAID = Apart("", {})


class Anatomy:
    """Takes texts apart; what is in `fixed` means something and never varies: numbers, ids, numbered hosts, users ("postmaster@")."""

    def __init__(self, fixed: frozenset[str]) -> None:
        self.fixed = fixed
        self._plain_words: set[str] = set()

    def take(self, text: str, recipient: str | None = None, sender: str | None = None) -> Apart | None:
        """Return a text's shape, None where it has none: too many things vary, or what stands in for others is in it already."""
        named = self.named(text, recipient, sender)
        if named is None:
            return None
        text, stands_for = named
        words = text.split(" ")
        plain = self._plain_words
        number = FIRST
        for place in [place for place, word in enumerate(words) if word not in plain]:
            following = words[place + 1] if place + 1 < len(words) else ""
            words[place], found = self._word_apart(words[place], following, number)
            for stand_in, value in found:
                if stand_in in text:
                    return None
                stands_for[stand_in] = value
            number += len(found)
            if number > FIRST + MAX_VARYING:
                return None
        return Apart(" ".join(words), stands_for)

    def named(self, text: str, recipient: str | None, sender: str | None) -> tuple[str, dict[str, str]] | None:
        """A text in which others stand in for these addresses, with what stands for what; None where these are named already."""
        stands_for: dict[str, str] = {}
        for names, address in ((RECIPIENT, recipient), (SENDER, sender)):
            if names[1] in text:
                return None
            if address and address in text:
                user, at, domain = address.rpartition("@")
                if user and user + at not in self.fixed:
                    if names[0] in text:
                        return None
                    text = text.replace(address, "".join(names))
                    stands_for[names[0]], stands_for[names[1]] = user + at, domain
        user = (recipient or "").rpartition("@")[0]
        if user in text and len(user) > 3 and not user.isalpha() and user + "@" not in self.fixed:
            alone = _with_stand_in(text, user, USER)
            if alone != text:
                if USER in text.replace(RECIPIENT[0], ""):
                    return None
                text, stands_for[USER] = alone, user
        return text, stands_for

    def _word_apart(self, word: str, following: str, number: int) -> tuple[str, list[tuple[str, str]]]:
        """The shape of a word, with what stands for what in it."""
        pieces = [word] if _PLAIN.fullmatch(word) else _TELLING_APART.split(word)
        found: list[tuple[str, str]] = []
        is_plain = True
        for place in range(1, len(pieces), 2):
            rest = pieces[place + 1] if place + 2 < len(pieces) else f"{pieces[place + 1]} {following}"
            before, value, after, is_amount = self._varying(pieces[place - 1], pieces[place], rest)
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

    def _varying(self, preceding: str, piece: str, following: str) -> tuple[str, str, str, bool]:
        """What varies in a piece of text with a digit, what stands before and after that, and whether it is an amount, which does not."""
        if following.startswith("@"):
            return "", piece, "", False
        before, equals, value = piece.rpartition("=")
        before += equals
        word = value.rstrip(".-+=_")
        after = value[len(word) :]
        host = None if word in self.fixed else _HOST.fullmatch(word)
        if host:
            return before, host[1], host[2] + after, False
        kind = None if word in self.fixed else _KIND.fullmatch(word)
        if not kind:
            return "", "", "", False
        if kind.lastgroup == "number" and _UNIT.match(after + following):
            return "", "", "", True
        is_bracketed = preceding.endswith("[") and following.startswith("]")
        if kind.lastgroup == "count" and not is_bracketed and not _COUNTED.match(after + following):
            return "", "", "", True
        return before, word, after, False


def _with_stand_in(text: str, word: str, stand_in: str) -> str:
    """A text with something else wherever a word stands that is no part of a longer one."""
    pieces, end = [], 0
    while (place := text.find(word, end)) >= 0:
        begin, end = end, place + len(word)
        before, after = text[place - 1 : place], text[end : end + 2]
        is_part = _is_of_word(before, ".+=-") or _is_of_word(after[:1], "@=+-") or (after[:1] == "." and _is_of_word(after[1:], ""))
        pieces += [text[begin:place], word if is_part else stand_in]
    return "".join([*pieces, text[end:]])


def _is_of_word(letter: str, others: str) -> bool:
    return letter != "" and (letter.isalnum() or letter == "_" or letter in others)


def _stand_in(value: str, number: int, following: str) -> str:
    """Something of the same kind, of which no two are alike; none is a part of another."""
    if following.startswith("@"):
        return f"a-user-{number}"
    if value[4:5] == "-" and ":" in value:
        return f"2026-01-01T00:00:00.{number}Z"
    if ":" in value:
        return f"2001:db8::{number}"
    if value.count(".") == 3 and value.replace(".", "").isdecimal():
        return f"198.18.0.{number}"
    if value.isdecimal() and len(value) < 5:
        return f"7{number}"
    if value.isdecimal():
        return f"{7000000 if len(value) >= 10 else 7000}{number}"
    if following.startswith(".") or value.startswith("mx"):
        return f"mx7{number}"
    if value.partition("-")[0].isdecimal() and len(value) < 13:
        return f"7000-{number}"
    if len(value) < 10:
        return f"7.{number}"
    return f"Xx0Xx0Xx0{number}"


def _alike(stand_in: str, value: str, *, is_of_host: bool) -> str:
    """A pattern of what the same would stand in for as for a value; of some of these it may find none."""
    if stand_in.startswith("a-user-"):
        return r"(?=[\w.+=-]*\d)[\w.+=-]++"
    if stand_in.startswith("2026-"):
        return r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?"
    if stand_in.startswith("2001:"):
        return r"(?=[^.\s]*(?:::|[a-f]))[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f:]*"
    if stand_in.startswith("198."):
        return r"(?!127\.)(?:\d{1,3}\.){3}\d{1,3}"
    if stand_in.startswith("7000-"):
        return r"\d{4,7}-\d{1,4}"
    if stand_in.startswith("7000"):
        return r"\d{10,}" if len(value) >= 10 else r"\d{5,9}"
    if stand_in.isdecimal():
        return r"\d{1,4}"
    if stand_in.startswith("mx7"):
        return r"(?!(?:\d{1,3}\.){3})[\w.+-]*\d" if is_of_host else r"mx[a-z]{0,8}\d{1,4}"
    if stand_in.startswith("7."):
        return r"\d{1,5}\.\d{2,3}"
    is_no_host = r"(?![0-9A-Za-z.-]*\.[A-Za-z]{2,63}(?![0-9A-Za-z.-]))"
    return rf"{is_no_host}(?=[\w.-]{{0,60}}?\d[A-Za-z]|[A-Za-z.-]{{1,40}}\d{{5}}|{_MORE_IDS}|{NO_WORD})[0-9A-Za-z.-]{{10,}}"
