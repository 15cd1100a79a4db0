"""One lane of a list: logs that agree in the column that orders, in the order of time, from a known place on.

There are two ways along it: the gateway's time, quick where many of its logs are in the lane, and sorting the lane's
own logs, quick where few are. A rank far from every known place is come to in strides, each of whose ends is a place
too; or its time is guessed, where counting the logs up to the guess is quicker than going past them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.local._logs import _sql as sql
from aigw.local._logs._places import Place
from aigw.local._logs._tally import IN_FACETS

if TYPE_CHECKING:
    import sqlite3

    from aigw.local._logs._places import Places
    from aigw.local._logs._totals import Group, Matches

_SORTING: Final = 3
"""How many times as long a log takes to be sorted as to be passed by."""

_STRIDE: Final = 5_000
_NEAR: Final = 1_000
_GUESSES: Final = 6

_OWN: Final = "logs.account = ? AND logs.gateway = ?"
_FROM: Final = "(logs.created_at, logs.id) >= (?, ?) AND logs.created_at <= ?"
_UNTIL: Final = "(logs.created_at, logs.id) < (?, ?) AND logs.created_at >= ?"
_BETWEEN: Final = "(logs.created_at, logs.id) >= (?, ?) AND (logs.created_at, logs.id) < (?, ?)"


@dataclass(frozen=True, slots=True)
class Lane:
    """The logs of a group.

    Attributes:
        db: The store's connection.
        matches: What the query wants.
        group: The group.
        places: What is known of it.
    """

    db: sqlite3.Connection
    matches: Matches
    group: Group
    places: Places

    def read(self, low: int, high: int) -> list[int]:
        """Give the rows from one rank to before another, the oldest first."""
        place = self._approach(low, high)
        older = self._backwards(place, place.rank - high, min(place.rank, high) - low)
        newer = self._forwards(place, low - place.rank, high - max(place.rank, low))
        found = [*older[::-1], *newer]
        self.places.add(Place(low, *found[0][1:]))
        self.places.add(Place(high - 1, *found[-1][1:]))
        return [row for row, *_ in found]

    def _approach(self, low: int, high: int) -> Place:
        """Give a place that is near, and make places until there is one."""
        guesses = _GUESSES if self._is_quickly_counted() else 0
        while True:
            below, above = self.places.around(low, self._ends())
            before, after = low - below.rank, max(0, above.rank - high)
            distance = min(before, after)
            if guesses and distance > _NEAR and (guess := self._guess(below, above, low)):
                guesses -= 1
                self.places.add(guess)
            elif distance > _STRIDE and not self._is_sorted(distance):
                self.places.add(self._forth(below) if before <= after else self._back(above))
            else:
                return below if before <= after else above

    def _ends(self) -> tuple[Place, Place]:
        first, last = self.group.span
        return Place(0, first, ""), Place(self.group.count, last + 1, "")

    def _forth(self, place: Place) -> Place:
        return Place(place.rank + _STRIDE, *self._forwards(place, _STRIDE, 1)[0][1:])

    def _back(self, place: Place) -> Place:
        return Place(place.rank - _STRIDE, *self._backwards(place, _STRIDE - 1, 1)[0][1:])

    def _guess(self, below: Place, above: Place, low: int) -> Place | None:
        """Count the logs up to the time at which so many may have come; there is no guess within one millisecond."""
        since, until = below.created_at, above.created_at
        guess = since + (until - since) * (low - below.rank) // max(1, above.rank - below.rank)
        if not since < guess < until:
            return None
        if guess - since <= until - guess:
            return Place(below.rank + self._count(below[1:], (guess, "")), guess, "")
        return Place(above.rank - self._count((guess, ""), above[1:]), guess, "")

    def _is_quickly_counted(self) -> bool:
        """Tell whether the facets' own index has all that is asked, and along the time other logs lie between."""
        return self.matches.is_covered and bool(self.matches.condition.text or self.group.count < self.matches.among)

    def _count(self, since: tuple[int, str], until: tuple[int, str]) -> int:
        pieces = (_in(self.group.facets), sql.Sql(_BETWEEN, (*since, *until)), self.matches.condition)
        text, values = sql.all_of(pieces)
        counted = f"SELECT count(*) FROM logs INDEXED BY logs_by_facet WHERE {text}"  # noqa: S608 -- names from tables, values bound
        return int(self.db.execute(counted, values).fetchone()[0])

    def _forwards(self, place: Place, skip: int, take: int) -> list[Any]:
        bounds = sql.Sql(_FROM, (*place[1:], self.group.span[1]))
        return self._select(bounds, sql.time_order(descending=False), skip, take)

    def _backwards(self, place: Place, skip: int, take: int) -> list[Any]:
        bounds = sql.Sql(_UNTIL, (*place[1:], self.group.span[0]))
        return self._select(bounds, sql.time_order(descending=True), skip, take)

    def _select(self, bounds: sql.Sql, order: str, skip: int, take: int) -> list[Any]:
        if take <= 0:
            return []
        source, (text, values) = self._way(bounds, max(0, skip) + take)
        read = (
            f"SELECT row, created_at, id FROM logs INDEXED BY {source} WHERE {text} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 -- names from tables, values bound
        )
        return self.db.execute(read, (*values, take, max(0, skip))).fetchall()

    def _way(self, bounds: sql.Sql, reach: int) -> tuple[str, sql.Sql]:
        """Choose an index, and write the condition for it."""
        facets = _in(self.group.facets)
        if self._is_sorted(reach):
            return "logs_by_facet", sql.all_of((facets, bounds))
        pieces = [sql.Sql(_OWN, self.matches.owner), bounds, self.matches.condition]
        if self.group.count < self.matches.among:
            pieces.append(sql.Sql(f"+{facets.text}", facets.values))
        return "logs_by_time", sql.all_of(pieces)

    def _is_sorted(self, reach: int) -> bool:
        count, among = self.group.count, self.matches.among
        return not self.matches.condition.text and count < among and reach * among >= _SORTING * count**2


def _in(facets: tuple[int, ...]) -> sql.Sql:
    return sql.Sql(IN_FACETS, (json.dumps(facets),))
