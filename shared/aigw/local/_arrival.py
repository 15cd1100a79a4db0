"""One step of one request, as far as it is known before its body is read: whose it is, what it asks of the gateway.

A request that is refused later is logged from this alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aigw._http import Headers
from aigw.local._call_options import CallOptions, read_options
from aigw.local._ids import new_id

if TYPE_CHECKING:
    from aigw.local._refusal import Host
    from aigw.local._routes import Surface
    from aigw.local._settings._gateway_settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class Ids:
    """The three ids of a step.

    Attributes:
        request: The request's; all steps of a universal request share it.
        log: The log's; the request's own in step 0, a new one in each later step, which has a log of its own.
        event: The caller's, or the request's.
    """

    request: str
    log: str
    event: str


@dataclass(frozen=True, slots=True)
class Entrance:
    """The gateway that a request came in by.

    Attributes:
        host: Whose rules and envelopes hold.
        account_id: The account.
        gateway_id: The gateway, which exists.
        settings: What the gateway is set to.
        demands_token: Whether a token was demanded.
    """

    host: Host
    account_id: str
    gateway_id: str
    settings: GatewaySettings
    demands_token: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """One step of one request.

    Attributes:
        entrance: Where it came in.
        surface: How the model is asked.
        fields: The header fields without the gateway's credentials.
        headers: The fields, looked up in any case.
        content: The body as it came.
        ids: The step's ids.
        options: What the step asks of the gateway.
        step: The step's index.
        kind: `universal` for a step of the universal endpoint, else the grammar of the surface.
        created_ms: When it came, in milliseconds since 1970.
        began: When it came, on the performance counter.
    """

    entrance: Entrance
    surface: Surface
    fields: tuple[tuple[str, str], ...]
    headers: Headers
    content: bytes
    ids: Ids
    options: CallOptions
    step: int
    kind: str
    created_ms: int
    began: float = field(default_factory=time.perf_counter)

    @property
    def is_logged(self) -> bool:
        """Whether the step gets a log: the caller's word, else the gateway's."""
        wish = self.options.collect_log
        return self.entrance.settings.collect_logs if wish is None else wish


def arrive(
    entrance: Entrance,
    surface: Surface,
    fields: tuple[tuple[str, str], ...],
    content: bytes,
    *,
    now: float,
    request_id: str | None = None,
    step: int | None = None,
) -> Arrival:
    """Let a step come in: read what it asks of the gateway, and give it ids.

    Args:
        entrance: Where it comes in.
        surface: How the model is asked.
        fields: The header fields without the gateway's credentials.
        content: The body.
        now: The time in seconds since 1970.
        request_id: The request's id; a new one when left out.
        step: The index in a universal request; left out for any other.
    """
    headers = Headers(fields)
    options = read_options(headers)
    request_id = request_id or new_id()
    ids = Ids(request_id, new_id() if step else request_id, options.event_id or request_id)
    kind = surface.grammar if step is None else "universal"
    return Arrival(entrance, surface, fields, headers, content, ids, options, step or 0, kind, int(now * 1000))
