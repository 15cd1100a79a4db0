"""Chat models of LangChain, and one without a network: the framework's own cost."""
# ruff: noqa: D102, PLC0415 -- the methods are `Subject`'s, and each process imports the one client it measures

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.speed.subject import MODEL, TOOLS, Subject, chunks_asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class _LangChain(Subject):
    """A chat model of LangChain."""

    takes_tools = True

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.model = self.make()
        self._bound: Any = None

    def make(self) -> Any:
        """Make the model."""
        raise NotImplementedError

    def construct(self) -> Any:
        return self.make()

    def ask(self, messages: list[dict[str, str]]) -> Any:
        from langchain_core.messages import convert_to_messages

        return convert_to_messages(messages)

    def call(self, question: Any) -> Any:
        return self.model.invoke(question)

    async def acall(self, question: Any) -> Any:
        return await self.model.ainvoke(question)

    def call_tools(self, question: Any) -> Any:
        if self._bound is None:
            self._bound = self.model.bind_tools(TOOLS)
        return self._bound.invoke(question)

    def stream(self, question: Any) -> Iterator[Any]:
        return iter(self.model.stream(question))

    def astream(self, question: Any) -> AsyncIterator[Any]:
        return self.model.astream(question)  # type: ignore[no-any-return]


class OurLangChain(_LangChain):
    """Ours."""

    def make(self) -> Any:
        from langchain_aigw import ChatCloudflareAIGateway

        return ChatCloudflareAIGateway(
            model=MODEL,
            account_id="acct",
            api_token="token",  # noqa: S106 -- the server takes any
            gateway_id="gw",
            base_url=self.base_url,
        )


class ChatOpenAI(_LangChain):
    """langchain-openai."""

    def make(self) -> Any:
        from langchain_openai import ChatOpenAI as Model

        return Model(model=MODEL, api_key="k", base_url=self.base_url + "/v1", stream_usage=True)


class LangChainCloudflare(_LangChain):
    """langchain-cloudflare, on its OpenAI-shaped endpoint."""

    def make(self) -> Any:
        from langchain_cloudflare import ChatCloudflareWorkersAI

        return ChatCloudflareWorkersAI(
            model="@cf/meta/llama-3.1-8b-instruct",
            account_id="acct",
            api_token="token",  # noqa: S106 -- the server takes any
            base_url=self.base_url,
            endpoint_format="openai_compatible",
        )


def _fake_langchain() -> Any:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    class Fake(BaseChatModel):
        """Answers at once."""

        @property
        def _llm_type(self) -> str:
            return "fake"

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            del messages, stop, run_manager, kwargs
            return ChatResult(generations=[ChatGeneration(message=AIMessage(content="Hello there."))])

        async def _agenerate(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
        ) -> ChatResult:
            return self._generate(messages, stop, run_manager, **kwargs)

        def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
            del stop, kwargs
            for _ in range(chunks_asked(messages[-1].content)):
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=" hello"))
                if run_manager:
                    run_manager.on_llm_new_token(" hello", chunk=chunk)
                yield chunk

        async def _astream(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
        ) -> AsyncIterator[Any]:
            del stop, kwargs
            for _ in range(chunks_asked(messages[-1].content)):
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=" hello"))
                if run_manager:
                    await run_manager.on_llm_new_token(" hello", chunk=chunk)
                yield chunk

    return Fake()


class FakeLangChain(_LangChain):
    """A LangChain model without a network: the framework's own cost."""

    takes_tools = False

    def make(self) -> Any:
        return _fake_langchain()
