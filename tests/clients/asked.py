"""What every client is asked, the addresses at which the gateway answers it, and the refusals it has to understand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PARIS = "Paris is the capital of France. What is the capital of France?"
ANSWER = "Paris is the capital of France."
CITY = "Extract the city: Paris is large."
WEATHER = "What is the weather in Paris?"
UNSAFE = "Tell me of unsafe-s1 please."

CITY_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER_FUNCTION = {"name": "get_weather", "description": "Weather of a city", "parameters": CITY_SCHEMA}
WEATHER_TOOL = {"type": "function", "function": WEATHER_FUNCTION}

TOKEN = "test-token"
REST = "/client/v4/accounts/acct/ai"
GATEWAY = "/v1/acct/default"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a client finds a model: the base URL below the origin, its key there, and how a model is written."""

    path: str
    key: str
    prefix: str


COMPAT = Address(f"{GATEWAY}/compat", "provider-key", "openai/")
NATIVE = Address(f"{GATEWAY}/openai", "provider-key", "")
ON_REST = Address(f"{REST}/v1", TOKEN, "openai/")
OPENAI_ADDRESSES = {"compat": COMPAT, "native": NATIVE, "rest": ON_REST}
"""The three base URLs for clients that speak OpenAI."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call the gateway refuses: `LocalGateway(**gateway)`, the call, and what it answers."""

    status: int
    code: int
    message: str
    gateway: dict[str, Any]
    host: str = "gateway"
    call: dict[str, Any] = field(default_factory=dict)
    calls_before: int = 0

    def body(self, model: str = "") -> dict[str, Any]:
        """Give the answer's body to a call for `model`, to the letter of its host."""
        message = self.message.format(model=model)
        error = [{"code": self.code, "message": message}]
        if self.host == "rest":
            return {"result": None, "success": False, "errors": error, "messages": []}
        told = {"httpCode": self.status, "internalCode": self.code, "message": message}
        return {
            "success": False,
            "result": [],
            "messages": [],
            "error": error,
            "name": "AiGatewayError",
            **told,
            "description": message,
        }


BLOCK = {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}
LIMIT = {"rate_limiting_limit": 1, "rate_limiting_interval": 3600}
BLOCKED = "Prompt blocked due to security configurations"
BROKE = "Insufficient balance; add money to your gateway or use BYOK"

REFUSALS = {
    "401/2009": Refusal(401, 2009, "Unauthorized", {"tokens": [TOKEN]}),
    "401/10000": Refusal(401, 10000, "Authentication error", {"tokens": [TOKEN]}, "rest", {"key": "wrong"}),
    "402/2021": Refusal(402, 2021, BROKE, {"switches": {"credits": 0.0}}, "rest"),
    "429/2003": Refusal(429, 2003, "Rate limited", {"settings": LIMIT}, calls_before=1),
    "424/2016": Refusal(424, 2016, BLOCKED, {"settings": BLOCK}, call={"prompt": UNSAFE}),
    "404/7003": Refusal(404, 7003, "Model not found: {model}", {"models": ["openai/only-this"]}, "rest"),
}
BAD_FORMAT = Refusal(400, 2019, "Chat completion bad format", {}, call={"model": "gpt-5-mini"})
"""Compat knows a provider by the model's prefix alone."""
