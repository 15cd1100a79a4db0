"""What the page reads of the log store, and never more of it than a bounded number of logs.

Whoever reads the store holds its lock, and calls wait for it. So figures and charts are those of the newest thousand
logs that match, and filters without an index look at the newest twenty thousand only; event ids, whole log ids and a
rare `key=value` find logs of any age.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aigw.local._logs._query import Filter, LogQuery
from aigw.local._logs._record import to_ms
from aigw.local.page._charts import Chart, latency_chart, token_chart
from aigw.local.page._figures import Figures, Log, figures
from aigw.local.page._view import PER_PAGE, View

if TYPE_CHECKING:
    from aigw.local._logs._store import LogStore

COUNTED: Final = 1000
"""Figures and charts are those of so many logs."""

SEARCHED: Final = 20_000
"""Filters without an index look at so many logs."""

_MAX_GATEWAYS: Final = 100
_MAY_LACK: Final = (
    *("cost", "feedback", "score", "metadata", "status_code", "event_id", "user_agent", "dlp_action", "request_type"),
    *("request_content_type", "response_content_type"),
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a view shows.

    Attributes:
        view: The view, with its gateway.
        changes: The store's `changes` before it was read.
        logs: One page of logs, newest first.
        total: How many logs match.
        figures: The figures of the newest of them.
        latency: The chart of their durations.
        tokens: The chart of their tokens.
        providers: The providers among them.
        models: The models among them.
        since: From when on the filters looked, RFC 3339; empty when they looked at all logs.
    """

    view: View
    changes: int
    logs: list[Log]
    total: int
    figures: Figures
    latency: Chart
    tokens: Chart
    providers: list[str]
    models: list[str]
    since: str

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PER_PAGE))


def gateways(store: LogStore) -> list[tuple[str, int]]:
    """Give `account/gateway` and its number of logs, the last one asked first."""
    return [(f"{account}/{gateway}", count) for account, gateway, count in store.gateways(_MAX_GATEWAYS)]


def find(store: LogStore, view: View) -> Log | None:
    """Give the log that is open; `None` when there is none. What a log lacks is `None` in it."""
    log = store.get(*view.scope, view.log)
    return None if log is None else dict.fromkeys(_MAY_LACK) | log


def look(store: LogStore, view: View) -> Sight:
    """Read what a view shows; without a gateway, of the one that was asked last."""
    changes = store.changes
    if not view.gateway:
        view = replace(view, gateway=next((name for name, _ in gateways(store)), ""))
    since = _since(store, view)
    bound = (Filter("created_at", "ge", (to_ms(datetime.fromisoformat(since)),)),) if since else ()
    newest, info = store.list(*view.scope, view.query(bound, per_page=COUNTED))
    if since and view.may_be_narrow and info["total_count"] < PER_PAGE:
        since, bound = "", ()
        newest, info = store.list(*view.scope, view.query(per_page=COUNTED))
    total = info["total_count"]
    view = replace(view, page=min(view.page, max(1, -(-total // PER_PAGE))))
    logs = newest[:PER_PAGE]
    if view.page > 1:
        logs, _ = store.list(*view.scope, view.query(bound, page=view.page))
    return Sight(
        view=view,
        changes=changes,
        logs=[dict.fromkeys(_MAY_LACK) | log for log in logs],
        total=total,
        figures=figures(newest),
        latency=latency_chart(newest),
        tokens=token_chart(newest),
        providers=sorted({log["provider"] for log in newest if log["provider"]}),
        models=sorted({log["model"] for log in newest if log["model"]}),
        since=since,
    )


def _since(store: LogStore, view: View) -> str:
    """Tell when the oldest log came that filters look at; empty when they look at all."""
    if not view.filters or view.is_narrow:
        return ""
    oldest, info = store.list(*view.scope, LogQuery(page=SEARCHED, per_page=1))
    return str(oldest[0]["created_at"]) if info["total_count"] > SEARCHED else ""
