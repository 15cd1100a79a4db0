"""One page of a list: which rows are on it.

Matches come in groups that agree in the column that orders, each in the order of time. A page lies in one of them, or
over the border of a few, and how many logs are before it is known.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from aigw.local._logs import _sql as sql
from aigw.local._logs._lane import Lane
from aigw.local._logs._places import Places

if TYPE_CHECKING:
    import sqlite3

    from aigw.local._logs._places import Memory
    from aigw.local._logs._query import LogQuery
    from aigw.local._logs._totals import Group, Matches

_SHORT: Final = 500
"""How far from an end of a group it is not worth while to remember places."""

_KNOWN: Final = "SELECT row FROM logs WHERE row IN (SELECT value FROM json_each(?)) ORDER BY {} LIMIT ? OFFSET ?"


def read_page(db: sqlite3.Connection, query: LogQuery, matches: Matches, memory: Memory) -> list[int]:
    """Give the rows of one page, in the query's order."""
    skip, left = (query.page - 1) * query.per_page, query.per_page
    if matches.rows is not None:
        known = (json.dumps(matches.rows), left, skip)
        return [row[0] for row in db.execute(_KNOWN.format(sql.order(query)), known)]
    rows: list[int] = []
    for group in matches.groups:
        if left and skip < group.count:
            take = min(left, group.count - skip)
            rows += _read_group(db, query, matches, group, memory, skip, take)
            left -= take
        skip = max(0, skip - group.count)
    return rows


def _read_group(
    db: sqlite3.Connection, query: LogQuery, matches: Matches, group: Group, memory: Memory, skip: int, take: int
) -> list[int]:
    low = group.count - skip - take if query.descending else skip
    if min(low, group.count - low - take) <= _SHORT:
        places = Places()
    else:
        places = memory.places(db, (matches.about, query.order_by, group.value), group.went)
    rows = Lane(db, matches, group, places).read(low, low + take)
    return rows[::-1] if query.descending else rows
