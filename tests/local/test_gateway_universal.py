"""The universal endpoint: steps, fallback, and what a step inherits."""

import pytest

from aigw.local import LocalGateway

PATH = "/v1/acct/gw"


def step(provider="openai", endpoint="chat/completions", **more):
    query = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    return {"provider": provider, "endpoint": endpoint, "query": query, **more}


@pytest.fixture
def ask(open_client, kit):
    def start(*turns):
        upstream = kit.Scripted(*turns)
        client = open_client(LocalGateway(upstream=upstream))

        def ask(body, **headers):
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.post(PATH, json=body, headers=fields)

        ask.client, ask.upstream = client, upstream
        return ask

    return start


def test_the_first_step_that_succeeds_answers_and_is_named(ask, kit):
    ask = ask(kit.failure(500, "down"), kit.failure(404, "gone"), kit.completion("third"), RuntimeError())
    reply = ask([step(), step("groq"), step("mistral", "v1/chat/completions"), step()])
    assert reply.json()["choices"][0]["message"]["content"] == "third"
    assert reply.headers["cf-aig-step"] == "2"


def test_when_all_fail_the_last_answer_is_given(ask, kit):
    ask = ask(kit.failure(500, "first"), kit.failure(418, "second"))
    reply = ask([step(), step()])
    assert (reply.status_code, reply.json()["error"]["message"]) == (418, "second")
    assert reply.headers["cf-aig-step"] == "1"


def test_every_step_has_a_log_and_the_steps_share_the_request_id(ask, kit):
    ask = ask(kit.failure(500, "down"), kit.completion("yes"))
    reply = ask([step(), step("groq")], cf_aig_event_id="mine", cf_aig_metadata='{"plan":"gold"}')
    second, first = kit.logs(ask.client, "gw")
    assert (first["step"], first["success"], first["provider"], first["status_code"]) == (0, False, "openai", 500)
    assert (second["step"], second["success"], second["provider"], second["status_code"]) == (1, True, "groq", 200)
    assert (first["id"], second["id"]) == (reply.headers["cf-aig-request-id"], reply.headers["cf-aig-log-id"])
    assert {first["event_id"], second["event_id"], reply.headers["cf-aig-event-id"]} == {"mine"}
    assert first["metadata"] == second["metadata"] == {"plan": "gold"}
    assert first["request_type"] == "universal"


def test_a_single_object_is_one_step(ask, kit):
    reply = ask(kit.completion("one"))(step())
    assert (reply.status_code, reply.headers["cf-aig-step"]) == (200, "0")


def test_a_step_may_ask_compat_and_workers_ai(ask, kit):
    ask = ask(kit.completion("one"))
    query = {"model": "openai/gpt-5", "messages": [{"role": "user", "content": "hi"}]}
    assert ask([{**step("compat"), "query": query}]).status_code == 200
    reply = ask([{"provider": "workers-ai", "endpoint": "@cf/meta/llama-3.1-8b-instruct", "query": {"prompt": "hi"}}])
    assert reply.json()["result"]["response"] == "one"


def test_a_streamed_step_is_relayed(ask, kit):
    ask = ask(kit.failure(503, "busy"), kit.streamed(b"data: [DONE]\n\n"))
    reply = ask([step(), step()])
    assert reply.text == "data: [DONE]\n\n"
    assert reply.headers["cf-aig-step"] == "1"


def test_a_steps_own_headers_reach_its_provider_and_the_requests_do_not(ask, kit):
    ask = ask(kit.failure(500, "down"), kit.completion("yes"))
    own = {"Authorization": "Bearer key-of-step-0"}
    ask([step(headers=own), step(authorization="Bearer key-of-step-1")], authorization="Bearer of-the-request")
    sent = [headers.get("authorization") for _, _, headers in ask.upstream.asked]
    assert sent == ["Bearer key-of-step-0", "Bearer key-of-step-1"]


def test_attempts_of_a_step_come_before_the_next_step(ask, kit):
    ask = ask(kit.failure(500, "1"), kit.failure(500, "2"), kit.completion("next"))
    reply = ask([step(config={"maxAttempts": 2, "retryDelay": 0}), step()])
    assert (reply.headers["cf-aig-step"], len(ask.upstream.asked)) == ("1", 3)


def test_a_steps_headers_come_before_its_config_and_that_before_the_requests_headers(ask, kit):
    ask = ask(kit.failure(500, "down"))
    config = {"maxAttempts": 2}
    ask([step(config=config)], cf_aig_max_attempts="3", cf_aig_retry_delay="0")
    assert len(ask.upstream.asked) == 2
    ask([step(config=config, headers={"cf-aig-max-attempts": 4})], cf_aig_max_attempts="3", cf_aig_retry_delay="0")
    assert len(ask.upstream.asked) == 6


def test_a_connection_that_failed_moves_on(ask, kit):
    reply = ask(ConnectionRefusedError("nobody there"), kit.completion("yes"))([step(), step()])
    assert reply.headers["cf-aig-step"] == "1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], 2019),
        ("text", 2019),
        ([1], 2019),
        ([{"provider": "openai"}], 2019),
        ([{**step(), "headers": "x"}], 2019),
        ([step(), step("nobody")], 2008),
    ],
)
def test_a_request_that_is_not_made_of_steps_is_refused_whole(ask, kit, body, code):
    ask = ask(kit.completion("never"))
    reply = ask(body)
    assert (reply.status_code, reply.json()["internalCode"]) == (400, code)
    assert ask.upstream.asked == []
