"""`cf-aigw score`: a judge of your own over every log that fits, resumable."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aigw._async_client import AsyncAIGateway
from aigw.cli._command import add_command
from aigw.cli._exit_codes import ExitCode
from aigw.cli._logs import EventId
from aigw.cli._score_view import show_summary, watching
from aigw.cli._session import Session
from aigw.cli._values import parse_filters
from aigw.scoring._judges import Judge, judge_name, load_judge
from aigw.scoring._progress import default_path
from aigw.scoring._run import MAX_RETRIES, score_logs

JudgePath = Annotated[
    str, typer.Option("--judge", metavar="MODULE:FUNCTION", help="Who judges: a function of one log, sync or async.")
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter", "--filters", metavar="KEY:OP:VALUE", help="Such as model:contains:gpt or success:eq:true; repeat."
    ),
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="TEXT", help="metadata.source of the logs; else the judge's own.")
]
ProgressFile = Annotated[
    Path | None,
    typer.Option("--progress", metavar="FILE", help="How far it came; else named by gateway and judge, here."),
]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, metavar="N", help="Logs judged or sent at once.")]
Bodies = Annotated[
    bool | None, typer.Option("--bodies/--no-bodies", help="Read both bodies before the judge is asked.")
]
Sample = Annotated[
    float, typer.Option("--sample", metavar="SHARE", help="Only so many of the logs, such as 0.1; always the same.")
]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="Judge at most so many.")]
Again = Annotated[bool, typer.Option("--again", help="Judge also what was judged before.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Ask the judge and print what it says; send and keep nothing.")]


def score(
    session: Session,
    judge: JudgePath,
    filters: Filters = None,
    event_id: EventId = None,
    *,
    name: Name = None,
    progress: ProgressFile = None,
    concurrency: Concurrency = 8,
    bodies: Bodies = None,
    sample: Sample = 1.0,
    limit: Limit = None,
    again: Again = False,
    dry_run: DryRun = False,
) -> None:
    """Judge every log that fits, oldest first, and send each verdict to its log."""
    wanted, found, client = parse_filters(filters or (), event_id), _load(judge), _client(session)
    called = name or judge_name(judge)
    with watching(session.output, shows_verdicts=dry_run) as watch:
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
            watch=watch,
        )
    show_summary(session.output, summary, is_dry=dry_run)
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
