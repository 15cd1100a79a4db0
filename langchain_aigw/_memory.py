"""What this process knows of runs, as `aigw.LogResolver` asks for it and as a shared store is told of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from aigw import ConfigurationError
from aigw.integration import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aigw.integration import LoggedCall
    from langchain_aigw._recorded import CallReport
    from langchain_aigw._run_tree import Entry, RunTree


class RunMemory:
    """The calls of a tree of runs.

    Args:
        runs: The tree.
    """

    def __init__(self, runs: RunTree) -> None:
        self._runs = runs
        self._newest: CallReport | None = None

    def find_calls(self, name: str) -> list[LoggedCall]:
        """Give the calls beneath a run or in a thread, or of a log or event id, oldest first."""
        found = _logged(self.entries(name))
        if found:
            return found
        reports = [report for entry in self._runs.entries() for report in entry.run.reports if report.is_of(name)]
        calls = [call for report in reports for call in report.calls() if name in (call.log_id, call.event_id)]
        return [call.logged for call in calls]

    def latest_calls(self) -> list[LoggedCall]:
        """Give the calls of the latest outermost run that called a model."""
        return _logged(self.latest())

    def latest(self) -> list[Entry]:
        """Give the runs beneath the latest outermost run that called a model."""
        entries = [entry for entry in self._runs.entries() if not entry.is_empty]
        return [entry for entry in entries if entry.root == entries[-1].root]

    def newest_call(self) -> LoggedCall | None:
        """Give the latest call of a run that ended, also of one that is forgotten."""
        calls = self._newest.calls() if self._newest else []
        return calls[-1].logged if calls else None

    def entries(self, run_id: UUID | str | None) -> list[Entry]:
        """Give the models' runs beneath a run or in a thread; without an id, all."""
        if run_id is None:
            return self._runs.entries()
        found = parse_run_id(run_id)
        beneath = self._runs.beneath(found) if found else []
        return beneath or self._runs.beneath(str(run_id))

    def note_end(self, entry: Entry) -> None:
        """Note the end of a model's run that called something."""
        self._newest = entry.run.reports[-1]

    def ids_of(self, entry: Entry) -> dict[str, Callable[[], Sequence[LoggedCall]]]:
        """Give all ids that the calls of a model's run are found by, each with what gives those beneath it."""
        above = {str(key): partial(self._beneath, key) for key in (*entry.path, entry.thread) if key}
        event_ids = {call.event_id for call in entry.run.calls() if call.event_id}
        return {**above, **dict.fromkeys({str(entry.run.run_id), *event_ids}, lambda: _logged([entry]))}

    def _beneath(self, key: UUID | str) -> list[LoggedCall]:
        return _logged(self._runs.peek(key))


def parse_run_id(run_id: UUID | str) -> UUID | None:
    """Read the id of a run; `None` for text that is none.

    Raises:
        ConfigurationError: It is neither a UUID nor text.
    """
    if isinstance(run_id, UUID):
        return run_id
    if not isinstance(run_id, str):
        raise ConfigurationError(f"run_id cannot be {shown(run_id)}: it is the id of a run or thread, a UUID or text")
    try:
        return UUID(run_id)
    except ValueError:
        return None


def _logged(entries: Iterable[Entry]) -> list[LoggedCall]:
    return [call.logged for entry in entries for call in entry.calls()]
