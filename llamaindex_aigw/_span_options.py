"""What the span and the tags of a call add to its gateway options.

`instrument_tags` are full of what LlamaIndex's workflows keep there, the user's own words among it; never are they
forwarded as a whole. Only the keys that the model's `metadata_keys` name leave the process.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_METADATA: Final = 5
"""Entries of metadata that the gateway keeps per request. Source: AI Gateway docs, Custom metadata."""


def event_id_of(span_id: str) -> str:
    """Give the event id that a span's calls are sent with: its id, in characters that a header can carry."""
    return "".join(letter if "!" <= letter <= "~" else "_" for letter in span_id)


def span_options(
    call: Any,
    *,
    span_id: str | None,
    tags: Mapping[str, Any],
    beneath: Sequence[Mapping[str, Any]] = (),
    metadata_keys: Sequence[str] = (),
    sends_span_id: bool = True,
) -> Any:
    """Give the gateway options of a call made in this span: the call's own, and what they leave open.

    Args:
        call: The call's own options, unchecked.
        span_id: LlamaIndex's id of the span.
        tags: LlamaIndex's `instrument_tags`.
        beneath: The options that these will be laid over: of the model, of the context.
        metadata_keys: The tags to forward, the most important first.
        sends_span_id: Whether the span's id is the event id of a call that has none of its own.
    """
    if not (call is None or isinstance(call, Mapping)):
        return call
    options = dict(call or {})
    if metadata_keys:
        _forward(tags, options, metadata_keys, {key for layer in beneath for key in _labels(layer)})
    if span_id and sends_span_id and not any("event_id" in layer for layer in (*beneath, options)):
        options["event_id"] = event_id_of(span_id)
    return options or call


def _labels(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = layer.get("metadata")
    return labels if isinstance(labels, Mapping) else {}


def _forward(tags: Mapping[str, Any], options: dict[str, Any], keys: Iterable[str], beneath: Iterable[str]) -> None:
    """Put what `keys` name under the metadata of `options`, as long as there is room."""
    own = _labels(options)
    taken = {*beneath, *own}
    forwarded: dict[str, Any] = {}
    dropped: list[str] = []
    for key in keys:
        value = tags.get(key)
        if key in own or value is None:
            continue
        if _is_scalar(value) and (key in taken or len(taken) < MAX_METADATA):
            forwarded[key] = value
            taken.add(key)
        else:
            dropped.append(key)
    if forwarded:
        options["metadata"] = {**forwarded, **own}
    if dropped:
        warnings.warn(
            f"not sent as gateway metadata: {', '.join(dropped)}; the gateway keeps {MAX_METADATA} entries per "
            "request, each a text, a finite number or a bool",
            stacklevel=2,
        )


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
