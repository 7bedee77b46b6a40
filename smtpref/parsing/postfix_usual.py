"""The usual lines of a Postfix log, read many at a time: those without an outcome, a sender's coming and going, deliveries, refusals.

A busy server's log has little else. They are found by one pattern that passes over any number of lines without an outcome at once; one
with an outcome stays as it is written, a `UsualLine`, until somebody needs its reply.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import NamedTuple

from ..model import ENHANCED_CODE, Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .reply import Reply, enhanced_code, find_reply, parse_reply, phase_of
from .stamps import split_stamp

_STAMP = (
    "(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9}+)?(?:Z|[+-][0-9]{2}:[0-9]{2}))"
)
_HOST = "[0-9A-Za-z_.-]{1,255}+"
_PROGRAM = r" postfix[0-9A-Za-z_.-]*+/[0-9A-Za-z_/-]{1,80}+\[[0-9]++\]: "
_ID = "(?:[0-9A-Za-z]{10,20}+(?=:)|[0-9A-F]{5,24}+)"
_QUIET = (
    f"{_STAMP} {_HOST}{_PROGRAM}(?:connect from |disconnect from |{_ID}: (?:client=|message-id=|sender non-delivery notification: )"
    r"|statistics: |(?:Anonymous|Untrusted|Trusted|Verified) TLS )[^\n]*+\n"
)
_TELLING = (
    rf"(?:(?P<time>{_STAMP}) (?P<host>{_HOST}){_PROGRAM}(?:(?P<queue_id>{_ID}): (?:"
    r"from=<(?P<sender>[!-=?-~]*+)>, size=[0-9]++, nrcpt=[0-9]++ \(queue active\)"
    r"|to=<(?P<recipient>[!#-=?-~]*+)>, relay=(?P<relay>[!-+\--~]*+), delay=[0-9.]*+, delays=[0-9./]*+"
    r", dsn=(?P<dsn>[245]\.[0-9]{1,3}\.[0-9]{1,3}), status=(?P<status>sent|deferred|bounced) \((?P<text>[ -~]*+)"
    r"|(?P<removed>removed))"
    r"|NOQUEUE: reject: (?P<command>RCPT|MAIL|DATA) from (?P<client>[!-Z\\^-~]++\[[!-Z\\^-~]*+\]): "
    r"(?P<words>(?:(?![;,] (?:from=<|to=<|proto=|helo=<))[ -~])*+); from=<(?P<of>[!-=?-~]*+)> to=<(?P<refused>[!-=?-~]*+)>"
    r" proto=[A-Z]++ helo=<[!-=?-~]*+>)\n|(?P<other>))"
)

_OUTCOMES = {
    "sent": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "softbounce": Outcome.DEFERRED,
    "bounced": Outcome.BOUNCED,
    "expired": Outcome.EXPIRED,
    "force-expired": Outcome.EXPIRED,
    # Address probes (RFC 3461 has no word for them) touch no message: deliverable, undeliverable, undeliverable-but-not-cached.
}
MAX_MINUTES = 1000
"""Minutes that a clock remembers."""

_CODE = lazily(r"\d{3}[ -]")


REFUSED = "refused "
"""What the status of a refusal begins with; the command that was refused follows."""


class UsualLine(NamedTuple):
    """A line that tells of a delivery, or of a refusal, its reply as it stands there."""

    line: int
    time: str | None
    host: str | None
    queue_id: str | None
    sender: str | None
    recipient: str
    relay: str | None
    """As it is written, "none" where there is none."""

    client: str | None
    dsn: str | None
    status: str
    text: str
    """The reply; of a delivery what stands in parentheses, without them."""

    def record(self, source: str) -> Record:
        """What the line tells."""
        is_refusal = self.status.startswith(REFUSED)
        reply = parse_reply(self.text) if is_refusal else quoted_reply(self.text)
        return Record(
            source=source,
            line=self.line,
            format=InputFormat.POSTFIX,
            time=self.time,
            host=self.host,
            direction=Direction.INBOUND if is_refusal else Direction.OUTBOUND,
            outcome=Outcome.REJECTED if is_refusal else _OUTCOMES.get(self.status.lower()),
            queue_id=self.queue_id,
            sender=self.sender,
            recipient=self.recipient,
            relay=self.relay if self.relay != "none" else None,
            client=self.client,
            phase=phase_of(self.status.removeprefix(REFUSED)) if is_refusal else reply.phase,
            reply_code=reply.code,
            enhanced_code=reply.enhanced or (enhanced_code(self.dsn) if self.dsn and ENHANCED_CODE.fullmatch(self.dsn) else None),
            text=reply.text,
        )


def quoted_reply(text: str) -> Reply:
    """The reply in a delivery's parentheses, or Postfix's own words, which carry no reply code of anybody."""
    if _CODE.match(text) or " said: " in text or " refused to talk to me: " in text:
        return find_reply(text) or Reply(None, None, text, None)
    return Reply(None, None, " ".join(text.split()), None)


@cache
def usual_lines() -> re.Pattern[str]:
    """Any number of lines that tell nothing, and one that tells of a sender, an outcome or a removal, by which its last group is named.

    For text of which each character was a byte. What stands before any other line is matched too, its last group "other".
    Compiled when a log is read, not at every start.
    """
    return re.compile(f"(?:{_QUIET})*+{_TELLING}")


class Clock:
    """The times of stamps: a busy log has many stamps, but few minutes, and within one only the seconds differ."""

    def __init__(self, latest: datetime) -> None:
        self._latest = latest
        self._minutes: dict[str, str] = {}
        self._last: tuple[str, str | None] = ("", None)

    def time(self, stamp: str) -> str | None:
        """The time that a stamp tells, as `split_stamp` tells it."""
        if stamp != self._last[0]:
            self._last = (stamp, self._time(stamp))
        return self._last[1]

    def _time(self, stamp: str) -> str | None:
        has_date = stamp[4] == "-"
        end = 17 if has_date else 13
        second, zone = stamp[end : end + 2], ("Z" if stamp[-1] == "Z" else stamp[-6:]) if has_date else ""
        minute = stamp[:end] + zone
        known = self._minutes.get(minute)
        if known is None:
            known = self._remember(minute, stamp[:end], zone)
        if not known or second > "59":
            return self._parsed(stamp)
        return known + second + (stamp[end + 2 : len(stamp) - len(zone)] + ("+00:00" if zone == "Z" else zone) if zone else "")

    def _remember(self, minute: str, begin: str, zone: str) -> str:
        """What the times of a minute begin with; nothing where they do not all begin alike, as in the minute in which a year ends."""
        first, last = (self._parsed(f"{begin}{second}{zone}") for second in ("00", "59"))
        if len(self._minutes) >= MAX_MINUTES:
            self._minutes.clear()
        known = self._minutes[minute] = first[:17] if first and last and first[:17] == last[:17] else ""
        return known

    def _parsed(self, stamp: str) -> str | None:
        parsed = split_stamp(f"{stamp} host program[1]: ", self._latest)
        return parsed.time if parsed else None
