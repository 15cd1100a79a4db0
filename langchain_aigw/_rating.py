"""Which of a run's calls are rated: what `feedback` of handlers and captures has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aigw import LoggedCall, Which
    from langchain_aigw._recorded import RecordedCall


def choose_calls(calls: Sequence[RecordedCall], which: Which) -> list[LoggedCall]:
    """Give the calls that `which` may mean, oldest first, each log once.

    The last call is looked for among the chats, if there are any: an embedding gave no answer.

    Raises:
        ConfigurationError: The last answer was replayed by LangChain's cache: its log is that of an earlier run.
    """
    if which == "last":
        calls = [call for call in calls if call.kind == "chat"] or calls
        if calls and calls[-1].is_replayed:
            raise ConfigurationError(
                f"the last answer came from LangChain's cache; its log {calls[-1].log_id} is that of an earlier run: "
                "give the message instead to rate it all the same"
            )
    return [call.logged for call in _findable([call for call in calls if not call.is_replayed])]


def _findable(calls: Iterable[RecordedCall]) -> list[RecordedCall]:
    """Leave out what has no log id while another attempt of its run has one, or would find the same log."""
    findable: list[RecordedCall] = []
    seen: dict[str, RecordedCall] = {}
    for call in calls:
        event_id = call.event_id
        other = seen.get(event_id) if event_id else None
        if other is not None and call.log_id is None:
            continue
        if other is not None and other.log_id is None:
            findable.remove(other)
        findable.append(call)
        if event_id:
            seen[event_id] = call
    return findable
