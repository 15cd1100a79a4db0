"""8: the open questions 10 to 17: errors, `ai/run`, routes, other paths, the universal endpoint."""

import pytest

import aigw

from .exchanges import (
    CHAT,
    COMPAT,
    LLAMA,
    OPENAI,
    REST,
    RUN,
    SAY,
    Exchange,
    asks,
    chat,
    inputs,
    refusal,
    rest_refusal,
    run,
    story,
)
from .matching import ABSENT
from .s8_1_to_9 import NATIVE, UNIVERSAL, add, rule, step

# 10, 11, 12: errors
add(
    10,
    "http-code-is-the-status",
    "`httpCode` is the answer's status.",
    asks(COMPAT, NATIVE, status=400, json={"httpCode": 400}),
)
add(
    11,
    "no-retry-after",
    "No 429 has `Retry-After`.",
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":5}'}),
        Exchange(OPENAI, NATIVE, status=429, fields={"retry-after": ABSENT}),
        settings={
            "spend_limits": {"enabled": True, "rules": [{"id": "r", "limitType": "cost", "limit": 1, "window": 60}]}
        },
    ),
)
for name, line, body in (
    ("chat", CHAT, chat()),
    ("responses", "POST {rest}/v1/responses", {"model": "openai/gpt-5-mini", "input": SAY}),
    ("messages", "POST {rest}/v1/messages", chat("anthropic/claude-haiku-4.5", max_tokens=9)),
):
    add(
        12,
        f"a-refusal-of-{name}-on-rest",
        f"What the gateway refuses on REST is in REST's envelope ({name}).",
        asks(line, body, REST, settings={"byok_only": True}, **rest_refusal(400, 2044)),
    )
add(
    12,
    "a-wrong-body-on-rest",
    "A body that a provider would refuse is refused in its words.",
    asks(CHAT, b"{", REST, status=400, json={"error": {"message": str, "type": str}, "errors": ABSENT}),
)


@rule(12, "client-reads-either-envelope", "Our client reads the code from either envelope.")
def _(world):
    place = world.at(byok_only=True)
    body = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.id}]}
    for surface in ("rest", "compat"):
        with pytest.raises(aigw.BadRequestError) as caught:
            place.client().completions(body, surface=surface)
        assert caught.value.code == 2044


# 13, 14: ai/run
add(
    13,
    "a-language-model-on-run-has-no-envelope",
    "On `ai/run` another provider's language model answers without an envelope.",
    asks(RUN, run(), REST, json={"object": "chat.completion", "success": ABSENT, "result": ABSENT}),
)
add(
    13,
    "workers-ai-on-run-has-one",
    "A Workers AI model has one.",
    asks(RUN, {"model": LLAMA, "input": inputs()}, REST, json={"success": True, "result": dict}),
)
add(
    14,
    "stream-stands-in-the-input",
    "On `ai/run` `stream` stands inside `input`.",
    asks(
        RUN,
        {"model": "openai/gpt-5-mini", "input": inputs(stream=True)},
        REST,
        fields={"content-type": lambda value: value.startswith("text/event-stream")},
    ),
)

# 15: routes on REST, names in headers
add(
    15,
    "routes-on-rest",
    "Dynamic routes work on REST's chat completions too.",
    asks(CHAT, chat("dynamic/plain"), REST, server="routes", json={"object": "chat.completion"}),
)
add(
    15,
    "names-outside-routes",
    "`cf-aig-model` and `cf-aig-provider` are told outside routes too.",
    asks(
        OPENAI, NATIVE, fields={"cf-aig-model": lambda value: value.endswith("gpt-5-mini"), "cf-aig-provider": "openai"}
    ),
)
add(
    15,
    "routes-without-any-configured",
    "Where no route is configured every one exists.",
    asks(COMPAT, chat("dynamic/whatever"), json={"object": "chat.completion"}),
)

# 16: other paths
add(
    16,
    "compat-embeddings",
    "`compat/embeddings` is there.",
    asks("POST {host}/compat/embeddings", {"model": "openai/e", "input": "{gw}"}, json={"object": "list"}),
)
for path in ("responses", "messages", "models"):
    add(
        16,
        f"no-compat-{path}",
        f"`compat/{path}` is not: 400 / 2008.",
        asks(f"POST {{host}}/compat/{path}", chat(), **refusal(400, 2008)),
    )
add(
    16,
    "openai-with-and-without-v1",
    "`openai/v1/...` and `openai/...` are the same.",
    asks("POST {host}/openai/v1/chat/completions", NATIVE, logged={"provider": "openai", "model": "openai/gpt-5-mini"}),
)

# 17: universal
add(
    17,
    "one-object-is-one-step",
    "One object in place of the array is one step.",
    asks(UNIVERSAL, step(), json={"object": "chat.completion"}, fields={"cf-aig-step": "0"}),
)


@rule(17, "the-authorization-field", "A step's `authorization` field stands for the header.")
def _(world):
    place = world.at()
    place.ask(UNIVERSAL, [step(authorization="Bearer sk-field")])
    assert place.requests[-1].headers["authorization"] == "Bearer sk-field"


add(
    17,
    "unknown-fields-of-a-step",
    "Fields of a step that nobody knows are ignored.",
    asks(UNIVERSAL, [step(colour="green")], json={"object": "chat.completion"}),
)


@rule(17, "a-steps-headers-before-its-config", "A step's own `cf-aig-` headers come before its `config`.")
def _(world):
    place = world.at().script({"status": 503, "times": "forever"})
    entry = step(headers={"cf-aig-max-attempts": "2"}, config={"maxAttempts": 4, "retryDelay": 0})
    place.ask(UNIVERSAL, [entry])
    assert len(place.requests) == 2


@rule(17, "the-requests-key-is-no-steps-key", "A provider's key on the request does not reach the steps.")
def _(world):
    place = world.at()
    place.ask(UNIVERSAL, [step()], {"authorization": "Bearer sk-request"})
    assert "authorization" not in place.requests[-1].headers
