"""Who said a line of an SMTP dialogue: the marks that tools and libraries put before it, and loggers before these."""

from __future__ import annotations

import ast
import re
from enum import Enum, auto
from typing import NamedTuple

from ..patterns import lazily
from .reply import CODE_FIRST, REPLY_FIRST
from .stamps import iso_time

# A time, a level, a session's id: what loggers put before the mark.
_LOGGED = lazily(
    r"\s*(?:\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\]\s]{0,12})\]?\s+|\d\d:\d\d:\d\d(?:\.\d{1,6})?\s+)?(?:(?:DEBUG|INFO|TRACE)\s+(?=\[))?(?:\[[\w-]{1,40}\]\s+)?"
)
_VERB = (
    r"(?:(?:EHLO|HELO|LHLO)[ ]\S|MAIL[ ]FROM:|RCPT[ ]TO:|(?:VRFY|EXPN|ETRN)[ ]\S|AUTH[ ][A-Z0-9-]{2,20}(?:[ ]|$)|BDAT[ ]\d|XCLIENT[ ]\S"
    r"|(?:DATA|QUIT|STARTTLS|RSET|NOOP|HELP)\s*$|\.\s*$)"
)
COMMAND = lazily(_VERB, re.IGNORECASE | re.VERBOSE)

# The marks of what was received, before a reply; those of the second kind stand before anything.
_RECEIVED = lazily(
    rf"""(?:
      <(?:-|~|\*\*|~\*|--|<|<<)?\s{{0,4}}             # curl, swaks, msmtp, Swift Mailer, Sendmail
    | S:\s?                                           # MailKit, Nodemailer
    | SERVER\s->\sCLIENT:\s?                 # PHPMailer
    | SMTP<<\s                                        # Exim
    | Net::SMTP\S{{0,40}}<<<\s                        # Perl
    | DEBUG:\sRecv:\s                                 # PEAR
    | ->\s"(?=[2-5]\d\d[ -])                          # Ruby, whose arrows point the other way
    )(?P<text>{REPLY_FIRST}.*)$""",
    re.VERBOSE | re.DOTALL,
)
_SENT = lazily(
    rf"""(?:
      (?:-->|>{{1,3}})\s?(?=\s?{_VERB})
    | [-~]>\s{{0,2}}(?!"[2-5]\d\d)
    | C:\s?
    | CLIENT\s->\sSERVER:\s?
    | SMTP(?:\(\w+\))?>>\s?
    | Net::SMTP\S{{0,40}}>>>\s
    | DEBUG:\sSend:\s
    | <-\s"(?=[A-Za-z.])
    )(?P<text>.*)$""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_SMTPLIB = lazily(r"(?P<what>send|reply): (?P<literal>b?(?:'.*'|\".*\"))\s*$", re.DOTALL)
_REMARK = lazily(
    r"""(?:
      ===\s | \*\*\*\s | \*\s | [{}]\s\[\d+\sbytes\sdata\]
    | (?:reply:\sretcode|connect:\s|data:)\s?\(
    | SMTP(?:\sERROR|\sNOTICE|\sINFO|\s->\s\w+):? | Connection:\s | DEBUG\sSMTP\S{0,20}:\s | DEBUG:\s | (?:\+\+|!!)\s
    )""",
    re.VERBOSE,
)
_HTML_END = lazily(r"\s*<br\s*/?>\s*$", re.IGNORECASE)


class Who(Enum):
    """Whose words a line of a dialogue holds; a tool's are about the dialogue."""

    SERVER = auto()
    CLIENT = auto()
    TOOL = auto()


class Said(NamedTuple):
    """A line without its mark."""

    who: Who
    text: str
    time: str | None = None
    is_quoted: bool = False
    """Whether Sendmail quotes it, which then speaks for itself too."""


def without_mark(text: str) -> Said | None:
    """Who said a line, by its mark; None where it has none."""
    if CODE_FIRST.match(text):
        return None
    if "&gt;" in text:
        # Its table of entities takes longer to import than this module.
        import html  # noqa: PLC0415

        text = html.unescape(text)
    logged = _LOGGED.match(text)
    time = iso_time(logged["time"]) if logged and logged["time"] else None
    text = text[logged.end() :] if logged else text
    match = _RECEIVED.match(text)
    if match:
        return Said(Who.SERVER, _without_end(match["text"]), time, text.startswith("<<<"))
    match = _SMTPLIB.match(text)
    if match:
        return Said(Who.CLIENT if match["what"] == "send" else Who.SERVER, _literal(match["literal"]), time)
    match = _SENT.match(text)
    if match:
        return Said(Who.CLIENT, _without_end(match["text"]), time)
    return Said(Who.TOOL, text, time) if _REMARK.match(text) else None


def _without_end(text: str) -> str:
    """A line without what a tool ends it with: a line break of HTML, Ruby's quotes and escapes."""
    text = _HTML_END.sub("", text).strip()
    return text[:-1].removesuffix("\\n").removesuffix("\\r") if text.endswith('\\n"') else text


def _literal(text: str) -> str:
    """What a string or bytes literal of Python means."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text.strip("b'\"")
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).rstrip("\r\n")
