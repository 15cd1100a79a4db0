"""The gateway on your own machine: the same paths, headers, errors, cache and logs, and no network.

`LocalGateway` is a context manager around a real server, or a transport for httpx without one; `python -m aigw.local`
starts it from a shell, and the pytest fixtures `aigw_local` and `aigw_transport` give one to a test.

Names are imported when they are first used: pytest imports this package in every run for the fixture's sake, and
starlette and uvicorn are the extra `aigw[local]`, which only the server needs.
"""

from typing import TYPE_CHECKING, Final

from aigw._lazy import lazy

if TYPE_CHECKING:
    from aigw.local._for_tests._asked import UpstreamRequest, UpstreamRequests
    from aigw.local._for_tests._gateway_logs import GatewayLogs
    from aigw.local._for_tests._script import ScriptRequest, ScriptUpstream
    from aigw.local._for_tests._stage import Script
    from aigw.local._gateway_transport import GatewayTransport
    from aigw.local._guarding._checks import Check, find_patterns, find_words
    from aigw.local._local_gateway import LocalGateway
    from aigw.local._reply import Reply, json_reply
    from aigw.local._settings._gateway_settings import GatewaySettingsDict
    from aigw.local._settings._switches import SwitchesDict
    from aigw.local._upstreams._forward import ForwardUpstream
    from aigw.local._upstreams._offline import OfflineUpstream
    from aigw.local._upstreams._upstream import Upstream, UpstreamUnreachableError

__all__ = [
    "Check",
    "ForwardUpstream",
    "GatewayLogs",
    "GatewaySettingsDict",
    "GatewayTransport",
    "LocalGateway",
    "OfflineUpstream",
    "Reply",
    "Script",
    "ScriptRequest",
    "ScriptUpstream",
    "SwitchesDict",
    "Upstream",
    "UpstreamRequest",
    "UpstreamRequests",
    "UpstreamUnreachableError",
    "find_patterns",
    "find_words",
    "json_reply",
]

_MODULES: Final = {
    "Check": "_guarding._checks",
    "ForwardUpstream": "_upstreams._forward",
    "GatewayLogs": "_for_tests._gateway_logs",
    "GatewaySettingsDict": "_settings._gateway_settings",
    "GatewayTransport": "_gateway_transport",
    "LocalGateway": "_local_gateway",
    "OfflineUpstream": "_upstreams._offline",
    "Reply": "_reply",
    "Script": "_for_tests._stage",
    "ScriptRequest": "_for_tests._script",
    "ScriptUpstream": "_for_tests._script",
    "SwitchesDict": "_settings._switches",
    "Upstream": "_upstreams._upstream",
    "UpstreamRequest": "_for_tests._asked",
    "UpstreamRequests": "_for_tests._asked",
    "UpstreamUnreachableError": "_upstreams._upstream",
    "find_patterns": "_guarding._checks",
    "find_words": "_guarding._checks",
    "json_reply": "_reply",
}

__getattr__, __dir__ = lazy(__name__, _MODULES)
