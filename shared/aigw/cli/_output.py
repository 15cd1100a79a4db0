"""What a command prints: JSON or text on stdout, remarks on stderr, and never a token.

Everything goes through one `Output`, which takes the credentials out of each text, and out of text for people also the
control characters, with which a model's answer or a log could command the terminal.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aigw._error_bodies import hide
from aigw._json import dump_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WIDTH_OF_A_PIPE: Final = 120


def printable(text: str) -> str:
    """Give a text without control characters other than newline and tab."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


class Output:
    """Where one command prints.

    Args:
        as_json: Whether stdout is for a program.
        secrets: What is hidden wherever it stands.
    """

    def __init__(self, *, as_json: bool = False, secrets: Iterable[str] = ()) -> None:
        self.as_json = as_json
        self._secrets = tuple(secrets)

    def hiding(self, *secrets: str) -> Output:
        """Give one that hides these, too."""
        return Output(as_json=self.as_json, secrets=(*self._secrets, *secrets))

    @property
    def console(self) -> Console:
        """The console of stdout; a pipe is as wide as a wide terminal."""
        width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
        return Console(highlight=False, markup=False, emoji=False, width=width)

    def write(self, text: str) -> None:
        """Print a piece of text for people, and let it be seen at once."""
        self.raw(printable(text))

    def raw(self, text: str) -> None:
        """Print text for a program as it is, but for the credentials."""
        sys.stdout.write(hide(text, self._secrets))
        sys.stdout.flush()

    def json(self, value: Any) -> None:
        """Print one JSON document on one line."""
        self.raw(dump_json(value).decode() + "\n")

    def cell(self, text: str, style: str | Style = "") -> Text:
        """Make a cell of a table; what is to be hidden is hidden before the cell is cut or broken."""
        return Text(hide(printable(text), self._secrets), style=style)

    def show(self, table: Table) -> None:
        """Print a table of such cells."""
        console = self.console
        with console.capture() as captured:  # rich itself would end the process when a pipe's reader has gone
            console.print(table)
        sys.stdout.write(captured.get())
        sys.stdout.flush()

    def remark(self, text: str) -> None:
        """Print one line on stderr."""
        sys.stderr.write(hide(printable(text), self._secrets) + "\n")
        sys.stderr.flush()


def new_table(*titles: str) -> Table:
    """Make a table of this command line's look, which breaks what is too wide for it.

    A title that begins with `>` has its column on the right.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        is_right = title.startswith(">")
        table.add_column(title.removeprefix(">"), justify="right" if is_right else "left", overflow="fold")
    return table
