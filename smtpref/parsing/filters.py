"""Filters that log what they refused themselves: amavis (`Blocked`), clamav-milter (`infected by`), Proxmox Mail Gateway (`block mail to`).

What they let pass is the mail server's to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import Direction, InputFormat, Outcome, Record
from .reader import InputLine, Reader
from .stamps import LogLine

MAX_RECIPIENTS = 1_000
"""Recipients of one line."""

# (07831-02) Blocked INFECTED (Eicar) {DiscardedInbound,Quarantined}, [192.0.2.5] <a@example.org> -> <bob@example.com>, quarantine: x
_AMAVIS = re.compile(
    r"""\([\w-]{1,40}\)\ (?P<text>Blocked\ (?!CLEAN|MTA-BLOCKED)[A-Z][\w-]{1,30}(?:\ \([^{}<>]{0,500}\))?)
    (?:\ \{(?P<done>[\w,]{1,200})\})?,?\ [^<>]{0,300}
    <(?P<sender>[^<>\s]{0,320})>\ ->\ (?P<recipients><[^<>\s]{1,320}>(?:,<[^<>\s]{1,320}>)*)""",
    re.VERBOSE,
)
# Message 94800224BB from a@example.org to bob@example.com with subject 'x' message-id 'y' date 'z' infected by Eicar-Test-Signature
_CLAMAV = re.compile(
    r"""Message\ (?P<id>\w{1,40})\ from\ <?(?P<sender>[^<>\s]{0,320})>?\ to\ (?P<recipients><?[^<>\s]{1,320}>?)
    \ with\ .{0,2000}(?P<text>\binfected\ by\ .{1,300})$""",
    re.VERBOSE,
)
# 2A3B4C5D: block mail to <bob@example.com> (rule: Block Spam (Level 10))
_PROXMOX = re.compile(r"(?P<id>\w{1,40}): (?P<text>block mail) to (?P<recipients><[^<>\s]{1,320}>) (?P<rule>\(rule: .{1,200}\))")
_FORMS = {"amavis": _AMAVIS, "amavisd": _AMAVIS, "clamav-milter": _CLAMAV, "pmg-smtp-filter": _PROXMOX}
_ADDRESS = re.compile(r"[^<>,\s]{1,320}")


class FilterReader(Reader):
    """Reads the refusals of filters that stand beside a mail server."""

    format = InputFormat.REPLY

    def take(self, line: InputLine) -> list[Record] | None:
        """The refusals of one line, one for each recipient."""
        form = _FORMS.get(line.stamp.program.rpartition("/")[2]) if line.stamp else None
        match = form.match(line.stamp.message) if form and line.stamp else None
        return list(self._refused(line.number, line.stamp, match)) if match and line.stamp else None

    def _refused(self, number: int, stamp: LogLine, match: re.Match[str]) -> Iterator[Record]:
        found = match.groupdict()
        for recipient in _ADDRESS.findall(found["recipients"])[:MAX_RECIPIENTS]:
            yield Record(
                self.source,
                number,
                self.format,
                time=stamp.time,
                host=stamp.host,
                direction=Direction.INBOUND,
                outcome=Outcome.DISCARDED if "Discarded" in (found.get("done") or "") else Outcome.REJECTED,
                queue_id=found.get("id"),
                sender=found.get("sender"),
                recipient=recipient,
                text=" ".join(filter(None, (found["text"], found.get("rule")))),
            )
