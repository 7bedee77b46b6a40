"""What texts have in common: a reply, a log line or a sender without what varies from one to the next.

Numbers, ids, addresses, hosts, IP addresses, links and times give way to marks in braces, so that millions of replies have a few hundred
shapes. Codes that registries and providers define stay: they are what the replies are told apart by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .patterns import lazily

MAX_TEXT = 2000
"""Characters of a text that are looked at."""

MAX_SHAPE = 300
"""Characters of a shape."""

FEW_WORDS = 6
"""Words that are left of a shape where there are too many shapes."""

MAX_WORDS = 10_000
"""Words of which it is remembered what they are."""

_TOKEN = lazily(r"[^\s\[\]()<>{}\",;'|]+")
_EDGES = lazily(r"^([.:!?*=#-]*)(.*?)([.:!?*=-]*)$", re.DOTALL)
_URL = lazily(r"(?:https?|ftp)://", re.IGNORECASE)
_IP = lazily(r"(?:\d{1,3}\.){3}\d{1,3}(?:[:/]\d{1,5})?$|[0-9a-f]{0,4}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f.]{0,15}(?:/\d{1,3})?$", re.IGNORECASE)
_TIME = lazily(r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?$|\d{4}-\d\d-\d\d(?:T[\d:.,]{5,18}(?:Z|[+-]\d\d:?\d\d)?)?$")
_HOST = lazily(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.){1,9}[a-z][a-z-]{1,24}(?::\d{1,5})?$")
_ENHANCED = lazily(r"[245]\.\d{1,3}\.\d{1,3}$")
# S3140, TSS04, RP-001, OFR_104: few letters, few digits.
_CODE = lazily(r"[A-Z]{1,3}[-_]?\d{2,5}$|IPv[46]$|RFC\d{3,5}$|SMTPUTF8$|[78]BIT(?:MIME)?$")
_NUMBER = lazily(r"[\d.,:/%+-]*\d[\d.,:/%+-]*$")
# An id that happens to have no letters.
_LONG_NUMBER = lazily(r"\d{9,}$")
_PAIR = lazily(r"([A-Za-z][\w-]{0,30}=)(.+)$", re.DOTALL)
# Letters in the case of words: plain, capitalised, joined like this: MailboxFull, IPAddress.
_IN_CASE = r"(?:[A-Z]?[a-z]+|[A-Z]+|(?:[A-Z]{1,4}[a-z]{2,})+|[a-z]{2,}(?:[A-Z][a-z]{2,})+)"
_WORD = lazily(f"{_IN_CASE}$")
NO_WORD = f"(?!{_IN_CASE}(?![A-Za-z]))[A-Za-z]{{10,}}"
"""A pattern of letters that are in the case of no word: an id that happens to have no digits."""

_MIXED = lazily(r"[A-Za-z]{8,}")
# What Postfix refuses stands first: an address, a HELO name.
_REFUSED = lazily(r"<[^<>\s]{1,400}>(?=:)")
_REPEATED = lazily(r"(\{\w+\})(?:[ ,:!/.-]*\1)+")
_MARKS = lazily(r"\{\w+\}")

# The parts of a sender that are made anew for each message: RFC-less, but everybody's: VERP, SRS, BATV, tags.
_BATV = lazily(r"(?:prvs|msprvs1)=[^=@]{1,40}=", re.IGNORECASE)
_MADE_UP = lazily(r"(?:[0-9a-f]{8,}-?)+|(?=.*\d)[\w.=-]{24,}", re.IGNORECASE)


def shape_of(text: str, recipient: str | None = None, names: frozenset[str] = frozenset()) -> str:
    """`text` with marks for what varies; what is in `names` stays. The recipient's own name varies, whatever word it is."""
    text = text[:MAX_TEXT]
    if ">:" in text:
        text = _REFUSED.sub(lambda match: match[0] if "@" in match[0] else "<{name}>", text, count=1)
    user = (recipient or "").partition("@")[0]
    if len(user) > 2 and text.count(user) > text.count(f"{user}@"):
        text = re.sub(rf"(?<![\w.-]){re.escape(user)}(?![\w-]|\.\w|@)", "{user}", text)
    masked = " ".join([_masked(word, names) for word in text.split()])
    return (_REPEATED.sub(r"\1", masked) if masked.count("{") > 1 else masked)[:MAX_SHAPE]


def coarse(shape: str) -> str:
    """The first words of a shape, marks not counted."""
    words = _MARKS.sub("", shape).split()
    return " ".join([*words[:FEW_WORDS], "…"])


def sender_shape(address: str) -> str:
    """A sender without what is made anew for each message: `bounce+{…}@example.com` for every `bounce+1f3-bob=example.net@example.com`."""
    local, at, domain = address.rpartition("@")
    domain = domain.lower()
    if "=" in local and local[0] in "pPmM":
        local = _BATV.sub("", local)
    stem, _, tag = local.partition("+")
    if tag and ("=" in tag or any(map(str.isdigit, tag))):
        return f"{stem}+{{id}}@{domain}"
    if "=" in local:
        return f"{local.partition('=')[0]}={{id}}@{domain}"
    if _MADE_UP.fullmatch(local):
        return f"{{id}}@{domain}"
    return f"{local}{at}{domain}"


@lru_cache(maxsize=MAX_WORDS)
def _masked(word: str, names: frozenset[str]) -> str:
    return _TOKEN.sub(lambda match: _mark(match[0], names), word)


def _mark(token: str, names: frozenset[str]) -> str:
    edges = _EDGES.match(token)
    before, word, after = edges.groups() if edges else ("", token, "")
    if not word or word.lower() in names:
        return token
    pair = _PAIR.match(word)
    if pair and not _URL.match(word) and "@" not in word:
        return before + pair[1] + _mark(pair[2], names) + after
    return before + _mark_of(word) + after


def _mark_of(word: str) -> str:
    if _URL.match(word):
        return "{url}"
    if "@" in word.strip("@"):
        return "{address}"
    has_digit = any(map(str.isdigit, word))
    if has_digit or ":" in word:
        for mark, pattern in _WITH_DIGITS:
            if pattern.match(word):
                return mark or word
    if _HOST.match(word):
        return "{host}"
    if has_digit:
        return "{id}"
    return "{id}" if any(not _WORD.match(part) for part in _MIXED.findall(word)) else word


_WITH_DIGITS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("", _ENHANCED),
    ("{time}", _TIME),
    ("{ip}", _IP),
    ("", _CODE),
    ("{id}", _LONG_NUMBER),
    ("{n}", _NUMBER),
)

Fold = Callable[[str], str]


class Names:
    """Texts as small numbers. Where there are too many, all are folded into fewer, whatever order they came in."""

    def __init__(self, limit: int, *folds: Fold) -> None:
        self._limit = limit
        self._folds = list(folds)
        self._folded: list[Fold] = []
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []

    def number(self, name: str) -> int:
        """The number of a name, the same for the same name."""
        for fold in self._folded:
            name = fold(name)
        known = self._numbers.get(name)
        if known is not None:
            return known
        number = self._numbers[name] = len(self._names)
        self._names.append(name)
        while len(self._numbers) > self._limit and self._folds:
            self._fold(self._folds.pop(0))
        return number

    def __getitem__(self, number: int) -> str:
        """The name of a number, as it is now; several numbers may have one name."""
        return self._names[number]

    def _fold(self, fold: Fold) -> None:
        self._folded.append(fold)
        same: dict[str, str] = {}
        for number, name in enumerate(self._names):
            folded = fold(name)
            self._names[number] = same.setdefault(folded, folded)
        self._numbers = {}
        for number, name in enumerate(self._names):
            self._numbers.setdefault(name, number)
