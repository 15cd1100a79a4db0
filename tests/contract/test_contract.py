"""One list of answers, streams and errors through the core and both adapters: what one reports, all report.

`shapes.json` is the list: what upstreams literally send, and what there is to report of it. One server gives them out;
the message asked with names the shape. Each runner is one way to ask.
"""

import asyncio
import json
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessageChunk
from llama_index.core.base.llms.types import ChatMessage, ThinkingBlock, ToolCallBlock

import aigw
from aigw import AIGateway, AIGatewayError, AsyncAIGateway
from langchain_aigw import ChatCloudflareAIGateway
from llamaindex_aigw import CloudflareAIGateway

SHAPES = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
LOG_ID = "01980000-0000-7000-8000-000000000001"
HEADERS = {"cf-aig-log-id": LOG_ID, "cf-aig-event-id": "evt-1", "cf-aig-cache-status": "MISS", "cf-aig-step": "0"}
FACTS = {"log_id": LOG_ID, "event_id": "evt-1", "cache_status": "MISS", "step": 0, "status_code": 200}


class Upstream(BaseHTTPRequestHandler):
    """Gives out the shape that the message names, as `<kind>/<name>`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        kind, _, name = asked["messages"][0]["content"].partition("/")
        shape = SHAPES[kind][name]
        body = shape["body"]
        is_stream = kind in ("streams", "broken_streams")
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(shape.get("status", 200))
        whole = "text/html" if isinstance(body, str) else "application/json"
        content_type = "text/event-stream" if is_stream else whole
        for field, value in {**HEADERS, "content-type": content_type, "content-length": str(len(content))}.items():
            self.send_header(field, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@dataclass(frozen=True)
class Report:
    """What a framework says of an answer, in words that all have."""

    text: str
    reasoning: str
    tools: list[list[Any]]
    usage: list[int] | None
    finish_reason: str | None
    aigw: dict[str, Any]


def text_of(content):
    return content if isinstance(content, str) else "".join(part["text"] for part in content or ())


def arguments_of(arguments):
    return json.loads(arguments or "{}") if isinstance(arguments, str) else arguments


def usage_of(usage, read="prompt_tokens", written="completion_tokens"):
    return [usage[read], usage[written]] if usage and read in usage else None


class Core:
    """The core's raw methods; streams are put together here as simply as can be."""

    def __init__(self, url, sync, asynchronous):
        settings = {"account_id": "acct", "api_token": "test-token", "base_url": url, "max_retries": 0}
        self.sync = AIGateway(**settings, http_client=sync)
        self.asynchronous = AsyncAIGateway(**settings, http_client=asynchronous)

    def body(self, prompt):
        return {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": prompt}]}

    def ask(self, prompt):
        return self.report(self.sync.completions(self.body(prompt)))

    async def aask(self, prompt):
        return self.report(await self.asynchronous.completions(self.body(prompt)))

    def stream(self, prompt):
        with self.sync.stream_completions(self.body(prompt)) as stream:
            return self.gather(list(stream), stream.info)

    async def astream(self, prompt):
        async with self.asynchronous.stream_completions(self.body(prompt)) as stream:
            return self.gather([chunk async for chunk in stream], stream.info)

    def report(self, result):
        choice = result.output["choices"][0]
        message = choice["message"]
        tools = [call["function"] for call in message.get("tool_calls") or ()]
        return Report(
            text_of(message.get("content")),
            message.get("reasoning_content") or message.get("reasoning") or "",
            [[tool["name"], arguments_of(tool["arguments"])] for tool in tools],
            usage_of(result.output.get("usage")),
            choice["finish_reason"],
            result.info.to_dict(),
        )

    def gather(self, chunks, info):
        choices = [choice for chunk in chunks for choice in chunk.get("choices") or ()]
        deltas = [choice["delta"] or {} for choice in choices]
        tools: dict[Any, list[str]] = {}
        for part in (part for delta in deltas for part in delta.get("tool_calls") or ()):
            key = part.get("id") if part["index"] is None else part["index"]
            tool = tools.setdefault(key, ["", ""])
            tool[0] = tool[0] or part["function"].get("name", "")
            tool[1] += part["function"].get("arguments", "")
        return Report(
            "".join(text_of(delta.get("content")) for delta in deltas),
            "".join(delta.get("reasoning_content") or delta.get("reasoning") or "" for delta in deltas),
            [[name, arguments_of(arguments)] for name, arguments in tools.values()],
            usage_of(next((chunk["usage"] for chunk in reversed(chunks) if chunk.get("usage")), None)),
            next((choice["finish_reason"] for choice in choices if choice["finish_reason"]), None),
            info.to_dict(),
        )


class LangChain:
    """`invoke`, `stream` and their async twins."""

    def __init__(self, url, sync, asynchronous):
        self.model = ChatCloudflareAIGateway(
            model="openai/gpt-5-mini",
            account_id="acct",
            api_token="test-token",
            base_url=url,
            max_retries=0,
            http_client=sync,
            http_async_client=asynchronous,
        )

    def ask(self, prompt):
        return self.report(self.model.invoke(prompt))

    async def aask(self, prompt):
        return self.report(await self.model.ainvoke(prompt))

    def stream(self, prompt):
        return self.report(self.add(list(self.model.stream(prompt))))

    async def astream(self, prompt):
        return self.report(self.add([chunk async for chunk in self.model.astream(prompt)]))

    def add(self, chunks):
        total = chunks[0]
        assert isinstance(total, AIMessageChunk)
        for chunk in chunks[1:]:
            total += chunk
        return total

    def report(self, message):
        reasoning = [block["reasoning"] for block in message.content_blocks if block["type"] == "reasoning"]
        return Report(
            message.text,
            "".join(reasoning),
            [[call["name"], call["args"]] for call in message.tool_calls],
            usage_of(message.usage_metadata, "input_tokens", "output_tokens"),
            message.response_metadata.get("finish_reason"),
            message.response_metadata["aigw"],
        )


class LlamaIndex:
    """`chat`, `stream_chat` and their async twins."""

    def __init__(self, url, sync, asynchronous):
        self.llm = CloudflareAIGateway(
            model="openai/gpt-5-mini",
            account_id="acct",
            api_token="test-token",
            base_url=url,
            max_retries=0,
            http_client=sync,
            http_async_client=asynchronous,
        )

    def messages(self, prompt):
        return [ChatMessage(role="user", content=prompt)]

    def ask(self, prompt):
        return self.report(self.llm.chat(self.messages(prompt)))

    async def aask(self, prompt):
        return self.report(await self.llm.achat(self.messages(prompt)))

    def stream(self, prompt):
        return self.report(list(self.llm.stream_chat(self.messages(prompt)))[-1])

    async def astream(self, prompt):
        return self.report([item async for item in await self.llm.astream_chat(self.messages(prompt))][-1])

    def report(self, response):
        blocks = response.message.blocks
        tools = [block for block in blocks if isinstance(block, ToolCallBlock)]
        choices = response.raw["choices"]
        assert response.raw["aigw"] == response.additional_kwargs["aigw"]
        return Report(
            response.message.content or "",
            "".join(block.content for block in blocks if isinstance(block, ThinkingBlock)),
            [[tool.tool_name, arguments_of(tool.tool_kwargs)] for tool in tools],
            usage_of(response.additional_kwargs),
            choices[0]["finish_reason"] if choices else None,
            response.additional_kwargs["aigw"],
        )


RUNNERS = {
    f"{kind.__name__} {mode}": (kind, mode) for kind in (Core, LangChain, LlamaIndex) for mode in ("sync", "async")
}


@pytest.fixture(scope="module")
def url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=RUNNERS)
def run(request, url):
    """Give `run(method, prompt)`: the answer's report, or what was raised."""
    kind, mode = RUNNERS[request.param]

    async def arun(method, prompt):
        async with httpx.AsyncClient(verify=NO_CERTIFICATES) as client:
            return await getattr(kind(url, None, client), f"a{method}")(prompt)

    def run(method, prompt):
        if mode == "async":
            return asyncio.run(arun(method, prompt))
        with httpx.Client(verify=NO_CERTIFICATES) as client:
            return getattr(kind(url, client, None), method)(prompt)

    return run


def facts(report):
    return {name: value for name, value in report.aigw.items() if name in FACTS}


def said(report):
    return {name: value for name, value in vars(report).items() if name != "aigw"}


def as_the_core_names_it(error):
    """Give the name of the core's class that an error is of, whatever a framework adds to it."""
    return next(kind.__name__ for kind in type(error).__mro__ if getattr(aigw, kind.__name__, None) is kind)


@pytest.mark.parametrize("name", SHAPES["answers"])
def test_an_answer_says_the_same_everywhere(run, name):
    report = run("ask", f"answers/{name}")
    assert said(report) == SHAPES["answers"][name]["expected"]
    assert facts(report) == FACTS


@pytest.mark.parametrize("name", SHAPES["streams"])
def test_a_stream_says_the_same_everywhere(run, name):
    report = run("stream", f"streams/{name}")
    assert said(report) == SHAPES["streams"][name]["expected"]
    assert facts(report) == FACTS


@pytest.mark.parametrize("method", ["ask", "stream"])
@pytest.mark.parametrize("name", SHAPES["errors"])
def test_an_error_is_of_the_same_class_everywhere(run, name, method):
    shape = SHAPES["errors"][name]
    with pytest.raises(AIGatewayError) as raised:
        run(method, f"errors/{name}")
    error = raised.value
    assert as_the_core_names_it(error) == shape["error"]
    assert (error.log_id, error.status_code, error.is_retryable) == (LOG_ID, shape["status"], shape["is_retryable"])


@pytest.mark.parametrize("name", SHAPES["broken_streams"])
def test_a_broken_stream_is_the_same_error_everywhere(run, name):
    with pytest.raises(AIGatewayError) as raised:
        run("stream", f"broken_streams/{name}")
    assert as_the_core_names_it(raised.value) == SHAPES["broken_streams"][name]["error"]
    assert raised.value.log_id == LOG_ID
