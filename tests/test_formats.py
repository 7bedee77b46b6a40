"""Every sample below `cases/formats/` gives the records that its `.expected.jsonl` names, and no others.

One directory per format; `main.log` has its expectations in `main.expected.jsonl`, one object a record in the order in which they come.
An object holds `line` and the keys of `classify` that must come out so; a key that it does not hold is not compared.
A sample without expectations gives no record. Where samples come from is in the directory's `ORIGIN`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from smtpref.classification import classify_inputs
from smtpref.errors import SmtprefError
from smtpref.knowledge import Knowledge
from smtpref.model import InputFormat

from .conftest import TESTS

SAMPLES = sorted(
    path for path in (TESTS / "cases" / "formats").glob("*/*") if path.name != "ORIGIN" and not path.name.endswith(".expected.jsonl")
)
YEAR = 2024
"""The year of stamps that have none."""

Rows = list[dict[str, Any]]
Classify = Callable[[Path], Rows]


def expected_of(sample: Path) -> Rows:
    expectations = sample.with_suffix(".expected.jsonl")
    lines = expectations.read_text("utf-8").splitlines() if expectations.exists() else []
    return [json.loads(line) for line in lines if line.strip()]


def name_of(sample: Path) -> str:
    return f"{sample.parent.name}/{sample.name}"


def classified(sample: Path, knowledge: Knowledge, only: InputFormat | None = None) -> Rows:
    errors: list[SmtprefError] = []
    rows = [row.to_dict() for row in classify_inputs([str(sample)], knowledge, errors, only, YEAR)]
    assert not errors
    return rows


@pytest.fixture(scope="module")
def classify(knowledge: Knowledge) -> Classify:
    """What smtpref makes of a sample; each is read once."""
    return cache(lambda sample: classified(sample, knowledge))


CASES = [
    pytest.param(sample, place, row, id=f"{name_of(sample)}:{row['line']}")
    for sample in SAMPLES
    for place, row in enumerate(expected_of(sample))
]


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_sample_gives_the_records_that_it_holds_and_no_others(sample: Path, classify: Classify) -> None:
    assert [row["line"] for row in expected_of(sample)] == [row["line"] for row in classify(sample)]


@pytest.mark.parametrize(("sample", "place", "expected"), CASES)
def test_a_record_has_its_facts(sample: Path, place: int, expected: dict[str, Any], classify: Classify) -> None:
    rows = classify(sample)
    assert place < len(rows), "no record"
    assert expected == {key: rows[place][key] for key in expected}


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_format_that_is_named_reads_what_it_reads_unnamed(sample: Path, classify: Classify, knowledge: Knowledge) -> None:
    formats = {row["format"] for row in classify(sample)}
    if len(formats) == 1:
        assert classify(sample) == classified(sample, knowledge, InputFormat(formats.pop()))
