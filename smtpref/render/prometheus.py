"""A summary as text for Prometheus' textfile collector: what a monitoring system is to count and alert on, and never an address.

The counts are those of one input, which may shrink from one run to the next, so all of them are gauges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..moments import instant
from ..summary import Summary
from .safety import visible

Labels = tuple[tuple[str, str], ...]


def prometheus_text(summary: Summary) -> Iterator[str]:
    """The metrics, each with what it is."""
    lines = summary.lines
    yield from _metric(
        "smtpref_messages",
        "Messages by what was last said of them.",
        (
            (
                (
                    ("direction", series.direction),
                    ("outcome", series.outcome),
                    ("reason", series.reason),
                    ("bounce", series.bounce),
                    ("provider", series.provider),
                ),
                count,
            )
            for series, count in sorted(summary.series.items())
        ),
    )
    yield from _metric("smtpref_records", "Delivery attempts, refusals and notices that were read.", [((), summary.records)])
    yield from _metric("smtpref_failed_messages", "Messages that this server sent and that did not arrive.", [((), summary.failures)])
    yield from _metric(
        "smtpref_stuck_messages",
        "Messages that are still in a queue, by the reason of the last attempt.",
        [((("reason", reason),), count) for reason, count in sorted(summary.stuck.reasons.items())] or [((), 0)],
    )
    if summary.stuck.since:
        seconds = instant(summary.stuck.since)[0] / 1_000_000
        yield from _metric(
            "smtpref_stuck_since_timestamp_seconds",
            "When the oldest of them was first seen (a time without an offset counts as UTC).",
            [((), seconds)],
        )
    yield from _metric(
        "smtpref_lines",
        "Lines of the input, by what became of them.",
        (((("state", state),), count) for state, count in (("in_records", lines.in_records), ("without_outcome", lines.without_outcome))),
    )
    yield from _metric("smtpref_lines_not_understood", "Lines that look like an outcome and gave no record.", [((), lines.not_understood)])


def _metric(name: str, what: str, samples: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {what}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        named = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        yield f"{name}{{{named}}} {value:.15g}\n" if named else f"{name} {value:.15g}\n"


def _escaped(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
