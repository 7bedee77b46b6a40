"""The form of a codes file: `SECTIONS` says for each section what tells its blocks apart, and what each field may hold.

A check adds its problems to a `Report`, each as one line that names file, block and field; none stops at the first.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .model import CODE_PATTERN, ENHANCED_CODE, REPLY_CODE, Action, Actor, Bounce, Category, CodePattern, EnhancedCode, Phase, ReplyCode

Lists = dict[str, list[dict[str, Any]]]
"""The blocks of each section, as a file has them."""

LANGUAGES = ("en", "vi")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SHARED_WORDS = re.compile(r"\{([a-z]+(?:-[a-z]+)*)\}")
RFC_SOURCE = re.compile(r"RFC (\d{1,5})(?: ([A-Z0-9]+(?:\.\d+)*))?")
URL = re.compile(r"https?://[^\s<>\"]+")

HARD_BY_DIGITS = {"X.1.1", "X.1.2", "X.1.3", "X.1.6", "X.1.10", "X.2.1", "556"}
"""Codes whose digits alone may condemn an address; anything else needs words."""


@dataclass
class Report:
    """Collects problems and knows which ids exist in the whole knowledge."""

    file: str
    ids: Mapping[str, Iterable[str]]
    problems: list[str] = field(default_factory=list)

    def add(self, where: str, problem: str) -> None:
        self.problems.append(f"{self.file}: {where}: {problem}")

    def add_unknown(self, where: str, given: object, noun: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.5)
        self.add(where, f'"{given}" is not {noun}' + (f" ({near[0]}?)" if near else ""))


Check = Callable[[Any, str, Report], None]


def string(value: Any, where: str, report: Report) -> None:
    if not isinstance(value, str):
        report.add(where, f"{value!r} must be text in quotes")
    elif not value.strip():
        report.add(where, "is empty")


def flag(value: Any, where: str, report: Report) -> None:
    if not isinstance(value, bool):
        report.add(where, f"{value!r} must be true or false")


def localised(value: Any, where: str, report: Report) -> None:
    _each_language(value, where, report, string)
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        _same_placeholders(value, where, report)


def localised_list(value: Any, where: str, report: Report) -> None:
    _each_language(value, where, report, list_of(string))
    if isinstance(value, dict) and all(isinstance(items, list) for items in value.values()):
        if len({len(items) for items in value.values()}) > 1:
            report.add(where, "must have as many items in each language")
        else:
            for number, items in enumerate(zip(*value.values(), strict=True), 1):
                texts = {lang: str(item) for lang, item in zip(value, items, strict=True)}
                _same_placeholders(texts, f"{where}: item {number}", report)


def localised_values(value: Any, where: str, report: Report) -> None:
    """A mapping of what a part of a code may be to what it then means."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        report.add(where, "must be a mapping of quoted strings")
        return
    for key, text in value.items():
        localised(text, f"{where}: {key}", report)


def _each_language(value: Any, where: str, report: Report, check: Check) -> None:
    if not isinstance(value, dict) or "en" not in value:
        report.add(where, "must be a mapping with en, and vi beside it")
        return
    for language, text in value.items():
        if language not in LANGUAGES:
            report.add_unknown(where, language, "a language", LANGUAGES)
        check(text, f"{where}: {language}", report)


def _same_placeholders(texts: Mapping[str, str], where: str, report: Report) -> None:
    if len({frozenset(PLACEHOLDER.findall(text)) for text in texts.values()}) > 1:
        report.add(where, "must have the same {placeholders} in each language")


def list_of(check: Check) -> Check:
    def check_list(value: Any, where: str, report: Report) -> None:
        if not isinstance(value, list) or not value:
            report.add(where, "must be a list with at least one item")
            return
        for number, item in enumerate(value, 1):
            check(item, where if len(value) == 1 else f"{where}: item {number}", report)

    return check_list


def unique_list_of(check: Check, key: str) -> Check:
    """A list of blocks, named in problems by their `key`, of which no two have the same."""

    def check_blocks(value: Any, where: str, report: Report) -> None:
        if not isinstance(value, list) or not value:
            report.add(where, "must be a list with at least one block")
            return
        seen = set()
        for number, block in enumerate(value, 1):
            name = str(block.get(key, number)) if isinstance(block, dict) else str(number)
            if name.lower() in seen:
                report.add(f"{where}: {name}", "stands twice")
            seen.add(name.lower())
            check(block, f"{where}: {name}", report)

    return check_blocks


def one_or_list_of(check: Check) -> Check:
    def check_either(value: Any, where: str, report: Report) -> None:
        (list_of(check) if isinstance(value, list) else check)(value, where, report)

    return check_either


def word_of(vocabulary: type[StrEnum], noun: str) -> Check:
    words = [str(word) for word in vocabulary]

    def check_word(value: Any, where: str, report: Report) -> None:
        if value not in words:
            report.add_unknown(where, value, noun, words)

    return check_word


def id_in(section: str, noun: str) -> Check:
    def check_id(value: Any, where: str, report: Report) -> None:
        if not isinstance(value, str) or value not in report.ids[section]:
            report.add_unknown(where, value, noun, report.ids[section])

    return check_id


def code(form: type[ReplyCode | EnhancedCode | CodePattern], noun: str) -> Check:
    def check_code(value: Any, where: str, report: Report) -> None:
        if not isinstance(value, str):
            report.add(where, f'{value!r} must be written in quotes, as in "{value}"')
            return
        try:
            form.parse(value)
        except ValueError:
            report.add(where, f'"{value}" is no {noun}')

    return check_code


def shaped(pattern: str, noun: str) -> Check:
    form = re.compile(pattern)

    def check_shape(value: Any, where: str, report: Report) -> None:
        if not isinstance(value, str) or not form.fullmatch(value):
            report.add(where, f'"{value}" is not {noun}')

    return check_shape


def any_code(value: Any, where: str, report: Report) -> None:
    """A reply code or a pattern of either kind, to be matched as a field."""
    if not (isinstance(value, str) and (REPLY_CODE.fullmatch(value) or CODE_PATTERN.fullmatch(value))):
        report.add(where, f'"{value}" is no code or class in quotes')


def any_enhanced(value: Any, where: str, report: Report) -> None:
    if not (isinstance(value, str) and "." in value and (ENHANCED_CODE.fullmatch(value) or CODE_PATTERN.fullmatch(value))):
        report.add(where, f'"{value}" is no enhanced code or class in quotes')


def source(value: Any, where: str, report: Report) -> None:
    if isinstance(value, str) and (RFC_SOURCE.fullmatch(value) or value in report.ids["sources"]):
        return
    report.add_unknown(where, value, 'a source: "RFC 5321 4.2.3" or an id of `sources`', report.ids["sources"])


def regex(value: Any, where: str, report: Report) -> None:
    try:
        re.compile(value, re.IGNORECASE)
    except (re.error, TypeError, OverflowError) as why:
        report.add(where, f"{value!r} is no pattern: {why}")


def beaten(value: Any, where: str, report: Report) -> None:
    known = [*report.ids["rules"], *report.ids["reasons"]]
    if not isinstance(value, str) or value not in known:
        report.add_unknown(where, value, "a rule or a reason", known)


def block_of(fields: Mapping[str, Field]) -> Check:
    def check_block(value: Any, where: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.add(where, "must be a block of fields")
            return
        for name in value:
            if name not in fields:
                report.add_unknown(where, name, "a field", fields)
        for name, rule in fields.items():
            if name in value:
                rule.check(value[name], f"{where}: {name}", report)
            elif rule.required:
                report.add(f"{where}: {name}", "is missing")

    return check_block


@dataclass(frozen=True)
class Field:
    """What a field may hold, and whether it must be there."""

    check: Check
    required: bool = True


def optional(check: Check) -> Field:
    return Field(check, required=False)


@dataclass(frozen=True)
class Section:
    """A list of blocks, told apart by the field `identity`."""

    identity: str
    fields: Mapping[str, Field]


ACTS = word_of(Actor, "one who acts")
PHASES = list_of(word_of(Phase, "a phase"))
REASONS = list_of(id_in("reasons", "a reason"))
SOURCES = list_of(source)

EXPLAINED = {
    "name": Field(localised),
    "acts": Field(ACTS),
    "meaning": Field(localised),
    "when": Field(localised),
    "fix": Field(localised_list),
    "note": optional(localised),
    "sources": Field(SOURCES),
}
COMPARED = {"use": Field(localised), "example": Field(string)}
CLASSIFYING = {"reasons": Field(REASONS), "implies": optional(id_in("reasons", "a reason"))}
VARIANT = {
    "class": Field(shaped("[245]", "a class digit")),
    **{name: optional(rule.check) for name, rule in {**EXPLAINED, **COMPARED, **CLASSIFYING}.items()},
}
PROVIDER_CODE = {
    **{name: rule for name, rule in EXPLAINED.items() if name not in ("when", "sources")},
    "when": optional(localised),
    "reasons": Field(REASONS),
    "permanent": optional(flag),
    "phases": optional(PHASES),
    "action": optional(word_of(Action, "an action")),
    "certain": optional(flag),
    "sources": optional(SOURCES),
    "code": Field(string),
    "replies": optional(list_of(any_code)),
    "enhanced": optional(list_of(any_enhanced)),
    "phrases": optional(list_of(string)),
    "example": optional(string),
}
FAMILY = {
    **PROVIDER_CODE,
    "pattern": Field(regex),
    "parts": optional(list_of(block_of({"group": Field(string), "values": Field(localised_values)}))),
}
RETURN_CODE = {"value": Field(string), "meaning": Field(localised), "refused": optional(flag)}

SECTIONS: dict[str, Section] = {
    "sources": Section(
        "id",
        {
            "id": Field(shaped(r"[a-z0-9]+(?:[-.][a-z0-9]+)*", "an id of plain words joined by hyphens")),
            "title": Field(string),
            "url": Field(shaped(URL.pattern, "a web address")),
        },
    ),
    "classes": Section(
        "code",
        {
            **EXPLAINED,
            **COMPARED,
            "code": Field(shaped(r"[1-6]yz|[245]\.x\.x", "a class")),
            "related": optional(list_of(id_in("classes", "a class"))),
        },
    ),
    "categories": Section(
        "code",
        {
            "code": Field(shaped(r"x[0-5]z", 'a second digit, as in "x5z"')),
            "name": Field(localised),
            "topic": Field(localised),
            "meaning": Field(localised),
            "sources": Field(SOURCES),
        },
    ),
    "subjects": Section(
        "code",
        {
            **EXPLAINED,
            **COMPARED,
            "code": Field(shaped(r"X\.\d\.x", 'a subject, as in "X.7.x"')),
            "topic": Field(localised),
            "related": optional(list_of(id_in("subjects", "a subject"))),
        },
    ),
    "replies": Section(
        "code",
        {
            **EXPLAINED,
            **COMPARED,
            **CLASSIFYING,
            "code": Field(code(ReplyCode, "reply code")),
            "registered": optional(flag),
            "phases": Field(PHASES),
            "enhanced": optional(list_of(code(EnhancedCode, "enhanced code"))),
            "related": optional(list_of(id_in("replies", "a reply code of this file"))),
        },
    ),
    "enhanced": Section(
        "code",
        {
            **EXPLAINED,
            **COMPARED,
            **CLASSIFYING,
            "code": Field(shaped(r"X\.\d{1,3}\.\d{1,3}", 'an enhanced code of any class, as in "X.1.1"')),
            "phases": Field(PHASES),
            "classes": Field(list_of(shaped("[245]", "a class digit"))),
            "replies": optional(list_of(code(ReplyCode, "reply code"))),
            "related": optional(list_of(id_in("enhanced", "an enhanced code of this file"))),
            "variants": optional(list_of(block_of(VARIANT))),
        },
    ),
    "reasons": Section(
        "id",
        {
            **EXPLAINED,
            "id": Field(shaped(r"[a-z]+(?:-[a-z]+)*", "an id of plain words joined by hyphens")),
            "summary": Field(localised),
            "category": Field(word_of(Category, "a category")),
            "bounce": Field(word_of(Bounce, "a bounce type")),
            "action": Field(word_of(Action, "an action")),
            "do": Field(localised_list),
            "general": optional(flag),
            "about": optional(list_of(shaped("ip|domain|url|address", "ip, domain, url or address"))),
            "example": optional(string),
            "related": optional(REASONS),
        },
    ),
    "actions": Section(
        "id",
        {
            "id": Field(word_of(Action, "an action")),
            "name": Field(localised),
            "do": Field(localised),
        },
    ),
    "providers": Section(
        "id",
        {
            "id": Field(shaped(r"[a-z0-9]+(?:-[a-z0-9]+)*", "an id of plain words joined by hyphens")),
            "name": Field(string),
            "aliases": optional(list_of(string)),
            "domains": optional(list_of(string)),
            "hosts": optional(list_of(string)),
            "markers": optional(list_of(string)),
            "help": optional(shaped(URL.pattern, "a web address")),
            "contact": optional(shaped(URL.pattern, "a web address")),
            "sources": Field(SOURCES),
            "tokens": optional(regex),
            "codes": optional(unique_list_of(block_of(PROVIDER_CODE), "code")),
            "families": optional(unique_list_of(block_of(FAMILY), "code")),
        },
    ),
    "blocklists": Section(
        "zone",
        {
            "zone": Field(string),
            "name": Field(string),
            "names": optional(list_of(string)),
            "operator": optional(string),
            "lists": Field(list_of(shaped("ip|domain|email|allow", "ip, domain, email or allow"))),
            "status": Field(shaped("alive|merged|closed|unclear", "alive, merged, closed or unclear")),
            "acts": Field(ACTS),
            "meaning": Field(localised),
            "when": Field(localised),
            "removal": Field(localised),
            "fix": Field(localised_list),
            "lookup": optional(shaped(URL.pattern, "a web address")),
            "return_codes": optional(unique_list_of(block_of(RETURN_CODE), "value")),
            "note": optional(localised),
            "sources": Field(SOURCES),
        },
    ),
    "vocabulary": Section(
        "id",
        {
            "id": Field(shaped(r"[a-z]+(?:-[a-z]+)*", "an id of plain words joined by hyphens")),
            "pattern": Field(regex),
            "note": Field(string),
        },
    ),
    "rules": Section(
        "id",
        {
            "id": Field(shaped(r"[a-z-]+/[a-z0-9]+(?:-[a-z0-9]+)*", "an id of the form reason/what-it-says")),
            "reason": Field(id_in("reasons", "a reason")),
            "phrases": optional(list_of(string)),
            "pattern": optional(one_or_list_of(regex)),
            "unless": optional(list_of(string)),
            "unless_pattern": optional(one_or_list_of(regex)),
            "provider": optional(list_of(id_in("providers", "a provider"))),
            "replies": optional(list_of(any_code)),
            "enhanced": optional(list_of(any_enhanced)),
            "phases": optional(PHASES),
            "general": optional(flag),
            "topic": optional(flag),
            "raw": optional(flag),
            "beats": optional(list_of(beaten)),
            "action": optional(word_of(Action, "an action")),
            "acts": optional(ACTS),
            "matches": Field(list_of(string)),
            "rejects": optional(list_of(string)),
            "source": Field(string),
        },
    ),
}


def contradictions(section: str, block: Mapping[str, Any], merged: Lists) -> Iterator[tuple[str, str]]:
    """What no single field shows: (field, problem)."""
    if section in ("replies", "enhanced"):
        hard = {reason["id"] for reason in merged.get("reasons", []) if reason.get("bounce") == "hard"}
        variants = block.get("variants")
        for part in (block, *(v for v in (variants if isinstance(variants, list) else ()) if isinstance(v, dict))):
            if isinstance(part.get("implies"), str) and part["implies"] in hard and block["code"] not in HARD_BY_DIGITS:
                yield "implies", f"the digits of {block['code']} alone never make an address hard"
    if section == "rules":
        if "pattern" not in block and not block.get("phrases"):
            yield "phrases", "is missing: a rule needs phrases or a pattern"
        if str(block.get("id", "")).split("/")[0] != block.get("reason"):
            yield "id", "must start with the rule's reason"
    if section == "reasons" and isinstance(block.get("do"), dict):
        for language, sentences in block["do"].items():
            if isinstance(sentences, list) and sentences and PLACEHOLDER.search(str(sentences[-1])):
                yield f"do: {language}", "the last sentence must do without {placeholders}"
