"""Which logs match, and their totals, without reading every log for every page.

What a filter compares with a facet's columns is answered from the facets alone; what it wants of labels' values, from
their own totals where those are kept. Other conditions on single logs (an amount, a time, an id) are counted once and
kept in memory: the next time only what was written since is read, and the facets of logs that were changed or deleted,
here or by another program.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from aigw.local._logs import _known as known
from aigw.local._logs import _sql as sql
from aigw.local._logs._broad import rarest, settle
from aigw.local._logs._schema import INFO_NAMES, SPAN
from aigw.local._logs._tally import IN_FACETS, Asked, Info, Tally, count, cut_of, few_rows, in_rows, is_few, joined

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from aigw.local._logs._query import LogQuery

_MAX_KEPT: Final = 64
_GATEWAY: Final = "SELECT ifnull(sum(total_count), 0) FROM facets WHERE account = ? AND gateway = ?"
_LOGS: Final = "SELECT ifnull(sum(total_count), 0) FROM facets"
_OF_VALUES: Final = "SELECT row FROM labels WHERE value IN (SELECT value FROM json_each(?))"
_REFRESH: Final = f"UPDATE facets SET stale = 0, {', '.join(f'{name} = ?' for name in INFO_NAMES)} WHERE facet = ?"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class Group:
    """Facets that agree in the column that orders.

    Attributes:
        value: What the column has.
        went: The facets, and how often each has been changed.
        count: How many of their logs match.
        span: Two times in milliseconds between which those were written.
    """

    value: Any
    went: Mapping[int, int]
    count: int
    span: tuple[int, int]

    @property
    def facets(self) -> tuple[int, ...]:
        """The facets."""
        return tuple(self.went)


@dataclass(frozen=True, slots=True)
class Matches:
    """The logs that a query wants.

    Attributes:
        about: What the query asks, whichever page of it is wanted and in which order.
        owner: The account and the gateway.
        info: Their number, and the least and greatest of their amounts.
        groups: Their facets, in the query's order.
        condition: What is asked of each log of those facets; its text is empty for nothing.
        is_covered: Whether the condition can be told from the index `logs_by_facet`.
        rows: Their rows in no order, if each was looked at and they are few.
        among: How many logs the gateway has.
    """

    about: Hashable
    owner: tuple[str, str]
    info: dict[str, Any]
    groups: tuple[Group, ...]
    condition: sql.Sql
    is_covered: bool
    rows: tuple[int, ...] | None
    among: int


class Totals:
    """The totals; to be asked under the store's lock, in one transaction with what is read by their leave.

    Args:
        db: The store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._kept: dict[Hashable, Tally] = {}

    def match(self, account: str, gateway: str, query: LogQuery) -> Matches:
        """Find what a query wants."""
        key = account, gateway
        among = self._db.execute(_GATEWAY, key).fetchone()[0]
        about, facets = (*sql.where_facets(*key, query), *sql.where_rows(query)), self._facets(*key, query)
        if sql.wanted_values(query) is None:
            query, facets = settle(self._db, query, facets)
        condition, is_covered = sql.where_rows(query), sql.is_covered(query)
        infos, rows = self._counted(about, key, query, facets) if condition.text else (self._fresh(facets), None)
        matched = [row for row in facets if row["facet"] in infos]
        if all(infos[row["facet"]][0] == row["total_count"] for row in matched):
            condition, is_covered = sql.all_of(()), True
        info = dict(zip(INFO_NAMES, joined(infos[row["facet"]] for row in matched), strict=True))
        kept = None if rows is None else tuple(one for row in matched for one in rows.get(row["facet"], ()))
        shown = {name: value for name, value in info.items() if name not in SPAN}
        return Matches(about, key, shown, tuple(_groups(matched, infos)), condition, is_covered, kept, among)

    def _counted(
        self, about: Hashable, key: tuple[str, str], query: LogQuery, facets: Sequence[sqlite3.Row]
    ) -> tuple[Mapping[int, Info], Mapping[int, Sequence[int]] | None]:
        """Give the totals of the logs that meet the condition, and their rows if they are few, by facet."""
        picked = None if self._finds_a_name(key, query) else known.pick_values(self._db, query)
        infos = self._known(key, query, facets, picked)
        if infos is not None and (not infos or not is_few(sum(info[0] for info in infos.values()))):
            return infos, None
        left = facets if infos is None else [row for row in facets if row["facet"] in infos]
        tally = self._tally((about, sql.where_rows(query)), self._asked(key, query, left, picked))
        return tally.infos, tally.rows

    def _finds_a_name(self, key: tuple[str, str], query: LogQuery) -> bool:
        if not query.search:
            return False
        text, values = sql.names_found(*key, query)
        return self._db.execute(f"SELECT 1 FROM facets WHERE {text} LIMIT 1", values).fetchone() is not None  # noqa: S608 -- names from tables, values bound

    def _known(
        self, key: tuple[str, str], query: LogQuery, facets: Sequence[sqlite3.Row], picked: list[sqlite3.Row] | None
    ) -> dict[int, Info] | None:
        if picked is not None:
            return known.of_values(self._db, picked, [row["facet"] for row in facets])
        out = sql.left_out(*key, query)
        rows = None if out is None else few_rows(self._db, out)
        return None if rows is None else known.all_but(self._db, rows, sql.where_rows(query), self._fresh(facets))

    def _few(
        self, key: tuple[str, str], query: LogQuery, picked: list[sqlite3.Row] | None, among: int
    ) -> tuple[sql.Sql, bool] | None:
        narrow = sql.narrow(*key, query)
        if picked is not None:
            narrow = [sql.Sql(_OF_VALUES, (json.dumps([row["value"] for row in picked]),))]
        found = (few_rows(self._db, one) for one in narrow)
        if few := [rows for rows in found if rows is not None]:
            return sql.all_of((*map(in_rows, few), sql.where_rows(query))), not is_few(min(map(len, few)))
        rare = rarest(self._db, query, among)
        if rare is None:
            return None
        (text, values), others = rare
        return sql.all_of((sql.Sql(f"logs.row IN ({text})", values), sql.where_rows(others))), True

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

    def _tally(self, about: Hashable, asked: Asked) -> Tally:
        cut = cut_of(self._db)
        tally = self._kept.pop(about, None)
        if tally is None or tally.cut != cut:
            tally = Tally(cut)
        tally.advance(self._db, asked)
        self._kept[about] = tally
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return tally

    def _asked(
        self, key: tuple[str, str], query: LogQuery, facets: Sequence[sqlite3.Row], picked: list[sqlite3.Row] | None
    ) -> Asked:
        went = {row["facet"]: row["went"] for row in facets}
        sizes = {row["facet"]: row["total_count"] for row in facets}
        among = self._db.execute(_LOGS).fetchone()[0]
        few = partial(self._few, key, query, picked, among)
        return Asked(sql.where_rows(query), sql.is_covered(query), went, sizes, among, few)


def _groups(matched: Iterable[sqlite3.Row], infos: Mapping[int, Info]) -> Iterable[Group]:
    for value, members in groupby(matched, key=itemgetter("place")):
        went = {row["facet"]: row["went"] for row in members}
        info = joined(infos[facet] for facet in went)
        yield Group(value, went, info[0], (info[-2], info[-1]))
