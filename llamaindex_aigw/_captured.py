"""`capture_logs()`: the core's capture of a block, and with it what LlamaIndex knows of the calls in it.

An evaluator's verdict on one of the answers can be sent on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aigw import ConfigurationError
from aigw.integration import CallCaptures, CapturedCalls, CostCallback, arate_logs, calls_of, rate_logs, shown
from llamaindex_aigw._evaluation import answering_reports, encode_evaluation
from llamaindex_aigw._recorded import RecordedCall
from llamaindex_aigw._spans import watched_spans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import TextIO

    from llama_index.core.evaluation import EvaluationResult

    from aigw import MetadataValue, Which
    from aigw.integration import FeedbackTaker, LoggedCall


class CapturedSpans(CapturedCalls[RecordedCall]):
    """What the gateway said of every call in a `capture_logs()` block, and what LlamaIndex knows of each.

    As a sequence it holds the `aigw.ResponseInfo` of every call that was answered, in the order the answers arrived,
    retries and failures too. Calls made by the core's own clients are in the sequence and in `log_ids`, not in `calls`.
    """

    def feedback_from(
        self,
        evaluation: EvaluationResult,
        *,
        max_score: float = 1.0,
        metadata: Mapping[str, MetadataValue] | None = None,
        evaluator: object = None,
        which: Which = "last",
    ) -> list[str]:
        """Rate the evaluated answer as a LlamaIndex evaluator judged it.

        The score becomes 0 to 100, `passing` a thumb (1 or -1), and the evaluator's words the metadata entry `comment`,
        cut to 200 characters. The calls of the judge are not rated: if the evaluated answer is one of the calls', later
        calls are left alone, and so are calls made in a `judging()` block.

        Args:
            evaluation: What an evaluator returned; one that is invalid, or says nothing, sends nothing.
            max_score: The evaluator's best score; its worst is 0.
            metadata: Further entries, at most five with the comment and the source.
            evaluator: The evaluator, or its name: the source in the metadata is `evaluator:<its name>`.
            which: As in `feedback`.

        Returns:
            The ids of the rated logs; empty for an evaluation that sends nothing.

        Raises:
            ConfigurationError: The score is not between 0 and `max_score`, or as in `feedback`.
            AIGatewayError: As in `feedback`.
        """
        values = encode_evaluation(evaluation, max_score=max_score, metadata=metadata, evaluator=evaluator)
        if not values:
            return []
        return rate_logs(self._answering(evaluation), **values, which=which)

    async def afeedback_from(
        self,
        evaluation: EvaluationResult,
        *,
        max_score: float = 1.0,
        metadata: Mapping[str, MetadataValue] | None = None,
        evaluator: object = None,
        which: Which = "last",
    ) -> list[str]:
        """As `feedback_from`, with `await`."""
        values = encode_evaluation(evaluation, max_score=max_score, metadata=metadata, evaluator=evaluator)
        if not values:
            return []
        return await arate_logs(self._answering(evaluation), **values, which=which)

    def judging(self) -> AbstractContextManager[None]:
        """Keep the calls of the `with` block out of `calls`, and so from being rated: those of a judge.

        It is not needed where the evaluated answer is the very text of one of the calls, nor after the capture's block.
        """
        return CAPTURES.without(self)

    def _answering(self, evaluation: EvaluationResult) -> list[LoggedCall]:
        return [call.logged for call in calls_of(answering_reports(self.reports(), evaluation))]


CAPTURES: Final = CallCaptures("llamaindex_aigw.captures", CapturedSpans)
"""The captures that LlamaIndex's calls are told to."""


@contextmanager
def capture_logs(
    tags: Mapping[str, Any] | None = None, *, queue: FeedbackTaker | None = None
) -> Iterator[CapturedSpans]:
    """Collect the calls that LlamaIndex makes inside the `with` block, with their log ids, and rate them.

    Put it around a query engine, a chat engine, an agent, a workflow's run, or a model. Calls count that are made in
    this task or thread, in tasks started from it, and in threads that run in a copy of its context, as LlamaIndex's do.
    Blocks nest: the outer one hears of the inner one's calls. A stream opened inside may be read after it.

    Args:
        tags: LlamaIndex's `instrument_tags` while the block runs, over those that are set already.
        queue: An `aigw.feedback.FeedbackQueue` that `feedback` goes through: it then returns at once.

    Yields:
        What `aigw.capture_logs` yields, and `calls`, `feedback`, `feedback_from`, `reconcile`, `costs` and their async
        twins.

    Raises:
        ConfigurationError: The tags or the queue cannot be what they are.
    """
    if not isinstance(tags, Mapping | None):
        raise ConfigurationError(f"tags cannot be {shown(tags)}: they are LlamaIndex's instrument_tags, a dict")
    with watched_spans(tags), CAPTURES.capture(queue) as captured:
        yield captured


def get_cost_callback(
    *, by: str = "model", wait: float = 5.0, prints: bool = True, file: TextIO | None = None
) -> CostCallback[CapturedSpans]:
    """Print what the calls inside a `with` or `async with` block cost, when it ends, as the gateway's logs say it.

        with get_cost_callback(by="model") as callback:
            query_engine.query("...")
        callback.total_cost

    Engines, agents, workflows, embeddings, streams and retries count, in threads and tasks too. Each call takes one
    request to the logs API at the end, at most eight at a time; what cannot be read there is told as unknown, and never
    raised.

    Args:
        by: The rows of the table: `model`, `run` (the outermost workflow run or span), or a key of the calls' metadata.
        wait: Seconds that late logs are waited for at the end, all together.
        prints: Whether the table is printed; else it is in `costs` alone.
        file: Where it is printed; the standard output when left out. A terminal gets the table of `rich`, if installed.

    Returns:
        A context manager that gives itself, with `costs`, `total_cost`, and `captured`, what `capture_logs` gives.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """
    return CostCallback(capture_logs(), by=by, wait=wait, prints=prints, file=file)
