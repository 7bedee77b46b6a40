"""Exceptions and errors of mail libraries: smtplib, Nodemailer, PHPMailer, Jakarta Mail, .NET, Ruby, Symfony, PEAR, lettre, curl.

Each library wraps the server's reply in its own way; `_FORMS` takes the wrapping off and tells whom it is about. What follows an exception
(its stack, the members of an object, the same reply once more as its cause) belongs to it: it may add facts, and gives no record of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypeGuard

from ..model import InputFormat, Phase, Record
from ..patterns import lazily
from .facts import enhanced_of
from .reader import InputLine, Reader
from .reply import Reply, find_reply, parse_reply, phase_of

MAX_LINES = 100
"""Lines of one reply."""

MAX_STACK = 200
"""Lines after an exception within which its cause may be told once more."""

MAX_TEXT = 20_000
"""Characters of one line that are looked at."""


class _Found(NamedTuple):
    """What one exception says of one recipient."""

    reply: Reply
    sender: str | None = None
    recipient: str | None = None
    words_only: bool = False


class ExceptionReader(Reader):
    """Takes replies out of exceptions."""

    format = InputFormat.REPLY
    formats = frozenset((InputFormat.EXCEPTION,))

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._records: list[Record] = []
        self._lines: list[str] = []
        self._last: Record | None = None
        self._since = 0

    @property
    def is_open(self) -> bool:  # type: ignore[override]  # what is open is told by the records that wait
        """Whether lines that belong to an exception may follow."""
        return bool(self._records)

    def take(self, line: InputLine) -> list[Record] | None:
        """An exception waits for what belongs to it; a line of a stack is this reader's wherever it stands."""
        text = line.text
        if self._records and not line.stamp and self._extend(text):
            return []
        self._since += 1
        found = _find(text) or (_find(line.stamp.message) if line.stamp else [])
        if not found:
            return [] if _STACK.match(text) or (self._records and _BELONGS.match(text)) else None
        if self._last and self._since <= MAX_STACK and _IS_INNER.match(text) and _is_same(found[0], self._last):
            return []
        completed = self.pause()
        if all(each.reply.code and each.reply.code.class_digit in "23" for each in found):
            return completed
        time, host = (line.stamp.time, line.stamp.host) if line.stamp else (None, None)
        base = Record(self.source, line.number, self.format, time, host)
        self._records = [_record(base, each) for each in found]
        self._lines, self._last, self._since = [text], self._records[0], 0
        return completed

    def pause(self) -> list[Record]:
        """The exception that was waiting."""
        records, self._records, self._lines = self._records, [], []
        return records

    def _extend(self, text: str) -> bool:
        """Whether a line goes on with the reply, or is a member of the error object, that was read last."""
        first = self._records[0]
        goes_on = first.reply_code and re.match(rf"\s*{first.reply_code}(?:[ -]|$)", text)
        if goes_on and f"{first.reply_code}-" in self._lines[-1] and len(self._lines) < MAX_LINES:
            self._lines.append(text.strip())
            again = _find(" ".join(self._lines))
            if again and len(again) == len(self._records):
                self._records = [_record(old, each) for old, each in zip(self._records, again, strict=True)]
            return True
        member = _MEMBER.match(text)
        if not member:
            return False
        self._records = [_completed(record, member["name"], member["value"]) for record in self._records]
        return True


def _find(text: str) -> list[_Found]:
    """What the first form that knows the line says of it."""
    text = text[:MAX_TEXT]
    if not _HINT.search(text):
        return []
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            found = list(read(match))
            if found:
                return found
    return []


def _record(base: Record, found: _Found) -> Record:
    reply = found.reply
    return base._replace(
        sender=found.sender,
        recipient=found.recipient if found.recipient is not None else _quoted_recipient(reply),
        phase=reply.phase,
        reply_code=reply.code,
        enhanced_code=reply.enhanced,
        text=reply.text,
        words_only=found.words_only,
    )


def _completed(record: Record, name: str, value: str) -> Record:
    """What a member of Nodemailer's error object adds."""
    if name == "command" and record.phase is None:
        return record._replace(phase=phase_of(value.strip("'\", ")))
    address = _QUOTED_ADDRESS.search(value) if name == "rejected" and record.recipient is None else None
    return record._replace(recipient=address[1]) if address else record


def _is_same(found: _Found, record: Record) -> bool:
    return found.reply.code == record.reply_code and found.reply.text[:40] == record.text[:40]


def _quoted_recipient(reply: Reply) -> str | None:
    """The address that a reply to RCPT TO begins with; it may be the sender's where the command is not known."""
    match = _LEADING_ADDRESS.match(reply.text)
    is_sender = reply.phase not in (None, Phase.RCPT) or "sender" in reply.text[:200].lower()
    return match[1] if match and not is_sender else None


def _said(text: str, phase: Phase | None = None) -> Reply:
    """A reply that may be wrapped once more, or words without a code."""
    text = text.strip().strip("\"'`")
    reply = parse_reply(text, phase) if re.match(r"[2-5]\d\d(?!\d)", text) else find_reply(text)
    if reply is None:
        return Reply(None, None, " ".join(text.split()), phase)
    return reply._replace(phase=reply.phase or phase)


# Python


def _of_python(match: re.Match[str]) -> Iterator[_Found]:
    """The arguments of smtplib's and aiosmtplib's exceptions: a dictionary of refused recipients, or code, text and sender."""
    literal = _literal(match.string[match.start("arguments") : match.start("arguments") + MAX_TEXT])
    name = match["name"] or ""
    phase = _PHASE_OF_PYTHON.get(name)
    if isinstance(literal, dict):
        for recipient, answer in literal.items():
            if isinstance(recipient, str) and _is_answer(answer):
                yield _Found(_answer(answer, Phase.RCPT), recipient=recipient)
    elif _is_answer(literal):
        address = literal[2] if len(literal) > 2 and isinstance(literal[2], str) else None
        is_recipient = name.startswith("SMTPRecipient")
        reply = _answer(literal, phase)
        yield _Found(reply, sender=None if is_recipient else address, recipient=address if is_recipient else None)
    elif literal is None and name:
        # Cut off, so that it is no literal any more.
        reply_found = find_reply(match["arguments"][:MAX_TEXT])
        if reply_found and reply_found.code:
            yield _Found(reply_found._replace(phase=phase))


def _literal(text: str) -> object:
    """The Python literal that `text` begins with; None where there is none."""
    closing, quote, position = [], "", 0
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in "({[":
            closing.append(character)
        elif character in ")}]":
            closing.pop()
            if not closing:
                break
        position += 1
    try:
        return ast.literal_eval(text[: position + 1])
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _is_answer(value: object) -> TypeGuard[tuple[Any, ...]]:
    return (
        isinstance(value, tuple)
        and len(value) > 1
        and isinstance(value[0], int)
        and 200 <= value[0] < 600
        and isinstance(value[1], str | bytes)
    )


def _answer(answer: tuple[Any, ...], phase: Phase | None) -> Reply:
    """Code and text as one reply; smtplib leaves the code out of the lines, and the enhanced code in."""
    code, text = str(answer[0]), _decoded(answer[1])
    *lines, last = text.splitlines() or [""]
    return parse_reply(" ".join([*(f"{code}-{line}" for line in lines), f"{code} {last}"]), phase)


def _decoded(text: str | bytes) -> str:
    """The text of a reply in whatever encoding its server writes; Chinese providers write theirs."""
    try:
        content = text.encode("latin-1") if isinstance(text, str) else text
    except UnicodeEncodeError:
        return str(text)
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


# The others


def _of_announced(match: re.Match[str]) -> Iterator[_Found]:
    """A sentence, then the reply."""
    yield _Found(_said(match["reply"], _PHASE_OF_SENTENCE.get(match["sentence"].lower())))


def _of_sentence(match: re.Match[str]) -> Iterator[_Found]:
    """Words that tell of a failure in which nobody replied."""
    phase = Phase.AUTH if "authenticate" in match["words"] else None
    yield _Found(Reply(None, None, " ".join(match["words"].split()), phase))


def _of_phpmailer_recipients(match: re.Match[str]) -> Iterator[_Found]:
    rest = match["rest"].strip()
    first = _PHPMAILER_RECIPIENT.match(rest)
    if first and first["text"]:
        yield _Found(_said(first["text"], Phase.RCPT), recipient=first["address"])
        return
    for address in _ADDRESS.findall(rest[:2000]):
        yield _Found(Reply(None, None, " ".join(match[0].split()), Phase.RCPT), recipient=address)


def _of_phpmailer_sender(match: re.Match[str]) -> Iterator[_Found]:
    """Its fields: what failed, reply code, enhanced code, text."""
    _, *fields = match["rest"].replace("\\r", "").replace("\\n", " ").split(",", 3)
    code, enhanced, text = ([*fields, "", "", ""])[:3]
    reply = parse_reply(f"{code} {text}" if re.fullmatch(r"[2-5]\d\d", code.strip()) else match["rest"], Phase.MAIL)
    yield _Found(reply._replace(enhanced=reply.enhanced or enhanced_of(enhanced)), sender=match["sender"])


def _of_fields(match: re.Match[str]) -> Iterator[_Found]:
    """Code and text apart: PHPMailer's "SMTP code:", PEAR's "(code: 550, response: ...)", lettre's "permanent error (550): ..."."""
    fields = match.groupdict()
    phase = phase_of(fields.get("command") or "")
    text = (fields.get("text") or "").strip()
    reply = parse_reply(text if text.startswith(match["code"]) else f"{match['code']} {text}", phase)
    address = fields.get("address")
    is_sender = (fields.get("about") or "") == "set sender"
    yield _Found(
        reply._replace(enhanced=reply.enhanced or enhanced_of(fields.get("enhanced"))),
        sender=address if is_sender else None,
        recipient=None if is_sender else address,
    )


def _of_dotnet(match: re.Match[str]) -> Iterator[_Found]:
    text = match["text"].removesuffix(" --->").strip()
    _, said, answer = text.partition("The server response was: ")
    phase = Phase.RCPT if "Recipient" in match["name"] else None
    reply = _said(answer if said else text, phase)
    yield _Found(reply._replace(text=reply.text or text))


def _of_java(match: re.Match[str]) -> Iterator[_Found]:
    text, name = match["text"].strip(), match["name"]
    if re.match(r"[2-5]\d\d[ -]", text):
        yield _Found(_said(text, _PHASE_OF_JAVA.get(name)))
    elif name in ("MailConnectException", "AuthenticationFailedException") or text.startswith("Could not connect to SMTP host"):
        yield _Found(Reply(None, None, " ".join(text.split()), _PHASE_OF_JAVA.get(name)))


def _of_curl(match: re.Match[str]) -> Iterator[_Found]:
    text = match["text"].strip()
    failed = _CURL_FAILED.match(text)
    if failed:
        yield _Found(_said(failed["code"], phase_of(failed["command"]) or Phase.AUTH))
    elif match["number"] == "67":
        yield _Found(_said(text, Phase.AUTH))


_PHASE_OF_PYTHON = {
    "SMTPRecipientsRefused": Phase.RCPT,
    "SMTPRecipientRefused": Phase.RCPT,
    "SMTPSenderRefused": Phase.MAIL,
    "SMTPAuthenticationError": Phase.AUTH,
    "SMTPHeloError": Phase.EHLO,
    "SMTPConnectError": Phase.CONNECT,
}
_PHASE_OF_JAVA = {
    "SMTPAddressFailedException": Phase.RCPT,
    "SMTPSenderFailedException": Phase.MAIL,
    "AuthenticationFailedException": Phase.AUTH,
    "MailConnectException": Phase.CONNECT,
}
_PHASE_OF_SENTENCE = {
    "can't send mail - all recipients were rejected": Phase.RCPT,
    "recipient command failed": Phase.RCPT,
    "rcpt to command failed": Phase.RCPT,
    "mail command failed": Phase.MAIL,
    "mail from command failed": Phase.MAIL,
    "data command failed": Phase.DATA,
    "message failed": Phase.END_OF_DATA,
    "data end command failed": Phase.END_OF_DATA,
    "invalid login": Phase.AUTH,
    "authenticate command failed": Phase.AUTH,
    "password command failed": Phase.AUTH,
    "username command failed": Phase.AUTH,
    "invalid greeting": Phase.CONNECT,
    "invalid helo": Phase.HELO,
    "invalid ehlo": Phase.EHLO,
    "ehlo command failed": Phase.EHLO,
    "starttls command failed": Phase.STARTTLS,
}

_HINT = lazily(
    r"SMTP|Smtp|curl: \(|\([2-5]\d\d, ?b?['\"]|failed|recipients were rejected: |[Ii]nvalid (?:login|greeting|HELO|EHLO)|response: |Greeting never|MailConnectException"
    r"|AuthenticationFailedException|MessagingException|SSLError|response code|(?:permanent|transient) error \("
)
_ADDRESS = lazily(r"[^\s<>@,;:]{1,64}@[^\s<>@,;:]{1,255}")
_QUOTED_ADDRESS = lazily(r"['\"]([^'\"\s@]{1,64}@[^'\"\s@]{1,255})['\"]")
_LEADING_ADDRESS = lazily(r"<([^<>\s@]{1,64}@[^<>\s]{1,255})>(?: \([^)]{0,100}\))?:")
_PHPMAILER_RECIPIENT = lazily(rf"(?P<address>{_ADDRESS.pattern})(?:: (?P<text>\S.*))?$", re.DOTALL)
_CURL_FAILED = lazily(r"(?P<command>RCPT|MAIL|DATA|HELO|EHLO|STARTTLS|AUTH|Access|Login) (?:failed|denied): (?P<code>[2-5]\d\d)")
# Lines of a stack, wherever they stand, and what may stand between them.
_STACK = lazily(
    r"""\s+at\s[\w.$<>/\[\]-]{1,300}(?:\s|\(|$) | \s+\.\.\.\s\d{1,4}\s(?:more|common) | \s+File\s".{1,300}",\sline\s\d | Traceback\s\(most\s | \s+raise\s\w
    | .{0,300}\bSendFailedException:\s(?:Invalid\sAddresses|No\srecipient\saddresses|Send\sfailure);?\s*$ | \s*nested\sexception\sis:\s*$""",
    re.VERBOSE,
)
_BELONGS = lazily(r"\s*[\]})]+[,;]?\s*$|\s+\w")
_IS_INNER = lazily(r"\s|Caused by: |response: ", re.IGNORECASE)
_MEMBER = lazily(
    r"\s+(?P<name>code|response|responseCode|command|rejected|rejectedErrors|errno|syscall|address|port|recipient):\s(?P<value>.{0,2000})",
    re.DOTALL,
)

_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[_Found]]], ...] = (
    (lazily(r"\b(?P<name>SMTP[A-Z]\w{3,30})(?::\s{0,4}|(?=\())(?P<arguments>\(\s?\d{3},.*|\{.*)$", re.DOTALL), _of_python),
    (
        lazily(r"(?P<name>)(?P<arguments>\([2-5]\d\d, ?b?['\"].*|\{['\"][^'\"\s]{1,320}['\"]: \([2-5]\d\d, ?b?['\"].*)$", re.DOTALL),
        _of_python,
    ),
    (lazily(r"\bThe following From address failed: (?P<sender>\S{1,320}) ?: (?P<rest>.*)$", re.DOTALL), _of_phpmailer_sender),
    (
        lazily(
            r"\bSMTP server error: (?P<command>[A-Za-z ]{3,20}?) command failed(?:,? Detail: (?P<text>.*?))?,? SMTP code: (?P<code>[2-5]\d\d)"
            r"(?:,? Additional SMTP info: (?P<enhanced>[\d.]{5,11}))?",
            re.DOTALL,
        ),
        _of_fields,
    ),
    (lazily(r"\bThe following recipients failed: (?P<rest>.*)$", re.DOTALL), _of_phpmailer_recipients),
    (
        lazily(
            r"(?:\bFailed to (?P<about>add recipient|set sender): (?P<address>\S{1,320}) )?\[SMTP: [^(]{0,200}\(code: (?P<code>[2-5]\d\d), response: (?P<text>(?:(?!\)\]).){0,2000})",
            re.DOTALL,
        ),
        _of_fields,
    ),
    (lazily(r"\b(?:permanent|transient) error \((?P<code>[45]\d\d)\)(?:: (?P<text>.*))?$", re.DOTALL), _of_fields),
    (
        lazily(
            r"\bExpected response code \"?[\d/]{3,20}\"? but got code \"(?P<code>[2-5]\d\d)\"(?:, with message \"(?P<text>.*?)\"?\.?\s*$)?",
            re.DOTALL,
        ),
        _of_fields,
    ),
    (
        lazily(
            r"\b(?P<sentence>Can't send mail - all recipients were rejected|Recipient command failed|RCPT TO command failed|MAIL(?: FROM)? command failed"
            r"|DATA(?: END)? command failed|Message failed|Invalid login|Invalid HELO|Invalid EHLO|(?:EHLO|STARTTLS|Authenticate|Username|Password) command failed)"
            r"[:.] (?P<reply>\S.*)$",
            re.IGNORECASE | re.DOTALL,
        ),
        _of_announced,
    ),
    (
        lazily(r"\b(?P<sentence>Invalid greeting)\. response=(?P<reply>[2-5]\d\d[ -].*?)(?:: [2-5]\d\d[ -].*)?$", re.DOTALL),
        _of_announced,
    ),
    (lazily(r"^\s*[\"']?(?P<sentence>response)[\"']?: [\"'](?P<reply>[2-5]\d\d[ -].*?)[\"'],?\s*$", re.DOTALL), _of_announced),
    (lazily(r"\bNet::(?P<sentence>SMTP\w{4,30})(?:: | \()(?P<reply>[2-5]\d\d[ -].*?)\)?$", re.DOTALL), _of_announced),
    (lazily(r"(?P<reply>(?<!\S)[2-5]\d\d[ -].*) \(Net::(?P<sentence>SMTP\w{4,30})\)\s*$", re.DOTALL), _of_announced),
    (
        lazily(r"\b(?P<name>Smtp(?:FailedRecipients?|Command|Protocol)?Exception)(?: \(0x[0-9A-Fa-f]{8}\))?: (?P<text>.*)$", re.DOTALL),
        _of_dotnet,
    ),
    (
        lazily(
            r"\.(?P<name>SMTP\w{4,30}Exception|AuthenticationFailedException|MessagingException|MailConnectException): (?P<text>.*)$",
            re.DOTALL,
        ),
        _of_java,
    ),
    (lazily(r"^\s*curl: \((?P<number>\d{1,3})\) (?P<text>.*)$", re.DOTALL), _of_curl),
    (
        lazily(
            r"(?P<words>Greeting never received|\bOpenSSL::SSL::SSLError\b[^\n]{1,400}|\bExpected response code \"?[\d/]{3,20}\"? but got (?:code \"\"|an empty)[^\n]{0,100}|\bSMTP connect\(\) failed|\bSMTP Error: (?:Could not (?:authenticate|connect to SMTP host)|data not accepted)[^\n]{0,200})",
            re.IGNORECASE,
        ),
        _of_sentence,
    ),
)
