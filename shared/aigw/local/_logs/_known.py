"""Totals known without reading the logs that match: those of values that often come, and of all logs but a few."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aigw.local._logs import _sql as sql
from aigw.local._logs._schema import INFO_NAMES, RANGED, SPAN
from aigw.local._logs._tally import AMOUNTS, IN_FACETS, Info, count, in_rows, info_by_facet, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aigw.local._logs._query import LogQuery

MAX_VALUES: Final = 20_000
"""The most different values that are looked through for those that contain a text."""

_HAS_MANY: Final = f"SELECT count(*) FROM (SELECT 1 FROM label_values LIMIT {MAX_VALUES + 1})"  # noqa: S608 -- a constant
_EDGES: Final = slice(1, len(INFO_NAMES) - len(SPAN))
_KEPT: Final = f"""
SELECT value, facet, stale, {", ".join(INFO_NAMES)} FROM label_totals
WHERE value IN (SELECT value FROM json_each(?)) AND facet IN (SELECT value FROM json_each(?)) AND total_count > 0
"""  # noqa: S608 -- constants
_NUMBERS: Final = """
SELECT facet, sum(total_count) FROM label_totals
WHERE value IN (SELECT value FROM json_each(?)) AND facet IN (SELECT value FROM json_each(?)) GROUP BY facet
"""
_REFRESH: Final = f"""
UPDATE label_totals SET stale = 0, {", ".join(f"{name} = ?" for name in INFO_NAMES)} WHERE value = ? AND facet = ?
"""  # noqa: S608 -- constants
_SOURCES: Final = tuple(RANGED.values())
_ANOTHER: Final = """
SELECT 1 FROM logs INDEXED BY logs_by_facet
WHERE facet = ? AND {} = ? AND row NOT IN (SELECT value FROM json_each(?)) LIMIT 1
"""
_HAS_VALUE: Final = "EXISTS (SELECT 1 FROM labels WHERE labels.row = logs.row AND labels.value = ?)"


def pick_values(db: sqlite3.Connection, query: LogQuery) -> list[sqlite3.Row] | None:
    """Give the values one of which a log must have, if that is all that is asked of each log of the query's facets.

    Returns:
        Rows of `label_values`; `None` if more is asked, or the values are too many to look through.
    """
    wanted = sql.wanted_values(query)
    if wanted is None or (wanted.is_scan and db.execute(_HAS_MANY).fetchone()[0] > MAX_VALUES):
        return None
    return db.execute(f"SELECT * FROM label_values WHERE {wanted.where.text}", wanted.where.values).fetchall()  # noqa: S608 -- names from tables, values bound


def of_values(db: sqlite3.Connection, picked: Sequence[sqlite3.Row], facets: Iterable[int]) -> dict[int, Info] | None:
    """Give the totals, by facet, of the logs that have one of some values; `None` if they are not kept.

    Those of several values add up if all of them always had the same name, of which a log has only one.
    """
    if not _add_up(picked):
        return None
    asked = json.dumps([row["value"] for row in picked]), json.dumps(list(facets))
    kept = {(row["value"], row["facet"]): row for row in db.execute(_KEPT, asked)}
    infos = {pair: [row[name] for name in INFO_NAMES] for pair, row in kept.items()}
    infos |= _refreshed(db, [pair for pair, row in kept.items() if row["stale"]])
    by_facet: dict[int, list[Info]] = {}
    for (_, facet), info in infos.items():
        by_facet.setdefault(facet, []).append(info)
    return {facet: joined(parts) for facet, parts in by_facet.items()}


def numbers(db: sqlite3.Connection, picked: Sequence[sqlite3.Row], facets: Iterable[int]) -> dict[int, int] | None:
    """Give how many logs have one of some values, by facet; `None` if that is not kept."""
    asked = json.dumps([row["value"] for row in picked]), json.dumps(list(facets))
    return dict(db.execute(_NUMBERS, asked).fetchall()) if _add_up(picked) else None


def _add_up(picked: Sequence[sqlite3.Row]) -> bool:
    names = {row["key"] for row in picked}
    return all(row["counted"] for row in picked) and (len(picked) < 2 or (len(names) == 1 and None not in names))


def _refreshed(db: sqlite3.Connection, stale: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Info]:
    by_value: dict[str, list[int]] = {}
    for value, facet in stale:
        by_value.setdefault(value, []).append(facet)
    infos: dict[tuple[str, int], Info] = {}
    for value, facets in by_value.items():
        values = (json.dumps(facets), value)
        read = count(db, "logs INDEXED BY logs_by_facet", f"{IN_FACETS} AND {_HAS_VALUE}", values)
        infos |= {(value, facet): info for facet, info in read.items()}
    with suppress(sqlite3.OperationalError):  # another program writes: the next list tries again
        db.executemany(_REFRESH, [(*info, *pair) for pair, info in infos.items()])
    return infos


def all_but(
    db: sqlite3.Connection, out: Sequence[int], condition: sql.Sql, infos: Mapping[int, Info]
) -> dict[int, Info]:
    """Take the few logs that are not wanted away from the totals of all.

    Args:
        db: The store's connection.
        out: Their rows.
        condition: That a log is not one of them.
        infos: The totals of all, by facet.
    """
    text, values = sql.all_of((in_rows(out), sql.Sql(f"+{IN_FACETS}", (json.dumps(list(infos)),))))
    taken = info_by_facet(db.execute(f"SELECT facet, row, {AMOUNTS} FROM logs WHERE {text}", values))  # noqa: S608 -- names from tables, values bound
    anew = [one for one, info in taken.items() if not _keeps_its_edges(db, one, infos[one], info, json.dumps(out))]
    left = {facet: [info[0] - taken[facet][0], *info[1:]] if facet in taken else info for facet, info in infos.items()}
    counted: dict[int, Info] = {}
    if anew:
        text, values = sql.all_of((sql.Sql(IN_FACETS, (json.dumps(anew),)), condition))
        counted = count(db, "logs INDEXED BY logs_by_facet", text, values)
    return {facet: info for facet, info in left.items() if facet not in anew} | counted


def _keeps_its_edges(db: sqlite3.Connection, facet: int, whole: Info, taken: Info, out: str) -> bool:
    """Tell whether other logs have the same edges as those taken away."""
    pairs = list(zip(whole, taken, strict=True))[_EDGES]
    shared = [(_SOURCES[number // 2], edge) for number, (edge, other) in enumerate(pairs) if edge == other is not None]
    others = (db.execute(_ANOTHER.format(source), (facet, edge, out)) for source, edge in shared)
    return bool(whole[0] > taken[0]) and all(found.fetchone() for found in others)
