"""The HTTP clients made here, and what is read of a library's response."""

from __future__ import annotations

import httpx
import pytest

from aigw._engines._async_engine import _AsyncClient
from aigw._engines._engine import _Client
from aigw._engines._library import async_body_of, body_of, response_headers


def _set_cookie(request):
    del request
    return httpx.Response(200, headers=[("set-cookie", "session=1"), ("x", "1")])


def test_a_sync_client_keeps_no_cookies():
    with _Client(transport=httpx.MockTransport(_set_cookie)) as client:
        client.send(httpx.Request("GET", "http://gateway.test/"))
        assert dict(client.cookies) == {}
        assert "cookie" not in client.build_request("GET", "http://gateway.test/").headers


async def test_an_async_client_keeps_no_cookies():
    async with _AsyncClient(transport=httpx.MockTransport(_set_cookie)) as client:
        await client.send(httpx.Request("GET", "http://gateway.test/"))
        assert dict(client.cookies) == {}
        assert "cookie" not in client.build_request("GET", "http://gateway.test/").headers


@pytest.mark.parametrize("value", ["plain", "grüße", "日本"])
def test_a_header_is_read_as_the_library_reads_it(value):
    response = httpx.Response(200, headers=[("X-Name", value.encode()), ("cf-aig-step", "0"), ("x-name", b"more")])
    assert dict(response_headers(response)) == {"x-name": f"{value}, more", "cf-aig-step": "0"}


def test_a_body_a_hook_has_read_is_read_again():
    def read(response):
        response.read()

    with httpx.Client(transport=httpx.MockTransport(_echo), event_hooks={"response": [read]}) as client:
        response = client.send(client.build_request("POST", "http://gateway.test/", content=b"abc"), stream=True)
        assert b"".join(body_of(response)) == b"abc"


async def test_an_async_body_a_hook_has_read_is_read_again():
    async def read(response):
        await response.aread()

    async with httpx.AsyncClient(transport=httpx.MockTransport(_echo), event_hooks={"response": [read]}) as client:
        response = await client.send(client.build_request("POST", "http://gateway.test/", content=b"abc"), stream=True)
        assert b"".join([piece async for piece in async_body_of(response)]) == b"abc"


def _echo(request):
    return httpx.Response(200, content=request.content)
