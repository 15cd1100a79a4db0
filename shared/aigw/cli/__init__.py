"""The command line `cf-aigw`: the gateway from a shell, the same against Cloudflare and against the local gateway.

Apart from the library, which never prints. Typer and rich are the extra `aigw[cli]`; nothing here imports them before
`main` runs, so that a missing one is a sentence.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final

__all__ = ["main"]

_EXTRA: Final = frozenset({"typer", "rich"})


def main() -> None:
    """Run the command line, the entry point of the console script, and exit with one of its documented codes."""
    _prepare_streams()
    try:
        from aigw.cli._app import app  # noqa: PLC0415  the extra may be missing
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.stderr.write(f'cf-aigw: the command line needs {missing}: pip install "aigw[cli]"\n')
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    app()


def _prepare_streams() -> None:
    """Open the standard streams that a caller closed, and let no text be one that stdout cannot show.

    A program that reads stdout gets UTF-8 on every system; a terminal shows `?` for what it does not have.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 -- until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="replace")
