"""Which calls stand beneath which span or workflow run: bounded, and safe in threads."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from llamaindex_aigw._recorded import CallReport


@dataclass(eq=False, slots=True)
class _Entry:
    """One call.

    Attributes:
        number: Its place among all calls.
        report: What is known of it.
        keys: What it is found by: its spans, its workflow runs, its log ids.
        used: When it was last asked for.
    """

    number: int
    report: CallReport
    keys: tuple[str, ...]
    used: float


class Ledger:
    """The calls of a process, the least recently used forgotten first.

    Args:
        max_calls: Calls that are kept.
        max_age: Seconds one is kept after it was last used.
        clock: Gives the time in seconds.
    """

    def __init__(self, max_calls: int, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_calls = max_calls
        self._max_age = max_age
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._by_key: dict[str, list[_Entry]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def keys(self) -> int:
        """How many ids calls are found by."""
        return len(self._by_key)

    def add(self, report: CallReport) -> None:
        """Keep a call that the gateway has answered."""
        with self._lock:
            now = self._clock()
            self._forget_old(now)
            self._count += 1
            entry = _Entry(self._count, report, _keys(report), now)
            self._entries[entry.number] = entry
            for key in entry.keys:
                self._by_key.setdefault(key, []).append(entry)
            while len(self._entries) > self._max_calls:
                self._drop(next(iter(self._entries.values())))

    def find(self, key: str) -> list[CallReport]:
        """Give the calls beneath a span or a workflow run, or the one of a log id, oldest first."""
        with self._lock:
            now = self._clock()
            self._forget_old(now)
            found = sorted(self._by_key.get(key, ()), key=lambda entry: entry.number)
            for entry in found:
                entry.used = now
                self._entries.move_to_end(entry.number)
            return [entry.report for entry in found]

    def reports(self) -> list[CallReport]:
        """Give all calls, oldest first."""
        with self._lock:
            self._forget_old(self._clock())
            return [entry.report for entry in sorted(self._entries.values(), key=lambda entry: entry.number)]

    def _forget_old(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries.values()))
            if now - oldest.used <= self._max_age:
                return
            self._drop(oldest)

    def _drop(self, entry: _Entry) -> None:
        del self._entries[entry.number]
        for key in entry.keys:
            others = self._by_key[key]
            others.remove(entry)
            if not others:
                del self._by_key[key]


def _keys(report: CallReport) -> tuple[str, ...]:
    place = report.caller.place
    log_ids = [call.log_id for call in report.calls() if call.log_id]
    return tuple(dict.fromkeys((*place.spans, *place.runs, *log_ids)))
