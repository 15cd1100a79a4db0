"""How many logs a gateway keeps, and what happens at the limit: `log_management` and its strategy.

Source: AI Gateway docs, Logging; API reference, Create a new Gateway. Where those are silent: without a strategy no
further log is taken, a call that gets no log has no log id, and calls at the same instant may overshoot by themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aigw.local._logs._query import LogQuery

if TYPE_CHECKING:
    from aigw.local._arrival import Arrival
    from aigw.local._logs._store import LogStore

_ONE: Final = LogQuery(per_page=1)


def with_room(store: LogStore, arrival: Arrival) -> Arrival:
    """Make room for a step's log; where there may be none, give the step as one that is not logged."""
    settings = arrival.entrance.settings
    if not settings.log_management or not arrival.is_logged:
        return arrival
    gateway = (arrival.entrance.account_id, arrival.entrance.gateway_id)
    excess = store.list(*gateway, _ONE)[1]["total_count"] + 1 - settings.log_management
    if excess <= 0:
        return arrival
    if settings.log_management_strategy == "DELETE_OLDEST":
        store.delete(*gateway, LogQuery(descending=False, limit=excess))
        return arrival
    return replace(arrival, options=replace(arrival.options, collect_log=False))
