"""`LocalGateway`: the gateway on your own machine, as one object with a beginning and an end."""

from __future__ import annotations

import sqlite3
import time
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from aigw._given import shown
from aigw.local._arguments import (
    check_callable,
    check_host,
    check_path,
    check_port,
    check_upstream,
    read_models,
    read_tokens,
    read_upstreams,
)
from aigw.local._engine import Engine
from aigw.local._for_tests._stage import Stage
from aigw.local._for_tests._watched import Watched
from aigw.local._guarding._checks import read_checks
from aigw.local._logs._retain import Retain
from aigw.local._logs._store import LogStore
from aigw.local._parts import assemble
from aigw.local._routing._dynamic import Router
from aigw.local._settings._directory import Directory
from aigw.local._settings._switches import Switches, SwitchesDict
from aigw.local._spending._windows import Windows
from aigw.local._upstreams._offline import OfflineUpstream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any

    from aigw.local._carriers._server import Server
    from aigw.local._carriers._transport import LocalTransport
    from aigw.local._guarding._checks import Check
    from aigw.local._settings._gateway_settings import GatewaySettingsDict
    from aigw.local._upstreams._upstream import Upstream


MAX_REQUESTS: Final = 10_000


class LocalGateway(Watched):
    """Cloudflare AI Gateway on your own machine: the same paths, headers, errors, cache and logs, and no network.

    As a context manager it is a real server on a free loopback port; `transport` needs no server. With nothing
    configured everything exists: any account, gateway, model and token. What a test asks of it is `logs`, `requests`,
    `script` and `expect_feedback`.

    Args:
        data: A folder, or a file, in which the logs are kept; in memory when left out.
        tokens: The tokens that are good. With any, the gateway host asks for one too; the REST host always does.
        gateways: The gateways that exist beside `default`, by id with their own settings; all exist when left out.
        settings: What every gateway is set to unless its own settings say otherwise.
        models: Shell patterns (`openai/*`) of the models that exist; all when empty.
        upstream: Who answers; the offline model when left out.
        upstreams: Who answers for single providers, by slug (`openai`, `custom-mine`); the others ask `upstream`.
        switches: The named switches, such as `{"credits": 0.0}`.
        routes: Dynamic routes by name, each an object with `elements`, or the path of a JSON file with them. With any,
            no other route exists.
        guardrail_check: Gives the hazard categories of a text; the built-in word list when left out.
        dlp_check: Gives the DLP profiles that a text matches; the built-in patterns when left out.
        retain: How much of the log is kept: a number of logs, or an age such as `"12h"` or `"7d"`; all when left out.
        keep_requests: How many of the last requests to upstreams are kept for `requests`; 0 for none.
        host: The address to listen on; one that other machines reach needs `tokens`.
        port: The port to listen on; 0 takes a free one.
        clock: Gives the time in seconds since 1970; for tests of what expires.

    Raises:
        ValueError: A setting or switch is unknown, a value or route is wrong, or other machines would need no token;
            on entering, when `data` is no store of logs.
        ModuleNotFoundError: On entering, when the extra `aigw[local]` is not installed.
        OSError: On entering, when the address cannot be listened on.
        AssertionError: On leaving, when a script that was given with `script` has turns left.
    """

    def __init__(  # noqa: PLR0913 -- all that can be configured, by keyword only
        self,
        *,
        data: str | Path | None = None,
        tokens: Collection[str] = (),
        gateways: Mapping[str, GatewaySettingsDict] | None = None,
        settings: GatewaySettingsDict | None = None,
        models: Collection[str] = (),
        upstream: Upstream | None = None,
        upstreams: Mapping[str, Upstream] | None = None,
        switches: SwitchesDict | None = None,
        routes: Mapping[str, Any] | str | Path | None = None,
        guardrail_check: Check | None = None,
        dlp_check: Check | None = None,
        retain: int | str | None = None,
        keep_requests: int = MAX_REQUESTS,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._data = check_path("data", data)
        self._tokens = read_tokens(tokens)
        self._directory = Directory.read(settings, gateways)
        self._models = read_models(models)
        self._clock = check_callable("clock", clock)
        self._upstream = OfflineUpstream(clock) if upstream is None else check_upstream("upstream", upstream)
        self._stage = Stage(self._upstream, read_upstreams(upstreams), keep_requests)
        self._switches = Switches.read(switches)
        self._windows = Windows(clock)
        self._router = Router(routes, self._windows)
        self._checks = read_checks(guardrail_check, dlp_check)
        self._retain = Retain.read(retain)
        self._host = check_host(host, self._tokens)
        self._port = check_port(port)
        self._lock = Lock()
        self._engine: Engine | None = None
        self._server: Server | None = None
        self._base_url = ""

    @property
    def base_url(self) -> str:
        """The server's address, such as `http://127.0.0.1:49152`: what `AIGW_BASE_URL` or `base_url=` wants.

        Raises:
            RuntimeError: The server is not running.
        """
        if not self._base_url:
            raise RuntimeError("the local gateway is not running: enter it first (`with LocalGateway() as gateway:`)")
        return self._base_url

    def transport(self) -> LocalTransport:
        """Give an httpx transport that answers inside this process, for `httpx.Client` and `httpx.AsyncClient`.

        It needs no server and no more than httpx; the logs are those of this gateway, whichever way a call came.
        """
        from aigw.local._carriers._transport import LocalTransport  # noqa: PLC0415 - the engine itself knows no HTTP library

        return LocalTransport(self._begin())

    def __enter__(self) -> Self:
        try:
            from aigw.local._carriers._server import Server  # noqa: PLC0415 - starlette and uvicorn are an extra
        except ModuleNotFoundError as error:
            message = f'the local gateway\'s server needs {error.name}: pip install "aigw[local]"'
            raise ModuleNotFoundError(message, name=error.name) from error
        if self._server is not None:
            raise RuntimeError("the local gateway is already running")
        server = Server(self._begin(), self._host, self._port)
        port = server.start()
        self._server = server
        self._base_url = f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base_url = ""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
        if kind is None:
            self._stage.assert_played()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _log_store(self) -> LogStore:
        engine = self._engine
        if engine is None:
            raise RuntimeError("the local gateway has no logs: it has not begun, or has ended")
        return engine.store

    def _begin(self) -> Engine:
        with self._lock:
            if self._engine is None:
                parts = assemble(
                    upstream=self._upstream,
                    upstreams=self._stage,
                    store=_open_store(self._data, self._retain),
                    models=self._models,
                    switches=self._switches,
                    router=self._router,
                    windows=self._windows,
                    checks=self._checks,
                    clock=self._clock,
                )
                self._engine = Engine(parts, self._directory, self._tokens, self._clock)
            return self._engine


def _open_store(data: str | Path | None, retain: Retain | None) -> LogStore:
    try:
        return LogStore(data, retain)
    except sqlite3.DatabaseError as error:
        raise ValueError(f"data cannot be {shown(str(data))}: it is a folder, or a file of logs ({error})") from error
