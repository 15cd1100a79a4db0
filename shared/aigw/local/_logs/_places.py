"""Places in long lists, remembered: how many of a list's logs come before a time and an id.

So whoever reads all pages one after the other does not pay for those before. Ranks are counted from the old end, so
that logs which come at the new end move none. What was written since, here or by another program, is told from the
database.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.local._logs._tally import IN_FACETS, cut_of, last_row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Hashable, Mapping

_MAX_LISTS: Final = 64
_MAX_PLACES: Final = 256
_RECENT: Final = 16
_SPACING: Final = 1_000
_MAX_NEW: Final = 20_000
"""From so many new logs on it is quicker to find a place again than to look for those that came late."""

_LATE: Final = f"SELECT min(created_at) FROM logs NOT INDEXED WHERE row > ? AND {IN_FACETS}"  # noqa: S608 -- a constant


class Place(NamedTuple):
    """That exactly `rank` of a list's logs have a lesser time and id than these; no log need have them."""

    rank: int
    created_at: int
    id: str


class Places:
    """The places of one list: those used last, and some that lie evenly over it."""

    def __init__(self) -> None:
        self._cut, self._last = -1, 0
        self._went: Mapping[int, int] = {}
        self._recent: deque[Place] = deque()
        self._spread: list[Place] = []
        self._spacing = _SPACING

    def renew(self, db: sqlite3.Connection, went: Mapping[int, int]) -> None:
        """Forget the places that may be wrong by now.

        Args:
            db: The store's connection.
            went: The list's facets, and how often each has been changed.
        """
        cut, last = cut_of(db), last_row(db)
        if cut != self._cut or last - self._last > _MAX_NEW or not self._only_grew(went):
            self._forget_from(None)
        elif last > self._last:
            late = db.execute(_LATE, (self._last, json.dumps(list(went)))).fetchone()[0]
            if late is not None:
                self._forget_from(late)
        self._cut, self._last, self._went = cut, last, went

    def around(self, rank: int, ends: tuple[Place, Place]) -> tuple[Place, Place]:
        """Give the last place up to a rank and the first from it on; the list's two ends are places too."""
        after = bisect_left(self._spread, rank, key=_RANK)
        near = (*self._spread[max(0, after - 1) : after + 1], *self._recent, *ends)
        return max(one for one in near if one.rank <= rank), min(one for one in near if one.rank >= rank)

    def add(self, place: Place) -> None:
        """Remember a place."""
        if place in self._recent:
            return
        self._recent.append(place)
        if len(self._recent) > _RECENT:
            self._keep(self._recent.popleft())

    def _only_grew(self, went: Mapping[int, int]) -> bool:
        """Tell whether no facet lost or changed a log; one that had none of the list's must never have changed."""
        return self._went.keys() <= went.keys() and all(self._went.get(one, 0) == times for one, times in went.items())

    def _forget_from(self, created_at: int | None) -> None:
        def holds(place: Place) -> bool:
            return created_at is not None and place.created_at < created_at

        self._recent = deque(filter(holds, self._recent))
        self._spread = list(filter(holds, self._spread))

    def _keep(self, place: Place) -> None:
        at = bisect_left(self._spread, place)
        beside = self._spread[max(0, at - 1) : at + 1]
        if all(abs(one.rank - place.rank) >= self._spacing for one in beside):
            insort(self._spread, place)
        if len(self._spread) > _MAX_PLACES:
            self._spacing *= 2
            spread, self._spread = self._spread, []
            for one in spread:
                if not self._spread or one.rank - self._spread[-1].rank >= self._spacing:
                    self._spread.append(one)


class Memory:
    """The places of the lists asked for last; to be asked under the store's lock."""

    def __init__(self) -> None:
        self._lists: dict[Hashable, Places] = {}

    def places(self, db: sqlite3.Connection, name: Hashable, went: Mapping[int, int]) -> Places:
        """Give the places of a list that hold now.

        Args:
            db: The store's connection.
            name: What tells the list from every other.
            went: Its facets, and how often each has been changed.
        """
        places = self._lists.pop(name, None) or Places()
        self._lists[name] = places
        if len(self._lists) > _MAX_LISTS:
            del self._lists[next(iter(self._lists))]
        places.renew(db, went)
        return places


_RANK: Final[Any] = attrgetter("rank")
