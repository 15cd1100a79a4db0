"""`cf-aigw logs export`: all logs to a file or stdout, in constant memory.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and metadata, event ids and models come
from whoever called the gateway. Texts that begin so get an apostrophe in front; numbers stay numbers.
Source: OWASP, CSV Injection.
"""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from aigw._calls._log_calls import LogFilter
from aigw._error_bodies import hide
from aigw._errors import ConfigurationError
from aigw._facts import GatewayLog, LogPage
from aigw._gateway import Gateway
from aigw._json import dump_json
from aigw.cli._command import add_command
from aigw.cli._log_view import log_dict
from aigw.cli._logs import EventId, Filters
from aigw.cli._pages import iter_once, iter_pages, take
from aigw.cli._session import Session
from aigw.cli._values import parse_filters

CSV_COLUMNS: Final = (
    "id",
    "created_at",
    "provider",
    "model",
    "model_type",
    "path",
    "status_code",
    "success",
    "cached",
    "duration",
    "tokens_in",
    "tokens_out",
    "cost",
    "feedback",
    "score",
    "event_id",
    "step",
    "metadata",
)

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class Format(StrEnum):
    """What a file of logs is written as."""

    JSONL = "jsonl"
    CSV = "csv"


def export(
    session: Session,
    filters: Filters = None,
    event_id: EventId = None,
    *,
    to: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file; - for stdout.")] = "-",
    form: Annotated[Format | None, typer.Option("--format", help="Else by the file's name, else jsonl.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="At most so many.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write all logs that fit, oldest first, each once."""
    wanted = parse_filters(filters or (), event_id)
    chosen = form or (Format.CSV if to.endswith(".csv") else Format.JSONL)
    with session.client() as client, _open(to, force=force) as file, _bar(to) as progress:
        task = progress.add_task("Exporting", total=None)
        logs = take(iter_once(_watched(client.gateway(), wanted, limit, progress, task)), limit)
        written = 0
        file.write(_HEADINGS[chosen])
        for written, log in enumerate(logs, 1):
            file.write(hide(_ENCODERS[chosen](log), (session.token,)))
            progress.update(task, completed=written)
    if to != "-":
        session.output.remark(f"{written} logs in {to}")
        if session.output.as_json:
            session.output.json({"output": to, "logs": written})


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, "export")(export)


def _open(to: str, *, force: bool) -> AbstractContextManager[TextIO]:
    if to == "-":
        return nullcontext(sys.stdout)
    try:
        return Path(to).open("w" if force else "x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise ConfigurationError(f"{to} exists: give --force to write over it") from error


@contextmanager
def _bar(to: str) -> Iterator[Progress]:
    """A bar on stderr, shown only where that is a terminal and the logs do not go to the same."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    shows = console.is_terminal and not (to == "-" and sys.stdout.isatty())
    with progress if shows else nullcontext():
        yield progress


def _watched(
    gateway: Gateway, filters: list[LogFilter], limit: int | None, progress: Progress, task: TaskID
) -> Iterator[LogPage]:
    """Give the pages, and tell the bar how many logs there are."""
    for page in iter_pages(gateway, filters):
        if page.total_count is not None:
            progress.update(task, total=min(page.total_count, limit or page.total_count))
        yield page


def _json_line(log: GatewayLog) -> str:
    return dump_json(log_dict(log)).decode() + "\n"


def _csv_line(log: GatewayLog) -> str:
    shown = log_dict(log)
    return _csv_row([_csv_cell(shown[name]) for name in CSV_COLUMNS])


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    text = dump_json(value).decode() if isinstance(value, dict | list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _csv_row(cells: Any) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(cells)  # quotes what has either of the two in it
    return row.getvalue().removesuffix("\r\n") + "\n"


_ENCODERS: Final[dict[Format, Callable[[GatewayLog], str]]] = {Format.JSONL: _json_line, Format.CSV: _csv_line}
_HEADINGS: Final = {Format.JSONL: "", Format.CSV: _csv_row(CSV_COLUMNS)}
