"""LlamaIndex's events of a call, made only when somebody listens.

LlamaIndex validates the whole conversation for the start of a call, for its end and for every chunk of a stream, also
when its only handler is the one that does nothing. What a listener hears is LlamaIndex's own; without one, the call
alone is made. Spans are apart from this and always there.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from llama_index.core.instrumentation.event_handlers import NullEventHandler
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index_instrumentation import get_dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llama_index_instrumentation.dispatcher import Dispatcher

F = TypeVar("F", bound="Callable[..., Any]")

_SOURCE: Final = get_dispatcher(llm_chat_callback.__module__)


class Choosy:
    """An event handler that says itself whether LlamaIndex's events of an answer are to be made for it."""

    def wants_answers(self) -> bool:
        """Tell whether it would do anything of them."""
        raise NotImplementedError


def chat_events(function: F) -> F:
    """Have LlamaIndex tell of a chat, if anybody listens, and keep the function's type."""
    return _lean(function, llm_chat_callback())


def completion_events(function: F) -> F:
    """Have LlamaIndex tell of a completion, if anybody listens, and keep the function's type."""
    return _lean(function, llm_completion_callback())


def is_heard(llm: Any) -> bool:
    """Tell whether anything would be done of a call beside the call: an event heard, a rate limited."""
    manager = llm.callback_manager
    is_told = manager is None or manager.handlers or getattr(llm, "rate_limiter", None)
    return bool(is_told) or any(map(_wants_answers, _handlers(_SOURCE)))


def is_dispatched(dispatcher: Dispatcher) -> bool:
    """Tell whether an event of this dispatcher would reach anybody."""
    return any(type(handler) is not NullEventHandler for handler in _handlers(dispatcher))


def _wants_answers(handler: Any) -> bool:
    if isinstance(handler, Choosy):
        return handler.wants_answers()
    return type(handler) is not NullEventHandler


def _handlers(dispatcher: Dispatcher) -> Iterator[Any]:
    """Give the handlers that an event of this dispatcher reaches."""
    while True:
        yield from dispatcher.event_handlers
        if not dispatcher.propagate:
            return
        dispatcher = dispatcher.parent


def _lean(function: F, tell: Callable[[Any], Any]) -> F:
    told = tell(function)

    @functools.wraps(told)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return (told if is_heard(self) else function)(self, *args, **kwargs)

    @functools.wraps(told)
    async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await (told if is_heard(self) else function)(self, *args, **kwargs)

    lean: Any = acall if inspect.iscoroutinefunction(function) else call
    lean.__signature__ = inspect.signature(told)  # every span asks for it, and it takes long to find
    return cast("F", lean)
