"""Which runs stand above which model's run, and what those called: bounded, and safe in threads.

The runs of chains, tools and retrievers are kept as paths, only while they may still have children. What stays is the
models' runs, each findable by its own id, by that of every run above it and by its LangGraph thread.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aigw.integration import ForkSafeLock, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
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
        thread: The LangGraph thread it belongs to.
        replays: The answers that came from LangChain's cache.
    """

    run: ModelRun
    path: tuple[UUID, ...]
    thread: str | None = None
    replays: list[RecordedCall] = field(default_factory=list)

    @property
    def root(self) -> UUID:
        """The outermost run."""
        return self.path[0] if self.path else self.run.run_id

    @property
    def is_empty(self) -> bool:
        """Whether nothing was called and nothing replayed."""
        return not self.run.reports and not self.replays

    def calls(self) -> list[RecordedCall]:
        """Give what was called, and what was replayed."""
        return [*self.run.calls(), *self.replays]


class RunTree:
    """The runs of models, the least recently used forgotten first.

    Args:
        max_runs: Runs of models that are kept.
        max_age: Seconds one is kept after it was last used.
        clock: Gives the time in seconds.
    """

    def __init__(self, max_runs: int, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_paths = _PATHS_PER_RUN * max_runs
        self._lock = ForkSafeLock()
        self._paths: OrderedDict[UUID, tuple[UUID, ...]] = OrderedDict()
        self._ended: deque[UUID] = deque()
        self._ledger: Ledger[Entry] = Ledger(max_runs, max_age, clock)

    def __len__(self) -> int:
        return len(self._ledger)

    @property
    def open_runs(self) -> int:
        """How many runs are kept because they may still have children."""
        return len(self._paths)

    def start(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        """Note a run that may have children."""
        with self._lock:
            self._paths[run_id] = self._path(parent_run_id)
            while len(self._paths) > self._max_paths:
                self._paths.popitem(last=False)

    def end(self, run_id: UUID) -> None:
        """Note the end of such a run; it is forgotten a little later, since a task left behind may still start one."""
        with self._lock:
            self._ended.append(run_id)
            if len(self._ended) > _KEPT_ENDED:
                self._paths.pop(self._ended.popleft(), None)

    def path(self, run_id: UUID) -> tuple[UUID, ...]:
        """Give the runs above one that is open, the root first."""
        return self._paths.get(run_id, ())

    def start_model(self, run: ModelRun, parent_run_id: UUID | None, thread: str | None = None) -> None:
        """Note the run of a model; one whose id came before goes on where that one was."""
        with self._lock:
            if self._ledger.get(run.run_id) is not None:
                self._ledger.use(run.run_id)
                return
            entry = Entry(run, self._path(parent_run_id), thread)
            run.root_run_id = entry.root
            self._ledger.add(run.run_id, entry, (*entry.path, run.run_id, *((thread,) if thread else ())))

    def end_model(self, run_id: UUID) -> Entry | None:
        """Note the end of a model's run and give it; one that called nothing is forgotten."""
        entry = self._ledger.get(run_id)
        if entry is None or not entry.is_empty:
            return entry
        self._ledger.drop(run_id)
        return None

    def entry(self, run_id: UUID) -> Entry | None:
        """Give the run of a model by its own id."""
        return self._ledger.get(run_id)

    def entries(self) -> list[Entry]:
        """Give all runs of models, oldest first."""
        return self._ledger.items()

    def beneath(self, key: UUID | str) -> list[Entry]:
        """Give the runs of models with this id, under the run of this id or in the thread of it, oldest first."""
        return self._ledger.find(key)

    def peek(self, key: UUID | str) -> list[Entry]:
        """As `beneath`, without using them."""
        return self._ledger.peek(key)

    def _path(self, parent_run_id: UUID | None) -> tuple[UUID, ...]:
        if parent_run_id is None:
            return ()
        return (*self._paths.get(parent_run_id, ()), parent_run_id)
