"""What stands before the message of a log line: time, host and program, in the forms of syslog, journald and containers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from ..patterns import lazily
from .files import decoded

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Solaris puts "[ID 801593 mail.info]" after the tag.
_PROGRAM = r"(?P<program>[\w./@+-]{1,100})(?:\[(?P<pid>\d+)\])?:\s+(?:\[ID\ \d{1,9}\ [\w.]{1,30}\]\s+)?(?P<message>.*)"
_STAMPED = lazily(
    rf"""(?:<\d{{1,3}}>)?
    (?:(?P<month>{"|".join(_MONTHS)})\s+(?P<day>\d{{1,2}})\s+(?:(?P<year>\d{{4}})\s+)?(?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)?
      |(?P<iso>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|\s?[+-]\d\d:?\d\d)?))
    (?:\s+<[\w.-]{{1,40}}>)? # a verbose FreeBSD: <mail.notice>
    \s+(?:(?P<host>(?!\S*\[\d+\]:)[\w.:-]{{1,255}}(?<!:))\s+)?
    (?:(?:mail|auth|daemon|user|local\d):\w{{1,10}}\s+)? # AIX: mail:info
    {_PROGRAM}$""",
    re.VERBOSE | re.DOTALL,
)
# RFC 5424: <PRI>1 TIME HOST APP PROCID MSGID STRUCTURED-DATA MSG
_RFC5424 = lazily(
    r"<\d{1,3}>1 (?P<iso>\S+) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?\ufeff?(?P<message>.*)$",
    re.DOTALL,
)
_BARE = lazily(_PROGRAM + "$", re.DOTALL)
_CONTAINER = lazily(r"^(?:[\w.-]+\s*\|\s+|(?P<iso>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) [FP] )")
_ISO = lazily(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s?(Z|[+-]\d\d:?\d\d)?$")


class LogLine(NamedTuple):
    """A log line without its stamp."""

    time: str | None
    host: str | None
    program: str
    message: str


def without_container(line: str) -> str:
    """Return a line as the program in the container wrote it: without the prefixes of compose and Kubernetes, out of Docker's JSON."""
    if line.startswith('{"log":'):
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            return line
        log = content.get("log")
        return log.rstrip("\n") if isinstance(log, str) else line
    return _CONTAINER.sub("", line)


def split_stamp(line: str, latest: datetime) -> LogLine | None:
    """Return the parts of a log line, or None where `line` has no known stamp and no `program[pid]:`.

    `latest` is when the log was written last: a stamp without a year falls in the twelve months before it.
    """
    if line.startswith("{"):
        return _from_json(line, latest)
    container = _CONTAINER.match(line)
    if container is None:
        return _syslog_parts(line, latest)
    inner = _syslog_parts(line[container.end() :], latest)
    return inner._replace(time=inner.time or iso_time(container["iso"] or "")) if inner else None


def _syslog_parts(line: str, latest: datetime) -> LogLine | None:
    match = _RFC5424.match(line) if line.startswith("<") else None
    if match:
        host = None if match["host"] == "-" else match["host"]
        return LogLine(iso_time(match["iso"]), host, match["program"], match["message"])
    match = _STAMPED.match(line)
    if match:
        month, day, year, clock, iso, host, program, _, message = match.groups()
        return LogLine(iso_time(iso) if iso else year_inferred(month, day, clock, latest, year), host, program, message)
    match = _BARE.match(line)
    if match and (match["pid"] or "/" in match["program"]):
        return LogLine(None, None, match["program"], match["message"])
    return None


@lru_cache(maxsize=1024)
def year_inferred(month: str, day: str, clock: str, latest: datetime, year: str | None = None) -> str | None:
    """Return the time that a stamp's parts ("Mar", "5", "10:00:00") give in the twelve months before `latest`; None where there is no such day."""
    number = _MONTHS.index(month) + 1 if month in _MONTHS else 0
    for candidate in (year,) if year else (latest.year, latest.year - 1):
        try:
            time = datetime.fromisoformat(f"{candidate}-{number:02}-{int(day):02}T{clock}")
        except ValueError:  # no such day: 29 February in most years
            continue
        # A day of grace: clocks and time zones of the two machines differ.
        if year or latest - timedelta(days=366) < time <= latest + timedelta(days=1):
            return time.isoformat()
    return None


def iso_time(text: str) -> str | None:
    """Return a date and time of the common forms ("2024-03-05 10:00:00,123 +0100") as ISO 8601; None where `text` is anything else."""
    match = _ISO.match(text)
    if not match:
        return None
    date, clock, fraction, offset = match.groups()
    zone = "+00:00" if offset == "Z" else offset or ""
    if zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    time = f"{date}T{clock}{'.' + fraction if fraction else ''}{zone}"
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return None
    return time


def _from_json(line: str, latest: datetime) -> LogLine | None:
    """Journald (`journalctl -o json`) and Docker's json-file: the message is one member of an object."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):  # too deeply nested is no log line
        return None
    if not isinstance(content, dict):
        return None
    message = content.get("MESSAGE")
    if isinstance(message, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in message):
        # journalctl's way of writing what is no UTF-8
        message = decoded(bytes(message))
    if isinstance(message, str):
        program = content.get("SYSLOG_IDENTIFIER")
        if not isinstance(program, str):
            return None
        host = content.get("_HOSTNAME")
        return LogLine(_microseconds(content.get("__REALTIME_TIMESTAMP")), host if isinstance(host, str) else None, program, message)
    if isinstance(content.get("log"), str):
        inner = split_stamp(content["log"].rstrip("\n"), latest)
        stamp = content.get("time")
        if inner and inner.time is None and isinstance(stamp, str):
            return LogLine(iso_time(stamp), inner.host, inner.program, inner.message)
        return inner
    return None


def _microseconds(stamp: object) -> str | None:
    if not isinstance(stamp, str) or not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 17:
        return None
    return datetime.fromtimestamp(int(stamp) / 1_000_000, UTC).isoformat()
