"""What the config of a run adds to the gateway options of a call.

A run's metadata is full of what LangChain, LangGraph and the user keep there; never is it forwarded as a whole. Only
the entry `aigw`, which is gateway options, and the keys that the model's `metadata_keys` name leave the process.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables.config import ensure_config

from aigw import ConfigurationError, context_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langchain_aigw._runs import ModelRun

OPTIONS_KEY: Final = "aigw"
"""The entry of a run's metadata that is gateway options."""

MAX_METADATA: Final = 5
"""Entries of metadata that the gateway keeps per request. Source: AI Gateway docs, Custom metadata."""


def run_options(
    run: ModelRun | None,
    call: Any,
    *,
    model: Mapping[str, Any],
    metadata_keys: Sequence[str] = (),
    sends_run_id: bool = True,
) -> Any:
    """Give the gateway options of a call of this run: the call's over those of the run's config.

    Args:
        run: The run; without one the call's options are all there is.
        call: The call's own options, unchecked.
        model: The model's options; these, and those of the `aigw.gateway_options` blocks around, lie beneath.
        metadata_keys: The keys to forward of the run's metadata, else of `configurable` of the chain or graph around
            it, the most important first.
        sends_run_id: Whether the run's id is the event id of a call that has none of its own.

    Raises:
        ConfigurationError: The run's `aigw` is no dict.
    """
    if run is None or not (call is None or isinstance(call, Mapping)):
        return call
    given = run.metadata.get(OPTIONS_KEY) or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"metadata['aigw'] of a run's config is a dict of gateway options, not {given!r}")
    options = _merge(given, call or {})
    beneath = (model, context_options())
    if metadata_keys:
        known = {**(ensure_config().get("configurable") or {}), **run.metadata}
        _forward(known, options, metadata_keys, {key for layer in beneath for key in _labels(layer)})
    if sends_run_id and not any("event_id" in layer for layer in (*beneath, options)):
        options["event_id"] = str(run.run_id)
    return options


def chosen_event_id(model: Mapping[str, Any], call: Any) -> str | None:
    """Give the event id that the options of a model, of the context and of a call decide on."""
    layers = (model, context_options(), call if isinstance(call, Mapping) else {})
    chosen = [layer["event_id"] for layer in layers if "event_id" in layer]
    return chosen[-1] if chosen else None


def _merge(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**lower, **upper}
    if _labels(lower) and _labels(upper):
        merged["metadata"] = {**_labels(lower), **_labels(upper)}
    return merged


def _labels(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = layer.get("metadata")
    return labels if isinstance(labels, Mapping) else {}


def _forward(known: Mapping[str, Any], options: dict[str, Any], keys: Iterable[str], beneath: Iterable[str]) -> None:
    """Put what `keys` name under the metadata of `options`, as long as there is room."""
    own = _labels(options)
    taken = {*beneath, *own}
    forwarded: dict[str, Any] = {}
    dropped: list[str] = []
    for key in keys:
        value = known.get(key)
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
            f"not sent as gateway metadata: {', '.join(dropped)}; the gateway keeps {MAX_METADATA} entries of a "
            "request, each a text, a finite number or a bool",
            stacklevel=2,
        )


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
