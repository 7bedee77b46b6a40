"""The direction of imports, what an import and a command load, and the public names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import smtpref

from .conftest import CHECKOUT, environment

PACKAGE = CHECKOUT / "smtpref"

# From the ground up: a module imports only from its own layer or from below. A name with a dot at its end is a whole package.
LAYERS = [
    ["terms", "model", "errors", "patterns", "shapes", "hashes", "memory"],
    ["built", "building", "literals", "codes_form", "codes_file", "knowledge", "words", "rules"],
    ["wording"],
    ["parsing."],
    ["circumstances", "apart", "verdict", "judging", "reference", "filtering", "names", "redaction"],
    ["comparison", "search", "usual", "classification", "explanation", "parallel", "beside"],
    ["line_account", "moments", "closed", "rows", "messages", "priorities", "replies", "counting", "summary", "survey", "report"],
    ["render."],
    ["cli", "completion"],
]


def height(name: str) -> int | None:
    """The layer of a module, from the ground."""
    for number, layer in enumerate(LAYERS):
        if any(name == known or (known.endswith(".") and name.startswith(known)) for known in layer):
            return number
    return None


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


NAMES = {name_of(path) for path in MODULES}


def imported(path: Path) -> set[str]:
    """The modules of the package that a module names in its imports, late ones too."""
    package = ["smtpref", *name_of(path).split(".")[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            stem = ".".join(part for part in base[1:] if part)
            found |= {stem, *(f"{stem}.{alias.name}".lstrip(".") for alias in node.names)}
    return found & NAMES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_has_its_layer(path: Path) -> None:
    assert height(name_of(path)) is not None


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    own = height(name_of(path)) or 0
    assert {other for other in imported(path) if (height(other) or 0) > own} == set()


@pytest.mark.parametrize(("library", "only"), [("yaml", {"codes_file"}), ("rich", {"render.terminal"}), ("typer", {"cli", "completion"})])
def test_a_library_has_one_door(library: str, only: set[str]) -> None:
    users = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.split(".")[0] == library for name in names):
                users.add(name_of(path))
    assert users <= only


def loaded_by(code: str) -> set[str]:
    """The modules in sys.modules after running `code` in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint('\\nMODULES', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, env=environment(), cwd=CHECKOUT, timeout=60
    )
    return set(done.stdout.rpartition("MODULES")[2].split())


COMMAND = "import sys; sys.argv = ['smtpref', *{words!r}]\nfrom smtpref.cli import main\nmain()"


COMPLETION = """
import contextlib, os
os.environ.update(_SMTPREF_COMPLETE="complete_fish", _TYPER_COMPLETE_FISH_ACTION="get-args", _TYPER_COMPLETE_ARGS="smtpref explain 55")
from smtpref.__main__ import run
with contextlib.suppress(SystemExit):
    run()
"""


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import smtpref", {"yaml", "typer", "rich"}),
        ("import smtpref; smtpref.explain('550')", {"yaml", "typer", "rich", "smtpref.verdict", "smtpref.parsing"}),
        ("import smtpref; smtpref.classify('550 no')", {"yaml", "typer", "rich", "smtpref.reference"}),
        (COMMAND.format(words=["explain", "550"]), {"yaml", "rich", "smtpref.verdict", "smtpref.search", "csv"}),
        (COMMAND.format(words=["compare", "220", "550"]), {"yaml", "rich", "smtpref.verdict", "smtpref.search"}),
        (COMMAND.format(words=["explain", "550", "-f", "rich"]), {"yaml", "smtpref.verdict", "smtpref.render.text"}),
        (
            "import io\n"
            + COMMAND.format(words=["classify", "-f", "plain"]).replace("main()", "sys.stdin = io.StringIO('550 5.1.1 no\\n')\nmain()"),
            {"yaml", "rich", "smtpref.survey", "smtpref.summary", "multiprocessing", "email", "html", "smtpref.redaction"},
        ),
        (COMPLETION, {"yaml", "rich", "smtpref.render.views", "smtpref.verdict", "smtpref.model"}),
    ],
    ids=[
        "import",
        "explain in Python",
        "classify in Python",
        "explain piped",
        "compare piped",
        "explain on a terminal",
        "classify",
        "Tab",
    ],
)
def test_nobody_pays_for_what_another_needs(code: str, absent: set[str]) -> None:
    assert loaded_by(code) & absent == set()


def test_public_names() -> None:
    expected = [
        "Classified", "Comparison", "Entry", "KnowledgeError", "NotACode", "SmtprefError", "Unreadable", "WrongUsage",
        "__version__", "classify", "classify_file", "compare", "explain", "search",
    ]  # fmt: skip
    assert expected == sorted(smtpref.__all__)
    assert [name for name in expected if not hasattr(smtpref, name)] == []
