"""The hot paths that `regression` watches, over an HTTP transport in memory: what of a call is ours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from aigw import AIGateway
from aigw._option_layers import context_options, merge_options
from aigw._options import check_options, encode_options
from benchmarks.speed.server import event, whole_answer
from benchmarks.speed.subject import MODEL, conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNKS: Final = 100
_ANSWER: Final = whole_answer().partition(b"\r\n\r\n")[2]
_HEADERS: Final = {
    "content-type": "application/json",
    "cf-aig-log-id": "01JADMCQQQBWH3NXZ5GCRN98DP",
    "cf-aig-cache-status": "MISS",
    "cf-aig-step": "0",
    "server": "cloudflare",
}


@dataclass(frozen=True, slots=True)
class Path:
    """One path.

    Attributes:
        name: As the baseline calls it.
        run: Goes down the path.
        units: What one run counts for.
    """

    name: str
    run: Callable[[], object]
    units: int = 1


class _Events(httpx.SyncByteStream):
    """A streamed answer, one event a piece."""

    def __iter__(self) -> Iterator[bytes]:
        word = event(" hello")
        for _ in range(CHUNKS):
            yield word
        yield event(None, "stop")
        yield b"data: [DONE]\n\n"


def _answer(request: httpx.Request) -> httpx.Response:
    if b'"stream":true' in request.content:
        return httpx.Response(200, headers={**_HEADERS, "content-type": "text/event-stream"}, stream=_Events())
    return httpx.Response(200, headers=_HEADERS, content=_ANSWER)


def _account() -> dict[str, Any]:
    http_client = httpx.Client(transport=httpx.MockTransport(_answer))
    return {"account_id": "acct", "api_token": "token", "gateway_id": "gw", "http_client": http_client}


def hot_paths() -> list[Path]:
    """Make every path, with models and clients that are made once."""
    return [*_core(), *_langchain(), *_llamaindex()]


def _core() -> Iterator[Path]:
    client = AIGateway(**_account())
    body, history = ({"model": MODEL, "messages": conversation(kind)} for kind in ("small", "history"))
    own = check_options({"collect_log": True, "metadata": {"team": "search"}})
    call = {"cache_ttl": 3600, "metadata": {"user": "u1"}, "event_id": "e1"}
    yield Path("core: call", lambda: client.completions(body))
    yield Path("core: call, 200 messages", lambda: client.completions(history))
    yield Path("core: chunk", lambda: _read(client.stream_completions(body)), CHUNKS)
    yield Path(
        "core: options merged", lambda: encode_options(merge_options(own, context_options(), check_options(call)))
    )


def _langchain() -> Iterator[Path]:
    from langchain_core.messages import convert_to_messages  # noqa: PLC0415 -- frameworks take their time

    from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway  # noqa: PLC0415

    model = ChatCloudflareAIGateway(model=MODEL, **_account())
    asked, history = (convert_to_messages(conversation(kind)) for kind in ("small", "history"))
    handler = AIGatewayCallbackHandler()
    yield Path("LangChain: invoke", lambda: model.invoke(asked))
    yield Path("LangChain: invoke, 200 messages", lambda: model.invoke(history))
    yield Path("LangChain: invoke, recorded", lambda: model.invoke(asked, {"callbacks": [handler]}))
    yield Path("LangChain: chunk", lambda: _read(model.stream(asked)), CHUNKS)


def _llamaindex() -> Iterator[Path]:
    from llama_index.core.llms import ChatMessage  # noqa: PLC0415 -- the same

    from llamaindex_aigw import CloudflareAIGateway  # noqa: PLC0415

    llm = CloudflareAIGateway(model=MODEL, **_account())
    asked, history = (
        [ChatMessage(role=said["role"], content=said["content"]) for said in conversation(kind)]
        for kind in ("small", "history")
    )
    yield Path("LlamaIndex: chat", lambda: llm.chat(asked))
    yield Path("LlamaIndex: chat, 200 messages", lambda: llm.chat(history))
    yield Path("LlamaIndex: chunk", lambda: _read(llm.stream_chat(asked)), CHUNKS)


def _read(items: Any) -> None:
    for _ in items:
        pass


def yardstick() -> object:
    """Do a fixed piece of plain Python: calls, dicts, strings, attributes; a hundred microseconds or so."""
    rows: list[dict[str, Any]] = []
    for number in range(60):
        row = {"number": number, "name": f"row {number}", "tags": ["a", "b"]}
        rows.append({**row, "size": _size(row), "upper": row["name"].upper().split(" ")})
    return {row["name"]: row for row in rows if row["size"] > 3}


def _size(row: dict[str, Any]) -> int:
    return sum(len(str(value)) for value in row.values())


def seconds(run: Callable[[], object], count: int) -> float:
    """Give the CPU time of so many runs."""
    began = time.process_time()
    for _ in range(count):
        run()
    return time.process_time() - began
