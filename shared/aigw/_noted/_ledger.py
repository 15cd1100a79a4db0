"""Things found by several keys, so many of them and for so long: bounded, and safe in threads.

An adapter keeps here what it knows of calls, under the ids of every run or span above them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from aigw._forks import ForkSafeLock

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Entry(Generic[T]):
    """One thing kept.

    Attributes:
        name: What it is called.
        number: Its place among all that were ever kept.
        item: The thing.
        keys: What it is found by.
        used: When it was last asked for.
    """

    name: Hashable
    number: int
    item: T
    keys: tuple[Hashable, ...]
    used: float


class Ledger(Generic[T]):
    """Things found by their keys, the least recently used forgotten first.

    Args:
        max_items: Things that are kept.
        max_age: Seconds one is kept after it was last used.
        clock: Gives the time in seconds.
    """

    def __init__(self, max_items: int, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_items = max_items
        self._max_age = max_age
        self._clock = clock
        self._lock = ForkSafeLock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._by_key: dict[Hashable, list[_Entry[T]]] = {}
        self._count = 0
        self._newest: T | None = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def keys(self) -> int:
        """How many keys things are found by."""
        return len(self._by_key)

    @property
    def newest(self) -> T | None:
        """What was added last, even if it is forgotten."""
        return self._newest

    def add(self, name: Hashable, item: T, keys: Iterable[Hashable]) -> None:
        """Keep a thing, in place of one of the same name.

        Args:
            name: What it is called.
            item: The thing.
            keys: What it is found by.
        """
        with self._lock:
            now = self._clock()
            self._forget_old(now)
            if name in self._entries:
                self._drop(self._entries[name])
            self._count += 1
            self._newest = item
            entry = self._entries[name] = _Entry(name, self._count, item, tuple(dict.fromkeys(keys)), now)
            for key in entry.keys:
                self._by_key.setdefault(key, []).append(entry)
            while len(self._entries) > self._max_items:
                self._drop(next(iter(self._entries.values())))

    def get(self, name: Hashable) -> T | None:
        """Give the thing of this name, without using it."""
        entry = self._entries.get(name)
        return None if entry is None else entry.item

    def use(self, name: Hashable) -> None:
        """Count the thing of this name as used."""
        with self._lock:
            if name in self._entries:
                self._use(self._entries[name], self._clock())

    def find(self, key: Hashable) -> list[T]:
        """Give what has this key, oldest first; it counts as used."""
        with self._lock:
            now = self._clock()
            self._forget_old(now)
            found = list(self._by_key.get(key, ()))
            for entry in found:
                self._use(entry, now)
            return [entry.item for entry in found]

    def peek(self, key: Hashable) -> list[T]:
        """Give what has this key, oldest first, without using it."""
        with self._lock:
            return [entry.item for entry in self._by_key.get(key, ())]

    def items(self) -> list[T]:
        """Give everything that is kept, oldest first."""
        with self._lock:
            self._forget_old(self._clock())
            return [entry.item for entry in sorted(self._entries.values(), key=lambda entry: entry.number)]

    def drop(self, name: Hashable) -> None:
        """Forget the thing of this name."""
        with self._lock:
            if name in self._entries:
                self._drop(self._entries[name])

    def _use(self, entry: _Entry[T], now: float) -> None:
        entry.used = now
        self._entries.move_to_end(entry.name)

    def _forget_old(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries.values()))
            if now - oldest.used <= self._max_age:
                return
            self._drop(oldest)

    def _drop(self, entry: _Entry[T]) -> None:
        del self._entries[entry.name]
        for key in entry.keys:
            others = self._by_key[key]
            others.remove(entry)
            if not others:
                del self._by_key[key]
