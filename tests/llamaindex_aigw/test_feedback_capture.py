"""Feedback from captures and from the handler: to which logs, in which request, and what is refused before any."""

import json
import math

import httpx
import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage

from aigw import (
    UNSET,
    AIGateway,
    AsyncAIGateway,
    AuthenticationError,
    ConfigurationError,
    LogNotFoundError,
    ResponseInfo,
    UnknownTargetError,
)
from aigw.local import LocalGateway, json_reply
from llamaindex_aigw import AIGatewayEventHandler, CloudflareAIGateway, CloudflareAIGatewayEmbedding, capture_logs

# LlamaIndex's workflows look at every attribute of an agent, which is a pydantic model, and so at deprecated ones.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}:pydantic.warnings.PydanticDeprecationWarning")
    for message in (
        "The `__fields(_set)?__` attribute is deprecated",
        "Accessing the 'model_(computed_)?fields' attribute on the instance is deprecated",
    )
]

HELLO = [ChatMessage(role="user", content="Hello")]


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


class Wire:
    """What went over two HTTP clients that can take the gateway's headers away from answers of models."""

    def __init__(self):
        self.sent = []
        self.strips = False
        self.sync = httpx.Client(event_hooks={"request": [self.sent.append], "response": [self.answered]})
        self.asynchronous = httpx.AsyncClient(event_hooks={"request": [self.asent], "response": [self.aanswered]})

    def answered(self, response):
        if self.strips and response.request.method == "POST":
            for name in [name for name in response.headers if name.startswith("cf-aig-")]:
                del response.headers[name]

    async def asent(self, request):
        self.sent.append(request)

    async def aanswered(self, response):
        self.answered(response)

    @property
    def patches(self):
        return [
            (request.url.path.rpartition("/")[2], json.loads(request.content))
            for request in self.sent
            if request.method == "PATCH"
        ]

    @property
    def methods(self):
        return [request.method for request in self.sent]


@pytest.fixture
async def wire():
    wire = Wire()
    yield wire
    wire.sync.close()
    await wire.asynchronous.aclose()


@pytest.fixture
def llm(aigw_local, wire):
    return CloudflareAIGateway(
        model="openai/gpt-4.1-mini",
        account_id="acct",
        api_token="test-token",
        base_url=aigw_local.base_url,
        http_client=wire.sync,
        http_async_client=wire.asynchronous,
    )


@pytest.fixture
def embedding(aigw_local, wire):
    return CloudflareAIGatewayEmbedding(
        model="@cf/baai/bge-m3",
        account_id="acct",
        api_token="test-token",
        base_url=aigw_local.base_url,
        http_client=wire.sync,
        http_async_client=wire.asynchronous,
    )


@pytest.fixture
def handler():
    handler = AIGatewayEventHandler().attach()
    yield handler
    handler.detach()


def three_calls(llm):
    with capture_logs() as logs:
        for number in range(3):
            llm.complete(f"Say {number}")
    return logs


def test_feedback_is_one_request_with_exactly_what_was_given(llm, wire):
    logs = three_calls(llm)
    rated = logs.feedback(1, score=80, metadata={"src": "ui"})
    assert rated == logs.log_ids[-1:]
    assert wire.patches == [(logs.log_ids[-1], {"feedback": 1, "score": 80, "metadata": {"src": "ui"}})]


async def test_feedback_with_await_is_the_same_request(llm, wire):
    logs = three_calls(llm)
    assert await logs.afeedback(-1, score=0.5) == logs.log_ids[-1:]
    assert wire.patches == [(logs.log_ids[-1], {"feedback": -1, "score": 0.5})]


def test_feedback_on_all_is_one_request_per_log_in_order(llm, wire, client):
    logs = three_calls(llm)
    assert logs.feedback(-1, which="all") == logs.log_ids
    assert wire.patches == [(log_id, {"feedback": -1}) for log_id in logs.log_ids]
    assert [client.gateway().get_log(log_id).feedback for log_id in logs.log_ids] == [-1, -1, -1]


def test_none_clears_and_unset_leaves_alone(llm, wire):
    logs = three_calls(llm)
    logs.feedback(None, score=None, metadata=None)
    logs.feedback(UNSET, score=5)
    assert [body for _, body in wire.patches] == [{"feedback": None, "score": None, "metadata": None}, {"score": 5}]


@pytest.mark.parametrize(
    "values",
    [
        {"feedback": 2},
        {"feedback": 0.5},
        {"feedback": True},
        {"feedback": 1, "score": math.nan},
        {"feedback": 1, "score": math.inf},
        {"feedback": 1, "score": "high"},
        {"feedback": 1, "metadata": {"a": {"b": 1}}},
        {"feedback": 1, "metadata": dict.fromkeys("abcdef", 1)},
        {"feedback": UNSET},
        {"feedback": 1, "which": "first"},
    ],
)
async def test_what_cannot_be_is_refused_before_any_request(llm, wire, handler, values):
    logs = three_calls(llm)
    before = len(wire.sent)
    for feedback in (logs.feedback, lambda **more: handler.feedback(None, more.pop("feedback"), **more)):
        with pytest.raises(ConfigurationError):
            feedback(**values)
    with pytest.raises(ConfigurationError):
        await logs.afeedback(**values)
    assert len(wire.sent) == before


def test_a_block_without_calls_cannot_be_rated():
    with capture_logs() as logs:
        pass
    with pytest.raises(ConfigurationError, match="no call with a log id"):
        logs.feedback(1)


def test_last_is_the_last_answer_not_an_embedding(llm, embedding, wire):
    with capture_logs() as logs:
        llm.chat(HELLO)
        embedding.get_query_embedding("a")
    logs.feedback(1)
    logs.feedback(-1, which="all")
    assert [log_id for log_id, _ in wire.patches] == [logs.log_ids[0], *logs.log_ids]


def test_embeddings_alone_can_be_rated(embedding):
    with capture_logs() as logs:
        embedding.get_query_embedding("a")
    assert logs.feedback(1) == logs.log_ids


async def test_an_agents_run_is_rated_by_its_last_answer(llm, wire, handler):
    run = FunctionAgent(tools=[weather], llm=llm).run("What is the weather in Lisbon?")
    output = await run
    log_id = output.raw["aigw"]["log_id"]
    assert await handler.afeedback(run.run_id, 1) == [log_id]
    assert await handler.afeedback(output, 1) == [log_id]
    assert await handler.afeedback(run.run_id, -1, which="all") == handler.log_ids(run.run_id)
    assert [log for log, _ in wire.patches] == [log_id, log_id, *handler.log_ids(run.run_id)]


def test_a_query_is_rated_by_any_span_around_it(llm, handler):
    engine = SummaryIndex.from_documents([Document(text="Tin melts at 232 degrees.")]).as_query_engine(llm=llm)
    engine.query("When does tin melt?")
    (call,) = handler.calls()
    for span_id in call.span_path:
        assert handler.feedback(span_id, 1) == [call.log_id]


@pytest.mark.parametrize("method", ["chat", "complete"])
def test_a_response_is_rated_by_what_it_says(llm, wire, handler, method):
    response = getattr(llm, method)(HELLO if method == "chat" else "Hello")
    llm.complete("Something else")
    log_id = response.raw["aigw"]["log_id"]
    assert handler.feedback(response, 1) == [log_id]
    assert handler.feedback(response.raw, 1) == [log_id]
    assert handler.feedback(response.additional_kwargs["aigw"], 1) == [log_id]
    assert handler.feedback(handler.calls()[0], 1) == [log_id]
    assert [log for log, _ in wire.patches] == [log_id] * 4


def test_without_a_target_what_ran_last_is_rated(llm, handler):
    llm.complete("First")
    engine = SummaryIndex.from_documents([Document(text="Tin melts at 232 degrees.")]).as_query_engine(llm=llm)
    engine.query("When does tin melt?")
    assert handler.feedback() == handler.log_ids()[-1:]
    assert handler.feedback(None, -1, which="all") == handler.log_ids()[1:]


def test_without_a_target_and_without_calls_there_is_nothing_to_rate(handler):
    with pytest.raises(ConfigurationError, match="no call"):
        handler.feedback()


def test_something_that_tells_no_call_is_refused(llm, handler):
    engine = SummaryIndex.from_documents([Document(text="Tin melts at 232 degrees.")]).as_query_engine(llm=llm)
    response = engine.query("When does tin melt?")
    with pytest.raises(ConfigurationError, match=r"Response does not tell which call it is of: .*capture_logs"):
        handler.feedback(response, 1)


def test_a_failed_call_can_be_rated(scripted):
    llm, _ = scripted(lambda: json_reply(500, {"error": {"message": "down"}}), max_retries=0)
    with capture_logs() as logs, pytest.raises(Exception, match="down"):
        llm.chat(HELLO)
    assert logs.feedback(-1) == logs.log_ids


def test_feedback_goes_to_the_gateway_that_was_asked(llm, wire):
    with capture_logs() as logs:
        llm.chat(HELLO, gateway_options={"id": "staging"})
    logs.feedback(1)
    assert "/gateways/staging/logs/" in wire.sent[-1].url.path


def test_a_log_id_kept_elsewhere_is_rated_by_the_core_alone(llm, client):
    facts = json.loads(json.dumps(llm.chat(HELLO).additional_kwargs["aigw"]))
    client.gateway().patch_log(facts["log_id"], feedback=1)
    assert client.gateway().get_log(facts["log_id"]).feedback == 1


async def test_without_headers_feedback_finds_its_log_by_the_event_id(llm, wire, client, handler):
    wire.strips = True
    with capture_logs() as logs:
        llm.complete("One")
        llm.complete("Two")
    assert logs.log_ids == []
    wire.sent.clear()
    rated = logs.feedback(1)
    assert wire.methods == ["GET", "PATCH"]
    (span_id,) = [handler.calls()[-1].span_id]
    assert [log.id for log in client.gateway().find_logs(event_id=span_id)] == rated
    assert await handler.afeedback(span_id, -1) == rated
    assert len(logs.feedback(1, which="all")) == 2


def test_a_span_of_another_process_is_looked_up_at_the_gateway(llm, aigw_local):
    with capture_logs() as logs:
        llm.chat(HELLO)
    with AIGateway("acct", "test-token", base_url=aigw_local.base_url) as client:
        elsewhere = AIGatewayEventHandler(client=client)
        assert elsewhere.feedback(logs.calls[0].span_id, 1) == logs.log_ids
        assert elsewhere.feedback(logs[0].to_dict(), -1) == logs.log_ids
        assert client.gateway().get_log(logs.log_ids[0]).feedback == -1


async def test_a_span_of_another_process_is_looked_up_with_await(llm, aigw_local):
    with capture_logs() as logs:
        await llm.achat(HELLO)
    async with AsyncAIGateway("acct", "test-token", base_url=aigw_local.base_url) as client:
        elsewhere = AIGatewayEventHandler(async_client=client)
        assert await elsewhere.afeedback(logs.calls[0].span_id, 1) == logs.log_ids


def test_a_span_nobody_knows_is_an_error_that_says_so(llm, handler):
    llm.chat(HELLO)
    with pytest.raises(UnknownTargetError, match="'nobody-1' is not known") as raised:
        handler.feedback("nobody-1", 1, wait=0)
    assert isinstance(raised.value, KeyError)


def test_without_any_client_a_span_cannot_be_looked_up():
    with pytest.raises(ConfigurationError, match="client="):
        AIGatewayEventHandler().feedback("nobody-1", 1)


def test_the_handlers_own_client_is_used(llm, wire, aigw_local):
    with AIGateway("acct", "test-token", base_url=aigw_local.base_url) as client:
        handler = AIGatewayEventHandler(client=client).attach()
        llm.chat(HELLO)
        handler.detach()
        wire.sent.clear()
        assert handler.feedback(None, 1) == handler.log_ids()
    assert wire.sent == []


def test_the_handlers_client_is_not_shown(aigw_local):
    with AIGateway("acct", "test-token", base_url=aigw_local.base_url) as client:
        handler = AIGatewayEventHandler(client=client)
    assert "client" not in repr(handler)
    assert set(handler.model_dump()) == {"max_calls", "max_age"}


def test_a_log_that_is_gone_is_an_error(llm, handler):
    response = llm.chat(HELLO)
    facts = {**response.raw["aigw"], "log_id": "01900000-0000-7000-8000-000000000000"}
    with pytest.raises(LogNotFoundError):
        handler.feedback(facts, 1, wait=0)


def test_what_the_gateway_refuses_is_raised(new_llm):
    with LocalGateway(tokens=["test-token"]) as gateway:
        llm = new_llm(gateway)
        with capture_logs() as logs:
            llm.chat(HELLO)
        with AIGateway("acct", "another-token", base_url=gateway.base_url) as client:
            handler = AIGatewayEventHandler(client=client)
            with pytest.raises(AuthenticationError):
                handler.feedback(logs[0].to_dict(), 1)


def test_the_facts_of_an_answer_are_fields_of_response_info_and_json(llm):
    facts = llm.chat(HELLO).additional_kwargs["aigw"]
    assert set(facts) <= set(ResponseInfo.model_fields)
    assert ResponseInfo(**facts).to_dict() == facts
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("tags", [5, "user", [("user", "u")]])
def test_tags_that_are_no_dict_are_refused(tags):
    with pytest.raises(ConfigurationError, match=r"^tags cannot be "), capture_logs(tags):
        pass
