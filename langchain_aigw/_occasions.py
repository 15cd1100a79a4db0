"""What goes wrong after a model has answered, heard in LangChain's events, and which answer it was the fault of.

Only a handler that rates by itself has one of these; what is kept here is kept while a run is open.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, ToolMessage

from aigw import AIGatewayError, ResponseInfo
from langchain_aigw._decode import GATEWAY_KEY

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.messages import BaseMessage

    from aigw.integration import Rater
    from langchain_aigw._run_tree import Entry, RunTree

THREAD_KEY: Final = "thread_id"
"""The entry of a run's metadata that names its LangGraph thread."""

_BUBBLE: Final = "GraphBubbleUp"
_MAX_KEPT: Final = 10_000


class Occasions:
    """Finds the call that something was the fault of, and has it rated.

    An error goes up through every run around it; it is heard where it began, and passed over above.

    Args:
        runs: The runs there are.
        rater: Rates calls.
    """

    def __init__(self, runs: RunTree, rater: Rater) -> None:
        self._runs = runs
        self._rater = rater
        self._answers: OrderedDict[UUID, ResponseInfo] = OrderedDict()
        self._parsers: OrderedDict[UUID, None] = OrderedDict()
        self._passing: OrderedDict[UUID, int] = OrderedDict()
        self._askers: OrderedDict[tuple[Any, str], ResponseInfo] = OrderedDict()
        self._threads: OrderedDict[UUID, str] = OrderedDict()

    def model_ended(self, entry: Entry, message: BaseMessage) -> None:
        """Remember which call asked for which tools."""
        calls = entry.run.calls()
        if not calls or not isinstance(message, AIMessage) or "tool" not in self._rater.occasions:
            return
        for asked in (*message.tool_calls, *message.invalid_tool_calls):
            for scope in (entry.root, entry.thread):
                if scope and asked.get("id"):
                    _keep(self._askers, (scope, str(asked["id"])), calls[-1].info)

    def model_failed(self, entry: Entry, error: BaseException) -> None:
        """Rate a call that the gateway blocked."""
        calls = entry.run.calls()
        self._rater.failed(calls[-1].info if calls else None, error)

    def started(self, run_id: UUID, metadata: Mapping[str, Any] | None) -> None:
        """Note the thread of a run: its tools may be called in a later run than the one that asked for them."""
        thread = (metadata or {}).get(THREAD_KEY)
        if thread is not None:
            _keep(self._threads, self._root(run_id), str(thread))

    def chain_started(self, run_id: UUID, given: Any, run_type: str | None) -> None:
        """Note what may be a parser, and of which answer."""
        if run_type == "parser":
            _keep(self._parsers, run_id, None)
        info = _info_of(given)
        if info is not None:
            _keep(self._answers, run_id, info)

    def chain_failed(self, run_id: UUID, error: BaseException) -> None:
        """Rate the answer that a parser failed at."""
        path = self._runs.path(run_id)
        is_passing = self._passing.pop(run_id, None) == id(error)
        if path:
            _keep(self._passing, path[-1], id(error))
        is_parser, info = self._forget(run_id)
        is_failure = isinstance(error, OutputParserException) or (is_parser and isinstance(error, ValueError))
        if is_failure and not is_passing and not isinstance(error, AIGatewayError):
            self._rater.happened("output_parser", info or self._last_in(run_id) or self._last_around(run_id))

    def chain_ended(self, run_id: UUID, outputs: Any) -> None:
        """Rate the calls whose tools failed, as an agent says it: it swallows what its tools raise."""
        self._passing.pop(run_id, None)
        self._forget(run_id)
        if "tool" in self._rater.occasions:
            for message in _messages_of(outputs):
                if isinstance(message, ToolMessage):
                    self.tool_answered(run_id, message)

    def tool_answered(self, run_id: UUID, output: Any) -> None:
        """Rate the call that asked for a tool whose answer is an error."""
        if isinstance(output, ToolMessage) and output.status == "error":
            self._rater.happened("tool", self._asker(run_id, output.tool_call_id))

    def tool_failed(self, run_id: UUID, error: BaseException, tool_call_id: str | None) -> None:
        """Rate the call that asked for a tool which raised; a graph that stops in it to ask a person did not."""
        if isinstance(error, Exception) and not any(kind.__name__ == _BUBBLE for kind in type(error).__mro__):
            asker = self._asker(run_id, tool_call_id) if tool_call_id else self._last_around(run_id)
            self._rater.happened("tool", asker)

    def _forget(self, run_id: UUID) -> tuple[bool, ResponseInfo | None]:
        is_parser = run_id in self._parsers
        self._parsers.pop(run_id, None)
        return is_parser, self._answers.pop(run_id, None)

    def _root(self, run_id: UUID) -> UUID:
        return next(iter(self._runs.path(run_id)), run_id)

    def _asker(self, run_id: UUID, tool_call_id: str) -> ResponseInfo | None:
        root = self._root(run_id)
        scopes = (root, self._threads.get(root))
        return next((info for scope in scopes if (info := self._askers.get((scope, tool_call_id)))), None)

    def _last_in(self, run_id: UUID) -> ResponseInfo | None:
        return _last_of(self._runs.peek(run_id))

    def _last_around(self, run_id: UUID) -> ResponseInfo | None:
        """Give the last call under the nearest run around this one that has any, but for those made in it."""
        within = {entry.run.run_id for entry in self._runs.peek(run_id)}
        for above in reversed(self._runs.path(run_id)):
            entries = [entry for entry in self._runs.peek(above) if entry.run.run_id not in within]
            if any(not entry.is_empty for entry in entries):
                return _last_of(entries)
        return None


def _last_of(entries: Iterable[Entry]) -> ResponseInfo | None:
    """Give the last call, if no cache of LangChain's own gave its answer."""
    calls = [call for entry in entries for call in entry.calls()]
    return calls[-1].info if calls and not calls[-1].is_replayed else None


def _info_of(given: Any) -> ResponseInfo | None:
    """Give what the gateway said of an answer, if this is one that it gave itself."""
    facts = given.response_metadata.get(GATEWAY_KEY) if isinstance(given, AIMessage) else None
    return ResponseInfo(**facts) if isinstance(facts, dict) and facts and not facts.get("replayed") else None


def _messages_of(outputs: Any) -> Iterable[Any]:
    """Give the messages of what a node of a graph gave: itself, a list, a dict with `messages`, commands with these."""
    if isinstance(outputs, ToolMessage):
        return [outputs]
    if isinstance(outputs, Mapping):
        outputs = outputs.get("messages")
    elif not isinstance(outputs, list) and isinstance(update := getattr(outputs, "update", None), Mapping):
        outputs = update.get("messages")
    if not isinstance(outputs, list):
        return []
    return [message for item in outputs for message in ([item] if not hasattr(item, "update") else _messages_of(item))]


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    if len(kept) > _MAX_KEPT:
        kept.popitem(last=False)
