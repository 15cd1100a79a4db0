"""1.2: which gateway a call goes through."""

from typing import Any

from .exchanges import (
    CHAT,
    COMPAT,
    LLAMA,
    OPENAI,
    REST,
    RUN,
    Exchange,
    asks,
    chat,
    inputs,
    refusal,
    rest_refusal,
    run,
    story,
)
from .matching import ABSENT, differences
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("1.2", "Which gateway", "How a call says which gateway it goes through.")
add, rule = SECTION.add, SECTION.rule

BEARER = {"authorization": "Bearer good-token"}
NEW = {
    "cache_invalidate_on_update": False,
    "cache_ttl": None,
    "collect_logs": True,
    "rate_limiting_interval": None,
    "rate_limiting_limit": None,
}


def has_log(line: str, body: Any, headers: dict[str, str], of: str):
    """A case: the call is in the log of the gateway `of`."""

    def check(world):
        place = world.at()
        reply = place.ask(line, body, headers)
        logs = place.ask(f"GET {{gateways}}/{of}/logs/{reply.headers['cf-aig-log-id']}", headers=BEARER)
        assert logs.status_code == 200, logs.text

    return check


add(
    "the-header-names-it-on-rest",
    "On REST the header `cf-aig-gateway-id` names the gateway.",
    DOCUMENTED,
    has_log(CHAT, chat(), REST, "{gw}"),
)
add(
    "the-header-names-it-on-run",
    "So it does on `ai/run`.",
    DOCUMENTED,
    has_log(RUN, run(), REST, "{gw}"),
)
add(
    "default-without-the-header",
    "Without the header a third-party model goes through the account's gateway `default`.",
    DOCUMENTED,
    has_log(CHAT, chat(), BEARER, "default"),
)
add(
    "workers-ai-without-the-header",
    "Without the header a Workers AI model goes through `default` too, and leaves a log.",
    GUESS,
    has_log(f"POST {{rest}}/run/{LLAMA}", inputs(), BEARER, "default"),
)
add(
    "the-path-names-it-on-the-gateway-host",
    "On the gateway host the path names the gateway.",
    DOCUMENTED,
    has_log(OPENAI, chat("gpt-5-mini"), {}, "{gw}"),
)
add(
    "the-header-means-nothing-on-the-gateway-host",
    "There the header `cf-aig-gateway-id` changes nothing.",
    GUESS,
    has_log(COMPAT, chat(), {"cf-aig-gateway-id": "default"}, "{gw}"),
)
add(
    "default-exists",
    "A gateway called `default` is there without having been made.",
    DOCUMENTED,
    asks(
        "GET {gateways}/default", None, BEARER, server="known", json={"result": {"id": "default", "is_default": True}}
    ),
)
add(
    "default-begins-with",
    "`default` begins with logs on, caching off, no rate limit, no demand for own keys, and standard billing.",
    DOCUMENTED,
    asks(
        "GET {gateways}/default",
        None,
        BEARER,
        server="known",
        json={
            "result": {
                "collect_logs": True,
                "cache_ttl": lambda ttl: not ttl,
                "rate_limiting_limit": lambda limit: not limit,
                "byok_only": False,
                "workers_ai_billing_mode": "postpaid",
            }
        },
    ),
)
add(
    "default-begins-with-authentication",
    "`default` begins with authentication on (here: where tokens are named).",
    DOCUMENTED,
    asks("GET {gateways}/default", None, BEARER, server="tokens", json={"result": {"authentication": True}}),
)
add(
    "default-comes-back",
    "`default` is made anew after it was deleted.",
    DOCUMENTED,
    story(
        Exchange("DELETE {gateways}/default", None, BEARER),
        Exchange(CHAT, chat(), BEARER),
        Exchange("GET {gateways}/default", None, BEARER, json={"result": {"is_default": True}}),
        server="known",
    ),
)
add(
    "an-unknown-gateway",
    "Any other gateway that does not exist is 400 / 2001.",
    OBSERVED,
    asks(
        OPENAI,
        chat("gpt-5-mini"),
        server="known",
        **refusal(400, 2001, "Please configure AI Gateway in the Cloudflare dashboard"),
    ),
)
add(
    "an-unknown-gateway-on-rest",
    "On REST too, in REST's envelope.",
    GUESS,
    asks(CHAT, chat(), REST, server="known", **rest_refusal(400, 2001)),
)
add(
    "an-unknown-gateway-leaves-no-id",
    "A refusal for want of a gateway names no log.",
    GUESS,
    asks(OPENAI, chat("gpt-5-mini"), server="known", status=400, fields={"cf-aig-log-id": ABSENT}),
)


def made(gateway_id: str, status: int):
    """A case: a gateway of that id is made, or not."""

    def check(world):
        place = world.at("known")
        wanted = {**NEW, "id": gateway_id}
        reply = place.ask("POST {gateways}", wanted, BEARER)
        place.ask(f"DELETE {{gateways}}/{gateway_id}", headers=BEARER)
        assert not differences(status, reply.status_code), reply.text

    return check


add("an-id-has-64-characters", "A gateway id has up to 64 characters.", DOCUMENTED, made("a" * 64, 200))
add("an-id-has-not-65-characters", "A longer gateway id is refused.", DOCUMENTED, made("a" * 65, 400))
add(
    "an-id-is-lower-case",
    "A gateway id is made of lower-case letters, digits, `_` and single inner hyphens.",
    OBSERVED,
    made("Big", 400),
)
add("an-id-may-have-underscores", "`a_1-b` is one.", OBSERVED, made("a_1-b", 200))
add("an-id-has-no-hyphen-at-its-end", "`a-` is none.", OBSERVED, made("a-", 400))
