"""One call of a model: reported by the model while it runs, read by handlers and captures as often as they like.

A report stands for what LangChain takes for one call; the gateway may have been asked several times for it, since the
client tries again what was certainly not run. Each of these attempts has a log of its own and is a `RecordedCall`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from aigw import LoggedCall, ResponseInfo, capture_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType
    from uuid import UUID

    from aigw import AIGateway, AsyncAIGateway, GatewayLog

Kind = Literal["chat", "embedding"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call.

    Attributes:
        kind: `chat` or `embedding`.
        model: The model that is asked.
        sync_client: Gives the client it is asked through.
        async_client: Gives that client's async twin.
        event_id: The event id that is sent.
        run_id: The run of the model, where LangChain has one.
        parent_run_id: The run around it.
        node: The node of a graph it is asked in.
    """

    kind: Kind
    model: str
    sync_client: Callable[[], AIGateway]
    async_client: Callable[[], AsyncAIGateway]
    event_id: str | None = None
    run_id: UUID | None = None
    parent_run_id: UUID | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One request that a model made to the gateway, and what became of it.

    Attributes:
        info: What the gateway said of it.
        caller: The model, its run and its clients.
        input_tokens: Tokens of the prompt, once they are known.
        output_tokens: Tokens of the answer, once they are known.
        cost: US dollars, once `reconcile()` has read the log.
        error: What went wrong, as `Class: message`.
        is_partial: Whether the answer was left before its end.
        is_replayed: Whether LangChain's own cache gave the answer: the log is that of an earlier call.
    """

    info: ResponseInfo
    caller: Caller = field(repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    error: str | None = None
    is_partial: bool = False
    is_replayed: bool = False

    @property
    def kind(self) -> Kind:
        """`chat` or `embedding`."""
        return self.caller.kind

    @property
    def model(self) -> str:
        """The model that was asked; who answered instead, if the gateway says so, is in `info`."""
        return self.caller.model

    @property
    def run_id(self) -> UUID | None:
        """The run of the model; embeddings have none."""
        return self.caller.run_id

    @property
    def parent_run_id(self) -> UUID | None:
        """The run around the model's."""
        return self.caller.parent_run_id

    @property
    def node(self) -> str | None:
        """The node of the LangGraph graph the call was made in."""
        return self.caller.node

    @property
    def log_id(self) -> str | None:
        """The id of the gateway's log."""
        return self.info.log_id

    @property
    def event_id(self) -> str | None:
        """The event id the log can be found by."""
        return self.info.event_id

    @property
    def cache_status(self) -> str | None:
        """`HIT` or `MISS` when the gateway looked into its cache."""
        return self.info.cache_status

    @property
    def step(self) -> int | None:
        """Which step of a universal request or a dynamic route answered, from 0."""
        return self.info.step

    @property
    def logged(self) -> LoggedCall:
        """The call as `aigw.rate_logs` takes it."""
        return LoggedCall(self.info, self.caller.sync_client, self.caller.async_client)


class CallReport:
    """What a model tells of one of its calls; a `with` block around the call tells how it ended.

    Args:
        caller: Who makes the call.
    """

    __slots__ = ("_error", "_infos", "_is_partial", "_logs", "_tokens", "caller")

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._infos: Sequence[ResponseInfo] = ()
        self._tokens: tuple[float | None, float | None] = (None, None)
        self._error: str | None = None
        self._is_partial = False
        self._logs: dict[str, GatewayLog] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is GeneratorExit:
            self._is_partial = True
        elif error is not None:
            self._error = f"{type(error).__name__}: {error}"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what the gateway says of requests begun in this block; not to be left open across a `yield`."""
        with capture_logs() as infos:
            self._infos = infos
            yield

    def answered(self, usage: Mapping[str, Any] | None) -> None:
        """Note the tokens of the answer.

        Args:
            usage: LangChain's `UsageMetadata`, or OpenAI's `usage`.
        """
        if usage:
            self._tokens = (
                usage.get("input_tokens", usage.get("prompt_tokens")),
                usage.get("output_tokens", usage.get("completion_tokens")),
            )

    def found(self, log: GatewayLog) -> None:
        """Note what the gateway's log says of one of the attempts."""
        self._logs[log.id] = log

    def calls(self) -> list[RecordedCall]:
        """Give the attempts, oldest first; tokens and errors belong to the last."""
        infos = list(self._infos)
        return [self._call(info, is_last=place == len(infos)) for place, info in enumerate(infos, 1)]

    def _call(self, info: ResponseInfo, *, is_last: bool) -> RecordedCall:
        if info.event_id is None and self.caller.event_id:
            info = info.model_copy(update={"event_id": self.caller.event_id})
        log = self._logs.get(info.log_id or "")
        read, written = self._tokens if is_last else (None, None)
        return RecordedCall(
            info=info,
            caller=self.caller,
            input_tokens=_count(read, log.tokens_in if log else None),
            output_tokens=_count(written, log.tokens_out if log else None),
            cost=log.cost if log else None,
            error=self._error if is_last else _explain(info.status_code),
            is_partial=is_last and self._is_partial,
        )


def _count(told: float | None, logged: float | None) -> int | None:
    count = logged if told is None else told
    return None if count is None else int(count)


def _explain(status_code: int | None) -> str:
    return "no answer" if status_code is None else f"HTTP {status_code}"
