"""How a log looks: one row of a table as wide as the terminal allows, or one plain dict with the same keys always."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from aigw._facts import GatewayLog
    from aigw.cli._output import Output


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table of logs.

    Attributes:
        title: Its heading.
        cell: Reads a log.
        width: Its width; `None` shares what the others leave.
        from_width: The terminal's width from which on it is shown.
        is_right: Whether it is a number.
    """

    title: str
    cell: Callable[[GatewayLog], Text]
    width: int | None
    from_width: int = 0
    is_right: bool = False


def log_dict(log: GatewayLog) -> dict[str, Any]:
    """Give a log as JSON values, with every key also where it is empty."""
    return log.model_dump(mode="json")


def log_table(logs: Iterable[GatewayLog], output: Output, *, heading: bool = True) -> Table:
    """Lay logs out for a terminal."""
    width = output.console.width
    columns = [column for column in COLUMNS if width >= column.from_width]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_header=heading, width=width)
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_right else "left",
            width=column.width,
            ratio=None if column.width else 1,
            no_wrap=True,
            overflow="ellipsis",
        )
    for log in logs:
        cells = (column.cell(log) for column in columns)
        table.add_row(*(output.cell(cell.plain, cell.style) for cell in cells))
    return table


def money(cost: float | None) -> str:
    """Give US dollars, to a millionth."""
    return "-" if cost is None else f"${cost:,.6f}"


def _moment(pattern: str) -> Callable[[GatewayLog], Text]:
    return lambda log: Text(_local(log.created_at, pattern), style="dim")


def _local(moment: datetime | None, pattern: str) -> str:
    return moment.astimezone().strftime(pattern) if moment else "-"


def _state(log: GatewayLog) -> Text:
    if log.cached:
        return Text("hit", style="cyan")
    if log.success:
        return Text("ok", style="green")
    return Text(str(log.status_code or "fail"), style="red")


def _model(log: GatewayLog) -> Text:
    return Text(log.model or "-")


def _provider(log: GatewayLog) -> Text:
    return Text(log.provider or "-")


def _tokens(log: GatewayLog) -> Text:
    return Text(f"{log.tokens_in or 0:g}/{log.tokens_out or 0:g}")


def _cost(log: GatewayLog) -> Text:
    return Text(money(log.cost))


def _duration(log: GatewayLog) -> Text:
    return Text("-" if log.duration is None else f"{log.duration:,.0f}")


def _feedback(log: GatewayLog) -> Text:
    return Text("" if log.feedback is None else f"{log.feedback:+g}", style="bold")


def _id(log: GatewayLog) -> Text:
    return Text(log.id, style="blue")


_LONG: Final = 112
COLUMNS: Final = (
    Column("TIME", _moment("%H:%M:%S"), 8, 45),
    Column("DAY", _moment("%m-%d"), 5, _LONG),
    Column("RESULT", _state, 6, 52),
    Column("PROVIDER", _provider, 10, _LONG),
    Column("MODEL", _model, None, 70),
    Column("IN/OUT", _tokens, 9, _LONG, is_right=True),
    Column("MS", _duration, 6, _LONG, is_right=True),
    Column("COST", _cost, 9, 62, is_right=True),
    Column("FB", _feedback, 2, _LONG, is_right=True),
    Column("LOG", _id, 36),
)
"""At 80 columns what finds a log again, at 112 everything; the id is whole in the narrowest terminal."""
