"""What a framework knows of a run, and what of it goes to the gateway: only what was named, and only as far as it fits.

A run's metadata holds the framework's internals and the user's words, so that nothing is ever sent wholesale.
"""

from __future__ import annotations

import math
import re
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aigw._option_layers import context_options
from aigw._options import MAX_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

_NOT_OF_A_HEADER: Final = re.compile(r"[^!-~]")

_NOT_THE_USERS: Final = frozenset(
    {
        "aigw",
        "asyncio",
        "concurrent",
        "contextlib",
        "functools",
        "langchain",
        "langchain_aigw",
        "langchain_core",
        "langgraph",
        "llama_index",
        "llama_index_instrumentation",
        "llamaindex_aigw",
        "tenacity",
        "threading",
        "workflows",
    }
)
"""Packages whose lines a warning does not point at."""

RUN_LABELS: Final = ("root_run_id", "thread_id", "root_span_id", "workflow_run_id")
"""The metadata keys under which adapters forward what a run stands in, if a model's `metadata_keys` name them.

The gateway then is an index of runs too: logs can be listed by them from any process.
"""


def forward_metadata(
    known: Mapping[str, Any], options: Mapping[str, Any], keys: Iterable[str], beneath: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Give gateway options with what `keys` name of `known` among their metadata.

    The options' own metadata win, and there are at most five entries once all layers are merged. A UUID is sent as its
    text. What cannot be sent is named in a warning: a value that is no text, finite number or bool, or a key there is
    no room for; it points at the caller's own line, for each of which Python shows it once.

    Args:
        known: What is known of the run.
        options: The options of a call; they are not changed.
        keys: The keys to forward, the most important first.
        beneath: The layers these options will be laid over.
    """
    own = metadata_of(options)
    taken = {*own, *(key for layer in beneath for key in metadata_of(layer))}
    forwarded: dict[str, Any] = {}
    dropped: list[str] = []
    for key in keys:
        value = _plain(known.get(key))
        if key in own or value is None:
            continue
        if _is_scalar(value) and (key in taken or len(taken) < MAX_METADATA):
            forwarded[key] = value
            taken.add(key)
        else:
            dropped.append(key)
    if dropped:
        _warn(dropped)
    return {**options, "metadata": {**forwarded, **own}} if forwarded else dict(options)


def metadata_of(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the metadata of unchecked options; none where it is no dict."""
    metadata = options.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def event_id_of(name: str) -> str:
    """Give the event id that a run or span of this name is sent as: in characters that a header can carry."""
    return _NOT_OF_A_HEADER.sub("_", name)


def chosen_event_id(model: Any, call: Any) -> str | None:
    """Give the event id that the options of a model, of the context and of a call, all unchecked, decide on."""
    for layer in (call, context_options(), model):
        if isinstance(layer, Mapping) and "event_id" in layer:
            chosen: str | None = layer["event_id"]
            return chosen
    return None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))


def _warn(dropped: list[str]) -> None:
    warnings.warn(
        f"not sent as gateway metadata: {', '.join(dropped)}; the gateway keeps {MAX_METADATA} entries of a request, "
        "each a text, a finite number or a bool",
        stacklevel=_users_level(),
    )


def _users_level() -> int:
    """Give the stack level, as seen by who asks, of the nearest line that is neither ours nor a framework's."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  what `warnings` itself looks at
    level = 1
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in _NOT_THE_USERS:
            return level
        frame, level = frame.f_back, level + 1
    return 1
