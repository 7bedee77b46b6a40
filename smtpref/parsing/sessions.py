"""SMTP conversations that a log writes command by command, reply by reply: which command a reply answers, and what it decides.

A refusal is a record, and so is the reply to the message itself where this server is the client; what a server accepts is no news.
Commands may have been sent in one go (RFC 2920), and logs leave replies out: a reply answers the first command that waits (a server's log
writes its own replies at once: there it is the last), unless its code names a later one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from ..model import Direction, Outcome, Phase, Record
from ..patterns import lazily
from .remembered import Remembered
from .reply import Reply, parse_reply

MAX_COMMANDS = 2_000
MAX_REPLY_LINES = 100

_COMMAND = lazily(r"(?:X-)?[A-Za-z]{4,16}(?=[\s:]|$)")
_ADDRESS = lazily(r"(?:MAIL FROM|RCPT TO)\s?:\s*(?:<(?P<inside>[^<>]{0,320})>|(?P<bare>[^\s<>]{1,320}))", re.IGNORECASE)
_REPLY_LINE = lazily(r"[2-5]\d\d(?:[ -]|$)")
_FINAL_DOT = lazily(r"(?:^|\s)\.\s*$")

_PHASES = {
    "EHLO": Phase.EHLO,
    "HELO": Phase.HELO,
    "STARTTLS": Phase.STARTTLS,
    "AUTH": Phase.AUTH,
    "MAIL": Phase.MAIL,
    "RCPT": Phase.RCPT,
    "DATA": Phase.DATA,
    "BDAT": Phase.BDAT,
    "RSET": Phase.RSET,
    "NOOP": Phase.NOOP,
    "VRFY": Phase.VRFY,
    "EXPN": Phase.EXPN,
    "HELP": Phase.HELP,
    "QUIT": Phase.QUIT,
}
_OF_NO_CONSEQUENCE = frozenset((Phase.RSET, Phase.NOOP, Phase.VRFY, Phase.EXPN, Phase.HELP, Phase.QUIT))
# What an enhanced code says about the command that it answers (RFC 3463; Exchange gives 2.6.0 to a message).
_PHASE_OF_ENHANCED = {
    "2.1.0": Phase.MAIL,
    "5.1.7": Phase.MAIL,
    "5.1.8": Phase.MAIL,
    "2.1.5": Phase.RCPT,
    "5.1.1": Phase.RCPT,
    "5.1.10": Phase.RCPT,
    "2.6.0": Phase.END_OF_DATA,
}


class _Command(NamedTuple):
    phase: Phase | None
    address: str | None = None


class Session:
    """One conversation; `is_client` says that this server is the one that sends commands."""

    def __init__(self, is_client: bool) -> None:
        self.is_client = is_client
        self._waiting: deque[_Command] = deque(maxlen=MAX_COMMANDS)
        self._is_greeted = False
        self._lines: list[str] = []
        self._base: Record | None = None
        self._begin()

    def _begin(self, sender: str | None = None) -> None:
        self._sender = sender
        self._accepted: list[str | None] = []
        self._is_over = False
        """The message was refused as a whole: what the commands that followed it were answered is an echo."""

    def command(self, text: str) -> None:
        """Note a command, or a line that goes on with one (a password, a message's end)."""
        self._is_greeted = True
        self._lines, self._base = [], None
        if _FINAL_DOT.search(text) and len(text) < 10:
            self._push(_Command(Phase.END_OF_DATA))
            return
        verb = _COMMAND.match(text)
        if not verb:
            return
        phase = _PHASES.get(verb[0].upper())
        address = _ADDRESS.match(text)
        if phase is Phase.BDAT and re.search(r"\bLAST\b", text, re.IGNORECASE):
            phase = Phase.END_OF_DATA
        self._push(_Command(phase, _address_in(address) if address else None))

    def reply(self, text: str, base: Record, *, is_whole: bool) -> list[Record]:
        """The records that a reply completes; `base` holds where it stands, and the peer as `relay`.

        A log that writes a reply line by line has it not `is_whole`: then a hyphen after the code says that it goes on.
        """
        if not (self._lines or _REPLY_LINE.match(text)):
            return []
        self._base = self._base or base
        self._lines += [line.strip() for line in text.splitlines() if line.strip()]
        if not is_whole and self._lines[-1][3:4] == "-" and len(self._lines) < MAX_REPLY_LINES:
            return []
        whole, base = " ".join(self._lines), self._base
        self._lines, self._base = [], None
        reply = parse_reply(whole)
        return list(self._decide(reply, self._answered(reply), base)) if reply.code else []

    def _push(self, command: _Command) -> None:
        if not (self._waiting and self._waiting[-1] == command and command.phase is Phase.END_OF_DATA):
            self._waiting.append(command)

    def _answered(self, reply: Reply) -> _Command | None:
        """The command that a reply answers; those before it were accepted without a word, or the log leaves their replies out."""
        if not self._waiting:
            return None if self._is_greeted else _Command(Phase.CONNECT)
        skipped = len(self._waiting) - 1
        if self.is_client:
            named = _phase_named(reply)
            phases = [command.phase for command in self._waiting]
            skipped = phases.index(named) if named in phases else 0
        for _ in range(skipped):
            self._accept(self._waiting.popleft())
        return self._waiting.popleft()

    def _decide(self, reply: Reply, command: _Command | None, base: Record) -> Iterator[Record]:
        phase = command.phase if command else None
        self._is_greeted = True
        if reply.code is None:
            return
        kind = reply.code.class_digit
        if kind in "23":
            if phase is Phase.END_OF_DATA and kind == "2":
                yield from self._records(reply, phase, base, self._accepted) if self.is_client else ()
                self._begin()
            elif command:
                self._accept(command)
                if kind == "3":
                    self._waiting.append(_Command(Phase.END_OF_DATA) if phase is Phase.DATA else command)
        elif phase is Phase.RCPT and command:
            if not self._is_over:
                yield from self._records(reply, phase, base, [command.address])
        elif phase not in _OF_NO_CONSEQUENCE and not self._is_over and not self._is_echo(phase):
            waiting = [follower.address for follower in self._waiting if follower.phase is Phase.RCPT]
            sender = command.address if command and phase is Phase.MAIL else self._sender
            self._sender = sender
            yield from self._records(reply, phase, base, self._accepted or waiting or [None])
            if phase in (Phase.MAIL, Phase.DATA, Phase.BDAT, Phase.END_OF_DATA):
                self._is_over = True

    def _is_echo(self, phase: Phase | None) -> bool:
        """No recipient was accepted, and the refusals of each are told: "no valid recipients" is no news."""
        return phase in (Phase.DATA, Phase.BDAT, Phase.END_OF_DATA) and self._sender is not None and not self._accepted

    def _accept(self, command: _Command) -> None:
        if command.phase is Phase.MAIL:
            self._begin(command.address)
        elif command.phase is Phase.RCPT and len(self._accepted) < MAX_COMMANDS:
            self._accepted.append(command.address)
        elif command.phase in (Phase.RSET, Phase.EHLO, Phase.HELO):
            self._begin()

    def _records(self, reply: Reply, phase: Phase | None, base: Record, recipients: list[str | None]) -> Iterator[Record]:
        outcomes = {"2": Outcome.DELIVERED, "4": Outcome.DEFERRED, "5": Outcome.BOUNCED}
        kind = reply.code.class_digit if reply.code else ""
        for recipient in recipients:
            yield base._replace(
                direction=Direction.OUTBOUND if self.is_client else Direction.INBOUND,
                outcome=outcomes.get(kind) if self.is_client else Outcome.REJECTED,
                sender=self._sender,
                recipient=recipient,
                relay=base.relay if self.is_client else None,
                client=None if self.is_client else base.relay,
                phase=phase,
                reply_code=reply.code,
                enhanced_code=reply.enhanced,
                text=reply.text,
            )


class Sessions:
    """The conversations of a log, by what identifies them there."""

    def __init__(self) -> None:
        self._sessions: Remembered[Session] = Remembered()

    def get(self, key: str, *, is_client: bool) -> Session:
        """The conversation `key`, a new one where there is none yet."""
        if key not in self._sessions:
            self._sessions[key] = Session(is_client)
        return self._sessions[key]

    def end(self, key: str) -> None:
        """Forget a conversation that was closed."""
        self._sessions.pop(key, None)


def _phase_named(reply: Reply) -> Phase | None:
    """The phase that the reply's own code or words belong to, if they tell."""
    named = _PHASE_OF_ENHANCED.get(str(reply.enhanced)) if reply.enhanced else None
    if named is None and reply.code and str(reply.code) == "354":
        return Phase.DATA
    if named is None and reply.code and reply.code.class_digit == "2" and "queued" in reply.text.lower():
        return Phase.END_OF_DATA
    return named


def _address_in(match: re.Match[str]) -> str:
    return match["inside"].strip() if match["inside"] is not None else match["bare"]
