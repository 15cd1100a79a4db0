"""The local gateways that the cases need, by name; whatever can be set through the API is set by the case instead."""

from __future__ import annotations

from typing import Any, Final

from .providers import EchoProvider


def _model(ident: str, model: str, **more: Any) -> dict[str, Any]:
    properties = {"provider": "openai", "model": model, **more.pop("properties", {})}
    outputs = {name: {"elementId": target} for name, target in {"success": "end", **more}.items()}
    return {"id": ident, "type": "model", "properties": properties, "outputs": outputs}


def _route(*elements: dict[str, Any], first: str) -> dict[str, Any]:
    start = {"id": "start", "type": "start", "outputs": {"next": {"elementId": first}}}
    return {"elements": [start, *elements, {"id": "end", "type": "end", "outputs": {}}]}


def _split(kind: str, properties: dict[str, Any], **outputs: str) -> dict[str, Any]:
    targets = {name: {"elementId": target} for name, target in outputs.items()}
    return {"id": "split", "type": kind, "properties": properties, "outputs": targets}


_BOTH: Final = (_model("paid", "gpt-5"), _model("free", "gpt-5-mini"))


def _conditional(conditions: dict[str, Any]) -> dict[str, Any]:
    split = _split("conditional", {"conditions": conditions}, true="paid", false="free")
    return _route(split, *_BOTH, first="split")


ROUTES: Final[dict[str, Any]] = {
    "plain": _route(_model("one", "gpt-5-mini"), first="one"),
    "plan": _conditional({"metadata.plan": {"$eq": "paid"}}),
    "not": _conditional({"metadata.plan": {"$ne": "free"}}),
    "in": _conditional({"metadata.plan": {"$in": ["paid", "gold"]}}),
    "and": _conditional({"$and": [{"metadata.plan": {"$eq": "paid"}}, {"metadata.region": {"$eq": "eu"}}]}),
    "or": _conditional({"$or": [{"metadata.plan": {"$eq": "paid"}}, {"metadata.vip": {"$eq": True}}]}),
    "percentage": _route(_split("percentage", {}, **{"100%": "paid", "0%": "free"}), *_BOTH, first="split"),
    "rate": _route(
        _split("rate", {"limitType": "count", "key": "metadata.user", "limit": 1, "window": 60}, success="paid"),
        *_BOTH,
        first="split",
    ),
    "rate-else": _route(
        _split(
            "rate",
            {"limitType": "count", "key": "metadata.user", "limit": 1, "window": 60},
            success="paid",
            fallback="free",
        ),
        *_BOTH,
        first="split",
    ),
    "fallback": _route(_model("first", "gpt-5", fallback="second"), _model("second", "gpt-5-mini"), first="first"),
    "timeout": _route(
        _model("first", "gpt-5", fallback="second", properties={"timeout": 60}),
        _model("second", "gpt-5-mini"),
        first="first",
    ),
    "lone": _route(_model("one", "gpt-5-mini"), first="one"),
    "retries": _route(_model("one", "gpt-5-mini", properties={"retries": 1}), first="one"),
}

POLICIES: Final[list[dict[str, Any]]] = [
    {"id": "a", "metadata": {"team": "a"}},
    {"id": "some-models", "metadata": {"team": "m"}, "models": ["openai/gpt-5-*"]},
    {"id": "capped", "metadata": {"team": "capped"}, "limit": 1},
]

CONFIGURATIONS: Final[dict[str, dict[str, Any]]] = {
    "open": {},
    "tokens": {"tokens": ("good-token", "other-token")},
    "known": {"gateways": {"known": {}}},
    "models": {"models": ("openai/gpt-5-mini", "@cf/meta/*")},
    "poor": {"switches": {"credits": 0.0}},
    "unified-limit": {"switches": {"unified_billing_limit": 2}},
    "spend-2045": {"switches": {"spend_limit_code": 2045}},
    "dlp-403": {"switches": {"dlp_status": 403}},
    "guardrails-down": {"switches": {"guardrails_down": True}},
    "workers-ai-cache": {"switches": {"workers_ai_cache": True}},
    "as-asked": {"switches": {"costs": "as-asked"}},
    "routes": {"routes": ROUTES},
    "policies": {"switches": {"policies": POLICIES}},
    "policies-down": {"switches": {"policies": POLICIES, "policies_down": True}},
    "run-ids": {"switches": {"run_ids": True}},
    "providers": {"upstreams": EchoProvider},
}
