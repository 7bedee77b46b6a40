"""The command line: typed arguments in, one library call, the result to `render`; and the one boundary where errors become statuses.

No knowledge and no layout lives here. A command imports what it calls: nobody waits for what another command needs.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterator, Sequence
from copy import copy
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__
from .errors import PassedOver, SmtprefError, WrongUsage
from .knowledge import Knowledge, Language, load_knowledge, say
from .render.output import SUMMARY_ONLY, Format, Output, choose_format
from .render.safety import visible
from .terms import STDIN, Bounce, Direction, InputFormat, Phase
from .wording import choose_language, error_lines, phrase

if TYPE_CHECKING:
    from .filtering import Filters
    from .parallel import Plan
    from .redaction import Redactor
    from .survey import Survey

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


def _complete_reason(incomplete: str) -> Iterator[tuple[str, str]]:
    """The reasons that start with what was typed, with their names."""
    language = choose_language()
    return ((name, say(block["name"], language)) for name, block in load_knowledge().reasons.items() if name.startswith(incomplete))


def _complete_provider(incomplete: str) -> Iterator[tuple[str, str]]:
    """The providers whose ids start with what was typed, with their names."""
    return ((name, block["name"]) for name, block in load_knowledge().providers.items() if name.startswith(incomplete))


class AnswerFormat(StrEnum):
    """What the answer of every command is written as; a summary has more."""

    RICH = Format.RICH.value
    PLAIN = Format.PLAIN.value
    JSON = Format.JSON.value
    JSONL = Format.JSONL.value
    CSV = Format.CSV.value
    MARKDOWN = Format.MARKDOWN.value


FormatOption = Annotated[
    AnswerFormat | None, typer.Option("--format", "-f", help="How to write the answer (default: rich on a terminal, else plain).")
]
ReportFormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format", "-f", help="How to write the answer (default: rich on a terminal, else plain; html, prometheus: a summary's)."
    ),
]
LangOption = Annotated[Lang | None, typer.Option("--lang", help="Language (default: SMTPREF_LANG, then the locale).")]
CodesOption = Annotated[
    Path | None,
    typer.Option("--codes", envvar="SMTPREF_CODES", help="A codes file of your own, laid over the shipped knowledge."),
]
KeptReasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="REASON", autocompletion=_complete_reason, help="Only records with this reason; may be repeated."),
]
KeptBounces = Annotated[list[Bounce] | None, typer.Option("--bounce", help="Only records with this bounce type; may be repeated.")]
KeptDirections = Annotated[
    list[Direction] | None, typer.Option("--direction", help="Only deliveries, or only refusals by this server; may be repeated.")
]
KeptProviders = Annotated[
    list[str] | None,
    typer.Option("--provider", metavar="NAME", autocompletion=_complete_provider, help="Only answers of this provider; may be repeated."),
]
KeptQueueIds = Annotated[
    list[str] | None, typer.Option("--queue-id", metavar="ID", help="Only the message with this queue id; may be repeated.")
]
KeptRecipients = Annotated[
    list[str] | None,
    typer.Option("--recipient", metavar="ADDRESS", help='Only this recipient, or all "@example.com"; may be repeated.'),
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help='Nothing before: "2026-11-24", "2026-11-24 08:30", "2h ago", "yesterday".')
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Nothing after this day, minute or second.")]
RedactOption = Annotated[
    bool, typer.Option("--redact", help="Write pseudonyms for addresses, host names and IP addresses, to share the answer.")
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


@app.command(short_help="What a code means, and how to fix it.")
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
    from .render.results import write_entries

    if not codes:
        raise WrongUsage("error-no-codes", "smtpref explain 550", "smtpref explain 5.7.1")
    output = _output(format, lang, own)
    explanation = explain_codes(codes, output.knowledge, output.language)
    if explanation.entries or explanation.records:
        write_entries(explanation.entries, output, explanation.records)
    _report(explanation.errors, output.language)


@app.command(short_help="Two to four codes side by side.")
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
    from .render.results import write_comparison

    output = _output(format, lang, own)
    write_comparison(compare_codes(codes or [], output.knowledge, output.language), output)


@app.command(short_help="What happened to each message.")
def classify(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE...]", help='Logs or replies; "-" or none: stdin.', show_default=False)
    ] = None,
    input_format: Annotated[
        InputFormat | None,
        typer.Option("--input-format", metavar="FORMAT", help="What the input is (default: found out, record by record)."),
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", min=1970, max=9998, help="Year of stamps that have none (default: from the file's date).")
    ] = None,
    reasons: KeptReasons = None,
    bounces: KeptBounces = None,
    directions: KeptDirections = None,
    providers: KeptProviders = None,
    queue_ids: KeptQueueIds = None,
    recipients: KeptRecipients = None,
    since: SinceOption = None,
    until: UntilOption = None,
    redact: RedactOption = False,
    summary: Annotated[bool, typer.Option("--summary", help="Report instead: what is stuck, what to do first, and totals.")] = False,
    not_understood: Annotated[
        bool, typer.Option("--not-understood", help="Print the lines that look like an outcome and gave no record.")
    ] = False,
    format: ReportFormatOption = None,
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
      smtpref classify --bounce hard --since yesterday mail.log
      smtpref classify --queue-id 4JgyGN3kgGzMCn mail.log
      smtpref classify --redact mail.log     to be pasted into a ticket
      smtpref classify --summary mail.log*   what is stuck, and what to do first
      smtpref classify --summary -f html mail.log > report.html
    """
    from .classification import classify_inputs
    from .filtering import NO_FILTERS, choose_filters
    from .render.stream import line_renderer, write_records

    output = _output(format, lang, own, has_summary=summary and not not_understood)
    # What is made for each line refers to nothing that refers to it.
    gc.set_threshold(50_000, 20, 100)
    filters = choose_filters(
        output.knowledge,
        reasons=reasons or (),
        bounces=bounces or (),
        directions=directions or (),
        providers=providers or (),
        queue_ids=queue_ids or (),
        recipients=recipients or (),
        since=since,
        until=until,
    )
    paths = files or [STDIN]
    if STDIN in paths and sys.stdin.isatty():
        print(phrase("waiting-for-input", output.language), file=sys.stderr)
    errors: list[SmtprefError] = []
    redactor = _redactor(output.knowledge) if redact else None
    if not_understood or summary:
        from .survey import Survey

        survey = Survey(paths, errors, year)
        if not_understood:
            count = _write_not_understood(survey, input_format, redactor, output)
        else:
            count = _write_summary(survey, input_format, filters, redactor, output)
    elif not redactor and (plan := _plan(paths)) and (render := line_renderer(output)):
        # Pseudonyms are numbered as they come, which several processes cannot do.
        from .parallel import Work, write_in_parallel

        work = Work(output.knowledge, input_format, year, filters.admit, render)
        count = write_in_parallel(plan, work, output.put_whole, errors)
        output.flush()
    else:
        records = filter(filters.admit, classify_inputs(paths, output.knowledge, errors, input_format, year, output.flush))
        count = write_records(map(redactor.redact, records) if redactor else records, output)
    if not_understood and not count:
        print(phrase("all-understood", output.language), file=sys.stderr)
    elif not count and not errors:
        print(phrase("nothing-recognised" if filters == NO_FILTERS else "nothing-kept", output.language), file=sys.stderr)
    _report(errors, output.language, Status.FOUND if count else Status.NOTHING_FOUND)


@app.command(short_help="Find codes by words.")
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
    from .render.results import write_hits
    from .search import Filters, grouped, search_entries

    output = _output(format, lang, own)
    reference = Reference(output.knowledge, output.language)
    filters = Filters(
        phase, permanent, reference.provider_id(provider) if provider else None, reference.reason_id(reason) if reason else None
    )
    entries = search_entries(words or [], reference, filters)
    if words:
        write_hits([(None, entries)] if entries else [], output)
    else:
        write_hits([(phrase(f"group-{kind}", output.language), group) for kind, group in grouped(entries)], output)
    if not entries:
        print(f"smtpref: {phrase('error-not-found', output.language, words=visible(' '.join(words or [])))}", file=sys.stderr)
        raise typer.Exit(Status.NOTHING_FOUND)


def _redactor(knowledge: Knowledge) -> Redactor:
    # Its patterns take longer to compile than a reply takes to judge.
    from .redaction import Redactor

    return Redactor(knowledge)


def _plan(paths: Sequence[str]) -> Plan | None:
    """How several processes share the reading, where that is worth while."""
    if STDIN in paths:
        return None
    from .parallel import plan_for

    return plan_for(paths)


def _write_summary(survey: Survey, only: InputFormat | None, filters: Filters, redactor: Redactor | None, output: Output) -> int:
    """Write the summary of the records that are kept, and return how many there were."""
    from .render.progress import Progress
    from .render.results import write_summary
    from .report import summary_of

    progress = Progress(sys.stderr, survey.size, output.language)
    try:
        summary = summary_of(survey, output.knowledge, filters, redactor, only, progress.advance)
    finally:
        progress.close()
    if summary.records or summary.lines.not_understood:
        write_summary(summary, output)
    return summary.records


def _write_not_understood(survey: Survey, only: InputFormat | None, redactor: Redactor | None, output: Output) -> int:
    """Write the lines that look like an outcome and gave no record, and return how many there were."""
    from .render.progress import Progress
    from .render.results import write_lines

    progress = Progress(sys.stderr, survey.size, output.language)
    try:
        lines = survey.not_understood(output.knowledge, only, progress.advance)
        hidden = (line._replace(source=redactor.path(line.source), text=redactor.text(line.text)) for line in lines) if redactor else lines
        return write_lines(hidden, output)
    finally:
        progress.close()


def _output(format: Format | AnswerFormat | None, lang: Lang | None, own: Path | None, *, has_summary: bool = False) -> Output:
    if format in SUMMARY_ONLY and not has_summary:
        raise WrongUsage("error-summary-only", f"smtpref classify --summary --format {format} mail.log", format=str(format))
    knowledge: Knowledge = load_knowledge(own)
    language: Language = choose_language(lang)
    return Output(sys.stdout, sys.stderr, choose_format(Format(format) if format else None, sys.stdout), language, knowledge)


def _report(errors: Sequence[SmtprefError], language: Language, otherwise: Status = Status.FOUND) -> None:
    """Print errors that did not stop the run, and exit with the status that they ask for."""
    sys.stdout.flush()
    for error in errors:
        _print_error(error_lines(error, language))
    # What was too large was read as far as possible.
    status = otherwise if all(isinstance(error, PassedOver) for error in errors) else Status.ERROR
    if status is not Status.FOUND:
        raise typer.Exit(status)


def _print_error(lines: list[str]) -> None:
    for line in lines:
        print(visible(line), file=sys.stderr)


def _app_of(name: str) -> typer.Typer:
    """The application as far as a command needs it: no start waits for the options of three others to be made."""
    named = copy(app)
    named.registered_commands = [one for one in app.registered_commands if one.callback and one.callback.__name__ == name]
    return named if named.registered_commands else app


def _named_command() -> str:
    """The word in the place of a command, on the command line or where Tab was pressed."""
    typed = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    _, word, *_ = [*(typed.split() if "_SMTPREF_COMPLETE" in os.environ else sys.argv), "", ""]
    return word


def main() -> int:
    """Run the command line and return its exit status; every error becomes one line on stderr and a hint."""
    _make_streams_forgiving()
    try:
        status = _app_of(_named_command())(standalone_mode=False, prog_name="smtpref")
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
        return _end_quietly()
    except SystemExit as stop:
        # Typer ends a closed pipe and --install-completion by itself.
        return _end_quietly() if stop.code == 1 else int(stop.code or 0)
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


def _end_quietly() -> int:
    """Whoever reads has seen enough; what is still buffered must not fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return Status.FOUND


def _make_streams_forgiving() -> None:
    """An output that cannot hold a letter loses the letter, not the run."""
    # A closed standard stream is none at all.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (until the process ends)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace", newline="\n")


def _usage_lines(error: typer.TyperException, language: Language) -> list[str]:
    """A mistake in the command line; a word in the place of a command gets the command that it needs."""
    first, *rest = [*sys.argv[1:], ""]
    if first and first not in COMMANDS and not first.startswith("-"):
        return error_lines(WrongUsage("error-command", *_commands_for(first, rest), given=first), language)
    message = " ".join(error.format_message().split())
    command = f"smtpref {first} --help" if first in COMMANDS else "smtpref --help"
    return [f"smtpref: {message[:1].lower()}{message[1:].rstrip('.')}", phrase("try", language, commands=command)]


def _commands_for(word: str, rest: list[str]) -> list[str]:
    """What was meant by a `word` that is no command: a mistyped one, a code, or something to search for."""
    import difflib
    import shlex

    if word == "help":
        return ["smtpref --help"]
    meant = difflib.get_close_matches(word, COMMANDS, n=1)
    if meant:
        return [shlex.join(["smtpref", meant[0], *filter(None, rest)])]
    command = "explain" if any(character.isdigit() for character in word) else "search"
    return [shlex.join(["smtpref", command, word]), "smtpref --help"]


def _asked_language() -> str | None:
    """The --lang of a command line that may be wrong elsewhere."""
    for option, value in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        if option == "--lang":
            return value
        if option.startswith("--lang="):
            return option.removeprefix("--lang=")
    return None
