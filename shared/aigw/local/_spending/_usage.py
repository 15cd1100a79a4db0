"""How many tokens an answer took, as the upstream says, or counted where it does not say; and what they cost.

Every provider says it in words of its own; those that are known stand in one table.

A streamed answer only reports its tokens when the caller asked for it. Its log would be without them, so they are
estimated then, with the offline model's counter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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

    def over(self, earlier: Usage | None) -> Usage:
        """Give this report, with what it leaves open from an earlier one of the same answer."""
        if earlier is None:
            return self
        return Usage(
            earlier.tokens_in if not self.tokens_in else self.tokens_in,
            earlier.tokens_out if not self.tokens_out else self.tokens_out,
            self.cache_read or earlier.cache_read,
            self.cache_write or earlier.cache_write,
        )


@dataclass(frozen=True, slots=True)
class _Words:
    """How one API names what an answer took; the cached tokens are part of `tokens_in`, or come on top."""

    tokens_in: str
    tokens_out: str
    cache_read: str = ""
    cache_write: str = ""
    on_top: bool = False


_WORDS: Final = (
    _Words(
        "prompt_tokens",
        "completion_tokens",
        "prompt_tokens_details.cached_tokens",
        "prompt_tokens_details.cache_creation_tokens",
    ),
    _Words("promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount"),
    _Words("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", on_top=True),
    _Words("tokens.input_tokens", "tokens.output_tokens"),
    _Words("billed_units.input_tokens", "billed_units.output_tokens"),
)
_INPUT_TOKENS: Final = {
    True: _Words(
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", on_top=True
    ),
    False: _Words("input_tokens", "output_tokens", "input_tokens_details.cached_tokens"),
}
"""Anthropic and OpenAI's Responses share words; of the two only Anthropic counts cached tokens apart."""

_REPORTS: Final = ("usage", "usageMetadata", "message.usage", "response.usage", "delta.usage", "metadata.usage", "meta")
_REPORTED_IN: Final = frozenset(place.partition(".")[0] for place in _REPORTS)
_NAMES: Final = ("model", "modelVersion", "message.model", "response.model")


def read_usage(answer: Mapping[str, Any]) -> Usage | None:
    """Read the usage of an answer, a chunk or an event of any known API; `None` when it reports none."""
    for place in _REPORTS if _REPORTED_IN & answer.keys() else ():
        report = _at(answer, place)
        words = _words_of(report) if isinstance(report, dict) else None
        if words is not None:
            return _read_report(report, words)
    return None


def read_answering_model(answer: Mapping[str, Any]) -> str:
    """Read which model an answer or event says it is from; empty when it does not say."""
    return next((name for place in _NAMES if isinstance(name := _at(answer, place), str)), "")


def _words_of(report: Mapping[str, Any]) -> _Words | None:
    if "input_tokens" in report or "output_tokens" in report:
        return _INPUT_TOKENS["input_tokens_details" not in report]
    return next((words for words in _WORDS if _at(report, words.tokens_in) is not None), None)


def _read_report(report: Mapping[str, Any], words: _Words) -> Usage:
    tokens_in, tokens_out = (_whole(_at(report, name)) for name in (words.tokens_in, words.tokens_out))
    read, written = (_whole(_at(report, name)) or 0 for name in (words.cache_read, words.cache_write))
    if words.on_top and tokens_in is not None:
        tokens_in += read + written
    return Usage(tokens_in, 0 if tokens_out is None else tokens_out, read, written)


def _at(value: Any, place: str) -> Any:
    if "." not in place:
        return value.get(place) if isinstance(value, dict) else None
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


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
