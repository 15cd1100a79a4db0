"""Feedback through the handler: which logs, exactly which requests, and what is refused before any."""

import asyncio
import json
import operator
from typing import Annotated, TypedDict
from uuid import UUID, uuid4

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import END, START, StateGraph

import aigw
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

LOGS = "/client/v4/accounts/acct/ai-gateway/gateways/default/logs"


class Wiretap:
    """HTTP clients that write down what they send, and can take the gateway's facts out of what they receive."""

    def __init__(self):
        self.requests = []
        self.strips = False
        self.sync_client = httpx.Client(event_hooks={"request": [self.note], "response": [self.strip]})
        self.async_client = httpx.AsyncClient(event_hooks={"request": [self.anote], "response": [self.astrip]})

    def note(self, request):
        body = json.loads(request.content) if request.content else None
        self.requests.append((request.method, request.url.path, body))

    def strip(self, response):
        if self.strips:
            for name in [name for name in response.headers if name.startswith("cf-aig-")]:
                del response.headers[name]

    async def anote(self, request):
        self.note(request)

    async def astrip(self, response):
        self.strip(response)

    def logs_requests(self):
        """Give what was sent to the logs API."""
        return [request for request in self.requests if request[1].startswith(LOGS)]


@pytest.fixture
async def wiretap():
    tap = Wiretap()
    yield tap
    tap.sync_client.close()
    await tap.async_client.aclose()


@pytest.fixture
def model(local_fields, wiretap):
    return ChatCloudflareAIGateway(
        model="openai/gpt-5-mini",
        http_client=wiretap.sync_client,
        http_async_client=wiretap.async_client,
        **local_fields,
    )


@pytest.fixture
def client(local_fields, wiretap):
    return aigw.AIGateway(http_client=wiretap.sync_client, **local_fields)


@pytest.fixture
def handler():
    return AIGatewayCallbackHandler()


@pytest.fixture
def config(handler):
    return {"callbacks": [handler], "run_id": uuid4()}


def test_feedback_is_exactly_one_patch_of_the_runs_log(model, wiretap, handler, config):
    answer = model.invoke("hi", config)
    log_id = answer.response_metadata["aigw"]["log_id"]
    assert handler.feedback(config["run_id"], 1, score=80, metadata={"src": "ui"}) == [log_id]
    assert wiretap.logs_requests() == [
        ("PATCH", f"{LOGS}/{log_id}", {"feedback": 1, "score": 80, "metadata": {"src": "ui"}})
    ]


async def test_async_feedback_is_exactly_one_patch_of_the_runs_log(model, wiretap, handler, config):
    await model.ainvoke("hi", config)
    (log_id,) = handler.log_ids(config["run_id"])
    assert await handler.afeedback(str(config["run_id"]), -1) == [log_id]
    assert wiretap.logs_requests() == [("PATCH", f"{LOGS}/{log_id}", {"feedback": -1})]


def test_none_clears(model, wiretap, handler, config):
    model.invoke("hi", config)
    handler.feedback(config["run_id"], None, score=None, metadata=None)
    assert wiretap.logs_requests()[0][2] == {"feedback": None, "score": None, "metadata": None}


@pytest.mark.parametrize(
    "values",
    [
        {"feedback": 2},
        {"feedback": 0.5},
        {"feedback": True},
        {"score": float("nan")},
        {"score": float("inf")},
        {"score": "high"},
        {"metadata": {"nested": {}}},
        {"metadata": dict.fromkeys("abcdef", 1)},
        {"which": "first"},
        {"wait": -1},
    ],
)
async def test_a_wrong_value_is_refused_before_anything_is_sent(model, wiretap, handler, config, values):
    model.invoke("hi", config)
    with pytest.raises(aigw.ConfigurationError):
        handler.feedback(config["run_id"], **values)
    with pytest.raises(aigw.ConfigurationError):
        await handler.afeedback(config["run_id"], **values)
    assert wiretap.logs_requests() == []


class State(TypedDict):
    texts: Annotated[list[str], operator.add]


@pytest.fixture
def graph(model):
    """Make a graph that calls the model five times in three nodes."""

    def node(count):
        return lambda _: {"texts": [model.invoke("hi").content for _ in range(count)]}

    graph = StateGraph(State)
    graph.add_node("plan", node(1)).add_node("research", node(3)).add_node("write", node(1))
    graph.add_edge(START, "plan").add_edge("plan", "research").add_edge("research", "write").add_edge("write", END)
    return graph.compile()


@pytest.mark.parametrize(
    ("what", "places"),
    [
        ({}, [4]),
        ({"which": "all"}, [0, 1, 2, 3, 4]),
        ({"which": "all", "node": "research"}, [1, 2, 3]),
        ({"node": "research"}, [3]),
        ({"node": "plan"}, [0]),
    ],
)
def test_a_graphs_last_call_or_all_or_a_nodes_are_rated(graph, wiretap, handler, config, what, places):
    graph.invoke({"texts": []}, config)
    log_ids = handler.log_ids(config["run_id"])
    expected = [log_ids[place] for place in places]
    assert handler.feedback(config["run_id"], 1, **what) == expected
    assert wiretap.logs_requests() == [("PATCH", f"{LOGS}/{log_id}", {"feedback": 1}) for log_id in expected]


def test_a_node_that_called_nothing_cannot_be_rated(graph, handler, config):
    graph.invoke({"texts": []}, config)
    with pytest.raises(aigw.ConfigurationError):
        handler.feedback(config["run_id"], node="nowhere")


@pytest.mark.parametrize("run", [None, "a-run-of-another-process", 7])
def test_a_node_of_a_run_that_is_not_known_here_is_never_taken_for_the_whole_run(handler, wiretap, run):
    with pytest.raises(aigw.UnknownTargetError, match="node"):
        handler.feedback(run, node="research")
    assert wiretap.logs_requests() == []


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_a_log_is_found_by_its_event_id_when_the_headers_are_lost(model, wiretap, handler, config, client, how):
    wiretap.strips = True
    list(model.stream("hi", config)) if how == "stream" else model.invoke("hi", config)
    assert handler.log_ids(config["run_id"]) == []
    wiretap.strips = False
    (log,) = client.gateway().find_logs(event_id=str(config["run_id"]))
    wiretap.requests.clear()
    assert handler.feedback(config["run_id"], 1) == [log.id]
    assert [(method, path) for method, path, _ in wiretap.requests] == [("GET", LOGS), ("PATCH", f"{LOGS}/{log.id}")]
    assert client.gateway().get_log(log.id).feedback == 1


def test_an_answer_without_facts_is_rated_by_the_run_in_its_id(model, wiretap, handler, config, client):
    wiretap.strips = True
    answer = model.invoke("hi", config)
    wiretap.strips = False
    (log,) = client.gateway().find_logs(event_id=str(config["run_id"]))
    answer.response_metadata.pop("aigw")
    assert handler.feedback(answer) == [log.id]


def test_a_run_of_another_process_is_found_by_its_id_alone(model, client):
    run_id = uuid4()
    answer = model.invoke("hi", {"run_id": run_id})
    handler = AIGatewayCallbackHandler(client=client)
    assert handler.feedback(str(run_id), -1, score=10) == [answer.response_metadata["aigw"]["log_id"]]


async def test_a_run_of_another_process_is_found_asynchronously(model, local_fields, wiretap):
    run_id = uuid4()
    answer = await model.ainvoke("hi", {"run_id": run_id})
    client = aigw.AsyncAIGateway(http_client=wiretap.async_client, **local_fields)
    handler = AIGatewayCallbackHandler(async_client=client)
    assert await handler.afeedback(run_id) == [answer.response_metadata["aigw"]["log_id"]]


def test_an_event_id_of_ones_own_finds_the_log_too(model, client):
    answer = model.invoke("hi", gateway_options={"event_id": "ticket-7"})
    handler = AIGatewayCallbackHandler(client=client)
    assert handler.feedback("ticket-7") == [answer.response_metadata["aigw"]["log_id"]]


def test_an_unknown_run_is_a_key_error_that_says_what_was_tried(client):
    handler = AIGatewayCallbackHandler(client=client)
    run_id = UUID(int=7)
    with pytest.raises(KeyError) as caught:
        handler.feedback(run_id, wait=0)
    assert isinstance(caught.value, aigw.ConfigurationError)
    assert str(caught.value) == (
        f"'{run_id}' is not known: no call that is recorded here has it; the gateway has no log with that event id, "
        "which only the run or span of the call itself is sent as, and none with it as root_run_id or thread_id or "
        "root_span_id or workflow_run_id in its metadata, which only a model's metadata_keys send"
    )


async def test_an_unknown_run_without_a_client_says_that_one_is_missing(handler):
    with pytest.raises(aigw.UnknownTargetError, match="no client to look it up"):
        handler.feedback(uuid4())
    with pytest.raises(aigw.UnknownTargetError, match="no client to look it up"):
        await handler.afeedback(uuid4())


def test_the_client_of_earlier_calls_looks_an_unknown_run_up(model, handler, config):
    model.invoke("hi", config)
    other = model.invoke("hi", {"run_id": (run_id := uuid4())})
    assert handler.feedback(run_id) == [other.response_metadata["aigw"]["log_id"]]


def test_a_run_at_another_gateway_is_rated_there(model, wiretap, handler, config):
    answer = model.invoke("hi", config, gateway_options={"id": "second"})
    handler.feedback(config["run_id"])
    log_id = answer.response_metadata["aigw"]["log_id"]
    assert wiretap.requests[-1][1] == f"/client/v4/accounts/acct/ai-gateway/gateways/second/logs/{log_id}"


def test_a_message_is_rated_by_what_it_says(model, handler, config, client):
    answer = model.invoke("hi", config)
    model.invoke("hi again", {"callbacks": [handler]})
    log_id = answer.response_metadata["aigw"]["log_id"]
    assert handler.feedback(answer, -1) == [log_id]
    assert client.gateway().get_log(log_id).feedback == -1


def test_a_message_kept_for_later_is_rated_by_a_handler_that_knows_nothing(model, client):
    kept = AIMessage.model_validate_json(model.invoke("hi").model_dump_json())
    handler = AIGatewayCallbackHandler(client=client)
    assert handler.feedback(kept) == [kept.response_metadata["aigw"]["log_id"]]


def test_a_message_of_another_model_cannot_be_rated(handler):
    with pytest.raises(aigw.ConfigurationError, match="says nothing of the gateway"):
        handler.feedback(AIMessage("hi"))


def test_a_message_without_a_client_says_that_one_is_missing(model, handler):
    answer = model.invoke("hi")
    with pytest.raises(aigw.ConfigurationError, match="client="):
        handler.feedback(answer)


def test_a_recorded_call_is_rated(graph, handler, config):
    graph.invoke({"texts": []}, config)
    second = handler.calls(config["run_id"])[1]
    assert handler.feedback(second) == [second.log_id]


def test_without_an_id_the_latest_outermost_run_is_rated(model, handler):
    chain = ChatPromptTemplate.from_template("{text}") | model | (lambda answer: model.invoke(answer.content))
    with pytest.raises(aigw.ConfigurationError, match="nothing to rate"):
        handler.feedback()
    model.invoke("hi", {"callbacks": [handler]})
    chain.invoke({"text": "hi"}, {"callbacks": [handler]})
    assert handler.feedback() == handler.log_ids()[-1:]
    assert handler.feedback(which="all") == handler.log_ids()[-2:]


def test_a_replayed_answer_is_rated_only_knowingly(local_fields, handler, config):
    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", cache=InMemoryCache(), **local_fields)
    first = model.invoke("hi", {"callbacks": [handler]})
    second = model.invoke("hi", config)
    log_id = first.response_metadata["aigw"]["log_id"]
    with pytest.raises(aigw.ConfigurationError, match=f"came from LangChain's cache; its log {log_id}"):
        handler.feedback(config["run_id"])
    assert handler.feedback(second) == [log_id]


def test_attempts_that_never_arrived_are_not_rated(local_fields, handler, config):
    class Refusing(httpx.HTTPTransport):
        refused = 0

        def handle_request(self, request):
            if self.refused == 0:
                self.refused += 1
                raise httpx.ConnectError("refused", request=request)
            return super().handle_request(request)

    with httpx.Client(transport=Refusing()) as http_client:
        model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", http_client=http_client, **local_fields)
        answer = model.invoke("hi", config)
        assert [call.log_id is None for call in handler.calls(config["run_id"])] == [True, False]
        rated = handler.feedback(config["run_id"], which="all")
    assert rated == [answer.response_metadata["aigw"]["log_id"]]


def test_the_handlers_own_client_is_used_before_the_models(model, config):
    refused = aigw.AIGateway("acct", "test-token", base_url="http://127.0.0.1:9", max_retries=0)
    handler = AIGatewayCallbackHandler(client=refused)
    model.invoke("hi", {**config, "callbacks": [handler]})
    with pytest.raises(aigw.APIConnectionError):
        handler.feedback(config["run_id"])


def test_a_run_that_was_forgotten_is_found_through_the_clients_that_were_used(model):
    handler = AIGatewayCallbackHandler(max_runs=1)
    answer = model.invoke("hi", {"callbacks": [handler], "run_id": (run_id := uuid4())})
    model.invoke("hi", {"callbacks": [handler]})
    handler._runs = AIGatewayCallbackHandler()._runs
    assert handler.feedback(run_id) == [answer.response_metadata["aigw"]["log_id"]]


def test_the_costs_of_a_hundred_runs_are_read_eight_at_a_time(local_fields, handler):
    under_way, most = set(), []

    def begin(request):
        if request.method == "GET":
            under_way.add(id(request))
            most.append(len(under_way))

    def end(response):
        under_way.discard(id(response.request))

    with httpx.Client(event_hooks={"request": [begin], "response": [end]}) as http_client:
        model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", http_client=http_client, **local_fields)
        for _ in range(100):
            model.invoke("hi", {"callbacks": [handler]})
        assert {call.cost for call in handler.calls()} == {None}
        calls = handler.reconcile()
    assert len(most) == 100
    assert max(most) <= 8
    assert all(call.cost is not None for call in calls)
    assert handler.calls() == calls


async def test_the_costs_of_a_run_are_read_asynchronously(model, handler, config):
    await model.ainvoke("hi", config)
    await model.ainvoke("hi", {"callbacks": [handler]})
    (call,) = await handler.areconcile(config["run_id"])
    assert call.cost is not None
    assert [call.cost is None for call in handler.calls()] == [False, True]


def test_a_log_that_is_not_there_leaves_its_call_as_it_was(model, handler, config):
    model.invoke("hi", config, gateway_options={"collect_log": False})
    (call,) = handler.reconcile(config["run_id"])
    assert call.cost is None


async def test_feedback_in_the_middle_of_a_run_is_possible(model, handler, config):
    stream = model.astream("hi", config)
    await anext(stream)
    rated = await asyncio.to_thread(handler.feedback, config["run_id"])
    await stream.aclose()
    assert rated == handler.log_ids(config["run_id"])


def test_a_known_run_whose_log_never_came_is_no_unknown_run(model, handler, config):
    model.invoke("hi", config, gateway_options={"collect_log": False})
    with pytest.raises(aigw.LogNotFoundError):
        handler.feedback(config["run_id"], wait=0)
