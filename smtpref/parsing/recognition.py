"""Which reader a line needs: an input's lines go in, records come out, as soon as a line completes one.

`LOG_READERS` is the table of mail server logs; whatever none of them claims is read as bare replies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Record
from . import postfix, text
from .files import Input
from .stamps import split_stamp

LOG_READERS = (postfix.Reader,)
"""Each has `format`, `claims(line)`, `read(line, source, number)` and `finish()`."""

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


def read_records(opened: Input, only: str | None = None) -> Iterator[Record]:
    """Yield the records of an input in its order; `only` forces one format of `FORMATS`."""
    logs = [reader() for reader in LOG_READERS if only in (None, reader.format)]
    replies = text.Reader(opened.source) if only in (None, text.FORMAT) else None
    for line in opened.lines:
        if line is None:
            if replies:
                yield from replies.finish()
            continue
        stamped = split_stamp(line.text, opened.latest) if logs else None
        reader = next((reader for reader in logs if stamped and reader.claims(stamped)), None)
        if reader and stamped:
            if replies:
                yield from replies.finish()
            yield from reader.read(stamped, opened.source, line.number)
        elif replies and not (stamped and stamped.program in _OTHERS):
            yield from replies.read(line)
    if replies:
        yield from replies.finish()
    for reader in logs:
        yield from reader.finish()
