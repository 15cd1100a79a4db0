"""One face for what is tried: the core in its engines and over the clients of users, and the adapters."""

from __future__ import annotations

import inspect
import ssl
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

import httpx
from httpx_aiohttp import HttpxAiohttpClient

import aigw
from aigw import AIGateway, AIGatewayError, AsyncAIGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from .faulty_server import FaultyServer
    from .modes.mode import Right, Wrong

TOKEN: Final = "planted-token-0123456789"
CHAT: Final[dict[str, Any]] = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}
ONE_CONNECTION: Final = httpx.Limits(max_connections=1)
NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
USER_CLIENTS: Final = {"httpx": httpx.AsyncClient, "httpx-aiohttp": HttpxAiohttpClient}
DEVELOPMENT: Final = ("-X", "dev", "-W", "error")
"""Settings of an interpreter that lets no leak pass."""

ENGINES: Final = ("sync", "sync-httpx", "httpx", "aiohttp", "httpx-aiohttp")
ON_AIOHTTP: Final = {"aiohttp", "httpx-aiohttp"}


class Driver:
    """A client with room for one connection, so that one it does not let go of is felt by the next call.

    Args:
        engine: `sync` (over urllib3, the default where it is installed), `sync-httpx` (a user's client), `httpx`
            (async, a user's client), `aiohttp` (async, the default where it is installed) or `httpx-aiohttp` (a user's
            httpx client whose connections are aiohttp's).
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self._closing: list[Callable[[], Coroutine[Any, Any, None] | None]] = []

    @property
    def is_sync(self) -> bool:
        return self.engine.startswith("sync")

    def settings(
        self, url: str, read_timeout: float = 30.0, connect_timeout: float = 30.0, write_timeout: float = 30.0
    ) -> dict[str, Any]:
        """What a client or a model is made with."""
        timeout = httpx.Timeout(30.0, read=read_timeout, connect=connect_timeout, write=write_timeout)
        return {"account_id": "acct", "api_token": TOKEN, "base_url": url, "timeout": timeout}

    def client(self, url: str, *timeouts: float, **more: float) -> Any:
        settings = self.settings(url, *timeouts, **more)
        if self.is_sync:
            if self.engine == "sync-httpx":
                settings["http_client"] = httpx.Client(limits=ONE_CONNECTION, verify=NO_CERTIFICATES)
                self._closing.append(settings["http_client"].close)
            client: Any = AIGateway(**settings)
            self._closing.append(client.close)
            return client
        if self.engine in USER_CLIENTS:
            settings["http_client"] = self.http_client()
        client = AsyncAIGateway(**settings)
        self._closing.append(client.aclose)
        return client

    def http_client(self) -> httpx.AsyncClient:
        made = USER_CLIENTS[self.engine](limits=ONE_CONNECTION, verify=NO_CERTIFICATES)
        self._closing.append(made.aclose)
        return made

    def closes(self, close: Callable[[], Coroutine[Any, Any, None] | None]) -> None:
        """Have something closed at the end."""
        self._closing.append(close)

    async def close(self) -> None:
        for close in reversed(self._closing):
            await done(close())


def ended(server: FaultyServer, script: str, *settings: str, timeout: float = 60) -> tuple[int, str]:
    """Run a program in a process of its own, which knows `URL`, `TOKEN` and `CHAT`; give its exit code and its words.

    Args:
        server: Whose address the program is given.
        script: The program.
        settings: Of the interpreter.
        timeout: Seconds it may take.
    """
    known = f"URL, TOKEN, CHAT = {server.url!r}, {TOKEN!r}, {CHAT!r}"
    process = subprocess.run(  # noqa: S603  our own script
        [sys.executable, *settings, "-c", f"{known}\n{script}"],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return process.returncode, process.stderr


async def done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def items(stream: Any) -> AsyncIterator[Any]:
    if hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


async def outcome_of_call(call: Callable[[], Any], text_of: Callable[[Any], str]) -> tuple[str, Exception | None]:
    """What a call gave: its text, or its error."""
    try:
        return text_of(await done(call())), None
    except AIGatewayError as error:
        return "", error


async def outcome_of_stream(call: Callable[[], Any], text_of: Callable[[Any], str]) -> tuple[str, Exception | None]:
    """What a stream gave: its text, and its error if it had one."""
    text = ""
    try:
        opened = await done(call())
        async for item in items(opened):
            text += text_of(item)
    except AIGatewayError as error:
        return text, error
    return text, None


def judge(outcome: tuple[str, Exception | None], expected: Right | Wrong, log_id: str) -> None:
    """Compare what came out with what must."""
    text, error = outcome
    wanted = getattr(expected, "error", None)
    assert text == expected.text, error
    if wanted is None:
        assert error is None
        return
    assert isinstance(error, AIGatewayError)
    assert _class_of(error) is wanted, repr(error)
    assert error.log_id == (log_id if expected.has_log else None)  # type: ignore[union-attr]
    assert expected.words in str(error)  # type: ignore[union-attr]
    assert TOKEN[:9] not in "".join(told(error))


def told(error: BaseException) -> Iterator[str]:
    """Everything that can be seen of an error, and of what lies below it."""
    link: BaseException | None = error
    while link is not None:
        yield f"{link} {link!r} {link.args} {link.__dict__}"
        link = link.__cause__ or link.__context__
    yield from traceback.format_exception(error)


def _class_of(error: AIGatewayError) -> type:
    """The core's class of an error; an adapter's is one of the framework's too."""
    return next(kind for kind in type(error).__mro__ if getattr(aigw, kind.__name__, None) is kind)
