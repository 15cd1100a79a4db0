"""JSON schemas as strict mode wants them: every object closed, every property required, nothing left open.

Pure, and apart because tools and structured output both need it. Source: OpenAI docs, Structured Outputs, Supported
schemas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

_MAPS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "oneOf", "allOf")
_KINDS: Final = frozenset({"type", "$ref", "enum", "const", *_LISTS})
_DROPPED: Final = frozenset({"default", "discriminator"})
_RENAMED: Final = {"oneOf": "anyOf"}


def close_schema(schema: Schema) -> Schema:
    """Give a schema with its objects closed; one with nothing to close comes back equal.

    Every property is required and no other is allowed. Defaults go, which a required property has no use for; `oneOf`
    becomes `anyOf`, and what stands beside a `$ref` is put around it.
    """
    closed = {_RENAMED.get(name, name): _close(name, value) for name, value in schema.items() if name not in _DROPPED}
    properties = closed.get("properties")
    if closed.get("type") == "object" and isinstance(properties, dict):
        closed |= {"required": list(properties), "additionalProperties": False}
    if "$ref" in closed and len(closed) > 1:
        closed["anyOf"] = [{"$ref": closed.pop("$ref")}]
    return closed


def can_close(schema: Schema) -> bool:
    """Tell whether strict mode can hold a schema: it has no open object, no tuple and no place for just anything."""
    if not _KINDS & schema.keys() or schema.get("additionalProperties") or "prefixItems" in schema:
        return False
    if schema.get("type") == "object" and "properties" not in schema:
        return False
    return all(can_close(part) for part in _parts(schema))


def _close(name: str, value: Any) -> Any:
    if name in _MAPS and isinstance(value, dict):
        return {key: close_schema(part) for key, part in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [close_schema(part) for part in value]
    return close_schema(value) if name == "items" and isinstance(value, dict) else value


def _parts(schema: Schema) -> Iterator[Schema]:
    for name in _MAPS:
        yield from schema.get(name, {}).values()
    for name in _LISTS:
        yield from schema.get(name, [])
    if "items" in schema:
        yield schema["items"]
