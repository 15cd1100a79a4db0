"""A stream whose provider failed on the way, though it ended in good order: an error with the log id, and no answer."""

import asyncio
import json
import socket
import threading

import pytest

import aigw

BEGINNING = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}
FAILED_CHOICE = {"index": 0, "delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "engine died"}}
FAILURES = [
    pytest.param({"object": "error", "message": "engine died", "type": "Internal", "code": 502}, 502, id="vllm"),
    pytest.param(
        {"success": False, "errors": [], "messages": [{"code": 502, "message": "engine died"}]}, 502, id="envelope"
    ),
    pytest.param({"id": "c", "choices": [FAILED_CHOICE]}, 502, id="choice"),
    pytest.param({"error": {"message": "engine died", "code": 502}}, 502, id="error"),
]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncf-aig-log-id: 01LOG\r\nconnection: close\r\n\r\n"


def sse(*values):
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values) + b"data: [DONE]\n\n"


@pytest.fixture
def provider():
    """Give the URL of a server that answers with these bytes."""
    listeners = []

    def serve(listener, answer):
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as asked:
            size = 0
            while line := asked.readline().strip():
                size = int(line.split(b":")[1]) if line.lower().startswith(b"content-length:") else size
            asked.read(size)
            connection.sendall(answer)

    def provider(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(listener, answer), daemon=True)
        thread.start()
        listeners.append((listener, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield provider
    for listener, thread in listeners:
        thread.join(5)
        listener.close()


@pytest.mark.parametrize(("failure", "code"), FAILURES)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_failure_before_done_is_raised_with_its_code_and_log(adapter, provider, failure, code, is_async):
    url = provider(HEAD + sse(BEGINNING, failure))
    model = adapter.make(model="openai/m", account_id="acct", api_token="t", base_url=url, max_retries=0)
    came = []

    async def read():
        came.extend([chunk async for chunk in await adapter.astream(model)])
        await model.aclose()

    with pytest.raises(aigw.StreamError, match="engine died") as failed:
        asyncio.run(read()) if is_async else came.extend(adapter.stream(model))
    model.close()
    assert (failed.value.code, failed.value.log_id) == (code, "01LOG")
