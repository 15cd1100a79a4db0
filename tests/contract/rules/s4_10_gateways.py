"""4.10: the gateway as an object of the management API."""

import re

from .exchanges import REST, Exchange, asks, rest_refusal, story
from .rule import DOCUMENTED, GUESS, Section

SECTION = Section("4.10", "The gateway object", "`ai-gateway/gateways[/{id}]`: POST, GET, PUT, DELETE.")
add = SECTION.add

NEW = {
    "id": "{gw}",
    "cache_invalidate_on_update": False,
    "cache_ttl": 60,
    "collect_logs": True,
    "rate_limiting_interval": 30,
    "rate_limiting_limit": 10,
}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

add(
    "create",
    "A gateway is made by POST, and is given back with all its settings.",
    DOCUMENTED,
    asks("POST {gateways}", NEW, REST, json={"success": True, "result": {**NEW, "id": "{gw}"}}),
)
for field in (
    "id",
    "cache_invalidate_on_update",
    "cache_ttl",
    "collect_logs",
    "rate_limiting_interval",
    "rate_limiting_limit",
):
    add(
        f"create-wants-{field.replace('_', '-')}",
        f"It needs `{field}`.",
        DOCUMENTED,
        asks(
            "POST {gateways}",
            {name: value for name, value in NEW.items() if name != field},
            REST,
            **rest_refusal(400, 7001),
        ),
    )
for field in ("cache_ttl", "rate_limiting_interval", "rate_limiting_limit"):
    add(
        f"{field.replace('_', '-')}-may-be-null",
        f"`{field}` may be null.",
        DOCUMENTED,
        asks("POST {gateways}", {**NEW, field: None}, REST),
    )
add(
    "get",
    "It is read by GET.",
    DOCUMENTED,
    story(
        Exchange("POST {gateways}", NEW, REST), Exchange("GET {manage}", None, REST, json={"result": {"cache_ttl": 60}})
    ),
)
add(
    "list",
    "Gateways are listed in pages, and found by a search in their ids.",
    DOCUMENTED,
    story(
        Exchange("POST {gateways}", NEW, REST),
        Exchange(
            "GET {gateways}?search={gw}",
            None,
            REST,
            json={"success": True, "result": [{"id": "{gw}"}], "result_info": {"total_count": 1, "page": 1}},
        ),
    ),
)
add(
    "update",
    "It is changed by PUT.",
    DOCUMENTED,
    story(
        Exchange("POST {gateways}", NEW, REST),
        Exchange("PUT {manage}", {**NEW, "cache_ttl": 90}, REST, json={"result": {"cache_ttl": 90}}),
        Exchange("GET {manage}", None, REST, json={"result": {"cache_ttl": 90}}),
    ),
)
add(
    "delete",
    "It is deleted by DELETE, and is gone.",
    DOCUMENTED,
    story(
        Exchange("POST {gateways}", NEW, REST),
        Exchange("DELETE {manage}", None, REST, json={"success": True}),
        Exchange("GET {manage}", None, REST, **rest_refusal(404, 7002)),
    ),
)
add(
    "read-only-fields",
    "`is_default`, `created_at` and `modified_at` are told, and cannot be set.",
    DOCUMENTED,
    asks(
        "POST {gateways}",
        {**NEW, "is_default": True, "created_at": "2001-01-01T00:00:00Z"},
        REST,
        json={
            "result": {
                "is_default": False,
                "created_at": lambda text: RFC3339.fullmatch(text) and not text.startswith("2001"),
                "modified_at": RFC3339,
            }
        },
    ),
)
for field, value in (
    ("authentication", True),
    ("log_management", 1000),
    ("log_management_strategy", "DELETE_OLDEST"),
    ("logpush", True),
    ("otel", [{"url": "https://example.com"}]),
    ("retry_max_attempts", 3),
    ("retry_delay", 500),
    ("retry_backoff", "exponential"),
    ("rate_limiting_technique", "sliding"),
    ("zdr", True),
    ("byok_only", True),
    ("workers_ai_billing_mode", "unified"),
):
    add(
        f"field-{field.replace('_', '-')}",
        f"`{field}` is a field, and is given back.",
        DOCUMENTED,
        asks("POST {gateways}", {**NEW, field: value}, REST, json={"result": {field: value}}),
    )
for field, value, allowed in (
    ("rate_limiting_technique", "random", "`fixed` and `sliding`"),
    ("log_management_strategy", "SHRED", "`STOP_INSERTING` and `DELETE_OLDEST`"),
    ("retry_backoff", "random", "`constant`, `linear` and `exponential`"),
    ("retry_max_attempts", 6, "1 to 5"),
    ("retry_delay", 60_001, "0 to 60000"),
):
    add(
        f"{field.replace('_', '-')}-has-a-range",
        f"`{field}` takes {allowed}.",
        DOCUMENTED,
        asks("POST {gateways}", {**NEW, field: value}, REST, **rest_refusal(400, 7001)),
    )
add(
    "url-of-a-provider",
    "`url/{provider}` gives the provider's address behind the gateway, as a text.",
    DOCUMENTED,
    story(
        Exchange("POST {gateways}", NEW, REST),
        Exchange("GET {manage}/url/openai", None, REST, json={"result": lambda url: url.endswith("-x/openai")}),
    ),
)
add(
    "url-of-the-gateway",
    "`url/universal` gives the gateway's own address, which ends in a slash.",
    DOCUMENTED,
    story(
        Exchange("POST {gateways}", NEW, REST),
        Exchange("GET {manage}/url/universal", None, REST, json={"result": lambda url: url.endswith("-x/")}),
    ),
)
add(
    "an-id-is-taken-once",
    "An id that is taken is refused.",
    GUESS,
    story(Exchange("POST {gateways}", NEW, REST), Exchange("POST {gateways}", NEW, REST, **rest_refusal(400, 7001))),
)
