"""The run a call belongs to, known at the place where the call is made.

LangChain hands `_generate` a run manager, but `_stream` none. So what stands around these methods (`_run_model`) notes
the run in a context variable, and the methods take it from there as their first statement. A callback handler would
be told the run too, but LangChain asks each handler at each chunk. Handlers that record runs share the same `ModelRun`,
so what the model reports is theirs at once.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, overload
from weakref import WeakValueDictionary

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langchain_core.utils.uuid import uuid7

from aigw.integration import ForkSafeLock
from langchain_aigw._captured import CAPTURES
from langchain_aigw._recorded import CallReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from uuid import UUID

    from langchain_core.callbacks import BaseRunManager
    from langchain_core.runnables import RunnableConfig

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
        self._lock = ForkSafeLock()
        self._runs: WeakValueDictionary[UUID, ModelRun] = WeakValueDictionary()

    def known(self, run_id: UUID) -> ModelRun | None:
        return self._runs.get(run_id) if self._runs else None

    def get(self, run_id: UUID) -> ModelRun:
        with self._lock:
            run = self._runs.get(run_id)
            if run is None:
                run = self._runs[run_id] = ModelRun(run_id)
            return run


_NODE_KEY: Final = "langgraph_node"
_RUNS: Final = _Runs()


def model_run(run_id: UUID) -> ModelRun:
    """Give the run of this id, the same object to everyone while somebody refers to it."""
    return _RUNS.get(run_id)


@overload
def run_of_manager(run_manager: BaseRunManager) -> ModelRun: ...
@overload
def run_of_manager(run_manager: None) -> None: ...
@overload
def run_of_manager(run_manager: BaseRunManager | None) -> ModelRun | None: ...
def run_of_manager(run_manager: BaseRunManager | None) -> ModelRun | None:
    """Give the run that LangChain's run manager stands for, if there is one.

    Handlers heard of the run before; one that none of them keeps need not be found by its id.
    """
    if run_manager is None:
        return None
    run_id = run_manager.run_id
    run = _RUNS.known(run_id) or ModelRun(run_id)
    run.parent_run_id = run_manager.parent_run_id or surrounding_run_id()
    run.metadata = run_manager.metadata
    return run


def run_of_stream(config: RunnableConfig | None, own: Mapping[str, Any]) -> ModelRun:
    """Give the run that a stream with this config will be, if LangChain is given its id.

    Args:
        config: The config of the stream; it stands over that of the run around.
        own: The metadata that the model adds to that of the config.
    """
    whole = ensure_config(config)
    callbacks = whole.get("callbacks")
    run = model_run(whole.get("run_id") or uuid7())
    inherited: Mapping[str, Any] = {}
    above = None
    if isinstance(callbacks, BaseCallbackManager):
        inherited, above = callbacks.metadata, callbacks.parent_run_id
    run.parent_run_id = _traced_parent(above) or surrounding_run_id()
    run.metadata = {**inherited, **(whole.get("metadata") or {}), **own}
    return run


def surrounding_run_id() -> UUID | None:
    """Give the run this code runs in, for runs that LangChain starts without a parent.

    Such are the runs that a fallback tries, and those that a chain's own code starts with callbacks of its own.
    """
    around = var_child_runnable_config.get()
    callbacks = around.get("callbacks") if around else None
    return callbacks.parent_run_id if isinstance(callbacks, BaseCallbackManager) else None


def _traced_parent(above: UUID | None) -> UUID | None:
    """Give the parent that LangChain decides on: LangSmith's own run around, unless LangChain's is beneath that."""
    from langsmith.run_helpers import get_current_run_tree  # noqa: PLC0415  dear, and loaded once LangChain runs

    traced = get_current_run_tree()
    if traced is None or (above is not None and str(above) not in traced.dotted_order):
        return above
    return traced.id


class NotedRun:
    """Notes the run for `take_run` inside the `with` block, which may be left in another context than it was entered.

    Args:
        run: The run; `None` when LangChain has none.
    """

    __slots__ = ("_beneath", "run")

    def __init__(self, run: ModelRun | None) -> None:
        self.run = run
        self._beneath = _NOTED.get()

    def __enter__(self) -> Self:
        _NOTED.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()

    def forget(self) -> None:
        """Be noted no more, so that no later call takes the run for its own."""
        if _NOTED.get() is self:
            _NOTED.set(self._beneath)


_NOTED: Final[ContextVar[NotedRun | None]] = ContextVar("langchain_aigw.noted", default=None)


def take_run(run_manager: BaseRunManager | None) -> ModelRun | None:
    """Give the run that the calling method of a model belongs to; `None` when it was not called by LangChain.

    Args:
        run_manager: What LangChain passed in, if it did.
    """
    noted = _NOTED.get()
    run = noted.run if noted else None
    if run_manager is not None and (run is None or run.run_id != run_manager.run_id):
        return run_of_manager(run_manager)
    if noted is not None:
        noted.forget()
    return run


def noted_metadata() -> Mapping[str, Any]:
    """Give the metadata of the run that is about to call its model, without taking the run."""
    noted = _NOTED.get()
    return noted.run.metadata if noted and noted.run else {}


class RunFacts(TypedDict):
    """What a `Caller` knows of the run it calls in."""

    run_id: UUID | None
    parent_run_id: UUID | None
    node: str | None
    root_run_id: UUID | None


def facts_of(run: ModelRun | None) -> RunFacts:
    """Give what is known of the run of a call; without one, the node of a graph that this code runs in."""
    if run is None:
        metadata = ensure_config().get("metadata") or {}
        return {"run_id": None, "parent_run_id": None, "node": metadata.get(_NODE_KEY), "root_run_id": None}
    return {
        "run_id": run.run_id,
        "parent_run_id": run.parent_run_id,
        "node": run.metadata.get(_NODE_KEY),
        "root_run_id": run.root_run_id,
    }


def report_call(run: ModelRun | None, caller: Caller) -> CallReport:
    """Begin the report of a call: its run and the captures around it hear of it at once.

    Args:
        run: The run of a chat model, as `take_run` gave it.
        caller: The model, its clients and its run.
    """
    report = CallReport(caller)
    if run is not None:
        run.reports.append(report)
    CAPTURES.tell(report)
    return report
