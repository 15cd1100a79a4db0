"""Trouble on demand: failures by header, and upstreams that follow a script."""

import json
import re
import sys
from functools import partial

import anyio
import httpx
import pytest

from aigw import ConfigurationError
from aigw.local import LocalGateway, ScriptRequest, ScriptUpstream, UpstreamUnreachableError

PATH = "/v1/acct/gw/openai/chat/completions"


@pytest.fixture
def ask(open_client, kit):
    client = open_client(LocalGateway())

    def ask(fail, body=None, **headers):
        fields = {"aigw-local-fail": fail} | {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(PATH, json=body or kit.chat(model="m"), headers=fields)

    ask.client = client
    return ask


def test_a_call_fails_as_often_as_it_asks(ask):
    assert [ask("503x2").status_code for _ in range(4)] == [503, 503, 200, 503]


def test_a_failure_without_a_number_is_for_good(ask):
    assert [ask("500").status_code for _ in range(3)] == [500, 500, 500]


def test_failures_come_one_after_another(ask):
    assert [ask("503,429x2").status_code for _ in range(4)] == [503, 429, 429, 200]


def test_the_gateways_own_attempts_meet_the_failures(ask, kit):
    reply = ask("503x2", cf_aig_max_attempts="3", cf_aig_retry_delay="0")
    assert reply.status_code == 200
    assert len(kit.logs(ask.client, "gw")) == 1


def test_another_call_has_its_own_count(ask, kit):
    statuses = [ask("503x1", kit.chat(text, model="m")).status_code for text in ("a", "b", "a")]
    assert statuses == [503, 503, 200]


def test_a_failure_looks_like_the_providers_and_is_logged(ask, kit):
    reply = ask("429")
    assert reply.json()["error"]["type"] == "rate_limit_error"
    assert kit.log(ask.client, reply.headers["cf-aig-log-id"], "gw")["status_code"] == 429


def test_a_dropped_connection_is_2005(ask):
    reply = ask("dropx1")
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2005)
    assert ask("dropx1").status_code == 200


def test_a_stream_is_cut(ask, kit):
    with pytest.raises(httpx.RemoteProtocolError):
        ask("cut", kit.chat("hi", model="m", stream=True))
    assert kit.logs(ask.client, "gw")[0]["success"] is False


def test_a_whole_answer_that_is_cut_is_2005(ask):
    assert ask("cut").json()["internalCode"] == 2005


@pytest.mark.parametrize("text", ["200", "503x", "later", "600", "503;2"])
def test_what_cannot_be_read_is_ignored_with_a_warning(ask, text, caplog):
    assert ask(text).status_code == 200
    assert "aigw-local-fail" in caplog.text


def test_a_delay_runs_into_the_timeout(open_client, kit):
    client = open_client(LocalGateway())
    headers = {"aigw-local-delay": "5000", "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "2"}
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "query": kit.chat(model="slow"), "headers": headers},
        {"provider": "openai", "endpoint": "chat/completions", "query": kit.chat(model="fast")},
    ]
    reply = client.post("/v1/acct/gw", json=steps)
    assert (reply.status_code, reply.headers["cf-aig-step"]) == (200, "1")


def test_an_upstream_that_hangs_runs_into_the_timeout(ask):
    reply = ask("hangx1", cf_aig_request_timeout="20", cf_aig_max_attempts="2", cf_aig_retry_delay="0")
    assert reply.status_code == 200


def test_a_delay_that_is_no_number_is_ignored(open_client, kit, caplog):
    client = open_client(LocalGateway())
    assert client.post(PATH, json=kit.chat(model="m"), headers={"aigw-local-delay": "soon"}).status_code == 200
    assert "aigw-local-delay" in caplog.text


def send(script, body=None, endpoint="chat/completions"):
    async def main():
        reply = await script.send(endpoint, body or {"model": "m", "messages": []}, (("authorization", "Bearer k"),))
        if not isinstance(reply.body, bytes):
            return reply.status, b"".join([piece async for piece in reply.body])
        return reply.status, json.loads(reply.body)

    return anyio.run(main)


def test_a_text_is_an_answer():
    status, answer = send(ScriptUpstream(["hello there"]))
    assert (status, answer["choices"][0]["message"]) == (200, {"role": "assistant", "content": "hello there"})
    assert answer["usage"]["completion_tokens"] > 0


def test_a_number_is_an_error():
    assert send(ScriptUpstream([503])) == (
        503,
        {"error": {"message": "the script says 503", "type": "server_error", "param": None, "code": None}},
    )


def test_an_exception_is_raised():
    with pytest.raises(UpstreamUnreachableError, match="gone"):
        send(ScriptUpstream([UpstreamUnreachableError("gone")]))


def test_tool_calls_are_written_as_openai_writes_them():
    _, answer = send(ScriptUpstream([{"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]}]))
    call = answer["choices"][0]["message"]["tool_calls"][0]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def call_ids(answer):
    return answer["id"], [call["id"] for call in answer["choices"][0]["message"].get("tool_calls", [])]


def test_no_two_answers_of_a_script_have_an_id_in_common():
    find, named = {"name": "find"}, {"name": "find", "id": "mine"}
    turns = [{"tool_calls": [find, find], "times": 2}, {"tool_calls": [named]}, {"text": "done", "times": "forever"}]
    script = ScriptUpstream(turns)

    assert [call_ids(send(script)[1]) for _ in range(5)] == [
        ("chatcmpl-script-1", ["call_1_0", "call_1_1"]),
        ("chatcmpl-script-2", ["call_2_0", "call_2_1"]),
        ("chatcmpl-script-3", ["mine"]),
        ("chatcmpl-script-4", []),
        ("chatcmpl-script-5", []),
    ]


def test_a_streamed_answer_has_one_id_and_the_next_another():
    script = ScriptUpstream([{"tool_calls": [{"name": "find"}], "times": 2}])
    body = {"model": "m", "messages": [], "stream": True}
    for number in (1, 2):
        stream = send(script, body)[1].decode()
        chunks = [json.loads(line[6:]) for line in stream.split("\n\n") if line.startswith("data: {")]
        calls = [call["id"] for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
        assert ({chunk["id"] for chunk in chunks}, calls) == ({f"chatcmpl-script-{number}"}, [f"call_{number}_0"])


def test_pieces_are_streamed_one_by_one():
    body = {"model": "m", "messages": [], "stream": True, "stream_options": {"include_usage": True}}
    _, stream = send(ScriptUpstream([{"pieces": ["one ", "two"], "usage": [3, 2]}]), body)
    events = [line.removeprefix("data: ") for line in stream.decode().split("\n\n") if line]
    chunks = [json.loads(event) for event in events[:-1]]
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks[:-1]] == ["", "one ", "two", None]
    assert (chunks[-1]["usage"]["total_tokens"], events[-1]) == (5, "[DONE]")


def test_a_cut_stream_breaks_off():
    body = {"model": "m", "messages": [], "stream": True}
    with pytest.raises(UpstreamUnreachableError, match="cut"):
        send(ScriptUpstream([{"text": "one two three", "cut": 2}]), body)


def test_a_dropped_turn_has_no_answer():
    with pytest.raises(UpstreamUnreachableError, match="dropped"):
        send(ScriptUpstream([{"drop": True}]))


def test_embeddings_are_given_or_made_up():
    script = ScriptUpstream([{"embeddings": [[1.0, 2.0]]}, "anything"])
    body = {"model": "m", "input": "a text"}
    assert send(script, body, "embeddings")[1]["data"][0]["embedding"] == [1.0, 2.0]
    assert len(send(script, body, "embeddings")[1]["data"]) == 1


def test_a_whole_body_can_be_written_down():
    assert send(ScriptUpstream([{"json": {"error": "x"}, "status": 400}])) == (400, {"error": "x"})


def test_turns_repeat_and_end():
    script = ScriptUpstream([{"text": "a", "times": 2}, 418])
    assert [send(script)[0] for _ in range(4)] == [200, 200, 418, 500]
    assert send(ScriptUpstream([]))[1]["error"]["message"] == "the script has no turn left for this call"
    forever = ScriptUpstream([{"text": "a", "times": "forever"}])
    assert [send(forever)[0] for _ in range(3)] == [200, 200, 200]


def test_a_script_keeps_what_it_was_asked_and_its_repr_no_key():
    script = ScriptUpstream(["a"])
    send(script, {"model": "x", "messages": []})
    assert (script.requests[0].endpoint, script.requests[0].body["model"]) == ("chat/completions", "x")
    assert script.requests[0].headers["authorization"] == "Bearer k"
    assert "Bearer" not in repr(script.requests)


@pytest.mark.parametrize(("kept", "models"), [(2, ["b", "c"]), (1, ["c"]), (0, [])])
def test_a_script_keeps_the_last_requests(kept, models):
    script = ScriptUpstream([{"text": "a", "times": "forever"}], keep_requests=kept)
    for model in "abc":
        send(script, {"model": model, "messages": []})
    assert [request.body["model"] for request in script.requests] == models


@pytest.mark.parametrize("keep_requests", [-1, 1.5, "10", True, None])
def test_requests_cannot_be_kept_in_what_is_no_number_of_them(keep_requests):
    said = re.escape(f"keep_requests cannot be {keep_requests!r}: it is a whole number, 0 or more")
    for make in (LocalGateway, partial(ScriptUpstream, [])):
        with pytest.raises(ConfigurationError, match=said):
            make(keep_requests=keep_requests)


def test_a_script_that_is_asked_for_ever_keeps_a_thousand_requests(tmp_path):
    path = tmp_path / "script.json"
    path.write_text('[{"text": "a", "times": "forever"}]')
    for script in (ScriptUpstream([]), ScriptUpstream.load(path)):
        for number in range(1100):
            script._take(ScriptRequest("embeddings", {"number": number}, {}))
        assert [request.body["number"] for request in script.requests] == list(range(100, 1100))


def test_headers_of_a_turn_reach_the_caller(open_client, kit):
    upstream = ScriptUpstream([{"status": 429, "headers": {"Retry-After": 7}}])
    reply = open_client(LocalGateway(upstream=upstream)).post(PATH, json=kit.chat(model="m"))
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize(
    ("turn", "named"),
    [
        ({"txt": "a"}, "unknown key 'txt'"),
        (None, "a turn is"),
        (True, "a turn is"),
        ({"text": "a", "times": -1}, "times"),
        ({"text": "a", "times": "twice"}, "times"),
    ],
)
def test_what_is_no_turn_is_refused(turn, named):
    with pytest.raises(ValueError, match=named):
        ScriptUpstream([turn])


@pytest.mark.parametrize(
    ("name", "text"),
    [("script.json", '["hello", {"status": 429}]'), ("script.yaml", "- hello\n- status: 429\n")],
)
def test_a_script_is_read_from_a_file(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    script = ScriptUpstream.load(path)
    assert [send(script)[0] for _ in range(2)] == [200, 429]


def test_a_file_without_an_array_is_refused(tmp_path):
    path = tmp_path / "script.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"script\.json: expected an array"):
        ScriptUpstream.load(path)


def test_yaml_without_pyyaml_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "script.yaml"
    path.write_text("- hello\n")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pyyaml"):
        ScriptUpstream.load(path)
