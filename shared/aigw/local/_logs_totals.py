"""Which logs match, and their totals, without reading every log for every page.

What a filter compares with a facet's columns is answered from the facets alone. Conditions on single logs (an amount, a
time, an id, a label's value, the search) are counted once and kept in memory: the next time only what was written since
is read, and the facets of logs that were changed or deleted, here or by another program.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from aigw.local import _logs_sql as sql
from aigw.local._logs_schema import INFO_NAMES
from aigw.local._logs_tally import IN_FACETS, Info, Tally, count, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aigw.local._logs_query import LogQuery

_MAX_KEPT: Final = 64
_GATEWAY: Final = "SELECT ifnull(sum(total_count), 0) FROM facets WHERE account = ? AND gateway = ?"
_CUT: Final = "SELECT ifnull(sum(cut), 0) FROM facets"
_REFRESH: Final = f"UPDATE facets SET stale = 0, {', '.join(f'{name} = ?' for name in INFO_NAMES)} WHERE facet = ?"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class Group:
    """Facets that agree in the column that orders, and how many of their logs match."""

    facets: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Matches:
    """The logs that a query wants.

    Attributes:
        info: Their number, and the least and greatest of their amounts.
        groups: Their facets, in the query's order.
        condition: What is asked of each log of those facets; its text is empty for nothing.
        rows: Their rows in no order, if each was looked at and they are few.
        among: How many logs the gateway has.
    """

    info: dict[str, Any]
    groups: tuple[Group, ...]
    condition: sql.Sql
    rows: tuple[int, ...] | None
    among: int


class Totals:
    """The totals; to be asked under the store's lock, in one transaction with what is read by their leave.

    Args:
        db: The store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._kept: dict[tuple[Any, ...], Tally] = {}

    def match(self, account: str, gateway: str, query: LogQuery) -> Matches:
        """Find what a query wants."""
        among = self._db.execute(_GATEWAY, (account, gateway)).fetchone()[0]
        facets, condition = self._facets(account, gateway, query), sql.where_rows(query)
        infos: Mapping[int, Info]
        if condition.text:
            tally = self._tally((account, gateway), query, {row["facet"]: row["went"] for row in facets})
            infos, rows = tally.infos, tally.rows
        else:
            infos, rows = self._fresh(facets), None
        matched = [(row["facet"], row["place"]) for row in facets if row["facet"] in infos]
        info = dict(zip(INFO_NAMES, joined(infos[facet] for facet, _ in matched), strict=True))
        known = None if rows is None else tuple(row for facet, _ in matched for row in rows.get(facet, ()))
        return Matches(info, tuple(_groups(matched, infos)), condition, known, among)

    def _facets(self, account: str, gateway: str, query: LogQuery) -> list[sqlite3.Row]:
        text, values = sql.where_facets(account, gateway, query)
        direction = "DESC" if query.descending else "ASC"
        columns = f"facet, went, stale, {sql.facet_order(query)} AS place, {', '.join(INFO_NAMES)}"
        read = f"SELECT {columns} FROM facets WHERE {text} ORDER BY place {direction}"  # noqa: S608 -- names from tables, values bound
        return self._db.execute(read, values).fetchall()

    def _fresh(self, facets: Iterable[sqlite3.Row]) -> dict[int, Info]:
        infos = {row["facet"]: [row[name] for name in INFO_NAMES] for row in facets}
        stale = [row["facet"] for row in facets if row["stale"]]
        if stale:
            read = count(self._db, "logs INDEXED BY logs_by_facet", IN_FACETS, (json.dumps(stale),))
            infos |= read
            with suppress(sqlite3.OperationalError):  # another program writes: the next list tries again
                self._db.executemany(_REFRESH, [(*info, facet) for facet, info in read.items()])
        return infos

    def _tally(self, key: tuple[str, str], query: LogQuery, went: Mapping[int, int]) -> Tally:
        cut = self._db.execute(_CUT).fetchone()[0]
        about = (*sql.where_facets(*key, query), *sql.where_rows(query))
        tally = self._kept.pop(about, None)
        if tally is None or tally.cut != cut:
            tally = Tally(cut)
        tally.advance(self._db, key, query, went)
        self._kept[about] = tally
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return tally


def _groups(matched: Iterable[tuple[int, Any]], infos: Mapping[int, Info]) -> Iterable[Group]:
    for _, members in groupby(matched, key=itemgetter(1)):
        facets = tuple(facet for facet, _ in members)
        yield Group(facets, sum(infos[facet][0] for facet in facets))
