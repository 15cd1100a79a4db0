"""One page of a list: which rows are on it.

Matches come in groups that agree in the column that orders, each in the order of time. A page lies in one of them, or
over the border of a few, and how many logs are before it is known. Within a group there are two ways: along the
gateway's time until the page is full, quick where many logs match, and sorting the group's logs, quick where few do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aigw.local import _logs_sql as sql
from aigw.local._logs_tally import IN_FACETS

if TYPE_CHECKING:
    import sqlite3

    from aigw.local._logs_query import LogQuery
    from aigw.local._logs_totals import Group, Matches

_SORTING: Final = 3
"""How many times as long a log takes to be sorted as to be passed by."""

_OWN: Final = "logs.account = ? AND logs.gateway = ?"
_KNOWN: Final = "SELECT row FROM logs WHERE row IN (SELECT value FROM json_each(?)) ORDER BY {} LIMIT ? OFFSET ?"


def read_page(db: sqlite3.Connection, account: str, gateway: str, query: LogQuery, matches: Matches) -> list[int]:
    """Give the rows of one page, in the query's order."""
    skip, left = (query.page - 1) * query.per_page, query.per_page
    if matches.rows is not None:
        known = (json.dumps(matches.rows), left, skip)
        return [row[0] for row in db.execute(_KNOWN.format(sql.order(query)), known)]
    rows: list[int] = []
    for group in matches.groups:
        if left and skip < group.count:
            take = min(left, group.count - skip)
            rows += _read_group(db, (account, gateway), query, matches, group, skip, take)
            left -= take
        skip = max(0, skip - group.count)
    return rows


def _read_group(
    db: sqlite3.Connection, key: tuple[str, str], query: LogQuery, matches: Matches, group: Group, skip: int, take: int
) -> list[int]:
    backwards = skip > group.count // 2
    skip = group.count - skip - take if backwards else skip
    source, text, values = _within(key, matches, group, skip + take)
    ordered = sql.time_order(descending=query.descending is not backwards)
    read = f"SELECT row FROM logs INDEXED BY {source} WHERE {text} ORDER BY {ordered} LIMIT ? OFFSET ?"  # noqa: S608 -- names from tables, values bound
    rows = [row[0] for row in db.execute(read, (*values, take, skip))]
    return rows[::-1] if backwards else rows


def _within(key: tuple[str, str], matches: Matches, group: Group, reach: int) -> tuple[str, str, tuple[Any, ...]]:
    """Choose the way: an index, the condition, and its values."""
    asked = sql.all_of((sql.Sql("logs.created_at BETWEEN ? AND ?", group.span), matches.condition))
    if group.count == matches.among:
        return "logs_by_time", f"{_OWN} AND {asked.text}", (*key, *asked.values)
    facets = json.dumps(group.facets)
    if matches.condition.text or reach * matches.among < _SORTING * group.count**2:
        return "logs_by_time", f"{_OWN} AND +{IN_FACETS} AND {asked.text}", (*key, facets, *asked.values)
    return "logs_by_facet", IN_FACETS, (facets,)
