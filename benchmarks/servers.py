"""The servers that are measured, each a process of its own: it prints its port, and ends when its input is closed.

`python -m benchmarks.servers NAME [ARGUMENTS]`, with a JSON object on the first line of the standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_FIELDS: Final = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"


class Child:
    """One server in a process of its own, on one core if there are two.

    Args:
        name: Which server.
        about: What it is told.
    """

    def __init__(self, name: str, about: dict[str, Any]) -> None:
        command = [sys.executable, "-m", "benchmarks.servers", name]
        root = Path(__file__).parent.parent
        self._process = subprocess.Popen(  # noqa: S603 -- our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert self._process.stdin is not None  # noqa: S101 -- a pipe, as asked
        assert self._process.stdout is not None  # noqa: S101 -- the same
        self._process.stdin.write(json.dumps(about) + "\n")
        self._process.stdin.flush()
        self.base_url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    @property
    def cpu_seconds(self) -> float:
        """What the process has used of the processor so far, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def _starlette(about: dict[str, Any]) -> None:
    import uvicorn  # noqa: PLC0415 -- each process imports what it measures
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415, TC002
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    from aigw.local._carriers._server import _listen  # noqa: PLC0415

    body = about["body"].encode()

    async def answer(request: Request) -> Response:
        del request
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    listener = _listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
    listener.listen(1024)
    _print_port(listener.getsockname()[1])

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving

    asyncio.run(serve())


def _gateway(about: dict[str, Any]) -> None:
    from aigw.local import ForwardUpstream, LocalGateway  # noqa: PLC0415 -- as above

    with _data(about.get("disk", False)) as data:
        upstream = ForwardUpstream("loop", about["upstream"] + "/v1") if "upstream" in about else None
        with LocalGateway(data=data, upstream=upstream) as gateway:
            _print_port(int(gateway.base_url.rpartition(":")[2]))
            sys.stdin.read()


@contextmanager
def _data(disk: bool) -> Iterator[str | None]:  # noqa: FBT001 -- the only argument
    if not disk:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield folder


class _Upstream(asyncio.Protocol):
    """A server with OpenAI's shape and hardly any cost: the same bytes to everybody, streams at a pace."""

    def __init__(self, about: dict[str, Any]) -> None:
        body = about["body"].encode()
        length = b"content-length: %d\r\n\r\n" % len(body)
        self._whole = _FIELDS % b"application/json" + length + body
        self._chunk = _chunked(b"data: " + about["chunk"].encode() + b"\n\n")
        self._count, self._pause = about["chunks"], about["pause"]
        self._buffer = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        if b'"stream":true' in body:
            task = asyncio.get_running_loop().create_task(self._stream())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._transport.write(self._whole)  # type: ignore[attr-defined]

    async def _stream(self) -> None:
        write = self._transport.write  # type: ignore[attr-defined]
        write(_FIELDS % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(self._count):
            write(self._chunk)
            await asyncio.sleep(self._pause)
        write(_chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _upstream(about: dict[str, Any]) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Upstream(about), "127.0.0.1", 0, backlog=1024)
        _print_port(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(sys.stdin.read)
        server.close()

    asyncio.run(serve())


def _print_port(port: int) -> None:
    print(port, flush=True)


_SERVERS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "starlette": _starlette,
    "gateway": _gateway,
    "upstream": _upstream,
}

if __name__ == "__main__":
    _SERVERS[sys.argv[1]](json.loads(sys.stdin.readline()))
