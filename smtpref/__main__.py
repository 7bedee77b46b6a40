"""`python -m smtpref`, and the console script."""

import os
import sys
from types import ModuleType


def run() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is still being imported."""
    if "_SMTPREF_COMPLETE" in os.environ:
        _speak_plainly()
    try:
        from .cli import main  # noqa: PLC0415  (Ctrl-C during the imports)

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


def _speak_plainly() -> None:
    """A completion's descriptions are plain text; Typer would import all of Rich to render each as markup, while somebody waits who pressed Tab."""
    os.environ["TYPER_USE_RICH"] = "0"
    plain = ModuleType("typer.rich_utils")
    plain.__dict__["rich_render_text"] = str
    sys.modules[plain.__name__] = plain


if __name__ == "__main__":
    run()
