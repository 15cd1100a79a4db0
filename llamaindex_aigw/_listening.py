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

from aigw.integration import with_known_signature

if TYPE_CHECKING:
    from collections.abc import Callable

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
    return _lean(function, llm_chat_callback()(function))


def achat_events(function: F) -> F:
    """As `chat_events`, of a function that gives what is to be awaited."""
    return _alean(function, llm_chat_callback()(_coroutine_function(function)))


def completion_events(function: F) -> F:
    """Have LlamaIndex tell of a completion, if anybody listens, and keep the function's type."""
    return _lean(function, llm_completion_callback()(function))


def acompletion_events(function: F) -> F:
    """As `completion_events`, of a function that gives what is to be awaited."""
    return _alean(function, llm_completion_callback()(_coroutine_function(function)))


def is_heard(llm: Any) -> bool:
    """Tell whether anything would be done of a call beside the call: an event heard, a rate limited."""
    manager = llm.callback_manager
    is_told = manager is None or manager.handlers or getattr(llm, "rate_limiter", None)
    return bool(is_told) or _reaches(_SOURCE, _wants_answers)


def is_dispatched(dispatcher: Dispatcher) -> bool:
    """Tell whether an event of this dispatcher would reach anybody."""
    return _reaches(dispatcher, _is_real)


def _is_real(handler: Any) -> bool:
    return type(handler) is not NullEventHandler


def _wants_answers(handler: Any) -> bool:
    return handler.wants_answers() if isinstance(handler, Choosy) else _is_real(handler)


def _reaches(dispatcher: Dispatcher, is_one: Callable[[Any], bool]) -> bool:
    """Tell whether an event of this dispatcher reaches such a handler."""
    while True:
        for handler in dispatcher.event_handlers:
            if is_one(handler):
                return True
        if not dispatcher.propagate:
            return False
        dispatcher = dispatcher.parent


def _lean(function: F, told: Any) -> F:
    @functools.wraps(told)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return (told if is_heard(self) else function)(self, *args, **kwargs)

    return cast("F", with_known_signature(call, told))  # every span asks for it


def _alean(function: F, told: Any) -> F:
    @functools.wraps(told)
    async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = (told if is_heard(self) else function)(self, *args, **kwargs)
        del args, kwargs  # with a thousand calls in flight they need not be kept
        return await answer

    return cast("F", with_known_signature(acall, told))


def _coroutine_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function that LlamaIndex sees to be async; where nobody listens, the coroutine in it is saved."""
    if inspect.iscoroutinefunction(function):
        return function

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    named = functools.update_wrapper(coroutine, function)
    del named.__wrapped__  # LlamaIndex takes it for a sign that it tells of the function already
    return named
