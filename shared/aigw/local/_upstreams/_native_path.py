"""A provider's own path: which model it names, which URL it stands for, and how to ask there for a whole answer.

Pure look-ups in the table of providers. A path of a known provider may repeat the end of the upstream's address
(`openai/v1/responses` below `https://api.openai.com/v1`), for the docs write it both ways; it is then not said twice.
What stands below a custom provider is never changed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode

from aigw._http import HIDDEN
from aigw._json import dump_json
from aigw._providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local._arrival import Arrival

_MODEL_FIELDS: Final = ("model", "model_id", "modelId")
_FORM_MODEL: Final = re.compile(rb'name="model(?:_id)?"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,200})\r\n')
_STREAM_FIELDS: Final = frozenset({"stream", "stream_options"})
_WHOLE_PATHS: Final = {
    ":streamGenerateContent": ":generateContent",
    ":streamRawPredict": ":rawPredict",
    "/invoke-with-response-stream": "/invoke",
    "/converse-stream": "/converse",
}
_KEY_PARAMETERS: Final = frozenset({"key", "api_key"})
_KEY_IN_QUERY: Final = re.compile(r"([?&](?:api_)?key=)[^&]*")


def named_model(arrival: Arrival, content: Mapping[str, Any]) -> str:
    """Give the model a native call names: in its path, its body, a form or its query; empty when it names none."""
    surface = arrival.surface
    row = PROVIDERS.get(surface.provider)
    match = re.search(row.model_path, surface.endpoint) if row and row.model_path else None
    if surface.model or match:
        return surface.model or (match["model"] if match else "")
    query = {name: values[0] for name, values in parse_qs(surface.raw.partition("?")[2]).items()}
    for fields in (content, query):
        named = next((fields[name] for name in _MODEL_FIELDS if isinstance(fields.get(name), str)), "")
        if named:
            return named
    if arrival.headers.media_type == "multipart/form-data":
        found = _FORM_MODEL.search(arrival.content)
        return found[1].decode("utf-8", "replace").strip() if found else ""
    return ""


def query_has_key(path: str) -> bool:
    """Tell whether a path's query carries the provider's key, as Google's may."""
    query = path.partition("?")[2]
    return "key=" in query and any(name in _KEY_PARAMETERS and value for name, value in parse_qsl(query))


def without_keys(path: str) -> str:
    """Give a path without the values of keys in its query."""
    return _KEY_IN_QUERY.sub(rf"\1{HIDDEN}", path)


def has_address(provider: str) -> bool:
    """Tell whether the table knows where a provider is."""
    row = PROVIDERS.get(provider)
    return row is not None and bool(row.upstream or row.rules)


def upstream_url(provider: str, path: str, base: str | None = None) -> str | None:
    """Give the URL that a path below a provider's slug stands for; `None` when it names no host.

    Args:
        provider: The slug.
        path: What stands below it, percent-encoded, with the query.
        base: What stands in place of the provider's own address; `{region}` and the like are filled from the path.
    """
    row = PROVIDERS.get(provider)
    address = base or (row.upstream if row else "")
    for rule in row.rules if row else ():
        match = re.match(rule.pattern, path)
        if match:
            address = _filled(base or rule.upstream, match.groupdict())
            path = _filled(rule.prefix, match.groupdict()) + path[match.end() :]
            break
    if not address or "{" in address:
        return None
    address = address.rstrip("/")
    path = path if row is None else _unrepeated(address, path)
    return f"{address}/{path}" if path and not path.startswith("?") else address + path


def whole_path(path: str) -> str:
    """Give the path that answers whole where `path` answers in a stream."""
    path, mark, query = path.partition("?")
    for end, whole in _WHOLE_PATHS.items():
        if path.endswith(end):
            kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair != ("alt", "sse")]
            return path.removesuffix(end) + whole + (f"?{urlencode(kept)}" if kept else "")
    return path + mark + query


def whole_content(body: Mapping[str, Any]) -> bytes:
    """Write a body again without its wish for a stream."""
    return dump_json({name: value for name, value in body.items() if name not in _STREAM_FIELDS})


def _filled(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _unrepeated(address: str, path: str) -> str:
    """Take off the front of a path what the address ends in: whole segments, the longest run."""
    ends = address.partition("://")[2].split("/")[1:]
    segments = path.partition("?")[0].split("/")
    for count in range(min(len(ends), len(segments)), 0, -1):
        if ends[-count:] == segments[:count]:
            return path[len("/".join(segments[:count])) :].removeprefix("/")
    return path
