"""What a terminal is shown of scoring: a bar while it goes on, the verdicts of a dry run, the outcome."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aigw.cli._output import Output
from aigw.scoring._summary import ScoredLog, ScoringSummary

_SHOWN: Final = ("scored", "skipped", "failed", "undelivered", "already", "unsampled")

Watch = Callable[[ScoringSummary, ScoredLog | None], None]
"""What is told how far scoring is, and of each log as it is scored."""


@contextmanager
def watching(output: Output, *, shows_verdicts: bool) -> Iterator[Watch]:
    """Show a bar on stderr, where that is a terminal, while the `with` block runs.

    Args:
        output: Where verdicts are written.
        shows_verdicts: Whether they are.

    Yields:
        What is to be told.
    """
    with _bar() as advance:

        def watch(summary: ScoringSummary, scored: ScoredLog | None) -> None:
            advance(summary)
            if shows_verdicts and scored is not None and scored.changes:
                _show_verdict(output, scored)

        yield watch


def show_summary(output: Output, summary: ScoringSummary, *, is_dry: bool) -> None:
    """Write what became of the logs, and remark what went wrong."""
    if output.as_json:
        output.json({**asdict(summary), "dry_run": is_dry})
    else:
        counts = ", ".join(f"{count} {state}" for state in _SHOWN if (count := getattr(summary, state)))
        output.write(f"{summary.read} logs: {counts or 'none to score'}{' (nothing was sent)' if is_dry else ''}\n")
    for log_id, error in summary.errors.items():
        output.remark(f"{log_id}: {error}")
    if not summary.is_finished and not is_dry:
        output.remark("The same command once more tries what is left.")


@contextmanager
def _bar() -> Iterator[Callable[[ScoringSummary], None]]:
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


def _show_verdict(output: Output, scored: ScoredLog) -> None:
    changes = dict(scored.changes or {})
    if output.as_json:
        output.json({"log_id": scored.log_id, "changes": changes})
    else:
        output.write(f"{scored.log_id}: {', '.join(f'{key} {value}' for key, value in changes.items())}\n")
