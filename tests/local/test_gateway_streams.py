"""Streams: piece by piece, logged before their end is handed out, closed when the caller leaves or they break."""

import asyncio
import threading

import httpx
import pytest

from aigw.local import LocalGateway, Reply

PATH = "/v1/acct/gw/openai/chat/completions"
MESSAGES = "/v1/acct/gw/anthropic/v1/messages"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi there"}], "stream": True}
FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"Hello "}}]}\n\n'
SECOND = b'data: {"choices":[{"index":0,"delta":{"content":"world"},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}\n\n'
DONE = b"data: [DONE]\n\n"


class Gated:
    """An upstream whose stream stops at a gate until the test opens it; `closed` tells when it was let go."""

    provider = "gated"

    def __init__(self, before, after=()):
        self.before, self.after = before, after
        self.closed = threading.Event()

    async def send(self, endpoint, body, headers):  # noqa: ARG002
        self._loop, self._gate = asyncio.get_running_loop(), asyncio.Event()
        return Reply(200, (("content-type", "text/event-stream"),), self._pieces())

    def open(self):
        self._loop.call_soon_threadsafe(self._gate.set)

    async def _pieces(self):
        try:
            for piece in self.before:
                yield piece
            await self._gate.wait()
            for piece in self.after:
                yield piece
        finally:
            self.closed.set()


def test_a_piece_is_handed_out_before_the_next_is_there(open_client):
    upstream = Gated([FIRST], [SECOND, DONE])
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", PATH, json=BODY) as reply:
        pieces = reply.iter_raw()
        assert next(pieces) == FIRST
        upstream.open()
        assert b"".join(pieces) == SECOND + DONE


def test_a_translated_piece_is_handed_out_before_the_next_is_there(open_client):
    upstream = Gated([FIRST], [SECOND, DONE])
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", MESSAGES, json={**BODY, "max_tokens": 5}) as reply:
        pieces = reply.iter_text()
        begin = ""
        while "Hello " not in begin:
            begin += next(pieces)
        upstream.open()
        assert "message_stop" in "".join(pieces)


def test_the_headers_come_with_the_first_piece(open_client):
    upstream = Gated([FIRST], [DONE])
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", PATH, json=BODY, headers={"cf-aig-event-id": "mine"}) as reply:
        assert len(reply.headers["cf-aig-log-id"]) == 36
        assert reply.headers["cf-aig-event-id"] == "mine"
        assert reply.headers["cf-aig-provider"] == "gated"
        upstream.open()
        reply.read()


def test_the_log_is_there_as_soon_as_the_end_marker_has_been_read(open_client, kit):
    upstream = Gated([FIRST, SECOND, USAGE, DONE])  # the upstream's own end never comes
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", PATH, json=BODY) as reply:
        for line in reply.iter_lines():
            if line == "data: [DONE]":
                break
        log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["tokens_in"], log["tokens_out"]) == (True, 7, 9)
    assert log["response_head"].encode() == FIRST + SECOND + USAGE + DONE
    assert log["response_content_type"] == "text/event-stream"


def test_the_log_of_a_translated_stream_is_there_before_its_last_event(open_client, kit):
    upstream = Gated([FIRST, SECOND, USAGE, DONE])
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", MESSAGES, json={**BODY, "max_tokens": 5}) as reply:
        for line in reply.iter_lines():
            if line == "event: message_stop":
                break
        log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["tokens_in"], log["tokens_out"]) == (True, 7, 9)
    assert "message_stop" in log["response_head"]


def test_tokens_are_estimated_when_the_stream_does_not_report_them(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(FIRST, SECOND, DONE))))
    reply = client.post(PATH, json=BODY)
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["tokens_in"], log["tokens_out"]) == (2, 2)


def test_the_bytes_of_openais_shape_are_not_touched(open_client, kit):
    odd = b': keep-alive\n\ndata:{"choices":[]}\r\n\r\ndata: not json\n\ndata: [1]\n\ndata: [DONE]\n\n: bye\n\n'
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(odd[:20], odd[20:41], odd[41:]))))
    assert client.post(PATH, json=BODY).content == odd


def test_a_stream_that_breaks_is_seen_to_break_and_logged_as_a_failure(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(FIRST, ConnectionResetError("gone")))))
    with client.stream("POST", PATH, json=BODY) as reply:
        pieces = reply.iter_raw()
        assert next(pieces) == FIRST
        with pytest.raises(httpx.RemoteProtocolError):
            next(pieces)
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["status_code"], log["response_head"].encode()) == (False, 200, FIRST)


@pytest.mark.parametrize(("path", "more"), [(PATH, {}), (MESSAGES, {"max_tokens": 5})])
def test_a_stream_that_is_cut_short_is_not_made_to_look_whole(open_client, kit, path, more):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(FIRST))))
    reply = client.post(path, json={**BODY, **more})
    assert "[DONE]" not in reply.text
    assert "message_stop" not in reply.text
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["success"] is False


def test_a_stream_with_a_finish_reason_but_no_end_marker_is_whole(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(FIRST, SECOND))))
    reply = client.post(MESSAGES, json={**BODY, "max_tokens": 5})
    assert "message_stop" in reply.text
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["success"] is True


def test_an_error_inside_a_stream_is_logged_as_a_failure(open_client, kit):
    error = b'data: {"error":{"message":"overloaded"}}\n\n'
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(FIRST, error, DONE))))
    reply = client.post(PATH, json=BODY)
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["success"] is False


def test_a_caller_who_leaves_closes_the_upstream_and_leaves_a_log(open_client, kit):
    upstream = Gated([FIRST])
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", PATH, json=BODY) as reply:
        assert next(reply.iter_raw()) == FIRST
    assert upstream.closed.wait(5)
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["response_head"].encode()) == (True, FIRST)


def test_a_caller_who_reads_nothing_closes_the_upstream(open_client):
    upstream = Gated([FIRST])
    client = open_client(LocalGateway(upstream=upstream))
    with client.stream("POST", PATH, json=BODY):
        pass
    assert upstream.closed.wait(5)


def test_json_in_answer_to_a_stream_request_is_passed_on(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.completion("whole"))))
    reply = client.post(PATH, json=BODY)
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["choices"][0]["message"]["content"] == "whole"


def test_a_refused_stream_request_is_a_plain_error(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.failure(400, "no"))))
    reply = client.post(PATH, json=BODY)
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "no")


def test_many_streams_run_side_by_side(aigw_local, kit):
    with httpx.Client(base_url=aigw_local.base_url) as client:
        ids = []
        lock = threading.Barrier(8)

        def ask():
            lock.wait()
            body = kit.chat("Paris is the capital of France. Name it.", model="m", stream=True)
            reply = client.post(PATH, json=body)
            assert reply.text.endswith("data: [DONE]\n\n")
            ids.append(reply.headers["cf-aig-log-id"])

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {log["id"] for log in kit.logs(client, "gw")} == set(ids)
        assert len(set(ids)) == 8


@pytest.mark.parametrize(
    "chunk",
    [b'{"choices":5}', b'{"choices":[1]}', b'{"choices":[{"delta":7}]}', b'{"choices":[{"delta":{"tool_calls":3}}]}'],
)
def test_odd_chunks_pass_untouched_in_openais_shape(open_client, kit, chunk):
    content = b"data: " + chunk + b"\n\n" + DONE
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(content))))
    assert client.post(PATH, json=BODY).content == content


def test_a_chunk_that_cannot_be_translated_breaks_the_stream(open_client, kit, caplog):
    odd = b'data: {"choices":5}\n\n'
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.streamed(FIRST, odd, SECOND, DONE))))
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("POST", MESSAGES, json={**BODY, "max_tokens": 5}) as reply,
    ):
        reply.read()
    assert "cannot be read" in caplog.text
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["success"] is False
