"""What each streaming method puts on the wire and gives back, in every driver."""

import pytest

from aigw import GuardrailBlockedError

REST = "/client/v4/accounts/acct/ai"
HOST = "/v1/acct/default"
CHAT = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}
MESSAGES = {**CHAT, "model": "anthropic/claude-haiku-4.5"}
STEP = {"provider": "openai", "endpoint": "responses", "query": {"input": "Hi"}}
END = b'data: {"type": "message_stop"}\n\n'
STREAMS = [
    pytest.param(lambda c: c.stream_run("@cf/a/b", {"prompt": "Hi"}), f"{REST}/run", id="stream-run"),
    pytest.param(lambda c: c.stream_chat(CHAT), f"{REST}/v1/chat/completions", id="stream-chat"),
    pytest.param(lambda c: c.stream_completions(CHAT), f"{REST}/v1/chat/completions", id="stream-completions"),
    pytest.param(lambda c: c.stream_responses(CHAT), f"{REST}/v1/responses", id="stream-responses"),
    pytest.param(lambda c: c.stream_messages(MESSAGES), f"{REST}/v1/messages", id="stream-messages"),
    pytest.param(lambda c: c.gateway().stream_run([STEP]), HOST, id="gateway-stream-run"),
]


@pytest.mark.parametrize(("call", "path"), STREAMS)
async def test_a_stream_sends_its_request_and_tells_the_facts_once(driver, server, wire, call, path):
    server.will(wire.sse(b'data: {"a": 1}\n\n', b'data: {"a": 2}\n\n', END, wire.done, headers=wire.ids))

    stream = await driver.done(call(driver.client(server)))
    items = await driver.items(stream)

    (request,) = server.requests
    body = request.json[0]["query"] if path == HOST else request.json
    assert (request.method, request.path) == ("POST", path)
    assert (body.get("input") if path.endswith("/run") else body)["stream"] is True
    assert [item.info and item.info.log_id for item in items] == ["01LOG", None, None]
    assert stream.info == items[0].info


@pytest.mark.parametrize("call", [pytest.param(row.values[0], id=row.id) for row in STREAMS])
async def test_a_stream_that_is_refused_raises_with_the_body_and_the_log(driver, server, wire, call):
    server.will(wire.failure(424, 2016, "Prompt blocked", *wire.ids))
    client = driver.client(server)

    with pytest.raises(GuardrailBlockedError, match="Prompt blocked") as refused:
        await driver.items(await driver.done(call(client)))
    assert (refused.value.log_id, refused.value.code, client.log_id) == ("01LOG", 2016, "01LOG")
