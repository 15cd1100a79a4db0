"""The command line `cf-aigw`: the gateway from a shell, the same against Cloudflare and against the local gateway.

Apart from the library, which never prints. Typer and rich are the extra `aigw[cli]`; nothing here imports them before
`main` runs, so that a missing one is a sentence.
"""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["main"]

_EXTRA: Final = frozenset({"typer", "rich"})


def main() -> None:
    """Run the command line, the entry point of the console script, and exit with one of its documented codes."""
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
