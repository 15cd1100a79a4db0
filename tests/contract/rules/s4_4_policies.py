"""4.4: policies, a beta: who may ask which model, and for how much."""

import json

import pytest

import aigw

from .exchanges import CHAT, OPENAI, REST, Exchange, asks, chat, story
from .rule import DOCUMENTED, GUESS
from .s4_4_spend_limits import DEAR, NATIVE, SECTION

add, rule = SECTION.add, SECTION.rule


def team(name):
    return {"cf-aig-metadata": json.dumps({"team": name})}


def denied(body):
    """A pattern: the body of a policy's no, to the letter."""
    return body == {"success": False, "error": {"message": "Access denied by policy"}}


DENIED = {"status": 403, "json": denied}

add(
    "policies-let-pass",
    "A call that a policy matches passes.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, team("a"), server="policies"),
)
add(
    "policies-deny",
    "With any policy, a call that none matches is 403; `error` is an object without a code.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, team("nobody"), server="policies", **DENIED),
)
add(
    "policies-deny-on-rest",
    "On REST the body is the same.",
    GUESS,
    asks(CHAT, chat(), {**REST, **team("nobody")}, server="policies", **DENIED),
)
add(
    "policies-look-at-models",
    "A policy's pattern of models is matched without `*` crossing a `/`.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, team("m")),
        Exchange(OPENAI, chat("gpt-4.1"), team("m"), **DENIED),
        server="policies",
    ),
)
add(
    "policies-ignore-nested-metadata",
    "Nested metadata matches no policy.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"cf-aig-metadata": '{"team":{"name":"a"}}'}, server="policies", **DENIED),
)
add(
    "policies-cap-spending",
    "A policy whose limit is used up is 429, and says which, how much was spent, and the limit.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {**DEAR, **team("capped")}),
        Exchange(OPENAI, NATIVE, {**DEAR, **team("capped")}),
        Exchange(
            OPENAI,
            NATIVE,
            {**DEAR, **team("capped")},
            status=429,
            json={
                "success": False,
                "error": {"message": "Spending limit exceeded", "bucket": "capped", "spent": 1.2, "limit": 1},
            },
        ),
        server="policies",
    ),
)
add(
    "policies-come-after-the-cache",
    "The cache is asked before policies.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, team("a")),
        Exchange(OPENAI, NATIVE, team("nobody"), fields={"cf-aig-cache-status": "HIT"}),
        server="policies",
        settings={"cache_ttl": 600},
    ),
)
add(
    "policies-fail-open",
    "Where policies cannot be read they let every call pass.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, team("nobody"), server="policies-down"),
)


@rule("client-raises-for-a-policy", "Our client raises `PermissionDeniedError` for a policy's no.", DOCUMENTED)
def _(world):
    place = world.at("policies")
    with pytest.raises(aigw.PermissionDeniedError, match="Access denied by policy"):
        place.client().chat({"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.id}]})
