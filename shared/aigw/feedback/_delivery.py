"""How one target's feedback gets to its log, as steps without I/O: the queues perform them and tell the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigw._errors import LogNotFoundError
from aigw._facts import ResponseInfo
from aigw._finding._search import AskLogs, find_foreign
from aigw._rating._feedback import LoggedCall, choose_calls
from aigw.feedback._merge import merge_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from aigw._rating._feedback import Which
    from aigw.feedback._rows import Work


@dataclass(frozen=True, slots=True)
class Patch:
    """Send this to `patch_log`."""

    log_id: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    """All of it is in the log."""


@dataclass(frozen=True, slots=True)
class Found:
    """The logs of what was no log id are known now.

    Attributes:
        last: The one that is meant when not all are.
        every: All of them.
    """

    last: Sequence[str]
    every: Sequence[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not get there."""

    error: Exception


Step = Patch | AskLogs
Outcome = Delivered | Found | Refused


class Delivery:
    """The delivery of one target, a step at a time, for a loop that waits in whichever way.

    Args:
        work: What is delivered.

    Attributes:
        step: What is to be done now; `None` at the end.
        outcome: What became of it, once there is no step left.
        patches: How many steps were patches.
    """

    outcome: Outcome

    def __init__(self, work: Work) -> None:
        self.step: Step | None = None
        self.patches = 0
        self._steps = _deliver(work)
        self.answered(None)

    def answered(self, answer: Any) -> None:
        """Go on with the answer to the step."""
        self._go(self._steps.send, answer)

    def refused(self, error: Exception) -> None:
        """Go on though the step failed."""
        self._go(self._steps.throw, error)

    def _go(self, on: Callable[[Any], Step], said: Any) -> None:
        try:
            self.step = on(said)
        except StopIteration as end:
            self.step, self.outcome = None, end.value
        self.patches += isinstance(self.step, Patch)


def _deliver(work: Work) -> Generator[Step, Any, Outcome]:
    try:
        return (yield from (_find(work) if work.kind == "event" else _patch(work)))
    except Exception as error:  # noqa: BLE001 -- what a client of the user's own raises must not end the queue either
        return Refused(error)


def _patch(work: Work) -> Generator[Step, Any, Outcome]:
    try:
        for changes in merge_changes(work.changes):
            yield Patch(work.name, changes)
    except LogNotFoundError:
        if work.kind == "log":
            raise
        return (yield from _find(work))
    return Delivered()


def _find(work: Work) -> Generator[Step, Any, Outcome]:
    through = LoggedCall(ResponseInfo(gateway_id=work.gateway_id))
    calls = yield from find_foreign(work.name, through, is_event=work.kind == "event")  # type: ignore[misc] # only `AskLogs`
    return Found(_log_ids(calls, "last"), _log_ids(calls, "all"))


def _log_ids(calls: Sequence[LoggedCall], which: Which) -> list[str]:
    return [call.info.log_id or "" for call in choose_calls(calls, which)]
