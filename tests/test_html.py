"""The page of `classify --summary --format html`: well-formed, self-contained, in both languages, and seen by a browser where there is one."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import zlib
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from .conftest import TESTS, Run

LOG = str(TESTS / "cases" / "summary.log")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PHONE, DESK = 500, 1200
LIGHT, DARK = (255, 255, 255), (20, 24, 30)

needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here: install one to see the page drawn")


@pytest.fixture(scope="module", params=["en", "vi"])
def page(run: Run, request: pytest.FixtureRequest) -> str:
    return run("classify", "--summary", "-f", "html", "--year", "2026", "--lang", request.param, LOG).stdout


@pytest.fixture
def tree(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))


def test_a_page_is_well_formed_and_says_its_language(page: str, tree: ElementTree.Element) -> None:
    assert page.startswith("<!DOCTYPE html>\n<html lang=")
    assert tree.get("lang") in ("en", "vi")
    title = {"en": "Mail report", "vi": "Báo cáo thư"}[tree.get("lang", "")]
    assert tree.findtext("head/title") == title
    assert "{" not in "".join(text for element in tree.iter("h2") for text in element.itertext())


def test_nothing_is_fetched_from_anywhere(page: str, tree: ElementTree.Element) -> None:
    asking = [
        (element.tag, name) for element in tree.iter() for name in element.attrib if name in ("src", "href", "srcset", "action", "data")
    ]
    assert asking == []
    assert {element.tag for element in tree.iter()} & {"link", "img", "iframe", "object", "embed", "base", "form"} == set()
    assert len(list(tree.iter("script"))) == 1
    assert re.findall(r"url\(|@import|fetch\(|XMLHttp|import\(", page) == []
    (policy,) = (meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert (policy or "").startswith("default-src 'none'")


def test_a_page_is_for_phones_paper_and_both_lights(page: str) -> None:
    for part in ("width=device-width", "@media(max-width:", "@media print", "prefers-color-scheme:dark"):
        assert part in page


def test_charts_are_inline_and_tables_sort(tree: ElementTree.Element) -> None:
    assert len(list(tree.iter("svg"))) > 20
    tables = list(tree.iter("table"))
    assert len(tables) > 8
    for table in tables:
        heads = [head for head in table.iter("th") if head.find("button") is not None]
        assert len(heads) >= 2
        body = table.find("tbody")
        assert body is not None
        for row in body:
            assert [cell.get("data-n", "0").isdigit() for cell in row] == [True] * len(row)


def test_the_counts_are_those_of_the_summary(tree: ElementTree.Element) -> None:
    reasons = next(table for table in tree.iter("table") if any("auth-failed" in (cell.text or "") for cell in table.iter("td")))
    rows = [(row[0].text, row[1].get("data-n")) for row in reasons.iter("tr") if row[0].tag == "td"]
    assert rows == [("auth-failed", "7"), ("blocklisted", "4"), ("user-unknown", "3"), ("connection-failed", "2"), ("greylisted", "2")]


def test_foreign_text_is_text(run: Run) -> None:
    odd = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e"
    log = (
        f"Oct  1 08:00:00 mx1 postfix/smtp[1]: A1B2C3D4E5: to=<bob@example.net>, relay=mx{odd}[192.0.2.1]:25, dsn=5.1.1, status=bounced "
        f"(host mx[192.0.2.1] said: 550 5.1.1 User unknown {odd} (in reply to RCPT TO command))"
    )
    page = run("classify", "--summary", "-f", "html", stdin=log).stdout
    tree = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert list(tree.iter("img")) == []
    assert "User unknown" in page
    assert [character for character in page if character in "\x1b\u202e"] == []


# In a browser


def pixels(png: bytes) -> list[tuple[int, int, int]]:
    """The pixels of every tenth row of a picture of 8-bit RGB or RGBA."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind in (2, 6)) == (8, True)
    size = 3 if kind == 2 else 4
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(data), width * size
    found, before = [], bytearray(stride)
    for number in range(height):
        start = number * (stride + 1)
        row = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, size)
        before = row
        if number % 10 == 0:
            found += [(row[x], row[x + 1], row[x + 2]) for x in range(0, stride, size)]
    return found


def unfiltered(kind: int, row: bytearray, before: bytearray, size: int) -> bytearray:
    """A row of a picture as it was before PNG's filter (PNG 9.2)."""
    for x in range(len(row)):
        left, up = row[x - size] if x >= size else 0, before[x]
        corner = before[x - size] if x >= size else 0
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda value: abs(guess - value))
        row[x] = (row[x] + (0, left, up, (left + up) // 2, nearest)[kind]) & 255
    return row


def browse(page: Path, *options: str) -> bytes:
    """What Chromium writes about a page; without a driver, which would be one thing more to install."""
    assert BROWSER
    home = page.parent
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={home / 'profile'}", *options, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env={**os.environ, "HOME": str(home)})
    if done.returncode:
        pytest.skip(f"the browser does not start here: {done.stderr.decode(errors='replace')[-300:]}")
    return done.stdout


def seen(page: Path, width: int, *options: str) -> list[tuple[int, int, int]]:
    """The pixels that a person sees first."""
    picture = page.with_suffix(".png")
    browse(page, f"--window-size={width},600", f"--screenshot={picture}", *options)
    return pixels(picture.read_bytes())


def asked(page: Path, script: str, width: int = DESK) -> Any:
    """What a script in the page returns, a while after it was loaded."""
    told = page.with_name("asked.html")
    asking = f"<script>document.title = JSON.stringify((function(){{{script}}})())</script></body>"
    told.write_text(page.read_text(encoding="utf-8").replace("</body>", asking), encoding="utf-8")
    dumped = browse(told, f"--window-size={width},600", "--dump-dom").decode()
    title = re.search(r"<title>(.*?)</title>", dumped, re.DOTALL)
    assert title is not None
    return json.loads(unescape(title[1]))


def share(found: list[tuple[int, int, int]], colour: tuple[int, int, int]) -> float:
    return sum(pixel == colour for pixel in found) / len(found)


@pytest.fixture
def file(page: str, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_browser_draws_the_page(file: Path, width: int) -> None:
    found = seen(file, width)
    assert share(found, LIGHT) > 0.3
    # The bar of outcomes: delivered green, deferred amber, bounced red.
    assert {(29, 131, 72), (183, 121, 31), (192, 57, 43)} <= set(found)


@needs_browser
def test_a_browser_that_wants_it_dark_gets_it_dark(file: Path) -> None:
    found = seen(file, DESK, "--blink-settings=preferredColorScheme=0")
    assert share(found, LIGHT) < 0.01
    assert share(found, DARK) > 0.3


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_is_wider_than_the_page_and_no_word_of_a_heading_is_cut(file: Path, width: int) -> None:
    script = """
    var wide = Array.from(document.querySelectorAll("body *")).filter(function(e){return e.getBoundingClientRect().right > innerWidth + 1})
    var cut = Array.from(document.querySelectorAll("th button")).filter(function(b){
        return b.getBoundingClientRect().width > b.parentNode.getBoundingClientRect().width})
    return [innerWidth, document.documentElement.scrollWidth, wide.length, cut.map(function(b){return b.textContent})]
    """
    inside, needed, wide, cut = asked(file, script, width)
    assert (needed <= inside, wide, cut) == (True, 0, [])


@needs_browser
def test_a_table_sorts_by_the_column_that_is_pressed(file: Path) -> None:
    script = """
    var table = Array.from(document.querySelectorAll("table")).find(function(t){return t.textContent.includes("auth-failed")})
    var buttons = table.querySelectorAll("th button")
    var names = function(){return Array.from(table.tBodies[0].rows).map(function(r){return r.cells[0].textContent})}
    var told = [names()]
    var press = function(n){buttons[n].click(); told.push(names()); told.push(buttons[n].parentNode.getAttribute("aria-sort"))}
    press(1); press(1); press(0); press(0)
    return told.concat(table.querySelectorAll("[aria-sort]").length)
    """
    start, falling, down, rising, up, by_name, first, by_name_back, second, sorted_heads = asked(file, script)
    assert start == falling == ["auth-failed", "blocklisted", "user-unknown", "connection-failed", "greylisted"]
    assert rising == ["connection-failed", "greylisted", "user-unknown", "blocklisted", "auth-failed"]
    assert (by_name, by_name_back) == (sorted(start), sorted(start, reverse=True))
    assert (down, up, first, second, sorted_heads) == ("descending", "ascending", "ascending", "descending", 1)


@needs_browser
def test_paper_has_everything_that_is_folded_away_on_a_screen(run: Run, tmp_path: Path) -> None:
    logs = [str(path) for path in (TESTS / "cases" / "postfix").iterdir() if path.suffix == ".log"]
    page = run("classify", "--summary", "-f", "html", "--year", "2026", LOG, *logs).stdout
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    script = """
    var open = function(){return Array.from(document.querySelectorAll("details")).map(function(d){return d.open})}
    var before = open(); dispatchEvent(new Event("beforeprint")); return [before, open()]
    """
    before, after = asked(file, script)
    assert (set(before), set(after)) == ({False}, {True})
    paper = file.with_suffix(".pdf")
    browse(file, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert 1 < len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) < 15
