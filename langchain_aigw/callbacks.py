"""The callback handler: the log ids of every run, and feedback to the right log.

What it hears of runs is in `_run_recorder`; here is what a user does with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from langchain_core.messages import BaseMessage
from langchain_core.tracers.context import register_configure_hook

from aigw import (
    UNSET,
    ConfigurationError,
    LoggedCall,
    LogNotFoundError,
    ResponseInfo,
    arate_logs,
    aread_logs,
    rate_logs,
    read_logs,
)
from langchain_aigw._decode import GATEWAY_KEY
from langchain_aigw._judge import Judge
from langchain_aigw._rating import choose_calls
from langchain_aigw._recorded import Caller, RecordedCall
from langchain_aigw._run_recorder import RunRecorder, parse_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from langchain_core.outputs import LLMResult

    from aigw import AIGateway, AsyncAIGateway, Feedback, GatewayLog, MetadataValue, Unset, Which
    from langchain_aigw._judge import JudgeFunction
    from langchain_aigw._run_tree import Entry

Rated = UUID | str | BaseMessage | RecordedCall | None
"""What can be rated: a run by its id, an answer, a recorded call, or the latest run."""

_RUN_PREFIX: Final = "lc_run--"


class UnknownRunError(ConfigurationError, KeyError):
    """A run is not known here, and the gateway has no log of it either; it is a `KeyError` too."""

    def __str__(self) -> str:
        """Give the sentence; a `KeyError` would quote it."""
        return self.message


class AIGatewayCallbackHandler(RunRecorder):
    """Records the gateway's log ids for every run, and sends feedback to the right log.

    Feedback:
        ```python
        from uuid import uuid4

        from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

        handler = AIGatewayCallbackHandler()
        model = ChatCloudflareAIGateway(model="openai/gpt-5-mini")  # or a chain, an agent, a graph
        run_id = uuid4()
        model.invoke("Tell me a joke", config={"callbacks": [handler], "run_id": run_id})
        handler.log_ids(run_id)  # of every call beneath that run, in order
        handler.feedback(run_id, 1, score=90)
        ```

    A run's calls are found by its own id and by that of every run above it: chain, agent, graph. One handler may serve
    a whole program, threads and tasks at once. Calls are recorded of this package's models, whichever way they are
    called; what LangChain's own cache replays is no call.

    Args:
        client: An `aigw.AIGateway` to reach the logs through; else the client of the model that was called. Give one to
            rate runs of other processes, or where the model's token may not edit logs.
        async_client: The same for `afeedback`, an `aigw.AsyncAIGateway`.
        judge: Rates each answer: gets the message and its `RecordedCall`, gives `None`, a feedback (1, 0, -1), or a
            dict of `feedback`, `score`, `metadata`; sync or async. It runs in a thread of the handler's own, and what
            goes wrong there is logged.
        max_runs: Runs of models that are kept, the least recently used being forgotten.
        max_age: Seconds a run is kept after it was last used.
    """

    def __init__(
        self,
        *,
        client: AIGateway | None = None,
        async_client: AsyncAIGateway | None = None,
        judge: JudgeFunction | None = None,
        max_runs: int = 10_000,
        max_age: float = 86_400,
    ) -> None:
        if max_runs < 1 or max_age <= 0:
            raise ConfigurationError(f"max_runs is 1 or more and max_age above 0, not {max_runs!r} and {max_age!r}")
        super().__init__(max_runs, max_age)
        self._empty = partial(type(self), judge=judge, max_runs=max_runs, max_age=max_age)
        self._client = client
        self._async_client = async_client
        self._latest_caller: Caller | None = None
        self._judge = None if judge is None else Judge(judge, self._reach)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Stay one: the copy of a model tells the same handler."""
        return self

    def __reduce__(self) -> tuple[Callable[[], AIGatewayCallbackHandler], tuple[()]]:
        """Pickle to a handler of the same settings that knows no runs and has no client."""
        return self._empty, ()

    @contextmanager
    def attached(self) -> Iterator[Self]:
        """Hear of every run that begins inside the `with` block, where a config cannot be passed.

        Blocks nest; the innermost handler hears.
        """
        token = _ATTACHED.set(self)
        try:
            yield self
        finally:
            _ATTACHED.reset(token)

    def feedback(
        self,
        run: Rated = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        node: str | None = None,
        wait: float = 5.0,
    ) -> list[str]:
        """Rate the calls of a run: one request per log.

        Args:
            run: The id of any run, an answer, a `RecordedCall`, or `None` for the latest outermost run. A run that is
                not known here is looked up at the gateway by the event id its calls were sent with, which is the id of
                the model's own run; the lookup needs a client.
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: `last` rates the last call of the run, `all` every one.
            node: Only calls made in this node of a graph.
            wait: Seconds a log that is not there yet is waited for.

        Returns:
            The ids of the rated logs, in the order of the calls.

        Raises:
            UnknownRunError: The run is not known here, nor at the gateway.
            ConfigurationError: A value is not allowed, or no call has a log; nothing was sent.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        calls = self._choose(run, which, node)
        with _looking_up(calls):
            return rate_logs(calls, feedback, score=score, metadata=metadata, which=which, wait=wait)

    async def afeedback(
        self,
        run: Rated = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        node: str | None = None,
        wait: float = 5.0,
    ) -> list[str]:
        """As `feedback`, with `await`."""
        calls = self._choose(run, which, node)
        with _looking_up(calls):
            return await arate_logs(calls, feedback, score=score, metadata=metadata, which=which, wait=wait)

    def reconcile(self, run_id: UUID | str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        """Read the logs of the calls under a run and give the calls with their `cost`, and tokens if they had none.

        At most eight logs are read at a time; one that is not there leaves its call as it was.

        Args:
            run_id: The run; all that are recorded when left out.
            wait: Seconds to wait for a log that is not there or has no cost yet.

        Raises:
            AIGatewayError: The gateway could not be reached, or said no.
        """
        read_logs(self._readings(run_id), wait=wait)
        return self.calls(run_id)

    async def areconcile(self, run_id: UUID | str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        """As `reconcile`, with `await`."""
        await aread_logs(self._readings(run_id), wait=wait)
        return self.calls(run_id)

    def _readings(self, run_id: UUID | str | None) -> list[tuple[LoggedCall, Callable[[GatewayLog], None]]]:
        reports = self._reports(run_id)
        return [(self._reach(call), report.found) for report in reports for call in report.calls()]

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the judge is through with the answers so far; tell whether it was within `timeout` seconds."""
        return self._judge is None or self._judge.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Wait as `flush` does and end the judge's thread; what is recorded stays."""
        if self._judge is not None:
            self._judge.close(timeout)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Note what LangChain's cache replayed; have an answer judged."""
        del kwargs
        entry = self._runs.entry(run_id)
        message = _first_message(response)
        if entry is not None and message is not None:
            self._answered(entry, message)
        self._end_model(run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget a run that failed before it called anything."""
        del error, kwargs
        self._end_model(run_id)

    def _end_model(self, run_id: UUID) -> None:
        entry = self._runs.entry(run_id)
        if entry is not None and entry.run.reports:
            self._latest_caller = entry.run.reports[-1].caller
        self._runs.end_model(run_id)

    def _answered(self, entry: Entry, message: BaseMessage) -> None:
        facts = message.response_metadata.get(GATEWAY_KEY)
        if facts and facts.get("replayed"):
            entry.replays.append(self._call_of(message, facts, entry.run.run_id))
        elif self._judge is not None and (calls := entry.run.calls()):
            self._judge.submit(message, calls[-1])

    def _choose(self, run: Rated, which: Which, node: str | None) -> list[LoggedCall]:
        if isinstance(run, RecordedCall):
            return [self._reach(run)]
        if isinstance(run, BaseMessage):
            facts = run.response_metadata.get(GATEWAY_KEY) or {}
            if facts.get("log_id") or facts.get("event_id"):
                return [self._reach(self._call_of(run, facts))]
            run = _run_of(run)
        entries = self._latest() if run is None else self._entries(run)
        calls = [call for entry in entries for call in (*entry.run.calls(), *entry.replays)]
        if run is not None and not calls:
            return [self._look_up(str(run))]
        if node is not None:
            calls = [call for call in calls if call.node == node]
        return [self._through_own_client(call) for call in choose_calls(calls, which)]

    def _latest(self) -> list[Entry]:
        """Give the runs of the latest outermost run that called a model."""
        entries = [entry for entry in self._runs.entries() if not entry.is_empty]
        if not entries:
            raise ConfigurationError("no run has called a model yet: there is nothing to rate")
        return [entry for entry in entries if entry.root == entries[-1].root]

    def _call_of(self, message: BaseMessage, facts: Mapping[str, Any], run_id: UUID | None = None) -> RecordedCall:
        """Make the call an answer came from of what the answer says."""
        run_id = run_id or parse_run_id((message.id or "").removeprefix(_RUN_PREFIX)[:36])
        model = str(message.response_metadata.get("model_name", ""))
        caller = Caller("chat", model, *self._known_clients(run_id), run_id=run_id)
        return RecordedCall(ResponseInfo(**facts), caller, is_replayed=bool(facts.get("replayed")))

    def _look_up(self, event_id: str) -> LoggedCall:
        """Make a call of which only the event id is known."""
        if (self._client, self._async_client, self._latest_caller) == (None, None, None):
            raise UnknownRunError(
                f"run {event_id} is not known to this handler, and there is no client to look it up at the gateway: "
                "give AIGatewayCallbackHandler(client=aigw.AIGateway(...))"
            )
        call = self._through_own_client(LoggedCall(ResponseInfo(event_id=event_id), *self._known_clients(None)))
        return _LookedUpCall(call.info, call.sync_client, call.async_client)

    def _known_clients(self, run_id: UUID | None) -> tuple[Callable[[], AIGateway], Callable[[], AsyncAIGateway]]:
        """Give the clients that made the calls of a model's run, else those of the latest call."""
        entry = self._runs.entry(run_id) if run_id else None
        caller = entry.run.reports[-1].caller if entry and entry.run.reports else self._latest_caller
        return (caller.sync_client, caller.async_client) if caller else (_no_client, _no_async_client)

    def _reach(self, call: RecordedCall) -> LoggedCall:
        return self._through_own_client(call.logged)

    def _through_own_client(self, call: LoggedCall) -> LoggedCall:
        client, async_client = self._client, self._async_client
        return LoggedCall(
            call.info,
            call.sync_client if client is None else lambda: client,
            call.async_client if async_client is None else lambda: async_client,
        )


_ATTACHED: Final[ContextVar[AIGatewayCallbackHandler | None]] = ContextVar("langchain_aigw.attached", default=None)
register_configure_hook(_ATTACHED, inheritable=True)


class _LookedUpCall(LoggedCall):
    """A call of which only the event id is known, because its run is not."""

    __slots__ = ()


@contextmanager
def _looking_up(calls: list[LoggedCall]) -> Iterator[None]:
    """Say of a run that was looked up and not found that it is unknown."""
    try:
        yield
    except LogNotFoundError as error:
        if not isinstance(calls[0], _LookedUpCall):
            raise
        raise UnknownRunError(
            f"run {calls[0].info.event_id} is not known to this handler, and the gateway has no log with that event "
            "id: only the run of a model is sent as one, not those of the chains around it"
        ) from error


def _run_of(message: BaseMessage) -> str:
    """Give the run an answer came from, which LangChain makes its id where the provider's is not taken."""
    run_id = parse_run_id((message.id or "").removeprefix(_RUN_PREFIX)[:36])
    if run_id is None:
        raise ConfigurationError(
            "the message says nothing of the gateway: it is no answer of this package's models, or "
            "response_metadata['aigw'] was lost"
        )
    return str(run_id)


def _first_message(response: LLMResult) -> BaseMessage | None:
    generations = response.generations[0] if response.generations else []
    return getattr(generations[0], "message", None) if generations else None


def _no_client() -> AIGateway:
    raise ConfigurationError("there is no client to reach the logs: give AIGatewayCallbackHandler(client=...)")


def _no_async_client() -> AsyncAIGateway:
    raise ConfigurationError("there is no client to reach the logs: give AIGatewayCallbackHandler(async_client=...)")
