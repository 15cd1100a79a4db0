"""Which facet a log belongs to; a new one is made for the first log of its kind."""

from __future__ import annotations

import json
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final

from aigw.local._logs._schema import FACET, SHARED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from aigw.local._logs._record import LogRecord

_MAX_KNOWN: Final = 10_000
_FIND: Final = f"SELECT facet FROM facets WHERE {' AND '.join(f'{name} IS ?' for name in FACET)}"  # noqa: S608 -- constants
_MAKE: Final = f"INSERT INTO facets ({', '.join(FACET)}, total_count) VALUES ({', '.join('?' * len(FACET))}, 0)"  # noqa: S608 -- constants


class Facets:
    """The facets, remembered between logs; to be asked inside a transaction that writes."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], int] = {}

    def find(self, db: sqlite3.Connection, shared: tuple[Any, ...], labels: Iterable[str]) -> int:
        """Give a log's facet.

        Args:
            db: The open transaction.
            shared: The log's values of `SHARED`.
            labels: The names of its labels.
        """
        names = tuple(sorted(labels))
        known = (shared, names)
        facet = self._known.get(known)
        if facet is None:
            facet = self._known[known] = _find_or_make(db, (*shared, _dump(names)))
        return facet

    def forget(self) -> None:
        """Forget all: what was made may have been taken back."""
        self._known.clear()

    def tidy(self) -> None:
        """Forget all if that is too much to remember."""
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()


def shared_values(record: LogRecord) -> tuple[Any, ...]:
    """Give the values of `SHARED` of a new log, which has no feedback yet."""
    return (*_GIVEN_OF(record), None)


def shared_values_of_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give the values of `SHARED` of a row of `logs`."""
    return _SHARED_OF(row)


_GIVEN: Final = SHARED[:-1]  # all but the last, the feedback
_GIVEN_OF: Final = attrgetter(*_GIVEN)
_SHARED_OF: Final[Callable[[Mapping[str, Any]], tuple[Any, ...]]] = itemgetter(*SHARED)


def _find_or_make(db: sqlite3.Connection, values: tuple[Any, ...]) -> int:
    row = db.execute(_FIND, values).fetchone()
    return int(row[0]) if row else db.execute(_MAKE, values).lastrowid or 0


def _dump(names: tuple[str, ...]) -> str:
    return json.dumps(names, separators=(",", ":"), ensure_ascii=False)
