"""SMTP dialogues: what a client and a server said to each other, as tools and libraries show it.

swaks, curl, msmtp, smtplib, PHPMailer, Nodemailer, MailKit and others mark each line with who said it; telnet, nc and openssl do not,
so that there a command or a connection shows that the replies around it are a dialogue's. Only refusals are news, and the reply after the
final dot; the commands before it tell sender, recipient and phase. A tool that repeats the refusal in its own words gives no second record.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime
from typing import NamedTuple

from ..model import InputFormat, Phase, Record
from ..patterns import lazily
from .marks import COMMAND, Said, Who, without_mark
from .reader import InputLine, Reader
from .reply import CODE_FIRST, Reply, find_reply, parse_reply, phase_of

MAX_LINES = 100
"""Lines of one reply, and of replies that are held until a command follows."""

MAX_FOREIGN = 1_000
"""Lines of a message, or of openssl's certificates, that are passed over before the dialogue is taken to be over."""

MAX_ECHO = 60
"""Lines after a refusal within which a tool may repeat it: a traceback has about that many."""

MAX_PENDING = 1_000
"""Commands sent ahead of their replies (RFC 2920)."""

WRAPPED = 50
"""Characters from which a line may have been wrapped."""

# What nobody writes but who speaks SMTP: it opens a dialogue.
_STRONG_COMMAND = lazily(
    r"(?:(?:EHLO|HELO|LHLO) \S{1,255}|(?:MAIL FROM|RCPT TO):\s?<[^<>]{0,400}>(?: +(?:[A-Z0-9]{2,20}=\S{1,600}|SMTPUTF8|REQUIRETLS)){0,10}"
    r"|AUTH (?:LOGIN|PLAIN|CRAM-MD5|XOAUTH2)(?: \S{1,2000})?)\s*$",
    re.IGNORECASE,
)
_OPENS = lazily(
    r"""(?:
      (?:===|\*)\s+(?:Trying|Connected\sto)\s | Trying\s[\da-fA-F.:]{3,45}\.{3}\s*$ | Connected\sto\s\S{1,255}\.?\s*$ | CONNECTED\([0-9A-Fa-f]{8}\)\s*$
    | Escape\scharacter\sis\s | Connection\sto\s\S+\s.{0,80}\bsucceeded! | Ncat:\sConnected\sto\s
    | DEBUG\sSMTP\S{0,20}:\s(?:useEhlo|trying\sto\sconnect|connected\sto)\s? | connect:\s\(['"] | Connection:\sopening\sto\s | \+\+\sStarting\sSwift
    | \.\.\.\swhile\stalking\sto\s\S
    )""",
    re.VERBOSE,
)
_CLOSES = lazily(
    r"===\sConnection\sclosed|\*\s(?:Closing|shutting\sdown)\sconnection|Connection\s(?:to\s\S{1,255}\s)?closed|Connection:\sclosed|closed\s*$|DONE\s*$",
    re.VERBOSE,
)
_CERTIFICATES = lazily(r"CONNECTED\(")
_SHELL = lazily(
    r"""\s*(?:\S{0,80}[$\#%>]\s)?(?:sudo\s)?(?P<line>
      swaks\s+-.* | (?:telnet|nc|ncat|netcat)\s(?:-\S+\s)*(?P<host>\S+)\s(?:25|26|465|587|2525|1025|smtp|smtps|submission)\b.*
    | openssl\ss_client\s.*(?:-starttls\s+smtp|:(?:25|465|587)\b).* | curl\s.*smtps?://.*)$""",
    re.VERBOSE,
)
_SWAKS_OPTION = lazily(r"(?<!\S)(?P<name>--to|-t|--from|-f|--server|-s|-h)[ =]+[\"']?(?P<value>[^\s\"']{1,320})")
_PEER = lazily(
    r"""(?:[Cc]onnected\sto\s(?:host\s")?(?P<name>[\w.:-]{1,255}?)(?=\.?(?:\s|$|"))|connect:\s\(['"](?P<smtplib>[\w.:-]{1,255})['"]
    |Connection:\sopening\sto\s(?:\w+://)?(?P<php>[\w.-]{1,255})|while\stalking\sto\s(?P<sendmail>[\w.-]{1,255}?)\.?:)""",
    re.VERBOSE,
)
_SHELL_PEER = lazily(r"(?:-connect |--server[ =]|smtps?://(?:[^@/\s]{1,200}@)?|swaks .{0,2000}?-s )(?P<host>[\w.-]{1,255})")
_GREETING = lazily(r"220[ -](?P<host>(?=[\d.-]*[A-Za-z])[\w-]{1,63}(?:\.[\w-]{1,63}){1,10})")
_ADDRESS = lazily(r":\s?(?:<(?P<bracketed>[^<>]{0,400})>|(?P<bare>[^\s<>]{1,400}))")
_QUOTED_RECIPIENT = lazily(r"<([^<>\s@]{1,64}@[^<>\s]{1,255})>(?: \([^)]{0,100}\))?(?::|\.\.\.)")
_BEFORE_RECIPIENTS = frozenset((Phase.CONNECT, Phase.HELO, Phase.EHLO, Phase.STARTTLS, Phase.AUTH, Phase.MAIL))
_OF_A_LOG = lazily(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|@4[0-9a-f]{23} ")
_UNFINISHED = lazily(r"(?:[:;,(-]|\b(?:to|the|from|of|in|for|and))\s*$", re.IGNORECASE)


_REPEATS = lazily(r"(?:(?:Message could not be sent\. )?Mailer Error: )?SMTP Error: |curl: \(\d+\)", re.IGNORECASE)


class _Command(NamedTuple):
    """A command that awaits its reply."""

    phase: Phase | None
    address: str | None = None


class _Gathered(NamedTuple):
    """A reply so far."""

    number: int
    texts: tuple[str, ...]
    time: str | None

    @property
    def goes_on(self) -> bool:
        return bool(CODE_FIRST.match(self.texts[-1])) and self.texts[-1][3:4] == "-"


class _Session:
    """What is known of the session that a dialogue is of."""

    def __init__(self, relay: str | None = None, sender: str | None = None, recipient: str | None = None) -> None:
        self.relay = relay
        self.sender = sender
        self.recipients: list[str | None] = []
        self.is_new = True
        self.is_bare = False
        self.is_transcript = False
        self.has_gap = False
        self.content = ""
        """The last line of the message that the client sends."""
        self.pending: deque[_Command] = deque(maxlen=MAX_PENDING)
        self._recipient = recipient

    @property
    def is_in_data(self) -> bool:
        """Whether the client is sending the message."""
        return bool(self.pending) and self.pending[0].phase is Phase.END_OF_DATA

    def send(self, text: str) -> None:
        """Follow what the client says: a command, or a line of a message or of an authentication."""
        match = COMMAND.match(text)
        if self.is_in_data or not match or match[0].startswith("."):
            return
        self.is_new = False
        phase = phase_of(match[0].partition(":")[0].split()[0])
        found = _ADDRESS.search(text)
        address = (found["bracketed"] if found["bracketed"] is not None else found["bare"]) if found else None
        if phase is Phase.MAIL:
            self.sender, self.recipients = address, []
        elif phase is Phase.RCPT:
            self._recipient = address
        elif phase in (Phase.VRFY, Phase.EXPN):
            address = text.split(None, 1)[1].strip(" <>\r\n")
        self.pending.append(_Command(phase, address))

    def answer(self, reply: Reply) -> tuple[Phase | None, list[str | None]]:
        """Take the command that a reply answers; return its phase and the recipients that the reply is about."""
        digit = reply.code.class_digit if reply.code else ""
        if digit == "3" and not (self.pending and self.pending[0].phase is Phase.DATA):
            return (self.pending[0].phase if self.pending else None), [None]
        command = self.pending.popleft() if self.pending else _Command(Phase.CONNECT if self.is_new else None)
        self.is_new = False
        if command.phase is Phase.DATA and digit == "3":
            self.pending.appendleft(_Command(Phase.END_OF_DATA))
            self.content = ""
        if command.phase is Phase.RCPT and digit == "2" and len(self.recipients) < MAX_PENDING:
            self.recipients.append(command.address)
        if command.phase in (Phase.DATA, Phase.END_OF_DATA, Phase.BDAT):
            return command.phase, self.recipients or [self._recipient]
        return command.phase, [command.address if command.phase in (Phase.RCPT, Phase.VRFY, Phase.EXPN) else self._recipient]


class DialogueReader(Reader):
    """Follows a dialogue and tells what was refused in it."""

    format = InputFormat.DIALOGUE

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._session: _Session | None = None
        self._reply: _Gathered | None = None
        self._refusal: Reply | None = None
        self._echoes = 0
        self._foreign = 0
        self._skips_certificates = False
        self._turns = 0
        self._time: str | None = None
        self._lone: Record | None = None
        self._held: list[InputLine] = []
        self._returned: list[InputLine] = []

    @property
    def is_open(self) -> bool:  # type: ignore[override]  # what is open is told by the session
        """Whether the next line may belong to a dialogue."""
        return self._session is not None or bool(self._held)

    def take(self, line: InputLine) -> list[Record] | None:
        """A marked line is always this reader's; a bare one where a connection, a command or a reply before it shows a dialogue."""
        if line.text.strip():
            self._turns += 1
            self._lone = None
        said = without_mark(line.text) or (without_mark(line.stamp.message) if line.stamp else None)
        self._time = line.stamp.time if line.stamp else said.time if said else None
        if self._held and not (_goes_on_after_replies(said) if said or line.stamp else COMMAND.match(line.text)):
            return self._hold(line)
        if said:
            return self._of_marked(line.number, said)
        if line.stamp:
            # A log goes on here; a reply that is still being gathered knows its session.
            if self._reply is None:
                self._leave()
            return None
        return self._of_bare(line)

    def finish(self) -> list[Record]:
        """What is left to say; a reply that nothing of a dialogue surrounds is a reply, whatever it says."""
        records = self.pause()
        return records or ([self._lone._replace(format=InputFormat.REPLY)] if self._lone else [])

    def pause(self) -> list[Record]:
        """The reply that was gathered so far; a bare one that no command followed is given back."""
        self._returned, self._held = [*self._returned, *self._held], []
        return self._answered()

    def give_back(self) -> list[InputLine]:
        """Replies that stood alone, and the line after them."""
        returned, self._returned = self._returned, []
        return returned

    def _of_marked(self, number: int, said: Said) -> list[Record] | None:
        if said.who is Who.TOOL:
            return self._of_tool(said.text)
        if self._session is None and said.who is Who.CLIENT and not (self._held or _STRONG_COMMAND.match(said.text)):
            return None
        session = self._open()
        if said.who is Who.SERVER:
            session.is_transcript = session.is_transcript or said.is_quoted
            return self._hear(number, said.text)
        completed = self._answered()
        self._open().send(said.text)
        return completed

    def _of_tool(self, text: str) -> list[Record] | None:
        """A remark of the tool is passed over within a dialogue, and where it tells of a connection it opens one."""
        if self._is_echo(text):
            return self._answered()
        opens = _OPENS.match(text)
        if not opens and (self._session is None or text.startswith("SMTP ERROR")):
            return None
        completed = self._answered()
        if opens:
            self._connect(text)
        elif _CLOSES.match(text):
            self._leave()
        return completed

    def _of_bare(self, line: InputLine) -> list[Record] | None:
        text = line.text.strip()
        is_reply = CODE_FIRST.match(text)
        shell = None if is_reply else _SHELL.match(text)
        if shell:
            completed = self._answered()
            self._start(shell)
            return completed
        if not is_reply and _OPENS.match(text):
            completed = self._answered()
            self._connect(text)
            return completed
        if self._session is None:
            return self._of_stray(line)
        return self._of_session(line, text, self._session)

    def _of_stray(self, line: InputLine) -> list[Record] | None:
        """A bare line outside of any dialogue: a command opens one, and a reply that refuses nothing may be its beginning."""
        if self._is_echo(line.text):
            return []
        is_reply = CODE_FIRST.match(line.text)
        if self._held or (not is_reply and _STRONG_COMMAND.match(line.text)):
            session = self._open()
            session.is_bare = True
            session.send(line.text)
            return []
        return self._hold(line) if is_reply and line.text[0] in "23" else None

    def _of_session(self, line: InputLine, text: str, session: _Session) -> list[Record] | None:
        is_reply = bool(CODE_FIRST.match(text))
        if session.is_in_data and session.is_bare and self._reply is None and not (is_reply and session.content in ("", ".")):
            # Only after the final dot, or where the message was left out, does the server speak.
            session.content = text or " "
            return self._pass_over(text)
        if self._skips_certificates and not is_reply and not COMMAND.match(text):
            return self._pass_over(text)
        if not text:
            session.has_gap = True
            return self._answered()
        if self._is_echo(text) or (is_reply and session.is_transcript and not session.has_gap and self._last_refusal()):
            # Sendmail sums up in a reply of its own what it quoted.
            return self._answered()
        if is_reply and session.has_gap and session.is_bare and not session.pending and not session.is_new:
            # After an empty line and without a command: somebody's next reply.
            self._leave()
            return self._of_stray(line)
        if is_reply:
            self._skips_certificates = False
            session.is_bare = session.is_bare or self._reply is None
            return self._hear(line.number, text)
        if COMMAND.match(text):
            completed = self._answered()
            session = self._open()
            session.is_bare, session.has_gap, self._skips_certificates = True, False, False
            session.send(text)
            return completed
        if self._reply and self._goes_on(self._reply, line.text):
            self._reply = self._reply._replace(texts=(*self._reply.texts, text))
            return []
        if _CLOSES.match(text):
            completed = self._answered()
            self._leave()
            return completed
        return None

    def _pass_over(self, text: str) -> list[Record] | None:
        self._foreign += 1
        if self._foreign <= MAX_FOREIGN and not _OF_A_LOG.match(text):
            return self._answered()
        self._leave()
        return None

    def _hold(self, line: InputLine) -> list[Record]:
        """Keep a bare reply until the next line shows whether it is a dialogue's; give everything back where it is none."""
        is_reply = line.stamp is None and line.text[:1] in ("2", "3") and CODE_FIRST.match(line.text)
        self._held.append(line)
        if not is_reply or len(self._held) > MAX_LINES:
            self._returned, self._held = [*self._returned, *self._held], []
        return []

    def _hear(self, number: int, text: str) -> list[Record]:
        if self._reply and self._reply.goes_on and len(self._reply.texts) < MAX_LINES:
            self._reply = self._reply._replace(texts=(*self._reply.texts, text))
            return []
        completed = self._answered()
        self._reply = _Gathered(number, (text,), self._time)
        return completed

    def _goes_on(self, reply: _Gathered, text: str) -> bool:
        """Whether a line without mark and code is the rest of the line before, which somebody wrapped."""
        last = reply.texts[-1]
        is_wrapped = text[:1].isspace() or bool(_UNFINISHED.search(last)) or (len(last) >= WRAPPED and text[:1].islower())
        return len(reply.texts) < MAX_LINES and last[:1] in ("4", "5") and is_wrapped

    def _answered(self) -> list[Record]:
        """The records of the reply that was gathered, if it is news."""
        gathered, self._reply = self._reply, None
        if gathered is None:
            return []
        session = self._open()
        session.has_gap = False
        reply = parse_reply(" ".join(gathered.texts))
        is_tls = bool(session.pending) and session.pending[0].phase is Phase.STARTTLS
        greeting = None if is_tls else _GREETING.match(gathered.texts[0])
        if greeting and not session.is_new:
            session = self._session = _Session()
        session.relay = session.relay or (greeting["host"] if greeting else None)
        phase, recipients = session.answer(reply)
        relay, sender = session.relay, session.sender
        if phase is Phase.QUIT or (reply.code and reply.code.value == 221):
            self._leave()
        is_refusal = reply.code is not None and reply.code.class_digit in "45"
        if is_refusal:
            self._refusal, self._echoes = reply, MAX_ECHO
        is_news = is_refusal or (reply.code is not None and reply.code.class_digit == "2" and phase in (Phase.END_OF_DATA, Phase.BDAT))
        quoted = _QUOTED_RECIPIENT.match(reply.text) if phase not in _BEFORE_RECIPIENTS else None
        base = Record(
            self.source,
            gathered.number,
            self.format,
            gathered.time,
            sender=sender,
            relay=relay,
            phase=phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
            last_line=gathered.number + len(gathered.texts) - 1,
        )
        if not is_news:
            self._lone = base if self._turns == 1 else None
            return []
        return [base._replace(recipient=recipient or (quoted[1] if quoted else None)) for recipient in recipients]

    def _last_refusal(self) -> Reply | None:
        """The refusal that the next line may repeat."""
        if self._reply is None:
            return self._refusal if self._echoes > 0 else None
        said = parse_reply(" ".join(self._reply.texts))
        return said if said.code and said.code.class_digit in "45" else None

    def _is_echo(self, text: str) -> bool:
        """Whether a line repeats the refusal before it in the words of a tool or of an exception."""
        refusal = self._last_refusal()
        self._echoes -= 1 if self._reply is None and self._echoes else 0
        if refusal is None or (self._reply and self._reply.goes_on):
            return False
        if _REPEATS.match(text):
            return True
        if str(refusal.code) not in text or CODE_FIRST.match(text):
            return False
        found = find_reply(text)
        return found is not None and found.code == refusal.code and (not found.text or found.text[:30] == refusal.text[:30])

    def _open(self) -> _Session:
        """The session that goes on, or one of which only the replies that are held were seen."""
        if self._session is None:
            greeting = _GREETING.match(self._held[0].text) if self._held else None
            self._session = _Session(greeting["host"] if greeting else None)
            self._session.is_new = False
            self._foreign = 0
        self._held = []
        return self._session

    def _connect(self, text: str) -> None:
        """A connection begins: with the same addresses where only the tool's command line is known so far."""
        peer = _PEER.search(text)
        name = next(filter(None, peer.groups()), None) if peer else None
        session = self._session
        if session is None or not session.is_new:
            session = _Session()
            self._echoes = self._foreign = 0
        session.relay = name or session.relay
        session.is_transcript = "while talking to" in text
        session.is_new = not session.is_transcript
        self._session = session
        self._skips_certificates = bool(_CERTIFICATES.match(text))

    def _start(self, shell: re.Match[str]) -> None:
        """A tool's command line begins a dialogue, and may tell its addresses."""
        options = {match["name"].lstrip("-")[0]: match["value"] for match in _SWAKS_OPTION.finditer(shell["line"])}
        is_swaks = shell["line"].startswith("swaks")
        peer = _SHELL_PEER.search(shell["line"])
        self._session = _Session(
            shell["host"] or (peer["host"] if peer else None), *((options.get("f"), options.get("t")) if is_swaks else ())
        )
        self._echoes = self._foreign = 0

    def _leave(self) -> None:
        self._session, self._skips_certificates = None, False


def _goes_on_after_replies(said: Said | None) -> bool:
    """Whether a line shows that the bare replies before it were a dialogue's."""
    return said is not None and said.who is Who.CLIENT and bool(COMMAND.match(said.text))
