"""A caller's JSON, no deeper than anything here can walk.

The parsers of `aigw._json` stop at different depths, and Python's own encoder and our walks over a body at a lower one.
A body beyond the limit is refused like one that is no JSON.
"""

from __future__ import annotations

from typing import Any, Final

from aigw._json import parse_json

MAX_DEPTH: Final = 128
"""The most arrays and objects within each other."""


def read_json(content: bytes) -> Any:
    """Decode a body.

    Raises:
        ValueError: It is not JSON, or nested too deeply.
    """
    value = parse_json(content)
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH and _is_deep(value):
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for node in level if isinstance(node, dict | list) for inner in _within(node)]
        if not level:
            return False
    return True


def _within(node: dict[str, Any] | list[Any]) -> list[Any]:
    inner = node.values() if isinstance(node, dict) else node
    return [value for value in inner if isinstance(value, dict | list)]
