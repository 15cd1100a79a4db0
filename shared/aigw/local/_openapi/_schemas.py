"""The JSON schemas of the bodies that the local gateway takes and gives, read from the tables that it answers by."""

from __future__ import annotations

from typing import Any, Final

from aigw.local._logs._query import KINDS, OPERATORS_OF
from aigw.local._logs._record import MAX_METADATA
from aigw.local._management._gateways import GATEWAY_ID, MAX_ID, NOT_NULL, REQUIRED
from aigw.local._settings._readers import CHECKS, or_null

Schema = dict[str, Any]

STRING: Final[Schema] = {"type": "string"}
INTEGER: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
_NULL: Final[Schema] = {"type": "null"}
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
_LARGEST: Final = 10**9


def listed(item: Schema, **more: Any) -> Schema:
    """Give the schema of an array."""
    return {"type": "array", "items": item, **more}


def fields(*required: str, **properties: Schema) -> Schema:
    """Give the schema of an object; the fields named first must be there."""
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def nullable(schema: Schema) -> Schema:
    """Give the schema of a value that may be null."""
    return {"anyOf": [schema, _NULL]}


def ref(name: str) -> Schema:
    """Point to a schema of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def rest_result(result: Schema, **more: Schema) -> Schema:
    """Give the schema of a REST success."""
    envelope = fields(
        "result", "success", "errors", "messages", success={"const": True}, errors=_NO_ITEMS, messages=_NO_ITEMS
    )
    envelope["properties"] |= {"result": result, **more}
    envelope["required"] += list(more)
    return envelope


_NO_ITEMS: Final = listed({}, maxItems=0)
_CODED: Final = fields("code", "message", code=INTEGER, message=STRING)
_RANGED: Final = ("cost", "duration", "tokens_in", "tokens_out", "total_tokens")
_LOG: Final[Schema] = {
    **dict.fromkeys(("id", "provider", "model", "path", "event_id", "user_agent", "dlp_action", "model_type"), STRING),
    **dict.fromkeys(("request_type", "request_content_type", "response_content_type"), STRING),
    **dict.fromkeys(("success", "cached", "custom_cost", "authentication", "wholesale", "compatibilityMode"), BOOLEAN),
    **dict.fromkeys(("duration", "status_code", "step", "feedback"), INTEGER),
    **dict.fromkeys(("tokens_in", "tokens_out"), nullable(INTEGER)),
    **dict.fromkeys(("cost", "score"), NUMBER),
    "created_at": {"type": "string", "format": "date-time"},
    "metadata": {"type": "object", "additionalProperties": _SCALAR, "maxProperties": MAX_METADATA},
}
_LOG_REQUIRED: Final = (
    *("id", "provider", "model", "path", "created_at", "duration", "success", "cached", "tokens_in", "tokens_out"),
)
_DETAIL: Final[Schema] = {
    **dict.fromkeys(("request_head", "response_head"), STRING),
    **dict.fromkeys(("request_head_complete", "response_head_complete"), BOOLEAN),
    **dict.fromkeys(("request_size", "response_size"), INTEGER),
}
_SETTINGS: Final[Schema] = {
    name: dict(check.schema) if name in NOT_NULL else or_null(check) for name, check in CHECKS.items()
}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_TIMES: Final[Schema] = {"created_at": _TIME, "modified_at": _TIME}
_MODEL: Final[Schema] = {"type": "string", "minLength": 1}
_SAMPLING: Final[Schema] = {"temperature": NUMBER, "top_p": NUMBER, "stream": BOOLEAN}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": _LARGEST}
_CONFIG: Final = fields(
    requestTimeout=_COUNT,
    maxAttempts={"type": "integer", "minimum": 1, "maximum": 5},
    retryDelay={"type": "integer", "minimum": 0, "maximum": 60_000},
    backoff={"enum": ["constant", "linear", "exponential"]},
)
_STEP: Final = fields(
    "provider", "endpoint", provider=STRING, endpoint=STRING, headers=OBJECT, query=OBJECT, config=_CONFIG
)


def _messages(*roles: str) -> Schema:
    return listed(fields("role", "content", role={"enum": list(roles)}, content=STRING), minItems=1)


SCHEMAS: Final[dict[str, Schema]] = {
    "RestError": fields(
        *("result", "success", "errors", "messages"),
        result=_NULL,
        success={"const": False},
        errors=listed(_CODED, minItems=1),
        messages=_NO_ITEMS,
    ),
    "GatewayError": fields(
        *("success", "result", "messages", "error", "name", "httpCode", "internalCode", "message", "description"),
        success={"const": False},
        result=_NO_ITEMS,
        messages=_NO_ITEMS,
        error=listed(_CODED, minItems=1),
        name={"const": "AiGatewayError"},
        httpCode=INTEGER,
        internalCode=INTEGER,
        message=STRING,
        description=STRING,
    ),
    "OpenAIError": fields("error", error=fields("message", "type", message=STRING, type=STRING)),
    "AnthropicError": fields(
        "type", "error", type={"const": "error"}, error=fields("type", "message", type=STRING, message=STRING)
    ),
    "PolicyError": fields(
        "success",
        "error",
        success={"const": False},
        error=fields("message", message=STRING, bucket=STRING, spent=NUMBER, limit=NUMBER),
    ),
    "ChatRequest": fields(
        *("model", "messages"),
        model=_MODEL,
        messages=_messages("system", "developer", "user", "assistant"),
        max_tokens=_COUNT,
        n={"type": "integer", "minimum": 1, "maximum": 8},
        stop=listed(STRING, maxItems=4),
        **_SAMPLING,
    ),
    "ChatCompletion": fields(
        *("id", "object", "choices", "usage"), id=STRING, object=STRING, choices=listed(OBJECT), usage=OBJECT
    ),
    "ResponsesRequest": fields(
        "model",
        "input",
        model=_MODEL,
        input=STRING,
        instructions=nullable(STRING),
        max_output_tokens=_COUNT,
        **_SAMPLING,
    ),
    "ResponsesAnswer": fields(*("id", "object", "output"), id=STRING, object={"const": "response"}, output=listed({})),
    "MessagesRequest": fields(
        *("model", "max_tokens", "messages"),
        model=_MODEL,
        max_tokens=_COUNT,
        system=STRING,
        messages=_messages("user", "assistant"),
        **_SAMPLING,
    ),
    "MessagesAnswer": fields(*("id", "type", "content"), id=STRING, type={"const": "message"}, content=listed({})),
    "EmbeddingsRequest": fields(
        *("model", "input"),
        model=_MODEL,
        input={"anyOf": [STRING, listed(STRING, minItems=1)]},
        dimensions={"type": "integer", "minimum": 8, "maximum": 4096},
        encoding_format={"enum": ["float", "base64"]},
    ),
    "EmbeddingsAnswer": fields(*("object", "data", "usage"), object=STRING, data=listed(OBJECT), usage=OBJECT),
    "RunRequest": fields(
        *("model", "input"),
        model=_MODEL,
        input=OBJECT,
        options=fields(background=BOOLEAN, webhookUrl=STRING, webhookFormat={"enum": ["raw", "chat"]}),
    ),
    "WorkersAIRequest": OBJECT,
    "AnyAnswer": OBJECT,
    "UniversalRequest": {"anyOf": [listed(_STEP, minItems=1), _STEP]},
    "GatewayRequest": fields(
        *("id", *REQUIRED),
        id={"type": "string", "maxLength": MAX_ID, "pattern": f"^{GATEWAY_ID.pattern}$"},
        **_SETTINGS,
    ),
    "GatewayChange": fields(*REQUIRED, **_SETTINGS),
    "Gateway": fields(*("id", "is_default", *_TIMES), id=STRING, is_default=BOOLEAN, **_SETTINGS, **_TIMES),
    "ProviderConfigRequest": {
        **fields(
            "provider_slug",
            provider_slug={"type": "string", "description": "A provider's slug, or custom-{slug}."},
            alias={"type": "string", "pattern": r"^[A-Za-z0-9_.-]{1,64}$"},
            secret={"type": "string", "pattern": "^[ -~]+$"},
            secret_id={"type": "string", "minLength": 1},
            default_config=BOOLEAN,
            rate_limit=nullable({"type": "number", "minimum": 0}),
            rate_limit_period=nullable({"type": "number", "minimum": 0}),
        ),
        "anyOf": [{"required": ["secret"]}, {"required": ["secret_id"]}],
    },
    "ProviderConfig": fields(
        *("id", "alias", "default_config", "gateway_id", "modified_at", "provider_slug", "secret_id", "secret_preview"),
        **dict.fromkeys(("id", "alias", "gateway_id", "provider_slug", "secret_id"), STRING),
        default_config=BOOLEAN,
        modified_at=_TIMES["modified_at"],
        secret_preview={"const": "***"},
        rate_limit=nullable(NUMBER),
        rate_limit_period=nullable(NUMBER),
    ),
    "Log": fields(*_LOG_REQUIRED, **_LOG),
    "LogDetail": fields(*_LOG_REQUIRED, **_LOG, **_DETAIL),
    "LogPatch": {
        **fields(
            feedback={"enum": [-1, 0, 1, None]},
            score={"type": ["number", "null"], "minimum": -_LARGEST, "maximum": _LARGEST},
            metadata={"type": ["object", "null"], "additionalProperties": _SCALAR},
        ),
        "additionalProperties": False,
    },
    "PageInfo": fields(
        *("count", "page", "per_page", "total_count"),
        count=INTEGER,
        page=INTEGER,
        per_page=INTEGER,
        total_count=INTEGER,
    ),
    "LogPageInfo": fields(
        *("count", "page", "per_page", "total_count"),
        **dict.fromkeys(("count", "page", "per_page", "total_count"), INTEGER),
        **{f"{edge}_{name}": nullable(NUMBER) for name in _RANGED for edge in ("min", "max")},
    ),
    "Filter": {
        "anyOf": [
            fields(
                *("key", "operator", "value"),
                key={"enum": [key for key, its in KINDS.items() if its == kind]},
                operator={"enum": list(operators)},
                value=listed(
                    {"text": STRING, "bool": BOOLEAN, "time": _TIMES["created_at"]}.get(kind, NUMBER), minItems=1
                ),
            )
            for kind, operators in OPERATORS_OF.items()
        ]
    },
}
"""The schemas by name."""
