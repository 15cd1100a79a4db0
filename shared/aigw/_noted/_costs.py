"""What calls cost, added up: rows of a table, and the table as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, overload

from aigw._errors import ConfigurationError
from aigw._given import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from aigw._noted._recorded import RecordedCall

_HEADINGS: Final = ("calls", "cached", "input", "output", "USD", "unknown")
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class CostRow:
    """What some calls cost.

    Attributes:
        name: The model, run or label that they have in common; `None` where they have none.
        calls: Requests to the gateway, failed ones and retries too; answers that a framework's own cache gave are none.
        cached: Of these, answers that the gateway's cache gave.
        input_tokens: Tokens of the prompts, as far as they are known.
        output_tokens: Tokens of the answers, as far as they are known.
        cost: US dollars, as far as they are known.
        unknown_cost: Calls whose cost is not known: the log is late or not kept, or the model has no known price.
    """

    name: str | None
    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unknown_cost: int = 0


class Costs(Sequence[CostRow]):
    """What calls cost, one row for each model, run or label, the dearest first; `str` makes a table of it.

    Args:
        by: What the rows are told apart by.
        rows: The rows.

    Attributes:
        by: What the rows are told apart by.
    """

    def __init__(self, by: str, rows: Iterable[CostRow]) -> None:
        self.by = by
        self._rows = sorted(rows, key=lambda row: (-row.cost, -row.calls, row.name or ""))

    @property
    def total(self) -> CostRow:
        """The sum of all rows, named `total`."""
        return _add("total", self._rows)

    @overload
    def __getitem__(self, index: int) -> CostRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[CostRow]: ...
    def __getitem__(self, index: int | slice) -> CostRow | list[CostRow]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Costs) and (self.by, self._rows) == (other.by, other._rows)

    __hash__ = None  # type: ignore[assignment]  # as every sequence that is compared by what it holds

    def __repr__(self) -> str:
        return f"Costs({self.by!r}, {self._rows!r})"

    def __str__(self) -> str:
        lines = [(self.by, *_HEADINGS), *map(_cells, (*self._rows, self.total))]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(_line(cells, widths) for cells in lines)

    def __rich__(self) -> Table:
        """Give the table as `rich` prints it."""
        from rich.table import Table  # noqa: PLC0415  asked for by rich alone, which then is there

        table = Table(show_footer=True)
        for heading, footer in zip((self.by, *_HEADINGS), _cells(self.total), strict=True):
            table.add_column(heading, footer, justify="left" if heading == self.by else "right")
        for row in self._rows:
            table.add_row(*_cells(row))
        return table


def sum_costs(calls: Iterable[RecordedCall], by: str) -> Costs:
    """Add up what calls cost.

    Args:
        calls: The calls, with what their logs say.
        by: `model`, `run`, or a key of the logs' metadata.

    Raises:
        ConfigurationError: `by` is no such text.
    """
    check_by(by)
    rows: dict[str | None, list[CostRow]] = {}
    for call in calls:
        if not call.is_replayed:
            rows.setdefault(_name_of(call, by), []).append(_row_of(call))
    return Costs(by, (_add(name, found) for name, found in rows.items()))


def check_by(by: Any) -> None:
    """Refuse what cannot tell rows apart.

    Raises:
        ConfigurationError: It is no text, or empty.
    """
    if not isinstance(by, str) or not by:
        raise ConfigurationError(f"by cannot be {shown(by)}: it is 'model', 'run', or a key of the calls' metadata")


def _name_of(call: RecordedCall, by: str) -> str | None:
    if by == "model":
        return call.answered_by
    if by == "run":
        return call.root_id
    value = ((call.log.metadata if call.log else None) or {}).get(by)
    return None if value is None else str(value)


def _row_of(call: RecordedCall) -> CostRow:
    cost = 0.0 if call.cost is None and call.is_cached else call.cost
    return CostRow(
        name=None,
        calls=1,
        cached=int(call.is_cached),
        input_tokens=call.input_tokens or 0,
        output_tokens=call.output_tokens or 0,
        cost=cost or 0.0,
        unknown_cost=int(cost is None),
    )


def _add(name: str | None, rows: Sequence[CostRow]) -> CostRow:
    return CostRow(
        name=name,
        calls=sum(row.calls for row in rows),
        cached=sum(row.cached for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost=sum(row.cost for row in rows),
        unknown_cost=sum(row.unknown_cost for row in rows),
    )


def _cells(row: CostRow) -> tuple[str, ...]:
    counts = (row.calls, row.cached, row.input_tokens, row.output_tokens)
    return (row.name or _NOTHING, *(f"{count:,}" for count in counts), f"{row.cost:.6f}", f"{row.unknown_cost:,}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join((f"{first.strip():<{widths[0]}}", *others)).rstrip()
