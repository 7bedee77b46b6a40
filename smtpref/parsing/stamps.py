"""What stands before the message of a log line: time, host and program, in the forms of syslog, journald and containers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_PROGRAM = r"(?P<program>[\w./@+-]{1,100})(?:\[(?P<pid>\d+)\])?:\s+(?P<message>.*)"
_STAMPED = re.compile(
    rf"""(?:<\d{{1,3}}>)?
    (?:(?P<month>{"|".join(_MONTHS)})\s+(?P<day>\d{{1,2}})\s+(?:(?P<year>\d{{4}})\s+)?(?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)?
      |(?P<iso>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|\s?[+-]\d\d:?\d\d)?))
    \s+(?:(?P<host>(?!\S*\[\d+\]:)[\w.:-]{{1,255}})\s+)?{_PROGRAM}$""",
    re.VERBOSE | re.DOTALL,
)
# RFC 5424: <PRI>1 TIME HOST APP PROCID MSGID STRUCTURED-DATA MSG
_RFC5424 = re.compile(
    r"<\d{1,3}>1 (?P<iso>\S+) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?\ufeff?(?P<message>.*)$",
    re.DOTALL,
)
_BARE = re.compile(_PROGRAM + "$", re.DOTALL)
_CONTAINER = re.compile(r"^(?:[\w.-]+\s*\|\s+|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] )")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s?(Z|[+-]\d\d:?\d\d)?$")


class LogLine(NamedTuple):
    """A log line without its stamp."""

    time: str | None
    host: str | None
    program: str
    message: str


def split_stamp(line: str, latest: datetime) -> LogLine | None:
    """Return the parts of a log line, or None where `line` has no known stamp and no `program[pid]:`.

    `latest` is when the log was written last: a stamp without a year falls in the twelve months before it.
    """
    if line.startswith("{"):
        return _from_json(line, latest)
    line = _CONTAINER.sub("", line)
    match = _RFC5424.match(line)
    if match:
        host = None if match["host"] == "-" else match["host"]
        return LogLine(_iso(match["iso"]), host, match["program"], match["message"])
    match = _STAMPED.match(line)
    if match:
        time = _iso(match["iso"]) if match["iso"] else _without_year(match, latest)
        return LogLine(time, match["host"], match["program"], match["message"])
    match = _BARE.match(line)
    if match and (match["pid"] or "/" in match["program"]):
        return LogLine(None, None, match["program"], match["message"])
    return None


def _without_year(match: re.Match[str], latest: datetime) -> str | None:
    month = _MONTHS.index(match["month"]) + 1
    year = int(match["year"]) if match["year"] else latest.year
    try:
        time = datetime.fromisoformat(f"{year}-{month:02}-{int(match['day']):02}T{match['clock']}")
    except ValueError:
        return None
    # A day of grace: clocks and time zones of the two machines differ.
    if not match["year"] and time > latest + timedelta(days=1):
        time = _year_before(time)
    return time.isoformat()


def _year_before(time: datetime) -> datetime:
    try:
        return time.replace(year=time.year - 1)
    except ValueError:  # 29 February
        return time.replace(year=time.year - 1, day=28)


def _iso(text: str) -> str | None:
    match = _ISO.match(text)
    if not match:
        return None
    date, clock, fraction, offset = match.groups()
    zone = "+00:00" if offset == "Z" else offset or ""
    if zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{date}T{clock}{'.' + fraction if fraction else ''}{zone}"


def _from_json(line: str, latest: datetime) -> LogLine | None:
    """Journald (`journalctl -o json`) and Docker's json-file: the message is one member of an object."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("MESSAGE"), str):
        program = content.get("SYSLOG_IDENTIFIER")
        if not isinstance(program, str):
            return None
        host = content.get("_HOSTNAME")
        return LogLine(
            _microseconds(content.get("__REALTIME_TIMESTAMP")), host if isinstance(host, str) else None, program, content["MESSAGE"]
        )
    if isinstance(content.get("log"), str):
        inner = split_stamp(content["log"].rstrip("\n"), latest)
        stamp = content.get("time")
        if inner and inner.time is None and isinstance(stamp, str):
            return LogLine(_iso(stamp), inner.host, inner.program, inner.message)
        return inner
    return None


def _microseconds(stamp: object) -> str | None:
    if not isinstance(stamp, str) or not stamp.isdigit() or len(stamp) > 17:
        return None
    return datetime.fromtimestamp(int(stamp) / 1_000_000, UTC).isoformat()
