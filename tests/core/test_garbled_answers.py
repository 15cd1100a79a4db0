"""Answers that are broken as HTTP: one of our errors in every driver, never another library's."""

import pytest

from aigw import AIGatewayError, APIConnectionError, StreamError

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncf-aig-log-id: 01LOG\r\n"
BODY = b'{"choices":[]}'

BROKEN = [
    pytest.param(b"hello world\r\n\r\n", id="no-http"),
    pytest.param(b"HTTP/1.1 200 OK\r\n", id="half-a-head"),
    pytest.param(HEAD + b"content-length: 99\r\n\r\n" + BODY, id="half-a-body"),
    pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", id="no-chunk"),
    pytest.param(HEAD + b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nabcde", id="no-gzip"),
    pytest.param(HEAD + b"content-encoding: gz\xef\r\ncontent-length: 14\r\n\r\n" + BODY, id="encoding-beyond-ascii"),
    pytest.param(HEAD + b"x-long: " + b"a" * 200_000 + b"\r\ncontent-length: 0\r\n\r\n", id="endless-head"),
]

READABLE = [
    pytest.param(HEAD + b"\r\n" + BODY, id="without-a-length"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"content-length: 14\r\n\r\n" + BODY, id="after-a-continue"),
    pytest.param(HEAD + b"cf-aig-model: \xfc\xff\r\ncontent-length: 14\r\n\r\n" + BODY, id="header-beyond-ascii"),
]


@pytest.mark.parametrize("answer", BROKEN)
async def test_a_broken_answer_is_a_connection_error_and_not_asked_for_again(driver, server, wire, answer):
    server.will(wire.Reply(pieces=(answer,), cut="raw"))

    with pytest.raises(APIConnectionError) as broken:
        await driver.done(driver.client(server).chat(wire.chat))
    assert (broken.value.request_sent, len(server.requests)) == (True, 1)


@pytest.mark.parametrize("answer", BROKEN)
async def test_a_broken_stream_is_one_of_our_errors(driver, server, wire, answer):
    server.will(wire.Reply(pieces=(answer,), cut="raw"))

    with pytest.raises(AIGatewayError) as broken:
        await driver.items(await driver.done(driver.client(server).stream_chat(wire.chat)))
    assert isinstance(broken.value, APIConnectionError | StreamError)


@pytest.mark.parametrize("answer", READABLE)
async def test_an_unusual_answer_is_read(driver, server, wire, answer):
    server.will(wire.Reply(pieces=(answer,), cut="raw"))

    assert (await driver.done(driver.client(server).chat(wire.chat))).info.log_id == "01LOG"
