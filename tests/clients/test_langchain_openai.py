"""`langchain-openai`, LangChain's own integration of OpenAI, at every base URL it can be given."""

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from aigw.local import LocalGateway, ScriptUpstream

from .asked import ANSWER, CITY, COMPAT, NATIVE, ON_REST, OPENAI_ADDRESSES, PARIS, REFUSALS, WEATHER


class City(BaseModel):
    """A city."""

    city: str


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"Sunny in {city}."


@pytest.fixture(params=OPENAI_ADDRESSES)
def address(request):
    return OPENAI_ADDRESSES[request.param]


def new_chat(gateway, address=COMPAT, **more):
    known = {"model": f"{address.prefix}gpt-5-mini", "api_key": address.key, "max_retries": 0}
    return ChatOpenAI(**known | {"base_url": gateway.base_url + address.path, "include_response_headers": True} | more)


@pytest.fixture
def chat(aigw_local, address):
    return new_chat(aigw_local, address)


def log_id(message):
    return message.response_metadata["headers"]["cf-aig-log-id"]


def test_a_model_is_invoked_and_the_call_is_logged(chat, logs):
    message = chat.invoke(PARIS)
    log = logs.get(log_id(message))
    assert (message.content, message.response_metadata["finish_reason"]) == (ANSWER, "stop")
    usage = message.usage_metadata
    assert (log["tokens_in"], log["tokens_out"]) == (usage["input_tokens"], usage["output_tokens"])
    assert log["model"] == "openai/gpt-5-mini"


def test_a_stream_adds_up_to_the_whole_answer(chat, logs):
    chunks = list(chat.stream(PARIS, stream_usage=True))
    whole = sum(chunks[1:], chunks[0])
    assert len([chunk for chunk in chunks if chunk.content]) > 1
    assert (whole.content, whole.response_metadata["finish_reason"]) == (ANSWER, "stop")
    assert logs.newest()[0]["tokens_out"] == whole.usage_metadata["output_tokens"] > 0


async def test_the_async_calls_answer_alike(chat):
    message = await chat.ainvoke(PARIS)
    text = "".join([chunk.content async for chunk in chat.astream(PARIS)])
    assert message.content == text == ANSWER


def test_a_tool_is_called_run_and_answered_from(chat):
    bound = chat.bind_tools([get_weather])
    asked = bound.invoke(WEATHER)
    assert [(call["name"], call["args"]) for call in asked.tool_calls] == [("get_weather", {"city": "Paris"})]
    result = get_weather.invoke(asked.tool_calls[0])
    assert isinstance(result, ToolMessage)
    assert "Sunny in Paris." in bound.invoke([HumanMessage(WEATHER), asked, result]).content


def test_a_streamed_tool_call_is_put_together(chat):
    chunks = list(chat.bind_tools([get_weather], tool_choice="any").stream(WEATHER))
    assert sum(chunks[1:], chunks[0]).tool_calls[0]["args"] == {"city": "Paris"}


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_structured_answer_is_of_its_class(chat, method):
    assert "Paris" in chat.with_structured_output(City, method=method).invoke(CITY).city


@pytest.mark.parametrize("address", ["native", "rest"], indirect=True)
def test_the_responses_api_answers_and_streams(aigw_local, address):
    chat = new_chat(aigw_local, address, use_responses_api=True)
    chunks = list(chat.stream(PARIS))
    assert chat.invoke(PARIS).text == sum(chunks[1:], chunks[0]).text == ANSWER


def test_embeddings_are_of_one_length_and_a_query_is_a_document(aigw_local, address):
    model = OpenAIEmbeddings(
        model=f"{address.prefix}text-embedding-3-small",
        api_key=address.key,
        base_url=aigw_local.base_url + address.path,
        check_embedding_ctx_length=False,
    )
    one, two = model.embed_documents(["one", "two"])
    assert (len(one), one != two) == (len(two), True)
    assert model.embed_query("two") == pytest.approx(two, abs=1e-6)


def test_a_repeated_call_is_a_cache_hit(aigw_local, address):
    chat = new_chat(aigw_local, address, default_headers={"cf-aig-cache-key": "paris"})
    answers = [chat.invoke(PARIS) for _ in range(2)]
    status = [message.response_metadata["headers"]["cf-aig-cache-status"] for message in answers]
    assert (status, answers[0].content) == (["MISS", "HIT"], answers[1].content)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_the_sdks_error_with_the_gateways_body(refusal):
    address = ON_REST if refusal.host == "rest" else NATIVE
    with LocalGateway(**refusal.gateway) as gateway:
        chat = new_chat(gateway, address, api_key=refusal.call.get("key", address.key))
        for _ in range(refusal.calls_before):
            chat.invoke(PARIS)
        with pytest.raises(openai.APIStatusError) as caught:
            chat.invoke(refusal.call.get("prompt", PARIS))
    assert caught.value.status_code == refusal.status
    assert caught.value.response.json() == refusal.body(f"{address.prefix}gpt-5-mini")


def test_the_model_tries_again_and_both_tries_are_logged(aigw_local, logs):
    chat = new_chat(aigw_local, max_retries=1, default_headers={"aigw-local-fail": "503x1"})
    assert chat.invoke(PARIS).content == ANSWER
    assert [log["status_code"] for log in logs.newest()] == [200, 503]


def test_a_model_with_a_fallback_takes_the_other(aigw_local, logs):
    broken = new_chat(aigw_local, default_headers={"aigw-local-fail": "503"})
    answer = broken.with_fallbacks([new_chat(aigw_local, model="openai/gpt-5-nano")]).invoke(PARIS)
    assert logs.get(log_id(answer))["model"] == "openai/gpt-5-nano"


def test_a_cut_stream_is_an_error_after_what_came(read_logs):
    pieces = []
    script = ScriptUpstream([{"pieces": ["Paris ", "is ", "the "], "cut": 2}])
    with LocalGateway(upstream=script) as gateway:
        with pytest.raises(openai.APIConnectionError):
            pieces.extend(chunk.content for chunk in new_chat(gateway).stream(PARIS))
        log = read_logs(gateway).newest()[0]
    assert "".join(pieces) in {"Paris ", "Paris is "}
    assert log["success"] is False


def test_a_slow_answer_is_a_timeout(aigw_local):
    with pytest.raises(openai.APITimeoutError):
        new_chat(aigw_local, timeout=0.2, default_headers={"aigw-local-delay": "5000"}).invoke(PARIS)
