"""What the handlers of all frameworks do with calls that are over: have them rated and shared, and say what they cost.

Apart from the handlers, which know how their framework tells of calls, and what those are beneath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aigw._noted._costs import check_by, sum_costs
from aigw._noted._log_reading import aread_logs, read_logs, readings_of
from aigw._noted._recorded import RecordedCall, calls_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw._facts import GatewayLog
    from aigw._finding._resolver import LogResolver
    from aigw._finding._shared_writer import SharedWriter
    from aigw._handlers._rater import Rater, RaterCounts
    from aigw._noted._costs import Costs
    from aigw._noted._recorded import CallReport
    from aigw._rating._feedback import LoggedCall

N = TypeVar("N")
R = TypeVar("R", bound=RecordedCall)


class Bookkeeping(Generic[N, R]):
    """What a handler does with the calls it records, once they are over; of any framework.

    A handler is this too: it makes the three attributes, says which calls are beneath a name (an id), and gives that
    name the word of its framework in the methods that take it.
    """

    _rater: Rater
    _resolver: LogResolver
    _writer: SharedWriter | None

    def _reports(self, name: N | None, /) -> Sequence[CallReport[Any, R]]:
        """Give the calls beneath a name, oldest first; all calls without one."""
        raise NotImplementedError

    def reconcile(self, name: N | None = None, /, *, wait: float = 0) -> list[R]:
        """Read the logs of the calls whose cost is not known, and give all the calls, with `cost` and `log`.

        At most eight logs are read at once; one that is not there leaves its call as it was. For calls of other
        processes, see `aigw.LogResolver.reconcile`.

        Args:
            name: What the calls are beneath, as in `calls`; all that are recorded when left out.
            wait: Seconds that logs are waited for, all together, that are not there yet or have no cost yet.

        Raises:
            ConfigurationError: `wait` is no number of seconds.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        read_logs(self._readings(name), wait=wait)
        return calls_of(self._reports(name))

    async def areconcile(self, name: N | None = None, /, *, wait: float = 0) -> list[R]:
        """As `reconcile`, with `await`."""
        await aread_logs(self._readings(name), wait=wait)
        return calls_of(self._reports(name))

    def costs(self, name: N | None = None, /, *, by: str = "model", wait: float = 0) -> Costs:
        """Give what calls cost, one row for each model, run or label.

        Args:
            name: As in `reconcile`.
            by: `model`, `run` (the outermost run, workflow run or span around a call), or a key of the calls' metadata.
            wait: As in `reconcile`, which is done first.

        Raises:
            ConfigurationError: A value is not allowed; nothing was sent.
            AIGatewayError: As in `reconcile`.
        """
        check_by(by)
        return sum_costs(self.reconcile(name, wait=wait), by)

    async def acosts(self, name: N | None = None, /, *, by: str = "model", wait: float = 0) -> Costs:
        """As `costs`, with `await`."""
        check_by(by)
        return sum_costs(await self.areconcile(name, wait=wait), by)

    @property
    def automatic_counts(self) -> RaterCounts:
        """What became of what was rated without anybody asking: by `automatic`, a judge or an evaluator."""
        return self._rater.counts

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the answers so far are rated and the store has what is known; tell whether it was in time.

        What a queue has taken is waited for by its own `flush`.

        Args:
            timeout: Seconds for each of the two.
        """
        is_rated = self._rater.flush(timeout)
        return (self._writer is None or self._writer.flush(timeout)) and is_rated

    def close(self, timeout: float | None = None) -> None:
        """Wait as `flush` does and rate no more by itself; what is recorded stays."""
        self._rater.close(timeout)
        self.flush(timeout)

    def _readings(self, name: N | None) -> list[tuple[LoggedCall, Callable[[GatewayLog], object]]]:
        return [(self._resolver.through(call), found) for call, found in readings_of(self._reports(name))]
