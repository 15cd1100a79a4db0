"""7: streams and JSON, surface by surface."""

import json
import re

import pytest

import aigw
from aigw.local import Reply

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, RUN, SAY, asks, chat, inputs, run
from .matching import ABSENT
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("7", "Streams and JSON")
add, rule = SECTION.add, SECTION.rule

SSE = {"content-type": lambda value: value.startswith("text/event-stream")}
JSON = {"content-type": lambda value: value.startswith("application/json")}
NATIVE = chat("gpt-5-mini")
CLAUDE = chat("claude-haiku-4-5", max_tokens=50)


def data(text):
    """The objects of an SSE text, without the end mark."""
    return [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:") and "[DONE]" not in line]


def chunks(text):
    """Whether a text is OpenAI's SSE, whole."""
    items = data(text)
    words = "".join(choice["delta"].get("content") or "" for item in items for choice in item["choices"])
    kinds = {item["object"] for item in items}
    return (kinds, words, text.endswith("data: [DONE]\n\n")) == ({"chat.completion.chunk"}, "Hello.", True)


def tokens(text):
    """Whether a text is Workers AI's SSE, whole."""
    return ("".join(item["response"] for item in data(text)), text.endswith("data: [DONE]\n\n")) == ("Hello.", True)


def events(first, last):
    """A pattern: SSE with event names, from the first to the last."""

    def fit(text):
        names = re.findall(r"^event: (.+)$", text, re.MULTILINE)
        return (names[0], names[-1]) == (first, last) and "[DONE]" not in text

    return fit


for surface, line, body, headers in (
    ("native", OPENAI, NATIVE, {}),
    ("compat", COMPAT, chat(), {}),
    ("rest", CHAT, chat(), REST),
    ("workers-ai-v1", "POST {host}/workers-ai/v1/chat/completions", chat(LLAMA), {}),
):
    add(
        f"chunks-{surface}",
        f"A chat stream is OpenAI's: `data:` and a chunk, a blank line, `data: [DONE]` in the end ({surface}).",
        DOCUMENTED,
        asks(line, {**body, "stream": True}, headers, fields=SSE, text=chunks),
    )
    add(
        f"json-{surface}",
        f"Whole, it is OpenAI's bare object ({surface}).",
        DOCUMENTED,
        asks(line, body, headers, fields=JSON, json={"object": "chat.completion", "success": ABSENT}),
    )
for surface, line, body, headers in (
    ("native", "POST {host}/openai/responses", {"model": "gpt-5-mini", "input": SAY}, {}),
    ("rest", "POST {rest}/v1/responses", {"model": "openai/gpt-5-mini", "input": SAY}, REST),
):
    add(
        f"responses-{surface}",
        f"A Responses stream has Responses' events ({surface}).",
        DOCUMENTED,
        asks(
            line,
            {**body, "stream": True},
            headers,
            fields=SSE,
            text=events("response.created", "response.completed"),
        ),
    )
for surface, line, body, headers in (
    ("native", "POST {host}/anthropic/v1/messages", CLAUDE, {}),
    ("rest", "POST {rest}/v1/messages", {**CLAUDE, "model": "anthropic/claude-haiku-4.5"}, REST),
):
    add(
        f"messages-{surface}",
        f"A Messages stream has Anthropic's events ({surface}).",
        DOCUMENTED,
        asks(line, {**body, "stream": True}, headers, fields=SSE, text=events("message_start", "message_stop")),
    )
    add(
        f"messages-json-{surface}",
        f"Whole, it is Anthropic's message ({surface}).",
        DOCUMENTED,
        asks(line, body, headers, json={"type": "message", "role": "assistant", "content": list, "usage": dict}),
    )
for surface, line, headers in (
    ("rest-path", f"POST {{rest}}/run/{LLAMA}", REST),
    ("native", f"POST {{host}}/workers-ai/{LLAMA}", {}),
    ("native-run", f"POST {{host}}/workers-ai/run/{LLAMA}", {}),
):
    add(
        f"workers-ai-tokens-{surface}",
        f'A Workers AI stream has `{{"response": ...}}` and `[DONE]` ({surface}).',
        OBSERVED,
        asks(line, inputs(stream=True), headers, fields=SSE, text=tokens),
    )
    add(
        f"workers-ai-envelope-{surface}",
        f"Whole, a Workers AI answer is in REST's envelope: `result`, `success`, `errors`, `messages` ({surface}).",
        DOCUMENTED,
        asks(
            line,
            inputs(),
            headers,
            json={"success": True, "errors": [], "messages": [], "result": {"response": "Hello.", "usage": dict}},
        ),
    )
add(
    "workers-ai-takes-a-prompt",
    "Workers AI takes `prompt` as well as `messages`.",
    DOCUMENTED,
    asks(f"POST {{rest}}/run/{LLAMA}", {"prompt": SAY}, REST, json={"result": {"response": "Hello."}}),
)
add(
    "workers-ai-embeds",
    "Workers AI takes `text` for embeddings, and gives `shape` and `data`.",
    OBSERVED,
    asks(
        "POST {rest}/run/@cf/baai/bge-m3",
        {"text": ["{gw}", "two"]},
        REST,
        json={"result": {"shape": [2, int], "data": [list, list]}},
    ),
)
add(
    "run-of-anthropic-is-anthropics",
    "On `ai/run` Anthropic's models answer in Anthropic's shape.",
    OBSERVED,
    asks(
        RUN,
        {"model": "anthropic/claude-haiku-4.5", "input": {**inputs(), "max_tokens": 9}},
        REST,
        json={"type": "message"},
    ),
)
add(
    "run-of-others-is-openais",
    "And the others in OpenAI's.",
    OBSERVED,
    asks(RUN, run("google/gemini-3-flash"), REST, json={"object": "chat.completion"}),
)
add(
    "run-stream-of-anthropic",
    "So do their streams.",
    OBSERVED,
    asks(
        RUN,
        {"model": "anthropic/claude-haiku-4.5", "input": {**inputs(stream=True), "max_tokens": 9}},
        REST,
        fields=SSE,
        text=events("message_start", "message_stop"),
    ),
)
add(
    "ids-come-before-the-body",
    "The ids of a stream are in its headers, and not in its events.",
    DOCUMENTED,
    asks(
        OPENAI,
        {**NATIVE, "stream": True},
        fields={"cf-aig-log-id": str, "cf-aig-step": "0"},
        text=lambda text: "cf-aig" not in text,
    ),
)
add(
    "usage-is-sent-when-asked-for",
    "With `stream_options.include_usage` the last chunk has the usage.",
    DOCUMENTED,
    asks(
        OPENAI,
        {**NATIVE, "stream": True, "stream_options": {"include_usage": True}},
        text=lambda text: data(text)[-1]["usage"]["completion_tokens"] == 4,
    ),
)
add(
    "an-error-is-json",
    "A stream that fails before its first part is JSON, with the error's status.",
    DOCUMENTED,
    asks(OPENAI, {**NATIVE, "stream": True}, script=(500,), status=500, fields=JSON, json={"error": {"message": str}}),
)
add(
    "a-refusal-is-json",
    "So is one that the gateway refuses.",
    DOCUMENTED,
    asks(OPENAI, {**NATIVE, "stream": True}, server="poor", status=402, fields=JSON, json={"internalCode": 2021}),
)
add(
    "embeddings-are-openais",
    "`ai/v1/embeddings` gives OpenAI's list.",
    DOCUMENTED,
    asks(
        "POST {rest}/v1/embeddings",
        {"model": "openai/text-embedding-3-small", "input": "{gw}"},
        REST,
        json={"object": "list", "data": [{"object": "embedding", "index": 0}], "usage": dict},
    ),
)


def told(place, turns, **more):
    """Stream a chat through our client; give its text."""
    place.script(*turns)
    body = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.id}], **more}
    with place.client().stream_chat(body) as stream:
        return "".join(chunk.text for chunk in stream)


def sse(*items, space=" "):
    """An upstream's SSE, written out."""

    async def body():
        for item in items:
            yield f"data:{space}{item}\n\n".encode()

    return lambda: Reply(200, (("content-type", "text/event-stream"),), body())


def chunk(text, **more):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return json.dumps(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
    )


END = json.dumps(
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    }
)


@rule("client-reads-data-without-a-space", "Our client reads `data:` with and without a space.", DOCUMENTED)
def _(world):
    assert told(world.at(), [sse(chunk("a"), chunk("b"), END, "[DONE]", space="")]) == "ab"
    assert told(world.at(), [sse(chunk("a"), chunk("b"), END, "[DONE]")]) == "ab"


@rule("client-takes-json-for-a-stream", "Our client takes one JSON body where it asked for a stream.", DOCUMENTED)
def _(world):
    place = world.at(guardrails={"prompt": {}, "response": {"S1": "BLOCK"}}).script("All is well.")
    body = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.id}]}
    with place.client(provider_key="sk-own").stream_chat(body) as stream:
        assert "".join(chunk.text for chunk in stream) == "All is well."


@rule("client-notices-a-cut-stream", "Our client notices a stream that breaks off.", GUESS)
def _(world):
    place = world.at()
    with pytest.raises((aigw.StreamError, aigw.APIConnectionError)):
        told(place, [{"pieces": ["a ", "b ", "c"], "cut": 2}])
