"""`cf-aigw cost`: what the logs add up to, by model, day, provider or label."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Annotated, Any, Final

import typer

from aigw._errors import ConfigurationError
from aigw._facts import GatewayLog
from aigw._given import shown
from aigw.cli._command import add_command
from aigw.cli._log_view import money
from aigw.cli._logs import EventId, Filters
from aigw.cli._output import Output, new_table
from aigw.cli._pages import iter_once, iter_pages
from aigw.cli._session import Session
from aigw.cli._values import parse_filters

Key = Callable[[GatewayLog], str]


@dataclass(slots=True)
class Sum:
    """What the logs of one group add up to.

    Attributes:
        key: The group: a model, a day, ...; empty for logs that have none.
        calls: Logs.
        cached: Those that the cache answered.
        unpriced: Those without a cost.
        tokens_in: Prompt tokens.
        tokens_out: Answer tokens.
        cost: US dollars.
    """

    key: str
    calls: int = 0
    cached: int = 0
    unpriced: int = 0
    tokens_in: float = 0
    tokens_out: float = 0
    cost: float = 0.0

    def add(self, log: GatewayLog) -> None:
        """Count one log in."""
        self.calls += 1
        self.cached += bool(log.cached)
        self.unpriced += log.cost is None
        self.tokens_in += log.tokens_in or 0
        self.tokens_out += log.tokens_out or 0
        self.cost += log.cost or 0.0


def cost(
    session: Session,
    by: Annotated[str, typer.Option("--by", metavar="KEY", help="model, day, provider or metadata.NAME.")] = "model",
    filters: Filters = None,
    event_id: EventId = None,
) -> None:
    """Add up what calls cost, from their logs."""
    key, wanted = _key(by), parse_filters(filters or (), event_id)
    with session.client() as client:
        sums, total = add_up(iter_once(iter_pages(client.gateway(), wanted)), key)
    if session.output.as_json:
        session.output.json({"by": by, "groups": [asdict(each) for each in sums], "total": _total_dict(total)})
    else:
        _show(session.output, by, sums, total)


def add_up(logs: Iterable[GatewayLog], key: Key) -> tuple[list[Sum], Sum]:
    """Give the sum of each group, the dearest first, and of all."""
    sums: dict[str, Sum] = {}
    total = Sum("")
    for log in logs:
        name = key(log)
        sums.setdefault(name, Sum(name)).add(log)
        total.add(log)
    return sorted(sums.values(), key=lambda each: (-each.cost, each.key)), total


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, "cost")(cost)


def _day(log: GatewayLog) -> str:
    return log.created_at.astimezone(UTC).date().isoformat() if log.created_at else ""


_KEYS: Final[dict[str, Key]] = {
    "model": lambda log: log.model or "",
    "provider": lambda log: log.provider or "",
    "day": _day,
}


def _key(by: str) -> Key:
    kind, _, name = by.partition(".")
    if kind == "metadata" and name:
        return lambda log: str((log.metadata or {}).get(name, ""))
    if by not in _KEYS:
        raise ConfigurationError(f"--by cannot be {shown(by)}: it is {', '.join(_KEYS)} or metadata.NAME")
    return _KEYS[by]


def _total_dict(total: Sum) -> dict[str, Any]:
    return {name: value for name, value in asdict(total).items() if name != "key"}


def _show(output: Output, by: str, sums: list[Sum], total: Sum) -> None:
    if not sums:
        output.remark("No logs fit.")
        return
    columns = _COLUMNS if output.console.width >= _LEAST_FOR_ALL else (_COLUMNS[0], _COLUMNS[-1])
    table = new_table(by.upper(), *(f">{title}" for title, _ in columns))
    for each in sums:
        key = output.cell(each.key) if each.key else output.cell("(none)", "dim")
        table.add_row(key, *(number(each) for _, number in columns))
    table.add_section()
    table.add_row("Total", *(number(total) for _, number in columns), style="bold")
    output.show(table)
    if total.unpriced:
        output.remark(f"{total.unpriced} of {total.calls} calls have no cost in their log.")


_LEAST_FOR_ALL: Final = 60
"""The terminal's width from which on all columns are shown."""

_COLUMNS: Final[tuple[tuple[str, Callable[[Sum], str]], ...]] = (
    ("CALLS", lambda each: f"{each.calls:,}"),
    ("CACHED", lambda each: f"{each.cached:,}"),
    ("TOKENS IN", lambda each: f"{each.tokens_in:,.0f}"),
    ("TOKENS OUT", lambda each: f"{each.tokens_out:,.0f}"),
    ("COST", lambda each: money(each.cost)),
)
