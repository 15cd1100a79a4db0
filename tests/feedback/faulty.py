"""A gateway's logs on a raw socket, with every way in which a server can let a client down."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "a" * 32
TOKEN = "token-that-must-never-be-seen"


@dataclass(frozen=True)
class Fault:
    """What the server does in place of its answer.

    Attributes:
        status: An HTTP status; 0 drops the connection, -1 never answers.
        retry_after: The header's seconds.
        is_applied: Whether the log is changed all the same.
    """

    status: int
    retry_after: float | None = None
    is_applied: bool = False


RESET, HANG, LOST = Fault(0), Fault(-1), Fault(0, is_applied=True)


@dataclass
class Asked:
    """One request as it came."""

    at: float
    method: str
    log_id: str
    body: dict[str, Any]


@dataclass
class FaultyGateway:
    """A server on a loopback port; entered, it listens, and it may be left and entered again.

    Attributes:
        faults: By log id, or `*` for any, what goes wrong in turn; then all is well.
        known: The logs that exist; all do when left out.
        events: The logs of an event id.
        logs: What was made of the logs.
        asked: Every request.
        delay: Seconds an answer takes.
    """

    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    known: set[str] | None = None
    events: dict[str, list[str]] = field(default_factory=dict)
    logs: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    asked: list[Asked] = field(default_factory=list)
    delay: float = 0.0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def patches(self) -> list[Asked]:
        return [one for one in self.asked if one.method == "PATCH"]

    def reserve(self) -> None:
        """Choose the port while nothing listens on it."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        talking = asyncio.all_tasks() - {asyncio.current_task()}
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                size = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-l")), 0)
                method, target, _ = head.split(" ", 2)
                if not await self._answer(writer, method, target, await reader.readexactly(size)):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter, method: str, target: str, body: bytes) -> bool:
        url = urlsplit(target)
        log_id = unquote(url.path.rpartition("/logs")[2].removeprefix("/"))
        self.asked.append(Asked(time.monotonic(), method, log_id, json.loads(body or b"{}")))
        queued = self.faults.get(log_id) or self.faults.get("*")
        fault = queued.pop(0) if queued else None
        if method == "PATCH" and self._exists(log_id) and (fault is None or fault.is_applied):
            self._apply(log_id, json.loads(body))
        if self.delay:
            await asyncio.sleep(self.delay)
        if fault and fault.status <= 0:
            await asyncio.sleep(3600 if fault.status else 0)
            return False
        status = fault.status if fault else 200 if method == "GET" or self._exists(log_id) else 404
        more = f"retry-after: {fault.retry_after}\r\n" if fault and fault.retry_after else ""
        content = json.dumps(self._content(url.query, method, status)).encode()
        writer.write(
            f"HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\n{more}content-length: {len(content)}\r\n\r\n"
            .encode()
            + content
        )  # fmt: skip
        await writer.drain()
        return True

    def _exists(self, log_id: str) -> bool:
        return self.known is None or log_id in self.known

    def _apply(self, log_id: str, changes: dict[str, Any]) -> None:
        log = self.logs[log_id]
        labels = changes.pop("metadata", {})
        log.update(changes)
        if labels or labels is None:
            log["metadata"] = {**log.get("metadata", {}), **labels} if labels else None

    def _content(self, query: str, method: str, status: int) -> dict[str, Any]:
        if status != 200:
            return {"success": False, "errors": [{"code": 7000 + status, "message": f"told to say {status}"}]}
        if method == "PATCH":
            return {"success": True, "result": {}}
        wanted = {item["key"]: item["value"] for item in json.loads(parse_qs(query)["filters"][0])}
        ids = [log_id for name in wanted.get("event_id", ()) for log_id in self.events.get(name, ())]
        return {"success": True, "result": [{"id": log_id} for log_id in reversed(ids)]}  # the newest first


def eventually(is_so: Any, seconds: float = 10) -> Iterator[None]:
    """Yield until it is so; for `for _ in eventually(...): await asyncio.sleep(...)`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        yield
