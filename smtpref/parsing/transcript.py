"""Sendmail's bounces and those of its relatives: the addresses in one section, in another the dialogue that failed.

What the peer said stands behind `<<<`; the program's own line after it ("550 5.1.1 <bob@example.com>... User unknown") says whom it is about.
"""

from __future__ import annotations

import re

from ..model import Phase
from ..patterns import lazily
from .failure import ADDRESS, HEAD, Failure, address_of, fuller
from .reply import Reply, parse_reply, phase_of

MAX_RECIPIENTS = 1000

_TALKING = lazily(r"\bwhile talking to (?P<relay>\S{1,255}?)[.:]{0,2}(?:\s|$)", re.IGNORECASE)
_TRANSCRIPT = lazily(r"transcript of session follows", re.IGNORECASE)
_LISTS_ADDRESSES = lazily(r"the following address(?:es)? had|failed addresses follow", re.IGNORECASE)
_SECTION = lazily(r"^\W{0,4}-{3,}\s?\S.{0,200}?-{3,}\W{0,4}$")
_REASON = lazily(r"^\s*\(reason: (?P<reason>.*)\)\s*$", re.IGNORECASE)
_EXPANDED = lazily(
    rf"\((?:expanded|generated|originally addressed|ultimately generated)\s?(?:from|to)?:? (?:<)?({ADDRESS})>?\)", re.IGNORECASE
)
_SENT = lazily(r"^>>> ?(?P<command>MAIL From|RCPT To|DATA|EHLO|HELO|STARTTLS|AUTH|BDAT|QUIT|\.)(?P<argument>.*)$", re.IGNORECASE)
_GOT = lazily(r"^<<< ?(?P<reply>.*)$")
_OWN_SUMMARY = lazily(rf"^\s*(?P<code>[2-5]\d\d) (?:[245]\.\d+\.\d+ )?<?(?P<recipient>{ADDRESS}|[^\s<>.]{{1,64}})>?(?:\.\.\.|,) ")
_DEFERRED = lazily(rf"^<?(?P<recipient>{ADDRESS})>?\.\.\. (?P<words>.*)$")
_CODE = lazily(r"^\s*([45]\d\d)[ -]")


def read_transcript(lines: list[str]) -> list[Failure]:
    """Return the recipients of a bounce that quotes a dialogue, each with what was said about it; empty where `lines` hold none."""
    if not any(_TRANSCRIPT.search(line) for line in lines):
        return []
    recipients, reasons = _listed(lines)
    dialogue = _Dialogue(lines)
    if not recipients:
        recipients = list(dict.fromkeys(dialogue.recipients))
    failures = []
    for recipient in recipients[:MAX_RECIPIENTS]:
        reason = parse_reply(reasons[recipient]) if recipient in reasons else None
        said = dialogue.reply_to(recipient, only=len(recipients) == 1)
        failures.append(Failure(recipient, fuller(reason, said), dialogue.relay))
    return failures


def _listed(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    recipients: list[str] = []
    reasons: dict[str, str] = {}
    is_listing = False
    for line in lines:
        if _SECTION.match(line[:300]) or _TRANSCRIPT.search(line):
            is_listing = bool(_LISTS_ADDRESSES.search(line))
            continue
        if not is_listing:
            continue
        reason, expanded = _REASON.match(line), _EXPANDED.search(line)
        head = HEAD.match(line) if line[:1] not in " \t" or not recipients else None
        if reason and recipients:
            reasons.setdefault(recipients[-1], reason["reason"])
        elif expanded and recipients and "@" not in recipients[-1]:
            recipients[-1] = expanded[1]
        elif head:
            recipients.append(address_of(head))
        elif line.strip() and line[:1] not in " \t(":
            recipients.append(line.strip(' <>"')[:300])
    return [recipient for recipient in dict.fromkeys(recipients) if recipient], reasons


class _Dialogue:
    """A transcript: what was sent, what came back, and what the program made of it."""

    def __init__(self, lines: list[str]) -> None:
        self.relay: str | None = None
        self.recipients: list[str] = []
        self._replies: dict[str, Reply] = {}
        self._first: Reply | None = None
        self._read(lines)

    def reply_to(self, recipient: str, *, only: bool) -> Reply | None:
        """What was said about a recipient; where it is the `only` one, what was said at all."""
        own = self._replies.get(recipient.lower()) or self._replies.get(recipient.partition("@")[0].lower())
        return own or (self._first if only else None)

    def _read(self, lines: list[str]) -> None:
        is_transcript = False
        phase: Phase | None = Phase.CONNECT
        said: list[str] = []
        sent_to: str | None = None
        for line in lines:
            text = line.strip()
            if _TRANSCRIPT.search(text):
                is_transcript = True
                continue
            if not is_transcript or not text:
                continue
            talking, sent, got = _TALKING.search(text), _SENT.match(text), _GOT.match(text)
            if talking:
                self.relay, phase = self.relay or talking["relay"], Phase.CONNECT
            elif sent:
                said = []
                phase = Phase.END_OF_DATA if sent["command"] == "." else phase_of(sent["command"])
                sent_to = next(iter(re.findall(ADDRESS, sent["argument"][:400])), None) if phase is Phase.RCPT else None
            elif got:
                if said and (_CODE.match(got["reply"]) or [""])[0][:3] != said[0][:3]:
                    said = []
                said.append(got["reply"])
                if sent_to:
                    self._put(sent_to, said, phase)
            else:
                self._conclude(text, said, phase)
                said = []

    def _conclude(self, text: str, said: list[str], phase: Phase | None) -> None:
        """Sendmail's own line after a dialogue, or instead of one: "550 5.1.1 <bob@example.com>... User unknown"."""
        match = _OWN_SUMMARY.match(text) or _DEFERRED.match(text)
        if match:
            self.recipients.append(match["recipient"])
            if said and not parse_reply(" ".join(said)).text:
                said = [f"{said[0]} {text[match.end('recipient') :].lstrip('>. ')}"]
            self._put(match["recipient"], said or [text if "code" in match.re.groupindex else match["words"]], phase if said else None)
        elif _CODE.match(text):
            self._first = self._first or self._parsed(said or [text], phase if said else None)

    def _put(self, recipient: str, said: list[str], phase: Phase | None) -> None:
        reply = self._parsed(said, phase)
        self._replies[recipient.lower()] = reply
        if self._first is None or len(said) > 1:
            self._first = reply if self._first is None or self._first.code == reply.code else self._first

    @staticmethod
    def _parsed(said: list[str], phase: Phase | None) -> Reply:
        reply = parse_reply(" ".join(said), phase)
        return reply if reply.code else reply._replace(phase=None)
