"""What the reader sees: headings, answers as they come, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aigw import GatewayLog
    from examples.demo.answering import Piece
    from examples.demo.calls import Call

_WIDTH_OF_A_FILE: Final = 120
_WIDE: Final = 1000
_INDENT: Final = "  "
_ABOVE: Final = {"call": "framework", "log id": "model"}
_NUMBERS: Final = frozenset({"in", "out", "time", "feedback", "score"})

Row = dict[str, str]
"""One row of a table, by its columns' heads."""


def open_console() -> Console:
    """Give the terminal, or a page of fixed width when the output goes elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_FILE)


def show_heading(console: Console, title: str) -> None:
    """Open a part."""
    console.print()
    console.rule(f"[bold]{title}", align="left", style="dim")


def show_facts(console: Console, facts: Sequence[tuple[str, str]]) -> None:
    """Show names and what they stand for, aligned."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        grid.add_row(name, Text(value))
    console.print(grid)


def show_answer(console: Console, pieces: Iterable[Piece]) -> dict[str, Any]:
    """Write an answer as it comes, wrapped between words.

    Returns:
        What the gateway said of it.
    """
    facts: dict[str, Any] = {}
    wrap = WordWrap(console.width - len(_INDENT))
    console.out(_INDENT, end="")
    try:
        for piece in pieces:
            facts |= piece.facts
            _write(console, wrap.feed(piece.text))
    finally:
        _write(console, wrap.close())
        console.print()
    return facts


def show_rows(console: Console, rows: Sequence[Row]) -> None:
    """Show rows as a table: one line each where that fits, else with two columns stacked in one."""
    table = _table(rows)
    if _needed(console, table) > console.width:
        table = _table([_stacked(row) for row in rows])
    table.width = _needed(console, table)
    console.print(table, crop=False)


def _needed(console: Console, table: Table) -> int:
    """Tell the width at which nothing is shortened; a log id is of no use unless it is whole."""
    return console.measure(table, options=console.options.update_width(_WIDE)).maximum


def call_row(call: Call, log: GatewayLog) -> Row:
    """Describe one call."""
    return {
        "framework": call.framework,
        "call": call.step,
        "model": log.model or "-",
        "log id": call.log_id,
        "cache": call.info.cache_status or "-",
        "in": _number(log.tokens_in),
        "out": _number(log.tokens_out),
        "time": _milliseconds(log.duration),
    }


def rating_row(framework: str, log: GatewayLog) -> Row:
    """Describe what a log says of the reader's opinion."""
    return {
        "framework": framework,
        "log id": log.id,
        "feedback": _number(log.feedback),
        "score": _number(log.score),
    }


@dataclass(slots=True)
class WordWrap:
    """Breaks text into lines between words while it still comes, a piece at a time.

    Attributes:
        width: Columns of a line.
    """

    width: int
    _column: int = 0
    _word: str = ""

    def feed(self, text: str) -> str:
        """Take more text; give what can be written already."""
        *whole, self._word = re.split(r"(?<=\s)|(?=\s)", self._word + text)
        return "".join(map(self._place, whole))

    def close(self) -> str:
        """Give the last word."""
        word, self._word = self._word, ""
        return self._place(word)

    def _place(self, word: str) -> str:
        if word == "\n":
            self._column = 0
            return word
        breaks = self._column > 0 and self._column + len(word) > self.width
        if breaks and word.isspace():
            return ""
        self._column = len(word) if breaks else self._column + len(word)
        return f"\n{word}" if breaks else word


def _write(console: Console, text: str) -> None:
    console.out(text.replace("\n", f"\n{_INDENT}"), end="")
    console.file.flush()


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for head in rows[0]:
        table.add_column(head, no_wrap=True, justify="right" if head in _NUMBERS else "left")
    for row in rows:
        table.add_row(*(Text(value) for value in row.values()))
    return table


def _stacked(row: Row) -> Row:
    """Put what belongs together into one cell of two lines: framework over call, model over log id."""
    stacked: Row = {}
    for head, value in row.items():
        upper = _ABOVE.get(head, "")
        if upper in stacked:
            stacked[f"{upper}\n{head}"] = f"{stacked.pop(upper)}\n{value}"
        else:
            stacked[head] = value
    return stacked


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.12g}"


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"
