"""Renderers: each format holds the whole result in its own form, and foreign text arrives in it visible, verbatim and dead."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import cell_len

from smtpref.classification import classify_path
from smtpref.knowledge import load_knowledge
from smtpref.model import (
    Action,
    Actor,
    BlocklistFacts,
    Bounce,
    Category,
    Classified,
    Comparison,
    Entry,
    Evidence,
    EvidenceBy,
    Finding,
    Kind,
    Outcome,
    Phase,
    ProviderUse,
    Record,
    ReplyCode,
    ReturnCode,
    Source,
    Verdict,
)
from smtpref.render import records
from smtpref.render.output import SUMMARY_ONLY, Format, Output
from smtpref.render.results import write_comparison, write_entries, write_hits
from smtpref.render.safety import visible
from smtpref.render.stream import write_records
from smtpref.render.terminal import Terminal
from smtpref.render.views import Viewer

from .conftest import SAMPLES, environment
from .test_cli import ALIVE, DANGEROUS, GREYLISTED, LOGGED, REFUSED, SGR, SURROGATES, called

FORMATS = [form for form in Format if form not in SUMMARY_ONLY]
MARKUP = "[/b] [red]x[/red] :x: [link=http://evil.example]y[/link] [bob@example.com] \\[z]"
EVERY_CONTROL = "".join([*DANGEROUS, *SURROGATES, "\0"])

law = settings(deadline=None, max_examples=12)


@pytest.fixture(autouse=True, scope="module")
def no_terminal() -> Iterator[None]:
    """What is set where the tests run chooses neither colour nor width."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - environment().keys():
            patch.delenv(name)
        yield


# Results that say one foreign text wherever there may be some

foreign = st.text(
    st.one_of(
        st.sampled_from([*DANGEROUS, *SURROGATES, "\0"]),
        st.sampled_from(r"""[]()/:*_`|<>&#\!"'=-+.@$~^{} x1"""),
        st.characters(codec="utf-8"),
    ),
    max_size=20,
)
one_liners = foreign.map(lambda text: " ".join(text.split()))


def address_with(text: str) -> str:
    """A web address as a codes file may have it."""
    return "https://a.example/" + re.sub(r"""[\s<>"]""", "", text)


def every_entry(text: str) -> list[Entry]:
    """An entry of each kind that says nothing but `text`."""
    source = Source(text, address_with(text))
    facts = BlocklistFacts(text, text, ("ip", "domain"), "alive", source.url, text, (ReturnCode(text, text, True),))
    return [
        Entry(
            code=f"{number}{text}",
            kind=kind,
            name=text,
            registered=False,
            class_name=text,
            permanent=None,
            acts=Actor.NONE,
            meaning=text,
            when=text,
            use=text,
            phases=(Phase.RCPT,),
            fix=(text, text),
            example=text,
            provider="google",
            related=(f"4{text}",),
            sources=(source, source),
            reasons=("user-unknown",),
            replies=(f"4{text}",),
            enhanced=(f"4{text}",),
            uses=(ProviderUse(text, text, text, text, False),),
            note=text,
            blocklist=facts if kind is Kind.BLOCKLIST else None,
        )
        for number, kind in enumerate(Kind, 1)
    ]


def every_record(text: str) -> list[Classified]:
    """A record of each outcome that says nothing but `text`."""
    evidence = Evidence(EvidenceBy.TEXT, text, text[1:3])
    digits = Finding("blocklisted", Evidence(EvidenceBy.ENHANCED_CODE, text, text))
    return [
        Classified(
            Record(text, 1, "reply", text, text, None, outcome, text, text, text, text, text, Phase.RCPT, code, None, text),
            Verdict(reason, Category.RATE, bounce, permanent, action, Actor.SENDER, text, reason, text, text, 60, evidence, (digits,)),
        )
        for outcome, code in [(None, ReplyCode(550)), *((outcome, None) for outcome in Outcome)]
        for reason, bounce, permanent, action in [
            ("blocklisted", Bounce.BLOCK, True, Action.REQUEST_DELISTING),
            ("greylisted", Bounce.SOFT, False, Action.RETRY_LATER),
        ]
    ]


def side_by_side(entries: tuple[Entry, ...], differences: tuple[str, ...] = (), commands: tuple[str, ...] = ()) -> Comparison:
    sources = tuple(source for entry in entries for source in entry.sources)
    return Comparison(entries, differences, {entry.code: entry.use for entry in entries}, sources, commands)


def a_comparison(text: str) -> Comparison:
    """Two sides and what sets them apart, in nothing but `text`."""
    first, second, *_ = every_entry(text)
    return side_by_side((first, second), (text, text), (text,))


def written(write: Callable[[Output], object], written_as: Format) -> str:
    """What `write` puts into a pipe."""
    stream = io.StringIO()
    write(Output(stream, io.StringIO(), written_as, "en", KNOWLEDGE))
    return stream.getvalue()


KNOWLEDGE = load_knowledge()
VIEWER = Viewer(KNOWLEDGE, "en")


def drawn(draw: Callable[[Terminal], object], *, width: int = 100, colour: bool = False, links: bool = False) -> str:
    """What `draw` puts on a terminal."""
    stream = io.StringIO()
    draw(Terminal(stream, colour=colour, links=links, width=width))
    return stream.getvalue()


def a_record(text: str, match: str = "", code: int | None = 550, **facts: Any) -> Classified:
    """A refusal in these words."""
    record = Record("-", 1, "reply", reply_code=ReplyCode(code) if code else None, text=text, **facts)
    evidence = Evidence(EvidenceBy.TEXT, "user-unknown/no-such-user", match)
    return Classified(
        record,
        Verdict(
            "user-unknown",
            Category.RECIPIENT,
            Bounce.HARD,
            True,
            Action.REMOVE_ADDRESS,
            Actor.SENDER,
            None,
            None,
            None,
            None,
            None,
            evidence,
        ),
    )


def an_entry(code: str, text: str, kind: Kind = Kind.REPLY) -> Entry:
    """An entry with nothing but this text to say."""
    return Entry(
        code,
        kind,
        text,
        True,
        text,
        None,
        Actor.NONE,
        text,
        f"when {code}",
        text,
        (),
        (text,),
        None,
        None,
        (),
        (Source(text, "https://a.example/"),),
    )


# No control character survives


def alive(output: str, *separators: str) -> list[str]:
    """The control characters of an output, but for those that separate its parts."""
    for separator in separators:
        output = output.replace(separator, "")
    return ALIVE.findall(output) + re.findall("\0", output)


SEPARATORS = {Format.PLAIN: ("\n", "\t")}


@pytest.mark.parametrize("written_as", FORMATS)
@law
@given(foreign)
@example(EVERY_CONTROL)
def test_no_control_character_of_a_record_survives(written_as, text):
    output = written(lambda output: write_records(iter(every_record(text)), output), written_as)
    assert alive(output, *SEPARATORS.get(written_as, ("\n",))) == []


@pytest.mark.parametrize("written_as", FORMATS)
@law
@given(foreign)
@example(EVERY_CONTROL)
def test_no_control_character_of_an_entry_survives(written_as, text):
    def explained(entry: Entry) -> str:
        return written(lambda output: write_entries([entry], output, every_record(text)[:1]), written_as)

    for entry in every_entry(text):
        assert alive(explained(entry), *SEPARATORS.get(written_as, ("\n",))) == []


@pytest.mark.parametrize("written_as", FORMATS)
@law
@given(foreign)
@example(EVERY_CONTROL)
def test_no_control_character_of_a_comparison_survives(written_as, text):
    output = written(lambda output: write_comparison(a_comparison(text), output), written_as)
    assert alive(output, *SEPARATORS.get(written_as, ("\n",))) == []


@pytest.mark.parametrize("written_as", FORMATS)
@law
@given(foreign)
@example(EVERY_CONTROL)
def test_no_control_character_of_a_hit_survives(written_as, text):
    output = written(lambda output: write_hits([("Hits", every_entry(text)[:1])], output), written_as)
    assert alive(output, *SEPARATORS.get(written_as, ("\n",))) == []


OWN_ESCAPES = re.compile(rf"{SGR.pattern}|\x1b\]8;[^;]*;(?:(?!{ALIVE.pattern})\S)*\x1b\\")


@law
@given(foreign)
@example(EVERY_CONTROL)
def test_on_a_terminal_the_only_escapes_are_colours_and_hyperlinks(text):
    def draw(terminal: Terminal) -> None:
        terminal.write([*map(VIEWER.entry, every_entry(text)[-2:]), VIEWER.comparison(a_comparison(text))])
        terminal.write_panel(VIEWER.record(every_record(text)[0]))
        terminal.write_row(VIEWER.record_row(every_record(text)[0]))

    assert alive(OWN_ESCAPES.sub("", drawn(draw, colour=True, links=True)), "\n") == []


def test_a_control_character_leaves_a_readable_escape():
    assert visible("a\x1b[31m\x00\t\r\n\x7f\x9b\u202e\udc80é✓") == "a\\x1b[31m\\x00\\t\\r\\n\\x7f\\x9b\\u202e\\udc80é✓"


@law
@given(foreign)
def test_what_is_safe_already_stays_as_it_is(text):
    assert ALIVE.findall(visible(text)) == []
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("written_as", FORMATS)
def test_no_control_character_of_an_argument_or_input_survives(written_as):
    text = "550 5.1.1 \x1b[31m\x07\x9b\u202e User unknown"
    for done in (
        called("explain", text, "-f", written_as),
        called("classify", "-f", written_as, stdin=f"{text}\n".encode()),
    ):
        assert alive(done.stdout, *SEPARATORS.get(written_as, ("\n",))) == []


# Foreign text is shown as it is


@law
@given(foreign)
@example(MARKUP)
@example(EVERY_CONTROL)
def test_a_line_on_a_terminal_ends_with_the_words_as_they_are(text):
    line = drawn(lambda terminal: terminal.write_row(VIEWER.record_row(a_record(text))), width=10_000)
    assert line.endswith(f"{visible(text)}\n")


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "coloured"])
@pytest.mark.parametrize("text", [*MARKUP.split(), "[/]", "[bold", ":warning:", "http://a.example/[a]?b=1"])
def test_markup_of_a_terminal_library_is_shown_verbatim(text, colour):
    def shown(words: str) -> str:
        def draw(terminal: Terminal) -> None:
            terminal.write([*map(VIEWER.entry, every_entry(words)[-2:]), VIEWER.comparison(a_comparison(words))])
            terminal.write_panel(VIEWER.record(a_record(words, recipient=words)))
            terminal.write_row(VIEWER.record_row(a_record(words)))

        return SGR.sub("", drawn(draw, width=200, colour=colour))

    harmless = "x" * cell_len(text)
    assert shown(text).count(text) == shown(harmless).count(harmless) > 40


@law
@given(foreign, st.integers(20, 200))
def test_a_record_among_many_is_one_line_within_the_width(text, width):
    lines = drawn(lambda terminal: terminal.write_row(VIEWER.record_row(every_record(text)[0])), width=width)
    assert lines.count("\n") == 1
    assert cell_len(lines.removesuffix("\n")) <= width


@law
@given(foreign)
@example(EVERY_CONTROL)
def test_plain_is_one_line_of_nine_fields_a_record(text):
    items = every_record(text)
    rows = [line.split("\t") for line in written(lambda output: write_records(iter(items), output), Format.PLAIN).split("\n")]
    assert rows.pop() == [""]
    assert [(len(row), row[6], row[8]) for row in rows] == [(9, visible(text), visible(text))] * len(items)


# Markdown: what a reader of the rendered page sees


def tokens(markdown: str) -> list[Token]:
    """The page as CommonMark with tables, HTML let through."""
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def shown_text(token: Token) -> str:
    return "".join(
        part.content if part.type in ("text", "code_inline", "html_inline") else " " * (part.type == "softbreak")
        for part in token.children or []
    )


def inlines(markdown: str) -> list[str]:
    """The texts of headings, paragraphs, items and cells, as a reader sees them."""
    return [shown_text(token) for token in tokens(markdown) if token.type == "inline"]


def constructs(markdown: str) -> set[str]:
    """What may be used against a reader: raw HTML, images, code, and links by their target."""
    page = tokens(markdown)
    parts = [part for token in page for part in (token, *(token.children or []))]
    raw = {
        part.type for part in parts if part.type in ("html_block", "image", "code_block", "code_inline", "fence", "blockquote_open", "hr")
    }
    html = {part.content for part in parts if part.type == "html_inline"}
    return raw | html | {str(part.attrs["href"]) for part in parts if part.type == "link_open"}


def record_page(item: Classified) -> str:
    return written(lambda output: write_records(iter([item]), output), Format.MARKDOWN)


HOSTILE = [
    "# heading",
    "---",
    "===",
    "- item",
    "-",
    "+",
    "1. item",
    "2)",
    "> quote",
    "``` fence",
    "~~~",
    "    code",
    "<script>alert(1)</script>",
    "<!-- comment",
    "<bob@example.com>",
    "<https://evil.example>",
    "![image](https://evil.example/x.png)",
    "[link](https://evil.example)",
    "[ref]: https://evil.example",
    "**bold** __bold__ *it* _it_ `code`",
    "a | b | c",
    "a \\| b",
    "ends with \\",
    "&lt;b&gt; &amp; &#x202e; &nbsp;",
    "a  \\",
    MARKUP,
]


@settings(law, max_examples=40)
@given(one_liners.filter(bool), st.none() | st.just(550))
def test_markdown_shows_the_words_of_a_record_as_they_are(text, code):
    page = record_page(a_record(text, code=code))
    assert constructs(page) == set()
    assert f"{code or ''} {visible(text)}".strip() in inlines(page)


@settings(law, max_examples=40)
@given(one_liners.filter(bool), st.integers(0, 10), st.integers(1, 10))
@example("user unknown", 5, 7)
@example("see(over quota)now", 3, 12)
def test_marking_the_words_that_decided_changes_none_of_them(text, start, length):
    page = record_page(a_record(text, text[start : start + length]))
    assert f"550 {visible(text)}" in inlines(page)


def test_markdown_marks_the_words_that_decided():
    page = record_page(a_record("no, user unknown here", "user unknown"))
    parts = [part for token in tokens(page) for part in token.children or []]
    strong = [inside.content for opening, inside in pairwise(parts) if opening.type == "strong_open"]
    assert "user unknown" in strong


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("code", [550, None], ids=["behind a code", "alone"])
def test_markdown_and_html_in_a_record_are_dead(text, code):
    words = " ".join(text.split())
    page = record_page(a_record(words, code=code))
    assert constructs(page) == set()
    assert f"{code or ''} {words}".strip() in inlines(page)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_and_html_in_an_entry_are_dead(text):
    words = " ".join(text.split())
    page = written(lambda output: write_entries([an_entry(f"x{words}", words)], output), Format.MARKDOWN)
    assert constructs(page) == {"https://a.example/"}
    assert words in inlines(page)[0]
    # The meaning, the one step to fix it, and the source.
    assert inlines(page).count(words) == 3


def test_a_title_of_markdown_keeps_its_parts_apart():
    assert inlines(called("explain", "550", "-f", "markdown").stdout)[0] == "550 Mailbox unavailable"
    assert inlines(record_page(a_record("User unknown")))[0] == "✗ Undeliverable: the domain exists, but it has no such mailbox"


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_and_html_in_a_comparison_are_dead_and_the_table_keeps_its_form(text):
    words = " ".join(text.split())
    sides = (an_entry(f"x{words}", words), an_entry("550", "plain"))
    page = written(lambda output: write_comparison(side_by_side(sides, (words,), (words,)), output), Format.MARKDOWN)
    assert constructs(page) - {"<br>"} == {"https://a.example/"}
    cells = [[shown_text(token) for token in row] for row in table_rows(page)]
    assert {len(row) for row in cells} == {3}
    assert cells[0] == ["", f"x{words} {words}", "550 plain"]
    assert ["Meaning", words, "plain"] in cells
    # When to use which: each code before its sentence.
    assert f"x{words} {words}" in inlines(page)[len(cells) * 3 :]


@law
@given(one_liners)
@example(")")
@example("a(b")
@example("a|b")
def test_markdown_links_lead_where_the_sources_are(text):
    entry = every_entry(text)[0]
    page = written(lambda output: write_entries([entry], output), Format.MARKDOWN)
    links = [part for token in tokens(page) for part in token.children or [] if part.type == "link_open"]
    assert [unquote(str(link.attrs["href"])) for link in links] == [unquote(visible(source.url)) for source in entry.sources]


def table_rows(markdown: str) -> Iterator[list[Token]]:
    """The cells of each row of the tables of a page."""
    row: list[Token] = []
    inside = False
    for token in tokens(markdown):
        if token.type in ("th_open", "td_open"):
            inside = True
        elif token.type == "inline" and inside:
            row.append(token)
            inside = False
        elif token.type == "tr_close":
            yield row
            row = []


@pytest.mark.parametrize(
    "arguments", [["compare", "421", "450", "451", "452"], ["compare", "550", "5.1.1", "--lang", "vi"], ["search"]], ids=" ".join
)
def test_every_row_of_a_markdown_table_is_as_long_as_its_head(arguments):
    lines = called(*arguments, "-f", "markdown").stdout.splitlines()
    tables = [line for line in lines if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in tables]
    heads = [width for line, width in zip(tables[1:], widths, strict=False) if set(line) <= set("|- ")]
    assert heads
    assert set(widths) == set(heads)
    assert len(set(heads)) == 1


# JSON and CSV: nothing is lost


plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | foreign.filter(lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@settings(law, max_examples=40)
@given(plain_json)
@example("\0")
@example("a literal \\u0000 and a \\n")
@example(EVERY_CONTROL)
def test_a_json_document_says_what_it_was_given(value):
    assert json.loads("".join(records.json_text(value))) == value


@settings(law, max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), plain_json, max_size=3), max_size=3))
def test_a_json_list_and_json_lines_say_what_they_were_given(rows):
    assert json.loads("".join(records.json_list(rows))) == rows
    lines = [records.json_line(row) for row in rows]
    assert [json.loads(line) for line in lines] == rows
    assert [line.count("\n") for line in lines] == [1] * len(rows)


@law
@given(foreign)
@example(EVERY_CONTROL)
def test_csv_has_a_row_a_record_and_its_words_in_a_cell(text):
    items = every_record(text)
    output = written(lambda output: write_records(iter(items), output), Format.CSV)
    rows = list(csv.DictReader(io.StringIO(output)))
    assert [(list(row), row["text"]) for row in rows] == [(CLASSIFY_COLUMNS, visible(text))] * len(items)


def test_csv_of_entries_of_every_kind_has_the_same_columns():
    entries = every_entry("text")
    rows = list(csv.DictReader(io.StringIO(written(lambda output: write_hits([(None, entries)], output), Format.CSV))))
    assert [(row["kind"], row["meaning"]) for row in rows] == [(entry.kind.value, "text") for entry in entries]
    assert [row for row in rows if None in row or None in row.values()] == []


# The keys of the contract

EXPLAIN_KEYS = [
    "code",
    "kind",
    "name",
    "registered",
    "class",
    "permanent",
    "acts",
    "meaning",
    "when",
    "phases",
    "fix",
    "example",
    "provider",
    "related",
    "sources",
]
CLASSIFY_KEYS = [
    "source",
    "line",
    "format",
    "time",
    "host",
    "direction",
    "outcome",
    "queue_id",
    "sender",
    "recipient",
    "relay",
    "client",
    "phase",
    "reply_code",
    "enhanced_code",
    "text",
    "reason",
    "category",
    "bounce",
    "permanent",
    "action",
    "acts",
    "about",
    "cause",
    "provider",
    "blocklist",
    "retry_after",
    "evidence",
]
EVIDENCE_KEYS = ["by", "rule", "match"]
CLASSIFY_COLUMNS = [*CLASSIFY_KEYS[:-1], *(f"evidence_{key}" for key in EVIDENCE_KEYS)]

EVERY_KIND = ["550", "5.1.1", "5xx", "S3140", "zen.spamhaus.org", "greylisted", "599", "5.9.9", "X.1.1"]


def in_order(keys: Iterable[str], wanted: list[str]) -> list[str]:
    return [key for key in keys if key in wanted]


@pytest.mark.parametrize("code", EVERY_KIND)
def test_an_entry_has_the_keys_of_the_contract(code):
    for entry in json.loads(called("explain", code, "-f", "json").stdout):
        assert in_order(entry, EXPLAIN_KEYS) == EXPLAIN_KEYS
        assert entry["kind"] in ("reply", "enhanced", "class", "provider", "blocklist", "reason")
        assert entry["acts"] in ("sender", "sender-admin", "recipient", "receiver-admin", "none")
        assert entry["fix"]
        assert [sorted(source) for source in entry["sources"]] == [["title", "url"]] * len(entry["sources"]) != []


def test_a_comparison_has_the_keys_of_the_contract():
    comparison = json.loads(called("compare", "450", "550", "-f", "json").stdout)
    assert list(comparison) == ["codes", "differences", "when", "more"]
    assert comparison["codes"] == [json.loads(called("explain", code, "-f", "json").stdout)[0] for code in ("450", "550")]
    assert list(comparison["when"]) == ["450", "550"]
    assert [sentence for sentence in comparison["differences"] if not sentence.endswith(".")] == []


INPUTS = {
    "a log line": LOGGED,
    "a bare reply": REFUSED,
    "words alone": "Mailbox full",
    "a refusal of ours": "2026-10-01T13:05:07+02:00 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 "
    "<a@example.com>: Relay access denied; from=<b@example.net> to=<a@example.com> proto=ESMTP helo=<x>",
}


@pytest.mark.parametrize("line", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("written_as", ["json", "jsonl"])
def test_a_record_has_all_keys_of_the_contract_in_its_order(line, written_as):
    output = called("classify", "-f", written_as, stdin=f"{line}\n".encode()).stdout
    (record,) = json.loads(output) if written_as == "json" else [json.loads(output)]
    assert list(record) == CLASSIFY_KEYS
    assert list(record["evidence"]) == EVIDENCE_KEYS


def test_a_record_says_what_the_log_says():
    record = json.loads(called("classify", "-f", "jsonl", stdin=f"{LOGGED}\n".encode()).stdout)
    assert {key: record[key] for key in CLASSIFY_KEYS[: CLASSIFY_KEYS.index("reason")]} == {
        "source": "-",
        "line": 1,
        "format": "postfix",
        "time": "2026-10-01T13:05:07+02:00",
        "host": "mx1",
        "direction": "outbound",
        "outcome": "bounced",
        "queue_id": "4cXyz12345z9qkB",
        "sender": None,
        "recipient": "bob@example.com",
        "relay": "mx.example.com[192.0.2.25]:25",
        "client": None,
        "phase": "rcpt",
        "reply_code": 550,
        "enhanced_code": "5.1.1",
        "text": "<bob@example.com>: Recipient address rejected: User unknown",
    }


def test_plain_has_the_fields_of_the_contract_in_its_order():
    assert called("classify", stdin=f"{LOGGED}\n".encode()).stdout == "\t".join(
        [
            "2026-10-01T13:05:07+02:00",
            "bounced",
            "user-unknown",
            "hard",
            "550",
            "5.1.1",
            "bob@example.com",
            "mx.example.com[192.0.2.25]:25",
            "<bob@example.com>: Recipient address rejected: User unknown\n",
        ]
    )


# Every command in every format

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "explain": (["explain", "550", *EVERY_KIND], []),
    "explain a reply": (["explain", REFUSED], []),
    "compare": (["compare", "450", "550", "5.1.1", "zen.spamhaus.org"], []),
    "search": (["search"], []),
    "classify": (["classify"], [*INPUTS.values(), GREYLISTED]),
    "classify one": (["classify"], [LOGGED]),
}


def output_of(name: str, written_as: str) -> str:
    arguments, lines = COMMANDS[name]
    return called(*arguments, "-f", written_as, stdin="\n\n".join(lines).encode()).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_json_jsonl_and_csv_hold_the_same_rows(name):
    whole_document = json.loads(output_of(name, "json"))
    rows = whole_document["codes"] if name == "compare" else whole_document
    assert [json.loads(line) for line in output_of(name, "jsonl").splitlines()] == rows
    read = list(csv.DictReader(io.StringIO(output_of(name, "csv"))))
    first, others = ("line", "text") if "classify" in name else ("code", "meaning")
    assert [(row[first], row[others]) for row in read] == [(str(row[first]), row[others]) for row in rows]
    assert [row for row in read if None in row or None in row.values()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_markdown_is_a_page_with_headings_and_without_html(name):
    page = output_of(name, "markdown")
    assert [construct for construct in constructs(page) if not construct.startswith("https://") and construct != "<br>"] == []
    assert [token for token in tokens(page) if token.type in ("heading_open", "table_open")] != []


@pytest.mark.parametrize("name", COMMANDS)
def test_plain_and_rich_in_a_pipe_have_no_escapes_and_plain_has_no_drawings(name):
    plain, rich = (output_of(name, written_as) for written_as in ("plain", "rich"))
    assert "\x1b" not in plain + rich
    assert plain.endswith("\n")
    assert rich.endswith("\n")
    assert re.findall("[─-╿]", plain) == []


@pytest.mark.parametrize("written_as", ["json", "rich"])
def test_nothing_found_is_an_empty_result_of_the_format(written_as):
    empty = "[]\n" if written_as == "json" else ""
    assert called("classify", "-f", written_as, status=1).stdout == empty
    assert called("search", "xyzzyplugh", "-f", written_as, status=1).stdout == empty


@pytest.mark.parametrize(
    ("name", "written_as"),
    [
        ("explain a reply", "plain"),
        ("explain a reply", "rich"),
        ("explain a reply", "markdown"),
        ("classify one", "rich"),
        ("classify one", "markdown"),
    ],
)
def test_a_reply_is_followed_by_what_to_do_and_why(name, written_as):
    output = output_of(name, written_as)
    assert [label for label in ("Do now", "Because", "User unknown") if label not in output] == []


# Hyperlinks


def test_sources_are_hyperlinks_where_the_terminal_has_them():
    entry = an_entry("550", "text")
    draw = lambda terminal: terminal.write([VIEWER.entry(entry)])  # noqa: E731  (drawn twice)
    assert re.findall(r"\x1b\]8;[^;]*;(.+?)\x1b\\", drawn(draw, colour=True, links=True)) == ["https://a.example/"]
    assert "\x1b]8;" not in drawn(draw, colour=True, links=False)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_record_s_line_is_its_dictionary_as_json(path: Path) -> None:
    for item in classify_path(str(path), KNOWLEDGE):
        assert records.record_line(item) == records.json_line(item.to_dict())


@given(foreign, foreign)
def test_a_record_s_line_is_its_dictionary_whatever_stands_in_it(words: str, name: str) -> None:
    item = a_record(words, match=words, queue_id=name, sender=name, recipient=name, relay=words, client=name)
    assert records.record_line(item) == records.json_line(item.to_dict())
