"""Which runs stand above which model's run, and what those called: bounded, and safe in threads.

The runs of chains, tools and retrievers are kept as paths, only while they may still have children. What stays is the
models' runs, each findable by its own id and by that of every run above it.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from langchain_aigw._recorded import RecordedCall
    from langchain_aigw._runs import ModelRun

_KEPT_ENDED: Final = 256
_PATHS_PER_RUN: Final = 4


@dataclass(eq=False, slots=True)
class Entry:
    """One run of a model.

    Attributes:
        run: The run.
        path: The runs above it, the root first.
        number: Its place among all runs of models.
        used: When it was last asked for.
        replays: The answers that came from LangChain's cache.
    """

    run: ModelRun
    path: tuple[UUID, ...]
    number: int
    used: float
    replays: list[RecordedCall] = field(default_factory=list)

    @property
    def root(self) -> UUID:
        """The outermost run."""
        return self.path[0] if self.path else self.run.run_id

    @property
    def is_empty(self) -> bool:
        """Whether nothing was called and nothing replayed."""
        return not self.run.reports and not self.replays


class RunTree:
    """The runs of models, the least recently used forgotten first.

    Args:
        max_runs: Runs of models that are kept.
        max_age: Seconds one is kept after it was last used.
        clock: Gives the time in seconds.
    """

    def __init__(self, max_runs: int, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_runs = max_runs
        self._max_age = max_age
        self._clock = clock
        self._lock = Lock()
        self._paths: OrderedDict[UUID, tuple[UUID, ...]] = OrderedDict()
        self._ended: deque[UUID] = deque()
        self._entries: OrderedDict[UUID, Entry] = OrderedDict()
        self._beneath: dict[UUID, list[Entry]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def open_runs(self) -> int:
        """How many runs are kept because they may still have children."""
        return len(self._paths)

    def start(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        """Note a run that may have children."""
        with self._lock:
            self._paths[run_id] = self._path(parent_run_id)
            while len(self._paths) > _PATHS_PER_RUN * self._max_runs:
                self._paths.popitem(last=False)

    def end(self, run_id: UUID) -> None:
        """Note the end of such a run; it is forgotten a little later, since a task left behind may still start one."""
        with self._lock:
            self._ended.append(run_id)
            if len(self._ended) > _KEPT_ENDED:
                self._paths.pop(self._ended.popleft(), None)

    def start_model(self, run: ModelRun, parent_run_id: UUID | None) -> None:
        """Note the run of a model; one whose id came before goes on where that one was."""
        with self._lock:
            now = self._clock()
            self._forget_old(now)
            if run.run_id in self._entries:
                self._use([self._entries[run.run_id]], now)
                return
            self._count += 1
            entry = Entry(run, self._path(parent_run_id), self._count, now)
            self._entries[run.run_id] = entry
            for run_id in (*entry.path, run.run_id):
                self._beneath.setdefault(run_id, []).append(entry)
            while len(self._entries) > self._max_runs:
                self._drop(next(iter(self._entries.values())))

    def end_model(self, run_id: UUID) -> None:
        """Note the end of a model's run; one that called nothing is forgotten."""
        with self._lock:
            entry = self._entries.get(run_id)
            if entry is not None and entry.is_empty:
                self._drop(entry)

    def entry(self, run_id: UUID) -> Entry | None:
        """Give the run of a model by its own id."""
        with self._lock:
            return self._entries.get(run_id)

    def entries(self) -> list[Entry]:
        """Give all runs of models, oldest first."""
        with self._lock:
            self._forget_old(self._clock())
            return sorted(self._entries.values(), key=lambda entry: entry.number)

    def beneath(self, run_id: UUID) -> list[Entry]:
        """Give the runs of models with this id or under the run of this id, oldest first."""
        with self._lock:
            now = self._clock()
            self._forget_old(now)
            found = list(self._beneath.get(run_id, ()))
            self._use(found, now)
            return found

    def _path(self, parent_run_id: UUID | None) -> tuple[UUID, ...]:
        if parent_run_id is None:
            return ()
        return (*self._paths.get(parent_run_id, ()), parent_run_id)

    def _use(self, entries: Iterable[Entry], now: float) -> None:
        for entry in entries:
            entry.used = now
            self._entries.move_to_end(entry.run.run_id)

    def _forget_old(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries.values()))
            if now - oldest.used <= self._max_age:
                return
            self._drop(oldest)

    def _drop(self, entry: Entry) -> None:
        del self._entries[entry.run.run_id]
        for run_id in (*entry.path, entry.run.run_id):
            siblings = self._beneath[run_id]
            siblings.remove(entry)
            if not siblings:
                del self._beneath[run_id]
