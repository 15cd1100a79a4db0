"""What LangSmith's tracer is told of the gateway: who really served a call, and its log id.

The tracer promotes a private entry of `generation_info` to the run's metadata, where its `model` and `provider` win
over those that were asked for. A langchain-core that does not know the entry would leave it on the message: unless the
module that takes it off last knows its name, nothing is told.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


def _tracer_key() -> str | None:
    try:
        bridge = import_module("langchain_core.language_models._compat_bridge")
    except ImportError:
        return None
    key = getattr(bridge, "GATEWAY_METADATA_RESPONSE_KEY", None)
    return key if isinstance(key, str) else None


_KEY: Final = _tracer_key()


def tracer_facts(info: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the entry of `generation_info` that puts the gateway's facts into a run's metadata; empty without facts."""
    if not info or _KEY is None:
        return {}
    served = info.get("model") or info.get("routed_model")
    return {_KEY: {**info, "model": served} if served else dict(info)}
