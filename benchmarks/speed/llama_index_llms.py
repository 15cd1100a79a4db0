"""LLMs of LlamaIndex, and one without a network: the framework's own cost."""
# ruff: noqa: D102, PLC0415 -- the methods are `Subject`'s, and each process imports the one client it measures

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.speed.subject import MODEL, TOOLS, Subject, chunks_asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class _LlamaIndex(Subject):
    """An LLM of LlamaIndex."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.llm = self.make()

    def make(self) -> Any:
        """Make the LLM."""
        raise NotImplementedError

    def construct(self) -> Any:
        return self.make()

    def ask(self, messages: list[dict[str, str]]) -> Any:
        from llama_index.core.llms import ChatMessage

        return [ChatMessage(role=message["role"], content=message["content"]) for message in messages]

    def call(self, question: Any) -> Any:
        return self.llm.chat(question)

    async def acall(self, question: Any) -> Any:
        return await self.llm.achat(question)

    def call_tools(self, question: Any) -> Any:
        return self.llm.chat(question, tools=TOOLS)

    def stream(self, question: Any) -> Iterator[Any]:
        return iter(self.llm.stream_chat(question))

    async def astream(self, question: Any) -> AsyncIterator[Any]:
        async for chunk in await self.llm.astream_chat(question):
            yield chunk


class OurLlamaIndex(_LlamaIndex):
    """Ours."""

    takes_tools = True

    def make(self) -> Any:
        from llamaindex_aigw import CloudflareAIGateway

        return CloudflareAIGateway(
            model=MODEL,
            account_id="acct",
            api_token="token",  # noqa: S106 -- the server takes any
            gateway_id="gw",
            base_url=self.base_url,
        )


class OpenAILike(_LlamaIndex):
    """llama-index-llms-openai-like."""

    takes_tools = True

    def make(self) -> Any:
        from llama_index.llms.openai_like import OpenAILike as Model

        return Model(model=MODEL, api_key="k", api_base=self.base_url + "/v1", is_chat_model=True)


def _fake_llama_index() -> Any:  # noqa: C901 -- LlamaIndex asks for that many methods
    from llama_index.core.llms import ChatMessage, ChatResponse, LLMMetadata
    from llama_index.core.llms.callbacks import llm_chat_callback
    from llama_index.core.llms.function_calling import FunctionCallingLLM

    def response(text: str = "Hello there.", delta: str | None = None) -> ChatResponse:
        return ChatResponse(message=ChatMessage(role="assistant", content=text), delta=delta)

    class Fake(FunctionCallingLLM):
        """Answers at once."""

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_chat_model=True)

        @llm_chat_callback()
        def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
            del messages, kwargs
            return response()

        @llm_chat_callback()
        async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
            del messages, kwargs
            return response()

        @llm_chat_callback()
        def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
            del kwargs

            def responses() -> Iterator[ChatResponse]:
                text = ""
                for _ in range(chunks_asked(messages[-1].content)):
                    text += " hello"
                    yield response(text, " hello")

            return responses()

        @llm_chat_callback()
        async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
            del kwargs

            async def responses() -> AsyncIterator[ChatResponse]:
                text = ""
                for _ in range(chunks_asked(messages[-1].content)):
                    text += " hello"
                    yield response(text, " hello")

            return responses()

        def _not_asked(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

        complete = stream_complete = acomplete = astream_complete = _not_asked
        _prepare_chat_with_tools = _not_asked

    return Fake()


class FakeLlamaIndex(_LlamaIndex):
    """A LlamaIndex LLM without a network: the framework's own cost."""

    def make(self) -> Any:
        return _fake_llama_index()
