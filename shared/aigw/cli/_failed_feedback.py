"""`cf-aigw feedback --failed`: the dead letters of a queue's spool, seen and tried again."""

import json
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer

from aigw._client import AIGateway
from aigw._errors import ConfigurationError
from aigw.cli._exit_codes import ExitCode
from aigw.cli._output import Output, new_table
from aigw.cli._session import Session
from aigw.feedback._rows import FailedFeedback
from aigw.feedback._spool import Spool


def show_failed(session: Session, path: Path | None, wait: float | None) -> None:
    """Print the dead letters of the account; tried again for `wait` seconds first, where that is given.

    Raises:
        ConfigurationError: There is no such spool, or no account.
        typer.Exit: Dead letters are left after they were tried again.
    """
    if path is None:
        raise ConfigurationError("which spool? give --spool PATH or set AIGW_FEEDBACK_SPOOL")
    if not path.is_file():
        raise ConfigurationError(f"there is no spool {str(path)!r}")
    with session.client_without_token() if wait is None else session.client() as client:
        if not client.account_id:
            raise ConfigurationError("account_id is missing: give --account-id or set CLOUDFLARE_ACCOUNT_ID")
        try:
            letters, waiting = _read(path, client) if wait is None else _retry(path, client, wait)
        except sqlite3.Error as error:
            raise ConfigurationError(f"the spool {str(path)!r} cannot be used: {error}") from error
    _show(session.output, letters, waiting)
    if wait is not None and (letters or waiting):
        raise typer.Exit(ExitCode.REFUSED)


def _read(path: Path, client: AIGateway) -> tuple[list[FailedFeedback], int]:
    spool = Spool(path, client.account_id)
    try:
        return spool.failed(), spool.waiting()
    finally:
        spool.close()


def _retry(path: Path, client: AIGateway, wait: float) -> tuple[list[FailedFeedback], int]:
    try:
        from aigw.feedback import FeedbackQueue  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(str(error)) from error
    queue = FeedbackQueue(client, spool=path)
    try:
        queue.retry_failed()
        queue.flush(wait)
        return queue.failed(), queue.waiting()
    finally:
        queue.close(0)


def _show(output: Output, letters: list[FailedFeedback], waiting: int) -> None:
    if output.as_json:
        output.json({"waiting": waiting, "failed": [asdict(letter) for letter in letters]})
        return
    if letters:
        table = new_table("Since", "Gateway", "For", "Said", ">Tries", "Why")
        for letter in letters:
            since = datetime.fromtimestamp(letter.since, UTC).strftime("%Y-%m-%d %H:%M:%S")
            said = " ".join(json.dumps(changes, ensure_ascii=False) for changes in letter.changes)
            where = f"{letter.gateway_id} > {letter.sink}" if letter.sink else letter.gateway_id
            cells = (since, where, letter.name, said, str(letter.attempts), letter.error)
            table.add_row(*(output.cell(cell) for cell in cells))
        output.show(table)
    output.write(f"{len(letters)} failed, {waiting} waiting\n")
