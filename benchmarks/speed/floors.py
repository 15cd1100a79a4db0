"""The floors: what HTTP costs by itself, from a bare socket to plain httpx and aiohttp."""
# ruff: noqa: D102, PLC0415 -- the methods are `Subject`'s, and each process imports the one client it measures

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from benchmarks.speed.subject import PATH, Subject, chat_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class RawSocket(Subject):
    """A hand-written socket client and orjson: the floor."""

    is_async = False

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        host, _, port = base_url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _send(self, body: dict[str, Any]) -> None:
        import orjson

        content = orjson.dumps(body)
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(content)}"
        self._socket.sendall(head.encode() + b"\r\n\r\n" + content)

    def call(self, question: Any) -> Any:
        import orjson

        self._send(chat_body(question))
        data = self._socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return orjson.loads(body)

    def stream(self, question: Any) -> Iterator[Any]:
        import orjson

        self._send(chat_body(question, stream=True))
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            *lines, rest = (rest + self._socket.recv(65536)).split(b"\n\n")
            for line in lines:
                data = line.partition(b"data: ")[2]
                if data and data != b"[DONE]":
                    yield orjson.loads(data)


def _events(rest: bytes, data: bytes) -> tuple[list[Any], bytes]:
    import orjson

    *lines, rest = (rest + data).split(b"\n\n")
    return [orjson.loads(line[6:]) for line in lines if line != b"data: [DONE]"], rest


class PlainHttpx(Subject):
    """httpx without anything: `client.send(Request(...))`, events split on bytes, orjson."""

    def __init__(self, base_url: str) -> None:
        import httpx

        super().__init__(base_url)
        self._httpx = httpx
        self._headers = [("host", base_url[7:]), ("content-type", "application/json"), ("authorization", "Bearer t")]
        self._client = httpx.Client(verify=False, limits=httpx.Limits(max_connections=1000))  # noqa: S501
        self._async = httpx.AsyncClient(verify=False, limits=httpx.Limits(max_connections=1000))  # noqa: S501

    def _request(self, question: Any, *, stream: bool = False) -> Any:
        import orjson

        content = orjson.dumps(chat_body(question, stream=stream))
        timeout = {"connect": 300.0, "read": 300.0, "write": 300.0, "pool": 300.0}
        url = self.base_url + PATH
        return self._httpx.Request("POST", url, headers=self._headers, content=content, extensions={"timeout": timeout})

    def call(self, question: Any) -> Any:
        import orjson

        return orjson.loads(self._client.send(self._request(question)).content)

    async def acall(self, question: Any) -> Any:
        import orjson

        return orjson.loads((await self._async.send(self._request(question))).content)

    def stream(self, question: Any) -> Iterator[Any]:
        response, rest = self._client.send(self._request(question, stream=True), stream=True), b""
        try:
            for data in response.iter_bytes():
                events, rest = _events(rest, data)
                yield from events
        finally:
            response.close()

    async def astream(self, question: Any) -> AsyncIterator[Any]:
        response, rest = await self._async.send(self._request(question, stream=True), stream=True), b""
        try:
            async for data in response.aiter_bytes():
                events, rest = _events(rest, data)
                for item in events:
                    yield item
        finally:
            await response.aclose()


class PlainAiohttp(Subject):
    """aiohttp without anything."""

    is_sync = False
    _session: Any = None

    def _post(self, question: Any, *, stream: bool = False) -> Any:
        import aiohttp
        import orjson

        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000))
        content = orjson.dumps(chat_body(question, stream=stream))
        return self._session.post(self.base_url + PATH, data=content, headers={"content-type": "application/json"})

    async def acall(self, question: Any) -> Any:
        import orjson

        async with self._post(question) as response:
            return orjson.loads(await response.read())

    async def astream(self, question: Any) -> AsyncIterator[Any]:
        rest = b""
        async with self._post(question, stream=True) as response:
            async for data in response.content.iter_any():
                events, rest = _events(rest, data)
                for item in events:
                    yield item
