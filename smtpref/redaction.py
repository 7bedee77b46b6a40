"""`--redact`: pseudonyms for the addresses, host names and IP addresses in what the input says, before anything is written.

A pseudonym is a kind and a number, in the order of first appearance: `user1@host2`, `ip3`. Numbers are kept by digest: nothing here, and
nothing that is printed, leads back. What is public stays: the names of large providers and of blocklists, but nobody's address at them: such a one
becomes `user1@host2.gmail.com`, where nobody is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

from .knowledge import Knowledge
from .model import Classified, Evidence, InputFormat, Record, Verdict
from .names import AT, NO_MACHINE, NOBODY, Kind, Name, Reading, canonical_ip, has_letter, names_in, words_of
from .patterns import lazily

SHORTEST = 3
"""Letters below which a bare word is too common to be taken for the user or host that is called so."""

_LOCAL_FORMATS = (InputFormat.POSTFIX, InputFormat.POSTQUEUE, InputFormat.POSTQUEUE_JSON)
_MAILDIR_HOST = lazily(r"(?<=/(?:cur|new)/)(?P<time>\d+\.\w+\.)(?P<host>[\w.-]+)(?=[,:]|$)")
_HOST_IN_PAGE = lazily(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?=[/?]|$)")
_WORD_OF_REPLY = lazily(r"(?<![\w@.+-])[\w-]+(?![\w@]|\.\w)")
# What a provider calls its own machines. Other names below its domain may be a customer's: "example-com.mail.protection.outlook.com".
_MACHINE = lazily(
    r"(?:(?:alt|aspmx|gmail|gmr|in|out|inbound|outbound|smtp|mx|mxs|mxa|mxb|mta|mail|email|imap|pop|relay|mout|mxin|emig|l|a|www|support|help"
    r"|postmaster|senders?|docs|learn|community|protection|olc|prod|eur|nam|apc|service|feedback|lookup|check|query|static|eo|gslb|ess|hes|tmes"
    r"|bl|dnsbl|rbl)\d{0,3}|[a-z]{1,2}\d{1,3}|\d{1,3})"
)
_OCTETS = lazily(r"(?:\d{1,3}[._-]){3}\d{1,3}")
_MOST_LABELS = 8
"""Labels of the longest name that may be public."""
_DIGEST_SIZE = 12
_REMEMBERED = 1024

_IN_FIELD = Reading(sure=True)
_IN_MACHINE = Reading(sure=True, all_words=True)
_IN_PATH = Reading(only_addresses=True)


class _Span(NamedTuple):
    """A stretch of a text and what stands in its place."""

    start: int
    end: int
    pseudonym: str


class _Redacted(NamedTuple):
    """A text, its replaced stretches in their order, and what came of it."""

    original: str
    spans: tuple[_Span, ...]

    @property
    def text(self) -> str:
        return self.between(0, len(self.original))

    def between(self, start: int, end: int) -> str:
        """The redacted form of a slice of the original; a name that it cuts is in it as a whole."""
        if not self.spans:
            return self.original[start:end]
        pieces = []
        for span in self.spans:
            if span.end > start and span.start < end:
                pieces += [self.original[start : span.start], span.pseudonym]
                start = span.end
        return "".join((*pieces, self.original[start:end]))


class Redactor:
    """Gives pseudonyms, the same for the same name as long as it lives; what one Knowledge calls public stays."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._numbers: dict[bytes, int] = {}
        self._last = 0
        # What most records of a log have in common is read once.
        self._known_path = lru_cache(_REMEMBERED)(self.path)
        self._known_machine = lru_cache(_REMEMBERED)(self._machine)
        self._known_code = lru_cache(_REMEMBERED)(self.text)
        self._public = frozenset(_public_hosts(knowledge))
        self._lists = frozenset(str(block["name"]) for block in knowledge.blocklists.values())
        self._ordinary = NOBODY | NO_MACHINE | frozenset(_words_of_replies(knowledge))

    def redact(self, classified: Classified) -> Classified:
        """Return the record and its verdict with every name that the input gave replaced; what smtpref itself says stays."""
        record = classified.record
        named = record._replace(
            source=self._known_path(record.source),
            host=record.host and self._known_machine(record.host),
            queue_id=record.queue_id and self._redacted(record.queue_id, _IN_PATH).text,
            sender=record.sender and self._addresses(record.sender),
            recipient=record.recipient and self._addresses(record.recipient),
            relay=record.relay if not record.relay or _is_service(record) else self._known_machine(record.relay),
            client=record.client and self._known_machine(record.client),
        )
        own = self._own_names(record)
        reply = self._redacted(record.text, Reading(own))
        return Classified(named._replace(text=reply.text), self._verdict(classified.verdict, reply, own))

    def text(self, text: str) -> str:
        """Return any foreign text with its names replaced."""
        return self._redacted(text, Reading()).text

    def path(self, source: str) -> str:
        """A path without the addresses in it, and without the machine's name that the files of a Maildir have in theirs."""
        path = self._redacted(source, _IN_PATH).text
        return _MAILDIR_HOST.sub(lambda match: match["time"] + self._machine(match["host"]), path)

    # Fields

    def _verdict(self, verdict: Verdict, reply: _Redacted, own: Mapping[str, Kind]) -> Verdict:
        as_name = Reading(own, sure=True)
        is_known = verdict.blocklist is None or verdict.blocklist in self._lists
        return verdict._replace(
            about=verdict.about and self._redacted(verdict.about, as_name).text,
            blocklist=verdict.blocklist if is_known else self._redacted(verdict.blocklist or "", as_name).text,
            evidence=self._evidence(verdict.evidence, reply),
            overruled=tuple(finding._replace(evidence=self._evidence(finding.evidence, reply)) for finding in verdict.overruled),
        )

    def _evidence(self, evidence: Evidence, reply: _Redacted) -> Evidence:
        """The words that decided, as they stand in the redacted reply; a code, which stands before the reply's text, as it is."""
        at = reply.original.find(evidence.match)
        return evidence._replace(match=reply.between(at, at + len(evidence.match)) if at >= 0 else self._known_code(evidence.match))

    def _addresses(self, value: str) -> str:
        """The addresses of a field that holds nothing else; a local user is one too."""
        names = [*names_in(value, _IN_FIELD)]
        redacted = self._replaced(value, names)
        addresses = [
            redacted.between(user.start, place.end)
            for user, place in pairwise(names)
            if user.kind is Kind.USER and AT.fullmatch(value, user.end, place.start)
        ]
        bare = value.strip("<> ")
        return ", ".join(addresses) or (self._pseudonym(Name(0, len(bare), Kind.USER, bare)) if bare else value)

    def _machine(self, value: str) -> str:
        """A field that names a machine: every word of it that is not the program's own is a name."""
        # "mx1.example.com[private/dovecot-lmtp]" is a socket.
        names = [
            name for name in names_in(value, _IN_MACHINE) if "/" not in (value[name.start - 1 : name.start], value[name.end : name.end + 1])
        ]
        return self._replaced(value, names).text

    def _own_names(self, record: Record) -> dict[str, Kind]:
        """The bare names by which a text may call this record's users and hosts: those that are no words of replies."""
        own: dict[str, Kind] = {}
        fields = (record.host, None if _is_service(record) else record.relay, record.client)
        hosts = [name for field in fields if field for name in words_of(field)]
        for address in filter(None, (record.sender, record.recipient)):
            local, _, domain = address.rpartition("@")
            own |= self._telling([local or domain], Kind.USER)
            hosts += [domain] if local else []
        return self._telling(hosts, Kind.HOST) | own

    def _telling(self, names: Iterable[str], kind: Kind) -> dict[str, Kind]:
        lowered = map(str.lower, names)
        return {name: kind for name in lowered if len(name) >= SHORTEST and name not in self._ordinary and has_letter(name)}

    # Pseudonyms

    def _redacted(self, text: str, reading: Reading) -> _Redacted:
        return self._replaced(text, names_in(text, reading))

    def _replaced(self, text: str, names: Iterable[Name]) -> _Redacted:
        spans = (_Span(name.start, name.end, self._pseudonym(name, is_domain=text.endswith("@", 0, name.start))) for name in names)
        return _Redacted(text, tuple(span for span in spans if span.pseudonym != text[span.start : span.end]))

    def _pseudonym(self, name: Name, *, is_domain: bool = False) -> str:
        match name.kind:
            case Kind.HOST if is_domain:
                return self._domain(name.text)
            case Kind.HOST:
                return self._host(name.text)
            case Kind.USER:
                return self._numbered(name.kind, name.text.lower().strip('"'))
            case Kind.IP:
                return self._numbered(name.kind, canonical_ip(name.text))
            case Kind.OPAQUE:
                return "…"

    def _domain(self, name: str) -> str:
        """The pseudonym of an address's domain: "user1@gmail.com" might be somebody, and nobody is at a host below it that there is not."""
        host, lowered = self._host(name), name.lower().strip(".")
        return f"{self._numbered(Kind.HOST, lowered)}.{name}" if host == name and lowered not in NO_MACHINE else host

    def _host(self, name: str) -> str:
        """A host's pseudonym; below a public name only what may be a customer's is replaced."""
        lowered = name.lower().strip(".")
        if lowered in NO_MACHINE:
            return name
        labels = lowered.split(".")
        for count in range(max(0, len(labels) - _MOST_LABELS), len(labels)):
            suffix = ".".join(labels[count:])
            if suffix in self._public:
                is_providers_own = all(map(self._is_machine, labels[:count])) and not _OCTETS.search(".".join(labels[:count]))
                return name if is_providers_own else f"{self._numbered(Kind.HOST, lowered)}.{suffix}"
        return self._numbered(Kind.HOST, lowered)

    def _is_machine(self, label: str) -> bool:
        return label.replace("-", ".") in self._public or all(map(_MACHINE.fullmatch, label.split("-")))

    def _numbered(self, kind: Kind, name: str) -> str:
        digest = blake2b(f"{kind} {name}".encode("utf-8", "surrogatepass"), digest_size=_DIGEST_SIZE).digest()
        if digest not in self._numbers:
            # "host5" may be somebody's own name: it gets another number.
            self._last += 2 if name == f"{kind}{self._last + 1}" else 1
            self._numbers[digest] = self._last
        return f"{kind}{self._numbers[digest]}"


def _public_hosts(knowledge: Knowledge) -> Iterator[str]:
    """The hosts and domains of providers, the zones of blocklists, and where both explain themselves."""
    for provider in knowledge.providers.values():
        yield from (host.lower().strip(".") for host in (*provider.get("hosts", ()), *provider.get("domains", ())))
        yield from _hosts_in(provider.get("help"), provider.get("contact"), *provider.get("markers", ()))
    for block in knowledge.blocklists.values():
        yield from _hosts_in(block["zone"], block.get("lookup"), *block.get("names", ()))


def _hosts_in(*pages: str | None) -> Iterator[str]:
    return (host for page in pages if page for host in _HOST_IN_PAGE.findall(page.lower()))


def _words_of_replies(knowledge: Knowledge) -> Iterator[str]:
    """The words of the rules' own examples: too ordinary to stand for somebody called so."""
    for rule in knowledge.rules.values():
        for text in rule["matches"]:
            yield from _WORD_OF_REPLY.findall(text.lower())


def _is_service(record: Record) -> bool:
    """Whether the relay is a service of the server itself ("local", "virtual"), as Postfix writes it."""
    relay = record.relay or ""
    return record.format in _LOCAL_FORMATS and relay.isascii() and relay.isalpha() and relay.islower()
