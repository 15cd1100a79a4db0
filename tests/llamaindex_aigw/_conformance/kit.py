"""What the cases of the conformance suite stand on: the questions it asks of an integration, and its instruments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from llama_index.core.base.llms.types import ChatMessage, CompletionResponse
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import NullSpanHandler
from llama_index.core.llms.function_calling import FunctionCallingLLM  # noqa: TC002 pytest reads annotations
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from .server import ScriptedServer, Turn

METHODS = [
    "chat",
    "complete",
    "stream_chat",
    "stream_complete",
    "achat",
    "acomplete",
    "astream_chat",
    "astream_complete",
]
WHOLE = [method for method in METHODS if "stream" not in method]
STREAMED = [method for method in METHODS if "stream" in method]
TOOL_METHODS = ["chat_with_tools", "achat_with_tools", "stream_chat_with_tools", "astream_chat_with_tools"]
PROMPT = "Greet Ada."
HELLO = Turn(text=("Hello", ", ", "Ada"))


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


def fail(city: str) -> str:
    """Fail."""
    raise RuntimeError(f"no weather in {city}")


WEATHER = FunctionTool.from_defaults(weather)
FAILING = FunctionTool.from_defaults(fail, name="weather")


class Conformance(ABC):
    """What an integration says of itself; the suite's class lists it all."""

    secret = "conformance-secret"
    structured: dict[str, dict[str, Any]] = {"schema": {}, "tools": {}}  # noqa: RUF012 overridden, not changed
    model_ids: tuple[str, ...] = ()
    thinks = True
    takes_images = True
    takes_audio = True
    takes_documents = True

    @abstractmethod
    def new_llm(self, url: str, **fields: Any) -> FunctionCallingLLM:
        """Make an LLM that asks the server at `url` and whose credential is `self.secret`.

        It is not to retry. `fields` are the constructor's: LlamaIndex's own, `temperature`, `model`, and those that
        `structured` names.
        """

    async def close_llm(self, llm: FunctionCallingLLM) -> None:  # noqa: B027 most have nothing to give back
        """Give back what an LLM holds, where it holds anything."""

    @pytest.fixture
    def server(self) -> Iterator[ScriptedServer]:
        with ScriptedServer() as server:
            server.say(HELLO)
            yield server

    @pytest_asyncio.fixture
    async def llm(self, server: ScriptedServer) -> AsyncIterator[FunctionCallingLLM]:
        llm = self.new_llm(server.url)
        yield llm
        await self.close_llm(llm)

    @pytest.fixture
    def events(self) -> Iterator[list[Any]]:
        """Everything LlamaIndex is told while the test runs."""
        handler, root = _Events(seen=[]), get_dispatcher()
        root.add_event_handler(handler)
        yield handler.seen
        root.event_handlers.remove(handler)

    @pytest.fixture
    def spans(self) -> Iterator[dict[str, list[str]]]:
        """The ids of the spans that were entered, left and dropped while the test runs."""
        handler, root = _Spans(), get_dispatcher()
        root.add_span_handler(handler)
        yield _SEEN_SPANS
        root.span_handlers.remove(handler)
        _SEEN_SPANS.clear()


_SEEN_SPANS: dict[str, list[str]] = {}


class _Events(BaseEventHandler):
    seen: list[Any] = []  # noqa: RUF012 a pydantic field

    @classmethod
    def class_name(cls) -> str:
        return "ConformanceEvents"

    def handle(self, event: Any, **kwargs: Any) -> None:  # noqa: ARG002 LlamaIndex's signature
        self.seen.append(event)


class _Spans(NullSpanHandler):
    def span_enter(self, *args: Any, **kwargs: Any) -> None:
        _note("entered", args, kwargs)

    def span_exit(self, *args: Any, **kwargs: Any) -> None:
        _note("left", args, kwargs)

    def span_drop(self, *args: Any, **kwargs: Any) -> None:
        _note("dropped", args, kwargs)


def _note(what: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _SEEN_SPANS.setdefault(what, []).append(kwargs.get("id_") or args[0])


def question(method: str, text: str = PROMPT) -> Any:
    """Give what a method is asked with."""
    return text if "complete" in method else [ChatMessage(role="user", content=text)]


async def start(llm: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method, async or not, and give what it gives."""
    given = getattr(llm, method)(*args, **kwargs)
    return await given if method.startswith("a") and method != "as_structured_llm" else given


async def gather(given: Any) -> list[Any]:
    """Read a stream to its end; an answer is a stream of one."""
    if isinstance(given, AsyncGenerator):
        return [response async for response in given]
    return list(given) if isinstance(given, Generator) else [given]


async def ask(llm: Any, method: str, **kwargs: Any) -> list[Any]:
    """Call one of the eight endpoints and give all its responses."""
    return await gather(await start(llm, method, question(method), **kwargs))


async def first_of(given: Any) -> Any:
    return await anext(given) if isinstance(given, AsyncGenerator) else next(given)


async def close(given: Any) -> None:
    if isinstance(given, AsyncGenerator):
        await given.aclose()
    else:
        given.close()


def text_of(response: Any) -> str | None:
    return response.text if isinstance(response, CompletionResponse) else response.message.content


def named(events: list[Any], *names: str) -> list[str]:
    """Give the names of the events that have one of these words in theirs."""
    found = [event.class_name() for event in events]
    return [name for name in found if any(word in name for word in names)]
