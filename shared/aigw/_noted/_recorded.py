"""One call of a framework's model: reported by the model while it runs, read by others as often as they like.

A report stands for what the framework takes for one call; the gateway may have been asked several times for it, since
the client tries again what was certainly not run. Each of these attempts has a log of its own and is a `RecordedCall`.
An adapter adds to these classes what its framework knows of a call: a run, a span.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from aigw._adapters._forwarding import RUN_LABELS
from aigw._rating._feedback import LoggedCall, no_async_client, no_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from aigw._async_client import AsyncAIGateway
    from aigw._client import AIGateway
    from aigw._facts import GatewayLog, ResponseInfo
    from aigw._rating._feedback import CallKind


class Connection(Protocol):
    """What has the clients that a call is made through: a framework's model."""

    def _sync_client(self) -> AIGateway: ...
    def _async_client(self) -> AsyncAIGateway: ...


@dataclass(frozen=True, slots=True)
class _Known:
    """The clients of a call that was found somewhere."""

    _sync_client: Callable[[], AIGateway]
    _async_client: Callable[[], AsyncAIGateway]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call.

    One is kept for each call in flight, so it holds its model, not two methods of it.

    Attributes:
        kind: `chat` or `embedding`; completions are chats.
        model: The model that is asked.
        connection: What it is asked through.
        event_id: The event id that is sent.
    """

    kind: CallKind
    model: str
    connection: Connection | None = field(default=None, repr=False, compare=False)
    event_id: str | None = None

    @property
    def sync_client(self) -> Callable[[], AIGateway]:
        """Gives the client that the model is asked through."""
        return no_client if self.connection is None else self.connection._sync_client  # noqa: SLF001 -- a model's own

    @property
    def async_client(self) -> Callable[[], AsyncAIGateway]:
        """Gives that client's async twin."""
        return no_async_client if self.connection is None else self.connection._async_client  # noqa: SLF001 -- likewise


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One request that a model made to the gateway, and what became of it.

    Attributes:
        info: What the gateway said of it.
        caller: The model and its clients.
        input_tokens: Tokens of the prompt, once they are known.
        output_tokens: Tokens of the answer, once they are known.
        cost: US dollars, once `reconcile()` has read the log.
        error: What went wrong, as `Class: message`.
        is_partial: Whether the answer was left before its end.
        is_replayed: Whether the framework's own cache gave the answer: the log is that of an earlier call.
        log: The log, once `reconcile()` has read it.
    """

    info: ResponseInfo
    caller: Caller = field(repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    error: str | None = None
    is_partial: bool = False
    is_replayed: bool = False
    log: GatewayLog | None = field(default=None, repr=False)

    @property
    def kind(self) -> CallKind:
        """`chat` or `embedding`."""
        return self.caller.kind

    @property
    def model(self) -> str:
        """The model that was asked; who answered instead, if the gateway says so, is in `info`."""
        return self.caller.model

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
    def is_cached(self) -> bool:
        """Whether the gateway's cache gave the answer, as its log says, else as the answer said."""
        known = self.log.cached if self.log else None
        return self.cache_status == "HIT" if known is None else known

    @property
    def answered_by(self) -> str:
        """The model that answered, as the gateway's log names it; else the one that was asked."""
        log = self.log
        if log is None or not log.model:
            return self.model
        return f"{log.provider}/{log.model}" if log.provider and "/" not in log.model else log.model

    @property
    def root_id(self) -> str | None:
        """The outermost run or span around the call, as far as it is known."""
        labels = (self.log.metadata if self.log else None) or {}
        return next((str(labels[label]) for label in RUN_LABELS if label in labels), self.event_id)

    @property
    def step(self) -> int | None:
        """Which step of a universal request or a dynamic route answered, from 0."""
        return self.info.step

    @property
    def logged(self) -> LoggedCall:
        """The call as `aigw.rate_logs` takes it."""
        caller = self.caller
        return LoggedCall(
            self.info,
            caller.sync_client,
            caller.async_client,
            kind=caller.kind,
            is_replayed=self.is_replayed,
            source="memory",
        )


C_co = TypeVar("C_co", bound=Caller, covariant=True)
R_co = TypeVar("R_co", bound=RecordedCall, covariant=True)


class CallReport(Generic[C_co, R_co]):
    """What a model tells of one of its calls; a `with` block around the call tells how it ended.

    An adapter's report says in `call_type` what it gives.

    Args:
        caller: Who makes the call.
    """

    __slots__ = (
        "_answer", "_error", "_infos", "_is_answered", "_is_partial", "_logs", "_tokens", "_watchers", "caller",
    )  # fmt: skip

    call_type: type[R_co]

    def __init__(self, caller: C_co) -> None:
        self.caller = caller
        self._infos: tuple[ResponseInfo, ...] = ()
        self._tokens: tuple[int | None, int | None] = (None, None)
        self._answer: int | None = None
        self._error: str | None = None
        self._is_answered = False
        self._is_partial = False
        self._watchers: tuple[Callable[[BaseException], object], ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is GeneratorExit:
            self._is_partial = not self._is_answered
        elif error is not None:
            self._error = f"{type(error).__name__}: {error}"
            for watch in self._watchers:
                watch(error)

    def record(self, info: ResponseInfo) -> None:
        """Note what the gateway said of one request."""
        if not self._infos:
            self._logs: dict[str, GatewayLog] = {}
        self._infos = (*self._infos, info)

    def answered(self, usage: Mapping[str, Any] | None, text: str | None = None) -> None:
        """Note the whole answer, or the end of a stream.

        Args:
            usage: OpenAI's `usage`, or LangChain's `UsageMetadata`.
            text: What was said; only a number is kept of it that it is known again by.
        """
        self._is_answered = True
        if usage:
            self._tokens = (
                _count(usage.get("input_tokens", usage.get("prompt_tokens"))),
                _count(usage.get("output_tokens", usage.get("completion_tokens"))),
            )
        if text:
            self._answer = _fingerprint(text)

    def has_said(self, text: str) -> bool:
        """Tell whether this was the answer, but for space around it."""
        return self._answer == _fingerprint(text)

    def is_of(self, id_: str) -> bool:
        """Tell whether an attempt has this log id or event id."""
        return any(id_ in (info.log_id, info.event_id or self.caller.event_id) for info in self._infos)

    def when_failed(self, watch: Callable[[BaseException], object]) -> None:
        """Have somebody told what goes wrong, if something does; who is told must not raise."""
        self._watchers = (*self._watchers, watch)

    def found(self, log: GatewayLog) -> None:
        """Note what the gateway's log says of one of the attempts."""
        self._logs[log.id] = log
        if log.event_id:
            self._logs[log.event_id] = log

    def unpriced(self) -> list[R_co]:
        """Give the attempts whose cost is not known and may be read.

        Of attempts without a log id only the last may, by the event id, and only if no other has a log id: else the log
        of one attempt would be taken for that of another.
        """
        calls = self.calls()
        logged = [call for call in calls if call.log_id]
        return [call for call in logged or calls[-1:] if call.log is None or not call.log.is_settled]

    def calls(self) -> list[R_co]:
        """Give the attempts, oldest first; tokens and errors belong to the last."""
        infos = self._infos
        return [self._call(info, is_last=place == len(infos)) for place, info in enumerate(infos, 1)]

    def _call(self, info: ResponseInfo, *, is_last: bool) -> R_co:
        if info.event_id is None and self.caller.event_id:
            info = info.model_copy(update={"event_id": self.caller.event_id})
        log = self._logs.get(info.log_id or "")
        if log is None and is_last and not any(other.log_id for other in self._infos):
            log = self._logs.get(info.event_id or "")
            info = info.model_copy(update={"log_id": log.id}) if log else info
        read, written = self._tokens if is_last else (None, None)
        return self.call_type(
            info=info,
            caller=self.caller,
            input_tokens=_count(log.tokens_in) if read is None and log else read,
            output_tokens=_count(log.tokens_out) if written is None and log else written,
            cost=log.cost if log else None,
            error=self._error if is_last else _explain(info.status_code),
            is_partial=is_last and self._is_partial,
            log=log,
        )


def recorded_call(call: LoggedCall, log: GatewayLog | None) -> RecordedCall:
    """Give a call that was found somewhere, with what its log says of it."""
    info = call.info
    if log is not None:
        info = info.model_copy(update={"log_id": log.id, "event_id": info.event_id or log.event_id})
    return RecordedCall(
        info=info,
        caller=Caller(call.kind, (log.model if log else None) or "", _Known(call.sync_client, call.async_client)),
        input_tokens=_count(log.tokens_in) if log else None,
        output_tokens=_count(log.tokens_out) if log else None,
        cost=log.cost if log else None,
        is_replayed=call.is_replayed,
        log=log,
    )


def calls_of(reports: Iterable[CallReport[Any, R_co]]) -> list[R_co]:
    """Give all attempts of some reports, in the order of the reports."""
    return [call for report in reports for call in report.calls()]


def _count(tokens: Any) -> int | None:
    return int(tokens) if isinstance(tokens, int | float) else None


def _explain(status_code: int | None) -> str:
    return "no answer" if status_code is None else f"HTTP {status_code}"


def _fingerprint(text: str) -> int:
    return hash(text.strip())
