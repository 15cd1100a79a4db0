"""How many tokens an answer took, as the upstream says, or counted where it does not say; and what they cost.

A streamed answer only reports its tokens when the caller asked for it. Its log would be without them, so they are
estimated then, with the offline model's counter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigw.local.offline import count_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one answer.

    Attributes:
        tokens_in: Tokens in, those of the provider's prompt cache included; `None` where nobody knows.
        tokens_out: Tokens out; `None` where nobody knows.
        cache_read: How many of the tokens in were read from the provider's prompt cache.
        cache_write: How many were written to it.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    cache_read: int = 0
    cache_write: int = 0


def read_usage(answer: Mapping[str, Any]) -> Usage | None:
    """Read the usage of an OpenAI answer or chunk; `None` when it reports none."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    tokens_in = _whole(usage.get("prompt_tokens"))
    tokens_out = _whole(usage.get("completion_tokens"))
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    read, written = (_whole(details.get(name)) or 0 for name in ("cached_tokens", "cache_creation_tokens"))
    return Usage(tokens_in, 0 if tokens_out is None else tokens_out, read, written)


def estimate_usage(body: Mapping[str, Any], text: str) -> Usage:
    """Estimate the usage of a chat completion from its request body and the text that came."""
    return Usage(sum(map(count_tokens, _prompts(body.get("messages")))), count_tokens(text))


def custom_cost(rates: Mapping[str, float], usage: Usage) -> float | None:
    """Price an answer at the caller's own rates; `None` when no tokens are reported.

    `total_cost`, which Cloudflare's own client types allow and its docs do not mention, stands for the whole. Tokens of
    the provider's prompt cache have rates of their own, and `per_token_in` where those are not given.

    Source: AI Gateway docs, Custom costs.
    """
    if usage.tokens_in is None and usage.tokens_out is None:
        return None
    if "total_cost" in rates:
        return rates["total_cost"]
    rate_in = rates.get("per_token_in", 0.0)
    fresh = max((usage.tokens_in or 0) - usage.cache_read - usage.cache_write, 0)
    cost_in = fresh * rate_in + usage.cache_read * rates.get("per_cache_read_token", rate_in)
    cost_in += usage.cache_write * rates.get("per_cache_write_token", rate_in)
    return cost_in + (usage.tokens_out or 0) * rates.get("per_token_out", 0.0)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _prompts(messages: object) -> Iterator[str]:
    for message in dicts(messages):
        content = message.get("content")
        texts = [content] if isinstance(content, str) else [part.get("text") for part in dicts(content)]
        yield from (text for text in texts if isinstance(text, str))


def dicts(value: object) -> list[dict[str, Any]]:
    """Give the objects of an array; of anything else, none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
