"""A chat model that knows the run of each of its calls: LangChain's entrances, with the run noted on the way in.

`invoke`, `batch` and `generate` go through `_generate_with_cache`, which has a run manager also where it streams.
`stream` keeps its run manager to itself, so its run gets its id here, as if the caller had given it in the config.
Annotations are evaluated, as in `chat_models`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig

from aigw.integration import refuse_connection_keywords
from langchain_aigw._noted_stream import NotedStream
from langchain_aigw._runs import ModelRun, NotedRun, run_of_manager, run_of_stream


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

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        plain = super().astream

        def begin() -> tuple[ModelRun, AsyncGenerator[AIMessageChunk, None]]:
            run = run_of_stream(config, self._run_metadata(stop, kwargs))
            chunks = plain(input, _with_run_id(config, run.run_id), stop=stop, **kwargs)
            return run, cast("AsyncGenerator[AIMessageChunk, None]", chunks)

        return NotedStream(begin)

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

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Give what LangChain gives, and only for a `dict` that was overridden change the process's warnings for it.

        LangChain asks for it before it tells anybody of a call, so what no call takes is refused here.
        """
        refuse_connection_keywords(kwargs, type(self).__name__)
        if type(self).dict is not BaseChatModel.dict:
            return super()._get_invocation_params(stop, **kwargs)
        return {**self.asdict(), "stop": stop, **kwargs}

    def _run_metadata(self, stop: list[str] | None, keywords: dict[str, Any]) -> dict[str, Any]:
        """Give the metadata that LangChain adds to that of a run's config: its own, over it the model's."""
        return {**self._get_ls_params_with_defaults(stop=stop, **keywords), **(self.metadata or {})}


def _with_run_id(config: RunnableConfig | None, run_id: Any) -> RunnableConfig:
    return cast("RunnableConfig", {**(config or {}), "run_id": run_id})
