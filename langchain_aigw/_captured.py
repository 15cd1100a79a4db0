"""`capture_logs()`: the core's capture of a block, and with it what LangChain knows of the calls in it.

It needs no callback, so it hears of embeddings too, of which LangChain tells nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.integration import CallCaptures, CapturedCalls, CostCallback
from langchain_aigw._recorded import RecordedCall

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import TextIO

    from aigw.integration import FeedbackTaker


class CapturedRuns(CapturedCalls[RecordedCall]):
    """What the gateway said of every call in a `capture_logs()` block, and what LangChain knows of those of its models.

    It is a sequence of `ResponseInfo`, as that of `aigw.capture_logs()`, and can be read while calls still run.
    """


CAPTURES: Final = CallCaptures("langchain_aigw.captures", CapturedRuns)
"""The captures that LangChain's calls are told to."""


def capture_logs(*, queue: FeedbackTaker | None = None) -> AbstractContextManager[CapturedRuns]:
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

    Args:
        queue: An `aigw.feedback.FeedbackQueue` that feedback goes through: it then returns at once.

    Returns:
        A context manager that gives a growing sequence of `aigw.ResponseInfo`, with `log_ids`, `calls`, `feedback`,
        `reconcile`, `costs` and their async twins.
    """
    return CAPTURES.capture(queue)


def get_cost_callback(
    *, by: str = "model", wait: float = 5.0, prints: bool = True, file: TextIO | None = None
) -> CostCallback[CapturedRuns]:
    """Print what the calls inside a `with` or `async with` block cost, when it ends, as the gateway's logs say it.

    Costs:
        ```python
        from langchain_aigw import ChatCloudflareAIGateway, get_cost_callback

        model = ChatCloudflareAIGateway(model="openai/gpt-5-mini")
        with get_cost_callback() as callback:
            model.invoke("Tell me a joke")
        callback.total_cost
        ```

    It is for gateway costs what LangChain's `get_usage_metadata_callback` is for tokens: chains, agents, graphs,
    embeddings, streams and retries count, in threads and tasks too; answers of LangChain's own cache do not. Nothing
    has to be passed to a run. Each call takes one request to the logs API at the end, at most eight at a time; what
    cannot be read there is told as unknown, and never raised.

    Args:
        by: The rows of the table: `model`, `run` (the outermost run), or a key of the calls' metadata.
        wait: Seconds that late logs are waited for at the end, all together.
        prints: Whether the table is printed; else it is in `costs` alone.
        file: Where it is printed; the standard output when left out. A terminal gets the table of `rich`, if installed.

    Returns:
        A context manager that gives itself, with `costs`, `total_cost`, and `captured`, what `capture_logs` gives.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """
    return CostCallback(CAPTURES.capture(), by=by, wait=wait, prints=prints, file=file)
