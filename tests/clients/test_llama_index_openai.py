"""`llama-index-llms-openai`, LlamaIndex's own integration of OpenAI; it wants `openai<3`.

It and what it stands on leave clients open, which pytest is not to mind here.
"""

import json

import openai
import pytest
from llama_index.core.llms import ChatMessage, LLMMetadata
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from aigw.local import LocalGateway, ScriptUpstream

from ..needs import require  # noqa: TID252 -- the tests are no package with a name
from .asked import ANSWER, CITY, COMPAT, NATIVE, ON_REST, OPENAI_ADDRESSES, PARIS, REFUSALS, WEATHER

module = require.module(
    "llama_index.llms.openai",
    how="an environment of its own, for it wants openai<3: pip install . --group conformance",
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
QUESTION = [ChatMessage(content=PARIS)]


class City(BaseModel):
    """A city."""

    city: str


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"Sunny in {city}."


TOOL = FunctionTool.from_defaults(get_weather)


@pytest.fixture(params=OPENAI_ADDRESSES)
def address(request):
    return OPENAI_ADDRESSES[request.param]


class OpenAI(module.OpenAI):
    """The integration as it is, but for the table of the models it knows, which lacks prefixes."""

    @property
    def metadata(self):
        known = {"context_window": 128000, "is_chat_model": True, "is_function_calling_model": True}
        return LLMMetadata(model_name=self.model, **known)


def new_llm(gateway, address=COMPAT, **more):
    known = {"model": f"{address.prefix}gpt-4.1-mini", "api_key": address.key, "max_retries": 0}
    return OpenAI(**known | {"api_base": gateway.base_url + address.path} | more)


@pytest.fixture
def llm(aigw_local, address):
    return new_llm(aigw_local, address)


def test_a_prompt_is_completed_and_logged(llm, logs):
    completion = llm.complete(PARIS)
    log = logs.newest()[0]
    assert completion.text == ANSWER
    assert (log["tokens_in"], log["tokens_out"]) == (
        completion.additional_kwargs["prompt_tokens"],
        completion.additional_kwargs["completion_tokens"],
    )


def test_a_chat_is_answered_in_the_providers_shape(llm, logs):
    response = llm.chat(QUESTION)
    assert (response.message.content, response.message.role.value) == (ANSWER, "assistant")
    assert response.raw.choices[0].finish_reason == "stop"
    assert logs.newest()[0]["tokens_out"] == response.raw.usage.completion_tokens > 0


def test_streams_of_both_kinds_add_up(llm):
    chat, completion = list(llm.stream_chat(QUESTION)), list(llm.stream_complete(PARIS))
    for chunks in (chat, completion):
        assert len([chunk for chunk in chunks if chunk.delta]) > 1
        assert "".join(chunk.delta or "" for chunk in chunks) == ANSWER
    assert (chat[-1].message.content, completion[-1].text) == (ANSWER, ANSWER)


async def test_the_async_calls_answer_alike(llm):
    response = await llm.achat(QUESTION)
    pieces = [chunk.delta or "" async for chunk in await llm.astream_chat(QUESTION)]
    assert response.message.content == "".join(pieces) == ANSWER


def test_a_tool_is_called_run_and_answered_from(llm):
    response = llm.chat_with_tools([TOOL], WEATHER, tool_required=True)
    (call,) = llm.get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"city": "Paris"})
    assert "Sunny in Paris." in llm.predict_and_call([TOOL], WEATHER).response


def test_a_streamed_tool_call_is_put_together(llm):
    *_, last = llm.stream_chat_with_tools([TOOL], WEATHER, tool_required=True)
    assert llm.get_tool_calls_from_response(last)[0].tool_kwargs == {"city": "Paris"}


def test_a_structured_answer_is_of_its_class(llm):
    assert "Paris" in llm.as_structured_llm(City).complete(CITY).raw.city
    assert "Paris" in json.loads(llm.as_structured_llm(City).complete(CITY).text)["city"]


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_the_sdks_error_with_the_gateways_body(refusal):
    address = ON_REST if refusal.host == "rest" else NATIVE
    with LocalGateway(**refusal.gateway) as gateway:
        llm = new_llm(gateway, address, api_key=refusal.call.get("key", address.key))
        for _ in range(refusal.calls_before):
            llm.complete(PARIS)
        with pytest.raises(openai.APIStatusError) as caught:
            llm.complete(refusal.call.get("prompt", PARIS))
    assert caught.value.status_code == refusal.status
    assert caught.value.response.json() == refusal.body(f"{address.prefix}gpt-4.1-mini")


def test_the_integration_tries_again_and_both_tries_are_logged(aigw_local, logs):
    llm = new_llm(aigw_local, max_retries=2, default_headers={"aigw-local-fail": "503x1"})
    assert llm.complete(PARIS).text == ANSWER
    assert [log["status_code"] for log in logs.newest()] == [200, 503]


def test_a_cut_stream_is_an_error_after_what_came(read_logs):
    deltas = []
    script = ScriptUpstream([{"pieces": ["Paris ", "is ", "the "], "cut": 2}])
    with LocalGateway(upstream=script) as gateway:
        with pytest.raises(Exception, match="closed connection"):
            deltas.extend(chunk.delta for chunk in new_llm(gateway).stream_complete(PARIS))
        log = read_logs(gateway).newest()[0]
    assert "".join(deltas) in {"Paris ", "Paris is "}
    assert log["success"] is False


def test_a_slow_answer_is_a_timeout(aigw_local):
    llm = new_llm(aigw_local, timeout=0.2, default_headers={"aigw-local-delay": "5000"})
    with pytest.raises(openai.APITimeoutError):
        llm.complete(PARIS)
