"""What the config of a run adds to the gateway options of a call.

A run's metadata is full of what LangChain, LangGraph and the user keep there; never is it forwarded as a whole. Only
the entry `aigw`, which is gateway options, and the keys that the model's `metadata_keys` name leave the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables.config import ensure_config

from aigw import ConfigurationError
from aigw.integration import context_options, forward_metadata, metadata_of, shown
from langchain_aigw._runs import noted_metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_aigw._runs import ModelRun

OPTIONS_KEY: Final = "aigw"
"""The entry of a run's metadata that is gateway options."""

ROOT_KEY: Final = "root_run_id"
"""What `metadata_keys` call the outermost run, by which the gateway then finds all logs beneath it."""


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
            it, the most important first; `root_run_id` is the outermost run.
        sends_run_id: Whether the run's id is the event id of a call that has none of its own.

    Raises:
        ConfigurationError: The run's `aigw` is no dict.
    """
    if run is None or not (call is None or isinstance(call, Mapping)):
        return call
    given = run.metadata.get(OPTIONS_KEY) or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"metadata['aigw'] of a run's config is a dict of gateway options, not {shown(given)}")
    options = lay_over(given, call or {})
    around = context_options()
    if metadata_keys:
        known = {**_root_of(run), **(ensure_config().get("configurable") or {}), **run.metadata}
        options = forward_metadata(known, options, metadata_keys, (model, around))
    if sends_run_id and not ("event_id" in options or "event_id" in around or "event_id" in model):
        options["event_id"] = str(run.run_id)
    return options


def options_around() -> list[tuple[str, Any]]:
    """Give the options of a call that stand neither on the model nor in its keywords: the context's, the run's."""
    given = noted_metadata().get(OPTIONS_KEY)
    merged = lay_over(context_options(), given) if isinstance(given, Mapping) else context_options()
    return sorted(merged.items())


def lay_over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two layers of unchecked gateway options, the upper winning; `metadata` key by key."""
    merged = {**lower, **upper}
    if lower and upper and metadata_of(lower) and metadata_of(upper):
        merged["metadata"] = {**metadata_of(lower), **metadata_of(upper)}
    return merged


def _root_of(run: ModelRun) -> dict[str, str]:
    root = run.root_run_id or (None if run.parent_run_id else run.run_id)
    return {} if root is None else {ROOT_KEY: str(root)}
