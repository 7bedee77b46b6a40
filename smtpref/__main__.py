"""`python -m smtpref`, and the console script."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is still being imported."""
    try:
        from .cli import main  # noqa: PLC0415  (Ctrl-C during the imports)

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
