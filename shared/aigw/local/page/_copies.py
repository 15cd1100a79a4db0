"""A logged call, written down to be made again: for curl, and for Python with `aigw`.

No credential is in a log, and none in here: both read `CLOUDFLARE_API_TOKEN` from the environment. What a log does not
keep is not here either: a provider's key, and other header fields than the metadata.
"""

from __future__ import annotations

import json
import shlex
from pprint import pformat
from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local.page._figures import Log

TOKEN: Final = "CLOUDFLARE_API_TOKEN"  # noqa: S105 -- its name, not its value
"""The environment variable that holds the token."""

_METHODS: Final[Mapping[str, str]] = {
    "chat/completions": "chat",
    "embeddings": "embed",
    "responses": "responses",
    "messages": "messages",
}
_WIDTH: Final = 100


def as_curl(origin: str, scope: tuple[str, str], log: Log, body: bytes) -> str:
    """Write a call for curl.

    Args:
        origin: The local gateway's address.
        scope: The account and the gateway.
        log: The log.
        body: The request's body.
    """
    fields = ["content-type: application/json"]
    if log.get("metadata"):
        fields.append(f"cf-aig-metadata: {json.dumps(log['metadata'])}")
    rest = log.get("request_type") == "rest"
    fields += [f"cf-aig-gateway-id: {scope[1]}"] if rest else []
    secret = "authorization" if rest else "cf-aig-authorization"
    lines = [
        f"curl {shlex.quote(_url(origin, scope, log, body))}",
        f'-H "{secret}: Bearer ${TOKEN}"',
        *(f"-H {shlex.quote(field)}" for field in fields),
        f"--data-raw {shlex.quote(body.decode('utf-8', 'replace'))}",
    ]
    return " \\\n  ".join(lines)


def as_python(origin: str, scope: tuple[str, str], log: Log, body: bytes) -> str:
    """Write a call for Python with `aigw`; empty when the body is no JSON object. Arguments as for `as_curl`."""
    try:
        value = parse_json(body)
    except ValueError:
        return ""
    if not isinstance(value, dict):
        return ""
    account, gateway = scope
    options = f",\n    options={pformat({'metadata': log['metadata']})}" if log.get("metadata") else ""
    streams = value.pop("stream", False) is True
    call = _call(log, value, streams=streams)
    action = f"for piece in {call}:\n    print(piece)" if streams else f"print({call})"
    return (
        "import os\n\nfrom aigw import AIGateway\n\n"
        f"client = AIGateway(\n    {account!r},\n    os.environ[{TOKEN!r}],\n    {gateway!r},\n"
        f"    base_url={origin!r}{options},\n)\n{action}\n"
    )


def _call(log: Log, value: dict[str, Any], *, streams: bool) -> str:
    prefix = "stream_" if streams else ""
    kind, path = log.get("request_type"), log["path"]
    if kind == "rest" and path == "run":
        inputs = value.get("input", {}) if "model" in value else value
        return f"client.{prefix}run({value.get('model', log['model'])!r}, {_literal(inputs)})"
    method = _METHODS.get(path.removeprefix("v1/"))
    if kind in {"rest", "compat"} and method:
        return f"client.{'' if method == 'embed' else prefix}{method}({_literal(value)})"
    step = {"provider": _slug(log), "endpoint": path, "query": {**value, "stream": True} if streams else value}
    return f"client.gateway().{prefix}run({_literal(step)})"


def _literal(value: Any) -> str:
    return pformat(value, width=_WIDTH, sort_dicts=False)


def _url(origin: str, scope: tuple[str, str], log: Log, body: bytes) -> str:
    account, gateway = scope
    kind, path = log.get("request_type"), log["path"]
    if kind == "rest":
        model = f"/{log['model']}" if path == "run" and log["model"].startswith("@") and not _names(body) else ""
        return f"{origin}/client/v4/accounts/{account}/ai/{path}{model}"
    return f"{origin}/v1/{account}/{gateway}/{'compat' if kind == 'compat' else _slug(log)}/{path}"


def _names(body: bytes) -> bool:
    try:
        value = parse_json(body)
    except ValueError:
        return False
    return isinstance(value, dict) and "model" in value


def _slug(log: Log) -> str:
    """Give the provider's slug in the path: the log's provider is whoever answered, which may be the offline model."""
    model: str = log["model"]
    return "workers-ai" if model.startswith("@") else model.partition("/")[0] if "/" in model else log["provider"]
