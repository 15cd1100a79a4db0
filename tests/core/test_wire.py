"""What each public method puts on the wire and makes of the answer, in every driver."""

import gzip
import json
from urllib.parse import parse_qsl

import pytest

from aigw import ResponseInfo, gateway_options

REST = "/client/v4/accounts/acct/ai"
HOST = "/v1/acct/default"
LOGS = "/client/v4/accounts/acct/ai-gateway/gateways/default/logs"
CHAT = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}
MESSAGES = {**CHAT, "model": "anthropic/claude-haiku-4.5"}
EMBED = {"model": "@cf/baai/bge-m3", "input": ["a"]}
STEP = {"provider": "openai", "endpoint": "responses", "query": {"input": "Hi"}}
COMPLETION = {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
VECTORS = {"data": [{"index": 0, "embedding": [0.5]}]}
LOG = {"success": True, "result": {"id": "01LOG", "cost": 0.5}}
PAGE = {"success": True, "result": [{"id": "01LOG"}], "result_info": {"total_count": 1}}
SUCCESSES = '[{"key":"success","operator":"eq","value":[true]}]'
OF_EVENT = '[{"key":"event_id","operator":"eq","value":["é 1+2&3%41#"]}]'

CALLS = [
    # the call, the answer, what was sent, what is made of it
    pytest.param(
        lambda c: c.run("@cf/a/b", {"prompt": "Hi"}),
        {"success": True, "result": {"response": "Hello"}},
        ("POST", f"{REST}/run", {"model": "@cf/a/b", "input": {"prompt": "Hi"}}),
        lambda result: result.output == {"response": "Hello"},
        id="run",
    ),
    pytest.param(
        lambda c: c.chat(CHAT),
        COMPLETION,
        ("POST", f"{REST}/v1/chat/completions", CHAT),
        lambda result: result.text == "Hello",
        id="chat",
    ),
    pytest.param(
        lambda c: c.completions(CHAT),
        COMPLETION,
        ("POST", f"{REST}/v1/chat/completions", CHAT),
        lambda result: result.output == COMPLETION,
        id="completions",
    ),
    pytest.param(
        lambda c: c.chat(CHAT, surface="compat"),
        COMPLETION,
        ("POST", f"{HOST}/compat/chat/completions", CHAT),
        lambda result: result.raw == COMPLETION,
        id="chat-compat",
    ),
    pytest.param(
        lambda c: c.chat(CHAT, surface="native"),
        COMPLETION,
        ("POST", f"{HOST}/openai/chat/completions", {**CHAT, "model": "gpt-5-mini"}),
        lambda result: result.text == "Hello",
        id="chat-native",
    ),
    pytest.param(
        lambda c: c.embed(EMBED),
        VECTORS,
        ("POST", f"{REST}/v1/embeddings", EMBED),
        lambda result: result.vectors == [[0.5]],
        id="embed",
    ),
    pytest.param(
        lambda c: c.responses({"model": "openai/gpt-5-mini", "input": "Hi"}),
        {"id": "resp_1", "error": None, "output": []},
        ("POST", f"{REST}/v1/responses", {"model": "openai/gpt-5-mini", "input": "Hi"}),
        lambda result: result["id"] == "resp_1",
        id="responses",
    ),
    pytest.param(
        lambda c: c.messages(MESSAGES),
        {"type": "message", "content": []},
        ("POST", f"{REST}/v1/messages", MESSAGES),
        lambda result: result["type"] == "message",
        id="messages",
    ),
    pytest.param(
        lambda c: c.gateway().run([STEP]),
        {"id": "resp_1"},
        ("POST", HOST, [{**STEP, "headers": {}}]),
        lambda result: result["id"] == "resp_1",
        id="gateway-run",
    ),
    pytest.param(
        lambda c: c.gateway().patch_log("01LOG", feedback=1),
        {"success": True, "result": {}},
        ("PATCH", f"{LOGS}/01LOG", {"feedback": 1}),
        lambda result: result is None,
        id="patch-log",
    ),
    pytest.param(
        lambda c: c.gateway().get_log("a/b"),
        LOG,
        ("GET", f"{LOGS}/a%2Fb", None),
        lambda result: (result.id, result.cost) == ("01LOG", 0.5),
        id="get-log",
    ),
    pytest.param(
        lambda c: c.gateway().list_logs(filters=[{"key": "success", "operator": "eq", "value": True}], per_page=5),
        PAGE,
        (
            "GET",
            f"{LOGS}?page=1&per_page=5&order_by=created_at&order_by_direction=desc&filters={SUCCESSES}",
            None,
        ),
        lambda page: (page.logs[0].id, page.total_count) == ("01LOG", 1),
        id="list-logs",
    ),
    pytest.param(
        lambda c: c.gateway().find_logs(event_id="é 1+2&3%41#"),
        PAGE,
        (
            "GET",
            f"{LOGS}?page=1&per_page=50&order_by=created_at&order_by_direction=asc&filters={OF_EVENT}",
            None,
        ),
        lambda logs: [log.id for log in logs] == ["01LOG"],
        id="find-logs",
    ),
    pytest.param(
        lambda c: c.gateway().log_request("01LOG"),
        CHAT,
        ("GET", f"{LOGS}/01LOG/request", None),
        lambda body: body == CHAT,
        id="log-request",
    ),
    pytest.param(
        lambda c: c.gateway().log_response("01LOG"),
        COMPLETION,
        ("GET", f"{LOGS}/01LOG/response", None),
        lambda body: body == COMPLETION,
        id="log-response",
    ),
]


@pytest.mark.parametrize(("call", "answer", "sent", "is_read"), CALLS)
async def test_a_method_sends_its_request_and_reads_the_answer(driver, server, wire, call, answer, sent, is_read):
    server.will(wire.json(answer, 200, *wire.ids))

    result = await driver.done(call(driver.client(server)))

    assert is_read(result)
    (request,) = server.requests
    path, _, query = request.path.partition("?")
    url = f"{path}?{'&'.join(map('='.join, parse_qsl(query)))}" if query else path
    assert (request.method, url, request.json if request.body else None) == sent
    token = "cf-aig-authorization" if request.path.startswith("/v1/") else "authorization"
    assert request.header(token) == f"Bearer {wire.token}"
    assert request.names & {"authorization", "cf-aig-authorization", "x-api-key", "api-key", "x-goog-api-key"} == {
        token
    }


@pytest.mark.parametrize(("call", "answer"), [pytest.param(*row.values[:2], id=row.id) for row in CALLS[:9]])
async def test_every_result_of_a_model_has_the_gateways_facts(driver, server, wire, call, answer):
    server.will(wire.json(answer, 200, *wire.ids, ("cf-aig-step", "1")))

    result = await driver.done(call(driver.client(server)))

    assert result.info == ResponseInfo(
        log_id="01LOG", event_id="evt-1", cache_status="MISS", step=1, gateway_id="default", status_code=200
    )


async def test_options_of_client_context_and_call_travel_together(driver, server, wire):
    server.will(wire.json(COMPLETION))
    client = driver.client(server, gateway_id="mine", options={"cache_ttl": 60, "metadata": {"app": "x", "user": "?"}})
    with gateway_options({"collect_log": False, "metadata": {"user": "ann"}}):
        await driver.done(client.chat(CHAT, gateway={"cache_ttl": 120, "metadata": {"job": 7}}))

    assert {name: value for name, value in server.last.headers if name.lower().startswith("cf-aig")} == {
        "cf-aig-gateway-id": "mine",
        "cf-aig-cache-ttl": "120",
        "cf-aig-metadata": '{"app":"x","user":"ann","job":7}',
        "cf-aig-collect-log": "false",
    }


async def test_a_gateway_of_its_own_id_keeps_it_whatever_the_options_say(driver, server, wire):
    server.will(wire.json({}))

    await driver.done(driver.client(server, options={"id": "b"}).gateway("a").run([STEP], options={"id": "c"}))

    assert server.last.path == "/v1/acct/a"


async def test_the_logs_token_is_for_logs_alone(driver, server, wire):
    server.will(wire.json(LOG))
    client = driver.client(server, logs_token="logs-token-0123")
    await driver.done(client.gateway().get_log("1"))
    await driver.done(client.run("@cf/a/b", {}))

    assert [request.header("authorization") for request in server.requests] == [
        "Bearer logs-token-0123",
        f"Bearer {wire.token}",
    ]


async def test_binary_answers_arrive_as_bytes(driver, server, wire):
    server.will(wire.Reply(200, (("content-type", "image/png"), *wire.ids), (b"\x89PNG", b"\x00\xff")))

    result = await driver.done(driver.client(server).run("@cf/a/b", {"prompt": "a cat"}))

    assert (result.output, result.content_type, result.info.log_id) == (b"\x89PNG\x00\xff", "image/png", "01LOG")


async def test_compressed_answers_are_read(driver, server, wire):
    packed = gzip.compress(json.dumps(COMPLETION).encode())
    server.will(wire.Reply(200, (("content-type", "application/json"), ("content-encoding", "gzip")), (packed,)))

    assert (await driver.done(driver.client(server).chat(CHAT))).text == "Hello"


@pytest.mark.parametrize("driver", ["sync", "async"], indirect=True)
async def test_the_user_agent_names_the_package(driver, server, wire):
    server.will(wire.json(COMPLETION))

    await driver.done(driver.client(server).chat(CHAT))

    assert server.last.header("user-agent").startswith("aigw/")
