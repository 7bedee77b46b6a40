"""Completion: the committed scripts in the shells that are installed, and what smtpref offers them."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from smtpref.cli import COMMANDS, app
from smtpref.completion import FILES, script
from smtpref.knowledge import Knowledge, Language

from .conftest import CHECKOUT, Run, environment

SCRIPTS = CHECKOUT / "completions"
PATIENCE = 20
"""Seconds that a shell may take to show what is waited for."""

FORMATS = ["rich", "plain", "json", "jsonl", "csv", "markdown"]
LOG = "my mail.log"

Press = Callable[[str, str], str]


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's folder with nothing in it but a log."""
    (tmp_path / LOG).touch()
    return tmp_path


def user_environment(home: Path, *programs: Path, **settings: str) -> dict[str, str]:
    """What a user's shell knows: `programs`, the smtpref of this Python, and nothing that the real user has set."""
    installed = Path(sys.executable).parent
    if not shutil.which("smtpref", path=str(installed)):
        pytest.skip("smtpref is not installed beside this Python")
    path = os.pathsep.join([*map(str, programs), str(installed), os.environ.get("PATH", os.defpath)])
    folders = {"HOME": str(home), "ZDOTDIR": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    return environment(PATH=path, TERM="dumb", **folders, **settings)


def printed(command: list[str], home: Path, *programs: Path, **settings: str) -> list[str]:
    """The lines that a shell prints, started in the user's folder."""
    env = user_environment(home, *programs, **settings)
    done = subprocess.run(command, cwd=home, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


@contextmanager
def terminal(home: Path, *command: str) -> Iterator[Press]:
    """A shell at a terminal of a hundred columns: a function that types keys and returns what is shown from then on, up to a text."""
    import termios  # noqa: PLC0415  (Windows has none)

    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (60, 100))

    def press(keys: str, until: str) -> str:
        os.write(master, keys.encode())
        shown = ""
        end = time.monotonic() + PATIENCE
        while until not in shown:
            ready, _, _ = select.select([master], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"no {until!r} in {shown!r}"
            shown += os.read(master, 65536).decode("utf-8", "replace")
        return shown

    # The first terminal that the leader of a session opens is the one that controls it.
    opening = ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), *command]
    with subprocess.Popen(opening, env=user_environment(home), cwd=home, start_new_session=True) as shell:
        try:
            yield press
        finally:
            shell.kill()
            os.close(slave)
            os.close(master)


def described(knowledge: Knowledge, typed: str, language: Language = "en") -> list[str]:
    return [f"{code}\t{name}" for code, name in knowledge.completions(typed, language)]


def codes(knowledge: Knowledge, typed: str) -> list[str]:
    return [code for code, _ in knowledge.completions(typed, "en")]


# What is offered


def test_the_committed_scripts_are_those_that_the_module_writes(tmp_path):
    subprocess.run([sys.executable, "-m", "smtpref.completion", str(tmp_path)], env=environment(), check=True, timeout=60)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in SCRIPTS.iterdir()}
    assert written == {name: script(shell).encode("ascii") for shell, name in FILES.items()}


def test_the_writer_without_a_folder_says_what_it_needs():
    done = subprocess.run([sys.executable, "-m", "smtpref.completion"], env=environment(), capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.decode().strip()) == (1, "usage: python -m smtpref.completion FOLDER")


def test_every_code_is_offered_once_and_numbers_come_in_their_order(knowledge):
    offered = codes(knowledge, "")
    replies = [code for code in offered if re.fullmatch(r"\d{3}", code)]
    enhanced = [code for code in offered if re.fullmatch(r"\d\.\d+\.\d+", code)]
    classes, reasons, blocklists = list(knowledge.classes), list(knowledge.reasons), list(knowledge.blocklists)
    assert offered[: -len(blocklists)][: len([*replies, *classes, *enhanced, *reasons])] == [*replies, *classes, *enhanced, *reasons]
    assert offered[-len(blocklists) :] == blocklists
    assert {"S3140", "TSS04", "RP-001"} <= set(offered)
    assert len(offered) == len(set(offered))
    assert replies == sorted(knowledge.replies)
    assert enhanced == sorted(enhanced, key=lambda code: tuple(map(int, code.split("."))))
    assert len(enhanced) == sum(len(block["classes"]) for block in knowledge.enhanced.values())


def test_what_is_offered_starts_with_what_was_typed(knowledge):
    everything = codes(knowledge, "")
    for typed in ("5", "5.1", "5.1.1", "grey", "5.1.1:", "550 5", "[", "nothing"):
        assert codes(knowledge, typed) == [code for code in everything if code.startswith(typed)]


def test_no_value_has_a_sign_that_a_shell_would_take_for_its_own(knowledge):
    assert [code for code in codes(knowledge, "") if not re.fullmatch(r"[A-Za-z0-9._-]+", code)] == []


def answer(run: Run, line: str, **settings: str) -> list[str]:
    asked = {"_SMTPREF_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": line}
    return run(env={**asked, "COLUMNS": "9999", **settings}).stdout.splitlines()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_name_arrives_as_it_is_written(run, knowledge, language):
    # Typer takes "[...]" and ":...:" in a description for markup; a name that has them would need a backslash in _complete_code.
    assert answer(run, "smtpref explain ", SMTPREF_LANG=language) == described(knowledge, "", language)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_arrives_with_its_help_as_it_is_written(run, command):
    group = typer.main.get_command(app)
    context = typer.Context(group)
    parameters = group.commands[command].get_params(context)  # type: ignore[attr-defined]  # the app is a group
    options = [
        f"{name}\t{parameter.help}"
        for parameter in parameters
        if parameter.param_type_name == "option"
        for name in [*parameter.opts, *parameter.secondary_opts]
        if name.startswith("--")
    ]
    assert answer(run, f"smtpref {command} --") == options


HEAVY = ("rich", "yaml", "smtpref.rules", "smtpref.codes_file")


def test_completing_a_code_in_bash_loads_no_rule_and_neither_rich_nor_yaml(knowledge):
    program = f"import sys; from smtpref import cli\ntry: cli.main()\nfinally: print([name for name in {HEAVY} if name in sys.modules])"
    asked = {"_SMTPREF_COMPLETE": "complete_bash", "COMP_WORDS": "smtpref\nexplain\n5.1.", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", program], env=environment(**asked), capture_output=True, check=False, timeout=60)
    assert done.stdout.decode().splitlines() == [*codes(knowledge, "5.1."), "[]"]


# bash

IN_BASH = """
source "$0/smtpref.bash"
typed=$1 COMP_CWORD=$2 COMP_WORDS=("${@:3}")
_smtpref_completion smtpref "$typed" "${COMP_WORDS[COMP_CWORD - 1]}"
(( ! ${#COMPREPLY[@]} )) || printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash(home: Path, typed: str, words: list[str], *programs: Path, at: int | None = None) -> list[str]:
    """COMPREPLY, where `typed` of the word `at`, else of the last one, is before the cursor."""
    position = len(words) - 1 if at is None else at
    return printed(["bash", "-c", IN_BASH, str(SCRIPTS), typed, str(position), *words], home, *programs)


@needs("bash")
@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["smtpref", "explain", "5.1"], "5.1"),
        (["smtpref", "compare", "450", "5"], "5"),
        (["smtpref", "explain", '"5.1'], "5.1"),
        (["smtpref", "explain", "--format", "=", "json", "gre"], "gre"),
    ],
)
def test_bash_completes_codes(home, knowledge, words, typed):
    assert bash(home, typed, words) == codes(knowledge, typed)


@needs("bash")
@pytest.mark.parametrize(
    ("words", "typed", "offered"),
    [
        (["smtpref", ""], "", [*COMMANDS]),
        (["smtpref", "cl"], "cl", ["classify"]),
        (["smtpref", "--"], "--", ["--version", "--install-completion", "--show-completion", "--help"]),
        (["smtpref", "search", "--p"], "--p", ["--phase", "--permanent", "--provider"]),
        (["smtpref", "explain", "--format", ""], "", FORMATS),
        (["smtpref", "explain", "--format", "="], "", FORMATS),
        (["smtpref", "explain", "--format", "=", "m"], "m", ["markdown"]),
        (["smtpref", "explain", "--format=m"], "--format=m", ["--format=markdown"]),
        (["smtpref", "explain", "--lang", ""], "", ["en", "vi"]),
        (["smtpref", "classify", ""], "", []),
        (["smtpref", "explain", "550", ">", "g"], "g", []),
        (["smtpref", "explain", "550", ":", "g"], "g", []),
    ],
)
def test_bash_completes_commands_options_and_their_values_and_leaves_files_to_itself(home, words, typed, offered):
    assert bash(home, typed, words) == offered


@needs("bash")
def test_bash_completes_in_the_middle_of_a_line(home, knowledge):
    assert bash(home, "", ["smtpref", "explain", "", "--lang", "en"], at=2) == codes(knowledge, "")
    assert bash(home, "gr", ["smtpref", "explain", "greXYZ", "--lang", "en"], at=2) == codes(knowledge, "gr")


@needs("bash")
def test_bash_neither_expands_nor_splits_a_value(home, tmp_path):
    stub = tmp_path / "stub" / "smtpref"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\nprintf '%s\\n' '*' 'a b' '[m]*' '' '$HOME' 'back\\slash'\n")
    stub.chmod(0o755)
    assert bash(home, "", ["smtpref", "explain", ""], stub.parent) == ["*", "a b", "[m]*", "$HOME", "back\\slash"]


@needs("bash")
def test_bash_is_quiet_where_smtpref_is_missing(home):
    assert bash(home, "", ["smtpref", "explain", ""]) != []
    absent = ["bash", "-c", IN_BASH.replace("_completion smtpref", "_completion /nowhere/smtpref"), str(SCRIPTS), "", "1", "smtpref", ""]
    assert printed(absent, home) == []


@needs("bash")
def test_the_tab_key_completes_in_bash(home):
    with terminal(home, "bash", "--norc", "--noprofile", "-i") as press:
        press(f"PS1='re''ady> '; source '{SCRIPTS}/smtpref.bash'\n", "ready> ")
        assert press("smtpref explain greyl\t", "listed ").endswith("smtpref explain greylisted ")
        press("\x15smtpref classify m\t", r"my\ mail.log ")
        press("\x15smtpref explain --format=m\t", "--format=markdown ")


# zsh

LOADED = {
    "found-in-fpath": f"fpath=('{SCRIPTS}' $fpath); autoload -Uz compinit; compinit -u -D",
    "sourced": f"autoload -Uz compinit; compinit -u -D; source '{SCRIPTS}/_smtpref'",
}


def pairs(listing: str) -> list[str]:
    """The values and descriptions of a list that zsh shows."""
    return [f"{value}\t{name}" for value, name in re.findall(r"^(\S+) +-- (.*?) *\r?$", listing, re.MULTILINE)]


@needs("zsh")
@pytest.mark.parametrize("loaded", LOADED)
def test_the_first_tab_in_zsh_lists_codes_with_their_names(home, knowledge, loaded):
    offered = described(knowledge, "5.1.")
    with terminal(home, "zsh", "-f", "-i") as press:
        press(f"PS1='re''ady> '; {LOADED[loaded]}\n", "ready> ")
        assert pairs(press("smtpref explain 5.1.\t", offered[-1].split("\t")[1])) == offered
        press("\x15smtpref compare 450 greyl\t", "compare 450 greylisted ")


@needs("zsh")
def test_zsh_completes_commands_options_values_and_files(home, run):
    commands, options = answer(run, "smtpref "), answer(run, "smtpref explain --")
    with terminal(home, "zsh", "-f", "-i") as press:
        press(f"PS1='re''ady> '; {LOADED['found-in-fpath']}\n", "ready> ")
        assert pairs(press("smtpref \t", commands[-1].split("\t")[1])) == commands
        assert pairs(press("\x15smtpref explain --\t", options[-1].split("\t")[1])) == options
        press("\x15smtpref explain --lang v\t", "--lang vi ")
        press("\x15smtpref explain --format=m\t", "--format=markdown ")
        press("\x15smtpref explain --codes=my\t", r"--codes=my\ mail.log ")
        press('\x15smtpref explain "greyl\t', '"greylisted" ')
        press("\x15smtpref classify m\t", r"classify my\ mail.log ")


# fish

IN_FISH = "source $argv[1]/smtpref.fish; for line in $argv[2..-1]; complete -C $line; echo ---; end"


def fish(home: Path, *lines: str) -> list[list[str]]:
    """What fish offers for each line, in a terminal too narrow for the descriptions."""
    offered = printed(["fish", "--no-config", "-c", IN_FISH, str(SCRIPTS), *lines], home, COLUMNS="20")
    return [block.splitlines() for block in "\n".join(offered).removesuffix("---").split("---\n")]


@needs("fish")
def test_fish_completes_codes_with_their_names(home, knowledge):
    lines = ["smtpref explain 5", "smtpref compare 450 5.1.", 'smtpref explain "gre', "X=1 smtpref explain 4"]
    assert fish(home, *lines) == [described(knowledge, typed) for typed in ("5", "5.1.", "gre", "4")]


@needs("fish")
def test_fish_completes_commands_options_values_and_files(home, run):
    offered = fish(
        home,
        "smtpref ",
        "smtpref explain --",
        "smtpref explain --format=",
        "smtpref explain --lang ",
        "smtpref classify m",
        "smtpref explain --codes=m",
        "smtpref explain nothing",
    )
    assert offered == [
        answer(run, "smtpref "),
        answer(run, "smtpref explain --"),
        [f"--format={name}" for name in FORMATS],
        ["en", "vi"],
        [LOG],
        [f"--codes={LOG}"],
        [],
    ]


# PowerShell

IN_POWERSHELL = """
$before = Get-ChildItem Env: | ForEach-Object { "$($_.Name)=$($_.Value)" }
. (Join-Path $env:SCRIPTS smtpref.ps1)
foreach ($line in $env:LINES_TO_COMPLETE -split ';') {
    $found = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)
    foreach ($match in $found.CompletionMatches) { "$($match.CompletionText)`t$($match.ToolTip)" }
}
$after = Get-ChildItem Env: | ForEach-Object { "$($_.Name)=$($_.Value)" }
"left behind: $(Compare-Object $before $after)"
"""


@needs("pwsh")
def test_powershell_completes_and_leaves_no_variable_behind(home, run, knowledge):
    lines = ["smtpref explain gre", "smtpref cl", "smtpref explain --lang "]
    settings = {"SCRIPTS": str(SCRIPTS), "LINES_TO_COMPLETE": ";".join(lines)}
    offered = printed(["pwsh", "-NoProfile", "-NonInteractive", "-Command", IN_POWERSHELL], home, **settings)
    assert offered == [*described(knowledge, "gre"), *answer(run, "smtpref cl"), "en\ten", "vi\tvi", "left behind: "]


def test_the_script_for_powershell_leaves_the_tab_key_alone():
    assert "PSReadLine" not in script("powershell")
