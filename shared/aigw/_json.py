"""JSON in and out, as fast as what is installed allows.

orjson comes with LangChain; pydantic's own parser is always there. Both read bytes and refuse what is not JSON with a
`ValueError`. The standard library's encoder is asked only for what orjson refuses (integers beyond 64 bits).
"""

from __future__ import annotations

import json
from typing import Any

import pydantic_core

try:
    import orjson
except ImportError:  # the core needs pydantic alone
    orjson = None  # type: ignore[assignment]


def parse_json(data: bytes) -> Any:
    """Decode one JSON document.

    Raises:
        ValueError: `data` is not JSON.
    """
    if orjson is not None:
        return orjson.loads(data)
    return pydantic_core.from_json(data)


def dump_json(value: Any) -> bytes:
    """Encode to compact UTF-8 JSON; keys keep their order, so that equal values give equal bytes.

    Raises:
        TypeError: `value` holds something JSON has no word for; the text names its type.
    """
    if orjson is not None:
        try:
            return orjson.dumps(value)
        except TypeError:
            pass
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def dump_ascii(value: Any) -> str:
    """Encode to compact ASCII JSON, safe as a header value: every other character becomes an escape.

    Raises:
        TypeError: `value` holds something JSON has no word for.
        ValueError: `value` holds NaN or an infinity.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("\x7f", "\\u007f")
