"""Bare replies: what a person pastes, with whatever stands around it, one reply of one or more lines after another.

Lines are gathered while they belong together (a multi-line reply, a reply that a mail program wrapped); each gathering gives at most one
record. Text without any code may be a reply too ("Mailbox full"): it is given as `words_only`, for the rules to know or to drop.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from ..model import EnhancedCode, InputFormat, Record, ReplyCode
from ..patterns import lazily
from .facts import enhanced_of
from .reader import InputLine, Reader
from .reply import find_reply
from .stamps import LogLine

MAX_LINES = 100
MAX_WORDS = 600
"""Characters up to which a text without any code may be a reply."""

MAX_GATHERED = 1 << 14
"""Characters that may belong to one reply."""

WRAPPED = 50
"""Characters from which a line may have been wrapped, so that a small letter goes on with it."""

MAX_PAIRS = 2
"""More `key=value` pairs than this make a text a log line of some program, not a reply."""

# Programs that speak of users, mailboxes and refusals and are no mail servers.
_OTHERS = frozenset(
    (
        "amavis",
        "apache2",
        "clamd",
        "cron",
        "CRON",
        "dovecot",
        "fail2ban",
        "freshclam",
        "httpd",
        "kernel",
        "named",
        "nginx",
        "ntpd",
        "opendkim",
        "opendmarc",
        "postgrey",
        "rspamd",
        "saslauthd",
        "spamd",
        "sshd",
        "sshd-session",
        "su",
        "sudo",
        "systemd",
    )
)

# Programs that hand mail over or put it away, whose words without a code are an outcome too.
_HANDLERS = frozenset(
    (
        "lmtp",
        "lmtpd",
        "lmtpunix",
        "deliver",
        "lda",
        "dovecot-lda",
        "ssmtp",
        "msmtp",
        "esmtp",
        "dma",
        "nullmailer-send",
        "fetchmail",
        "procmail",
        "maildrop",
        "mail",
        "sendmail",
        "send-mail",
        "mailx",
        "mutt",
    )
)

# What qmail-send writes of a delivery, without what stands before it: underscores for blanks, and a slash for the end of a line.
_OF_QMAIL = lazily(r"[A-Z][^\s_]{0,40}(?:_[^\s_]{0,80}){2,200}/")
# A reply in a log of the W3C's extended form, whose fields hold no blanks.
_OF_IIS = lazily(r"(?<!\S)[2-5]\d\d\+[^\s+]\S{1,600}")
_OF_A_WEB_SERVER = lazily(r"\bHTTP/\d|^\d{4}/\d\d/\d\d [\d:]{8} \[\w+\]|^\[\w{3} \w{3} +\d+ [\d:.]+ \d{4}\]")
_PAIRS = lazily(r"(?:^|[\s,;])\w{2,30}=\S")
# Lines that name what goes wrong elsewhere and tell of no outcome: settings, what a debugger or a test of TLS shows.
_NO_OUTCOME = lazily(
    r"""(?:DEBUG(?:\ SMTP)?:\ (?:setDebug|getProvider|useEhlo|use8bit|Found\ extension|trying\ to|connected\ to|Attempt\ to|mechanism\b|AUTH\b|protocolConnect))
    | \*\ (?:TLSv1|SSLv|schannel:|ALPN|Server\ certificate:)
    | .{0,200}\b(?:reject|permit|check)_[a-z]{2,20}_[a-z_]{2,60}\b
    | ;[;\s]|\*\*\ server\ can't\ find # dig, nslookup
    | If\s
    | post(?:queue|super|conf|map|alias|cat|lock|log|multi|fix):\s
    | -ERR\b|[A-Za-z]{1,4}\d{1,5}\ (?:NO|BAD)\b # POP and IMAP
    | .{0,200}\bmatched\ rule\ id\b
    # MDaemon's and other sessions: what is looked up and what came of it, before anybody decides
    | (?:\w{3}\ \d{4}-\d\d-\d\d\ [\d:.]{8,12}:\ (?:\[[\d:]{1,20}\]\ )?)?(?:Performing\ \S{1,10}\ lookup|Spam\ Filter\ score|\*\s{1,4}(?:Result:|Policy:|[DP]=))
    """,
    re.VERBOSE,
)
_QUOTED = lazily(r"^(?:[>|] ?)+")
# Fields of a delivery status notification (RFC 3464) that hold no reply of their own.
_STATUS_FIELD = lazily(
    r"^(?P<name>Action|Status|Final-Recipient|Original-Recipient|Reporting-MTA|Remote-MTA|Arrival-Date|Last-Attempt-Date|Will-Retry-Until):"
    r"(?:\s*(?:dns|rfc822|x-[\w-]{1,40})\s*;)?\s*<?(?P<value>[^\s<>]{0,320})",
    re.IGNORECASE,
)
# Fields of a message's header, in which filters note what they found.
_HEADER_FIELD = lazily(
    r"^\s*(?:X-(?!Postfix\b|Failed)[A-Za-z][\w-]{2,60}|(?:ARC-)?Authentication-Results|ARC-\w+|Received(?:-SPF)?|DKIM-Signature|DomainKey-Signature"
    r"|List-\w+|Feedback-ID|Precedence|Auto-Submitted|MIME-Version|Return-Path):\s",
    re.IGNORECASE,
)
_CODE_FIRST = lazily(r"\s*(?:smtp;\s*)?[2-5]\d\d(?P<separator>[ -]|$)")
_STARTS_A_REPLY = lazily(r"\s*(?:[2-5]\d\d(?:[ -]|$)|smtp;|<[^<>\s]{1,320}>.{0,80}:|Diagnostic-Code:|REJECTED |ACCEPTED )", re.IGNORECASE)
_ONLY_CODES = lazily(r"\s*[2-5]\d\d(?: [245]\.\d{1,3}\.\d{1,3})?\s*")
_EARLY_CODE = lazily(r".{0,40}?\b[45]\.\d\.\d{1,3}\b")
_ANNOUNCES = lazily(r"\b(?:said|refused to talk to me|remote (?:mail )?server\b.{0,80}|reason|response|reply):|[\w-]:\s*$", re.IGNORECASE)
_CLOSES = lazily(r"\(in reply to [^()]{1,60}\)", re.IGNORECASE)
_UNFINISHED = lazily(r"(?:[:;,(-]|\b(?:host|to|the|from|of|in|for|and|said|Please))\s*$", re.IGNORECASE)
_RECIPIENT = lazily(
    r"^\s*<([^<>\s@]{1,64}@[^<>\s]{1,255})>(?: \([^)]*\))?:|\bRCPT TO:\s?<([^<>\s]{1,320})>|^\s*(?:(?:REJECTED|ACCEPTED)\s)?([^\s<>@:]{1,64}@[\w.-]{1,255}):?(?=\s)",
    re.IGNORECASE,
)
_HOST = lazily(
    r"(?:\bhost:? |^(?=\S{1,600} (?:\S{1,50} )?said: ))((?:[\w-]{1,63}\.){1,20}[\w-]{1,63}(?:\s?[\[(][\w.:]{2,45}[\])])?)"
    r"(?: said|:| refused| SMTP| reason)",
    re.IGNORECASE,
)


class _Line(NamedTuple):
    number: int
    text: str


class TextReader(Reader):
    """Gathers lines into replies."""

    format = InputFormat.REPLY

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._gathered: list[_Line] = []
        self._length = 0
        self._is_multiline = False
        self._fields: dict[str, str] = {}
        """What the fields of a notification said since the last empty line."""

    def take(self, line: InputLine) -> list[Record]:
        """The record that a line completes, if any. A line with a stamp is a reply by itself or none."""
        is_path = line.stamp and line.stamp.time is None and line.stamp.program.startswith("/")
        if line.stamp and not is_path:
            return [*self.pause(), *self._of_log_line(line.number, line.stamp)]
        text = _QUOTED.sub("", line.text).rstrip()
        if not text.strip():
            completed = self.pause()
            self._fields = {}
            return completed
        field = _STATUS_FIELD.match(text)
        if field:
            self._fields[field["name"].lower()] = field["value"]
        return [] if field else self._gather(_Line(line.number, text))

    def pause(self) -> list[Record]:
        """The record of what was gathered so far."""
        gathered, self._gathered, self._length, self._is_multiline = self._gathered, [], 0, False
        if not gathered:
            return []
        text = " ".join(line.text.strip() for line in gathered)
        record = self._record(text, gathered[0].number)
        return [record._replace(last_line=gathered[-1].number)] if record else []

    def _of_log_line(self, number: int, stamp: LogLine) -> list[Record]:
        record = None if stamp.program in _OTHERS else self._record(stamp.message, number)
        is_outcome = record and (not record.words_only or stamp.program.rpartition("/")[2].lower() in _HANDLERS)
        return [record._replace(time=stamp.time, host=stamp.host)] if record and is_outcome else []

    def _gather(self, line: _Line) -> list[Record]:
        completed = self.pause() if self._gathered and not self._continues(line.text) else []
        self._gathered.append(line)
        self._length += len(line.text)
        first = _CODE_FIRST.match(line.text)
        self._is_multiline = bool(first and first["separator"] == "-")
        return completed

    def _continues(self, text: str) -> bool:
        """Whether a line belongs to the reply that is being gathered."""
        if len(self._gathered) >= MAX_LINES or self._length + len(text) > MAX_GATHERED:
            return False
        first, last = self._gathered[0].text, self._gathered[-1].text
        if self._is_multiline or _indentation(text) > _indentation(first):
            return True
        so_far = " ".join(line.text for line in self._gathered)
        has_code = any(_CODE_FIRST.match(line.text) for line in self._gathered)
        if _ONLY_CODES.fullmatch(last):
            return True
        if _STARTS_A_REPLY.match(text) or _EARLY_CODE.match(text):
            return bool(_CODE_FIRST.match(text) and _UNFINISHED.search(last) and not has_code)
        is_awaited = _ANNOUNCES.search(so_far) and not _CLOSES.search(so_far) and not _ANNOUNCES.search(text)
        is_wrapped = text[0].islower() and (len(last) >= WRAPPED or (has_code and last[-1].isalnum()))
        return bool(is_awaited or is_wrapped or last.count("(") > last.count(")") or _UNFINISHED.search(last))

    def _record(self, text: str, number: int) -> Record | None:
        if _OF_QMAIL.fullmatch(text):
            text = text.removesuffix("/").replace("_", " ")
        text = _OF_IIS.sub(lambda match: match[0].replace("+", " "), text)
        recipient = _RECIPIENT.search(text)
        host = _HOST.search(text)
        if _OF_A_WEB_SERVER.search(text):
            return None
        reply = find_reply(text)
        if reply is None and (len(text) > MAX_WORDS or len(_PAIRS.findall(text)) > MAX_PAIRS):
            return None
        if (reply is None or reply.code is None) and (_NO_OUTCOME.match(text.lstrip()) or _HEADER_FIELD.match(text)):
            return None
        fields = self._fields if reply else {}
        status = enhanced_of(fields.get("status"))
        return Record(
            self.source,
            number,
            self.format,
            recipient=next((group for group in recipient.groups() if group), None) if recipient else fields.get("final-recipient"),
            relay=host[1] if host else fields.get("remote-mta"),
            phase=reply.phase if reply else None,
            reply_code=reply.code if reply else None,
            enhanced_code=(reply.enhanced or (status if reply.code and _is_of_class(status, reply.code) else None)) if reply else None,
            text=reply.text if reply else " ".join(text.split()),
            words_only=reply is None,
        )


def _is_of_class(status: EnhancedCode | None, code: ReplyCode) -> bool:
    return status is not None and status.class_digit == code.class_digit


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip())
