"""Counting the logs that meet a condition: once through all of them, and from then on only through those that came.

As long as they are few their rows are kept as well, so that a page of them is read without looking for them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aigw.local import _logs_sql as sql
from aigw.local._logs_schema import INFO, INFO_NAMES, RANGED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from aigw.local._logs_query import LogQuery

FEW: Final = 10_000
"""The most logs whose rows are kept, or read one by one."""

IN_FACETS: Final = "logs.facet IN (SELECT value FROM json_each(?))"
"""That a log belongs to one of some facets, given as a JSON array."""

_AMOUNTS: Final = ", ".join(RANGED.values())

Info = list[Any]
"""A count, then the least and the greatest of each amount, as `INFO_NAMES` says."""


@dataclass(slots=True)
class Tally:
    """What was counted, up to some row.

    Attributes:
        cut: How often the newest log of all had been deleted; when that grows, rows do not tell what is new.
        last: The last row that was looked at.
        went: How often each facet had been changed; what grows is counted anew.
        infos: The totals, by facet.
        rows: The rows by facet, as long as they are few.
    """

    cut: int
    last: int = 0
    went: Mapping[int, int] = field(default_factory=dict)
    infos: dict[int, Info] = field(default_factory=dict)
    rows: dict[int, list[int]] | None = field(default_factory=dict)

    def advance(self, db: sqlite3.Connection, key: tuple[str, str], query: LogQuery, went: Mapping[int, int]) -> None:
        """Count the logs that came since, and the facets that were changed.

        Args:
            db: The store's connection.
            key: The account and the gateway.
            query: What is asked of each log.
            went: The facets whose logs are asked, and how often each has been changed.
        """
        changed = [facet for facet, times in went.items() if times != self.went.get(facet, 0)]
        for facet in changed:
            self.infos.pop(facet, None)
            if self.rows is not None:
                self.rows.pop(facet, None)
        last = db.execute("SELECT ifnull(max(row), 0) FROM logs").fetchone()[0]
        if changed and self.last:
            self._read(db, _from_where(db, key, query, changed), 0, self.last)
        if last > self.last:
            self._read(db, _from_where(db, key, query, went, since=self.last), self.last, last)
        self.last, self.went = last, went

    def _read(self, db: sqlite3.Connection, source_where: tuple[str, sql.Sql], after: int, last: int) -> None:
        source, (text, values) = source_where
        text, values = f"{text} AND logs.row > ? AND logs.row <= ?", (*values, after, last)
        one_by_one = f"SELECT facet, row, {_AMOUNTS} FROM {source} WHERE {text} LIMIT {FEW + 1}"  # noqa: S608 -- names from tables, values bound
        read = db.execute(one_by_one, values).fetchall()
        if len(read) <= FEW:
            self._add({facet: _info(logs) for facet, logs in _by_facet(read).items()})
            self._keep(_by_facet(read))
        else:
            self._add(count(db, source, text, values))
            self.rows = None

    def _add(self, infos: Mapping[int, Info]) -> None:
        for facet, info in infos.items():
            self.infos[facet] = joined([self.infos[facet], info]) if facet in self.infos else info

    def _keep(self, logs: Mapping[int, list[Sequence[Any]]]) -> None:
        if self.rows is None:
            return
        for facet, some in logs.items():
            self.rows.setdefault(facet, []).extend(row for row, *_ in some)
        if sum(map(len, self.rows.values())) > FEW:
            self.rows = None


def count(db: sqlite3.Connection, source: str, text: str, values: Sequence[Any]) -> dict[int, Info]:
    """Give the totals of the logs that meet a condition, by facet."""
    counted = f"SELECT facet, {INFO} FROM {source} WHERE {text} GROUP BY facet"  # noqa: S608 -- names from tables, values bound
    return {row[0]: list(row)[1:] for row in db.execute(counted, values)}


def joined(infos: Iterable[Sequence[Any]]) -> Info:
    """Put the totals of several parts together."""
    columns = list(zip(*infos, strict=True))
    if not columns:
        return [0, *([None] * (len(INFO_NAMES) - 1))]
    return [sum(columns[0]), *(_edge(number, column) for number, column in enumerate(columns[1:]))]


def _edge(number: int, column: Sequence[Any]) -> Any:
    known = [value for value in column if value is not None]
    return (max if number % 2 else min)(known, default=None)


def _by_facet(read: Iterable[Sequence[Any]]) -> dict[int, list[Sequence[Any]]]:
    by_facet: dict[int, list[Sequence[Any]]] = {}
    for facet, *log in read:
        by_facet.setdefault(facet, []).append(log)
    return by_facet


def _info(logs: list[Sequence[Any]]) -> Info:
    _, *amounts = zip(*logs, strict=True)
    return [len(logs), *(_edge(number, amounts[number // 2]) for number in range(2 * len(amounts)))]


def _from_where(
    db: sqlite3.Connection, key: tuple[str, str], query: LogQuery, facets: Iterable[int], *, since: int = 0
) -> tuple[str, sql.Sql]:
    """Choose what to read along: rows that an index leaves, the facets' own index, or the table from `since` on."""
    condition, within = sql.where_rows(query), sql.Sql(IN_FACETS, (json.dumps(list(facets)),))
    few = [one for one in sql.narrow(*key, query) if _leaves_few(db, one)]
    if few:
        pieces = (*(sql.Sql(f"logs.row IN ({one.text})", one.values) for one in few), condition)
        return "logs NOT INDEXED", sql.all_of((*pieces, sql.Sql(f"+{within.text}", within.values)))
    source = "logs INDEXED BY logs_by_facet" if since == 0 and sql.is_covered(query) else "logs NOT INDEXED"
    return source, sql.all_of((within, condition))


def _leaves_few(db: sqlite3.Connection, one: sql.Sql) -> bool:
    counted = f"SELECT count(*) FROM ({one.text} LIMIT {FEW + 1})"  # noqa: S608 -- names from tables, values bound
    return bool(db.execute(counted, one.values).fetchone()[0] <= FEW)
