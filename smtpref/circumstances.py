"""What a reply tells beside its reason: who answered, whom or what it blames, which blocklist, how long to wait.

Recognition marks (hosts, phrases, zones) are knowledge and come from `codes.yaml`; nothing here decides a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from .knowledge import Knowledge
from .model import OF_EVENTS, Outcome, Record
from .patterns import lazily
from .rules import MAX_TEXT, phrase_pattern
from .words import Subject, WordIndex

_IP = r"\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)|(?:[0-9A-Fa-f]{1,4}:){2,7}:?[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{1,4}){0,6}"
_FORMS = {
    "ip": lazily(rf"(?<![\w.:])({_IP})(?![\w:])"),
    "url": lazily(r"((?i:https?)://[^\s<>\"']{1,2000}[^\s<>\"'.,;:)\]])"),
    "address": lazily(r"<?([^\s<>@\"'()\[\]:]{1,64}@[A-Za-z0-9](?:[\w-]|\.(?!\.)){0,253}[A-Za-z0-9])>?"),
    "domain": lazily(
        r"(?<![\w@./+-])((?:[A-Za-z0-9_](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9])(?![\w/@=+-])"
    ),
}

# Every provider's own token has capitals beside digits or signs, or starts the reply.
_TOKEN_LIKE = lazily(r"[A-Z][\d#:_(.=-]|/err/")
# A host that is named so is the one that was refused.
_IS_CLIENT = lazily(r"\b(?:client(?: host)?|ehlo|helo|from|domain|sender|server|ip|host rejected)\b[\s:=<(\[]{0,4}$", re.IGNORECASE)
# The address that a reply names beside these words may be the sender's.
_ABOUT_SENDER = lazily(r"\b(?:send|from|spf|dkim|dmarc|originat|contact|postmaster|return|helo)", re.IGNORECASE)
_NOT_REFUSED = (Outcome.DELIVERED, Outcome.COMPLAINT)
_UNITS = {"s": 1, "m": 60, "h": 3600, "o": 3600, "d": 86400, "j": 86400, "t": 86400, "g": 86400}
MAX_HOSTS = 10_000
"""Hosts of which it is remembered whose they are."""

MAX_TEXTS = 1000
"""Texts of which it is remembered which blocklist they name,"""

LONG = 1000
"""if they are no longer than this."""

UNITS = (
    "s|secs?|seconds?|sekunden?|secondes?|segundos?|secondi|m|mins?|minutes?|minuten?|minutos?|minuti"
    "|h|hrs?|hours?|stunden?|heures?|horas?|ore|d|days?|tagen?|jours?|d[ií]as?|giorni"
)
"""A pattern of the units in which replies ask to wait."""
_WAIT = lazily(rf"(?<![\w.:])(?P<number>\d{{1,6}})\s?(?P<unit>{UNITS})(?![\w-])", re.IGNORECASE)
_CLOCK = lazily(r"(?<![\d:.T])(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])")


class Names(NamedTuple):
    """What is told of a provider by names alone."""

    of_relay: str | None
    of_recipient: str | None
    is_relay_named: bool


class Recogniser:
    """Tells who answered and which blocklist is named, by the marks of one Knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._hosts: dict[str, str] = {}
        self._owner = lru_cache(maxsize=MAX_HOSTS)(self._find_owner)
        self._blocklist = lru_cache(maxsize=MAX_TEXTS)(self._find_blocklist)
        self._domains: dict[str, str] = {}
        self._services: dict[str, str] = {}
        markers: list[tuple[str, str]] = []
        self._tokens: list[tuple[re.Pattern[str], str]] = []
        self._openings: list[tuple[re.Pattern[str], str]] = []
        for provider in knowledge.marks["providers"]:
            self._domains |= dict.fromkeys(provider.get("domains", ()), provider["id"])
            self._services |= dict.fromkeys((provider["id"], *provider.get("aliases", ())), provider["id"])
            for suffix in provider.get("hosts", ()):
                self._hosts[suffix.lower().strip(".")] = provider["id"]
            markers += [(marker.lower(), provider["id"]) for marker in provider.get("markers", ())]
            if "tokens" in provider:
                known = self._openings if provider["tokens"].startswith("^") else self._tokens
                known.append((lazily(provider["tokens"]), provider["id"]))
        # The longer mark is the more telling one; of two providers' same mark, the first one's counts.
        self._markers = dict(reversed(markers))
        self._marks = WordIndex(self._markers)
        marks = [(mark, name) for name, *others in knowledge.marks["blocklists"] for mark in (name, *others)]
        self._lists = [
            (mark.lower(), lazily(phrase_pattern(mark), re.IGNORECASE), name) for mark, name in sorted(marks, key=lambda m: -len(m[0]))
        ]

    def provider(self, record: Record) -> str | None:
        """The id of the provider that answered: by the relay's name, then by marks in the text."""
        by_host = self._by_host(record.relay) if record.relay else None
        if by_host:
            return by_host
        text = record.text[:MAX_TEXT]
        marks = self._marks.present(Subject(text))
        if marks:
            return self._markers[max(marks, key=lambda mark: (len(mark), mark))]
        tokens = [*self._openings, *self._tokens] if _TOKEN_LIKE.search(text) else self._openings
        for pattern, provider in tokens:
            if pattern.search(text):
                return provider
        named = next((found for found in map(self._by_host, self._hosts_in(text)) if found), None)
        return named or self._by_format(record) or self._by_recipient(record) or self._by_number(record)

    def told_by_names(self, record: Record) -> Names:
        """What `provider` takes from the relay's and the recipient's names: the same where it takes the same."""
        by_host = self._by_host(record.relay) if record.relay else None
        of_recipient = None if by_host else self._domains.get((record.recipient or "").rpartition("@")[2].lower())
        return Names(by_host, of_recipient, is_relay_named=self._is_named(record))

    def _hosts_in(self, text: str) -> Iterator[str]:
        """The hosts that a text names, but for the client's and for domains of addresses: these are what the reply is about."""
        for match in _FORMS["domain"].finditer(text):
            # At the start, or in brackets of its own, even a domain stands for the host.
            is_about = match[1].lower() in self._domains and text[max(0, match.start() - 1) : match.start()] not in ("", "[")
            if not is_about and not _IS_CLIENT.search(text, max(0, match.start() - 24), match.start()):
                yield match[1]

    def _by_number(self, record: Record) -> str | None:
        """The one provider that uses an enhanced code which no registry has."""
        code = record.enhanced_code
        if code is None or code.any_class in self._knowledge.enhanced:
            return None
        users = self._knowledge.users_of(str(code))
        return str(users[0]["id"]) if len(users) == 1 else None

    def _by_format(self, record: Record) -> str | None:
        """Where a sending service's event quotes nobody: the service itself."""
        is_own = record.format in OF_EVENTS and record.reply_code is None and record.outcome not in _NOT_REFUSED
        return self._services.get(record.format) if is_own else None

    def _by_recipient(self, record: Record) -> str | None:
        """Where nobody says who answered: the provider of the recipient's domain, or of the address that the reply names.

        Where it speaks of a sender too, only the address that it starts with is sure to be the recipient's.
        """
        find = _FORMS["address"].match if _ABOUT_SENDER.search(record.text) else _FORMS["address"].search
        quoted = find(record.text)
        address = record.recipient or (quoted[1] if quoted and quoted[1] != record.sender else "")
        # A sending service's event seldom names the peer; its reply is a peer's all the same.
        is_peer = record.direction is None or (record.format in OF_EVENTS and record.reply_code is not None)
        return self._domains.get(address.rpartition("@")[2].lower()) if is_peer and not self._is_named(record) else None

    def _is_named(self, record: Record) -> bool:
        return record.relay is not None and not _FORMS["ip"].fullmatch(record.relay)

    def blocklist(self, text: str) -> str | None:
        """The name of the blocklist that `text` names, the most exact one; None where it names none."""
        # What is kept must not be a line of a megabyte.
        return self._blocklist(text) if len(text) <= LONG else self._find_blocklist(text)

    def _find_blocklist(self, text: str) -> str | None:
        lowered = text[:MAX_TEXT].lower()
        found = [(match.start(), name) for mark, pattern, name in self._lists if mark in lowered and (match := pattern.search(lowered))]
        names = [name for _, name in sorted(found, key=lambda pair: pair[0])]
        # "Spamhaus" says less than "Spamhaus PBL", wherever they stand.
        return next((name for name in names if name.startswith(f"{names[0]} ")), names[0]) if names else None

    def _by_host(self, host: str) -> str | None:
        """Whose a host is, which may be written with its address: "mx.example.com[192.0.2.1]:25"."""
        return self._owner(host.partition("[")[0].partition(" ")[0])

    def _find_owner(self, name: str) -> str | None:
        labels = name.lower().strip(".").split(".")
        return next((self._hosts[name] for name in _suffixes(labels) if name in self._hosts), None)


def things_named(text: str, kinds: Iterable[str]) -> Iterator[str]:
    """The things of `kinds` ("ip", "domain", "url", "address") that `text` names, kind by kind."""
    for kind in kinds:
        for match in _FORMS[kind].finditer(text[:MAX_TEXT]):
            yield match[1]


def wait_seconds(text: str) -> int | None:
    """How long the reply asks to wait: "in 15 minutes", "00:05:00", "3600 seconds"."""
    text = text[:MAX_TEXT]
    clock = _CLOCK.search(text)
    if clock:
        hours, minutes, seconds = map(int, clock.groups())
        return hours * 3600 + minutes * 60 + seconds or None
    match = _WAIT.search(text)
    if not match:
        return None
    unit = match["unit"].lower()
    # An hour in German begins like a second.
    return int(match["number"]) * _UNITS["h" if unit.startswith("stunde") else unit[0]] or None


def _suffixes(labels: list[str]) -> Iterable[str]:
    return (".".join(labels[start:]) for start in range(len(labels)))
