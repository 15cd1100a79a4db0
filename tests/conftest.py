"""What every test shares: an environment without the developer's own accounts and proxies, and the cassettes' rules."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from vcr import matchers

from aigw.local import LocalGateway

from .needs import require as needs_require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcr import VCR
    from vcr.request import Request

    from .needs import Require

_PREFIXES = ("CLOUDFLARE_", "AIGW_")
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy")


@pytest.fixture(autouse=True)
def no_account_in_the_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take accounts and proxies out of the environment, unless cassettes are being recorded from a live account."""
    if request.config.getoption("--record-mode", default="none") == "none":
        for name in os.environ:
            if name.startswith(_PREFIXES) or name in _PROXIES:
                monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def require() -> Require:
    """Give `needs.require`, which skips what cannot be run here."""
    return needs_require


_LOCAL_ORIGINS = (
    (re.compile(r"^http://127\.0\.0\.1:\d+/client/v4/"), "https://api.cloudflare.com/client/v4/"),
    (re.compile(r"^http://127\.0\.0\.1:\d+/v1/"), "https://gateway.ai.cloudflare.com/v1/"),
)
_ACCOUNT_IN_URL = re.compile(r"(?<=/accounts/)[^/]+|(?<=gateway\.ai\.cloudflare\.com/v1/)[^/]+")
_NO_ACCOUNT = "0" * 32
_SECRETS = ("authorization", "cf-aig-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie")
_DROPPED_REPLY_HEADERS = frozenset({"set-cookie", "cf-ray", "report-to", "nel"})


def _as_recorded(request: Any) -> Any:
    """Write a request down under Cloudflare's own host names and without the account."""
    for local, real in _LOCAL_ORIGINS:
        request.uri = local.sub(real, request.uri)
    request.uri = _ACCOUNT_IN_URL.sub(_NO_ACCOUNT, request.uri)
    request.headers.pop("host", None)
    return request


def _without_traces(response: dict[str, Any]) -> dict[str, Any]:
    headers = response["headers"]
    response["headers"] = {name: headers[name] for name in headers if name.lower() not in _DROPPED_REPLY_HEADERS}
    return response


def same_body(recorded: Request, asked: Request) -> None:
    """Compare as vcrpy does, but take no body, as aiohttp sends with a GET, for an empty one, as httpx does."""
    if recorded.body or asked.body:
        matchers.body(recorded, asked)


def pytest_recording_configure(vcr: VCR) -> None:
    vcr.register_matcher("body", same_body)


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    return {
        "match_on": ["method", "uri", "body"],
        "filter_headers": [(name, "REDACTED") for name in _SECRETS],
        "before_record_request": _as_recorded,
        "before_record_response": _without_traces,
        "decode_compressed_response": True,
    }


@pytest.fixture
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    path = request.path
    return str(path.parents[2] / "cassettes" / path.parent.name / path.stem)


@pytest.fixture
def recorded(record_mode: str) -> Iterator[dict[str, Any]]:
    """Give the arguments of a client whose calls come from a cassette.

    While recording they lead to Cloudflare when its variables are set, else to a local gateway.
    """
    live = {"account_id": os.environ.get("CLOUDFLARE_ACCOUNT_ID"), "api_token": os.environ.get("CLOUDFLARE_API_TOKEN")}
    placeholder = {"account_id": _NO_ACCOUNT, "api_token": "test-token", "gateway_id": "aigw-tests"}
    if record_mode == "none":
        yield placeholder
    elif all(live.values()):
        yield {**live, "gateway_id": os.environ.get("CLOUDFLARE_AI_GATEWAY_ID", "aigw-tests")}
    else:
        with LocalGateway(models=("openai/*", "@cf/meta/*", "@cf/baai/*", "workers-ai/*")) as local:
            yield {**placeholder, "base_url": local.base_url}
