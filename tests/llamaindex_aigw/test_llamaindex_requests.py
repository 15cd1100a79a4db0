"""What an LLM's calls send, over a real socket: nothing that was not given."""

import httpx
import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.llms import ChatMessage

import aigw
from aigw.local import Reply
from llamaindex_aigw import CloudflareAIGateway

MESSAGES = [ChatMessage(role="user", content="Hi")]
WIRE = [{"role": "user", "content": "Hi"}]


def test_a_bare_llm_sends_model_and_messages(scripted, kit):
    llm, upstream = scripted(kit.answered({"content": "ok"}))
    llm.chat(MESSAGES)
    assert upstream.bodies == [{"model": "openai/gpt-4.1-mini", "messages": WIRE}]


def test_a_stream_asks_for_usage(scripted, kit):
    llm, upstream = scripted(kit.streamed(kit.chunk({"content": "ok"}), kit.chunk({}, "stop")))
    list(llm.stream_chat(MESSAGES))
    assert upstream.bodies == [
        {
            "model": "openai/gpt-4.1-mini",
            "messages": WIRE,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_a_call_can_take_a_field_out(scripted, kit):
    llm, upstream = scripted(kit.streamed(kit.chunk({"content": "ok"}, "stop")), temperature=0.5)
    list(llm.stream_chat(MESSAGES, stream_options=None, temperature=None))
    assert set(upstream.bodies[0]) == {"model", "messages", "stream"}


def test_what_was_given_is_sent_and_the_call_wins(scripted, kit):
    llm, upstream = scripted(
        kit.answered({"content": "ok"}),
        temperature=0.0,
        max_tokens=9,
        top_p=0.5,
        stop=["x"],
        seed=1,
        additional_kwargs={"user": "u", "seed": 2},
    )
    llm.chat(MESSAGES, max_tokens=3, model="openai/gpt-5-mini")
    assert upstream.bodies == [
        {
            "model": "openai/gpt-5-mini",
            "messages": WIRE,
            "temperature": 0.0,
            "max_tokens": 3,
            "top_p": 0.5,
            "stop": ["x"],
            "seed": 2,
            "user": "u",
        }
    ]


def test_the_calls_limit_of_tokens_replaces_the_models_under_either_name(scripted, kit):
    llm, upstream = scripted(kit.answered({"content": "ok"}), max_tokens=9)
    llm.chat(MESSAGES, max_completion_tokens=3)
    assert upstream.bodies[0] == {"model": "openai/gpt-4.1-mini", "messages": WIRE, "max_completion_tokens": 3}


@pytest.mark.parametrize("tools", [None, []])
def test_without_tools_nothing_is_said_of_their_choice(scripted, kit, tools):
    llm, upstream = scripted(kit.answered({"content": "ok"}))
    llm.chat(MESSAGES, tools=tools, tool_choice="auto", parallel_tool_calls=False)
    assert upstream.bodies == [{"model": "openai/gpt-4.1-mini", "messages": WIRE}]


def test_a_call_can_choose_its_surface(llm):
    assert llm.chat(MESSAGES, surface="compat").message.content
    with pytest.raises(aigw.ConfigurationError, match="surface cannot be 'moon'"):
        llm.chat(MESSAGES, surface="moon")


def test_gateway_options_go_in_headers_and_the_calls_win(llm, client):
    llm = llm.model_copy(update={"gateway_options": {"metadata": {"team": "a", "app": "x"}}})
    response = llm.chat(MESSAGES, gateway_options={"metadata": {"team": "b"}, "event_id": "event-1"})
    log = client.gateway().get_log(response.raw["aigw"]["log_id"])
    assert (log.metadata, log.event_id) == ({"team": "b", "app": "x"}, "event-1")


async def test_the_options_of_a_stream_are_those_of_where_it_was_asked_for(llm, client):
    with aigw.gateway_options({"metadata": {"run": "sync"}}):
        stream = llm.stream_chat(MESSAGES)
    with aigw.gateway_options({"metadata": {"run": "async"}}):
        astream = await llm.astream_chat(MESSAGES)
    lasts = [list(stream)[-1], [response async for response in astream][-1]]
    logs = [client.gateway().get_log(last.raw["aigw"]["log_id"]) for last in lasts]
    assert [log.metadata for log in logs] == [{"run": "sync"}, {"run": "async"}]


def test_a_wrong_gateway_option_is_named(llm):
    with pytest.raises(aigw.ConfigurationError, match="skip_cache"):
        llm.chat(MESSAGES, gateway_options={"skipCache": True})


@pytest.mark.parametrize("name", ["api_token", "provider_key", "extra_headers", "base_url"])
def test_a_call_takes_no_credentials_and_no_connection(llm, name):
    with pytest.raises(ValueError, match=f"{name} cannot be given with a call"):
        llm.chat(MESSAGES, **{name: "x"})


def test_a_status_is_the_cores_error_unchanged(new_llm, aigw_local):
    llm = new_llm(aigw_local, model="nowhere/none", surface="compat")
    with pytest.raises(aigw.APIStatusError) as caught:
        llm.chat([])
    assert caught.value.info is not None


async def test_a_stream_that_is_refused_is_an_error_when_it_is_asked_for(llm):
    with pytest.raises(aigw.BadRequestError):
        llm.stream_chat([])
    with pytest.raises(aigw.BadRequestError):
        await llm.astream_chat([])


def test_a_stream_that_breaks_is_an_error_with_the_log_id(scripted, kit):
    llm, _ = scripted(kit.streamed(kit.chunk({"content": "a"}), {"error": {"message": "overloaded"}}))
    stream = llm.stream_chat(MESSAGES)
    assert next(stream).delta == "a"
    with pytest.raises(aigw.StreamError) as caught:
        next(stream)
    assert caught.value.info.log_id


def test_a_missing_token_is_told_by_the_first_call(monkeypatch):
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
    llm = CloudflareAIGateway(model="openai/gpt-4.1-mini", account_id="acct")
    with pytest.raises(aigw.ConfigurationError, match="CLOUDFLARE_API_TOKEN"):
        llm.chat(MESSAGES)


def _one_connection(kind):
    return kind(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=1))


@pytest.mark.parametrize("method", ["stream_chat", "stream_complete"])
@pytest.mark.parametrize("is_begun", [True, False])
def test_a_stream_left_early_frees_its_connection(scripted, kit, method, is_begun):
    many = [kit.chunk({"content": "word " * 50}) for _ in range(500)]
    with _one_connection(httpx.Client) as http_client:
        llm, upstream = scripted(kit.streamed(*many), kit.answered({"content": "ok"}), http_client=http_client)
        stream = getattr(llm, method)(MESSAGES if method == "stream_chat" else "Hi")
        if is_begun:
            next(stream)
            stream.close()
        del stream
        assert llm.chat(MESSAGES).message.content == "ok"
    assert len(upstream.bodies) == 2


@pytest.mark.parametrize("method", ["astream_chat", "astream_complete"])
async def test_an_async_stream_left_early_frees_its_connection(scripted, kit, method):
    many = [kit.chunk({"content": "word " * 50}) for _ in range(500)]
    async with _one_connection(httpx.AsyncClient) as http_client:
        llm, upstream = scripted(kit.streamed(*many), kit.answered({"content": "ok"}), http_async_client=http_client)
        stream = await getattr(llm, method)(MESSAGES if method == "astream_chat" else "Hi")
        await anext(stream)
        await stream.aclose()
        assert (await llm.achat(MESSAGES)).message.content == "ok"
    assert len(upstream.bodies) == 2


def _refused(status):
    headers = (("content-type", "application/json"), ("retry-after", "0"))
    return lambda: Reply(status, headers, b'{"error": {"message": "busy"}}')


@pytest.mark.parametrize("method", ["chat", "stream_chat"])
def test_a_call_that_was_not_run_is_sent_again_and_told_once(scripted, kit, method):
    stream = kit.streamed(kit.chunk({"content": "ok"}), kit.chunk({}, "stop"))
    llm, upstream = scripted(_refused(503), kit.answered({"content": "ok"}) if method == "chat" else stream)
    debug = LlamaDebugHandler(print_trace_on_end=False)
    llm.callback_manager = CallbackManager([debug])
    given = getattr(llm, method)(MESSAGES)
    last = given if method == "chat" else list(given)[-1]
    assert last.message.content == "ok"
    assert len(upstream.bodies) == 2
    assert [len(pair) for pair in debug.get_event_pairs(CBEventType.LLM)] == [2]


async def test_a_stream_is_not_sent_again_after_its_first_piece(scripted, kit):
    broken = kit.streamed(kit.chunk({"content": "a"}), {"error": {"message": "overloaded"}})
    llm, upstream = scripted(broken, max_retries=5)
    with pytest.raises(aigw.StreamError):
        list(llm.stream_chat(MESSAGES))
    with pytest.raises(aigw.StreamError):
        [response async for response in await llm.astream_chat(MESSAGES)]
    assert len(upstream.bodies) == 2
