"""Times as numbers: a log has millions of them, but few minutes and few hours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from .patterns import lazily
from .shapes import Names

MAX_MINUTES = 10_000
MAX_HOURS = 100_000

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_MINUTES = lazily(r"([+-])(\d\d):(\d\d)")


class Moments:
    """The instants of ISO 8601 times, and the hours in which they fall, with the offset from UTC that they are written with."""

    def __init__(self) -> None:
        self._hours = Names(MAX_HOURS)
        self._minutes: dict[str, tuple[int, int]] = {}

    def moment(self, time: str) -> tuple[int, int]:
        """The instant of a time, and the number of its hour, which is never 0."""
        offset = time[-6:] if time[-6] in "+-" else ""
        minute, second, fraction = time[:17], time[17:19], time[19 : len(time) - len(offset)]
        if len(time) < 19 or (fraction and not (fraction[0] == "." and fraction[1:].isdecimal())):
            when, offset = instant(time)
            return when, self._hours.number(time[:13] + offset) + 1
        known = self._minutes.get(minute + offset)
        if known is None:
            if len(self._minutes) >= MAX_MINUTES:
                self._minutes.clear()
            begin, _ = instant(f"{minute}00{offset}")
            known = self._minutes[minute + offset] = (begin, self._hours.number(time[:13] + offset) + 1)
        return known[0] + int(second) * 1_000_000 + (int(fraction[1:7].ljust(6, "0")) if fraction else 0), known[1]

    def hour(self, number: int) -> tuple[str | None, str]:
        """An hour by its number, and the offset of its times; None of 0."""
        return (self._hours[number - 1][:13], self._hours[number - 1][13:]) if number else (None, "")


def instant(time: str) -> tuple[int, str]:
    """The microseconds since 1970 of an ISO 8601 time, and its offset; a time without an offset counts as UTC."""
    moment = datetime.fromisoformat(time)
    offset = moment.utcoffset()
    if offset is None:
        return (moment - _EPOCH) // _MICROSECOND, ""
    # Reckoned in numbers: at the ends of the calendar there is no such moment in UTC.
    return (moment.replace(tzinfo=None) - _EPOCH - offset) // _MICROSECOND, time[-6:]


def time_text(microseconds: int, offset: str = "") -> str:
    """The time of an instant, with the offset that it was written with."""
    sign = _MINUTES.fullmatch(offset)
    minutes = int(sign[1] + "1") * (60 * int(sign[2]) + int(sign[3])) if sign else 0
    moment = _EPOCH + timedelta(microseconds=microseconds, minutes=minutes)
    if sign:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    precision = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision)
