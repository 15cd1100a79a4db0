"""What a test asks a gateway about, and tells it to say: logs, requests, scripts, feedback that is to come.

One set of verbs for a gateway with a server and for one inside the process.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import anyio

from aigw._calls._log_calls import UNSET
from aigw.local._for_tests._gateway_logs import MAX_LOGS, GatewayLogs, feedback_text, is_like, short_log
from aigw.local._for_tests._stage import Script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aigw._calls._log_calls import Unset
    from aigw._facts import GatewayLog
    from aigw._options import MetadataValue
    from aigw.local._for_tests._asked import UpstreamRequests
    from aigw.local._for_tests._script import Written
    from aigw.local._for_tests._stage import Stage
    from aigw.local._logs._store import LogStore

DEFAULT_WAIT: Final = 2.0
_PAUSE: Final = 0.01
_SHOWN: Final = 10


class Watched(ABC):
    """A gateway that a test can look into and give a script to."""

    _stage: Stage

    @abstractmethod
    def _log_store(self) -> LogStore:
        """Give where the logs are."""

    @property
    def logs(self) -> GatewayLogs:
        """The logs of every gateway as `GatewayLog`s, the last call's last; live, and without a wait.

        Raises:
            RuntimeError: The gateway has not begun, or has ended.
        """
        store = self._log_store()
        return GatewayLogs(lambda: store.newest(MAX_LOGS))

    @property
    def requests(self) -> UpstreamRequests:
        """What upstreams were asked, the last request last: provider, path, headers without secrets, JSON body.

        The last 10,000 are kept, with 16 MiB of bodies in all.
        """
        return self._stage.requests

    def script(self, turns: Iterable[Written]) -> Script:
        """Give the next replies, in the place of every upstream.

        As a plain call the next calls are answered turn by turn, after those of an earlier script; then the upstream
        answers again, and turns that are left when the gateway ends are an `AssertionError` there. As a context manager
        (`with gateway.script([...]):`) every call inside the block is answered from the script; see `Script`.

        While a script plays, logs and headers name the provider that was asked for. Calls for embeddings leave turns
        alone that only speak (`text`, `pieces`, `tool_calls`), and get the offline model's vectors.

        Args:
            turns: A text, a status, an object, an exception, a `Reply` or a function for each; see `ScriptUpstream`.

        Raises:
            ValueError: A turn is none of these; the text has its number.
        """
        return self._stage.add(Script(turns, self._stage))

    def expect_feedback(
        self,
        log_id: str,
        *,
        feedback: float | Unset | None = UNSET,
        score: float | Unset | None = UNSET,
        metadata: Mapping[str, MetadataValue] | Unset = UNSET,
        wait: float = DEFAULT_WAIT,
    ) -> GatewayLog:
        """Assert that feedback arrived for a log, and give the log.

        With none of the three given, a feedback or a score must have arrived. In an asynchronous test
        `aexpect_feedback` lets the event loop go on meanwhile.

        Args:
            log_id: The log's id, from `info.log_id`.
            feedback: 1, 0 or -1, or `None` for one that was taken back.
            score: The score, or `None` for one that was taken back.
            metadata: Labels the log must have beside its others.
            wait: Seconds to wait for it.

        Raises:
            AssertionError: It did not arrive; the text has what did, and which logs there are.
        """
        __tracebackhide__ = True
        wanted = {"feedback": feedback, "score": score, "metadata": metadata}
        deadline = time.monotonic() + wait
        while (found := self._find_feedback(log_id, wanted)) is None and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        return found or self._miss_feedback(log_id, wanted, wait)

    async def aexpect_feedback(
        self,
        log_id: str,
        *,
        feedback: float | Unset | None = UNSET,
        score: float | Unset | None = UNSET,
        metadata: Mapping[str, MetadataValue] | Unset = UNSET,
        wait: float = DEFAULT_WAIT,
    ) -> GatewayLog:
        """Do what `expect_feedback` does, and let the event loop go on meanwhile."""
        __tracebackhide__ = True
        wanted = {"feedback": feedback, "score": score, "metadata": metadata}
        deadline = time.monotonic() + wait
        while (found := self._find_feedback(log_id, wanted)) is None and time.monotonic() < deadline:  # noqa: ASYNC110 -- another thread or process may write
            await anyio.sleep(_PAUSE)
        return found or self._miss_feedback(log_id, wanted, wait)

    def _find_feedback(self, log_id: str, wanted: Mapping[str, Any]) -> GatewayLog | None:
        for log in self.logs.where(id=log_id):
            said = log.feedback is not None or log.score is not None
            if is_like(log, wanted) and (said or any(value is not UNSET for value in wanted.values())):
                return log
        return None

    def _miss_feedback(self, log_id: str, wanted: Mapping[str, Any], wait: float) -> GatewayLog:
        __tracebackhide__ = True
        given = [f"{name}={value!r}" for name, value in wanted.items() if value is not UNSET]
        logs = list(self.logs)
        arrived = next((f"it has {feedback_text(log)}" for log in logs if log.id == log_id), "there is no such log")
        shown = [f"  {short_log(log)}" for log in logs[-_SHOWN:]]
        text = f"no {', '.join(given) or 'feedback and no score'} for log {log_id!r} within {wait:g} s; {arrived}"
        listed = "\n".join([f"the last {len(shown)} of {len(logs)} logs:", *shown]) if logs else "there are no logs"
        raise AssertionError(f"{text}\n{listed}")
