"""What some models must be sent of their own answers beside words and calls, or refuse the next step of an agent.

Gemini signs its thoughts in `extra_content` of its tool calls; DeepSeek and Kimi want their thoughts back.
"""

import asyncio
import json

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ThinkingBlock, ToolCallBlock

from aigw.integration import told_again
from aigw.local import Reply
from langchain_aigw import ChatCloudflareAIGateway
from langchain_aigw import _messages as langchain_messages
from llamaindex_aigw import CloudflareAIGateway
from llamaindex_aigw import _messages as llamaindex_messages

SIGNATURE = {"google": {"thought_signature": "c2lnbmVk"}}
BOTH = frozenset({"extra_content", "reasoning_content"})


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}."


def called(call_id="call_1", **more):
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Bern"}'},
        **more,
    }


def whole(**message):
    return {
        "id": "x-1",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": "stop"}
        ],
    }


def streamed(*deltas):
    async def frames():
        for delta in deltas:
            chunk = {"id": "x-1", "model": "m", "choices": [{"index": 0, "delta": delta}]}
            yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"

    return Reply(200, (("content-type", "text/event-stream"),), frames())


def ask_langchain(question, *, streams, **fields):
    model = ChatCloudflareAIGateway(streaming=streams, **fields)
    create_agent(model, [weather]).invoke({"messages": [HumanMessage(question)]})


def ask_llamaindex(question, *, streams, **fields):
    async def run():
        agent = FunctionAgent(tools=[weather], llm=CloudflareAIGateway(**fields), streaming=streams)
        await agent.run(question)

    asyncio.run(run())


@pytest.fixture(params=[ask_langchain, ask_llamaindex])
def second_step(request, gateway):
    """Have an agent call a tool; give the assistant's message as the second step was sent it."""

    def ask(model, *turns, streams=False):
        with gateway.script(list(turns)):
            request.param(
                "What is the weather in Bern?",
                streams=streams,
                model=model,
                account_id="acct",
                api_token="test-token",
                base_url=gateway.base_url,
            )
        return next(said for said in gateway.requests[-1].body["messages"] if said["role"] == "assistant")

    return ask


@pytest.mark.parametrize(
    ("model", "again"),
    [
        ("openai/gpt-5-mini", ()),
        ("anthropic/claude-sonnet-4.5", ()),
        ("google/gemini-3-flash", ["extra_content"]),
        ("google-ai-studio/gemini-3-pro-preview", ["extra_content"]),
        ("dynamic/support", ["extra_content"]),
        ("cloudflare/auto", ["extra_content"]),
        ("deepseek/deepseek-chat", ["reasoning_content"]),
        ("@cf/moonshotai/kimi-k2.5", ["reasoning_content"]),
        ("@cf/deepseek-ai/deepseek-r1-distill-qwen-32b", ()),
        ("groq/moonshotai/kimi-k2-instruct", ()),
        (None, ()),
    ],
)
def test_a_model_is_told_again_what_it_asks_for_and_no_other(model, again):
    assert told_again(model) == frozenset(again)


def test_a_whole_answers_signature_goes_back_with_its_call(second_step):
    first = {"json": whole(tool_calls=[called(extra_content=SIGNATURE)])}
    assert second_step("google/gemini-3-flash", first, "Sunny.")["tool_calls"][0]["extra_content"] == SIGNATURE


def test_a_streamed_answers_signature_goes_back_with_its_call(second_step):
    first = streamed({"role": "assistant", "tool_calls": [called(index=0, extra_content=SIGNATURE)]}, {"content": ""})
    last = second_step("google/gemini-3-flash", first, "Sunny.", streams=True)
    assert last["tool_calls"][0]["extra_content"] == SIGNATURE


def test_a_call_without_an_id_has_its_signature(second_step):
    first = streamed({"tool_calls": [called("", extra_content=SIGNATURE)]})
    last = second_step("google/gemini-3-flash", first, "Sunny.", streams=True)
    assert last["tool_calls"][0]["extra_content"] == SIGNATURE
    assert last["tool_calls"][0]["id"]


def test_of_parallel_calls_only_the_signed_one_is_signed(second_step):
    first = {"json": whole(tool_calls=[called(extra_content=SIGNATURE), called("call_2")])}
    signed, *others = second_step("google/gemini-3-flash", first, "Sunny.")["tool_calls"]
    assert signed["extra_content"] == SIGNATURE
    assert all("extra_content" not in call for call in others)


@pytest.mark.parametrize("streams", [False, True])
def test_thoughts_go_back_to_a_model_that_wants_them(second_step, streams):
    said = {"reasoning_content": "I should ask.", "tool_calls": [called(index=0)]}
    first = streamed({"reasoning_content": "I should "}, {**said, "reasoning_content": "ask."})
    last = second_step(
        "deepseek/deepseek-chat", first if streams else {"json": whole(**said)}, "Sunny.", streams=streams
    )
    assert last["reasoning_content"] == "I should ask."


def test_other_models_are_sent_neither(second_step):
    first = {"json": whole(reasoning_content="I should ask.", tool_calls=[called(extra_content=SIGNATURE)])}
    assert second_step("openai/gpt-5-mini", first, "Sunny.") == {
        "role": "assistant",
        "content": None,
        "tool_calls": [called()],
    }


def test_langchains_blocks_of_reasoning_are_thoughts_too():
    message = AIMessage(content=[{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Two."}])
    sent = langchain_messages.encode_messages([message], BOTH)[0]
    assert sent == {"role": "assistant", "content": [{"type": "text", "text": "Two."}], "reasoning_content": "Hm."}


def test_llamaindexs_calls_are_signed_after_they_were_written_down():
    call = ToolCallBlock(tool_call_id="call_1", tool_name="weather", tool_kwargs='{"city": "Bern"}')
    signed = called(extra_content=SIGNATURE)
    message = ChatMessage(
        role="assistant", blocks=[ThinkingBlock(content="Hm."), call], additional_kwargs={"tool_calls": [signed]}
    )
    read = ChatMessage.model_validate_json(message.model_dump_json())
    sent = llamaindex_messages.encode_messages([read], BOTH)[0]
    assert sent == {"role": "assistant", "content": None, "tool_calls": [signed], "reasoning_content": "Hm."}


@pytest.mark.parametrize("encode", [langchain_messages.encode_messages, llamaindex_messages.encode_messages])
def test_the_signature_of_an_answer_without_calls_goes_back(encode):
    make = {
        langchain_messages.encode_messages: lambda: AIMessage("Two.", additional_kwargs={"extra_content": SIGNATURE}),
        llamaindex_messages.encode_messages: lambda: ChatMessage(
            role="assistant", content="Two.", additional_kwargs={"extra_content": SIGNATURE}
        ),
    }
    message = make[encode]()
    assert encode([message], BOTH)[0]["extra_content"] == SIGNATURE
    assert "extra_content" not in encode([message])[0]
