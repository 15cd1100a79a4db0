"""The layers of gateway options: the client's, the context's (`gateway_options`), the call's, the later winning.

Every layer is checked where it is given; what is merged here is known to be right by itself.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, cast

from aigw._contexts import leave
from aigw._errors import ConfigurationError
from aigw._options import MAX_METADATA, GatewayOptions, check_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw._options import MetadataValue

_CONTEXT: Final[ContextVar[GatewayOptions]] = ContextVar("aigw.gateway_options")


def merge_options(*layers: GatewayOptions) -> GatewayOptions:
    """Lay checked layers over each other, the last winning; `metadata` key by key.

    Raises:
        ConfigurationError: The merged metadata has more than five entries.
    """
    given = [layer for layer in layers if layer]
    if len(given) < 2:
        return given[0] if given else {}
    merged: dict[str, Any] = {}
    for layer in given:
        merged |= layer
    metadata: dict[str, MetadataValue] = {}
    for layer in given:
        metadata |= layer.get("metadata", {})
    if metadata:
        merged["metadata"] = metadata
    if len(metadata) > MAX_METADATA:
        raise ConfigurationError(
            f"gateway option metadata has {len(metadata)} entries once the client's, the context's and the call's are "
            f"merged ({', '.join(metadata)}); the gateway keeps at most {MAX_METADATA}"
        )
    return cast("GatewayOptions", merged)


def context_options() -> GatewayOptions:
    """Give the options of the `gateway_options` blocks this code runs in."""
    return _CONTEXT.get({})


@contextmanager
def gateway_options(options: GatewayOptions) -> Iterator[None]:
    """Give every call inside the `with` block these options, in this task or thread and in tasks started there.

    They lie over the client's options and under the call's; blocks nest. A thread counts that runs in a copy of this
    code's context (`asyncio.to_thread`); for one of a plain `ThreadPoolExecutor`, submit
    `contextvars.copy_context().run` with the function, a copy for each call.

    Args:
        options: As in a call.

    Raises:
        ConfigurationError: An option is unknown, or its value is not allowed.
    """
    token = _CONTEXT.set(merge_options(context_options(), check_options(options)))
    try:
        yield
    finally:
        leave(_CONTEXT, token)
