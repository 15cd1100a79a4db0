"""What a test asks of a gateway, with a server and inside the process: logs, requests, scripts, feedback."""

import asyncio
import threading

import httpx
import pytest

from aigw import AIGateway, AsyncAIGateway, InternalServerError, LogNotFoundError, RateLimitError, StreamTruncatedError
from aigw.local import LocalGateway, OfflineUpstream, Reply, UpstreamRequest, json_reply
from aigw.local._for_tests._asked import MAX_BYTES, UpstreamRequests
from langchain_aigw import ChatCloudflareAIGateway
from llamaindex_aigw import CloudflareAIGateway


@pytest.fixture(params=["aigw_local", "aigw_transport"])
def gateway(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def client(gateway):
    """A client that takes its account from the environment, as the fixtures set it."""
    http_client = None if isinstance(gateway, LocalGateway) else gateway.client()
    with AIGateway(max_retries=0, http_client=http_client) as client:
        yield client


def chat(client, text="Say hello.", model="openai/gpt-5-mini", **options):
    return client.chat({"model": model, "messages": [{"role": "user", "content": text}]}, gateway=options)


def new_client(gateway):
    return AIGateway("acct", "token", base_url=gateway.base_url, max_retries=0)


def test_logs_are_there_at_once_in_the_order_of_the_answers(gateway, client):
    ids = [chat(client, text).info.log_id for text in ("one", "two", "three")]
    assert gateway.logs.log_ids == ids
    assert [log.id for log in gateway.logs[1:]] == ids[1:]
    assert (gateway.logs[-1].id, len(gateway.logs)) == (ids[-1], 3)


def test_logs_are_live(gateway, client):
    logs = gateway.logs
    assert (not logs, logs == []) == (True, True)
    chat(client)
    assert (len(logs), logs == gateway.logs) == (1, True)


def test_a_stream_is_logged_when_its_end_has_been_read(gateway, client):
    with client.stream_chat({"model": "openai/m", "messages": [{"role": "user", "content": "hi"}]}) as stream:
        text = "".join(chunk.text for chunk in stream)
    assert text
    assert gateway.logs[0].id == stream.info.log_id


def test_logs_are_chosen_by_field_metadata_gateway_and_function(gateway, client):
    chat(client, metadata={"team": "red", "n": 1})
    chat(client, metadata={"team": "blue"}, id="other")
    chat(client, model="anthropic/claude-haiku-4.5")
    ids = gateway.logs.log_ids
    assert gateway.logs.where(metadata={"team": "red"}).log_ids == ids[:1]
    assert len(gateway.logs.where(metadata={"team": "red"})) == 1
    assert gateway.logs.where(gateway_id="other").log_ids == ids[1:2]
    assert gateway.logs.where(lambda log: "claude" in log.model).log_ids == ids[2:]
    assert gateway.logs.where(success=True).where(gateway_id="default").log_ids == [ids[0], ids[2]]


def test_a_field_no_log_has_is_refused_with_the_nearest(gateway):
    with pytest.raises(ValueError, match="a log has no 'modle'; did you mean 'model'"):
        gateway.logs.where(modle="m")


def test_a_log_shows_what_tells_it_from_others(gateway, client):
    log_id = chat(client, cache_key="k").info.log_id
    chat(client, cache_key="k")
    client.gateway().patch_log(log_id, feedback=-1)
    assert f"<{log_id} openai/gpt-5-mini 200 feedback=-1>" in repr(gateway.logs)
    assert repr(gateway.logs).endswith(" 200 HIT>]")


def test_there_are_no_logs_before_a_gateway_begins_and_after_it_ends():
    gateway = LocalGateway()
    with pytest.raises(RuntimeError, match="has not begun, or has ended"):
        _ = gateway.logs
    with gateway:
        assert gateway.logs == []
    with pytest.raises(RuntimeError, match="has not begun, or has ended"):
        _ = gateway.logs


def test_requests_say_provider_path_body_and_no_secret(gateway):
    http = gateway.client() if not isinstance(gateway, LocalGateway) else None
    key, messages = "sk-planted", [{"role": "user", "content": "hi"}]
    with AIGateway(provider_key=key, http_client=http) as client:
        client.completions({"model": "openai/gpt-5-mini", "messages": messages})
    asked = gateway.requests[-1]
    assert (asked.provider, asked.path) == ("openai", "chat/completions")
    assert asked.body == {"model": "openai/gpt-5-mini", "messages": messages}
    assert asked.headers["authorization"] == "***"
    assert "planted" not in repr(gateway.requests) + repr(vars(gateway))


def test_an_answer_from_the_cache_is_no_request(gateway, client):
    for _ in range(3):
        chat(client, cache_key="k")
    assert (len(gateway.logs), len(gateway.requests)) == (3, 1)


def test_requests_are_what_a_provider_gets_in_openai_s_shape(gateway, client):
    body = {"model": "anthropic/claude-haiku-4.5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    client.messages(body)
    assert gateway.requests[0].provider == "anthropic"
    assert gateway.requests[0].body["messages"] == [{"role": "user", "content": "hi"}]


def test_requests_can_be_compared_cut_and_forgotten(gateway, client):
    chat(client, "one")
    chat(client, "two")
    assert gateway.requests == list(gateway.requests)
    assert [one.body["messages"][0]["content"] for one in gateway.requests[1:]] == ["two"]
    gateway.requests.clear()
    assert gateway.requests == []
    assert chat(client).info.log_id


def test_a_request_that_was_looked_at_cannot_be_changed_behind_the_record(gateway, client):
    chat(client)
    gateway.requests[0].body["model"] = "changed"
    assert gateway.requests[0].body["model"] == "openai/gpt-5-mini"


def test_requests_are_bounded_in_number_and_in_size():
    few = UpstreamRequests(3)
    for number in range(5):
        few.record("openai", "embeddings", (), {"n": number})
    assert [one.body["n"] for one in few] == [2, 3, 4]
    large = UpstreamRequests(10)
    for _ in range(4):
        large.record("openai", "embeddings", (), {"text": "x" * (MAX_BYTES // 2)})
    assert len(large) == 1
    large.record("openai", "embeddings", (), {})
    assert large == [large[0], UpstreamRequest("openai", "embeddings", {}, {})]


def test_a_gateway_that_keeps_no_requests_has_none():
    gateway = LocalGateway(keep_requests=0)
    with AIGateway("acct", "token", http_client=httpx.Client(transport=gateway.transport())) as client:
        chat(client)
    assert gateway.requests == []
    assert len(gateway.logs) == 1


def test_a_script_gives_the_next_replies_and_then_the_upstream_answers_again(gateway, client):
    gateway.script(["One.", "Two."])
    assert [chat(client).text for _ in range(2)] == ["One.", "Two."]
    assert "offline model" in chat(client).text


def test_a_script_answers_in_the_name_of_the_provider_asked(gateway, client):
    with gateway.script([{"text": "Hi.", "usage": [1_000_000, 0]}]):
        info = chat(client).info
    assert (info.provider, info.model) == ("openai", "gpt-5-mini")
    assert (gateway.logs[-1].provider, gateway.logs[-1].cost) == ("openai", 0.25)
    assert chat(client).info.provider == "local"


def test_answers_of_several_scripts_have_ids_of_their_own(gateway, client):
    gateway.script(["a", "b"])
    gateway.script(["c"])
    with gateway.script(["block"]):
        ids = [chat(client).id]
    ids += [chat(client).id for _ in range(3)]

    assert ids == [f"chatcmpl-script-{number}" for number in range(1, 5)]


def test_a_body_that_was_not_kept_is_told_from_a_log_that_is_not_there(client):
    log_id = chat(client, collect_log_payload=False).info.log_id
    logs = client.gateway()

    assert logs.get_log(log_id).id == log_id
    for read in (logs.log_request, logs.log_response):
        with pytest.raises(LogNotFoundError, match=r"its body was not kept \(collect_log_payload"):
            read(log_id)


def test_scripts_follow_one_another_and_a_block_goes_first(gateway, client):
    gateway.script(["one"])
    gateway.script(["two"])
    with gateway.script(["block"]):
        assert chat(client).text == "block"
    assert [chat(client).text for _ in range(2)] == ["one", "two"]


def test_blocks_nest(gateway, client):
    with gateway.script(["outer 1", "outer 2"]) as outer:
        assert chat(client).text == "outer 1"
        with gateway.script(["inner"]):
            assert chat(client).text == "inner"
        assert (outer.played, outer.left) == (1, 1)
        assert chat(client).text == "outer 2"


def test_turns_left_at_the_end_of_a_block_are_told(gateway, client):
    script = gateway.script(["one", {"text": "two", "times": 2}, 503])
    with pytest.raises(AssertionError) as caught, script:
        chat(client)
    assert str(caught.value) == (
        "3 of the script's 4 turns not played: turn 2 ({'text': 'two', 'times': 2}), turn 3 (503)"
    )


def test_many_turns_left_are_told_by_the_first_few(aigw_transport):
    with pytest.raises(AssertionError, match=r"9 of .* 9 turns not played: turn 1 .*, turn 5 \('5'\) and 4 more$"):  # noqa: SIM117
        with aigw_transport.script(list("123456789")):
            pass


def test_a_call_too_many_in_a_block_is_a_500_and_told_at_its_end(gateway, client):
    script = gateway.script(["one"]).__enter__()
    chat(client)
    with pytest.raises(InternalServerError, match="the script has 1 turns, and call 2 came"):
        chat(client)
    with pytest.raises(AssertionError, match="the script has 1 turns, and call 2 came"):
        script.__exit__(None, None, None)


def test_an_error_in_a_block_is_not_hidden_by_the_turns_it_left(gateway):
    with pytest.raises(ZeroDivisionError), gateway.script(["never"]):
        _ = 1 / 0


def test_turns_left_when_a_gateway_ends_are_told():
    with pytest.raises(AssertionError, match=r"1 of the script's 1 turns not played: turn 1 \('never'\)"):  # noqa: SIM117
        with LocalGateway() as gateway:
            gateway.script(["never"])


def test_a_turn_that_is_taken_forever_may_be_left(gateway, client):
    with gateway.script([{"text": "again", "times": "forever"}]) as script:
        assert [chat(client).text for _ in range(3)] == ["again"] * 3
    assert script.left == 0


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        (["one", {"txt": "two"}], "script: turn 2: unknown key 'txt' of a turn"),
        (["one", "two", None], "script: turn 3: a turn is a text"),
        ([{"text": "one", "times": -1}], "script: turn 1: times: expected a whole number"),
        ("one", "script: expected a list of turns; got 'one'"),
        ([{"text": 5}], "script: turn 1: text: expected a text; got 5"),
        ([{"pieces": [1]}], r"script: turn 1: pieces: expected a list of texts; got \[1\]"),
        ([{"tool_calls": [{"arguments": {}}]}], "script: turn 1: tool_calls: expected a list of objects with a name"),
        ([{"text": "one", "usage": 5}], r"script: turn 1: usage: expected \[tokens in, tokens out\]; got 5"),
        ([{"embeddings": [1, 2]}], "script: turn 1: embeddings: expected a list of vectors"),
        ([{"status": "503"}], "script: turn 1: status: expected a status from 100 to 599; got '503'"),
        ([{"text": "one", "delay": "1s"}], "script: turn 1: delay: expected milliseconds, up to a day; got '1s'"),
        ([{"text": "one", "delay": float("inf")}], "script: turn 1: delay: expected milliseconds, up to a day"),
        ([{"text": "one", "headers": []}], "script: turn 1: headers: expected an object"),
        ([{"text": "one", "cut": "x"}], "script: turn 1: cut: expected a whole number of pieces; got 'x'"),
    ],
)
def test_a_wrong_turn_is_told_by_its_number(aigw_transport, turns, says):
    with pytest.raises(ValueError, match=says):
        aigw_transport.script(turns)


def test_a_function_that_raises_is_told_with_its_turn(aigw_transport, caplog):
    def wrong() -> Reply:
        raise KeyError("oops")

    with aigw_transport.script(["one", wrong]), AIGateway(http_client=aigw_transport.client(), max_retries=0) as client:
        chat(client)
        with pytest.raises(InternalServerError):
            chat(client)
    assert "raised by turn 2 of the script" in caplog.text.replace(f" ({wrong!r})"[:62] + "...)", "")


def test_a_reply_a_status_a_delay_and_a_cut_stream_can_be_scripted(gateway, client):
    turns = [
        json_reply(200, {"choices": []}),
        {"status": 429, "message": "slow down"},
        {"pieces": ["a", "b"], "cut": 2},
    ]
    with gateway.script(turns):
        assert chat(client).choices == ()
        with pytest.raises(RateLimitError, match="slow down"):
            chat(client)
        with (
            pytest.raises(StreamTruncatedError),
            client.stream_chat({"model": "openai/m", "messages": [{"role": "user", "content": "hi"}]}) as stream,
        ):
            list(stream)
    assert [log.success for log in gateway.logs] == [True, False, False]


def test_embeddings_leave_turns_alone_that_only_speak(gateway, client):
    with gateway.script(["spoken", {"embeddings": [[1.0, 0.0]]}]):
        assert len(client.embed({"model": "openai/text-embedding-3-small", "input": "a"}).vectors[0]) > 2
        assert chat(client).text == "spoken"
        assert client.embed({"model": "openai/text-embedding-3-small", "input": "a"}).vectors == [[1.0, 0.0]]


def test_a_script_is_before_the_upstream_of_a_single_provider():
    with LocalGateway(upstreams={"openai": OfflineUpstream()}) as gateway, new_client(gateway) as client:
        gateway.script(["scripted"])
        assert chat(client).text == "scripted"


@pytest.mark.disable_socket
def test_the_models_of_both_frameworks_take_the_client_with_sockets_shut(aigw_transport):
    http_client = aigw_transport.client()
    with aigw_transport.script(["one", {"pieces": ["t", "wo"]}, "three"]):
        chain = ChatCloudflareAIGateway(model="openai/gpt-5-mini", http_client=http_client)
        assert chain.invoke("hi").content == "one"
        assert "".join(chunk.content for chunk in chain.stream("hi")) == "two"
        assert CloudflareAIGateway(model="openai/gpt-5-mini", http_client=http_client).complete("hi").text == "three"


async def test_the_models_of_both_frameworks_take_the_asynchronous_client(aigw_transport):
    http_client = aigw_transport.async_client()
    with aigw_transport.script(["one", "two"]):
        chain = ChatCloudflareAIGateway(model="openai/gpt-5-mini", http_async_client=http_client)
        assert (await chain.ainvoke("hi")).content == "one"
        engine = CloudflareAIGateway(model="openai/gpt-5-mini", http_async_client=http_client)
        assert (await engine.acomplete("hi")).text == "two"


def test_the_transport_goes_on_when_a_client_closes(aigw_transport):
    with aigw_transport.client() as first:
        assert first.get("/").status_code == 200
    assert aigw_transport.client().get("/").status_code == 200


def test_every_turn_is_taken_once_by_many_threads(gateway, client):
    with gateway.script([str(number) for number in range(40)]):
        texts = []
        work = [threading.Thread(target=lambda: texts.append(chat(client).text)) for _ in range(40)]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert sorted(texts, key=int) == [str(number) for number in range(40)]
    assert len(gateway.requests) == 40


def test_feedback_that_arrived_is_expected(gateway, client):
    log_id = chat(client, metadata={"team": "red"}).info.log_id
    client.gateway().patch_log(log_id, feedback=1, score=90, metadata={"by": "judge"})
    assert gateway.expect_feedback(log_id).id == log_id
    assert gateway.expect_feedback(log_id, feedback=1, score=90, metadata={"by": "judge"}).metadata == {
        "team": "red",
        "by": "judge",
    }


def test_feedback_that_comes_later_is_waited_for(gateway, client):
    log_id = chat(client).info.log_id
    timer = threading.Timer(0.1, client.gateway().patch_log, [log_id], {"feedback": -1})
    timer.start()
    assert gateway.expect_feedback(log_id, feedback=-1).feedback == -1
    timer.join()


def test_feedback_that_was_taken_back_is_expected_as_none(gateway, client):
    log_id = chat(client).info.log_id
    client.gateway().patch_log(log_id, feedback=1, score=5)
    client.gateway().patch_log(log_id, feedback=None)
    assert gateway.expect_feedback(log_id, feedback=None).score == 5


def test_feedback_that_does_not_come_is_told_with_what_did_and_the_logs(gateway, client):
    log_id = chat(client, metadata={"team": "red"}).info.log_id
    client.gateway().patch_log(log_id, score=2)
    with pytest.raises(AssertionError) as caught:
        gateway.expect_feedback(log_id, feedback=1, wait=0.02)
    assert str(caught.value) == (
        f"no feedback=1 for log {log_id!r} within 0.02 s; it has feedback=None, score=2, metadata={{'team': 'red'}}\n"
        f"the last 1 of 1 logs:\n  <{log_id} openai/gpt-5-mini 200 score=2>"
    )


def test_feedback_for_a_log_that_is_not_there_is_told(aigw_transport):
    with pytest.raises(AssertionError, match=r"there is no such log\nthere are no logs"):
        aigw_transport.expect_feedback("no-such-log", wait=0)


async def test_in_an_event_loop_the_loop_goes_on_meanwhile(gateway):
    http = None if isinstance(gateway, LocalGateway) else gateway.async_client()
    async with AsyncAIGateway(http_client=http) as client:
        answer = await client.chat({"model": "openai/m", "messages": [{"role": "user", "content": "hi"}]})

        async def rate():
            await asyncio.sleep(0.05)
            await client.gateway().patch_log(answer.info.log_id, feedback=1)

        task = asyncio.create_task(rate())
        log = await gateway.aexpect_feedback(answer.info.log_id, feedback=1)
        await task
        with pytest.raises(AssertionError, match="no score=1"):
            await gateway.aexpect_feedback(answer.info.log_id, score=1, wait=0.02)
    assert log.feedback == 1
