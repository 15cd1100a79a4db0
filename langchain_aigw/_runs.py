"""The run a call belongs to, known at the place where the call is made.

LangChain hands `_generate` a run manager, but `_stream` none. So every model carries a small callback handler that
notes its run in a context variable just before the model is called, and the model's methods take it from there as
their first statement. The handler runs inline: LangChain would call any other in a thread, where the note is lost.
Handlers that record runs share the same `ModelRun`, so what the model reports is theirs at once.
"""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables.config import ensure_config

from langchain_aigw._captured import CAPTURES
from langchain_aigw._recorded import CallReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from langchain_core.callbacks import BaseRunManager, Callbacks
    from langchain_core.messages import BaseMessage

    from langchain_aigw._recorded import Caller, RecordedCall


class ModelRun:
    """One run of a model, shared by the model and every handler that hears of it.

    Attributes:
        run_id: LangChain's id of the run.
        parent_run_id: The run around it.
        root_run_id: The outermost run around it, where a handler that records runs listens, or there is none around.
        metadata: The metadata of the run's config and of the model, LangChain's own entries included.
        reports: What the model called, oldest first.
    """

    __slots__ = ("__weakref__", "metadata", "parent_run_id", "reports", "root_run_id", "run_id")

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.parent_run_id: UUID | None = None
        self.root_run_id: UUID | None = None
        self.metadata: Mapping[str, Any] = {}
        self.reports: list[CallReport] = []

    def calls(self) -> list[RecordedCall]:
        """Give the requests made, oldest first."""
        return [call for report in list(self.reports) for call in report.calls()]


class _Runs:
    """The runs that somebody still refers to."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: WeakValueDictionary[UUID, ModelRun] = WeakValueDictionary()

    def get(self, run_id: UUID) -> ModelRun:
        with self._lock:
            run = self._runs.get(run_id)
            if run is None:
                run = self._runs[run_id] = ModelRun(run_id)
            return run


class _Started:
    """The runs that one call of LangChain's started together, mostly one, of which none is taken yet."""

    __slots__ = ("awaited", "runs", "size")

    def __init__(self, size: int) -> None:
        self.size = self.awaited = size
        self.runs: deque[ModelRun] = deque()

    def add(self, run: ModelRun) -> None:
        self.awaited -= 1
        self.runs.append(run)

    def take(self, run_id: UUID | None) -> ModelRun | None:
        """Give the run of that id, or the first one; each is given once, so no later call can take it for its own."""
        try:
            if run_id is None:
                return self.runs.popleft()
            run = next(run for run in tuple(self.runs) if run.run_id == run_id)
            self.runs.remove(run)
        except (IndexError, StopIteration, ValueError):
            return None
        return run


_NODE_KEY: Final = "langgraph_node"
_RUNS: Final = _Runs()
_STARTED: Final[ContextVar[_Started | None]] = ContextVar("langchain_aigw.started", default=None)


def model_run(run_id: UUID) -> ModelRun:
    """Give the run of this id, the same object to everyone while somebody refers to it."""
    return _RUNS.get(run_id)


def take_run(run_manager: BaseRunManager | None) -> ModelRun | None:
    """Give the run that the calling method of a model belongs to; `None` when it was not called by LangChain.

    Args:
        run_manager: What LangChain passed in, if it did.
    """
    started = _STARTED.get()
    noted = started.take(run_manager.run_id if run_manager else None) if started else None
    if noted is not None or run_manager is None:
        return noted
    run = model_run(run_manager.run_id)
    run.parent_run_id = run_manager.parent_run_id or surrounding_run_id()
    run.metadata = run_manager.metadata
    return run


def started_metadata() -> Mapping[str, Any]:
    """Give the metadata of the run that is about to call its model, without taking the run."""
    started = _STARTED.get()
    return started.runs[0].metadata if started and started.runs else {}


def surrounding_run_id() -> UUID | None:
    """Give the run this code runs in, for runs that LangChain starts without a parent.

    Such are the runs that a fallback tries, and those that a chain's own code starts with callbacks of its own.
    """
    callbacks = ensure_config().get("callbacks")
    return callbacks.parent_run_id if isinstance(callbacks, BaseCallbackManager) else None


class _RunNoter(BaseCallbackHandler):
    """Notes the run that is about to call its model."""

    run_inline = True

    def __reduce__(self) -> str:
        """Copy and pickle to the one there is."""
        return "RUN_NOTER"

    def __repr__(self) -> str:
        return "RUN_NOTER"

    @property
    def ignore_llm(self) -> bool:
        """Whether to stay deaf to tokens and answers."""
        return True

    @property
    def ignore_chain(self) -> bool:
        """Whether to stay deaf to chains."""
        return True

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note the run in this context."""
        del serialized, messages, tags
        run = model_run(run_id)
        run.parent_run_id = parent_run_id or surrounding_run_id()
        run.metadata = metadata or {}
        size = kwargs.get("batch_size") or 1
        started = _STARTED.get()
        if started is None or started.size != size or started.awaited <= 0:
            started = _Started(size)
            _STARTED.set(started)
        started.add(run)


RUN_NOTER: Final = _RunNoter()
"""The one there is; every model carries it among its callbacks."""


def with_run_noter(callbacks: Callbacks) -> Callbacks:
    """Give a model's callbacks with `RUN_NOTER` among them, once; what was given stays as it is."""
    if isinstance(callbacks, BaseCallbackManager):
        if RUN_NOTER in callbacks.handlers:
            return callbacks
        callbacks = callbacks.copy()
        callbacks.add_handler(RUN_NOTER, inherit=False)
        return callbacks
    return [RUN_NOTER, *(handler for handler in callbacks or () if handler is not RUN_NOTER)]


def report_call(run: ModelRun | None, caller: Caller) -> CallReport:
    """Begin the report of a call: its run and the captures around it hear of it at once.

    Args:
        run: The run of a chat model, as `take_run` gave it; the run's facts are added to the caller's.
        caller: The model and its clients.
    """
    if run is not None:
        caller = replace(caller, run_id=run.run_id, parent_run_id=run.parent_run_id, root_run_id=run.root_run_id)
    metadata = (run.metadata if run else None) or ensure_config().get("metadata") or {}
    report = CallReport(replace(caller, node=metadata.get(_NODE_KEY)))
    if run is not None:
        run.reports.append(report)
    CAPTURES.tell(report)
    return report
