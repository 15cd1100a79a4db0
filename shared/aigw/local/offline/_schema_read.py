"""A JSON schema, read: found in a text, its references followed, its parts put together, the types it allows.

Apart from the filling, which then has one plain schema before it at a time.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from aigw.local.offline._errors import InvalidRequest
from aigw.local.offline._schema_check import Work, check_schema

Schema = Mapping[str, Any]

_MAX_REFERENCES: Final = 8
_INFERRED: Final = (
    ("object", ("properties", "additionalProperties", "required")),
    ("array", ("items", "prefixItems", "minItems")),
    ("number", ("minimum", "maximum", "multipleOf")),
)


class SchemaReader:
    """Reads the parts of a schema.

    Args:
        root: The whole, in which references are looked up.
        work: What the filling has done so far.
    """

    def __init__(self, root: Any, work: Work) -> None:
        self._root = root
        self._work = work

    def resolve(self, schema: Any) -> dict[str, Any]:
        """Follow references within the schema and merge `allOf`; true and false are schemas too."""
        resolved = dict(schema) if isinstance(schema, Mapping) else {}
        for _ in range(_MAX_REFERENCES):
            if "$ref" not in resolved:
                break
            target = self._look_up(str(resolved.pop("$ref")))
            resolved = {**target, **resolved}
        for part in resolved.pop("allOf", ()):
            with self._work.step():
                resolved = _merge(resolved, self.resolve(part))
        return resolved

    def branches(self, schema: Schema) -> list[Schema]:
        """Give the branches of a union, each with what stands beside the union; none of what is no union."""
        return [self.resolve(_beside(schema, branch)) for branch in schema.get("anyOf") or schema.get("oneOf") or ()]

    def _look_up(self, pointer: str) -> dict[str, Any]:
        node: Any = self._root
        for raw in pointer.removeprefix("#").strip("/").split("/"):
            key = raw.replace("~1", "/").replace("~0", "~")
            if key:
                node = node.get(key) if isinstance(node, Mapping) else None
        if not isinstance(node, Mapping):
            return {}
        if pointer not in self._work.checked:
            check_schema(node, pointer)
            self._work.checked.add(pointer)
        return dict(node)


def find_schema(text: str) -> tuple[dict[str, Any], str] | None:
    """Find the last JSON schema of an object written out in `text`; give it and the text without it."""
    decoder = json.JSONDecoder()
    found: tuple[dict[str, Any], str] | None = None
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict) and isinstance(value.get("properties"), dict) and _is_schema(value):
            found = value, f"{text[:at]} {text[end:]}"
        at = text.find("{", end)
    return found


def _is_schema(value: dict[str, Any]) -> bool:
    try:
        check_schema(value, "schema")
    except InvalidRequest:
        return False
    return True


def types_of(schema: Schema) -> tuple[str, ...]:
    """Give the types a schema allows, null last; without a type, the one its other words tell, else string."""
    stated = schema.get("type")
    if isinstance(stated, str):
        return (stated,)
    if isinstance(stated, list) and stated:
        return tuple(sorted(map(str, stated), key=lambda name: name == "null"))
    return (next((name for name, keys in _INFERRED if any(key in schema for key in keys)), "string"),)


def within(schema: Any, root: Any) -> Any:
    """Give a sub-schema that still finds the definitions of the whole."""
    if not isinstance(schema, Mapping) or not isinstance(root, Mapping):
        return schema
    return {**{key: root[key] for key in ("$defs", "definitions") if key in root}, **schema}


def _beside(schema: Schema, branch: Any) -> dict[str, Any]:
    """Give a branch of a union together with what stands beside the union."""
    shared = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", "default", "title"}}
    return {**shared, **branch} if isinstance(branch, Mapping) else shared


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**other, **one}
    merged["properties"] = {**(other.get("properties") or {}), **(one.get("properties") or {})}
    merged["required"] = [*(other.get("required") or ()), *(one.get("required") or ())]
    return {key: value for key, value in merged.items() if value or key not in {"properties", "required"}}
