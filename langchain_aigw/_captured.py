"""`capture_logs()`: the core's capture of a block, and with it what LangChain knows of the calls in it.

It needs no callback, so it hears of embeddings too, of which LangChain tells nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, overload

import aigw
from aigw import UNSET
from langchain_aigw._rating import choose_calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aigw import CapturedLogs, Feedback, MetadataValue, ResponseInfo, Unset, Which
    from langchain_aigw._recorded import CallReport, RecordedCall


class CapturedRuns(Sequence["aigw.ResponseInfo"]):
    """What the gateway said of every call in a `capture_logs()` block, and what LangChain knows of those of its models.

    It is a sequence of `ResponseInfo`, as that of `aigw.capture_logs()`, and can be read while calls still run.

    Args:
        infos: The core's capture of the same block.
    """

    def __init__(self, infos: CapturedLogs) -> None:
        self._infos = infos
        self._reports: list[CallReport] = []

    @property
    def log_ids(self) -> list[str]:
        """The log ids of the calls that have one."""
        return self._infos.log_ids

    @property
    def calls(self) -> list[RecordedCall]:
        """The calls of LangChain's models with their run, node, tokens and error, in the order they began."""
        return [call for report in list(self._reports) for call in report.calls()]

    def feedback(
        self,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
    ) -> list[str]:
        """Rate the calls of the block, as `aigw.rate_logs`.

        Args:
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: `last` rates the last chat call, `all` every call, embeddings too.

        Returns:
            The ids of the rated logs.

        Raises:
            ConfigurationError: A value is not allowed, or no call has a log; nothing was sent.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        calls = choose_calls(self.calls, which)
        return aigw.rate_logs(calls, feedback, score=score, metadata=metadata, which=which)

    async def afeedback(
        self,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
    ) -> list[str]:
        """As `feedback`, with `await`."""
        calls = choose_calls(self.calls, which)
        return await aigw.arate_logs(calls, feedback, score=score, metadata=metadata, which=which)

    def record(self, report: CallReport) -> None:
        """Add what a model tells of one call."""
        self._reports.append(report)

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
        return f"CapturedRuns(log_ids={self.log_ids!r})"


_CAPTURES: Final[ContextVar[tuple[CapturedRuns, ...]]] = ContextVar("langchain_aigw.captures", default=())


@contextmanager
def capture_logs() -> Iterator[CapturedRuns]:
    """Collect the calls made inside the `with` block: chats and embeddings, streams, retries and failures.

    Feedback:
        ```python
        from langchain_aigw import ChatCloudflareAIGateway, capture_logs

        model = ChatCloudflareAIGateway(model="openai/gpt-5-mini")
        with capture_logs() as logs:
            model.invoke("Tell me a joke")
        logs.feedback(1)
        ```

    Calls count that are made in this task or thread, in tasks started from it, and in the threads that LangChain and
    LangGraph start. Blocks nest: the outer one hears of the inner one's calls; concurrent ones hear of their own.

    Yields:
        A growing sequence of `aigw.ResponseInfo`, with `log_ids`, `calls`, `feedback` and `afeedback`.
    """
    with aigw.capture_logs() as infos:
        captured = CapturedRuns(infos)
        token = _CAPTURES.set((*_CAPTURES.get(), captured))
        try:
            yield captured
        finally:
            _CAPTURES.reset(token)


def tell_captures(report: CallReport) -> None:
    """Tell the captures this code runs in of a call that begins."""
    for captured in _CAPTURES.get():
        captured.record(report)
