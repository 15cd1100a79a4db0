"""Counting the logs that meet a condition: once through all of them, and from then on only through those that came.

As long as they are few their rows are kept as well, so that a page of them is read without looking for them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.local._logs import _sql as sql
from aigw.local._logs._schema import BOUNDED, INFO, INFO_NAMES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

FEW: Final = 10_000
"""The most logs whose rows are kept, or read one by one."""

IN_FACETS: Final = "logs.facet IN (SELECT value FROM json_each(?))"
"""That a log belongs to one of some facets, given as a JSON array."""

AMOUNTS: Final = ", ".join(BOUNDED.values())
"""What of a log its totals are made of, as columns of a SELECT."""

NARROW: Final = 5 * FEW
"""The most rows left by an index that are read each."""

_PART: Final = 8
"""Facets that have less than this part of all logs are read along their index, whatever is asked."""

_CUT: Final = "SELECT ifnull(sum(cut), 0) FROM facets"
_LAST: Final = "SELECT ifnull(max(row), 0) FROM logs"

Info = list[Any]
"""A count, then the least and the greatest of each amount, as `INFO_NAMES` says."""


class Way(NamedTuple):
    """What to read along, on which condition, and whether too many logs to keep their rows may well meet it."""

    source: str
    where: sql.Sql
    is_many: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a tally counts.

    Attributes:
        condition: What is asked of each log.
        is_covered: Whether the condition can be told from the index `logs_by_facet`.
        went: The facets whose logs are asked, and how often each has been changed.
        sizes: How many logs each of them has.
        among: How many logs there are in all.
        few: Gives a condition that picks the same logs out of rows that an index leaves, and whether those are many.
    """

    condition: sql.Sql
    is_covered: bool
    went: Mapping[int, int]
    sizes: Mapping[int, int]
    among: int
    few: Callable[[], tuple[sql.Sql, bool] | None]

    def way(self, facets: Iterable[int], *, since: int = 0) -> Way:
        """Choose what to read along: rows that an index leaves, the facets' own index, or the table from `since` on."""
        facets = list(facets)
        within = sql.Sql(IN_FACETS, (json.dumps(facets),))
        if since == 0 and (found := self.few()):
            narrowed, is_many = found
            where = sql.all_of((narrowed, sql.Sql(f"+{within.text}", within.values)))
            return Way("logs NOT INDEXED", where, is_many)
        along = self.is_covered or _PART * sum(self.sizes[facet] for facet in facets) < self.among
        source = "logs INDEXED BY logs_by_facet" if since == 0 and along else "logs NOT INDEXED"
        return Way(source, sql.all_of((within, self.condition)), is_many=False)


@dataclass(slots=True)
class Tally:
    """What was counted, up to some row.

    Attributes:
        cut: What `cut_of` gave.
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

    def advance(self, db: sqlite3.Connection, asked: Asked) -> None:
        """Count the logs that came since, and the facets that were changed.

        Args:
            db: The store's connection.
            asked: What is counted.
        """
        changed = [facet for facet, times in asked.went.items() if times != self.went.get(facet, 0)]
        for facet in {*changed, *(self.went.keys() - asked.went.keys())}:
            self.infos.pop(facet, None)
            if self.rows is not None:
                self.rows.pop(facet, None)
        last = last_row(db)
        if changed and self.last:
            self._read(db, asked.way(changed), 0, self.last)
        if last > self.last:
            self._read(db, asked.way(asked.went, since=self.last), self.last, last)
        self.last, self.went = last, asked.went

    def _read(self, db: sqlite3.Connection, way: Way, after: int, last: int) -> None:
        source, (text, values), is_many = way
        text, values = f"{text} AND logs.row > ? AND logs.row <= ?", (*values, after, last)
        one_by_one = f"SELECT facet, row, {AMOUNTS} FROM {source} WHERE {text} LIMIT {FEW + 1}"  # noqa: S608 -- names from tables, values bound
        infos = count(db, source, text, values) if is_many else None
        if infos is None or is_few(sum(info[0] for info in infos.values())):
            read = db.execute(one_by_one, values).fetchall()
            if is_few(len(read)):
                self._add(info_by_facet(read))
                self._keep(_by_facet(read))
                return
        self._add(infos or count(db, source, text, values))
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


def cut_of(db: sqlite3.Connection) -> int:
    """Give how often the newest log of all had been deleted; when that grows, rows do not tell what is new."""
    return int(db.execute(_CUT).fetchone()[0])


def last_row(db: sqlite3.Connection) -> int:
    """Give the newest log's row."""
    return int(db.execute(_LAST).fetchone()[0])


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


def info_by_facet(read: Iterable[Sequence[Any]]) -> dict[int, Info]:
    """Give the totals of logs that were read one by one, each as its facet, its row and its `AMOUNTS`."""
    return {facet: _info(logs) for facet, logs in _by_facet(read).items()}


def _by_facet(read: Iterable[Sequence[Any]]) -> dict[int, list[Sequence[Any]]]:
    by_facet: dict[int, list[Sequence[Any]]] = {}
    for facet, *log in read:
        by_facet.setdefault(facet, []).append(log)
    return by_facet


def _info(logs: list[Sequence[Any]]) -> Info:
    _, *amounts = zip(*logs, strict=True)
    given = [[amount for amount in column if amount is not None] for column in amounts]
    return [len(logs), *(edge(column, default=None) for column in given for edge in (min, max))]


def in_rows(rows: Sequence[int]) -> sql.Sql:
    """Write that a log is in one of some rows."""
    return sql.Sql("logs.row IN (SELECT value FROM json_each(?))", (json.dumps(rows),))


def few_rows(db: sqlite3.Connection, one: sql.Sql) -> list[int] | None:
    """Give the rows of a SELECT, if they are so few that reading each is quicker than reading along the logs."""
    rows = [row[0] for row in db.execute(f"{one.text} LIMIT {NARROW + 1}", one.values)]
    return rows if len(rows) <= NARROW else None


def is_few(number: int) -> bool:
    """Tell whether so many logs are few."""
    return number <= FEW
