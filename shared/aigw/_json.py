"""JSON in and out, as fast as what is installed allows.

orjson comes with LangChain; pydantic's own parser is always there. Both read bytes and refuse what is not JSON with a
`ValueError`. The standard library's is asked only for what they refuse and JSON allows: integers beyond 64 bits, a BOM,
half of a surrogate pair.
"""

from __future__ import annotations

import codecs
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

if TYPE_CHECKING:
    from collections.abc import Callable

_BYTES_A_LOOK: Final = 2048

try:
    import orjson
except ImportError:  # the core needs pydantic alone
    orjson = None  # type: ignore[assignment]


def parse_json(data: bytes) -> Any:
    """Decode one JSON document.

    Raises:
        ValueError: `data` is not JSON.
    """
    try:
        return _parse(data)
    except ValueError:
        mended = _mend(data)
        if mended is None:
            raise
    return _parse(mended)


_parse: Callable[[bytes], Any] = (
    partial(pydantic_core.from_json, allow_inf_nan=False) if orjson is None else orjson.loads
)


def _mend(data: bytes) -> bytes | None:
    """Take off a BOM, and put U+FFFD for halves of surrogate pairs, as models that cut a character in two send them."""
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    if b"\\ud" not in data.lower():
        return None
    try:
        text = json.dumps(json.loads(data), ensure_ascii=False)
    except RecursionError:
        return None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def dump_json(value: Any) -> bytes:
    """Encode to compact UTF-8 JSON; keys keep their order, so that equal values give equal bytes.

    Raises:
        TypeError: `value` holds something JSON has no word for; the text names its type.
        ValueError: It holds NaN, an infinity, itself, or is nested too deep.
    """
    if orjson is not None:
        try:
            data: bytes = orjson.dumps(value)
        except TypeError:
            pass
        else:
            if _may_hold_nan(value, data):
                _refuse_nan(value)
            return data
    try:
        return _dump(value)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _may_hold_nan(value: Any, data: bytes) -> bool:
    """Tell whether a value whose JSON this is may hold what orjson writes as null.

    Few long texts, as a big prompt is, are seen through faster than what was written of them is searched.
    """
    looked_at = [value]
    for _ in range(len(data) // _BYTES_A_LOOK):
        if not looked_at:
            return False
        each = looked_at.pop()
        if isinstance(each, dict):
            looked_at += each.values()
        elif isinstance(each, list | tuple):
            looked_at += each
        elif not isinstance(each, str | int | None):
            break
    return b"null" in data


def _refuse_nan(value: Any) -> None:
    """Refuse what orjson would write as null."""
    json.dumps(value, allow_nan=False, default=str, skipkeys=True)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def dump_ascii(value: Any) -> str:
    """Encode to compact ASCII JSON, safe as a header value: every other character becomes an escape.

    Raises:
        TypeError: `value` holds something JSON has no word for.
        ValueError: `value` holds NaN or an infinity.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("\x7f", "\\u007f")
