"""Conditions on labels' values that many logs have: where nothing is left to ask, and what to read for the rest.

How many logs of a facet have such a value is known. Where all of them have it, it need not be asked of each; where none
has, the facet is out.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from aigw.local._logs import _known as known
from aigw.local._logs import _sql as sql
from aigw.local._logs._query import LogQuery

if TYPE_CHECKING:
    import sqlite3

    from aigw.local._logs._query import Filter

_VALUE: Final = "metadata.value"
_EXACT: Final = ("eq", "neq")
_PART: Final = 0.75
"""Values that less than this part of all logs have are read along their index."""


def settle(db: sqlite3.Connection, query: LogQuery, facets: list[sqlite3.Row]) -> tuple[LogQuery, list[sqlite3.Row]]:
    """Leave out the conditions that all logs of the facets meet, and the facets none of whose logs meets one.

    Args:
        db: The store's connection.
        query: What is asked.
        facets: The facets whose logs may match, with their `total_count`.

    Returns:
        What is left to ask, and of which facets.
    """
    for one in query.filters:
        meet = _meet(db, one, facets) if one.key == _VALUE and one.operator in _EXACT else None
        if meet is not None:
            facets = [row for row in facets if meet[row["facet"]]]
            if all(meet[row["facet"]] == row["total_count"] for row in facets):
                query = replace(query, filters=tuple(other for other in query.filters if other is not one))
    return query, facets


def rarest(db: sqlite3.Connection, query: LogQuery, among: int) -> tuple[sql.Sql, LogQuery] | None:
    """Give the SELECT of the rows that have the query's rarest value, and what is asked besides.

    Args:
        db: The store's connection.
        query: What is asked.
        among: How many logs there are in all.

    Returns:
        `None` if most logs have it, or no value is asked for.
    """
    totals = [
        (sum(row["total"] for row in picked), one)
        for one in query.filters
        if one.key == _VALUE and None not in one.values and (picked := known.pick_values(db, LogQuery((one,))))
    ]
    total, rare = min(totals, key=itemgetter(0), default=(among, None))
    if rare is None or total > _PART * among:
        return None
    others = tuple(other for other in query.filters if other is not rare)
    return sql.narrow("", "", LogQuery((rare,)))[0], replace(query, filters=others)


def _meet(db: sqlite3.Connection, one: Filter, facets: list[sqlite3.Row]) -> dict[int, int] | None:
    """Give how many logs of each facet meet a condition, if that is known."""
    is_not = one.operator == "neq"
    picked = known.pick_values(db, LogQuery((replace(one, operator="eq") if is_not else one,)))
    have = None if picked is None else known.numbers(db, picked, [row["facet"] for row in facets])
    if have is None:
        return None
    totals = {row["facet"]: row["total_count"] for row in facets}
    return {facet: total - have.get(facet, 0) if is_not else have.get(facet, 0) for facet, total in totals.items()}
