"""From whatever somebody holds to what feedback is for, without asking anybody: the caller of a queue does not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw._finding._targets import read_target
from aigw._rating._feedback import check_which, choose_calls
from aigw.feedback._rows import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw._finding._search import CallMemory
    from aigw._rating._feedback import LoggedCall, Which


def targets_of(handle: Any, which: Which, gateway_id: str, memory: CallMemory | None = None) -> list[Target]:
    """Give what a handle means: logs as far as they are known here, else an id to be looked for later.

    Args:
        handle: What `aigw.LogResolver` takes.
        which: `last` or `all` of several calls.
        gateway_id: The gateway of calls that name none.
        memory: What is known of calls in this process.

    Raises:
        ConfigurationError: It means no call, or `which` is neither.
    """
    check_which(which)
    if handle is None:
        return _of_calls(memory.latest_calls() if memory else (), which, gateway_id)
    wanted = read_target(handle)
    if wanted.name is None:
        return _of_calls(wanted.calls, which, gateway_id)
    known = memory.find_calls(wanted.name) if memory else ()
    if known:
        return _of_calls(known, which, gateway_id)
    kind = "event" if wanted.is_event else "either"
    return [Target(gateway_id, kind, wanted.name, is_for_all=which == "all")]  # type: ignore[arg-type] # one of the two


def _of_calls(calls: Sequence[LoggedCall], which: Which, gateway_id: str) -> list[Target]:
    return [_of_call(call, gateway_id) for call in choose_calls(calls, which)]


def _of_call(call: LoggedCall, gateway_id: str) -> Target:
    info = call.info
    event_id, gateway_id = info.event_id or "", info.gateway_id or gateway_id
    return Target(gateway_id, "log", info.log_id, event_id) if info.log_id else Target(gateway_id, "event", event_id)
