"""What the drivers do when a call fails: tried again only where that is safe, counted at the server."""

import time

import pytest

from aigw import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    InternalServerError,
    RateLimitError,
    SpendLimitError,
    StreamTruncatedError,
    capture_logs,
)

AGAIN = ("retry-after", "0")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_later_is_tried_again(driver, server, wire, status):
    server.will(wire.failure(status, 0, "Later", AGAIN), wire.json(wire.completion("Now")))

    assert (await driver.done(driver.client(server).chat(wire.chat))).text == "Now"
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


async def test_the_last_failure_is_raised_when_the_tries_are_used_up(driver, server, wire):
    server.will(*(wire.failure(500, number, "Internal", AGAIN) for number in (1, 2, 3, 4)))

    with pytest.raises(InternalServerError) as failed:
        await driver.done(driver.client(server, max_retries=2).chat(wire.chat))
    assert (failed.value.code, failed.value.retry_after, len(server.requests)) == (3, 0.0, 3)


async def test_without_retries_there_is_one_try(driver, server, wire):
    server.will(wire.failure(503, 1, "Later", AGAIN))

    with pytest.raises(InternalServerError):
        await driver.done(driver.client(server, max_retries=0).chat(wire.chat))
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [2041, 2045])
async def test_a_spend_limit_is_not_tried_again(driver, server, wire, code):
    server.will(wire.failure(429, code, "Spend limit exceeded", AGAIN))

    with pytest.raises(SpendLimitError):
        await driver.done(driver.client(server).chat(wire.chat))
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 424])
async def test_a_no_is_not_tried_again(driver, server, wire, status):
    server.will(wire.json({"error": {"message": "No"}}, status, AGAIN))

    with pytest.raises(Exception, match="No"):
        await driver.done(driver.client(server).chat(wire.chat))
    assert len(server.requests) == 1


async def test_a_wait_that_is_too_long_is_left_to_the_caller(driver, server, wire):
    server.will(wire.failure(429, 2003, "Rate limited", ("retry-after", "3600")))

    with pytest.raises(RateLimitError) as failed:
        await driver.done(driver.client(server).chat(wire.chat))
    assert (failed.value.retry_after, len(server.requests)) == (3600.0, 1)


async def test_retry_after_is_waited_for(driver, server, wire):
    server.will(wire.failure(429, 2003, "Rate limited", ("retry-after-ms", "120")), wire.json(wire.completion()))
    began = time.monotonic()
    await driver.done(driver.client(server).chat(wire.chat))

    assert 0.12 <= time.monotonic() - began < 0.5


@pytest.mark.usefixtures("no_backoff")
async def test_a_refused_connection_is_tried_again(driver, wire):
    with (
        pytest.raises(APIConnectionError, match=r"No answer from http://127\.0\.0\.1:9: ") as failed,
        capture_logs() as logs,
    ):
        await driver.done(driver.client("http://127.0.0.1:9").chat(wire.chat))

    assert len(logs) == 3
    assert (failed.value.request_sent, failed.value.is_retryable, failed.value.log_id) == (False, True, None)
    assert not isinstance(failed.value, APITimeoutError)


@pytest.mark.parametrize("call", ["chat", "stream_chat", "run"])
async def test_a_connection_lost_after_the_request_arrived_is_not_tried_again(driver, server, wire, call):
    server.will(wire.Reply(cut="before"))
    client = driver.client(server)

    with pytest.raises(APIConnectionError) as failed:
        await driver.done(client.run("@cf/a/b", {}) if call == "run" else getattr(client, call)(wire.chat))
    assert (failed.value.request_sent, len(server.requests)) == (True, 1)


async def test_a_reused_connection_that_dies_is_not_tried_again_for_a_model(driver, server, wire):
    server.will(wire.json(wire.completion()), wire.Reply(cut="before"))
    client = driver.client(server)
    await driver.done(client.chat(wire.chat))

    with pytest.raises(APIConnectionError):
        await driver.done(client.chat(wire.chat))
    assert len(server.requests) == 2


async def test_an_answer_that_breaks_off_is_not_tried_again(driver, server, wire):
    server.will(wire.Reply(200, (("content-type", "application/json"), *wire.ids), (b'{"choices',), cut="after"))

    with pytest.raises(APIConnectionError, match="The answer broke off") as failed:
        await driver.done(driver.client(server).chat(wire.chat))
    assert (failed.value.log_id, failed.value.request_sent, len(server.requests)) == ("01LOG", True, 1)


@pytest.mark.parametrize("driver", ["sync", "async"], indirect=True)
async def test_a_timeout_is_told_as_one_and_not_tried_again(driver, server, wire):
    server.will(wire.Reply(delay=5))

    with pytest.raises(APITimeoutError) as failed:
        await driver.done(driver.client(server, timeout=0.1).chat(wire.chat))
    assert (failed.value.request_sent, len(server.requests)) == (True, 1)


async def test_a_stream_is_tried_again_before_its_first_byte(driver, server, wire):
    server.will(wire.failure(503, 1, "Later", AGAIN), wire.sse(wire.chunk("a", "stop"), wire.done))

    stream = await driver.done(driver.client(server).stream_chat(wire.chat))
    assert [chunk.text for chunk in await driver.items(stream)] == ["a"]
    assert len(server.requests) == 2


async def test_a_stream_is_never_tried_again_after_its_first_byte(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), headers=wire.ids, cut="after"))
    stream = await driver.done(driver.client(server).stream_chat(wire.chat))

    assert (await driver.first(stream)).text == "a"
    with pytest.raises(StreamTruncatedError) as cut:
        await driver.items(stream)
    assert (cut.value.log_id, len(server.requests)) == ("01LOG", 1)


async def test_an_error_whose_body_breaks_off_is_still_that_error(driver, server, wire):
    server.will(wire.Reply(400, (("content-type", "application/json"), *wire.ids), (b'{"err',), cut="after"))

    with pytest.raises(BadRequestError) as failed:
        await driver.done(driver.client(server).stream_chat(wire.chat))
    assert (failed.value.status_code, failed.value.log_id) == (400, "01LOG")
