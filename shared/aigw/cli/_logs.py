"""`cf-aigw logs list|get|tail`: logs on the terminal or as JSON lines."""

import itertools
import json
import time
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from aigw._answer_texts import events_of, json_or_none, said
from aigw._calls._log_calls import MAX_PER_PAGE, LogFilter
from aigw._errors import ConfigurationError
from aigw._facts import GatewayLog
from aigw._gateway import Gateway
from aigw.cli._command import add_command
from aigw.cli._log_view import log_dict, log_table
from aigw.cli._output import Output
from aigw.cli._pages import SeenIds, iter_once, iter_pages, take
from aigw.cli._session import Session
from aigw.cli._values import parse_filters

Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="KEY:OP:VALUE", help="Such as model:contains:gpt or success:eq:false; repeat."),
]
EventId = Annotated[str | None, typer.Option("--event-id", metavar="ID", help="Only the call sent with this event id.")]
OrderBy = Annotated[
    str, typer.Option("--order-by", metavar="FIELD", help="created_at, provider, model, model_type, success or cached.")
]
_MOST_PAGES: Final = 20
_LEAST_FOR_PAIRS: Final = 60
"""The terminal's width from which on a name and its value share a line: an id of 36 characters fits then."""


def list_(
    session: Session,
    filters: Filters = None,
    event_id: EventId = None,
    order_by: OrderBy = "created_at",
    *,
    ascending: Annotated[bool, typer.Option("--asc", help="Oldest, or smallest, first.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most so many.")] = 20,
) -> None:
    """List logs, newest first."""
    wanted = parse_filters(filters or (), event_id)
    direction = "asc" if ascending else "desc"
    with session.client() as client:
        pages = iter_pages(
            client.gateway(), wanted, order_by=order_by, direction=direction, per_page=min(limit, MAX_PER_PAGE)
        )
        found = take(iter_once(pages), limit)
        if session.output.as_json:
            for log in found:
                session.output.json(log_dict(log))
        else:
            _show_table(session.output, list(found))


def get(
    session: Session,
    log_id: Annotated[str, typer.Argument(metavar="LOG_ID")],
    *,
    request: Annotated[bool, typer.Option("--request", help="The request's body, too.")] = False,
    response: Annotated[bool, typer.Option("--response", help="The response's body, too.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="A streamed body as its events, and not as what they say.")
    ] = False,
    wait: Annotated[float, typer.Option("--wait", metavar="S", help="Wait so long for a log to be complete.")] = 0,
) -> None:
    """Show one log."""
    with session.client() as client:
        gateway = client.gateway()
        shown = log_dict(gateway.get_log(log_id, wait=wait))
        bodies = {}
        if request:
            bodies["request"] = _text_of(gateway.log_request(log_id))
        if response:
            bodies["response"] = _text_of(gateway.log_response(log_id))
    if session.output.as_json:
        session.output.json({**shown, **bodies})
    else:
        heads = {f"{name}_{key}" for name in bodies for key in ("head", "head_complete")}  # the bodies say it whole
        facts = {name: value for name, value in shown.items() if name not in heads}
        _show_log(session.output, facts, bodies if raw else {name: _told(body) for name, body in bodies.items()})


def tail(
    session: Session,
    filters: Filters = None,
    event_id: EventId = None,
    *,
    last: Annotated[
        int, typer.Option("--last", min=0, max=MAX_PER_PAGE, metavar="N", help="So many that are already there first.")
    ] = 5,
    interval: Annotated[float, typer.Option("--interval", min=0.05, metavar="S", help="Seconds between looks.")] = 2,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="End after so many.")] = None,
) -> None:
    """Show logs as they come, until Ctrl-C."""
    wanted = parse_filters(filters or (), event_id)
    with session.client() as client:
        coming = _follow(client.gateway(), wanted, last, interval)
        for number, log in enumerate(take(coming, limit)):
            if session.output.as_json:
                session.output.json(log_dict(log))
            else:
                session.output.show(log_table([log], session.output, heading=number == 0))


def add_to(app: typer.Typer) -> None:
    """Add the three commands."""
    add_command(app, "list")(list_)
    add_command(app, "get")(get)
    add_command(app, "tail")(tail)


def _follow(gateway: Gateway, filters: list[LogFilter], last: int, interval: float) -> Any:
    """Give the last logs, then each new one once, oldest first."""
    seen = SeenIds()
    present = gateway.list_logs(filters=filters, per_page=MAX_PER_PAGE).logs
    fresh = [log for log in reversed(present) if seen.is_new(log.id)]
    yield from fresh[len(fresh) - min(last, len(fresh)) :]
    while True:
        time.sleep(interval)
        yield from _newer(gateway, filters, seen)


def _newer(gateway: Gateway, filters: list[LogFilter], seen: SeenIds) -> list[GatewayLog]:
    fresh: list[GatewayLog] = []
    for page in itertools.islice(iter_pages(gateway, filters, direction="desc"), _MOST_PAGES):
        unseen = [log for log in page.logs if log.id not in seen]
        fresh += unseen
        if len(unseen) < len(page.logs):
            break
    return [log for log in reversed(fresh) if seen.is_new(log.id)]


def _show_table(output: Output, logs: list[GatewayLog]) -> None:
    if logs:
        output.show(log_table(logs, output))
    else:
        output.remark("No logs fit.")


def _show_log(output: Output, shown: dict[str, Any], bodies: dict[str, Any]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    is_wide = output.console.width >= _LEAST_FOR_PAIRS
    if is_wide:
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in shown.items():
        if value not in (None, ""):
            pair = (output.cell(name, "bold"), output.cell(value if isinstance(value, str) else json.dumps(value)))
            for cells in [pair] if is_wide else zip(pair):
                table.add_row(*cells)
    output.show(table)
    for name, body in bodies.items():
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        output.write(f"\n{name}:\n{text}\n")


def _told(body: Any) -> Any:
    """Give what a streamed body says, and the tools it calls a line each; a body that says nothing so as it is."""
    if not isinstance(body, str):
        return body
    text, tools = said(map(json_or_none, events_of(body.encode())))
    return "\n".join(filter(None, (text, *tools))) or body


def _text_of(body: Any) -> Any:
    if not isinstance(body, bytes):
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError("the body is binary: export it with the library's log_request or log_response") from (
            error
        )
