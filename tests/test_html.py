"""The page of `classify --summary --format html`: well-formed, self-contained, in both languages, and seen by a browser where there is one."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import TESTS, Run

LOG = str(TESTS / "cases" / "summary.log")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PHONE, DESK = 500, 1200
LIGHT, DARK = (255, 255, 255), (20, 24, 30)

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


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


def seen(page: Path, picture: Path, width: int, *options: str) -> list[tuple[int, int, int]]:
    assert BROWSER
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={picture.parent / 'profile'}",
        f"--window-size={width},600", f"--screenshot={picture}", *options, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env={**os.environ, "HOME": str(picture.parent)})
    if not picture.exists():
        pytest.skip(f"the browser does not start here: {done.stderr.decode(errors='replace')[-300:]}")
    return pixels(picture.read_bytes())


def share(found: list[tuple[int, int, int]], colour: tuple[int, int, int]) -> float:
    return sum(pixel == colour for pixel in found) / len(found)


@pytest.fixture
def file(page: str, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_browser_draws_the_page(file: Path, tmp_path: Path, width: int) -> None:
    found = seen(file, tmp_path / "page.png", width)
    assert share(found, LIGHT) > 0.3
    # The bar of outcomes: delivered green, deferred amber, bounced red.
    assert {(29, 131, 72), (183, 121, 31), (192, 57, 43)} <= set(found)


@needs_browser
def test_a_browser_that_wants_it_dark_gets_it_dark(file: Path, tmp_path: Path) -> None:
    found = seen(file, tmp_path / "page.png", DESK, "--blink-settings=preferredColorScheme=0")
    assert share(found, LIGHT) < 0.01
    assert share(found, DARK) > 0.3


@needs_browser
def test_a_table_sorts_by_the_column_that_is_pressed(file: Path, tmp_path: Path) -> None:
    assert BROWSER
    press = """<script>
    var table = Array.from(document.querySelectorAll("table")).find(function(t){return t.textContent.includes("auth-failed")})
    var names = function(){return Array.from(table.tBodies[0].rows).map(function(r){return r.cells[0].textContent}).join(" ")}
    var told = [names()]
    var buttons = table.querySelectorAll("th button")
    buttons[1].click(); told.push(names()); buttons[1].click(); told.push(names()); buttons[0].click(); buttons[0].click(); told.push(names())
    document.title = told.join("|")
    </script></body>"""
    file.write_text(file.read_text(encoding="utf-8").replace("</body>", press), encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    if not done.stdout:
        pytest.skip("the browser does not start here")
    title = re.search(r"<title>(.*?)</title>", done.stdout.decode(), re.DOTALL)
    assert title is not None
    first, falling, rising, by_name = title[1].split("|")
    assert first == falling == "auth-failed blocklisted user-unknown connection-failed greylisted"
    assert rising.split()[-1] == "auth-failed"
    assert by_name.split() == sorted(by_name.split(), reverse=True) or by_name.split() == sorted(by_name.split())
