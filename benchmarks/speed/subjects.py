"""Who is measured, and what is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.speed.floors import PlainAiohttp, PlainHttpx, RawSocket
from benchmarks.speed.langchain_models import ChatOpenAI, FakeLangChain, LangChainCloudflare, OurLangChain
from benchmarks.speed.llama_index_llms import FakeLlamaIndex, OpenAILike, OurLlamaIndex
from benchmarks.speed.sdks import Core, OpenAISdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.speed.subject import Subject

SUBJECTS: Final[dict[str, Callable[[str], Subject]]] = {
    "ours, LangChain": OurLangChain,
    "ours, LlamaIndex": OurLlamaIndex,
    "ours, core": Core,
    "ChatOpenAI": ChatOpenAI,
    "OpenAILike": OpenAILike,
    "langchain-cloudflare": LangChainCloudflare,
    "openai SDK": OpenAISdk,
    "LangChain, no network": FakeLangChain,
    "LlamaIndex, no network": FakeLlamaIndex,
    "plain httpx": PlainHttpx,
    "plain aiohttp": PlainAiohttp,
    "raw socket": RawSocket,
}

IMPORTS: Final[dict[str, tuple[str, str]]] = {
    "aigw": ("core", "import aigw"),
    "langchain_aigw": ("LangChain", "import langchain_aigw"),
    "llamaindex_aigw": ("LlamaIndex", "import llamaindex_aigw"),
    "LangChain's BaseChatModel": ("LangChain", "import langchain_core.language_models.chat_models"),
    "ours, LangChain": ("LangChain", "from langchain_aigw import ChatCloudflareAIGateway"),
    "ChatOpenAI": ("LangChain", "from langchain_openai import ChatOpenAI"),
    "langchain-cloudflare": ("LangChain", "from langchain_cloudflare import ChatCloudflareWorkersAI"),
    "LlamaIndex's FunctionCallingLLM": ("LlamaIndex", "from llama_index.core.llms.function_calling import *"),
    "ours, LlamaIndex": ("LlamaIndex", "from llamaindex_aigw import CloudflareAIGateway"),
    "OpenAILike": ("LlamaIndex", "from llama_index.llms.openai_like import OpenAILike"),
    "ours, core": ("core", "from aigw import AIGateway, AsyncAIGateway"),
    "openai SDK": ("core", "import openai"),
    "httpx": ("core", "import httpx"),
}
"""What is imported, and in which comparison."""
