"""4.2: attempts, timeouts, fallback, dynamic routes."""

import json

from .exchanges import CHAT, COMPAT, OPENAI, REST, RUN, Exchange, asks, chat, refusal, rest_refusal, run, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("4.2", "Attempts, timeouts, fallback, dynamic routes")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
THREE = {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "0"}


def steps(*models, **more):
    return [{"provider": "openai", "endpoint": "chat/completions", "query": chat(model), **more} for model in models]


def meta(**labels):
    return {"cf-aig-metadata": json.dumps(labels)}


add(
    "once-by-default",
    "Without header or setting a call is tried once.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, script=(503, "Hello."), status=503),
)
add(
    "attempts-are-a-setting",
    "`retry_max_attempts`, `retry_delay` and `retry_backoff` are the gateway's defaults.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        script=(503, "Hello."),
        settings={"retry_max_attempts": 2, "retry_delay": 0, "retry_backoff": "linear"},
    ),
)
add(
    "headers-come-before-the-settings",
    "The headers come before them.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-max-attempts": "1"},
        script=(503, "Hello."),
        status=503,
        settings={"retry_max_attempts": 5, "retry_delay": 0},
    ),
)
add(
    "attempts-on-rest",
    "REST tries as often.",
    DOCUMENTED,
    asks(CHAT, chat(), {**REST, **THREE}, script=(503, 503, "Hello.")),
)
for status in (500, 502, 503, 408, 429):
    add(
        f"a-{status}-is-tried-again",
        f"A provider's {status} is tried again.",
        GUESS,
        asks(OPENAI, NATIVE, THREE, script=(status, "Hello.")),
    )
for status in (400, 401, 403, 404, 422):
    add(
        f"a-{status}-is-not-tried-again",
        f"A provider's {status} is not, and is passed on.",
        GUESS,
        asks(OPENAI, NATIVE, THREE, script=(status, "Hello."), status=status),
    )
add(
    "a-failed-connection-is-tried-again",
    "A connection that fails is tried again.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, THREE, script=({"drop": True}, "Hello.")),
)
add(
    "no-answer-at-all",
    "When no answer comes at all it is 400 / 2005.",
    OBSERVED,
    asks(OPENAI, NATIVE, script=({"drop": True},), **refusal(400, 2005, "Failed to get response from provider")),
)
add(
    "no-answer-at-all-on-rest",
    "On REST too.",
    GUESS,
    asks(RUN, run(), REST, script=({"drop": True},), **rest_refusal(400, 2005, "Failed to get response from provider")),
)
add(
    "a-providers-error-is-passed-on",
    "At other times the provider's own error is passed on as it is.",
    OBSERVED,
    asks(
        OPENAI,
        NATIVE,
        script=({"status": 418, "json": {"error": {"message": "I am a teapot", "code": "teapot"}}},),
        status=418,
        json={"error": {"message": "I am a teapot", "code": "teapot"}},
    ),
)
add(
    "a-timeout-is-tried-again",
    "An attempt that does not begin to answer within `cf-aig-request-timeout` is tried again.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-request-timeout": "60", **THREE},
        script=({"text": "late", "delay": 400}, {"text": "in time", "times": "forever"}),
        json={"choices": [{"message": {"content": "in time"}}]},
    ),
)
add(
    "the-last-attempt-waits",
    "The last of several attempts has no timeout.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-request-timeout": "60", **THREE},
        script=(503, 503, {"text": "late", "delay": 150}),
        json={"choices": [{"message": {"content": "late"}}]},
    ),
)
for name, sentence, origin, exchange in (
    ("a-lone-attempt", "A call of one attempt fails when its timeout is over.", DOCUMENTED, (OPENAI, NATIVE)),
    ("a-lone-stream", "So does one that is streamed.", GUESS, (OPENAI, {**NATIVE, "stream": True})),
    ("a-lone-attempt-on-compat", "So does one on compat.", GUESS, (COMPAT, chat())),
    ("a-lone-step", "So does a universal request of one step.", GUESS, ("POST {host}", steps("gpt-5"))),
    ("a-lone-model-of-a-route", "So does the only model of a route.", GUESS, (COMPAT, chat("dynamic/lone"))),
):
    add(
        f"{name}-times-out",
        sentence,
        origin,
        asks(
            *exchange,
            {"cf-aig-request-timeout": "60"},
            server="routes" if "route" in name else "open",
            script=({"text": "late", "delay": 400},),
            logged={"success": False, "status_code": 400},
            **refusal(400, 2005, "Failed to get response from provider"),
        ),
    )
add(
    "a-lone-attempt-on-rest-times-out",
    "So does one on REST.",
    GUESS,
    asks(
        CHAT,
        chat(),
        {**REST, "cf-aig-request-timeout": "60"},
        script=({"text": "late", "delay": 400},),
        logged={"success": False, "status_code": 400},
        **rest_refusal(400, 2005, "Failed to get response from provider"),
    ),
)
add(
    "the-last-step-waits",
    "Neither has the last step of a universal request of several.",
    GUESS,
    asks(
        "POST {host}",
        steps("gpt-5", "gpt-5-mini"),
        {"cf-aig-request-timeout": "60"},
        script=({"text": "late", "delay": 400}, {"text": "late too", "delay": 150}),
        json={"choices": [{"message": {"content": "late too"}}]},
        fields={"cf-aig-step": "1"},
    ),
)


@rule(
    "a-timeout-is-to-the-first-byte",
    "The timeout ends with the first part of a stream, however long the rest takes.",
    DOCUMENTED,
)
def _(world):
    place = world.at().script({"pieces": ["one ", "two ", "three"]})
    reply = place.ask(OPENAI, {**NATIVE, "stream": True}, {"cf-aig-request-timeout": "2000", **THREE})
    assert (reply.text.count("data:"), len(place.requests)) == (6, 1)


for status in (400, 401, 404, 429, 500):
    add(
        f"a-step-with-{status}-falls-back",
        f"A universal step that fails with {status} falls back to the next.",
        DOCUMENTED if status == 500 else GUESS,
        asks("POST {host}", steps("gpt-5", "gpt-5-mini"), script=(status, "Hello."), fields={"cf-aig-step": "1"}),
    )
add(
    "a-step-without-an-answer-falls-back",
    "So does one that gives no answer at all.",
    DOCUMENTED,
    asks("POST {host}", steps("gpt-5", "gpt-5-mini"), script=({"drop": True}, "Hello."), fields={"cf-aig-step": "1"}),
)


# dynamic routes


def routed(name, model, headers=None, script=()):
    """A case: a route asks this model."""
    return asks(
        COMPAT,
        chat(f"dynamic/{name}"),
        headers,
        server="routes",
        script=script,
        json={"model": lambda value: value in {model, f"openai/{model}"}},
    )


PAID, FREE = "gpt-5", "gpt-5-mini"
for name, route, labels, model in (
    ("eq", "plan", {"plan": "paid"}, PAID),
    ("eq-else", "plan", {"plan": "free"}, FREE),
    ("eq-without", "plan", {}, FREE),
    ("ne", "not", {"plan": "paid"}, PAID),
    ("ne-else", "not", {"plan": "free"}, FREE),
    ("in", "in", {"plan": "gold"}, PAID),
    ("in-else", "in", {"plan": "free"}, FREE),
    ("and", "and", {"plan": "paid", "region": "eu"}, PAID),
    ("and-else", "and", {"plan": "paid", "region": "us"}, FREE),
    ("or", "or", {"vip": True}, PAID),
    ("or-else", "or", {"vip": False}, FREE),
):
    add(
        f"route-conditional-{name}",
        f"A route's conditional looks at metadata with `${name.partition('-')[0]}`: {json.dumps(labels)} goes to "
        f"{'true' if model == PAID else 'false'}.",
        DOCUMENTED,
        routed(route, model, meta(**labels)),
    )
add("route-percentage", "A percentage splits calls; one of 100 % gets all.", DOCUMENTED, routed("percentage", PAID))
add(
    "route-rate-ends",
    "A rate that is used up ends the route with a 429, if it has no fallback.",
    DOCUMENTED,
    story(
        Exchange(COMPAT, chat("dynamic/rate"), meta(user="u1")),
        Exchange(COMPAT, chat("dynamic/rate"), meta(user="u1"), status=429),
        server="routes",
    ),
)
add(
    "route-rate-is-by-key",
    "It counts by its key: another user is not affected.",
    DOCUMENTED,
    story(
        Exchange(COMPAT, chat("dynamic/rate"), meta(user="u1")),
        Exchange(COMPAT, chat("dynamic/rate"), meta(user="u2")),
        server="routes",
    ),
)
add(
    "route-rate-falls-back",
    "With a fallback the route goes on there.",
    DOCUMENTED,
    story(
        Exchange(
            COMPAT, chat("dynamic/rate-else"), meta(user="u1"), fields={"cf-aig-model": lambda v: "mini" not in v}
        ),
        Exchange(COMPAT, chat("dynamic/rate-else"), meta(user="u1"), fields={"cf-aig-model": lambda v: "mini" in v}),
        server="routes",
    ),
)
add(
    "route-model-falls-back",
    "A model that fails goes to its fallback.",
    DOCUMENTED,
    routed("fallback", FREE, script=(500, "Hello.")),
)
add(
    "route-model-times-out",
    "A model that does not begin to answer within its timeout has failed.",
    DOCUMENTED,
    routed("timeout", FREE, script=({"text": "late", "delay": 400}, "Hello.")),
)
add(
    "route-last-model-waits",
    "The last of several models of a route has no timeout of the call's.",
    GUESS,
    routed("fallback", FREE, {"cf-aig-request-timeout": "60"}, script=({"text": "late", "delay": 400}, {"delay": 150})),
)
add(
    "route-model-is-tried-again",
    "A model's `retries` are made before it has failed.",
    DOCUMENTED,
    routed("retries", FREE, script=(503, "Hello.")),
)
add(
    "route-model-has-answered-when-its-stream-starts",
    "A model has answered when its stream starts; what comes later is not tried again.",
    DOCUMENTED,
    asks(
        COMPAT,
        {**chat("dynamic/fallback"), "stream": True},
        server="routes",
        fields={"cf-aig-model": lambda value: "mini" not in value},
        text=lambda text: "data: [DONE]" in text,
    ),
)
add(
    "route-has-one-log",
    "The log of a routed call names the model that answered.",
    DOCUMENTED,
    asks(
        COMPAT, chat("dynamic/fallback"), server="routes", script=(500, "Hello."), logged={"model": "openai/gpt-5-mini"}
    ),
)
add(
    "an-unknown-route",
    "A route that does not exist is 404 / 7003.",
    GUESS,
    asks(COMPAT, chat("dynamic/no-such"), server="routes", **refusal(404, 7003)),
)
