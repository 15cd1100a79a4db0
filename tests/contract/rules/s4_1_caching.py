"""4.1: which answers are cached, and which are served from the cache."""

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, Exchange, chat, inputs, story
from .matching import ABSENT
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("4.1", "Caching", "Off until the gateway has a TTL, or the call a key of its own.")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
HIT, MISS = {"cf-aig-cache-status": "HIT"}, {"cf-aig-cache-status": "MISS"}
OFF = {"cf-aig-cache-status": ABSENT}
ON = {"cache_ttl": 600}
EMBED = {"model": "text-embedding-3-small", "input": "{gw}"}


def twice(line, first, second, one=None, other=None, **more):
    """Two calls; the second one is a miss."""
    return story(
        Exchange(line, first, one or {}, fields=MISS),
        Exchange(line, second, other or {}, fields=MISS),
        settings=ON,
        **more,
    )


def again(line, body, headers=None, status=200, **more):
    """The same call twice; the second one is a hit."""
    return story(
        Exchange(line, body, headers or {}, fields=MISS),
        Exchange(line, body, headers or {}, fields=HIT, status=status),
        **{"settings": ON, **more},
    )


add(
    "off-by-default",
    "By default nothing is cached.",
    DOCUMENTED,
    story(Exchange(OPENAI, NATIVE, fields=OFF), Exchange(OPENAI, NATIVE, fields=OFF)),
)
add(
    "a-ttl-of-0-is-off",
    "A gateway TTL of 0 is off.",
    DOCUMENTED,
    story(Exchange(OPENAI, NATIVE, fields=OFF), Exchange(OPENAI, NATIVE, fields=OFF), settings={"cache_ttl": 0}),
)
for surface, line, body, headers in (
    ("native", OPENAI, NATIVE, {}),
    ("compat", COMPAT, chat(), {}),
    ("rest", CHAT, chat(), REST),
    ("workers-ai", f"POST {{host}}/workers-ai/{LLAMA}", inputs(), {}),
    ("embeddings", "POST {host}/openai/embeddings", EMBED, {}),
):
    add(
        f"a-gateway-ttl-is-on-{surface}",
        f"With a gateway TTL the same call is a hit ({surface}).",
        DOCUMENTED,
        again(line, body, headers),
    )


@rule("a-hit-is-the-same-answer", "A hit is the same bytes, and the provider is not asked.", DOCUMENTED)
def _(world):
    place = world.at(**ON).script("one", "two")
    first, second = place.ask(OPENAI, NATIVE), place.ask(OPENAI, NATIVE)
    assert (second.content, len(place.requests)) == (first.content, 1)


@rule("a-hit-has-a-log-of-its-own", "A hit has an id and a log of its own.", GUESS)
def _(world):
    place = world.at(**ON)
    first, second = place.ask(OPENAI, NATIVE), place.ask(OPENAI, NATIVE)
    assert first.headers["cf-aig-log-id"] != second.headers["cf-aig-log-id"]
    assert [log["cached"] for log in place.logs()] == [True, False]


add(
    "a-hit-costs-nothing",
    "Its log says `cached: true`, cost 0 and no tokens in.",
    OBSERVED,
    again(
        OPENAI,
        NATIVE,
        {"cf-aig-custom-cost": '{"total_cost":0.6}'},
        logged={"cached": True, "cost": 0, "tokens_in": 0},
    ),
)
add("another-body", "Another body is another call.", DOCUMENTED, twice(OPENAI, NATIVE, chat("gpt-5-mini", "Else {gw}")))
add("another-model", "Another model is another call.", DOCUMENTED, twice(OPENAI, NATIVE, chat("gpt-5")))
add(
    "another-parameter",
    "Another parameter is another call.",
    DOCUMENTED,
    twice(OPENAI, NATIVE, {**NATIVE, "temperature": 0.5}),
)
add(
    "another-provider-key",
    "Another provider key is another call.",
    DOCUMENTED,
    twice(OPENAI, NATIVE, NATIVE, {"authorization": "Bearer one"}, {"authorization": "Bearer two"}),
)
add(
    "another-provider",
    "Another provider is another call.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, fields=MISS),
        Exchange("POST {host}/groq/chat/completions", NATIVE, fields=MISS),
        settings=ON,
    ),
)
add(
    "another-endpoint",
    "Another endpoint is another call.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, {**NATIVE, "input": "{gw}"}, fields=MISS),
        Exchange("POST {host}/openai/responses", {**NATIVE, "input": "{gw}"}, fields=MISS),
        settings=ON,
    ),
)
add(
    "metadata-is-not-in-the-key",
    "Metadata is not part of the key.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-metadata": '{"user":"one"}'}, fields=MISS),
        Exchange(OPENAI, NATIVE, {"cf-aig-metadata": '{"user":"two"}'}, fields=HIT),
        settings=ON,
    ),
)
add(
    "other-options-are-not-in-the-key",
    "Nor are the other `cf-aig-` headers.",
    GUESS,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-event-id": "one"}, fields=MISS),
        Exchange(OPENAI, NATIVE, {"cf-aig-event-id": "two"}, fields={**HIT, "cf-aig-event-id": "two"}),
        settings=ON,
    ),
)


@rule("gateways-are-apart", "An answer is cached for one gateway.", GUESS)
def _(world):
    one, other = world.at(**ON), world.at(**ON)
    body = chat("gpt-5-mini", f"Say hello to {one.id}.")
    assert one.ask(OPENAI, body).headers["cf-aig-cache-status"] == "MISS"
    assert other.ask(OPENAI, body).headers["cf-aig-cache-status"] == "MISS"


def lives(seconds, headers=None, **settings):
    """A case: a cached answer is there one second before, and gone at `seconds`."""

    def check(world):
        place = world.at(**settings)
        place.ask(OPENAI, NATIVE, headers)
        place.clock.now += seconds - 1
        assert place.ask(OPENAI, NATIVE, headers).headers["cf-aig-cache-status"] == "HIT"
        place.clock.now += 1
        assert place.ask(OPENAI, NATIVE, headers).headers["cf-aig-cache-status"] == "MISS"

    return check


KEY = {"cf-aig-cache-key": "k"}
MONTH = 30 * 24 * 3600
add("the-gateways-ttl", "An answer lives for the gateway's TTL.", DOCUMENTED, lives(600, **ON))
add(
    "the-requests-ttl-is-first",
    "The request's TTL comes before the gateway's.",
    DOCUMENTED,
    lives(90, {"cf-aig-cache-ttl": "90"}, **ON),
)
add("300-seconds", "With a key and no TTL anywhere it lives for 300 seconds.", DOCUMENTED, lives(300, KEY))
add(
    "a-key-and-the-requests-ttl",
    "With a key and a TTL on the request, for that.",
    DOCUMENTED,
    lives(120, {**KEY, "cf-aig-cache-ttl": "120"}),
)
add("a-key-and-the-gateways-ttl", "With a key and a gateway TTL, for that.", DOCUMENTED, lives(600, KEY, **ON))
add("60-seconds-is-the-least", "60 seconds is the least TTL.", DOCUMENTED, lives(60, {"cf-aig-cache-ttl": "60"}, **ON))
add(
    "a-month-is-the-most",
    "A month is the most.",
    DOCUMENTED,
    lives(MONTH, {"cf-aig-cache-ttl": str(MONTH)}, **ON),
)
add(
    "streams-are-not-cached",
    "A stream is not cached.",
    DOCUMENTED,
    twice(OPENAI, {**NATIVE, "stream": True}, {**NATIVE, "stream": True}),
)
add(
    "errors-are-not-cached",
    "Nor is an error.",
    GUESS,
    story(
        Exchange(OPENAI, NATIVE, status=500),
        Exchange(OPENAI, NATIVE, fields=MISS),
        Exchange(OPENAI, NATIVE, fields=HIT),
        settings=ON,
        script=(500, "Hello."),
    ),
)
SPENT = {"spend_limits": {"enabled": True, "rules": [{"id": "r", "limitType": "cost", "limit": 1, "window": 60}]}}
DEAR = {"cf-aig-custom-cost": '{"total_cost":2}'}
add(
    "the-cache-comes-before-spend",
    "The cache is asked before spend limits: a hit is served to a caller who has overspent.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, DEAR, fields=MISS),
        Exchange(OPENAI, chat("gpt-5-mini", "Else {gw}"), DEAR, status=429),
        Exchange(OPENAI, NATIVE, DEAR, fields=HIT),
        settings={**ON, **SPENT},
    ),
)
add(
    "a-hit-is-not-spent",
    "A hit does not count against a budget.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":0.6}'}, fields=MISS),
        Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":0.6}'}, fields=HIT),
        Exchange(OPENAI, chat("gpt-5-mini", "Else {gw}"), fields=MISS),
        settings={**ON, **SPENT},
    ),
)
add(
    "the-quirk-of-300-seconds",
    "A switch gives what was seen of one account: Workers AI is cached for 300 seconds on a gateway without caching.",
    OBSERVED,
    again(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), server="workers-ai-cache", settings={"cache_ttl": 0}),
)
add(
    "the-quirk-heeds-skip-cache",
    "There `cf-aig-cache-ttl: 0` does not stop it, and `cf-aig-skip-cache` does.",
    OBSERVED,
    story(
        Exchange(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), {"cf-aig-cache-ttl": "0"}, fields=MISS),
        Exchange(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), {"cf-aig-cache-ttl": "0"}, fields=HIT),
        Exchange(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), {"cf-aig-skip-cache": "true"}, fields=MISS),
        server="workers-ai-cache",
        settings={"cache_ttl": 0},
    ),
)


def updated(*, invalidate, status):
    """A case: after a change of the settings the cached answer is there, or not."""

    def check(world):
        place = world.at(**ON)
        place.ask(OPENAI, NATIVE)
        place.set(**ON, cache_invalidate_on_update=invalidate)
        assert place.ask(OPENAI, NATIVE).headers["cf-aig-cache-status"] == status

    return check


add(
    "an-update-empties-the-cache",
    "`cache_invalidate_on_update` lets a change of the settings empty the cache, as its name says (seen otherwise).",
    GUESS,
    updated(invalidate=True, status="MISS"),
)
add("an-update-keeps-the-cache", "Without it the cache stays.", GUESS, updated(invalidate=False, status="HIT"))
add(
    "the-cache-is-by-provider-key-header",
    "Keys in `x-api-key` keep answers apart too.",
    DOCUMENTED,
    story(
        Exchange(
            "POST {host}/anthropic/v1/messages",
            chat("claude-haiku-4-5", max_tokens=9),
            {"x-api-key": "one"},
            fields=MISS,
        ),
        Exchange(
            "POST {host}/anthropic/v1/messages",
            chat("claude-haiku-4-5", max_tokens=9),
            {"x-api-key": "two"},
            fields=MISS,
        ),
        settings=ON,
    ),
)
add(
    "universal-steps-are-cached",
    "Each step of a universal request is cached as the call it is.",
    DOCUMENTED,
    again("POST {host}", [{"provider": "openai", "endpoint": "chat/completions", "query": NATIVE}]),
)
