"""Ids of logs and requests, as the gateway has written them since October 2026: lower-case UUIDs, version 7."""

from __future__ import annotations

import secrets
import time


def new_id(now_ns: int | None = None) -> str:
    """Give a new id; ids made later sort after ids made earlier, down to a quarter of a microsecond.

    Args:
        now_ns: The time in nanoseconds since 1970; the machine's clock when left out.

    Source: RFC 9562, section 6.2, method 3 (the fraction of the millisecond fills the first twelve random bits).
    """
    milliseconds, rest = divmod(time.time_ns() if now_ns is None else now_ns, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
