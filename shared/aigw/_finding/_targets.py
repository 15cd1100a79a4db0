"""What can be rated, whatever somebody holds: what each thing says of the logs it means. No I/O.

Some things name their calls outright: an answer, its facts, a recorded call, a capture. Others are only an id, of which
somebody has to know more. The core knows no framework: answers are known by the places where adapters put the facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aigw._errors import ConfigurationError
from aigw._facts import GatewayLog, ResponseInfo
from aigw._given import shown
from aigw._noted._captured import CapturedCalls
from aigw._noted._recorded import RecordedCall
from aigw._rating._feedback import LoggedCall

if TYPE_CHECKING:
    from aigw._rating._feedback import Source

FACTS_KEY: Final = "aigw"
"""The key of an answer's extras that adapters put the gateway's facts under."""

_PLACES: Final = ("response_metadata", "additional_kwargs", "raw")
_RUN_PREFIX: Final = "lc_run--"
_UUID_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class ResolvedLog:
    """A log, found.

    Attributes:
        log_id: Its id.
        gateway_id: The gateway it is of; `None` where that is the client's own one.
        event_id: The event id of the call, where it is known.
        source: Who knew: `target` (what was given), `memory`, `store` or `gateway`.
    """

    log_id: str
    gateway_id: str | None = None
    event_id: str | None = None
    source: Source = "gateway"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a target says: its calls, or an id to look for.

    Attributes:
        calls: The calls, oldest first.
        name: The id, when it says no more; then it names no calls.
        is_event: Whether the id is certainly no log id.
    """

    calls: tuple[LoggedCall, ...] = ()
    name: str | None = None
    is_event: bool = False


def read_target(target: Any) -> Wanted:
    """Read what a target says.

    Raises:
        ConfigurationError: It tells nothing of any call.
    """
    if isinstance(target, UUID):
        return Wanted(name=str(target), is_event=True)
    if isinstance(target, str):
        return Wanted(name=_check_name(target))
    calls = _outright(target)
    if calls is not None:
        return Wanted(calls)
    run_id = _run_in_id(target)
    if run_id is None:
        raise ConfigurationError(
            f"{type(target).__name__} does not tell which call it is of: it says nothing of the gateway, or that was "
            "lost; give the id of its run or span, or use capture_logs()"
        )
    return Wanted(name=run_id, is_event=True)


def _check_name(name: str) -> str:
    if not name.strip():
        raise ConfigurationError(f"the id of a log, a run or a span cannot be {shown(name)}")
    return name


def _outright(target: Any) -> tuple[LoggedCall, ...] | None:
    """Give the calls that a target names itself; `None` when it names none."""
    if isinstance(target, CapturedCalls) and target.calls:
        return tuple(replace(call.logged, source="target") for call in target.calls)
    if isinstance(target, Mapping) and isinstance(target.get("messages"), Sequence):
        target = target["messages"]
    if isinstance(target, Sequence) and not isinstance(target, bytes):
        return tuple(call for item in target if (call := _call_of_item(item)) is not None)
    call = _call_of(target)
    return None if call is None else (replace(call, is_replayed=False),)


def _call_of_item(item: Any) -> LoggedCall | None:
    if isinstance(item, str | UUID):
        raise ConfigurationError(
            f"a list holds answers or calls, not ids such as {shown(str(item))}: give those one by one"
        )
    return _call_of(item)


def _call_of(target: Any) -> LoggedCall | None:
    if isinstance(target, RecordedCall):
        return replace(target.logged, source="target")
    if isinstance(target, LoggedCall):
        return target
    if isinstance(target, ResolvedLog):
        facts = {"log_id": target.log_id, "gateway_id": target.gateway_id, "event_id": target.event_id}
        return _from_info(ResponseInfo(**facts))
    if isinstance(target, GatewayLog):
        return _from_info(ResponseInfo(log_id=target.id, event_id=target.event_id))
    info = target if isinstance(target, ResponseInfo) else getattr(target, "info", None)
    return _from_info(info) if isinstance(info, ResponseInfo) else _from_facts(target)


def _from_facts(target: Any) -> LoggedCall | None:
    """Find the gateway's facts in an answer, in a dict that holds them, or in what is them."""
    places = [getattr(target, place, None) for place in _PLACES]
    for place in (*places, target, {FACTS_KEY: target}):
        facts = place.get(FACTS_KEY) if isinstance(place, Mapping) else None
        if isinstance(facts, Mapping) and (facts.get("log_id") or facts.get("event_id")):
            return _from_info(ResponseInfo(**facts), is_replayed=bool(facts.get("replayed")))
    return None


def _from_info(info: ResponseInfo, *, is_replayed: bool = False) -> LoggedCall:
    return LoggedCall(info, is_replayed=is_replayed)


def _run_in_id(target: Any) -> str | None:
    """Give the run that LangChain made an answer's id of, where the provider's was not taken."""
    id_ = getattr(target, "id", None)
    if not isinstance(id_, str):
        return None
    try:
        return str(UUID(id_.removeprefix(_RUN_PREFIX)[:_UUID_LENGTH]))
    except ValueError:
        return None
