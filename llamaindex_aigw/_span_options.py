"""What the span and the tags of a call add to its gateway options.

`instrument_tags` are full of what LlamaIndex's workflows keep there, the user's own words among it; never are they
forwarded as a whole. Only the keys that the model's `metadata_keys` name leave the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aigw.integration import event_id_of, forward_metadata
from llamaindex_aigw._spans import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llamaindex_aigw._spans import Place


def span_options(
    call: Any,
    *,
    span_id: str | None,
    tags: Mapping[str, Any],
    place: Place = NOWHERE,
    beneath: Sequence[Mapping[str, Any]] = (),
    metadata_keys: Sequence[str] = (),
    sends_span_id: bool = True,
) -> Any:
    """Give the gateway options of a call made in this span: the call's own, and what they leave open.

    Args:
        call: The call's own options, unchecked.
        span_id: LlamaIndex's id of the span.
        tags: LlamaIndex's `instrument_tags`.
        place: The spans and workflow runs around the call.
        beneath: The options that these will be laid over: of the model, of the context.
        metadata_keys: The tags to forward, the most important first.
        sends_span_id: Whether the span's id is the event id of a call that has none of its own.
    """
    if not (call is None or isinstance(call, Mapping)):
        return call
    options = dict(call or {})
    if metadata_keys:
        options = forward_metadata({**_labels(place), **tags}, options, metadata_keys, beneath)
    if (
        span_id
        and sends_span_id
        and not ("event_id" in options or any("event_id" in layer for layer in beneath if layer))
    ):
        options["event_id"] = event_id_of(span_id)
    return options or call


def _labels(place: Place) -> dict[str, str]:
    """Give what `metadata_keys` call the outermost span and workflow run, by which the gateway finds their logs."""
    labels = {"root_span_id": place.spans[:1], "workflow_run_id": place.runs[:1]}
    return {name: found[0] for name, found in labels.items() if found}
