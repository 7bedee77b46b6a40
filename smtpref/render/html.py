"""A summary as one self-contained page: nothing is fetched from anywhere, charts are inline SVG, tables sort with a few lines of script.

It reads on a phone, on paper, and in light and dark. Every text passes `_text`, the page's side of the safe door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .. import __version__
from ..model import Outcome
from ..priorities import WAIT_AND_CHECK, Task
from ..summary import Maps, Summary
from .safety import visible
from .summary import HERE, SETTLED, SummaryViewer, even, plain_time
from .views import Line, Role, Viewer

MOST_ROWS = 50
"""Rows of a table; a page of more is no page."""

WIDEST_HOUR = 6
"""Width of an hour's column, in the page's own unit; a few hours do not fill a page."""

MOST_ROWS_BESIDE = 15
"""Rows of a table that stands beside others."""

OPEN_TASKS = 6
"""Tasks that are seen at once; the others are a click away, and on paper."""

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5d6979;--paper:#fff;--card:#f4f6f9;--line:#dce1e8;--bar:#3b6fd4;--good:#1d8348;--wait:#b7791f;--bad:#c0392b;--mark:#ffe9a8}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#9aa6b5;--paper:#14181e;--card:#1d232c;--line:#313a46;--bar:#6c9bf2;--good:#4cc27f;--wait:#e3b04b;--bad:#f0766a;--mark:#5c4a12}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:70rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.2rem;margin:0;color:var(--dim);font-weight:600}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:0 0 .4rem}
.answer{font-size:1.5rem;line-height:1.3;margin:.4rem 0 .3rem;font-weight:650}
.dim{color:var(--dim)}
.good{color:var(--good)}.wait{color:var(--wait)}.bad{color:var(--bad)}
.split{display:flex;height:1.6rem;border-radius:.3rem;overflow:hidden;margin:1rem 0 .5rem}
.split svg{height:100%;display:block}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;padding:0;margin:0;list-style:none}
.key i{display:inline-block;width:.75em;height:.75em;border-radius:.15em;margin-right:.4em}
ol.tasks{list-style:none;padding:0;margin:0;display:grid;gap:.8rem}
ol.tasks>li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;break-inside:avoid}
.head{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline}
.head b{font-size:1.1rem}.head .n{margin-left:auto;font-weight:650;font-variant-numeric:tabular-nums}
blockquote{margin:.5rem 0;padding:.1rem 0 .1rem .8rem;border-left:.2rem solid var(--line);font:.9rem/1.45 ui-monospace,monospace;overflow-wrap:anywhere}
summary{cursor:pointer;padding:.7rem 0}
mark{background:var(--mark);color:inherit;padding:0 .1em}
code{font:.9em ui-monospace,monospace}
.grid{columns:20rem;column-gap:2rem}
.grid>*{break-inside:avoid;margin:0 0 1.8rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th.n,td.n{text-align:right;white-space:nowrap}
th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:2px solid var(--bar)}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
.grid table{table-layout:fixed;font-size:.95rem}
.grid th:nth-child(1){width:41%}.grid th:nth-child(2){width:26%}.grid th:nth-child(3){width:19%}.grid td:first-child{overflow-wrap:anywhere}
td.bar{vertical-align:middle;padding:.25rem 0 .25rem .3rem}
td.bar svg{display:block;width:100%;height:.7rem}
.hours svg{display:block;width:100%;height:8rem;border-bottom:1px solid var(--line)}
.ends{display:flex;justify-content:space-between;font-size:.85rem}
td.shape{overflow-wrap:anywhere;font:.85rem/1.4 ui-monospace,monospace}
footer{margin-top:3rem;font-size:.85rem}
@media(max-width:40rem){body{padding:1rem .8rem 2rem}.answer{font-size:1.25rem}.head .n{margin-left:0;width:100%}table.wide th{border:0;padding-right:1.2rem}table.wide tbody tr{display:block;padding:.4rem 0;border-bottom:1px solid var(--line)}table.wide td{display:inline;border:0}table.wide td.shape{display:block}}
@media print{:root{--ink:#000;--dim:#444;--paper:#fff;--card:#fff;--mark:#eee}body{max-width:none;font-size:11pt;padding:0}.screen{display:none}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}.split,.key i{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

# Without "less than" and "and", so that the page is well-formed XML too.
SCRIPT = """
document.querySelectorAll("th button").forEach(function(button){button.onclick=function(){
var head=button.parentNode,table=head.closest("table"),body=table.tBodies[0],place=head.cellIndex
var turns={ascending:-1,descending:1},turn=turns[head.getAttribute("aria-sort")]||(head.className==="n"?-1:1)
var value=function(row){var cell=row.cells[place];return cell.dataset.n===undefined?cell.textContent:Number(cell.dataset.n)}
Array.from(body.rows).sort(function(a,b){var x=value(a),y=value(b);return x===y?0:(x>y?1:-1)*turn}).forEach(function(row){body.appendChild(row)})
table.querySelectorAll("th").forEach(function(other){other.removeAttribute("aria-sort")})
head.setAttribute("aria-sort",turn===1?"ascending":"descending")}})
window.onbeforeprint=function(){document.querySelectorAll("details").forEach(function(part){part.open=true})}
"""

_COLOURS = {
    Outcome.DELIVERED: "good",
    Outcome.DEFERRED: "wait",
    Outcome.BOUNCED: "bad",
    Outcome.EXPIRED: "bad",
}
_CLASSES = {Role.SUCCESS: "good", Role.TEMPORARY: "wait", Role.PERMANENT: "bad", Role.DIM: "dim"}


def html_page(summary: Summary, viewer: Viewer) -> Iterator[str]:
    """The page, part by part."""
    yield from _Page(summary, viewer).parts()


class _Page:
    def __init__(self, summary: Summary, viewer: Viewer) -> None:
        self._summary = summary
        self._viewer = viewer
        self._of = SummaryViewer(viewer)
        self._say = viewer.say

    def parts(self) -> Iterator[str]:
        title = _text(self._say("sum-title"))
        yield f'<!DOCTYPE html>\n<html lang="{self._viewer.language}">\n<head>\n<meta charset="utf-8" />\n'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1" />\n'
        policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        yield f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n'
        yield f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        yield f"<header><h1>{title}{_text(self._period())}</h1>\n{self._headline()}</header>\n<main>\n"
        yield self._split()
        yield from self._tasks()
        yield from self._hours()
        yield from self._totals()
        yield from self._replies()
        yield from self._lines()
        yield f'</main>\n<footer class="dim">{_text(self._say("sum-made-by", version=__version__))}</footer>\n'
        yield f"<script>{SCRIPT}</script>\n</body>\n</html>\n"

    def _period(self) -> str:
        hours = [*self._summary.all.hours]
        return f" · {self._say('sum-seen', first=f'{plain_time(hours[0])}h', last=f'{plain_time(hours[-1])}h')}" if hours else ""

    def _headline(self) -> str:
        return f'<p class="answer">{_line(self._of.headline(self._summary))}</p>\n'

    def _split(self) -> str:
        """The outcomes of all messages as one bar."""
        outcomes, key = self._summary.all.outcomes, self._of.outcomes_key(self._summary)
        total = sum(outcomes.values()) or 1
        pieces, keys = [], []
        for name, count in outcomes.items():
            colour = _COLOURS.get(name, "dim")  # type: ignore[call-overload]  # an outcome is a string
            label = f"{self._of.label(key, name)}: {self._of.number(count)} ({self._share(count, total)})"
            pieces.append(
                f'<svg style="flex:{count}" viewBox="0 0 1 1" preserveAspectRatio="none"><title>{_text(label)}</title>'
                f'<rect width="1" height="1" fill="var(--{colour})" /></svg>'
            )
            keys.append(f'<li><i style="background:var(--{colour})"></i>{_text(label)}</li>')
        return f'<div class="split">{"".join(pieces)}</div>\n<ul class="key">{"".join(keys)}</ul>\n'

    def _tasks(self) -> Iterator[str]:
        summary = self._summary
        yield f"<h2>{_text(self._say('sum-do-first'))}</h2>\n"
        if not summary.failures:
            yield f'<p class="good">{_text(self._say("sum-nothing-failed"))}</p>\n'
            return
        yield f'<ol class="tasks">\n{"".join(map(self._task, summary.tasks[:OPEN_TASKS]))}</ol>\n'
        rest = summary.tasks[OPEN_TASKS:]
        if rest:
            more = self._say("sum-more-tasks", things=self._of.number(len(rest)), messages=self._of.messages(sum(t.messages for t in rest)))
            yield f"<details><summary>{_text(more)}</summary>\n"
            yield f'<ol class="tasks">\n{"".join(map(self._task, rest))}</ol></details>\n'
        yield f'<p class="dim">{_text(self._of.explained(summary, summary.tasks))}</p>\n'

    def _task(self, task: Task) -> str:
        domains = f"{self._of.number(len(task.domains))} {self._say('sum-column-domains')}"
        size = f"{self._of.messages(task.messages)} · {domains}"
        tone = "wait" if task.is_waiting else ""
        parts = [
            f'<li><div class="head"><b class="{tone}">{_text(self._of.task_name(task))}</b>',
            f"<span>{_text(self._of.actor(task))}</span>",
            f'<span class="n">{_text(size)}</span></div>',
            f"<div>{_text(self._of.reasons(task.reasons, most=8))}</div>",
        ]
        if task.action == WAIT_AND_CHECK:
            parts.append(f"<p>{_text(self._of.doubts(task))}</p>")
        if task.example:
            parts.append(f"<blockquote>{_marked(task.example, task.match)}</blockquote>")
        has_deliveries = bool(self._summary.outbound.outcomes.get(Outcome.DELIVERED))
        circumstances = "".join(f" · {text}" for text in self._of.circumstances(task, has_deliveries=has_deliveries))
        parts.append(f'<div class="dim"><code>{_text(self._of.command(task))}</code>{_text(circumstances)}</div></li>\n')
        return "".join(parts)

    def _hours(self) -> Iterator[str]:
        hours = even(self._summary.all.hours)
        if not hours:
            return
        # Of the same hours, so that both fall into the same days where there are many.
        failed = even({hour: self._summary.failed_hours.get(hour, 0) for hour in self._summary.all.hours})
        most = max(hours.values())
        width = 10 * len(hours)
        columns = []
        for place, (hour, count) in enumerate(hours.items()):
            bad = failed.get(hour, 0)
            label = f"{hour}: {self._of.messages(count)}, {self._of.number(bad)} {self._say('sum-failed')}"
            top, low = 100 * count / most, 100 * bad / most
            columns.append(
                f'<g><title>{_text(label)}</title><rect x="{10 * place + 1}" y="{100 - top:.2f}" width="8" height="{top:.2f}" fill="var(--bar)" />'
                f'<rect x="{10 * place + 1}" y="{100 - low:.2f}" width="8" height="{low:.2f}" fill="var(--bad)" /></g>'
            )
        yield f"<h2>{_text(self._say('sum-hours'))}</h2>\n"
        yield f'<div class="hours" style="max-width:max({WIDEST_HOUR * len(hours)}rem,18rem)"><svg viewBox="0 0 {width} 100" preserveAspectRatio="none" role="img">{"".join(columns)}</svg>'
        ends = [*hours]
        yield f'<div class="ends dim"><span>{_text(ends[0])}</span>'
        yield f"<span>▲ {_text(self._of.number(most))}</span><span>{_text(ends[-1])}</span></div>"
        yield f'<ul class="key dim"><li><i style="background:var(--bar)"></i>{_text(self._say("sum-column-messages"))}</li>'
        yield f'<li><i style="background:var(--bad)"></i>{_text(self._say("sum-failed"))}</li></ul></div>\n'

    def _totals(self) -> Iterator[str]:
        outbound, inbound = self._summary.outbound, self._summary.inbound
        yield f'<h2>{_text(self._say("sum-totals"))}</h2>\n<div class="grid">\n'
        for key, counts in self._maps(outbound):
            yield self._table(key, counts)
        yield "</div>\n"
        if inbound.outcomes:
            yield f'<h2>{_text(self._say("sum-inbound"))}</h2>\n<div class="grid">\n'
            for key, counts in self._maps(inbound):
                if key != "bounces":
                    yield self._table(HERE if key == "outcomes" else key, counts)
            yield "</div>\n"

    def _share(self, count: int, total: int) -> str:
        text = f"{100 * count / total:.1f} %"
        return text.replace(".", ",") if self._viewer.language == "vi" else text

    def _maps(self, maps: Maps) -> Iterator[tuple[str, Mapping[str, int]]]:
        yield "outcomes", maps.outcomes
        yield "bounces", maps.bounces
        yield "reasons", {name: count for name, count in maps.reasons.items() if name not in SETTLED}
        yield "categories", {name: count for name, count in maps.categories.items() if name != "none"}
        yield "reply-codes", maps.reply_codes
        yield "enhanced-codes", maps.enhanced_codes
        yield "providers", maps.providers
        yield "domains", maps.domains
        yield "senders", maps.senders

    def _table(self, key: str, counts: Mapping[str, int]) -> str:
        if not counts:
            return ""
        most, total = max(counts.values()), sum(counts.values())
        shown = [*counts.items()][:MOST_ROWS_BESIDE]
        rows = []
        for name, count in shown:
            bar = f'<svg viewBox="0 0 100 1" preserveAspectRatio="none"><rect width="{100 * count / most:.2f}" height="1" fill="var(--bar)" /></svg>'
            rows.append(
                f'<tr><td>{_text(self._of.label(key, name))}</td><td class="n" data-n="{count}">{_text(self._of.number(count))}</td>'
                f'<td class="n" data-n="{count}">{_text(self._share(count, total))}</td><td class="bar" data-n="{count}">{bar}</td></tr>'
            )
        head = self._head(((self._say(f"sum-{key.removesuffix('-here')}"), ""), (self._say("sum-column-messages"), "n"), ("%", "n")))
        rest = len(counts) - len(shown)
        more = f'<p class="dim">{_text(self._say("sum-more-rows", n=self._of.number(rest)))}</p>' if rest else ""
        return f"<section><table><thead><tr>{head}<th></th></tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table>{more}</section>\n"

    @staticmethod
    def _head(columns: Sequence[tuple[str, str]]) -> str:
        return "".join(
            f'<th class="{kind}"><button type="button">{_text(name)}</button></th>'
            if kind
            else f'<th><button type="button">{_text(name)}</button></th>'
            for name, kind in columns
        )

    def _replies(self) -> Iterator[str]:
        refused = [reply for reply in self._summary.replies if reply.reason not in SETTLED][:MOST_ROWS]
        if not refused:
            return
        yield f"<h2>{_text(self._say('sum-replies'))}</h2>\n"
        head = self._head(((self._say("sum-column-records"), "n"), (self._say("reason"), ""), (self._say("sum-reply"), "")))
        yield f'<table class="wide"><thead><tr>{head}</tr></thead><tbody>\n'
        for reply in refused:
            yield (
                f'<tr><td class="n" data-n="{reply.records}">{_text(self._of.number(reply.records))}</td><td>{_text(reply.reason)}</td>'
                f'<td class="shape" title="{_text(reply.example)}">{_text(reply.shape)}</td></tr>\n'
            )
        yield "</tbody></table>\n"

    def _lines(self) -> Iterator[str]:
        lines = self._summary.lines
        if not lines.read:
            return
        number = self._of.number
        text = self._say("sum-lines", read=number(lines.read), in_records=number(lines.in_records), without=number(lines.without_outcome))
        yield f'<p class="dim">{_text(text)}</p>\n'
        shapes = self._summary.not_understood
        if not shapes:
            return
        yield f"<h2>{_text(self._say('sum-not-understood', lines=number(lines.not_understood), shapes=number(len(shapes))))}</h2>\n"
        head = self._head(((self._say("sum-lines-column"), "n"), ("", "")))
        yield f'<table class="wide"><thead><tr>{head}</tr></thead><tbody>\n'
        for shape, count in [*shapes.items()][:MOST_ROWS]:
            yield f'<tr><td class="n" data-n="{count}">{_text(number(count))}</td><td class="shape">{_text(shape)}</td></tr>\n'
        yield "</tbody></table>\n"


def _text(text: str) -> str:
    """Text from anywhere as it may stand in a page."""
    return escape(visible(text))


def _line(line: Line) -> str:
    return "".join(
        f'<span class="{_CLASSES[part.role]}">{escape(part.text)}</span>' if part.role in _CLASSES else escape(part.text) for part in line
    )


def _marked(text: str, match: str) -> str:
    at = text.find(match) if match else -1
    if at < 0:
        return _text(text)
    return f"{_text(text[:at])}<mark>{_text(match)}</mark>{_text(text[at + len(match) :])}"
