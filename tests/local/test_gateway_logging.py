"""What the log and the response headers say of a call."""

import re

import pytest

from aigw.local import LocalGateway
from aigw.local._log_entry import HEAD_BYTES, MAX_BODY_BYTES, LoggedBody

PATH = "/v1/acct/gw/openai/chat/completions"


@pytest.fixture
def client(open_client, kit):
    return open_client(LocalGateway(upstream=kit.Scripted(kit.completion("hi", usage=(10, 4)))))


@pytest.fixture
def ask(client, kit):
    def ask(path=PATH, body=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(path, json=body or kit.chat(model="m"), headers=fields)

    return ask


def test_one_step_has_one_id_for_log_request_and_event(ask):
    headers = ask().headers
    ids = {headers[f"cf-aig-{name}-id"] for name in ("log", "request", "event")}
    assert len(ids) == 1
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ids.pop())
    assert headers["cf-aig-step"] == "0"
    assert (headers["cf-aig-provider"], headers["cf-aig-model"]) == ("scripted", "m")
    assert "cf-aig-cache-status" not in headers


def test_the_log_says_what_was_asked_and_answered(client, ask, kit):
    log = kit.log(client, ask(user_agent="my-app/1", cf_aig_event_id="e-1").headers["cf-aig-log-id"], "gw")
    assert {name: log[name] for name in ("provider", "model", "path", "model_type", "request_type")} == {
        "provider": "openai",
        "model": "openai/m",
        "path": "chat/completions",
        "model_type": "text-generation",
        "request_type": "native",
    }
    assert (log["tokens_in"], log["tokens_out"], log["status_code"], log["success"]) == (10, 4, 200, True)
    assert (log["user_agent"], log["event_id"], log["step"], log["cached"]) == ("my-app/1", "e-1", 0, False)
    assert log["request_head"].startswith('{"model":"m"')
    assert "chatcmpl-1" in log["response_head"]


@pytest.mark.parametrize(
    ("path", "model", "provider", "logged"),
    [
        ("/v1/acct/gw/compat/chat/completions", "openai/gpt-5", "openai", "openai/gpt-5"),
        ("/v1/acct/gw/compat/chat/completions", "workers-ai/@cf/a/m", "workers-ai", "@cf/a/m"),
        ("/v1/acct/gw/workers-ai/v1/chat/completions", "@cf/a/m", "workers-ai", "@cf/a/m"),
        ("/client/v4/accounts/acct/ai/v1/chat/completions", "google/gemini-3", "google-ai-studio", "google/gemini-3"),
        ("/client/v4/accounts/acct/ai/v1/chat/completions", "@cf/a/m", "workers-ai", "@cf/a/m"),
    ],
)
def test_models_have_one_name_in_the_log(client, kit, path, model, provider, logged):
    headers = {**kit.token, "cf-aig-gateway-id": "gw"}
    reply = client.post(path, json=kit.chat(model=model), headers=headers)
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["provider"], log["model"]) == (provider, logged)
    assert log["compatibilityMode"] == ("compat" in path)


def test_rest_calls_are_logged_in_the_gateway_that_the_header_names(client, kit):
    body = kit.chat()
    client.post(f"{kit.rest}/v1/chat/completions", json=body, headers={**kit.token, "cf-aig-gateway-id": "named"})
    client.post(f"{kit.rest}/v1/chat/completions", json=body, headers=kit.token)
    assert [len(kit.logs(client, gateway)) for gateway in ("named", "default", "gw")] == [1, 1, 0]


@pytest.mark.parametrize(("setting", "asked", "logged"), [(True, "false", 0), (False, "true", 1), (False, None, 0)])
def test_collecting_is_the_callers_choice_before_the_gateways(open_client, kit, setting, asked, logged):
    client = open_client(LocalGateway(settings={"collect_logs": setting}))
    headers = {"cf-aig-collect-log": asked} if asked else {}
    reply = client.post(PATH, json=kit.chat(model="m"), headers=headers)
    assert ("cf-aig-log-id" in reply.headers) == bool(logged)
    assert "cf-aig-request-id" in reply.headers
    assert len(kit.logs(client, "gw")) == logged


def test_a_log_without_payload_keeps_the_numbers(client, ask, kit):
    log_id = ask(cf_aig_collect_log_payload="false").headers["cf-aig-log-id"]
    log = kit.log(client, log_id, "gw")
    assert (log["tokens_in"], "request_head" in log, "response_head" in log) == (10, False, False)
    assert log["request_size"] > 0
    path = f"/client/v4/accounts/acct/ai-gateway/gateways/gw/logs/{log_id}/response"
    assert client.get(path, headers=kit.token).status_code == 404


def test_bodies_are_read_back_byte_for_byte(client, ask, kit):
    reply = ask()
    base = f"/client/v4/accounts/acct/ai-gateway/gateways/gw/logs/{reply.headers['cf-aig-log-id']}"
    assert client.get(f"{base}/response", headers=kit.token).content == reply.content
    assert client.get(f"{base}/request", headers=kit.token).content == reply.request.content


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"a":1,"b":"x","c":true,"d":1.5}', {"a": 1, "b": "x", "c": True, "d": 1.5}),
        ('{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6}', {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}),
        ('{"cf.user_id":"x","a":1}', {"a": 1}),
        ('{"a":1,"b":null}', None),
        ('{"a":1,"b":{}}', None),
        ("[1]", None),
        ("{", None),
    ],
)
def test_metadata_is_kept_as_the_gateway_keeps_it(client, ask, kit, text, kept):
    log = kit.log(client, ask(cf_aig_metadata=text).headers["cf-aig-log-id"], "gw")
    assert log.get("metadata") == kept


@pytest.mark.parametrize(
    ("cost", "price"),
    [
        ('{"per_token_in":0.5,"per_token_out":2}', 13.0),
        ('{"per_token_out":2}', 8.0),
        ('{"total_cost":0.25}', 0.25),
    ],
)
def test_a_custom_cost_prices_the_call(client, ask, kit, cost, price):
    log = kit.log(client, ask(cf_aig_custom_cost=cost).headers["cf-aig-log-id"], "gw")
    assert (log["cost"], log["custom_cost"]) == (price, True)


def test_the_offline_model_costs_nothing(open_client, kit):
    client = open_client(LocalGateway())
    log_id = client.post(PATH, json=kit.chat(model="m")).headers["cf-aig-log-id"]
    assert kit.log(client, log_id, "gw")["cost"] == 0


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/acct/gw/compat/chat/completions", {"model": "nobody/m"}, 2008),
        ("/v1/acct/gw/compat/chat/completions", {"model": "m"}, 2019),
        ("/v1/acct/gw/anthropic/v1/messages", {"model": "claude"}, None),
    ],
)
def test_a_refused_call_is_logged_as_a_failure(client, ask, kit, path, body, code):
    reply = ask(path, body, cf_aig_metadata='{"a":1}')
    assert reply.json().get("internalCode") == code
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["status_code"], log["metadata"]) == (False, reply.status_code, {"a": 1})
    assert log["response_head"] == reply.text


def test_feedback_on_a_log_is_read_back(client, ask, kit):
    log_id = ask().headers["cf-aig-log-id"]
    path = f"/client/v4/accounts/acct/ai-gateway/gateways/gw/logs/{log_id}"
    assert client.patch(path, json={"feedback": -1}, headers=kit.token).status_code == 200
    assert kit.log(client, log_id, "gw")["feedback"] == -1


def test_a_log_that_cannot_be_written_does_not_cost_the_answer(open_client, kit, caplog):
    gateway = LocalGateway()
    client = open_client(gateway)
    gateway._engine._store.close()
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200
    assert "could not be written" in caplog.text


def test_the_head_of_a_body_does_not_cut_a_character_in_two():
    body = LoggedBody.of("é".encode() * HEAD_BYTES + b"x")
    assert body.head == "é" * (HEAD_BYTES // 2)
    body = LoggedBody.of(b"x" + "é".encode() * HEAD_BYTES)
    assert body.head == "x" + "é" * (HEAD_BYTES // 2 - 1)


def test_a_body_that_is_too_large_is_counted_but_not_kept():
    body = LoggedBody.of(b"x" * MAX_BODY_BYTES)
    assert body.whole is not None
    body.add(b"y" * 10)
    body.add(b"z" * 10)
    assert (body.whole, body.size, body.head) == (None, MAX_BODY_BYTES + 20, "x" * HEAD_BYTES)


@pytest.mark.parametrize(
    ("model", "shown"),
    [("m\r\nx-evil: 1", "m%0D%0Ax-evil: 1"), ("模型", "%E6%A8%A1%E5%9E%8B"), ("m" * 5000, "m" * 1024)],
)
def test_a_models_name_cannot_break_the_headers(client, kit, model, shown):
    reply = client.post(PATH, json=kit.chat(model=model))
    assert reply.status_code == 200
    assert reply.headers["cf-aig-model"] == shown
    assert "x-evil" not in reply.headers
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["model"] == f"openai/{model}"


def test_an_event_id_from_a_step_cannot_break_the_headers(client, kit):
    step = {"provider": "openai", "endpoint": "chat/completions", "query": kit.chat(model="m")}
    reply = client.post("/v1/acct/gw", json={**step, "headers": {"cf-aig-event-id": "a\r\nb: c"}})
    assert reply.headers["cf-aig-event-id"] == "a%0D%0Ab: c"


def test_a_call_to_an_unknown_provider_is_logged(client, ask, kit):
    reply = ask("/v1/acct/gw/nobody/v1/chat/completions")
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["provider"], log["path"], log["status_code"]) == ("nobody", "v1/chat/completions", 400)


def test_token_counts_beyond_the_databases_integers_do_not_cost_the_answer(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.completion("hi", usage=(10**18, 10**17)))))
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.completion("hi", usage=(2**63, 1)))))
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200
