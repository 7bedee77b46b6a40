"""Exim: the main log and the reject log, as files with Exim's own stamp or by syslog.

After the message id a flag says what a line is (`<=` arrival, `=>` delivery, `**` failure, `==` deferment), then come an address, fields
(`R=`, `H=`, `F=`) and, after a colon, words. Refusals of clients have fields first and the word "rejected".
A line that only quotes a host's answer counts when no delivery line of its message follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from ..model import Direction, InputFormat, Outcome, Phase, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .remembered import Remembered
from .reply import Reply, parse_reply, phase_of
from .stamps import iso_time, without_container

MAX_PIECES = 200
"""Lines of syslog that one long line of Exim is put together from."""

MAX_RECIPIENTS = 1000
"""Recipients that are read of one message in the reject log."""

_PROGRAM = lazily(r"(?:\S*/)?exim[\w.-]*$")
# A line of syslog that lost its time, or that `grep` put the file's name before.
_TAG = lazily(r"(?:(?P<host>[\w.-]{1,255}) )?exim[\w.-]{0,20}(?:\[\d+\])?: ")
_FILE = lazily(r"[\w./+-]{1,200}:(?:\d{1,9}:)?(?=\d{4}-\d\d-\d\d )")
_STAMP = lazily(r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})?) (?:\[\d{1,10}\] )?")
_PIECE = lazily(r"\[(?P<number>\d{1,4})(?P<joint>[\\/])(?P<total>\d{1,4})\] ?")

# Until 4.96 six, six and two characters; since 4.97 six, eleven and four.
_ID = r"(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"
_HOST = r"(?:[^\s\[\]()=]{1,255}\ )?(?:\([^()]{0,255}\)\ )?\[[^\[\]\s]{1,80}\](?::\d{1,5})?"
_FLAGS = r"(?:<=|\(=|=>|->|>>|\*>|\*\*|==)"

_MESSAGE_ID = lazily(rf"(?P<queue_id>{_ID})(?: |$)")
_FLAGGED = lazily(rf"(?P<flag>{_FLAGS}) ")
# Exim's stamp is not its own: what follows must be something that Exim says.
_STARTS = lazily(
    rf"""{_ID}(?:\ |$)|(?:H|U|F|I)=\S|(?:temporarily\ )?(?:rejected|refused)\ |[\w.-]{{1,60}}\ authenticator\ (?:failed|deferred)\ |cwd=/
    |no\ (?:host\ name|IP\ address)\ found\ |no\ MAIL\ in\ SMTP\ |SMTP\ (?:protocol|connection|call|data|command|error|syntax|timeout)\b
    |TLS\ (?:error\ on|client\ disconnected)\b|socket\ bind\(\)|(?:malware|spam)\ acl\ condition:|(?:Start|End)\ queue\ run:|exim\ [\d.]+\ daemon\ |Connection\ from\ .{{1,300}}(?:refused|lost)|unexpected\ disconnection\b
    |lost\ connection\b|remote\ host\ address\ is\b|lowest\ numbered\ MX\b|unqualified\b|Warning:\ """,
    re.VERBOSE,
)
_UNSTAMPED = lazily(
    rf"{_ID} (?:{_FLAGS} \S|Completed$|(?:\w+=\S.{{0,1000}} )?rejected )|(?:H={_HOST}|U=\S+) .{{0,1000}}\brejected [A-Zacdbf]"
    # `exim -v` prints them without time and id, and indented.
    r"|\s{0,8}(?:=>|->|\*\*|==) \S{1,500}(?: <[^<>]{0,500}>)? R=\w|\s{0,8}\*\* [^\s@]{1,100}@[^\s@:]{1,255}(?: <[^<>]{0,500}>)? ?: "
)

_ADDRESS = lazily(
    r"""(?P<address>
      :[\w-]+:                                              # :blackhole:
    | "(?:[^"\\]|\\.){0,500}"\S{0,255}
    | [|/>][^<]{0,1000}?(?=\ <|\ [A-Z][A-Za-z]{0,3}=|:\ |$) # a pipe, a file, an autoreply; commands hold spaces
    | \S+?(?=:?(?:\s|$))
    )(?:\ \([^()]{0,1000}\))?(?:\ <(?P<original>[^<>]{0,500})>)?""",
    re.VERBOSE,
)
_FIELD = lazily(
    rf"""\s*(?:
      H=(?P<host>{_HOST})\*?
    | (?P<name>[A-Z][A-Za-z]{{0,4}})=(?P<value>"(?:[^"\\]|\\.)*"?|<[^<>]*>|\S*?(?=:?(?:\s|$)))\*?
    | (?:K|L|TFO|PRDR|M8S)\*?
    )(?=[\s:]|$)""",
    re.VERBOSE,
)
_DEFER = lazily(r"\s*(?:routing )?defer \(-?\d{1,6}\)")
# 4.9x puts the host after the error: "defer (113): No route to host H=mx.example.com [192.0.2.1]: mx.example.com [192.0.2.1]"
_LATE_HOST = lazily(rf"(?P<error>[^:\[\]]{{1,200}}?) H=(?P<host>{_HOST})\*?(?: (?:DT|QT)=\S{{1,20}}?)*(?:: ?(?P<more>.*))?$", re.DOTALL)
_TIMING = lazily(r"(?: (?:DT|QT)=\S{1,20}){1,2}$")
_EXPIRED = lazily(r"retry timeout exceeded|after a long failure period|failing for a long time")

_COMMAND = (
    r"(?P<command>initial connection|end of data|EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL FROM|RCPT TO|DATA|BDAT|QUIT|RSET|data block)(?![\w-])"
)
_ANSWERED = lazily(
    rf"(?:SMTP|LMTP) (?:error|timeout)\b[^:]{{0,200}}? (?:after|in response to|while sending) (?:pipelined |sending )?{_COMMAND}"
)
_IN_RESPONSE = lazily(rf"(?:closed connection|SMTP reply) [^:]{{0,200}}?in response to (?:pipelined |sending )?{_COMMAND}")
_HOST_SAID = lazily(rf"host (?P<host>{_HOST}): ")
_RECIPIENT_ARGUMENT = lazily(r":\s?<([^<>]{1,320})>")
_ATTEMPT = lazily(
    rf"(?:(?:H=|host )?(?P<host>{_HOST})\*?:? )?"
    r"(?P<text>(?:SMTP|LMTP) (?:error|timeout) .*|(?:Remote host .{1,300} closed connection|Connection (?:refused|timed out|reset)|No route to host"
    r"|Network is unreachable).*)$",
    re.DOTALL,
)

_REJECTED = lazily(r"\s*(?P<words>(?:temporarily )?rejected (?P<what>.*)|dropped by (?P<dropped>'.*))$", re.DOTALL)
_RCPT = lazily(r"RCPT (?:TO:)?\s?(?:<(?P<bracketed>[^<>]{0,500})>|(?P<bare>\S+?(?=:?(?:\s|$))))", re.IGNORECASE)
_DISCARDED = lazily(r"\s*RCPT (?:TO:)?\s?<?(?P<recipient>[^<>\s]{1,500})>? (?P<text>discarded by .*)", re.DOTALL)
_MAIL = lazily(r"(?:MAIL (?:FROM:)?|from )\s?<(?P<sender>[^<>]{0,500})>", re.IGNORECASE)
_PEER = lazily(rf"\b(?:from |H=)(?:H=)?(?P<client>{_HOST})")
_FAILED_LOGIN = lazily(
    rf"[\w.-]{{1,60}} authenticator failed for (?:H=)?(?P<client>{_HOST})(?: [A-Z]\w{{0,3}}=\S+)*: (?P<text>[45]\d\d .*)$", re.DOTALL
)
_OUT_OF_STEP = lazily(
    r"(?P<text>SMTP protocol synchronization error(?: \([^()]{0,200}\))?): rejected (?P<what>connection from|\"[^\"]{0,500}\") "
)
_REFUSED = lazily(
    rf"(?:temporarily )?refused connection from (?:H=)?(?P<client>{_HOST})|Connection from (?:H=)?(?P<early>{_HOST}) refused: "
)
_BLACKHOLE = lazily(r"blackhole \((?P<text>[^()]{0,200}(?:\(\)[^()]{0,200})?)\)(?P<more>.*)", re.DOTALL)
# SA-Exim says so of what it swallows; what it rejects has Exim's own line as well.
_TOSSED = lazily(
    r"SA: Action: (?P<text>silently tossed message: .*?)\. From <(?P<sender>[^<>]{0,320})> \(host=(?P<client>[^()]{0,400})\) for (?P<recipient>\S{1,320})$",
    re.DOTALL,
)

_ENVELOPE_TO = lazily(r"Envelope-to: <([^<>]{0,500})>$")
_NEXT_RECIPIENT = lazily(r" {4}<([^<>]{0,500})>$")
_REJECTED_HEADER = lazily(r"Envelope-(?:from|to): |[A-Z* ] [\w-]{1,100}:|\s+\S|-{20,}$")


class _Entry(NamedTuple):
    """A line of Exim without its stamp."""

    base: Record
    message: str


class _Fields(NamedTuple):
    """The fields of a line, and where they end."""

    host: str | None
    values: dict[str, str]
    end: int


class _Answer(NamedTuple):
    """What a line's words say: who answered where they name it, the reply, and the recipient that it was about."""

    host: str | None
    reply: Reply
    recipient: str | None


class EximReader(Reader):
    """Reads the lines of Exim's logs."""

    format = InputFormat.EXIM
    is_of_server = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._senders: Remembered[str] = Remembered()
        self._attempts: Remembered[Record] = Remembered()
        self._pieces: list[str] = []
        self._pieces_expected = 0
        self._pieces_base: Record | None = None
        # A refused message whose envelope and header may follow, as in the reject log.
        self._refused: Record | None = None
        self._refused_recipients: list[str] = []

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of Exim is this reader's even where it holds no outcome; so are the header lines of the reject log."""
        base, text, is_named = self._unwrapped(line)
        piece = _PIECE.match(text)
        if piece and self._continues(piece):
            return self._add(piece, text)
        entry = self._entry(base, text[piece.end() :] if piece else text, is_named)
        if entry is None:
            return self._of_the_refused(line.text)
        completed = self.pause()
        if piece and piece["number"] == "1" and int(piece["total"]) > 1:
            self._pieces, self._pieces_expected, self._pieces_base = [], int(piece["total"]), entry.base
            self._add_piece(piece, entry.message)
            return completed
        return [*completed, *self._read(entry)]

    def pause(self) -> list[Record]:
        """The records of what waited for more lines: pieces of a long line, the envelope of a refused message."""
        return [*self._put_together(), *self._told_refused()]

    def finish(self) -> list[Record]:
        """What waited, and the attempts that no delivery line followed."""
        waited = self.pause()
        attempts, self._attempts = self._attempts, Remembered()
        return [*waited, *attempts.values()]

    def _unwrapped(self, line: InputLine) -> tuple[Record, str, bool]:
        """What the line says without syslog's stamp, and whether that names Exim."""
        base = Record(self.source, line.number, self.format)
        if line.stamp and _PROGRAM.match(line.stamp.program):
            return base._replace(time=line.stamp.time, host=line.stamp.host), line.stamp.message, True
        text = without_container(line.text)
        tag = _TAG.match(text)
        if tag:
            return base._replace(host=tag["host"]), text[tag.end() :], True
        file = _FILE.match(text)
        return base, text[file.end() :] if file else text, False

    def _entry(self, base: Record, text: str, is_named: bool) -> _Entry | None:
        stamp = _STAMP.match(text)
        message = text[stamp.end() :] if stamp else text
        if not (is_named or (_STARTS if stamp else _UNSTAMPED).match(message)):
            return None
        # Exim's own stamp has the year.
        return _Entry(base._replace(time=iso_time(stamp["time"])) if stamp else base, message)

    # Long lines in syslog

    def _continues(self, piece: re.Match[str]) -> bool:
        return bool(self._pieces) and (int(piece["number"]), int(piece["total"])) == (len(self._pieces) + 1, self._pieces_expected)

    def _add(self, piece: re.Match[str], text: str) -> list[Record]:
        self._add_piece(piece, text[piece.end() :])
        return self._put_together() if len(self._pieces) in (self._pieces_expected, MAX_PIECES) else []

    def _add_piece(self, piece: re.Match[str], text: str) -> None:
        # "[1\4]" was cut at an end of line, "[1/4]" only for its length.
        self._pieces.append(f"{text}\n" if piece["joint"] == "\\" else text)

    def _put_together(self) -> list[Record]:
        pieces, self._pieces = self._pieces, []
        if not (pieces and self._pieces_base):
            return []
        message, *others = "".join(pieces).split("\n")
        if self._is_refusal_with_envelope(others):
            records = self._read(_Entry(self._pieces_base, message))
            for line in others:
                records += self._of_the_refused(line) or []
            return [*records, *self._told_refused()]
        return self._read(_Entry(self._pieces_base, " ".join((message, *others)).rstrip()))

    def _is_refusal_with_envelope(self, lines: list[str]) -> bool:
        return any(line.startswith("Envelope-from: ") for line in lines)

    # The reject log

    def _of_the_refused(self, line: str) -> list[Record] | None:
        """Take what the reject log says of a message below the line that refuses it."""
        if not (self.is_open and _REJECTED_HEADER.match(line)):
            self.is_open = False
            return None
        recipient = _ENVELOPE_TO.match(line) or _NEXT_RECIPIENT.match(line)
        if self._refused and recipient and len(self._refused_recipients) < MAX_RECIPIENTS:
            self._refused_recipients.append(recipient[1])
            return []
        if line.startswith("Envelope-from: "):
            return []
        self.is_open = not line.startswith("---")
        return self._told_refused()

    def _told_refused(self) -> list[Record]:
        refused, self._refused = self._refused, None
        recipients, self._refused_recipients = self._refused_recipients, []
        if not refused:
            return []
        return [refused._replace(recipient=recipient) for recipient in recipients] or [refused]

    # Lines

    def _read(self, entry: _Entry) -> list[Record]:
        self.is_open = False
        message = entry.message
        match = _MESSAGE_ID.match(message)
        base = entry.base._replace(queue_id=match["queue_id"]) if match else entry.base
        message = message[match.end() :] if match else message.lstrip()
        flag = _FLAGGED.match(message)
        if flag:
            return self._flagged(flag["flag"], message[flag.end() :], base)
        refusals = list(self._refusal(message, base))
        if not match:
            return refusals
        if refusals and refusals[0].recipient is None and refusals[0].phase is Phase.END_OF_DATA:
            # Its envelope may follow.
            self._refused, self.is_open = refusals[0], True
            return []
        if not refusals:
            self._remember(message, base)
        return refusals

    def _flagged(self, flag: str, rest: str, base: Record) -> list[Record]:
        queue_id = base.queue_id or ""
        if flag in ("<=", "(="):
            self._senders[queue_id] = _sender(rest)
            return []
        self._attempts.pop(queue_id, None)
        blackhole = _BLACKHOLE.match(rest)
        if blackhole:
            # An access control list or local_scan() accepted the message and threw it away.
            text = f"{blackhole['text']}{blackhole['more']}"
            return [
                base._replace(
                    direction=Direction.INBOUND, outcome=Outcome.DISCARDED, sender=self._senders.get(queue_id), text=_one_line(text)
                )
            ]
        # "*>" is a delivery that was only tried out (-N).
        return [] if flag == "*>" else list(self._delivery(flag, rest, base))

    def _delivery(self, flag: str, rest: str, base: Record) -> Iterator[Record]:
        head = _ADDRESS.match(rest)
        if not head:
            return
        fields = _fields(rest, head.end())
        defer = _DEFER.match(rest, fields.end) if flag == "==" else None
        late = _fields(rest, defer.end()) if defer else fields
        text = rest[late.end :].lstrip(" :*")
        outcome = {"**": Outcome.BOUNCED, "==": Outcome.DEFERRED}.get(flag, Outcome.DELIVERED)
        if outcome is Outcome.DELIVERED and head["address"] in (":blackhole:", "/dev/null"):
            outcome = Outcome.DISCARDED
        if outcome is Outcome.BOUNCED and _EXPIRED.search(text):
            outcome, text = Outcome.EXPIRED, text.removesuffix(": retry timeout exceeded")
        answer = _confirmed(fields.values.get("C")) if "C" in fields.values else _answer(text, is_remote=bool(fields.host or late.host))
        yield base._replace(
            direction=Direction.OUTBOUND,
            outcome=outcome,
            sender=_envelope_sender(fields.values, self._senders.get(base.queue_id or "")),
            recipient=_recipient(head["address"], head["original"]),
            relay=answer.host or late.host or fields.host,
            phase=answer.reply.phase,
            reply_code=answer.reply.code,
            enhanced_code=answer.reply.enhanced,
            text=answer.reply.text,
        )

    def _refusal(self, message: str, base: Record) -> Iterator[Record]:
        """The record of a line that says that somebody was refused; nothing for any other line."""
        inbound = base._replace(direction=Direction.INBOUND, outcome=Outcome.REJECTED)
        login = _FAILED_LOGIN.match(message)
        if login:
            reply = parse_reply(login["text"])
            yield inbound._replace(
                client=login["client"], phase=Phase.AUTH, reply_code=reply.code, enhanced_code=reply.enhanced, text=reply.text
            )
            return
        out_of_step = _OUT_OF_STEP.match(message)
        if out_of_step:
            phase = Phase.CONNECT if out_of_step["what"].startswith("connection") else None
            yield inbound._replace(client=_client(message), phase=phase, text=out_of_step["text"])
            return
        refused = _REFUSED.match(message)
        if refused:
            yield inbound._replace(client=refused["client"] or refused["early"], phase=Phase.CONNECT, text=_one_line(message))
            return
        tossed = _TOSSED.match(message)
        if tossed:
            yield inbound._replace(
                outcome=Outcome.DISCARDED,
                sender=tossed["sender"],
                recipient=tossed["recipient"],
                client=tossed["client"],
                phase=Phase.END_OF_DATA,
                text=_one_line(tossed["text"]),
            )
            return
        yield from self._of_fields(message, inbound)

    def _of_fields(self, message: str, inbound: Record) -> Iterator[Record]:
        fields = _fields(message, 0)
        sender = _unbracketed(fields.values["F"]) if "F" in fields.values else None
        discarded = _DISCARDED.match(message, fields.end)
        if discarded:
            yield inbound._replace(
                outcome=Outcome.DISCARDED,
                sender=sender,
                recipient=discarded["recipient"],
                client=fields.host,
                phase=Phase.RCPT,
                text=_one_line(discarded["text"]),
            )
            return
        rejected = _REJECTED.match(message, fields.end)
        if not rejected:
            return
        what = rejected["what"] or rejected["dropped"] or ""
        rcpt = _RCPT.match(what)
        head, _, words = (rcpt[0], "", what[rcpt.end() :].lstrip(" :")) if rcpt else what.partition(": ")
        mail = _MAIL.match(head)
        reply = _own_reply(words or rejected["words"])
        yield inbound._replace(
            sender=mail["sender"] if mail and sender is None else sender,
            recipient=((rcpt["bracketed"] or rcpt["bare"]) if rcpt else None),
            client=fields.host or _client(head),
            phase=_refused_phase(head),
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
        )

    def _remember(self, message: str, base: Record) -> None:
        queue_id = base.queue_id or ""
        if message == "Completed":
            self._senders.pop(queue_id, None)
            self._attempts.pop(queue_id, None)
            return
        attempt = _ATTEMPT.match(message)
        if attempt:
            answer = _answer(attempt["text"], is_remote=True)
            self._attempts[queue_id] = base._replace(
                direction=Direction.OUTBOUND,
                sender=self._senders.get(queue_id),
                recipient=answer.recipient,
                relay=answer.host or attempt["host"],
                phase=answer.reply.phase,
                reply_code=answer.reply.code,
                enhanced_code=answer.reply.enhanced,
                text=answer.reply.text,
            )


def _fields(text: str, start: int) -> _Fields:
    """Read the fields from `start` on; the first of a name counts."""
    host, values, end = None, dict[str, str](), start
    while match := _FIELD.match(text, end):
        host = host or match["host"]
        if match["name"]:
            values.setdefault(match["name"], match["value"])
        end = match.end()
    return _Fields(host or values.get("H"), values, end)


def _answer(text: str, is_remote: bool) -> _Answer:
    """What the words after the colon say; without a reply in them, they are Exim's own."""
    late = _LATE_HOST.match(text)
    if late:
        more = late["more"] or ""
        answer = _answer(more if _ANSWERED.search(more) else late["error"], is_remote=True)
        return answer._replace(host=answer.host or late["host"])
    words = _one_line(_TIMING.sub("", text))
    match = _ANSWERED.search(words) or _IN_RESPONSE.search(words)
    if not match:
        is_reply = is_remote and re.match(r"[245]\d\d[ -]", words)
        return _Answer(None, parse_reply(words) if is_reply else Reply(None, None, words, None), None)
    phase = Phase.END_OF_DATA if match["command"] == "data block" else phase_of(match["command"])
    argument = _RECIPIENT_ARGUMENT.match(words, match.end())
    end = words.find(": ", argument.end() if argument else match.end())
    rest = words[end + 2 :] if end >= 0 else ""
    said = _HOST_SAID.match(rest)
    rest = rest[said.end() :] if said else rest
    reply = parse_reply(rest, phase) if re.match(r"[2-5]\d\d(?:[ -]|$)", rest) else Reply(None, None, words, phase)
    return _Answer(said["host"] if said else None, reply, argument[1] if argument and match["command"] == "RCPT TO" else None)


def _confirmed(value: str | None) -> _Answer:
    """The reply in `C="..."`, in which quotes and backslashes have a backslash before them."""
    inner = re.sub(r"\\([\"\\])", r"\1", (value or "").removeprefix('"').removesuffix('"'))
    return _Answer(None, parse_reply(_one_line(inner)), None)


def _own_reply(words: str) -> Reply:
    """What this server said: its words, and a code only where they start with one (Exim's log does not add it)."""
    text = _one_line(words)
    text = text[1:-1] if len(text) > 1 and text.startswith('"') and text.endswith('"') else text
    if re.match(r"[245](?:\d\d|\.\d{1,3}\.\d{1,3})(?:[ -]|$)", text):
        return parse_reply(text)
    return Reply(None, None, text, None)


def _refused_phase(head: str) -> Phase | None:
    """What was refused: "RCPT <a@b>", "MAIL from", "EHLO or HELO x", "after DATA", "by local_scan()", "connection in "connect" ACL"."""
    first = head.split(maxsplit=1)[0] if head.strip() else ""
    if first in ("after", "by", "from", "during"):
        return Phase.END_OF_DATA
    if first in ("connection", "'connect'"):
        return Phase.CONNECT
    return phase_of(first)


def _envelope_sender(values: dict[str, str], remembered: str | None) -> str | None:
    """The sender where the line itself has it, as F= or as the return path P= (which elsewhere is the protocol)."""
    return_path = values.get("P", "")
    own = values.get("F") or (return_path if return_path.startswith("<") else None)
    return remembered if own is None else _unbracketed(own)


def _client(text: str) -> str | None:
    match = _PEER.search(text)
    return match["client"] if match else None


def _sender(rest: str) -> str:
    match = _ADDRESS.match(rest)
    return _unbracketed(match["address"]) or "" if match else ""


def _unbracketed(address: str | None) -> str | None:
    return address[1:-1] if address and address.startswith("<") and address.endswith(">") else address


def _recipient(address: str, original: str | None) -> str:
    """The address that was delivered to; for pipes, files and local parts the one that led there."""
    if original and ("@" not in address or address[0] in "|/>:"):
        return original
    return address


def _one_line(text: str) -> str:
    r"""Exim writes the ends of a reply's lines as "\n"."""
    return " ".join(text.replace("\\n", " ").split())
