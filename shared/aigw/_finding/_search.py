"""Where the logs of a target are looked for, and in which order: questions and answers, no I/O.

A search is a generator: it yields a question, is sent the answer, and returns what it found. The sync and the async
driver (`_seeking`) differ in how they ask. The order: what the target says itself; the memory of this process (nothing
is asked); a shared store (one read); the gateway. There a bare id is taken, in this order, for a log id (one request),
an event id (one), and the label of a run or thread (one for every fifty logs that have both key and value somewhere).
What is not there yet is asked for again, after 0.15 to 1 seconds, until `wait` is over.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aigw._adapters._forwarding import RUN_LABELS, event_id_of
from aigw._errors import ConfigurationError, LogNotFoundError, UnknownTargetError
from aigw._facts import ResponseInfo
from aigw._finding._targets import ResolvedLog, read_target
from aigw._given import shown
from aigw._rating._feedback import LoggedCall, no_async_client, no_client
from aigw._retries import FIRST_POLL, next_poll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aigw._calls._log_calls import LogFilter
    from aigw._facts import GatewayLog
    from aigw._finding._shared_logs import Recalled, SharedLog
    from aigw._rating._feedback import CallKind, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskStore:
    """What does the shared store have for this id? Answer: `Recalled`."""

    name: str


@dataclass(frozen=True, slots=True)
class AskLog:
    """Is there a log of this id? Answer: the `GatewayLog`, or `None`.

    Attributes:
        through: Whose client is asked, at its gateway.
        log_id: The id.
    """

    through: LoggedCall
    log_id: str


@dataclass(frozen=True, slots=True)
class AskLogs:
    """Which logs fit these filters? Answer: a list of `GatewayLog`, oldest first.

    Attributes:
        through: Whose client is asked, at its gateway.
        filters: The filters.
    """

    through: LoggedCall
    filters: tuple[LogFilter, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds. Answer: `None`."""

    seconds: float


Question = AskStore | AskLog | AskLogs | Pause
Search = Generator[Question, Any, T]


class CallMemory(Protocol):
    """What is known in this process of calls that were made."""

    def find_calls(self, name: str) -> Sequence[LoggedCall]:
        """Give the calls beneath a run or span, or of a log or event id, oldest first."""

    def latest_calls(self) -> Sequence[LoggedCall]:
        """Give the calls beneath what ran last, from its outermost run or span on, oldest first."""

    def newest_call(self) -> LoggedCall | None:
        """Give the newest call, whose clients must do where no others are known."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a search may ask.

    Attributes:
        through: A call whose clients and gateway are asked where nothing else is known.
        memory: The memory of this process, if there is one.
        has_store: Whether there is a shared store.
        missing: The argument that would give a client; empty when there is one.
        clock: Gives the time in seconds.
    """

    through: LoggedCall
    memory: CallMemory | None
    has_store: bool
    missing: str
    clock: Callable[[], float]


def find_calls(target: Any, sources: Sources, wait: float) -> Search[list[LoggedCall]]:
    """Search the calls that a target means, oldest first; `None` means what ran last here.

    Raises:
        ConfigurationError: The target tells nothing, or nothing ran.
        UnknownTargetError: Nobody knows of it.
    """
    if target is None:
        latest = list(sources.memory.latest_calls()) if sources.memory else []
        if not latest:
            raise ConfigurationError("no call is recorded here yet: there is nothing to rate")
        return latest
    wanted = read_target(target)
    if wanted.name is None:
        return [_with_clients(call, sources) for call in wanted.calls]
    return (yield from _find_name(wanted.name, sources, wait, is_event=wanted.is_event))


def find_log(call: LoggedCall, sources: Sources, wait: float) -> Search[ResolvedLog]:
    """Search the log of a call: its log id if it has one, else the newest log of its event id.

    Raises:
        LogNotFoundError: It is not there, also not after `wait`.
    """
    info = call.info
    if info.log_id:
        return ResolvedLog(info.log_id, info.gateway_id, info.event_id, call.source)
    event_id = info.event_id or ""
    found = yield from _until_found(lambda: _of_event(event_id, call), sources.clock, wait)
    if not found:
        raise LogNotFoundError(f"no log has the event id {shown(event_id)}, or not yet")
    return ResolvedLog(found[-1].info.log_id or "", info.gateway_id, event_id, "gateway")


def find_foreign(name: str, through: LoggedCall, *, is_event: bool) -> Search[list[LoggedCall]]:
    """Search the calls of an id that is no log's at the gateway, once, oldest first.

    Args:
        name: The id.
        through: A call whose clients and gateway are asked.
        is_event: Whether the id was never taken for a log's.

    Raises:
        LogNotFoundError: The gateway knows of none, or not yet.
    """
    found = yield from _at_gateway(name, through, is_event=True)
    if not found:
        raise LogNotFoundError(f"{shown(name)} is not known, or not yet: {_nowhere(through, is_event=is_event)}")
    return found


def _find_name(name: str, sources: Sources, wait: float, *, is_event: bool) -> Search[list[LoggedCall]]:
    tried: list[str] = []
    if sources.memory:
        known = list(sources.memory.find_calls(name))
        if known:
            return known
        tried.append("no call that is recorded here has it")
    if sources.has_store:
        recalled: Recalled = yield AskStore(name)
        if recalled.logs:
            return [_shared(log, sources.through) for log in recalled.logs]
        failed = f"the shared store failed ({recalled.failure})"
        tried.append(failed if recalled.failure else "the shared store does not have it")
    if sources.missing:
        tried.append(f"there is no client to look it up at the gateway: give {sources.missing}")
    else:
        found = yield from _until_found(
            lambda: _at_gateway(name, sources.through, is_event=is_event), sources.clock, wait
        )
        if found:
            return found
        tried.append(_nowhere(sources.through, is_event=is_event))
    raise UnknownTargetError(f"{shown(name)} is not known: {'; '.join(tried)}")


def _until_found(
    ask: Callable[[], Search[list[LoggedCall]]], clock: Callable[[], float], wait: float
) -> Search[list[LoggedCall]]:
    """Ask again and again until something is found or time is up."""
    deadline, delay = clock() + wait, FIRST_POLL
    while not (found := (yield from ask())):
        delay = next_poll(delay, deadline - clock())
        if not delay:
            return []
        yield Pause(delay)
    return found


def _at_gateway(name: str, through: LoggedCall, *, is_event: bool) -> Search[list[LoggedCall]]:
    """Take an id for that of a log, of an event, of a run or thread."""
    if not is_event and name not in (".", ".."):
        log: GatewayLog | None = yield AskLog(through, name)
        if log is not None:
            return _found([log], through)
    found = yield from _of_event(name, through)
    return found or (yield from _of_run(name, through))


def _of_event(event_id: str, through: LoggedCall) -> Search[list[LoggedCall]]:
    sent = event_id_of(event_id)
    logs = yield AskLogs(through, ({"key": "event_id", "operator": "eq", "value": [sent]},))
    return _found(logs, through)


def _of_run(name: str, through: LoggedCall) -> Search[list[LoggedCall]]:
    """Find the logs labelled with a run or thread; the filters do not pair a key with its value, so we do."""
    logs = yield AskLogs(
        through,
        (
            {"key": "metadata.key", "operator": "eq", "value": [*RUN_LABELS]},
            {"key": "metadata.value", "operator": "eq", "value": [name]},
        ),
    )
    return _found([log for log in logs if _is_of_run(log, name)], through)


def _is_of_run(log: GatewayLog, name: str) -> bool:
    labels = log.metadata or {}
    return any(label in labels and str(labels[label]) == name for label in RUN_LABELS)


def _found(logs: Iterable[GatewayLog], through: LoggedCall) -> list[LoggedCall]:
    gateway_id = through.info.gateway_id
    return [
        replace(
            through,
            info=ResponseInfo(log_id=log.id, event_id=log.event_id, gateway_id=gateway_id),
            kind=_kind(log),
            source="gateway",
            log=log,
        )
        for log in logs
    ]


def _kind(log: GatewayLog) -> CallKind:
    return "embedding" if "embed" in f"{log.model_type} {log.path}".lower() else "chat"


def _shared(log: SharedLog, through: LoggedCall) -> LoggedCall:
    source: Source = "store"
    return replace(through, info=log.info, kind=log.kind, source=source)


def _with_clients(call: LoggedCall, sources: Sources) -> LoggedCall:
    """Give a call that somebody holds the clients that made it, as far as they are known here."""
    if call.sync_client is not no_client or call.async_client is not no_async_client:
        return call
    info = call.info
    for name in (info.event_id, info.log_id):
        for known in sources.memory.find_calls(name) if sources.memory and name else ():
            if (known.info.log_id, known.info.event_id) == (info.log_id, info.event_id):
                return replace(call, sync_client=known.sync_client, async_client=known.async_client)
    through = sources.through
    return replace(call, sync_client=through.sync_client, async_client=through.async_client)


def _nowhere(through: LoggedCall, *, is_event: bool) -> str:
    gateway = f"the gateway {through.info.gateway_id!r}" if through.info.gateway_id else "the gateway"
    log = "" if is_event else "no log of that id, "
    return (
        f"{gateway} has {log}no log with that event id, which only the run or span of the call itself is sent as, and "
        f"none with it as {' or '.join(RUN_LABELS)} in its metadata, which only a model's metadata_keys send"
    )
