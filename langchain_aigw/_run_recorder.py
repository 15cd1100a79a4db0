"""What a callback handler hears of LangChain's runs, kept so that calls are found by any run above them.

The models report their calls to the run they belong to (`_runs`); here those runs are only kept. So a log id is known
as soon as the gateway has told it, also of a stream that is never read to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler

from langchain_aigw._memory import RunMemory
from langchain_aigw._occasions import THREAD_KEY
from langchain_aigw._run_tree import RunTree
from langchain_aigw._runs import model_run, surrounding_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage

    from langchain_aigw._occasions import Occasions
    from langchain_aigw._recorded import CallReport, RecordedCall
    from langchain_aigw._run_tree import Entry


class RunRecorder(BaseCallbackHandler):
    """A callback handler that records the calls of this package's models under their runs.

    Args:
        max_runs: Runs of models that are kept, the least recently used being forgotten.
        max_age: Seconds a run is kept after it was last used.
    """

    run_inline = True

    def __init__(self, max_runs: int, max_age: float) -> None:
        super().__init__()
        self._runs = RunTree(max_runs, max_age)
        self._memory = RunMemory(self._runs)
        self._occasions: Occasions | None = None

    def calls(self, run_id: UUID | str | None = None) -> list[RecordedCall]:
        """Give the calls made under a run or in a LangGraph thread, in the order their runs began.

        Without an id, all that are recorded.
        """
        return [call for entry in self._entries(run_id) for call in entry.run.calls()]

    def log_ids(self, run_id: UUID | str | None = None) -> list[str]:
        """Give the log ids of the calls made under a run; without an id, of all that are recorded."""
        return [call.log_id for call in self.calls(run_id) if call.log_id]

    def replays(self, run_id: UUID | str | None = None) -> list[RecordedCall]:
        """Give the answers under a run that came from LangChain's cache; their logs are those of earlier calls."""
        return [replay for entry in self._entries(run_id) for replay in entry.replays]

    def _entries(self, run_id: UUID | str | None) -> list[Entry]:
        return self._memory.entries(run_id)

    def _reports(self, run_id: UUID | str | None) -> list[CallReport]:
        return [report for entry in self._entries(run_id) for report in entry.run.reports]

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """Note a chain, an agent, a graph or one of its nodes."""
        del serialized
        self._runs.start(run_id, parent_run_id or surrounding_run_id())
        if self._occasions is not None:
            self._occasions.started(run_id, kwargs.get("metadata"))
            self._occasions.chain_started(run_id, inputs, kwargs.get("run_type"))

    def on_chain_end(self, outputs: dict[str, Any], *, run_id: UUID, **kwargs: Any) -> None:
        """Note its end."""
        del kwargs
        if self._occasions is not None:
            self._occasions.chain_ended(run_id, outputs)
        self._runs.end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note its end."""
        del kwargs
        if self._occasions is not None:
            self._occasions.chain_failed(run_id, error)
        self._runs.end(run_id)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """Note a tool, which may call models."""
        del serialized, input_str
        self._runs.start(run_id, parent_run_id or surrounding_run_id())
        if self._occasions is not None:
            self._occasions.started(run_id, kwargs.get("metadata"))

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note its end."""
        del kwargs
        if self._occasions is not None:
            self._occasions.tool_answered(run_id, output)
        self._runs.end(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note its end."""
        if self._occasions is not None:
            self._occasions.tool_failed(run_id, error, kwargs.get("tool_call_id"))
        self._runs.end(run_id)

    def on_retriever_start(
        self,
        serialized: dict[str, Any],
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """Note a retriever, which may call models."""
        del serialized, query, kwargs
        self._runs.start(run_id, parent_run_id or surrounding_run_id())

    def on_retriever_end(self, documents: Sequence[Document], *, run_id: UUID, **kwargs: Any) -> None:
        """Note its end."""
        del documents, kwargs
        self._runs.end(run_id)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note its end."""
        del error, kwargs
        self._runs.end(run_id)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note the run of a model, which from now on may report calls."""
        del serialized, messages, kwargs
        thread = (metadata or {}).get(THREAD_KEY)
        parent_run_id = parent_run_id or surrounding_run_id()
        self._runs.start_model(model_run(run_id), parent_run_id, None if thread is None else str(thread))
