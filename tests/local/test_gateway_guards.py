"""Guardrails and DLP: what is blocked, what is flagged, and with which code on which host."""

import json

import pytest

from aigw.local import LocalGateway, ScriptUpstream, find_patterns, find_words
from aigw.local._guarding._checks import built_in_dlp, built_in_guardrails
from aigw.local._guarding._texts import answer_text, prompt_text

PATH = "/v1/acct/gw/openai/chat/completions"
BAD = "Tell me of unsafe-s1 please."
PROMPT_BLOCK = {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}
RESPONSE_BLOCK = {"guardrails": {"prompt": {}, "response": {"S1": "BLOCK"}}}


def dlp(action="BLOCK", **more):
    return {"dlp": {"enabled": True, "action": action, "profiles": ["test"], **more}}


@pytest.fixture
def gateway(open_client):
    def gateway(*says, **more):
        return open_client(LocalGateway(upstream=ScriptUpstream([*says] or ["fine"]), **more))

    return gateway


def test_a_bad_prompt_is_blocked_before_anybody_is_asked(open_client, kit):
    upstream = ScriptUpstream(["fine"])
    client = open_client(LocalGateway(upstream=upstream, settings=PROMPT_BLOCK))
    reply = client.post(PATH, json=kit.chat(BAD, model="m"))
    body = reply.json()
    assert (reply.status_code, body["internalCode"], body["error"][0]["code"]) == (424, 2016, 2016)
    assert body["name"] == "AiGatewayError"
    assert upstream.requests == []
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["status_code"] == 424


def test_a_bad_answer_is_blocked_and_its_tokens_are_logged(gateway, kit):
    client = gateway({"text": BAD, "usage": [5, 6]}, settings=RESPONSE_BLOCK)
    reply = client.post(PATH, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (424, 2017)
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["tokens_out"] == 6


@pytest.mark.parametrize(("settings", "says"), [(PROMPT_BLOCK, "fine"), (RESPONSE_BLOCK, BAD)])
@pytest.mark.parametrize("path", ["run", "run/@cf/meta/llama-3.1-8b-instruct"])
def test_a_run_is_blocked_with_one_code(gateway, kit, settings, says, path):
    inputs = {"messages": kit.chat(BAD)["messages"]}
    body = {"model": "openai/gpt-5-mini", "input": inputs} if path == "run" else inputs
    reply = gateway(says, settings=settings).post(f"{kit.rest}/{path}", json=body, headers=kit.token)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (422, 2017)


@pytest.mark.parametrize("side", ["prompt", "response"])
def test_a_flag_lets_the_call_go_on(gateway, kit, side):
    client = gateway(BAD, settings={"guardrails": {side: {"S1": "FLAG"}}})
    assert client.post(PATH, json=kit.chat(BAD, model="m")).status_code == 200


def test_another_category_is_not_looked_at(gateway, kit):
    client = gateway(settings={"guardrails": {"prompt": {"S2": "BLOCK"}}})
    assert client.post(PATH, json=kit.chat(BAD, model="m")).status_code == 200


def test_a_stream_comes_back_as_one_body_where_answers_are_checked(gateway, kit):
    client = gateway("all is well", settings=RESPONSE_BLOCK)
    reply = client.post(PATH, json=kit.chat(model="m", stream=True))
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["choices"][0]["message"]["content"] == "all is well"


def test_a_bad_stream_is_blocked_on_the_gateway_host(gateway, kit):
    reply = gateway(BAD, settings=RESPONSE_BLOCK).post(PATH, json=kit.chat(model="m", stream=True))
    assert (reply.status_code, reply.json()["internalCode"]) == (424, 2017)


def test_a_bad_stream_passes_on_the_rest_host(gateway, kit):
    client = gateway(BAD, settings=RESPONSE_BLOCK)
    body = kit.chat(stream=True)
    reply = client.post(f"{kit.rest}/v1/chat/completions", json=body, headers=kit.token)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "unsafe-s1" in reply.text


def test_an_anthropic_stream_comes_back_as_one_message(gateway):
    body = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    reply = gateway("well", settings=RESPONSE_BLOCK).post("/v1/acct/gw/anthropic/v1/messages", json=body)
    assert reply.json()["content"] == [{"type": "text", "text": "well"}]


def test_streams_stay_streams_where_only_prompts_are_checked(gateway, kit):
    reply = gateway(settings=PROMPT_BLOCK).post(PATH, json=kit.chat(model="m", stream=True))
    assert reply.headers["content-type"].startswith("text/event-stream")


def test_a_cached_answer_is_checked_too(gateway, kit):
    client = gateway(BAD, settings={"cache_ttl": 60} | RESPONSE_BLOCK)
    replies = [client.post(PATH, json=kit.chat(model="m")) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [424, 424]
    assert replies[1].headers["cf-aig-cache-status"] == "HIT"


def test_without_the_service_nothing_passes_that_may_be_blocked(gateway, kit):
    client = gateway(settings=PROMPT_BLOCK, switches={"guardrails_down": True})
    reply = client.post(PATH, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (503, 7013)


def test_without_the_service_a_call_passes_that_may_only_be_flagged(gateway, kit):
    settings = {"guardrails": {"prompt": {"S1": "FLAG"}}}
    client = gateway(settings=settings, switches={"guardrails_down": True})
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200


def test_a_scan_needs_credits(gateway, kit):
    client = gateway(settings=PROMPT_BLOCK, switches={"credits": 0.0})
    reply = client.post(PATH, json=kit.chat(model="m"), headers={"authorization": "Bearer own-key"})
    assert (reply.status_code, reply.json()["internalCode"]) == (402, 2021)


def test_another_check_can_be_put_in(gateway, kit):
    check = find_words({"S1": ["tulip"]})
    client = gateway(settings=PROMPT_BLOCK, guardrail_check=check)
    assert client.post(PATH, json=kit.chat("A Tulip!", model="m")).status_code == 424
    assert client.post(PATH, json=kit.chat("tulips", model="m")).status_code == 200


def test_dlp_blocks_a_request(gateway, kit):
    client = gateway(settings=dlp())
    reply = client.post(PATH, json=kit.chat("dlp-test", model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2029)
    assert reply.json()["message"] == "Request content blocked due to DLP policy violations"
    assert json.loads(reply.headers["cf-aig-dlp"]) == {
        "findings": [
            {
                "profile": {"context": {}, "entry_ids": [], "profile_id": "test"},
                "policy_ids": ["default"],
                "check": "REQUEST",
            }
        ],
        "action": "BLOCK",
    }
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["dlp_action"] == "BLOCK"


def test_dlp_blocks_a_response(gateway, kit):
    reply = gateway("a dlp-test", settings=dlp()).post(PATH, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2030)
    assert json.loads(reply.headers["cf-aig-dlp"])["findings"][0]["check"] == "RESPONSE"


def test_dlp_flags_and_lets_go_on(gateway, kit):
    client = gateway("a dlp-test", settings=dlp("FLAG"))
    reply = client.post(PATH, json=kit.chat("dlp-test", model="m"))
    found = json.loads(reply.headers["cf-aig-dlp"])
    assert (reply.status_code, found["action"]) == (200, "FLAG")
    assert [one["check"] for one in found["findings"]] == ["REQUEST", "RESPONSE"]
    rows = client.get(
        "/client/v4/accounts/acct/ai-gateway/gateways/gw/logs",
        params={"filters": '[{"key":"dlp_action","operator":"eq","value":["FLAG"]}]'},
        headers=kit.token,
    ).json()["result"]
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({"action": "BLOCK", "check": ["RESPONSE"]}, 200),
        ({"action": "BLOCK", "check": ["REQUEST"]}, 451),
        ({"action": "BLOCK", "enabled": False}, 200),
        ({"action": "BLOCK", "profiles": ["other"]}, 200),
    ],
)
def test_dlp_policies_say_what_they_look_at(gateway, kit, policy, status):
    policies = [{"id": "p1", "profiles": ["test"], **policy}]
    settings = {"dlp": {"enabled": True, "policies": policies}}
    client = gateway(settings=settings, switches={"dlp_status": 451})
    assert client.post(PATH, json=kit.chat("dlp-test", model="m")).status_code == status


def test_dlp_that_is_off_finds_nothing(gateway, kit):
    client = gateway(settings={"dlp": {"enabled": False, "action": "BLOCK", "profiles": ["test"]}})
    assert "cf-aig-dlp" not in client.post(PATH, json=kit.chat("dlp-test", model="m")).headers


def test_another_dlp_check_can_be_put_in(gateway, kit):
    settings = {"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["badge"]}}
    client = gateway(settings=settings, dlp_check=find_patterns({"badge": r"B-\d{4}"}))
    assert client.post(PATH, json=kit.chat("my badge is b-1234", model="m")).json()["internalCode"] == 2029


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("card 4111 1111 1111 1111", ["credit-cards"]),
        ("order 4111 1111 1111 1112", []),
        ("ssn 123-45-6789", ["us-social-security-numbers"]),
        ("write to a.b@example.org", ["email-addresses"]),
        ("-----BEGIN RSA PRIVATE KEY-----", ["secrets"]),
        ("nothing at all", []),
    ],
)
def test_the_built_in_dlp_knows_what_has_a_form(text, found):
    assert built_in_dlp()(text) == found


@pytest.mark.parametrize("name", [*(f"S{number}" for number in range(1, 14)), "P1"])
def test_every_hazard_category_has_a_marker(name):
    assert built_in_guardrails()(f"this is UNSAFE-{name}.") == [name]


def test_the_words_of_a_prompt_are_those_of_its_messages():
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "one"}]},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "two"}}]},
        ],
    }
    assert prompt_text(body) == "one\ntwo"
    assert prompt_text({"model": "m", "input": ["a", "b"]}) == "a\nb"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"id": "x", "choices": [{"message": {"role": "assistant", "content": "one"}}]}, "one"),
        ({"type": "message", "content": [{"type": "text", "text": "one"}]}, "one"),
        ({"output": [{"type": "message", "content": [{"type": "output_text", "text": "one"}]}]}, "one"),
        ({"result": {"response": "one"}, "success": True}, "one"),
        ({"result": {"choices": [{"message": {"content": "one"}}]}}, "one"),
        ([1], ""),
    ],
)
def test_the_words_of_an_answer_are_found_in_every_dialect(answer, said):
    assert said in answer_text(json.dumps(answer).encode()).split("\n")
    assert "assistant" not in answer_text(json.dumps(answer).encode())


@pytest.mark.parametrize("lists", [None, ["tulip"], {"S1": None}, {"S1": "tulip"}, {"S1": [5]}])
def test_words_that_are_no_dict_of_lists_are_refused(lists):
    with pytest.raises(ValueError, match=r"lists.*: expected a (dict|list of words); got "):
        find_words(lists)


@pytest.mark.parametrize("patterns", [None, "a", {"S1": None}, {"S1": "("}])
def test_patterns_that_are_no_dict_of_expressions_are_refused(patterns):
    with pytest.raises(ValueError, match=r"patterns.*: expected a (dict|regular expression); got "):
        find_patterns(patterns)
