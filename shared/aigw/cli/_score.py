"""`cf-aigw score`: a judge of your own over every log that fits, resumable."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aigw._async_client import AsyncAIGateway
from aigw.cli._command import add_command
from aigw.cli._exit_codes import ExitCode
from aigw.cli._logs import EventId
from aigw.cli._output import Output
from aigw.cli._session import Session
from aigw.cli._values import parse_filters
from aigw.scoring._judges import Judge, judge_name, load_judge
from aigw.scoring._progress import default_path
from aigw.scoring._run import MAX_RETRIES, score_logs
from aigw.scoring._summary import ScoredLog, ScoringSummary

Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter", "--filters", metavar="KEY:OP:VALUE", help="Such as model:contains:gpt or success:eq:true; repeat."
    ),
]
_SHOWN: Final = ("scored", "skipped", "failed", "undelivered", "already", "unsampled")


def score(
    session: Session,
    judge: Annotated[
        str,
        typer.Option("--judge", metavar="MODULE:FUNCTION", help="Who judges: a function of one log, sync or async."),
    ],
    filters: Filters = None,
    event_id: EventId = None,
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="metadata.source of the logs; else the judge's own.")
    ] = None,
    progress: Annotated[
        Path | None,
        typer.Option("--progress", metavar="FILE", help="How far it came; else named by gateway and judge, here."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, metavar="N", help="Logs judged or sent at once.")
    ] = 8,
    bodies: Annotated[
        bool | None, typer.Option("--bodies/--no-bodies", help="Read both bodies before the judge is asked.")
    ] = None,
    sample: Annotated[
        float, typer.Option("--sample", metavar="SHARE", help="Only so many of the logs, such as 0.1; always the same.")
    ] = 1.0,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="Judge at most so many.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Judge also what was judged before.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask the judge and print what it says; send and keep nothing.")
    ] = False,
) -> None:
    """Judge every log that fits, oldest first, and send each verdict to its log."""
    wanted, found, client = parse_filters(filters or (), event_id), _load(judge), _client(session)
    called = name or judge_name(judge)
    with _bar() as advance:
        summary = score_logs(
            found,
            client=client,
            filters=wanted,
            progress=progress or default_path(client.gateway_id, called),
            name=called,
            concurrency=concurrency,
            bodies=bodies,
            sample=sample,
            limit=limit,
            again=again,
            dry_run=dry_run,
            watch=_watch(session.output, advance, shows_verdicts=dry_run),
        )
    _show(session.output, summary, is_dry=dry_run)
    if not summary.is_finished:
        raise typer.Exit(ExitCode.REFUSED)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, "score")(score)


def _load(judge: str) -> Judge:
    if "" not in sys.path:
        sys.path.insert(0, "")  # a judge stands in the current folder more often than in a package
    return load_judge(judge)


def _client(session: Session) -> AsyncAIGateway:
    session.client().close()  # asks a terminal for the token
    target = session.target
    return AsyncAIGateway(
        target.account_id, session.token or None, target.gateway, base_url=target.base_url, max_retries=MAX_RETRIES
    )


@contextmanager
def _bar() -> Iterator[Callable[[ScoringSummary], None]]:
    """A bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("Scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("", total=None)

    def advance(summary: ScoringSummary) -> None:
        done = sum(getattr(summary, state) for state in _SHOWN)
        failed = f"{summary.failed} failed" if summary.failed else ""
        bar.update(task, completed=done, total=summary.total, description=failed)

    with bar if console.is_terminal else nullcontext():
        yield advance


def _watch(
    output: Output, advance: Callable[[ScoringSummary], None], *, shows_verdicts: bool
) -> Callable[[ScoringSummary, ScoredLog | None], None]:
    def watch(summary: ScoringSummary, scored: ScoredLog | None) -> None:
        advance(summary)
        if shows_verdicts and scored is not None and scored.changes:
            _show_verdict(output, scored)

    return watch


def _show_verdict(output: Output, scored: ScoredLog) -> None:
    changes = dict(scored.changes or {})
    if output.as_json:
        output.json({"log_id": scored.log_id, "changes": changes})
    else:
        output.write(f"{scored.log_id}: {', '.join(f'{key} {value}' for key, value in changes.items())}\n")


def _show(output: Output, summary: ScoringSummary, *, is_dry: bool) -> None:
    if output.as_json:
        output.json({**asdict(summary), "dry_run": is_dry})
    else:
        counts = ", ".join(f"{count} {state}" for state in _SHOWN if (count := getattr(summary, state)))
        output.write(f"{summary.read} logs: {counts or 'none to score'}{' (nothing was sent)' if is_dry else ''}\n")
    for log_id, error in summary.errors.items():
        output.remark(f"{log_id}: {error}")
    if not summary.is_finished and not is_dry:
        output.remark("The same command once more tries what is left.")
