"""Reading codes files: what is wrong is said all at once and exactly; a user's own file lies over the shipped one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smtpref.building import build
from smtpref.built import BUILT
from smtpref.classification import classify_text
from smtpref.codes_file import read_codes_file
from smtpref.codes_form import SECTIONS
from smtpref.errors import KnowledgeError, Unreadable
from smtpref.knowledge import Knowledge, Language, load_knowledge, say
from smtpref.model import Source
from smtpref.reference import Reference

from .conftest import CHECKOUT, Run, environment

RULE = """
rules:
  - id: mailbox-full/mine
    reason: mailbox-full
    phrases: [brim full]
    matches: ["550 brim full"]
    source: seen in the wild
"""

MISTAKES: dict[str, tuple[str, list[str]]] = {
    "a code without quotes": (
        "replies:\n  - code: 550\n",
        ['replies: block 1: code: must be in quotes, as in "550"'],
    ),
    "a code without quotes in a list": (
        'replies:\n  - code: "550"\n    enhanced: [5.1]\n',
        ['replies: 550: enhanced: 5.1 must be written in quotes, as in "5.1"'],
    ),
    "a text that YAML reads as a number": (
        'replies:\n  - code: "550"\n    example: 550\n',
        ["replies: 550: example: 550 must be text in quotes"],
    ),
    "a word that YAML reads as false": (
        'replies:\n  - code: "550"\n    acts: no\n',
        ['replies: 550: acts: "False" is not one who acts'],
    ),
    "a field twice": (
        'replies:\n  - code: "550"\n    acts: sender\n    acts: none\n',
        ['line 4: "acts" stands twice in one block'],
    ),
    "an id twice": (
        'replies:\n  - code: "550"\n    acts: sender\n  - code: "550"\n    acts: none\n',
        ["replies: 550: stands twice"],
    ),
    "no id": (
        "replies:\n  - acts: none\n",
        ["replies: block 1: code: is missing"],
    ),
    "a field that there is not": (
        'replies:\n  - code: "550"\n    phase: [rcpt]\n',
        ['replies: 550: "phase" is not a field (phases?)'],
    ),
    "a section that there is not": (
        'reply:\n  - code: "550"\n',
        ['the file: "reply" is not a section (replies?)'],
    ),
    "a reason that there is not": (
        RULE.replace("reason: mailbox-full", "reason: mailboxfull"),
        [
            'rules: mailbox-full/mine: reason: "mailboxfull" is not a reason (mailbox-full?)',
            "rules: mailbox-full/mine: id: must start with the rule's reason",
        ],
    ),
    "a list where one word belongs": (
        RULE.replace("reason: mailbox-full", "reason: [mailbox-full]"),
        [
            "rules: mailbox-full/mine: reason: \"['mailbox-full']\" is not a reason (mailbox-full?)",
            "rules: mailbox-full/mine: id: must start with the rule's reason",
        ],
    ),
    "words of closed vocabularies": (
        'replies:\n  - code: "550"\n    acts: sendr\n    phases: [rcp]\n',
        [
            'replies: 550: acts: "sendr" is not one who acts (sender?)',
            'replies: 550: phases: "rcp" is not a phase (rcpt?)',
        ],
    ),
    "no English": (
        'replies:\n  - code: "550"\n    name: {vi: Hộp thư}\n',
        ["replies: 550: name: must be a mapping with en, and vi beside it"],
    ),
    "a language that there is not": (
        'replies:\n  - code: "550"\n    name: {en: Mailbox, fr: Boîte}\n',
        ['replies: 550: name: "fr" is not a language'],
    ),
    "lists of unequal length": (
        'replies:\n  - code: "550"\n    fix: {en: [One., Two.], vi: [Một.]}\n',
        ["replies: 550: fix: must have as many items in each language"],
    ),
    "unequal placeholders": (
        "reasons:\n  - id: greylisted\n    do: {en: ['Wait {wait}.', Wait.], vi: [Chờ., Chờ.]}\n",
        ["reasons: greylisted: do: item 1: must have the same {placeholders} in each language"],
    ),
    "a placeholder in the last resort": (
        "reasons:\n  - id: greylisted\n    do: {en: ['Wait {wait}.'], vi: ['Chờ {wait}.']}\n",
        [
            "reasons: greylisted: do: en: the last sentence must do without {placeholders}",
            "reasons: greylisted: do: vi: the last sentence must do without {placeholders}",
        ],
    ),
    "a pattern that is none": (
        RULE.replace("phrases: [brim full]", "pattern: '(brim'"),
        ["rules: mailbox-full/mine: pattern: '(brim' is no pattern: missing ), unterminated subpattern at position 0"],
    ),
    "a pattern with an absurd number": (
        RULE.replace("phrases: [brim full]", "pattern: 'a{99999999999999}'"),
        ["rules: mailbox-full/mine: pattern: 'a{99999999999999}' is no pattern: the repetition number is too large"],
    ),
    "a shared word that there is not": (
        RULE.replace("phrases: [brim full]", "pattern: '{mailbx} full'"),
        ['rules: mailbox-full/mine: pattern: "mailbx" is not in the vocabulary (mailbox?)'],
    ),
    "a shared word without a pattern": (
        "vocabulary:\n  - id: brim\n    note: up to where a cup is full\n" + RULE.replace("phrases: [brim full]", "pattern: '{brim} full'"),
        ["vocabulary: brim: pattern: is missing"],
    ),
    "a rule without words": (
        RULE.replace("    phrases: [brim full]\n", ""),
        ["rules: mailbox-full/mine: phrases: is missing: a rule needs phrases or a pattern"],
    ),
    "a rule that beats nothing": (
        RULE + "    beats: [user-unknwn]\n",
        ['rules: mailbox-full/mine: beats: "user-unknwn" is not a rule or a reason (user-unknown?)'],
    ),
    "a rule without its reason in its id": (
        RULE.replace("id: mailbox-full/mine", "id: mine"),
        [
            'rules: mine: id: "mine" is not an id of the form reason/what-it-says',
            "rules: mine: id: must start with the rule's reason",
        ],
    ),
    "digits that condemn": (
        'replies:\n  - code: "550"\n    implies: user-unknown\n',
        ["replies: 550: implies: the digits of 550 alone never make an address hard"],
    ),
    "a source in another form": (
        'replies:\n  - code: "550"\n    sources: ["RFC5321 4.2"]\n',
        ['replies: 550: sources: "RFC5321 4.2" is not a source: "RFC 5321 4.2.3" or an id of `sources`'],
    ),
    "a source that there is not": (
        'replies:\n  - code: "550"\n    sources: [iana-enhance]\n',
        ['replies: 550: sources: "iana-enhance" is not a source: "RFC 5321 4.2.3" or an id of `sources` (iana-enhanced?)'],
    ),
    "a page that is none": (
        "sources:\n  - id: mine\n    title: Mine\n    url: ftp://example.com/\n",
        ['sources: mine: url: "ftp://example.com/" is not a web address'],
    ),
    "nothing where something belongs": (
        'replies:\n  - code: "550"\n    example:\n    fix: {en: [], vi: []}\n',
        [
            "replies: 550: fix: en: must be a list with at least one item",
            "replies: 550: fix: vi: must be a list with at least one item",
            "replies: 550: example: None must be text in quotes",
        ],
    ),
    "a new block without a field": (
        "sources:\n  - id: mine\n    title: Mine\n",
        ["sources: mine: url: is missing"],
    ),
    "no sections": ("hello\n", ["the file: must be a mapping of sections"]),
    "a section of one block": ('replies: {code: "550"}\n', ["replies: must be a list of blocks"]),
    "a section of words": ('replies: ["550"]\n', ["replies: block 1: must be a block of fields"]),
    "an empty section": ("replies:\n", ["replies: must be a list of blocks"]),
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of a user's own."""
    return tmp_path / "own.yaml"


def problems_of(own: Path, text: str | bytes) -> list[str]:
    """What is wrong with the text as a user's own file, each line after the file's name."""
    own.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(KnowledgeError) as raised:
        load_knowledge(own)
    assert all(problem.startswith("own.yaml: ") for problem in raised.value.problems)
    return [problem.removeprefix("own.yaml: ") for problem in raised.value.problems]


def laid_over(own: Path, text: str) -> Knowledge:
    own.write_text(text, encoding="utf-8")
    return load_knowledge(own)


# Mistakes


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_by_file_block_field_and_nearest_word(text: str, expected: list[str], own: Path) -> None:
    assert problems_of(own, text) == expected


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"replies:\n  - code: [\n", "line 3: ", id="a bracket that never closes"),
        pytest.param(b"replies:\n\t- code: x\n", "line 2: ", id="a tab"),
        pytest.param(b"replies: *nothing\n", "line 1: ", id="an alias of nothing"),
        pytest.param(b"replies:\n  - ? [a]\n    : b\n", "line 2: ", id="a list as the name of a field"),
        pytest.param(b'replies:\n  - code: "550"\n    example: 2026-13-45\n', "", id="a date that there is not"),
        pytest.param('replies: "ệ"\n'.encode("utf-16"), "", id="UTF-16"),
        pytest.param(b'replies: "\xff"\n', "", id="Latin-1"),
        pytest.param(b'replies: "\x00"\n', "", id="a NUL"),
    ],
)
def test_what_is_no_yaml_is_one_line_with_its_place(content: bytes, line: str, own: Path) -> None:
    (problem,) = problems_of(own, content)
    assert problem.startswith(line)
    assert "\n" not in problem


def test_all_mistakes_are_collected(own: Path) -> None:
    text = """
replies:
  - code: "550"
    acts: sendr
    phase: [rcpt]
  - code: "551"
    name: {vi: Khác}
actions:
  - id: none
    doo: {en: Nothing}
"""
    assert problems_of(own, text) == [
        'replies: 550: "phase" is not a field (phases?)',
        'replies: 550: acts: "sendr" is not one who acts (sender?)',
        "replies: 551: name: must be a mapping with en, and vi beside it",
        'actions: none: "doo" is not a field (do?)',
    ]


def test_a_block_without_a_code_hides_no_other_mistake(own: Path) -> None:
    text = 'replies:\n  - code: 550\n  - code: "551"\n    acts: sendr\nreply: []\n'
    assert sorted(problems_of(own, text)) == [
        'replies: 551: acts: "sendr" is not one who acts (sender?)',
        'replies: block 1: code: must be in quotes, as in "550"',
        'the file: "reply" is not a section (replies?)',
    ]


def test_a_whole_file_is_checked_like_a_user_s(tmp_path: Path) -> None:
    whole = tmp_path / "codes.yaml"
    whole.write_text("sources:\n  - id: mine\n    title: Mine\nactions:\n  - id: none\n    name: {en: ~}\n    do: {en: Rest.}\n")
    with pytest.raises(KnowledgeError) as raised:
        read_codes_file(whole)
    assert raised.value.problems == (
        "codes.yaml: sources: mine: url: is missing",
        "codes.yaml: actions: none: name: en: None must be text in quotes",
    )


@pytest.mark.parametrize(("name", "why"), [("missing.yaml", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_unreadable(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as raised:
        load_knowledge(tmp_path / name)
    assert (raised.value.path, raised.value.why) == (str(tmp_path / name), why)


def test_the_command_line_lists_the_mistakes_of_a_user_s_file(run: Run, own: Path) -> None:
    own.write_text('replies:\n  - code: "550"\n    acts: sendr\n    phase: [rcpt]\n', encoding="utf-8")
    result = run("explain", "550", env={"SMTPREF_CODES": str(own)}, status=2)
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "smtpref: 2 mistakes in the codes file",
        'own.yaml: replies: 550: "phase" is not a field (phases?)',
        'own.yaml: replies: 550: acts: "sendr" is not one who acts (sender?)',
    ]


# A user's own file


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n"], ids=["empty", "a comment", "no sections"])
def test_a_file_without_blocks_changes_nothing(text: str, own: Path, knowledge: Knowledge) -> None:
    mine = laid_over(own, text)
    assert {name: dict(getattr(mine, name, {})) for name in SECTIONS} == {name: dict(getattr(knowledge, name, {})) for name in SECTIONS}


def test_a_field_lies_over_the_shipped_one_and_the_others_stay(own: Path, knowledge: Knowledge) -> None:
    mine = laid_over(own, 'replies:\n  - code: "550"\n    name: {en: Mine, vi: Của tôi}\n')
    assert mine.replies["550"] == {**knowledge.replies["550"], "name": {"en": "Mine", "vi": "Của tôi"}}
    assert {code: block for code, block in mine.replies.items() if code != "550"} == {
        code: block for code, block in knowledge.replies.items() if code != "550"
    }


def test_the_shipped_knowledge_stays_as_it_is(own: Path) -> None:
    before = dict(load_knowledge().replies["550"])
    laid_over(own, 'replies:\n  - code: "550"\n    name: {en: Mine}\n')
    assert dict(load_knowledge().replies["550"]) == before


def test_a_text_without_a_translation_falls_back_to_english(own: Path) -> None:
    mine = laid_over(own, 'replies:\n  - code: "550"\n    name: {en: Mine}\n')
    assert [entry.name for entry in Reference(mine, "vi").entries("550")] == ["Mine"]


NEW_REPLY = """
sources:
  - id: my-handbook
    title: My handbook
    url: https://handbook.example.com/smtp
replies:
  - code: "559"
    registered: false
    name: {en: Out for lunch, vi: Đi ăn trưa}
    phases: [rcpt]
    acts: none
    reasons: [service-unavailable]
    meaning: {en: The server has lunch., vi: Máy chủ nghỉ trưa.}
    when: {en: At noon., vi: Buổi trưa.}
    use: {en: Where somebody has lunch., vi: Khi nghỉ trưa.}
    fix: {en: [Come back at one.], vi: [Quay lại lúc một giờ.]}
    example: 559 Out for lunch
    sources: [my-handbook]
"""


def test_a_new_block_is_added_behind_the_shipped_ones(own: Path, knowledge: Knowledge) -> None:
    mine = laid_over(own, NEW_REPLY)
    assert list(mine.replies) == [*knowledge.replies, "559"]
    (entry,) = Reference(mine, "en").entries("559")
    assert (entry.name, entry.meaning, entry.fix) == ("Out for lunch", "The server has lunch.", ("Come back at one.",))
    assert entry.sources == (Source("My handbook", "https://handbook.example.com/smtp"),)
    assert ("559", "Out for lunch") in list(mine.completions("55", "en"))


def test_a_provider_s_new_code_is_known_by_itself(own: Path) -> None:
    text = """
providers:
  - id: yahoo
    codes:
      - code: "LUNCH1"
        name: {en: Out for lunch, vi: Đi ăn trưa}
        acts: none
        reasons: [service-unavailable]
        meaning: {en: The server has lunch., vi: Máy chủ nghỉ trưa.}
        fix: {en: [Come back at one.], vi: [Quay lại lúc một giờ.]}
"""
    mine = laid_over(own, text)
    assert [provider["id"] for provider in mine.users_of("lunch1")] == ["yahoo"]
    assert [(entry.code, entry.provider) for entry in Reference(mine, "en").entries("lunch1")] == [("LUNCH1", "yahoo")]


@pytest.mark.parametrize("words", ["phrases: [brim full]", "pattern: 'br[ia]m full'"], ids=["phrases", "a pattern"])
def test_a_new_rule_decides(words: str, own: Path) -> None:
    mine = laid_over(own, RULE.replace("phrases: [brim full]", words))
    (classified,) = classify_text("550 the cup of bob is brim full", mine)
    assert classified.verdict.evidence == ("text", "mailbox-full/mine", "brim full")


def first_rule(knowledge: Knowledge, having: str) -> Any:
    """A rule of words that holds whatever else is known of a reply."""
    conditions = {"provider", "replies", "enhanced", "phases", "unless", "unless_pattern", "raw"}
    return next(rule for rule in knowledge.rules.values() if having in rule and not conditions & set(rule))


@pytest.mark.parametrize("having", ["pattern", "phrases"])
def test_a_field_of_a_shipped_rule_can_be_laid_over(having: str, own: Path, knowledge: Knowledge) -> None:
    rule = first_rule(knowledge, having)
    mine = laid_over(own, f"rules:\n  - id: {rule['id']}\n    action: contact-postmaster\n")
    assert {**mine.rules[rule["id"]]} == {**rule, "action": "contact-postmaster"}


def test_a_pattern_of_a_shipped_rule_can_be_laid_over(own: Path, knowledge: Knowledge) -> None:
    rule = first_rule(knowledge, "pattern")
    mine = laid_over(own, f"rules:\n  - id: {rule['id']}\n    pattern: 'qu+x of quuux'\n")
    (classified,) = classify_text("550 5.0.0 quuux is a quuuux of quuux", mine)
    assert classified.verdict.evidence == ("text", rule["id"], "quuuux of quuux")


def test_the_command_line_takes_a_user_s_file_by_option_and_by_environment(run: Run, own: Path) -> None:
    own.write_text('replies:\n  - code: "550"\n    name: {en: Mine}\n', encoding="utf-8")
    by_option = run("explain", "550", "--format", "json", "--codes", str(own))
    by_environment = run("explain", "550", "--format", "json", env={"SMTPREF_CODES": str(own)})
    assert [entry["name"] for entry in json.loads(by_option.stdout)] == ["Mine"]
    assert by_environment.stdout == by_option.stdout


# The built file


@pytest.fixture(scope="module")
def written() -> dict[str, list[dict[str, Any]]]:
    """The shipped codes file, read from YAML."""
    return read_codes_file(CHECKOUT / "codes.yaml")


def test_the_built_file_says_what_the_codes_file_says(written: dict[str, list[dict[str, Any]]]) -> None:
    built: dict[str, list[Any]] = {name: [] for name in SECTIONS}
    for line in build(CHECKOUT / "codes.yaml").splitlines()[1:]:
        name, identity, block = json.loads(line)
        if name in built:
            assert block[SECTIONS[name].identity] == identity
            # Worked out from the pattern, so that nobody has to write them down.
            block.pop("needs", None)
            built[name].append(block)
    assert built == written


def test_the_knowledge_is_what_the_codes_file_says(knowledge: Knowledge, written: dict[str, list[dict[str, Any]]]) -> None:
    for name, blocks in written.items():
        if hasattr(knowledge, name):
            known = [{field: value for field, value in block.items() if field != "needs"} for block in getattr(knowledge, name).values()]
            assert known == blocks, name


PAGE = "sources:\n  - id: page\n    title: {title}\n    url: https://example.com/\n"
PRINT_TITLES = "from smtpref.knowledge import load_knowledge; print([page['title'] for page in load_knowledge().sources.values()])"
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the package's own modules, with a codes file of one block."""
    place = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "smtpref", place / "smtpref", ignore=shutil.ignore_patterns("__pycache__", "codes.*"))
    shutil.copy(CHECKOUT / "pyproject.toml", place)
    (place / "codes.yaml").write_text(PAGE.format(title="First"), encoding="utf-8")
    return place


def python(place: Path, script: str, status: int = 0) -> str:
    """What a script prints that imports smtpref from a place."""
    env = environment(PYTHONPATH=str(place), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, "-c", script], cwd=place, env=env, capture_output=True, check=False, timeout=60)
    assert done.returncode == status, done.stderr.decode()
    return (done.stderr if status else done.stdout).decode()


def test_a_checkout_builds_its_codes_file_once(checkout: Path) -> None:
    built = checkout / "smtpref" / BUILT
    assert python(checkout, PRINT_TITLES) == "['First']\n"
    first = built.stat()
    assert python(checkout, PRINT_TITLES) == "['First']\n"
    assert built.stat().st_ino == first.st_ino
    assert built.read_bytes() == build_in(checkout)


def build_in(checkout: Path) -> bytes:
    script = "import sys; from pathlib import Path; from smtpref.building import build; sys.stdout.buffer.write(build(Path('codes.yaml')))"
    return python(checkout, script).encode()


def test_a_changed_codes_file_is_built_anew(checkout: Path) -> None:
    python(checkout, PRINT_TITLES)
    (checkout / "codes.yaml").write_text(PAGE.format(title="Other"), encoding="utf-8")
    assert python(checkout, PRINT_TITLES) == "['Other']\n"
    assert (checkout / "smtpref" / BUILT).read_bytes() == build_in(checkout)


def test_mistakes_of_a_changed_codes_file_are_named(checkout: Path) -> None:
    python(checkout, PRINT_TITLES)
    (checkout / "codes.yaml").write_text("sources:\n  - id: page\n", encoding="utf-8")
    script = "import sys; from smtpref.__main__ import run; sys.argv = ['smtpref', 'explain', '550']; run()"
    assert python(checkout, script, status=2).splitlines() == [
        "smtpref: 2 mistakes in the codes file",
        "codes.yaml: sources: page: title: is missing",
        "codes.yaml: sources: page: url: is missing",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_checkout_that_cannot_be_written_works_and_stays_clean(checkout: Path) -> None:
    before = sorted(checkout.rglob("*"))
    assert python(checkout, NO_ROOM + PRINT_TITLES) == "['First']\n"
    assert sorted(checkout.rglob("*")) == before


@pytest.mark.parametrize("beside", [None, "codes.yaml", "pyproject.toml"])
def test_an_installed_smtpref_reads_only_what_was_built(beside: str | None, checkout: Path) -> None:
    """A codes.yaml or pyproject.toml that happens to lie in site-packages is somebody else's."""
    python(checkout, PRINT_TITLES)
    (checkout / "codes.yaml").write_text("not: ours\n", encoding="utf-8")
    for name in {"codes.yaml", "pyproject.toml"} - {beside}:
        (checkout / name).unlink()
    assert python(checkout, PRINT_TITLES) == "['First']\n"


# Answers


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("RFC 5321 4.2.3", Source("RFC 5321 4.2.3", "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3")),
        ("RFC 3463", Source("RFC 3463", "https://www.rfc-editor.org/rfc/rfc3463")),
        ("RFC 5321 D.2", Source("RFC 5321 D.2", "https://www.rfc-editor.org/rfc/rfc5321#appendix-D.2")),
    ],
)
def test_an_rfc_is_a_page_and_a_section(written: str, expected: Source, knowledge: Knowledge) -> None:
    assert knowledge.source(written) == expected


@pytest.mark.parametrize(
    ("code", "owners"),
    [("S3140", ["outlook-com"]), ("s3140", ["outlook-com"]), ("TSS04", ["yahoo"]), ("550", []), ("S9999", []), ("", [])],
)
def test_a_provider_s_code_leads_to_its_owners(code: str, owners: list[str], knowledge: Knowledge) -> None:
    assert [provider["id"] for provider in knowledge.users_of(code)] == owners


@pytest.mark.parametrize("typed", ["5", "5.1", "55", "4.7.", "grey", "X", "2yz"])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_what_is_typed_is_completed_by_every_code_that_starts_so(typed: str, language: Language, knowledge: Knowledge) -> None:
    written = [*knowledge.replies.values(), *knowledge.classes.values()]
    named = [(block["code"], say(block["name"], language)) for block in written]
    for block in knowledge.enhanced.values():
        named += [(digit + block["code"][1:], say(block["name"], language)) for digit in block["classes"]]
    named += [(block["id"], say(block["name"], language)) for block in knowledge.reasons.values()]
    assert sorted(knowledge.completions(typed, language)) == sorted(pair for pair in named if pair[0].startswith(typed))


def test_completions_come_in_the_order_of_their_numbers(knowledge: Knowledge) -> None:
    codes = [code for code, _ in knowledge.completions("5.1.", "en")]
    assert codes == sorted(codes, key=lambda code: [int(part) for part in code.split(".")])
