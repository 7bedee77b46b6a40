"""What a mail server's answer means, how it differs from another, what happened to a message, and what to do now.

The functions here are the whole public interface of the library; they answer with the typed values of `smtpref.model`.
Importing smtpref imports neither yaml, typer nor rich.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import KnowledgeError, NotACode, SmtprefError, Unreadable, WrongUsage
from .knowledge import Knowledge, Language, load_knowledge

if TYPE_CHECKING:
    from .model import Classified, Comparison, Entry

__version__ = "0.1.0"

__all__ = [
    "Classified",
    "Comparison",
    "Entry",
    "KnowledgeError",
    "NotACode",
    "SmtprefError",
    "Unreadable",
    "WrongUsage",
    "__version__",
    "classify",
    "classify_file",
    "compare",
    "explain",
    "search",
]


def explain(*codes: str, lang: Language = "en") -> list[Entry]:
    """Return what the codes mean, the most exact entry of each first; raises NotACode for the first that is none."""
    from .explanation import explain_codes

    explanation = explain_codes(codes, _knowledge(), lang)
    if explanation.errors:
        raise explanation.errors[0]
    return list(explanation.entries)


def compare(*codes: str, lang: Language = "en") -> Comparison:
    """Return two to four codes side by side and what sets them apart; raises NotACode, or WrongUsage for another number of codes."""
    from .comparison import compare_codes

    return compare_codes(codes, _knowledge(), lang)


def search(*words: str, lang: Language = "en") -> list[Entry]:
    """Return the entries that have all the words, best first; without words, all of them."""
    from .reference import Reference
    from .search import Filters, search_entries

    return search_entries(words, Reference(_knowledge(), lang), Filters())


def classify(text: str) -> list[Classified]:
    """Return what happened, by the replies and log lines in `text`; empty where it holds no outcome."""
    from .classification import classify_text

    return classify_text(text, _knowledge())


def classify_file(path: str) -> Iterator[Classified]:
    """Yield what happened, by the file at `path`, as it is read; raises Unreadable where it cannot be."""
    from .classification import classify_path

    return classify_path(path, _knowledge())


@cache
def _knowledge() -> Knowledge:
    return load_knowledge()


def __getattr__(name: str) -> Any:
    """The values that the functions answer with, made when somebody asks for them."""
    if name not in ("Classified", "Comparison", "Entry"):
        raise AttributeError(name)
    from . import model

    return getattr(model, name)
