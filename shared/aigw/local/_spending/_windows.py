"""Amounts per window of time, by key: what rate limits and spend limits count with.

A fixed window begins at a multiple of its length since 1970, as was seen of the real gateway (windows of a minute clear
on the clock's minute). A sliding one is the running window plus the one before, weighted by how much of it still
overlaps. Safe in threads; the keys that were touched longest ago are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.local._settings._gateway_settings import Technique

    Key = tuple[str, ...]

MAX_KEYS: Final = 100_000


class Windows:
    """Amounts per window.

    Args:
        clock: Gives the time in seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._amounts: OrderedDict[tuple[Key, float], tuple[int, float, float]] = OrderedDict()

    def used(self, key: Key, window: float, technique: Technique) -> float:
        """Give what was used in the window of `window` seconds that ends now."""
        with self._lock:
            return self._used(key, window, technique)

    def add(self, key: Key, amount: float, window: float) -> None:
        """Use an amount, whatever the limit."""
        with self._lock:
            self._add(key, amount, window)

    def take(self, key: Key, limit: float, window: float, technique: Technique) -> bool:
        """Use 1 if that stays within the limit; whether it did."""
        with self._lock:
            if self._used(key, window, technique) + 1 > limit:
                return False
            self._add(key, 1, window)
            return True

    def forget(self, *start: str) -> None:
        """Forget the keys that begin so."""
        with self._lock:
            for entry in [entry for entry in self._amounts if entry[0][: len(start)] == start]:
                del self._amounts[entry]

    def _used(self, key: Key, window: float, technique: Technique) -> float:
        _, current, previous = self._now(key, window)
        overlap = 1 - (self._clock() % window) / window
        return current + (previous * overlap if technique == "sliding" else 0.0)

    def _add(self, key: Key, amount: float, window: float) -> None:
        index, current, previous = self._now(key, window)
        self._amounts[key, window] = (index, current + amount, previous)
        self._amounts.move_to_end((key, window))
        if len(self._amounts) > MAX_KEYS:
            self._amounts.popitem(last=False)

    def _now(self, key: Key, window: float) -> tuple[int, float, float]:
        index = int(self._clock() // window)
        then, current, previous = self._amounts.get((key, window), (index, 0.0, 0.0))
        if then == index:
            return index, current, previous
        return index, 0.0, current if then == index - 1 else 0.0
