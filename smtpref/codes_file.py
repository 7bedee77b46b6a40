"""Reads a codes file, whole or over the shipped knowledge, and reports all its mistakes at once; the only importer of yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .building import indexes
from .built import INDEX, Block, Blocks, Sections
from .codes_form import SECTIONS, SHARED_WORDS, Lists, Report, block_of, contradictions
from .errors import KnowledgeError, Unreadable


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C loader is 13 times as fast
    """Refuses a mapping that has the same key twice, which YAML forbids and PyYAML lets pass."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if not isinstance(key, str):
                continue
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f'"{key}" stands twice in one block', key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_codes_file(path: Path) -> Lists:
    """Return the checked sections of a whole codes file.

    Raises Unreadable where there is no such file, KnowledgeError with every mistake of one that is wrong.
    """
    report = Report(path.name, {})
    own = _blocks(_parsed(path), report)
    _expand(own, {block["id"]: block for block in own["vocabulary"]}, report)
    _check(own, own, report)
    return own


def lay_over(path: Path, shipped: Sections) -> Sections:
    """Return `shipped` with the blocks of the file at `path` laid over it, field by field; only blocks that the file touches are checked.

    Raises what `read_codes_file` does.
    """
    report = Report(path.name, {})
    own = _blocks(_parsed(path), report)
    _expand(own, {**shipped.get("vocabulary", {}), **{block["id"]: block for block in own["vocabulary"]}}, report)
    blocks: dict[str, dict[str, Block]] = {}
    for name, section in SECTIONS.items():
        blocks[name] = dict(shipped.get(name, {}))
        for block in own[name]:
            key = block[section.identity]
            blocks[name][key] = {**blocks[name].get(key, {}), **block}
    merged: Lists = {name: [dict(block) for block in section.values()] for name, section in blocks.items()}
    _check(merged, own, report)
    laid_over = {name: Blocks(section) for name, section in blocks.items()}
    return laid_over | {INDEX.format(name=name): Blocks({name: index}) for name, index in indexes(merged).items()}


def _parsed(path: Path) -> Any:
    try:
        return yaml.load(path.read_bytes(), _Loader)  # noqa: S506  (_Loader is built on a safe loader)
    except OSError as why:
        raise Unreadable(str(path), why.strerror or str(why)) from why
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as why:
        raise KnowledgeError((f"{path.name}: {_yaml_problem(why)}",)) from why


def _yaml_problem(why: Exception) -> str:
    mark = getattr(why, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + (str(getattr(why, "problem", None) or why).splitlines() or ["cannot be read"])[0]


def _blocks(content: Any, report: Report) -> Lists:
    """The blocks of each section of `content` that have an identity of their own; whatever else is there is reported."""
    sections: Lists = {name: [] for name in SECTIONS}
    if content is None:
        return sections
    if not isinstance(content, dict):
        report.add("the file", "must be a mapping of sections")
        return sections
    for name, blocks in content.items():
        if name not in SECTIONS:
            report.add_unknown("the file", name, "a section", SECTIONS)
        elif not isinstance(blocks, list):
            report.add(name, "must be a list of blocks")
        else:
            sections[name] = _identified(name, blocks, report)
    return sections


def _identified(section: str, blocks: list[Any], report: Report) -> list[dict[str, Any]]:
    identity = SECTIONS[section].identity
    found: dict[str, dict[str, Any]] = {}
    for number, block in enumerate(blocks, 1):
        where = f"{section}: block {number}"
        if not isinstance(block, dict):
            report.add(where, "must be a block of fields")
            continue
        key = block.get(identity)
        if not isinstance(key, str):
            report.add(f"{where}: {identity}", "is missing" if key is None else f'must be in quotes, as in "{key}"')
        elif key in found:
            report.add(f"{section}: {key}", "stands twice")
        else:
            found[key] = block
    return list(found.values())


def _expand(own: Lists, vocabulary: Mapping[str, Block], report: Report) -> None:
    """Put the shared words of `vocabulary` into the patterns of rules, in place."""

    def shared(match: re.Match[str]) -> str:
        name = match[1]
        if name not in vocabulary:
            report.add_unknown(where, name, "in the vocabulary", vocabulary)
        return str(vocabulary.get(name, {}).get("pattern", ""))

    for rule in own["rules"]:
        for field in ("pattern", "unless_pattern"):
            where = f"rules: {rule['id']}: {field}"
            value = rule.get(field)
            if isinstance(value, str):
                rule[field] = SHARED_WORDS.sub(shared, value)
            elif isinstance(value, list):
                rule[field] = [SHARED_WORDS.sub(shared, pattern) if isinstance(pattern, str) else pattern for pattern in value]


def _check(merged: Lists, own: Lists, report: Report) -> None:
    """Check each block of `merged` that `own` touches; raises KnowledgeError with everything in the report."""
    report.ids = {name: dict.fromkeys(block[section.identity] for block in merged[name]) for name, section in SECTIONS.items()}
    for name, section in SECTIONS.items():
        touched = {block[section.identity] for block in own[name]}
        check = block_of(section.fields)
        for block in merged[name]:
            key = block[section.identity]
            if key in touched:
                check(block, f"{name}: {key}", report)
                for field, problem in contradictions(name, block, merged):
                    report.add(f"{name}: {key}: {field}", problem)
    if report.problems:
        raise KnowledgeError(tuple(report.problems))
