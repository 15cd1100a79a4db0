"""`LogResolver`: the logs of whatever somebody holds, and feedback to them, also where the calls were never made.

What is looked for, and in which order, is planned in `_search`, and asked in `_seeking`.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aigw._account import check_gateway_id
from aigw._calls._log_calls import UNSET, check_changes
from aigw._driver import check_wait
from aigw._errors import ConfigurationError
from aigw._facts import ResponseInfo
from aigw._finding._search import Sources, find_calls, find_log
from aigw._finding._seeking import Seeker
from aigw._finding._shared_logs import SharedLogs
from aigw._noted._costs import check_by, sum_costs
from aigw._noted._log_reading import aread_logs, read_logs
from aigw._noted._recorded import recorded_call
from aigw._rating._feedback import DEFAULT_WAIT, LoggedCall, arate_logs, check_which, choose_calls, rate_logs
from aigw._rating._queues import ahand_over, check_taker, hand_over, plan_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw._async_client import AsyncAIGateway
    from aigw._calls._log_calls import Feedback, Unset
    from aigw._client import AIGateway
    from aigw._facts import GatewayLog
    from aigw._finding._search import CallMemory
    from aigw._finding._shared_logs import BatchStore, CollectionStore
    from aigw._finding._targets import ResolvedLog
    from aigw._noted._costs import Costs
    from aigw._noted._recorded import RecordedCall
    from aigw._options import MetadataValue
    from aigw._rating._feedback import Which
    from aigw._rating._queues import FeedbackTaker, Planned


class LogResolver:
    """Finds the logs of whatever somebody holds, and rates them: in the process that made the calls, or in any other.

        resolver = LogResolver(aigw.AIGateway())
        resolver.feedback(run_id, 1)                # or a log id, an event id, an answer, a thread, ...
        resolver.resolve(run_id, which="all")       # the same logs, unrated

    A target is one of:

    - an answer of the adapters' models or of the core's, a stream's chunk, an error, the `aigw` facts of one as a dict;
      a `ResponseInfo`, a `GatewayLog`, a `ResolvedLog`, a recorded call; a `capture_logs()` block; a list of these, or
      a dict with `messages`, as graphs give it. They say themselves which logs they mean.
    - an id: of a log, or the event id of a call, which is the id of LangChain's run of the model or of LlamaIndex's
      span of the call; of any run, span, workflow run or LangGraph thread around it. A log id is opaque and so is an
      event id, so a text is looked for as all of these, in this order: in the memory of this process (no request), in
      the shared store (one read), and at the gateway as a log id (one request), an event id (one), and a run or thread
      (one for each fifty logs). A `UUID` object is never a log id, and saves the first.

    A run or thread is found at the gateway if its calls are labelled with it: the models' `metadata_keys` name
    `root_run_id` or `thread_id` (LangChain), `root_span_id` or `workflow_run_id` (LlamaIndex). Each takes one of the
    five entries of metadata that a call has. At most the newest 1,000 logs are found so. Who knows an id answers
    alone: of a thread that is spread over processes, a handler's memory and `which="all"` mean the calls made here, a
    resolver without memory means all.

    Args:
        client: An `AIGateway` to reach the logs through; else the client of the call, where it was recorded here.
        async_client: The same for the methods with `await`, an `AsyncAIGateway`.
        store: A shared store: LangChain's `BaseStore`, LlamaIndex's `BaseKVStore`, or `SharedLogs` around one.
        gateway_id: Where ids are looked up; else the client's own gateway.
        memory: What is known in this process; adapters give theirs.
        queue: A `FeedbackQueue` of `aigw.feedback`, or an `AsyncFeedbackQueue`, that feedback goes through: `feedback`
            then returns at once, and what is not known here is looked up by the queue.

    Raises:
        ConfigurationError: A client, the queue, the store or the gateway id cannot be what it is.
    """

    def __init__(
        self,
        client: AIGateway | None = None,
        async_client: AsyncAIGateway | None = None,
        *,
        store: BatchStore | CollectionStore | SharedLogs | None = None,
        gateway_id: str | None = None,
        memory: CallMemory | None = None,
        queue: FeedbackTaker | None = None,
    ) -> None:
        check_taker(queue)
        _check_client("client", client, "AsyncAIGateway", "AIGateway")
        _check_client("async_client", async_client, "AIGateway", "AsyncAIGateway")
        self._client = client
        self._async_client = async_client
        self._seeker = Seeker(store if store is None or isinstance(store, SharedLogs) else SharedLogs(store))
        self._gateway_id = None if gateway_id is None else check_gateway_id(gateway_id)
        self._memory = memory
        self._queue = queue

    def resolve(self, target: Any = None, *, which: Which = "last", wait: float = DEFAULT_WAIT) -> list[ResolvedLog]:
        """Find the logs of a target, oldest first.

        Args:
            target: What somebody holds; `None` for what ran last here.
            which: `last` gives the log of the last chat call, `all` those of every call.
            wait: Seconds a log that is not there yet is waited for; the gateway writes logs a moment after the answer.

        Raises:
            UnknownTargetError: Nobody knows of the target; the text says where it was looked for.
            LogNotFoundError: The call is known and its log is not there, also not after `wait`.
            ConfigurationError: The target tells nothing, or a value is not allowed; nothing was sent.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        sources = self._prepare("client", which, wait)
        calls = choose_calls(self._seeker.drive(find_calls(target, sources, wait)), which)
        return [self._seeker.drive(find_log(self.through(call), sources, wait)) for call in calls]

    async def aresolve(
        self, target: Any = None, *, which: Which = "last", wait: float = DEFAULT_WAIT
    ) -> list[ResolvedLog]:
        """As `resolve`, with `await`."""
        sources = self._prepare("async_client", which, wait)
        calls = choose_calls(await self._seeker.adrive(find_calls(target, sources, wait)), which)
        return [await self._seeker.adrive(find_log(self.through(call), sources, wait)) for call in calls]

    def feedback(
        self,
        target: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        wait: float = DEFAULT_WAIT,
    ) -> list[str]:
        """Rate the logs of a target, one request per log; with a queue, at once and in the background.

        Args:
            target: What somebody holds; `None` for what ran last here.
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: As in `resolve`.
            wait: As in `resolve`.

        Returns:
            The ids of the rated logs, in the order of the calls; with a queue, those that are known by now.

        Raises:
            UnknownTargetError: As in `resolve`; with a queue, what nobody knows becomes a dead letter of it.
            LogNotFoundError: A log is not there, also not after `wait`.
            ConfigurationError: A value is not allowed, or no call has a log; nothing was sent.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        changes = check_changes(feedback=feedback, score=score, metadata=metadata)
        if self._queue is not None:
            return hand_over(self._queue, self._planned(target, which), changes)
        sources = self._prepare("client", which, wait)
        calls = [self.through(call) for call in self._seeker.drive(find_calls(target, sources, wait))]
        return rate_logs(calls, feedback, score=score, metadata=metadata, which=which, wait=wait)

    async def afeedback(
        self,
        target: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        wait: float = DEFAULT_WAIT,
    ) -> list[str]:
        """As `feedback`, with `await`."""
        changes = check_changes(feedback=feedback, score=score, metadata=metadata)
        if self._queue is not None:
            return await ahand_over(self._queue, self._planned(target, which), changes)
        sources = self._prepare("async_client", which, wait)
        calls = [self.through(call) for call in await self._seeker.adrive(find_calls(target, sources, wait))]
        return await arate_logs(calls, feedback, score=score, metadata=metadata, which=which, wait=wait)

    def reconcile(self, target: Any = None, *, which: Which = "all", wait: float = 0) -> list[RecordedCall]:
        """Read the logs of a target, at most eight at once, and give its calls with cost, tokens and `log`.

        Logs that were read to find the target are not read again, unless they have no cost yet.

        Args:
            target: What somebody holds; `None` for what ran last here.
            which: As in `resolve`.
            wait: Seconds that logs are waited for, all together, that are not there yet or have no cost yet; one that
                never comes leaves its call without.

        Raises:
            UnknownTargetError: As in `resolve`.
            ConfigurationError: As in `resolve`.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        sources = self._prepare("client", which, wait)
        calls = [
            self.through(call) for call in choose_calls(self._seeker.drive(find_calls(target, sources, wait)), which)
        ]
        logs = {place: call.log for place, call in enumerate(calls)}
        read_logs(_readings(calls, logs), wait=wait)
        return [recorded_call(call, logs[place]) for place, call in enumerate(calls)]

    async def areconcile(self, target: Any = None, *, which: Which = "all", wait: float = 0) -> list[RecordedCall]:
        """As `reconcile`, with `await`."""
        sources = self._prepare("async_client", which, wait)
        found = await self._seeker.adrive(find_calls(target, sources, wait))
        calls = [self.through(call) for call in choose_calls(found, which)]
        logs = {place: call.log for place, call in enumerate(calls)}
        await aread_logs(_readings(calls, logs), wait=wait)
        return [recorded_call(call, logs[place]) for place, call in enumerate(calls)]

    def costs(self, target: Any = None, *, by: str = "model", wait: float = 0) -> Costs:
        """Give what the calls of a target cost, one row for each model, run or label.

        Args:
            target: What somebody holds; `None` for what ran last here.
            by: `model`, `run` (the outermost run or span, if the calls are labelled with it, else their event id), or a
                key of the calls' metadata.
            wait: As in `reconcile`, which is done first.

        Raises:
            UnknownTargetError: As in `resolve`.
            ConfigurationError: As in `resolve`.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        check_by(by)
        return sum_costs(self.reconcile(target, wait=wait), by)

    async def acosts(self, target: Any = None, *, by: str = "model", wait: float = 0) -> Costs:
        """As `costs`, with `await`."""
        check_by(by)
        return sum_costs(await self.areconcile(target, wait=wait), by)

    def through(self, call: LoggedCall) -> LoggedCall:
        """Put the resolver's own clients, as far as there are any, in place of a call's."""
        client, async_client = self._client, self._async_client
        if client is not None:
            call = replace(call, sync_client=lambda: client)
        return call if async_client is None else replace(call, async_client=lambda: async_client)

    def _planned(self, target: Any, which: Which) -> Planned:
        """Give what a queue is told: the calls of a target that are known here, else the target as it is."""
        check_which(which)
        sources = replace(self._prepare("client", which, 0), has_store=False, missing="")
        with closing(find_calls(target, sources, 0)) as search:
            try:
                next(search)
            except StopIteration as found:
                return plan_calls(found.value, which)
        return [(target, which)]

    def _prepare(self, argument: str, which: Which, wait: float) -> Sources:
        check_which(which)
        check_wait(wait)
        newest = self._memory.newest_call() if self._memory else None
        info = ResponseInfo(gateway_id=self._gateway_id)
        known = replace(newest, info=info) if newest else LoggedCall(info)
        own = self._client if argument == "client" else self._async_client
        missing = f"{argument}=" if own is None and newest is None else ""
        return Sources(self.through(known), self._memory, self._seeker.has_store, missing, time.monotonic)


def _readings(
    calls: list[LoggedCall], logs: dict[int, GatewayLog | None]
) -> list[tuple[LoggedCall, Callable[[GatewayLog], object]]]:
    late = [place for place, log in logs.items() if log is None or not log.is_settled]
    return [(calls[place], partial(logs.__setitem__, place)) for place in late]


def _check_client(argument: str, client: Any, twin: str, kind: str) -> None:
    """Refuse the twin that awaits, or does not, and what is no client; it may be a token, and is not shown."""
    is_twin = twin in {base.__name__ for base in type(client).__mro__}
    if client is not None and (is_twin or not callable(getattr(client, "gateway", None))):
        raise ConfigurationError(f"{argument} cannot be of class {type(client).__name__}: it is an {kind}")
