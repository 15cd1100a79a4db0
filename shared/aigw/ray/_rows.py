"""Logs and verdicts as rows of a dataset: a few columns of text, the rest as JSON, for labels have any type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aigw._facts import GatewayLog
from aigw._json import dump_json, parse_json
from aigw.scoring._summary import ScoredLog

Batch = Mapping[str, Iterable[Any]]
"""What Ray gives and takes: columns by name."""


def rows_of_logs(logs: Iterable[GatewayLog]) -> dict[str, list[str]]:
    """Give logs as columns: `id`, and `log`, all of it as JSON."""
    logs = list(logs)
    return {"id": [log.id for log in logs], "log": [log.model_dump_json(exclude_unset=True) for log in logs]}


def logs_of_rows(batch: Batch) -> list[GatewayLog]:
    """Give the logs of columns."""
    return [GatewayLog.model_validate_json(text) for text in batch["log"]]


def rows_of_verdicts(verdicts: Iterable[ScoredLog]) -> dict[str, list[str]]:
    """Give verdicts as columns: `id`, `state`, `changes` as JSON (empty for none), `error`."""
    verdicts = list(verdicts)
    return {
        "id": [verdict.log_id for verdict in verdicts],
        "state": [verdict.state for verdict in verdicts],
        "changes": [dump_json(dict(verdict.changes)).decode() if verdict.changes else "" for verdict in verdicts],
        "error": [verdict.error for verdict in verdicts],
    }


def verdicts_of_rows(batch: Batch) -> Iterator[ScoredLog]:
    """Give the verdicts of columns."""
    for log_id, state, changes, error in zip(*(batch[name] for name in _COLUMNS), strict=True):
        yield ScoredLog(str(log_id), state, parse_json(changes.encode()) if changes else None, str(error))


_COLUMNS = ("id", "state", "changes", "error")
