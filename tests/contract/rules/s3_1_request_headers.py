"""3.1: what each request header asks of the gateway."""

import json
import re
from urllib.parse import quote

from .exchanges import CHAT, OPENAI, REST, Exchange, asks, chat, story
from .matching import ABSENT
from .rule import DOCUMENTED, OBSERVED, Section

SECTION = Section(
    "3.1",
    "Request headers",
    "Values are text: `true` and `false`, whole numbers, JSON objects. The same holds on both hosts unless said.",
)
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
HIT, MISS = {"cf-aig-cache-status": "HIT"}, {"cf-aig-cache-status": "MISS"}
CACHED = {"cache_ttl": 600}
EVENT_2 = quote(json.dumps([{"key": "event_id", "operator": "eq", "value": ["evt-2"]}]))
NO_STATUS = {"cf-aig-cache-status": ABSENT}


def near(cost):
    """A pattern: that cost, up to rounding."""

    def is_near(value):
        return value is not None and abs(value - cost) < 1e-9

    return is_near


def custom_cost(**rates):
    return {"cf-aig-custom-cost": json.dumps(rates)}


add(
    "skip-cache-bypasses-the-read",
    "`cf-aig-skip-cache: true` asks the provider although there is a cached answer.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, fields=MISS),
        Exchange(
            OPENAI,
            NATIVE,
            {"cf-aig-skip-cache": "true"},
            fields=MISS,
            json={"choices": [{"message": {"content": "two"}}]},
        ),
        settings=CACHED,
        script=("one", "two"),
    ),
)
add(
    "skip-cache-keeps-the-older-answer",
    "The older cached answer stays and is served to the next call.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, {"cf-aig-skip-cache": "true"}),
        Exchange(OPENAI, NATIVE, fields=HIT, json={"choices": [{"message": {"content": "one"}}]}),
        settings=CACHED,
        script=("one", "two"),
    ),
)
add(
    "skip-cache-false-changes-nothing",
    "`cf-aig-skip-cache: false` changes nothing.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, {"cf-aig-skip-cache": "false"}, fields=HIT),
        settings=CACHED,
    ),
)
add(
    "cache-ttl-alone-does-not-cache",
    "`cf-aig-cache-ttl` alone does not make a call cached.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-ttl": "600"}, fields=NO_STATUS),
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-ttl": "600"}, fields=NO_STATUS),
    ),
)
add(
    "cache-ttl-0-turns-caching-off",
    "`cf-aig-cache-ttl: 0` turns caching off for the call.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-ttl": "0"}, fields=NO_STATUS),
        Exchange(OPENAI, NATIVE, fields=MISS),
        settings=CACHED,
    ),
)


@rule("cache-ttl-comes-before-the-gateways", "`cf-aig-cache-ttl` comes before the gateway's TTL.", DOCUMENTED)
def _(world):
    place = world.at(cache_ttl=600)
    place.ask(OPENAI, NATIVE, {"cf-aig-cache-ttl": "60"})
    place.clock.now += 61
    assert place.ask(OPENAI, NATIVE).headers["cf-aig-cache-status"] == "MISS"


add(
    "cache-key-opts-in",
    "`cf-aig-cache-key` makes a call cached on a gateway without caching.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-key": "k"}, fields=MISS),
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-key": "k"}, fields=HIT),
    ),
)
add(
    "cache-key-replaces-the-computed-one",
    "It takes the place of the computed key: another body under the same key is a hit.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-key": "k"}, fields=MISS),
        Exchange(OPENAI, chat("gpt-5-mini", "Something else {gw}"), {"cf-aig-cache-key": "k"}, fields=HIT),
    ),
)
add(
    "cache-keys-are-apart",
    "Another key is another answer, although the body is the same.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-key": "k"}, fields=MISS),
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-key": "l"}, fields=MISS),
    ),
)
add(
    "cf-skip-cache-is-the-old-name",
    "`cf-skip-cache` is the deprecated name of `cf-aig-skip-cache`, and still works.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, {"cf-skip-cache": "true"}, fields=MISS),
        settings=CACHED,
    ),
)


@rule("cf-cache-ttl-is-the-old-name", "So does `cf-cache-ttl`, of `cf-aig-cache-ttl`.", DOCUMENTED)
def _(world):
    place = world.at(cache_ttl=600)
    place.ask(OPENAI, NATIVE, {"cf-cache-ttl": "60"})
    place.clock.now += 61
    assert place.ask(OPENAI, NATIVE).headers["cf-aig-cache-status"] == "MISS"


for surface, line, body, headers in (("gateway", OPENAI, NATIVE, {}), ("rest", CHAT, chat(), REST)):
    add(
        f"collect-log-false-{surface}",
        f"`cf-aig-collect-log: false` leaves no log ({surface}).",
        DOCUMENTED,
        story(
            Exchange(line, body, {**headers, "cf-aig-collect-log": "false"}),
            Exchange("GET {manage}/logs", None, REST, json={"result": []}),
        ),
    )
add(
    "collect-log-true",
    "`cf-aig-collect-log: true` leaves one on a gateway that collects none: the value is meant literally.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-collect-log": "true"}),
        Exchange("GET {manage}/logs", None, REST, json={"result": [{"success": True}]}),
        settings={"collect_logs": False},
    ),
)
add(
    "collect-logs-off",
    "Without the header such a gateway keeps no log.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange("GET {manage}/logs", None, REST, json={"result": []}),
        settings={"collect_logs": False},
    ),
)
add(
    "collect-log-payload-false-keeps-the-row",
    "`cf-aig-collect-log-payload: false` keeps the log's row, with its figures.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-collect-log-payload": "false"},
        logged={"success": True, "tokens_in": 10, "tokens_out": 4, "model": "openai/gpt-5-mini"},
    ),
)


@rule("collect-log-payload-false-keeps-no-bodies", "But neither body, nor a part of one.", DOCUMENTED)
def _(world):
    place = world.at()
    reply = place.ask(OPENAI, NATIVE, {"cf-aig-collect-log-payload": "false"})
    log = place.log(reply)
    assert not log.get("request_head")
    assert not log.get("response_head")
    bodies = [place.ask(f"GET {{manage}}/logs/{log['id']}/{part}", headers=REST) for part in ("request", "response")]
    assert not any("hello" in body.text.lower() for body in bodies)


@rule("collect-log-payload-is-on-by-default", "Without it both bodies are kept.", DOCUMENTED)
def _(world):
    place = world.at()
    reply = place.ask(OPENAI, NATIVE)
    kept = place.ask(f"GET {{manage}}/logs/{reply.headers['cf-aig-log-id']}/response", headers=REST)
    assert kept.json()["choices"][0]["message"]["content"] == "Hello."


add(
    "collect-log-payload-means-nothing-without-a-log",
    "It means nothing where there is no log.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-collect-log": "false", "cf-aig-collect-log-payload": "true"}),
        Exchange("GET {manage}/logs", None, REST, json={"result": []}),
    ),
)
add(
    "metadata-is-logged",
    "`cf-aig-metadata` is a JSON object whose entries are in the log.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-metadata": '{"user":"u1","n":3,"paid":true}'},
        logged={"metadata": {"user": "u1", "n": 3, "paid": True}},
    ),
)
add(
    "custom-cost-prices-tokens",
    "`cf-aig-custom-cost` prices a call by its tokens in and out.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        custom_cost(per_token_in=0.01, per_token_out=0.1),
        logged={"cost": near(10 * 0.01 + 4 * 0.1), "custom_cost": True},
    ),
)
CACHED_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 6},
}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
}
add(
    "custom-cost-prices-cached-tokens",
    "`per_cache_read_token` prices the prompt tokens that the provider read from its own cache.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        custom_cost(per_token_in=0.01, per_token_out=0, per_cache_read_token=0.001),
        script=({"json": {**ANSWER, "usage": CACHED_USAGE}},),
        logged={"cost": near(4 * 0.01 + 6 * 0.001)},
    ),
)
add(
    "custom-cost-of-cached-tokens-defaults",
    "Where a cache rate is not given, `per_token_in` stands for it.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        custom_cost(per_token_in=0.01, per_token_out=0, per_cache_write_token=0.5),
        script=({"json": {**ANSWER, "usage": CACHED_USAGE}},),
        logged={"cost": near(10 * 0.01)},
    ),
)
add(
    "custom-cost-total",
    "`total_cost` stands for the whole call; Cloudflare's own types have it, the docs do not.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, custom_cost(total_cost=0.6), logged={"cost": near(0.6), "custom_cost": True}),
)
add(
    "custom-cost-needs-tokens",
    "It applies only where the answer reports its tokens.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        custom_cost(per_token_in=0.01, per_token_out=0.1),
        script=({"json": ANSWER},),
        logged={"cost": ABSENT},
    ),
)
add(
    "event-id-is-echoed",
    "`cf-aig-event-id` is the caller's own id of the call, and comes back in the answer.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"cf-aig-event-id": "evt-1"}, fields={"cf-aig-event-id": "evt-1"}),
)
add(
    "event-id-is-a-filter",
    "A log is found by it.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, {"cf-aig-event-id": "evt-2"}),
        Exchange(
            f"GET {{manage}}/logs?filters={EVENT_2}",
            None,
            REST,
            json={"result": [{"success": True}], "result_info": {"total_count": 1}},
        ),
    ),
)
add(
    "event-id-is-made",
    "Without one the gateway makes one.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, fields={"cf-aig-event-id": re.compile(r"[0-9a-f-]{36}")}),
)
