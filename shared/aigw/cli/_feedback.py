"""`cf-aigw feedback`: rate a log from a shell, and see what a queue could not deliver."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from aigw._async_client import AsyncAIGateway
from aigw._calls._log_calls import UNSET
from aigw._errors import ConfigurationError
from aigw._facts import ResponseInfo
from aigw._given import shown
from aigw._rating._feedback import LoggedCall, rate_logs
from aigw.cli._command import add_command
from aigw.cli._failed_feedback import show_failed
from aigw.cli._session import Session
from aigw.cli._values import parse_pairs, parse_score

_FEEDBACK: Final = {"1": 1, "+1": 1, "-1": -1, "0": 0, "none": None}


def feedback(
    session: Session,
    words: Annotated[list[str] | None, typer.Argument(metavar="[LOG_ID] [1|-1|0|none]")] = None,
    *,
    score: Annotated[str | None, typer.Option("--score", metavar="N", help="A number, or none to clear it.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option("--metadata", metavar="K=V", help="A label to add; repeat.")
    ] = None,
    event_id: Annotated[
        str | None, typer.Option("--event-id", metavar="ID", help="The call's event id, in place of the log's id.")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", metavar="S", help="Wait so long for a log that comes late.")] = 5,
    failed: Annotated[bool, typer.Option("--failed", help="List what a queue could not deliver.")] = False,
    spool: Annotated[
        Path | None, typer.Option("--spool", metavar="PATH", envvar="AIGW_FEEDBACK_SPOOL", help="The queue's file.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="With --failed: try it again, for --wait seconds.")] = False,
) -> None:
    """Rate a log: 1 is good, -1 is bad, none takes the rating back. Or --failed: see a queue's dead letters."""
    if failed:
        if words or score or metadata or event_id:
            raise ConfigurationError("--failed rates nothing: leave out the log and the rating")
        show_failed(session, spool, wait if retry else None)
        return
    if retry:
        raise ConfigurationError("--retry goes with --failed")
    log_id, word = _split(words or [], has_event_id=event_id is not None)
    changes: dict[str, Any] = {}
    if word is not None:
        changes["feedback"] = _parse(word)
    if score is not None:
        changes["score"] = parse_score(score)
    if metadata:
        changes["metadata"] = parse_pairs(metadata)
    with session.client() as client:
        info = ResponseInfo(log_id=log_id, event_id=event_id, gateway_id=client.gateway_id)
        call = LoggedCall(info, lambda: client, AsyncAIGateway)
        [rated] = rate_logs([call], **{"feedback": UNSET, **changes}, wait=wait)
    if session.output.as_json:
        session.output.json({"log_id": rated, "changes": changes})
    else:
        session.output.write(f"{rated}: {', '.join(f'{name} {value}' for name, value in changes.items())}\n")


def add_to(app: typer.Typer) -> None:
    """Add the command; `-1` is a value there and no option."""
    add_command(app, "feedback", context_settings={"ignore_unknown_options": True})(feedback)


def _split(words: list[str], *, has_event_id: bool) -> tuple[str | None, str | None]:
    """Tell the log id and the rating apart."""
    unknown = next((word for word in words if word.startswith("-") and word != "-1"), None)
    if unknown:
        raise ConfigurationError(f"there is no option {unknown} (see `cf-aigw feedback --help`)")
    given = [None, *words] if has_event_id else list(words)
    if len(given) not in (1, 2) or (given[0] is None and not has_event_id):
        raise ConfigurationError("expected LOG_ID and a rating, or --event-id ID and a rating")
    return given[0], given[1] if len(given) == 2 else None


def _parse(word: str) -> int | None:
    if word.lower() not in _FEEDBACK:
        raise ConfigurationError(
            f"a rating cannot be {shown(word)}: it is 1 (good), -1 (bad), 0, or none to take it back"
        )
    return _FEEDBACK[word.lower()]
