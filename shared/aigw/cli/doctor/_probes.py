"""The requests that find out, and what came of them. None reaches a model, but the live one that was asked for."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from aigw._account import Account
from aigw._client import AIGateway
from aigw._engines._engine import Engine
from aigw._error_bodies import find_code_and_message, hide
from aigw._errors import AIGatewayError, APIConnectionError, APITimeoutError, ConfigurationError
from aigw._http import Headers, Request
from aigw._json import dump_json, parse_json
from aigw.cli.doctor._facts import Facts, Outcome

if TYPE_CHECKING:
    from aigw.cli.doctor._facts import Failure, Setup

_SECONDS: Final = 10.0
_JSON: Final = ("content-type", "application/json")
_ENVELOPE_KEYS: Final = frozenset({"success", "error", "errors", "object", "result"})


def probe(setup: Setup) -> Facts:
    """Ask both hosts and the logs API; what the setup does not allow is not asked."""
    account = _account(setup)
    if account is None:
        return Facts(setup)
    engine = Engine(None, _SECONDS)
    try:
        rest, gateway, logs = (_ask(engine, request, account) for request in _requests(account))
    finally:
        engine.close()
    return Facts(setup, rest, gateway, logs, _call(setup) if setup.model else None)


def _account(setup: Setup) -> Account | None:
    if not (setup.account_id and setup.api_token):
        return None
    try:
        return Account.from_environment(
            setup.account_id,
            setup.api_token,
            setup.gateway_id,
            logs_token=None,
            provider_key=None,
            base_url=setup.base_url,
        )
    except ConfigurationError:
        return None


def _requests(account: Account) -> tuple[Request, Request, Request]:
    """Give the probes: a chat without a model, which is refused after the token and the gateway were looked at."""
    gateway = account.gateway_id
    chosen = ("cf-aig-gateway-id", gateway)
    logs = f"ai-gateway/gateways/{gateway}/logs?page=1&per_page=1"
    return (
        _post(account.rest_url("ai/v1/chat/completions"), *account.rest_credentials(), chosen),
        _post(account.gateway_url(gateway, "/compat/chat/completions"), *account.gateway_credentials()),
        Request("GET", account.rest_url(logs), tuple(account.logs_credentials())),
    )


def _post(url: str, *headers: tuple[str, str]) -> Request:
    return Request("POST", url, (*headers, _JSON), dump_json({}))


def _ask(engine: Engine, request: Request, account: Account) -> Outcome:
    origin = "/".join(request.url.split("/")[:3])
    try:
        answer = engine.open(request)
        try:
            content = b"".join(answer.body)
        except answer.library.errors as error:
            raise answer.library.error(error, request) from error
        finally:
            answer.close()
    except APIConnectionError as error:
        return Outcome(origin, failure=failure_of(error), text=hide(_root(error), account.secrets))
    return _read(origin, answer.status, answer.headers, content, account)


def _read(origin: str, status: int, headers: Headers, content: bytes, account: Account) -> Outcome:
    body = _decode(content)
    code, text = find_code_and_message(body)
    return Outcome(
        origin,
        status,
        code,
        hide(text, account.secrets),
        is_envelope=isinstance(body, dict) and bool(_ENVELOPE_KEYS & body.keys()),
        server_time=_date(headers.get("date")),
        local_time=datetime.now(UTC),
    )


def _call(setup: Setup) -> Outcome:
    """Make the one call that costs."""
    body = {"model": setup.model, "messages": [{"role": "user", "content": "Say ok."}]}
    try:
        with _client(setup) as client:
            client.completions(body)
    except APIConnectionError as error:
        return Outcome(failure=failure_of(error), text=error.message)
    except AIGatewayError as error:
        return Outcome(status=error.status_code, code=error.code, text=error.message.partition(" (HTTP ")[0])
    return Outcome(status=200)


def _client(setup: Setup) -> AIGateway:
    return AIGateway(
        setup.account_id,
        setup.api_token,
        setup.gateway_id,
        base_url=setup.base_url or None,
        provider_key=setup.provider_key or None,
        max_retries=0,
    )


def failure_of(error: APIConnectionError) -> Failure:
    """Tell why no answer arrived, from what stands behind the error."""
    chain = _chain(error)
    if any(isinstance(each, ssl.SSLError) for each in chain):
        return "tls"
    if any(isinstance(each, socket.gaierror) for each in chain):
        return "dns"
    if any(type(each).__name__ == "ProxyError" for each in chain):
        return "proxy"
    if any(isinstance(each, ConnectionRefusedError) for each in chain):
        return "refused"
    return "timeout" if isinstance(error, APITimeoutError) else "other"


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (under := chain[-1].__cause__ or chain[-1].__context__) and under not in chain:
        chain.append(under)
    return chain


def _root(error: BaseException) -> str:
    under = error.__cause__ or error
    return str(under) or type(under).__name__


def _decode(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
