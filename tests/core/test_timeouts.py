"""The timeout that was asked for holds, whoever made the HTTP client."""

from __future__ import annotations

import httpx
import pytest

from aigw import APITimeoutError


async def test_a_timeout_ends_the_wait_for_an_answer(driver, server, wire):
    server.will(wire.Reply(200, (), (b"{}",), delay=5))
    client = driver.client(server, timeout=0.2, max_retries=0)

    with pytest.raises(APITimeoutError) as caught:
        await driver.done(client.chat(wire.chat))

    assert caught.value.request_sent
    assert len(server.requests) == 1


async def test_a_timeout_given_beside_an_http_client_wins_over_the_clients_own(driver, server, wire):
    server.will(wire.Reply(200, (), (b"{}",), delay=5))
    with httpx.Client(timeout=60) as plain:
        http_client = httpx.AsyncClient(timeout=60) if driver.is_async else plain
        client = driver.client(server, timeout=0.2, max_retries=0, http_client=http_client)

        with pytest.raises(APITimeoutError):
            await driver.done(client.chat(wire.chat))
        if driver.is_async:
            await http_client.aclose()


async def test_an_http_clients_own_timeout_holds_when_no_other_is_given(driver, server, wire):
    server.will(wire.Reply(200, (), (b"{}",), delay=5))
    with httpx.Client(timeout=0.2) as plain:
        http_client = httpx.AsyncClient(timeout=0.2) if driver.is_async else plain
        client = driver.client(server, max_retries=0, http_client=http_client)

        with pytest.raises(APITimeoutError):
            await driver.done(client.chat(wire.chat))
        if driver.is_async:
            await http_client.aclose()
