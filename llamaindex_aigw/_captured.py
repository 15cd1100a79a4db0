"""What a `capture_logs()` block holds: the calls LlamaIndex made in it, their log ids, and the way to rate them.

Who hears of a call is decided by a context variable when the call is made, never by a list that all tasks share. What
is kept are the models' reports, which go on while a stream is read, so a capture learns its tokens also when the block
is over.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, overload

import aigw
from aigw import UNSET, arate_logs, rate_logs
from llamaindex_aigw._evaluation import answering_reports, encode_evaluation
from llamaindex_aigw._rating import areconcile_reports, calls_of, choose_calls, reconcile_reports
from llamaindex_aigw._spans import watched_spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llama_index.core.evaluation import EvaluationResult

    from aigw import Feedback, MetadataValue, ResponseInfo, Unset, Which
    from llamaindex_aigw._recorded import CallReport, RecordedCall


class CapturedSpans(Sequence["ResponseInfo"]):
    """What the gateway said of every call in a `capture_logs()` block, and what LlamaIndex knows of each.

    As a sequence it holds the `aigw.ResponseInfo` of every call that was answered, in the order the answers arrived,
    retries and failures too. Calls made by the core's own clients are in the sequence and in `log_ids`, not in `calls`.
    """

    def __init__(self, infos: Sequence[ResponseInfo]) -> None:
        self._infos = infos
        self._reports: list[CallReport] = []
        self._lock = threading.Lock()

    @property
    def log_ids(self) -> list[str]:
        """The log ids of the calls that have one."""
        return [info.log_id for info in self if info.log_id]

    @property
    def calls(self) -> list[RecordedCall]:
        """The calls of this package's models, in the order they were made, as they are known now."""
        return calls_of(self._copy())

    def record(self, report: CallReport) -> None:
        """Add a call that begins."""
        with self._lock:
            self._reports.append(report)

    def feedback(
        self,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
    ) -> list[str]:
        """Rate the calls of the block, one request per log.

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
        calls = choose_calls(self.calls, which)
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
        calls = choose_calls(self.calls, which)
        return await arate_logs(calls, feedback, score=score, metadata=metadata, which=which)

    def feedback_from(
        self,
        evaluation: EvaluationResult,
        *,
        max_score: float = 1.0,
        metadata: Mapping[str, MetadataValue] | None = None,
        which: Which = "last",
    ) -> list[str]:
        """Rate the evaluated answer as a LlamaIndex evaluator judged it.

        The score becomes 0 to 100, `passing` a thumb (1 or -1), and the evaluator's words the metadata entry `comment`,
        cut to 200 characters. The calls of the judge are not rated: if the evaluated answer is one of the calls', later
        calls are left alone, and so are calls made in a `judging()` block.

        Args:
            evaluation: What an evaluator returned; one that is invalid, or says nothing, sends nothing.
            max_score: The evaluator's best score; its worst is 0.
            metadata: Further entries, at most five with the comment.
            which: As in `feedback`.

        Returns:
            The ids of the rated logs; empty for an evaluation that sends nothing.

        Raises:
            ConfigurationError: The score is not between 0 and `max_score`, or as in `feedback`.
            AIGatewayError: As in `feedback`.
        """
        values = encode_evaluation(evaluation, max_score=max_score, metadata=metadata)
        if not values:
            return []
        calls = choose_calls(calls_of(answering_reports(self._copy(), evaluation)), which)
        return rate_logs(calls, **values, which=which)

    async def afeedback_from(
        self,
        evaluation: EvaluationResult,
        *,
        max_score: float = 1.0,
        metadata: Mapping[str, MetadataValue] | None = None,
        which: Which = "last",
    ) -> list[str]:
        """As `feedback_from`, with `await`."""
        values = encode_evaluation(evaluation, max_score=max_score, metadata=metadata)
        if not values:
            return []
        calls = choose_calls(calls_of(answering_reports(self._copy(), evaluation)), which)
        return await arate_logs(calls, **values, which=which)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Keep the calls of the `with` block out of `calls`, and so from being rated: those of a judge.

        It is not needed where the evaluated answer is the very text of one of the calls, nor after the capture's block.
        """
        token = _CAPTURES.set(tuple(captured for captured in _CAPTURES.get() if captured is not self))
        try:
            yield
        finally:
            _CAPTURES.reset(token)

    def reconcile(self, *, wait: float = 0) -> list[RecordedCall]:
        """Read the logs of the calls, at most eight at once, so that `calls` have their cost.

        Args:
            wait: Seconds a log is waited for that is not there yet, or not complete.

        Returns:
            The calls.

        Raises:
            AIGatewayError: The gateway could not be reached, or said no; a log that is not there is no error.
        """
        return reconcile_reports(self._copy(), wait)

    async def areconcile(self, *, wait: float = 0) -> list[RecordedCall]:
        """As `reconcile`, with `await`."""
        return await areconcile_reports(self._copy(), wait)

    @overload
    def __getitem__(self, index: int) -> ResponseInfo: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ResponseInfo]: ...
    def __getitem__(self, index: int | slice) -> ResponseInfo | Sequence[ResponseInfo]:
        return self._infos[index]

    def __len__(self) -> int:
        return len(self._infos)

    def __iter__(self) -> Iterator[ResponseInfo]:
        return iter(self._infos)

    def __repr__(self) -> str:
        return f"CapturedSpans(log_ids={self.log_ids!r})"

    def _copy(self) -> list[CallReport]:
        with self._lock:
            return list(self._reports)


_CAPTURES: Final[ContextVar[tuple[CapturedSpans, ...]]] = ContextVar("llamaindex_aigw.captures", default=())


@contextmanager
def capture_logs(tags: Mapping[str, Any] | None = None) -> Iterator[CapturedSpans]:
    """Collect the calls that LlamaIndex makes inside the `with` block, with their log ids, and rate them.

    Put it around a query engine, a chat engine, an agent, a workflow's run, or a model. Calls count that are made in
    this task or thread, in tasks started from it, and in threads that run in a copy of its context, as LlamaIndex's do.
    Blocks nest: the outer one hears of the inner one's calls. A stream opened inside may be read after it.

    Args:
        tags: LlamaIndex's `instrument_tags` while the block runs, over those that are set already.

    Yields:
        What `aigw.capture_logs` yields, and `calls`, `feedback`, `feedback_from` and their async twins.
    """
    with aigw.capture_logs() as infos, watched_spans(tags):
        captured = CapturedSpans(infos)
        token = _CAPTURES.set((*_CAPTURES.get(), captured))
        try:
            yield captured
        finally:
            _CAPTURES.reset(token)


def current_captures() -> tuple[CapturedSpans, ...]:
    """Give the captures this code runs in."""
    return _CAPTURES.get()
