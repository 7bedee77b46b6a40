"""The command line: typed arguments in, one library call, the result to `render`; and the one boundary where errors become statuses.

No knowledge and no layout lives here. A command imports what it calls: nobody waits for what another command needs.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import __version__
from .errors import SmtprefError, WrongUsage
from .knowledge import Knowledge, Language, load_knowledge
from .model import STDIN, InputFormat, Phase
from .render.output import Format, Output, choose_format
from .render.results import write_comparison, write_entries, write_hits
from .render.safety import visible
from .wording import choose_language, error_lines, phrase

COMMANDS = ("explain", "compare", "classify", "search")


class Status(IntEnum):
    """Exit statuses."""

    FOUND = 0
    NOTHING_FOUND = 1
    ERROR = 2
    INTERRUPTED = 130


class Lang(StrEnum):
    """Languages of the output."""

    EN = "en"
    VI = "vi"


def _complete_code(incomplete: str) -> Iterator[tuple[str, str]]:
    """The codes, reasons and classes that start with what was typed, with their names."""
    return load_knowledge().completions(incomplete, choose_language())


FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write the answer (default: rich on a terminal, else plain).")
]
LangOption = Annotated[Lang | None, typer.Option("--lang", help="Language (default: SMTPREF_LANG, then the locale).")]
CodesOption = Annotated[
    Path | None,
    typer.Option("--codes", envvar="SMTPREF_CODES", help="A codes file of your own, laid over the shipped knowledge."),
]
CodesArgument = Annotated[list[str] | None, typer.Argument(metavar="CODE...", autocompletion=_complete_code, show_default=False)]

app = typer.Typer(
    name="smtpref",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"smtpref {__version__}")
        raise typer.Exit


@app.callback()
def smtpref(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")] = False,  # noqa: ARG001
) -> None:
    """What a mail server's answer means, how it differs from another, what happened to a message, and what to do now.

    \b
    Examples:
      smtpref explain 550                    what a code means and how to fix it
      smtpref explain "550 5.7.26"           a reply code with its enhanced code
      smtpref compare 450 550                two to four codes side by side
      smtpref classify /var/log/mail.log     what happened to each message
      tail -F mail.log | smtpref classify    the same, live
      smtpref search mailbox full            find a code by words
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Status.ERROR)


@app.command()
def explain(codes: CodesArgument = None, format: FormatOption = None, lang: LangOption = None, own: CodesOption = None) -> None:
    """What a code means, when it is seen, how to fix it.

    \b
    Examples:
      smtpref explain 550
      smtpref explain 5.7.1 421
      smtpref explain 550 5.1.1              one reply: both codes are explained
      smtpref explain 5xx 4.7.x              classes
      smtpref explain greylisted             a reason that classify prints
      smtpref explain "550 5.1.1 <bob@example.com>: User unknown"
    """
    from .explanation import explain_codes

    if not codes:
        raise WrongUsage("error-no-codes", "smtpref explain 550", "smtpref explain 5.7.1")
    output = _output(format, lang, own)
    explanation = explain_codes(codes, output.knowledge, output.language)
    if explanation.entries:
        write_entries(explanation.entries, output, explanation.records)
    _report(explanation.errors, output.language)


@app.command()
def compare(codes: CodesArgument = None, format: FormatOption = None, lang: LangOption = None, own: CodesOption = None) -> None:
    """Two to four codes side by side, and what really sets them apart.

    \b
    Examples:
      smtpref compare 220 550
      smtpref compare 550 5.1.1
      smtpref compare 421 450 451 452
      smtpref compare 4xx 5xx
    """
    from .comparison import compare_codes

    output = _output(format, lang, own)
    write_comparison(compare_codes(codes or [], output.knowledge, output.language), output)


@app.command()
def classify(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE...]", help='Logs or replies; "-" or none: stdin.', show_default=False)
    ] = None,
    input_format: Annotated[
        InputFormat | None, typer.Option("--input-format", help="What the input is (default: found out, record by record).")
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", min=1970, max=9998, help="Year of stamps that have none (default: from the file's date).")
    ] = None,
    format: FormatOption = None,
    lang: LangOption = None,
    own: CodesOption = None,
) -> None:
    """What happened to each message: mail logs and replies, from files or stdin.

    \b
    Examples:
      smtpref classify /var/log/mail.log
      tail -F /var/log/mail.log | smtpref classify
      echo "550 5.1.1 User unknown" | smtpref classify
      smtpref classify --format jsonl mail.log.1.gz
    """
    from .classification import classify_inputs
    from .render.stream import write_records

    output = _output(format, lang, own)
    paths = files or [STDIN]
    if STDIN in paths and sys.stdin.isatty():
        print(phrase("waiting-for-input", output.language), file=sys.stderr)
    errors: list[SmtprefError] = []
    count = write_records(classify_inputs(paths, output.knowledge, errors, input_format, year), output)
    if not count and not errors:
        print(phrase("nothing-recognised", output.language), file=sys.stderr)
    _report(errors, output.language, Status.FOUND if count else Status.NOTHING_FOUND)


@app.command()
def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS...]", show_default=False)] = None,
    phase: Annotated[Phase | None, typer.Option("--phase", help="Only codes that answer this command.")] = None,
    permanent: Annotated[
        bool | None, typer.Option("--permanent/--temporary", help="Only refusals for good, or only temporary ones.")
    ] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only what this provider uses its own way.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only what may stand for this reason.")] = None,
    format: FormatOption = None,
    lang: LangOption = None,
    own: CodesOption = None,
) -> None:
    """Find codes by words; no words: list all of them.

    \b
    Examples:
      smtpref search mailbox full
      smtpref search greylist
      smtpref search --phase rcpt --permanent
      smtpref search --reason blocklisted
    """
    from .reference import Reference
    from .search import Filters, grouped, search_entries

    output = _output(format, lang, own)
    reference = Reference(output.knowledge, output.language)
    filters = Filters(phase, permanent, reference.provider_id(provider) if provider else None, reason)
    entries = search_entries(words or [], reference, filters)
    if words:
        write_hits([(None, entries)] if entries else [], output)
    else:
        write_hits([(phrase(f"group-{kind}", output.language), group) for kind, group in grouped(entries)], output)
    if not entries:
        raise typer.Exit(Status.NOTHING_FOUND)


def _output(format: Format | None, lang: Lang | None, own: Path | None) -> Output:
    knowledge: Knowledge = load_knowledge(own)
    language: Language = choose_language(lang)
    return Output(sys.stdout, sys.stderr, choose_format(format, sys.stdout), language, knowledge)


def _report(errors: Sequence[SmtprefError], language: Language, otherwise: Status = Status.FOUND) -> None:
    """Print errors that did not stop the run, and exit with the status that they ask for."""
    sys.stdout.flush()
    for error in errors:
        _print_error(error_lines(error, language))
    status = Status.ERROR if errors else otherwise
    if status is not Status.FOUND:
        raise typer.Exit(status)


def _print_error(lines: list[str]) -> None:
    for line in lines:
        print(visible(line), file=sys.stderr)


def main() -> int:
    """Run the command line and return its exit status; every error becomes one line on stderr and a hint."""
    _make_streams_forgiving()
    try:
        status = app(standalone_mode=False, prog_name="smtpref")
        sys.stdout.flush()
    except SmtprefError as error:
        _print_error(error_lines(error, choose_language(_asked_language())))
        return Status.ERROR
    except typer.TyperException as error:
        _print_error(_usage_lines(error, choose_language(_asked_language())))
        return Status.ERROR
    except (KeyboardInterrupt, typer.Abort):
        return Status.INTERRUPTED
    except BrokenPipeError:
        # Whoever reads has seen enough; what is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.FOUND
    except OSError as error:
        _print_error([f"smtpref: {error.strerror or error}"])
        return Status.ERROR
    except Exception as error:  # noqa: BLE001  (the one boundary)
        if os.environ.get("SMTPREF_DEBUG"):
            sys.excepthook(type(error), error, error.__traceback__)
        _print_error(
            ["smtpref: " + phrase("error-unforeseen", choose_language(_asked_language()), error=f"{type(error).__name__}: {error}")]
        )
        return Status.ERROR
    return status or Status.FOUND


def _make_streams_forgiving() -> None:
    """An output that cannot hold a letter loses the letter, not the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace", newline="\n")


def _usage_lines(error: typer.TyperException, language: Language) -> list[str]:
    """A mistake in the command line; a code in the place of a command gets the command that it needs."""
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if arguments and arguments[0] not in COMMANDS:
        commands = [f"smtpref explain {arguments[0]}", "smtpref --help"]
        return error_lines(WrongUsage("error-command", *commands, given=arguments[0]), language)
    message = " ".join(error.format_message().split())
    command = f"smtpref {arguments[0]} --help" if arguments else "smtpref --help"
    return [f"smtpref: {message[:1].lower()}{message[1:].rstrip('.')}", phrase("try", language, commands=command)]


def _asked_language() -> str | None:
    """The --lang of a command line that may be wrong elsewhere."""
    for option, value in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        if option == "--lang":
            return value
        if option.startswith("--lang="):
            return option.removeprefix("--lang=")
    return None
