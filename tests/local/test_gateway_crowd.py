"""Many callers at once, behind whom an upstream has many answers under way."""

from __future__ import annotations

import asyncio
import re
import ssl

import httpx

from aigw.local import ForwardUpstream, LocalGateway

CROWD = 150
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
END = b"data: [DONE]\n\n"
TLS = ssl.create_default_context()


async def test_streams_are_under_way_all_at_once():
    """The upstream ends no stream before all have begun, so that one too few at once would be none at all."""
    everybody = asyncio.Barrier(CROWD)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(LENGTH.search(head)[1]))  # closing with bytes unread would reset the connection
        writer.write(HEAD + CHUNK)
        await everybody.wait()
        writer.write(END)
        writer.close()

    upstream = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=CROWD)
    port = upstream.sockets[0].getsockname()[1]
    async with (
        upstream,
        LocalGateway(upstream=ForwardUpstream("near", f"http://127.0.0.1:{port}/v1")) as gateway,
        httpx.AsyncClient(base_url=gateway.base_url, limits=httpx.Limits(), verify=TLS, timeout=30) as client,
    ):
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        async with asyncio.timeout(30):
            replies = await asyncio.gather(
                *(client.post("/v1/acct/gw/openai/chat/completions", json=body) for _ in range(CROWD))
            )
    assert [reply.content for reply in replies] == [CHUNK + END] * CROWD
