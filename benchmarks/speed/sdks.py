"""Clients without a framework: our core and the openai package."""
# ruff: noqa: D102, PLC0415 -- the methods are `Subject`'s, and each process imports the one client it measures

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.speed.subject import TOOLS, Subject, chat_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Core(Subject):
    """`aigw` itself, raw JSON in and out."""

    takes_tools = True

    def __init__(self, base_url: str) -> None:
        from aigw import AIGateway, AsyncAIGateway

        super().__init__(base_url)
        self._client = AIGateway("acct", "token", base_url=base_url)
        self._async = AsyncAIGateway("acct", "token", base_url=base_url)

    def call(self, question: Any) -> Any:
        return self._client.completions(chat_body(question))

    async def acall(self, question: Any) -> Any:
        return await self._async.completions(chat_body(question))

    def call_tools(self, question: Any) -> Any:
        return self._client.completions({**chat_body(question), "tools": TOOLS})

    def stream(self, question: Any) -> Iterator[Any]:
        return self._client.stream_completions(chat_body(question))

    def astream(self, question: Any) -> AsyncIterator[Any]:
        return self._async.stream_completions(chat_body(question))


class OpenAISdk(Subject):
    """The openai package."""

    takes_tools = True

    def __init__(self, base_url: str) -> None:
        import openai

        super().__init__(base_url)
        self._client: Any = openai.OpenAI(api_key="k", base_url=base_url + "/v1")
        self._async: Any = openai.AsyncOpenAI(api_key="k", base_url=base_url + "/v1")

    def call(self, question: Any) -> Any:
        return self._client.chat.completions.create(**chat_body(question))

    async def acall(self, question: Any) -> Any:
        return await self._async.chat.completions.create(**chat_body(question))

    def call_tools(self, question: Any) -> Any:
        return self._client.chat.completions.create(**chat_body(question), tools=TOOLS)

    def stream(self, question: Any) -> Iterator[Any]:
        return iter(self._client.chat.completions.create(**chat_body(question, stream=True)))

    async def astream(self, question: Any) -> AsyncIterator[Any]:
        async for chunk in await self._async.chat.completions.create(**chat_body(question, stream=True)):
            yield chunk
