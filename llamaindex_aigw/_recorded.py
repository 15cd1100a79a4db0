"""One call of a model: reported by the model while it runs, read by captures and handlers as often as they like.

A report stands for what LlamaIndex takes for one call; the gateway may have been asked several times for it, since the
client tries again what was certainly not run. Each of these attempts has a log of its own and is a `RecordedCall`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from aigw import LoggedCall, ResponseInfo, capture_logs
from llamaindex_aigw._spans import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from llama_index.core.base.llms.types import ChatResponse

    from aigw import AIGateway, AsyncAIGateway, EmbeddingResult, GatewayLog

Kind = Literal["chat", "embedding"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call, and where.

    Attributes:
        kind: `chat` or `embedding`; completions are chats.
        model: The model that is asked.
        sync_client: Gives the client it is asked through.
        async_client: Gives that client's async twin.
        place: The spans and workflow runs around the call.
        tags: LlamaIndex's `instrument_tags`, but for those its workflows add.
        event_id: The event id that is sent.
    """

    kind: Kind
    model: str
    sync_client: Callable[[], AIGateway]
    async_client: Callable[[], AsyncAIGateway]
    place: Place = field(default_factory=Place)
    tags: Mapping[str, Any] = field(default_factory=dict)
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One request that a model made to the gateway, and what became of it.

    Attributes:
        info: What the gateway said of it.
        caller: The model, its clients, and where it was called.
        input_tokens: Tokens of the prompt, once they are known.
        output_tokens: Tokens of the answer, once they are known.
        cost: US dollars, once `reconcile()` has read the log.
        error: What went wrong, as `Class: message`.
        is_partial: Whether the answer was left before its end.
    """

    info: ResponseInfo
    caller: Caller = field(repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    error: str | None = None
    is_partial: bool = False

    @property
    def kind(self) -> Kind:
        """`chat` or `embedding`."""
        return self.caller.kind

    @property
    def model(self) -> str:
        """The model that was asked; who answered instead, if the gateway says so, is in `info`."""
        return self.caller.model

    @property
    def span_path(self) -> tuple[str, ...]:
        """Ids of LlamaIndex's spans around the call, the outermost first, the call's own last.

        Spans that began before anybody listened are missing.
        """
        return self.caller.place.spans

    @property
    def span_id(self) -> str | None:
        """The id of the call's own span."""
        return self.span_path[-1] if self.span_path else None

    @property
    def run_id(self) -> str | None:
        """The id of the innermost LlamaIndex workflow run the call was made in."""
        return self.caller.place.runs[-1] if self.caller.place.runs else None

    @property
    def tags(self) -> Mapping[str, Any]:
        """LlamaIndex's `instrument_tags` at the call, but for those its workflows add."""
        return self.caller.tags

    @property
    def log_id(self) -> str | None:
        """The id of the gateway's log."""
        return self.info.log_id

    @property
    def event_id(self) -> str | None:
        """The event id the log can be found by; the span's, unless another was given."""
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

    __slots__ = ("_answer", "_error", "_infos", "_is_answered", "_is_partial", "_logs", "_tokens", "caller")

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._infos: Sequence[ResponseInfo] = ()
        self._tokens: tuple[int | None, int | None] = (None, None)
        self._answer: int | None = None
        self._error: str | None = None
        self._is_answered = False
        self._is_partial = False
        self._logs: dict[str, GatewayLog] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is GeneratorExit:
            self._is_partial = not self._is_answered
        elif error is not None:
            self._error = f"{type(error).__name__}: {error}"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what the gateway says of requests begun in this block; not to be left open across a `yield`."""
        with capture_logs() as infos:
            self._infos = infos
            yield

    def answered(self, response: ChatResponse) -> ChatResponse:
        """Note the whole answer, or the end of a stream; give it back.

        Of its text only a number is kept that it is known again by.
        """
        self._count(response.additional_kwargs)
        text = response.message.content
        if text:
            self._answer = _fingerprint(text)
        return response

    def embedded(self, result: EmbeddingResult) -> EmbeddingResult:
        """Note the tokens of an embedding; give it back."""
        self._count(result.usage.model_dump() if result.usage else {})
        return result

    def has_said(self, text: str) -> bool:
        """Tell whether this was the answer, but for space around it."""
        return self._answer == _fingerprint(text)

    def found(self, log: GatewayLog) -> None:
        """Note what the gateway's log says of one of the attempts."""
        self._logs[log.id] = log

    def calls(self) -> list[RecordedCall]:
        """Give the attempts, oldest first; tokens and errors belong to the last."""
        infos = list(self._infos)
        return [self._call(info, is_last=place == len(infos)) for place, info in enumerate(infos, 1)]

    def _count(self, usage: Mapping[str, Any]) -> None:
        self._is_answered = True
        self._tokens = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))

    def _call(self, info: ResponseInfo, *, is_last: bool) -> RecordedCall:
        if info.event_id is None and self.caller.event_id:
            info = info.model_copy(update={"event_id": self.caller.event_id})
        log = self._logs.get(info.log_id or "")
        read, written = self._tokens if is_last else (None, None)
        return RecordedCall(
            info=info,
            caller=self.caller,
            input_tokens=_count(log.tokens_in) if read is None and log else read,
            output_tokens=_count(log.tokens_out) if written is None and log else written,
            cost=log.cost if log else None,
            error=self._error if is_last else _explain(info.status_code),
            is_partial=is_last and self._is_partial,
        )


def _count(tokens: Any) -> int | None:
    return int(tokens) if isinstance(tokens, int | float) else None


def _explain(status_code: int | None) -> str:
    return "no answer" if status_code is None else f"HTTP {status_code}"


def _fingerprint(text: str) -> int:
    return hash(text.strip())
