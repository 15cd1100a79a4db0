"""The pytest fixtures that give a test its own gateway; declared as a plugin, so installing `aigw` is enough.

It stands apart because pytest imports it at the start of every run of every project: nothing heavy is imported
until a test asks for a fixture.

`aigw_local` is a gateway with a real server, `aigw_transport` one inside the process, `aigw_local_factory` makes
servers that live longer than a test. The first two take their settings from the fixture `aigw_local_config`, which a
project may override, and from the marker `aigw_local`; they lead code that reads its account from the environment to
the gateway.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aigw.local import GatewayTransport, LocalGateway

_MARKER: Final = (
    "aigw_local(**config): what aigw.local.LocalGateway is made with for the fixtures aigw_local and aigw_transport, "
    'such as settings={"cache_ttl": 300}'
)
_ACCOUNT: Final = "0123456789abcdef0123456789abcdef"
_ANY_TOKEN: Final = "local-token"  # noqa: S105 -- the gateway knows no tokens, so any is good
_MERGED: Final = frozenset({"settings", "switches"})


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, so that `--strict-markers` knows it."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def aigw_local_config() -> dict[str, Any]:
    """Give what `LocalGateway` is made with, by the names of its arguments; override it for a module or a project."""
    return {}


@pytest.fixture
def aigw_local(
    request: pytest.FixtureRequest, aigw_local_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalGateway]:
    """Give a running `LocalGateway` on a free loopback port; without a configuration everything is allowed.

    For the time of the test the environment leads to it: `AIGW_BASE_URL`, `CLOUDFLARE_ACCOUNT_ID`,
    `CLOUDFLARE_API_TOKEN` (the first of the configured tokens), and `CLOUDFLARE_AI_GATEWAY_ID` is not set.
    """
    config = _configured(request, aigw_local_config)
    with ExitStack() as stack:
        gateway = _start(config, stack)
        _lead_to(gateway.base_url, config, monkeypatch)
        yield gateway


@pytest.fixture
def aigw_transport(
    request: pytest.FixtureRequest, aigw_local_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[GatewayTransport]:
    """Give a gateway inside the process, as a transport for httpx's clients; no socket is opened.

    `aigw_transport.client()` and `.async_client()` are clients on it. The environment is set as by `aigw_local`, but
    `AIGW_BASE_URL` exists nowhere, so that a call that does not take the transport reaches nobody.
    """
    from aigw.local import GatewayTransport, LocalGateway  # noqa: PLC0415 - as below
    from aigw.local._carriers._transport import NOWHERE  # noqa: PLC0415 - as below

    config = _configured(request, aigw_local_config)
    transport = GatewayTransport(LocalGateway(**config))
    _lead_to(NOWHERE, config, monkeypatch)
    yield transport
    transport.end()


@pytest.fixture(scope="session")
def aigw_local_factory() -> Iterator[Callable[..., LocalGateway]]:
    """Give a function that starts a `LocalGateway` with its arguments; what it started ends with the session.

    The environment stays as it is.
    """
    with ExitStack() as stack:
        yield lambda **config: _start(config, stack)


def _start(config: dict[str, Any], stack: ExitStack) -> LocalGateway:
    from aigw.local import LocalGateway  # noqa: PLC0415 - pytest loads this module in every run of every project

    gateway = LocalGateway(**config)
    try:
        return stack.enter_context(gateway)
    except RuntimeError as error:
        if type(error).__name__ == "SocketBlockedError":
            error.add_note("aigw_local is a server: allow it with --allow-hosts=127.0.0.1, or take aigw_transport")
        raise


def _configured(request: pytest.FixtureRequest, base: dict[str, Any]) -> dict[str, Any]:
    """Lay the markers over the fixture's configuration, the nearest last; settings and switches merge key by key."""
    config = dict(base)
    for marker in reversed(list(request.node.iter_markers("aigw_local"))):
        if marker.args:
            raise pytest.UsageError(f"@pytest.mark.aigw_local takes keywords only, as LocalGateway does: {marker.args}")
        for name, value in marker.kwargs.items():
            config[name] = {**(config.get(name) or {}), **value} if name in _MERGED else value
    return config


def _lead_to(base_url: str, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = config.get("tokens") or (_ANY_TOKEN,)
    monkeypatch.setenv("AIGW_BASE_URL", base_url)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", _ACCOUNT)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", tokens if isinstance(tokens, str) else next(iter(tokens)))
    monkeypatch.delenv("CLOUDFLARE_AI_GATEWAY_ID", raising=False)
