"""What works beside a mail server and logs outcomes of its own: filters, greylisting, delivery agents, and Domino's router.

A line of theirs has neither a reply code nor a queue's fields; each of `_FORMS` is one sentence that tells of an outcome.
Whatever else these programs log says nothing of a delivery, and is left to the other readers.
A mail server tells the same outcome in its own log, so these lines count only where an input holds no server's records.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import NamedTuple

from ..model import Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .reader import InputLine, Reader
from .reply import parse_reply

MAX_WAITING = 10_000
"""Records that wait for the end of an input."""


class _Form(NamedTuple):
    pattern: str
    outcome: Outcome | None
    direction: Direction = Direction.INBOUND


_ADDRESS = r"[^<>\s,]{0,320}"

_FORMS = (
    # amavisd-new
    _Form(
        (
            r"\([\w-]{3,40}\) (?P<text>Blocked (?!CLEAN|MTA-BLOCKED)[A-Z][A-Z-]{2,20}(?: \([^()]{0,300}(?:\([^()]{0,300}\)[^()]{0,300})?\))?)"
            rf"(?: {{(?P<discarded>Discarded)?)?(?:.{{0,600}}?<(?P<sender>{_ADDRESS})> -> (?P<recipients><{_ADDRESS}>(?:,<{_ADDRESS}>){{0,1000}}))?"
        ),
        Outcome.REJECTED,
    ),
    # clamav-milter, clamsmtpd
    _Form(
        (
            rf"Message (?P<queue_id>\S{{1,40}}) from <?(?P<sender>{_ADDRESS})>? to <?(?P<recipient>{_ADDRESS})>? .{{0,2000}}?\b(?P<text>infected by \S.*)$"
        ),
        Outcome.REJECTED,
    ),
    _Form(
        (rf"from=<?(?P<sender>{_ADDRESS})>?, to=<?(?P<recipient>{_ADDRESS})>?(?:, to=[^,]{{0,320}}){{0,50}}, (?P<text>status=VIRUS:\S.*)$"),
        Outcome.DISCARDED,
    ),
    # Proxmox Mail Gateway
    _Form(
        rf"(?P<queue_id>\w{{1,40}}): (?P<text>block mail to (?P<recipients><{_ADDRESS}>) \(rule: .{{1,200}}\))",
        Outcome.REJECTED,
    ),
    # Rspamd, whose log line holds what it told the server to do
    _Form(
        (
            rf"rspamd_task_write_log: (?:.{{0,400}}?\bfrom: <(?P<sender>{_ADDRESS})>)?.{{0,800}}?\(\w{{1,40}}: \w \((?P<text>(?:soft )?reject\): \[.{{0,2000}})"
        ),
        Outcome.REJECTED,
    ),
    # greylisting
    _Form(
        rf"(?P<text>action=greylist\b.{{0,600}}?), sender=(?P<sender>{_ADDRESS}), recipient=(?P<recipient>{_ADDRESS})",
        Outcome.REJECTED,
    ),
    _Form(
        (
            rf"addr (?P<client>.{{1,300}}?) from <?(?P<sender>{_ADDRESS}?)>? (?:rcpt|to) <?(?P<recipient>{_ADDRESS}?)>?:? (?P<text>delayed for \d.*)$"
        ),
        Outcome.REJECTED,
    ),
    # spamdyke
    _Form(
        (rf"(?P<text>DENIED_[A-Z_]{{2,40}}) from: (?P<sender>{_ADDRESS}) to: (?P<recipient>{_ADDRESS}) origin_ip: (?P<client>\S{{2,45}})"),
        Outcome.REJECTED,
    ),
    # Cyrus
    _Form(r"verify_user\((?P<recipient>[^()\s]{1,320})\) failed: (?P<text>\S.*)$", Outcome.REJECTED),
    _Form(r"(?P<text>Delivered: <[^<>]{0,400}> to mailbox: (?P<recipient>\S{1,320}))", Outcome.DELIVERED),
    # Dovecot's delivery agents
    _Form(
        (
            r"(?:lda|deliver|lmtp)\((?:\d{1,9}, ?)?(?P<recipient>[^()\s]{1,320})\)(?:<[^<>]{0,80}>){0,3}: (?:sieve: )?(?:msgid=[^:]{0,400}: )?"
            r"(?P<text>(?:saved mail to|stored mail into mailbox) .*)$"
        ),
        Outcome.DELIVERED,
    ),
    _Form(
        (
            r"(?:lda|deliver|lmtp)\((?:\d{1,9}, ?)?(?P<recipient>[^()\s]{1,320})\)(?:<[^<>]{0,80}>){0,3}: (?P<text>(?:sieve: )?(?:msgid=[^:]{0,400}: )?"
            r"(?:save failed to |rejected message|sieve: .{0,400}rejected message).*)$"
        ),
        Outcome.REJECTED,
    ),
    _Form(
        (
            r"(?:lda|deliver|lmtp)\((?:\d{1,9}, ?)?(?P<recipient>[^()\s]{1,320})\)(?:<[^<>]{0,80}>){0,3}: (?:(?:Error|Fatal): |(?=\w{2,20}\([^()]{1,300}\) failed: ))"
            r"(?P<text>(?!sieve: ).*)$"
        ),
        None,
    ),
    _Form(
        (r"(?:lmtp\(\d{1,9}\): )?(?:lmtp-server: )?conn \S{1,80} \[\d{1,6}\]: rcpt (?P<recipient>\S{1,320}): (?P<text>[45]\d\d .*)$"),
        Outcome.REJECTED,
    ),
    # Domino
    _Form(
        (
            r"Router: (?P<text>Message [0-9A-F]{6,16} (?:transferred to \S{1,255} for (?P<recipient>.{1,320}?) via SMTP|delivered to (?P<name>.{1,320}))$)"
        ),
        Outcome.DELIVERED,
        Direction.OUTBOUND,
    ),
)
_HINT = lazily(
    r"Blocked [A-Z]|block mail to |infected by |status=VIRUS|task_write_log|action=greylist|delayed for|DENIED_|verify_user|Delivered: |(?:lda|deliver|lmtp)\(|\]: rcpt |Router: "
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled for the few lines that hint at it."""
    return re.compile(pattern)


class CompanionReader(Reader):
    """Reads the outcomes that filters, delivery agents and Domino's router log."""

    format = InputFormat.REPLY
    is_second_hand = True

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._waiting: list[Record] = []

    def take(self, line: InputLine) -> list[Record] | None:
        """A line of a known sentence; no other is this reader's."""
        message = line.stamp.message if line.stamp else line.text
        if not _HINT.search(message):
            return None
        for form in _FORMS:
            match = _compiled(form.pattern).search(message)
            if match:
                if len(self._waiting) < MAX_WAITING:
                    self._waiting += self._records(line, form, match.groupdict())
                return []
        return None

    def finish(self) -> list[Record]:
        """All that was told."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _records(self, line: InputLine, form: _Form, found: dict[str, str | None]) -> list[Record]:
        stamp = line.stamp
        recipients = re.findall(r"[^<>,\s]+", found.get("recipients") or "") or [found.get("recipient") or None]
        reply = parse_reply(found["text"] or "")
        record = Record(
            self.source,
            line.number,
            self.format,
            stamp.time if stamp else None,
            stamp.host if stamp else None,
            direction=form.direction,
            outcome=Outcome.DISCARDED if found.get("discarded") else form.outcome,
            queue_id=found.get("queue_id"),
            sender=found.get("sender"),
            client=found.get("client"),
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
            words_only=form.outcome is None,
        )
        return [record._replace(recipient=recipient) for recipient in recipients]
