"""A chat model that knows the run of each of its calls: LangChain's entrances, with the run noted on the way in.

`invoke`, `batch` and `generate` go through `_generate_with_cache`, which has a run manager also where it streams.
`stream` keeps its run manager to itself, so its run gets its id here, as if the caller had given it in the config.
Annotations are evaluated, as in `chat_models`.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any, TypeVar, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig

from langchain_aigw._runs import NotedRun, run_of_manager, run_of_stream

F = TypeVar("F", bound=Callable[..., Any])


def with_known_signature(method: F) -> F:
    """Have `inspect` read a method's signature once: LangChain asks for that of `_generate` at each call."""
    method.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]  # where `inspect` looks first
    return method


class RunAwareChatModel(BaseChatModel):
    """A chat model whose `_generate` and `_stream`, and their async twins, can `take_run`."""

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        run = run_of_stream(config, self._run_metadata(stop, kwargs))
        with NotedRun(run):
            yield from super().stream(input, _with_run_id(config, run.run_id), stop=stop, **kwargs)

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        run = run_of_stream(config, self._run_metadata(stop, kwargs))
        with NotedRun(run):
            chunks = super().astream(input, _with_run_id(config, run.run_id), stop=stop, **kwargs)
            async with aclosing(cast("AsyncGenerator[AIMessageChunk]", chunks)) as opened:
                async for chunk in opened:
                    yield chunk

    def _generate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with NotedRun(run_of_manager(run_manager)):
            return super()._generate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)

    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with NotedRun(run_of_manager(run_manager)):
            return await super()._agenerate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)

    def _run_metadata(self, stop: list[str] | None, keywords: dict[str, Any]) -> dict[str, Any]:
        """Give the metadata that LangChain adds to that of a run's config: its own, over it the model's."""
        return {**self._get_ls_params_with_defaults(stop=stop, **keywords), **(self.metadata or {})}


def _with_run_id(config: RunnableConfig | None, run_id: Any) -> RunnableConfig:
    return cast("RunnableConfig", {**(config or {}), "run_id": run_id})
