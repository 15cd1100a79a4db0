"""What the local gateway takes in queries and header fields, and gives in header fields, as JSON schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.local._call_options import CACHE_TTL_RANGE
from aigw.local._logs._query import DELETE_ORDERS, DIRECTIONS, KINDS, LIST_ORDERS, MAX_PER_PAGE, SIMPLE
from aigw.local._management._requests import MAX_PER_PAGE as MAX_MANAGED
from aigw.local._openapi._schemas import NUMBER, STRING

if TYPE_CHECKING:
    from aigw.local._openapi._schemas import Schema

_WORD: Final[Schema] = {"enum": ["true", "false"]}
_LARGEST: Final = 10**9
_SIMPLE_TYPES: Final[Schema] = {
    "text": STRING,
    "number": NUMBER,
    "time": {"type": "string", "format": "date-time"},
    "bool": {"enum": ["true", "false", "1", "0"]},
}
_PAGE: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 10**6}

LIST_QUERY: Final[dict[str, Schema]] = {
    "filters": {"type": "string", "description": "A JSON array of `Filter`.", "contentMediaType": "application/json"},
    "search": STRING,
    "meta_info": _SIMPLE_TYPES["bool"],
    "order_by": {"enum": list(LIST_ORDERS)},
    "order_by_direction": {"enum": list(DIRECTIONS)},
    "page": _PAGE,
    "per_page": {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE},
}
"""The query of a list of logs."""

OLD_LIST_QUERY: Final[dict[str, Schema]] = {
    "direction": {"enum": list(DIRECTIONS)},
    "feedback": {"enum": ["0", "1"]},
    **{name: _SIMPLE_TYPES[KINDS[key]] for name, (key, _) in SIMPLE.items()},
}
"""What that query may also have, deprecated."""

DELETE_QUERY: Final[dict[str, Schema]] = {
    "filters": LIST_QUERY["filters"],
    "order_by": {"enum": list(DELETE_ORDERS)},
    "order_by_direction": {"enum": list(DIRECTIONS)},
    "limit": _PAGE,
}
"""The query of a deletion of logs."""

PAGE_QUERY: Final[dict[str, Schema]] = {
    "page": _PAGE,
    "per_page": {"type": "integer", "minimum": 1, "maximum": MAX_MANAGED},
}
"""The query of any other list."""

GATEWAY_HEADER: Final = "cf-aig-gateway-id"
"""What names the gateway on the REST host."""

CALL_HEADERS: Final[dict[str, Schema]] = {
    GATEWAY_HEADER: STRING,
    **dict.fromkeys(
        ("cf-aig-skip-cache", "cf-aig-collect-log", "cf-aig-collect-log-payload", "cf-aig-no-wholesale", "cf-aig-zdr"),
        _WORD,
    ),
    "cf-aig-cache-ttl": {
        "anyOf": [{"const": 0}, {"type": "integer", "minimum": CACHE_TTL_RANGE[0], "maximum": CACHE_TTL_RANGE[1]}]
    },
    "cf-aig-cache-key": STRING,
    "cf-aig-metadata": {"type": "string", "contentMediaType": "application/json"},
    "cf-aig-custom-cost": {"type": "string", "contentMediaType": "application/json"},
    "cf-aig-event-id": STRING,
    "cf-aig-request-timeout": {"type": "integer", "minimum": 1, "maximum": _LARGEST},
    "cf-aig-max-attempts": {"type": "integer", "minimum": 1, "maximum": 5},
    "cf-aig-retry-delay": {"type": "integer", "minimum": 0, "maximum": 60_000},
    "cf-aig-backoff": {"enum": ["constant", "linear", "exponential"]},
    "cf-aig-byok-alias": STRING,
    "cf-aig-session-id": STRING,
    "cf-aig-turn-id": STRING,
    "cf-aig-no-session-affinity": _WORD,
    "cf-aig-allowed-models": STRING,
    "cf-aig-allowed-providers": STRING,
}
"""The gateway options of a model call."""

ID_HEADERS: Final = ("cf-aig-log-id", "cf-aig-request-id", "cf-aig-event-id", "cf-aig-step")
"""What an error's header fields say above all."""

ANSWER_HEADERS: Final[dict[str, Schema]] = {
    "cf-aig-log-id": STRING,
    "cf-aig-request-id": STRING,
    "cf-aig-event-id": STRING,
    "cf-aig-step": {"type": "integer", "minimum": 0},
    "cf-aig-cache-status": {"enum": ["HIT", "MISS"]},
    "cf-aig-model": STRING,
    "cf-aig-provider": STRING,
    "cf-aig-dlp": {"type": "string", "contentMediaType": "application/json"},
    "cf-aig-routed-model": STRING,
    "cf-aig-routing-reason": STRING,
    "cf-aig-routing-decision-id": STRING,
    "cf-aig-run-id": STRING,
    "payment-required": STRING,
}
"""What an answer's header fields say."""
