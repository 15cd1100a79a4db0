"""What this process knows of spans, as `aigw.LogResolver` asks for it and as a shared store is told of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aigw.integration import calls_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aigw.integration import Ledger, LoggedCall, SharedWriter
    from llamaindex_aigw._recorded import CallReport


class SpanMemory:
    """The calls of a ledger.

    Args:
        ledger: The models' reports.
        writer: Writes what is added to a shared store.
    """

    def __init__(self, ledger: Ledger[CallReport], writer: SharedWriter | None = None) -> None:
        self._ledger = ledger
        self._writer = writer

    def add(self, report: CallReport) -> None:
        """Keep a call that the gateway has answered, under its spans, its workflow runs and its log ids."""
        place = report.caller.place
        log_ids = [call.log_id for call in report.calls() if call.log_id]
        self._ledger.add(report, report, (*place.spans, *place.runs, *log_ids))
        if self._writer is not None:
            self._writer.submit(self._ids_of(report))

    def find_calls(self, name: str) -> list[LoggedCall]:
        """Give the calls beneath a span or a workflow run, or of a log or event id, oldest first."""
        found = self._ledger.find(name)
        calls = calls_of(found or [report for report in self._ledger.items() if report.is_of(name)])
        own = [call for call in calls if name in (call.log_id, call.event_id)]
        beneath = [call for call in calls if name in (*call.span_path, *call.caller.runs)]
        return [call.logged for call in beneath or own]

    def latest_calls(self) -> list[LoggedCall]:
        """Give the calls beneath the outermost span of the newest call."""
        reports = self._ledger.items()
        if not reports:
            return []
        spans = reports[-1].caller.spans
        return _logged(self._ledger.find(spans[0]) if spans else reports[-1:])

    def newest_call(self) -> LoggedCall | None:
        """Give the newest call, also one that is forgotten."""
        newest = self._ledger.newest
        calls = newest.calls() if newest else []
        return calls[-1].logged if calls else None

    def _ids_of(self, report: CallReport) -> dict[str, Callable[[], Sequence[LoggedCall]]]:
        """Give all ids that a call is found by, but for its log's, each with what gives the calls beneath it."""
        place = report.caller.place
        event_ids = {call.event_id for call in report.calls() if call.event_id}
        return {
            **{key: partial(self._beneath, key) for key in (*place.spans, *place.runs)},
            **{event_id: partial(_logged, [report]) for event_id in event_ids - {*place.spans, *place.runs}},
        }

    def _beneath(self, key: str) -> list[LoggedCall]:
        return _logged(self._ledger.peek(key))


def _logged(reports: Iterable[CallReport]) -> list[LoggedCall]:
    return [call.logged for call in calls_of(reports)]
