"""What an adapter's `capture_logs()` holds: the core's capture of a block, and with it what its framework knows.

Who hears of a call is decided by a context variable when the call is made, never by a list that all tasks share. What
is kept are the models' reports, which go on while a stream is read, so a capture learns its tokens also when the block
is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from aigw._calls._log_calls import UNSET, check_changes
from aigw._capture import capture_logs
from aigw._contexts import leave
from aigw._facts import ResponseInfo
from aigw._noted._costs import check_by, sum_costs
from aigw._noted._log_reading import aread_logs, read_logs, readings_of
from aigw._noted._recorded import CallReport, RecordedCall, calls_of
from aigw._rating._feedback import arate_logs, rate_logs
from aigw._rating._queues import ahand_over, check_taker, hand_over, plan_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw._calls._log_calls import Feedback, Unset
    from aigw._capture import CapturedLogs
    from aigw._noted._costs import Costs
    from aigw._options import MetadataValue
    from aigw._rating._feedback import Which
    from aigw._rating._queues import FeedbackTaker

R = TypeVar("R", bound=RecordedCall)


class CapturedCalls(Sequence[ResponseInfo], Generic[R]):
    """What the gateway said of every call in a `capture_logs()` block, and what a framework knows of its models' calls.

    As a sequence it holds the `ResponseInfo` of every call that was answered, in the order the answers arrived, retries
    and failures too. Calls made by the core's own clients are in the sequence and in `log_ids`, not in `calls`. It can
    be read while calls still run.

    Args:
        infos: The core's capture of the same block.
        queue: A `FeedbackQueue` that feedback goes through.
    """

    def __init__(self, infos: CapturedLogs, queue: FeedbackTaker | None = None) -> None:
        self._infos = infos
        self._queue = queue
        self._reports: list[CallReport[Any, R]] = []  # added to and copied in one step each, which needs no lock

    @property
    def log_ids(self) -> list[str]:
        """The log ids of the calls that have one."""
        return self._infos.log_ids

    @property
    def calls(self) -> list[R]:
        """The calls of the framework's models, in the order they were made, as they are known now."""
        return calls_of(self.reports())

    def reports(self) -> list[CallReport[Any, R]]:
        """Give what the models told, in the order the calls were made."""
        return self._reports.copy()

    def record(self, report: CallReport[Any, R]) -> None:
        """Add a call that begins."""
        self._reports.append(report)

    def feedback(
        self,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
    ) -> list[str]:
        """Rate the calls of the block, one request per log; through the queue, if there is one, and at once then.

        Args:
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `aigw.UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: `last` rates the last chat call, `all` every call, embeddings too.

        Returns:
            The ids of the rated logs.

        Raises:
            ConfigurationError: A value is not allowed, or no call has a log; nothing was sent.
            LogNotFoundError: A log is not there, also not after a few seconds.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        calls = [call.logged for call in self.calls]
        if self._queue is not None:
            changes = check_changes(feedback=feedback, score=score, metadata=metadata)
            return hand_over(self._queue, plan_calls(calls, which), changes)
        return rate_logs(calls, feedback, score=score, metadata=metadata, which=which)

    async def afeedback(
        self,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
    ) -> list[str]:
        """As `feedback`, with `await`."""
        calls = [call.logged for call in self.calls]
        if self._queue is not None:
            changes = check_changes(feedback=feedback, score=score, metadata=metadata)
            return await ahand_over(self._queue, plan_calls(calls, which), changes)
        return await arate_logs(calls, feedback, score=score, metadata=metadata, which=which)

    def reconcile(self, *, wait: float = 0) -> list[R]:
        """Read the logs of the calls whose cost is not known, at most eight at once: `calls` then have cost and `log`.

        Args:
            wait: Seconds that logs are waited for, all together, that are not there yet or have no cost yet.

        Returns:
            The calls.

        Raises:
            AIGatewayError: The gateway could not be reached, or said no; a log that is not there is no error.
        """
        read_logs(readings_of(self.reports()), wait=wait)
        return self.calls

    async def areconcile(self, *, wait: float = 0) -> list[R]:
        """As `reconcile`, with `await`."""
        await aread_logs(readings_of(self.reports()), wait=wait)
        return self.calls

    def costs(self, *, by: str = "model", wait: float = 0) -> Costs:
        """Give what the calls cost, one row for each model, run or label.

        Args:
            by: `model`, `run` (the outermost run or span), or a key of the calls' metadata.
            wait: As in `reconcile`, which is done first.

        Raises:
            ConfigurationError: A value is not allowed; nothing was sent.
            AIGatewayError: As in `reconcile`.
        """
        check_by(by)
        return sum_costs(self.reconcile(wait=wait), by)

    async def acosts(self, *, by: str = "model", wait: float = 0) -> Costs:
        """As `costs`, with `await`."""
        check_by(by)
        return sum_costs(await self.areconcile(wait=wait), by)

    @overload
    def __getitem__(self, index: int) -> ResponseInfo: ...
    @overload
    def __getitem__(self, index: slice) -> list[ResponseInfo]: ...
    def __getitem__(self, index: int | slice) -> ResponseInfo | list[ResponseInfo]:
        return self._infos[index]

    def __len__(self) -> int:
        return len(self._infos)

    def __iter__(self) -> Iterator[ResponseInfo]:
        return iter(self._infos)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(log_ids={self.log_ids!r})"


T = TypeVar("T", bound=CapturedCalls[Any])


class CallCaptures(Generic[T]):
    """The captures of one adapter that code runs in; one for each adapter, made once.

    Args:
        name: Of the context variable.
        make: Makes a capture of the core's.
    """

    def __init__(self, name: str, make: Callable[[CapturedLogs, FeedbackTaker | None], T]) -> None:
        self._make = make
        self._around: ContextVar[tuple[T, ...]] = ContextVar(name, default=())

    @contextmanager
    def capture(self, queue: FeedbackTaker | None = None) -> Iterator[T]:
        """Open a capture for the `with` block; blocks nest, and concurrent ones hear of their own calls.

        Args:
            queue: A `FeedbackQueue` that the capture's feedback goes through.
        """
        check_taker(queue)
        with capture_logs() as infos:
            captured = self._make(infos, queue)
            token = self._around.set((*self._around.get(), captured))
            try:
                yield captured
            finally:
                leave(self._around, token)

    @contextmanager
    def without(self, captured: T) -> Iterator[None]:
        """Have a capture not hear of the calls in the `with` block."""
        token = self._around.set(tuple(other for other in self._around.get() if other is not captured))
        try:
            yield
        finally:
            leave(self._around, token)

    def tell(self, report: CallReport[Any, Any]) -> None:
        """Tell the captures this code runs in of a call that begins."""
        for captured in self._around.get():
            captured.record(report)
