"""Token counts of the wire as LangChain's `UsageMetadata`.

Upstreams differ: counts may be null, floats or missing, and the details null. Whole numbers come out.
"""

from __future__ import annotations

import math
from typing import Any, Final

from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

_INPUT_DETAILS: Final = (
    ("audio_tokens", "audio"),
    ("cached_tokens", "cache_read"),
    ("cache_write_tokens", "cache_creation"),
)
_OUTPUT_DETAILS: Final = (("audio_tokens", "audio"), ("reasoning_tokens", "reasoning"))


def decode_usage(usage: Any) -> UsageMetadata | None:
    """Decode an answer's `usage`; `None` if it counts no tokens."""
    if not isinstance(usage, dict):
        return None
    count = usage.get
    total, read, written = (
        _count(count("total_tokens")),
        _count(count("prompt_tokens")),
        _count(count("completion_tokens")),
    )
    if total is None and read is None and written is None:
        return None
    read, written = read or 0, written or 0
    decoded = UsageMetadata(
        input_tokens=read, output_tokens=written, total_tokens=read + written if total is None else total
    )
    if details := _details(usage.get("prompt_tokens_details"), _INPUT_DETAILS):
        decoded["input_token_details"] = InputTokenDetails(**details)  # type: ignore[typeddict-item]
    if details := _details(usage.get("completion_tokens_details"), _OUTPUT_DETAILS):
        decoded["output_token_details"] = OutputTokenDetails(**details)  # type: ignore[typeddict-item]
    return decoded


def _details(details: Any, names: tuple[tuple[str, str], ...]) -> dict[str, int]:
    if not isinstance(details, dict):
        return {}
    counts = ((ours, _count(details.get(theirs))) for theirs, ours in names)
    return {ours: count for ours, count in counts if count is not None}


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else None
