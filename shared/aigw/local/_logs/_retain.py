"""How much of the log is kept, by count or by age, and the trimming that keeps it so.

Trimming takes the oldest logs of the whole store, whichever gateway they belong to. It is done in batches, so that
between two of them there may be up to a twentieth more, and never less, than is to be kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aigw._given import shown

if TYPE_CHECKING:
    import sqlite3

_MAX_BATCH: Final = 1000
_MAX_PAUSE_MS: Final = 60_000
_AGE: Final = re.compile(r"(?P<number>[1-9]\d{0,8})(?P<unit>[smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Retain:
    """How much is kept.

    Attributes:
        count: So many logs; `None` for any number.
        age_ms: Logs up to this age in milliseconds; `None` for any age.
    """

    count: int | None = None
    age_ms: int | None = None

    @classmethod
    def read(cls, wish: int | str | None) -> Retain | None:
        """Read what a caller wrote: a number of logs, or an age such as `12h` or `7d` (s, m, h, d, w).

        Raises:
            ValueError: It is neither.
        """
        if wish is None:
            return None
        text = str(wish).strip()
        if match := _AGE.fullmatch(text):
            return cls(age_ms=int(match["number"]) * _SECONDS[match["unit"]] * 1000)
        if text.isascii() and text.isdigit() and int(text) > 0:
            return cls(count=int(text))
        raise ValueError(f"retain: expected a number of logs, or an age such as '12h' or '7d'; got {shown(wish)}")


class Trimmer:
    """Takes the oldest logs away when it is time to.

    Args:
        retain: How much is kept.
    """

    def __init__(self, retain: Retain) -> None:
        self._retain = retain
        self._batch = max(1, min((retain.count or 0) // 20, _MAX_BATCH))
        self._pause_ms = min((retain.age_ms or 0) // 20, _MAX_PAUSE_MS)
        self._added = 0
        self._next_ms = 0

    def trim(self, db: sqlite3.Connection, now_ms: int) -> None:
        """Trim if enough logs have come, or enough time has gone, since the last time.

        Args:
            db: The open transaction.
            now_ms: The time in milliseconds since 1970.
        """
        if self._retain.count is not None:
            self._added += 1
            if self._added >= self._batch:
                self._added = 0
                self._trim_count(db, self._retain.count)
        elif self._retain.age_ms is not None and now_ms >= self._next_ms:
            self._next_ms = now_ms + self._pause_ms
            self._trim_age(db, now_ms - self._retain.age_ms)

    def _trim_count(self, db: sqlite3.Connection, count: int) -> None:
        total = db.execute("SELECT coalesce(sum(total_count), 0) FROM facets").fetchone()[0]
        if total > count:
            oldest = "DELETE FROM logs WHERE row IN (SELECT row FROM logs ORDER BY row LIMIT ?)"
            db.execute(oldest, (total - count,))

    def _trim_age(self, db: sqlite3.Connection, before_ms: int) -> None:
        oldest = "DELETE FROM logs WHERE created_at < ? AND row IN (SELECT row FROM logs ORDER BY row LIMIT ?)"
        while db.execute(oldest, (before_ms, _MAX_BATCH)).rowcount == _MAX_BATCH:
            pass
