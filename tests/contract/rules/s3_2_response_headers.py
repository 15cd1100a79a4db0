"""3.2: what the response headers tell."""

import json
import re

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, RUN, Exchange, asks, chat, inputs, run, story
from .matching import ABSENT
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("3.2", "Response headers", "All ids are opaque texts.")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
RATE = {"rate_limiting_limit": 1, "rate_limiting_interval": 60}
DLP = {"dlp": {"enabled": True, "action": "FLAG", "profiles": ["test"]}}

for surface, line, body, headers in (
    ("native", OPENAI, NATIVE, {}),
    ("compat", COMPAT, chat(), {}),
    ("rest-chat", CHAT, chat(), REST),
    ("rest-run", RUN, run(), REST),
    ("workers-ai", f"POST {{rest}}/run/{LLAMA}", inputs(), REST),
    ("stream", OPENAI, {**NATIVE, "stream": True}, {}),
):
    add(
        f"log-id-{surface}",
        f"`cf-aig-log-id` is a UUIDv7 in lower case ({surface}).",
        DOCUMENTED,
        asks(line, body, headers, fields={"cf-aig-log-id": UUID7}),
    )


@rule("log-id-is-the-logs", "It is the id of the call's log.", DOCUMENTED)
def _(world):
    place = world.at()
    reply = place.ask(OPENAI, NATIVE)
    assert [log["id"] for log in place.logs()] == [reply.headers["cf-aig-log-id"]]


@rule("log-ids-are-in-order", "Later ids sort after earlier ones.", DOCUMENTED)
def _(world):
    place = world.at()
    ids = [place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"] for _ in range(3)]
    assert ids == sorted(set(ids))


@rule("request-id-is-the-log-id", "`cf-aig-request-id` is the same as the log id for a call of one step.", DOCUMENTED)
def _(world):
    reply = world.at().ask(OPENAI, NATIVE)
    assert reply.headers["cf-aig-request-id"] == reply.headers["cf-aig-log-id"]


@rule("event-id-is-the-log-id", "So is `cf-aig-event-id`, where the caller sent none.", DOCUMENTED)
def _(world):
    reply = world.at().ask(OPENAI, NATIVE)
    assert reply.headers["cf-aig-event-id"] == reply.headers["cf-aig-log-id"]


add(
    "step-is-0",
    "`cf-aig-step` is 0 for a call of one step.",
    OBSERVED,
    asks(OPENAI, NATIVE, fields={"cf-aig-step": "0"}),
)
add(
    "cache-status",
    "`cf-aig-cache-status` is `MISS`, then `HIT`, where caching is in play.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, fields={"cf-aig-cache-status": "MISS"}),
        Exchange(OPENAI, NATIVE, fields={"cf-aig-cache-status": "HIT"}),
        settings={"cache_ttl": 600},
    ),
)
add(
    "cache-status-is-absent",
    "It is not there where caching is not in play.",
    OBSERVED,
    asks(OPENAI, NATIVE, fields={"cf-aig-cache-status": ABSENT}),
)
add(
    "model-of-a-route",
    "On a dynamic route `cf-aig-model` and `cf-aig-provider` name who answered.",
    DOCUMENTED,
    asks(
        COMPAT,
        chat("dynamic/plain"),
        server="routes",
        fields={"cf-aig-model": re.compile("(openai/)?gpt-5-mini"), "cf-aig-provider": "openai"},
    ),
)
for kind, action, status in (("flag", "FLAG", 200), ("block", "BLOCK", 400)):
    add(
        f"dlp-on-a-{kind}",
        f"`cf-aig-dlp` tells the findings and the action where DLP found something ({kind}).",
        DOCUMENTED,
        asks(
            OPENAI,
            chat("gpt-5-mini", "dlp-test {gw}"),
            settings={"dlp": {**DLP["dlp"], "action": action}},
            status=status,
            fields={
                "cf-aig-dlp": lambda value, action=action: (
                    json.loads(value)
                    == {
                        "findings": [
                            {
                                "profile": {"context": {}, "entry_ids": [], "profile_id": "test"},
                                "policy_ids": ["default"],
                                "check": "REQUEST",
                            }
                        ],
                        "action": action,
                    }
                )
            },
        ),
    )
add(
    "dlp-is-absent",
    "It is not there where nothing was found.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, settings=DLP, fields={"cf-aig-dlp": ABSENT}),
)
add(
    "a-429-has-all-ids",
    "A rate limit's 429 has event, log and request id, and the step.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(
            OPENAI,
            NATIVE,
            status=429,
            fields={"cf-aig-log-id": UUID7, "cf-aig-request-id": UUID7, "cf-aig-event-id": UUID7, "cf-aig-step": "0"},
        ),
        settings=RATE,
    ),
)
add(
    "a-429-has-no-retry-after",
    "It has no `Retry-After`.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE), Exchange(OPENAI, NATIVE, status=429, fields={"retry-after": ABSENT}), settings=RATE
    ),
)
add(
    "a-402-on-the-gateway-host-has-a-log-id",
    "A 402 on the gateway host has a log id and the step.",
    OBSERVED,
    asks(OPENAI, NATIVE, server="poor", status=402, fields={"cf-aig-log-id": UUID7, "cf-aig-step": "0"}),
)
add(
    "a-402-on-run-has-no-log-id",
    "A 402 on `ai/run` has event and request id and no log id, and is logged all the same.",
    OBSERVED,
    asks(
        RUN,
        run(),
        REST,
        server="poor",
        status=402,
        fields={"cf-aig-log-id": ABSENT, "cf-aig-request-id": UUID7, "cf-aig-event-id": UUID7},
        logged={"success": False, "status_code": 402},
    ),
)
add(
    "a-providers-error-has-a-log-id",
    "A provider's error that is passed on has a log id.",
    GUESS,
    asks(OPENAI, NATIVE, script=(401,), status=401, fields={"cf-aig-log-id": UUID7}),
)


add(
    "run-id-is-the-bindings",
    "`cf-aig-run-id` is a matter of the Workers runtime's own path; a switch gives it to streams of `ai/run`.",
    DOCUMENTED,
    asks(
        RUN,
        {"model": "openai/gpt-5-mini", "input": inputs(stream=True)},
        REST,
        server="run-ids",
        fields={"cf-aig-run-id": str},
    ),
)
add(
    "run-id-is-absent",
    "Without the switch it is not there.",
    DOCUMENTED,
    asks(
        RUN,
        {"model": "openai/gpt-5-mini", "input": inputs(stream=True)},
        REST,
        fields={"cf-aig-run-id": ABSENT},
    ),
)


@rule("client-reads-them-all", "Our client gives them as `ResponseInfo`.", DOCUMENTED)
def _(world):
    place = world.at(cache_ttl=600)
    body = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.id}]}
    info = place.client().chat(body, gateway={"event_id": "evt-9"}).info
    assert (info.log_id, info.event_id, info.step) == (info.request_id, "evt-9", 0)
    assert (info.cache_status, info.gateway_id, info.status_code) == ("MISS", place.id, 200)
