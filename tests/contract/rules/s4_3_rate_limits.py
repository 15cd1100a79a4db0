"""4.3: rate limits."""

from .exchanges import CHAT, COMPAT, OPENAI, REST, RUN, Exchange, chat, refusal, rest_refusal, run, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("4.3", "Rate limits")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
LIMITED = refusal(429, 2003, "Rate limited")


def limit(number, technique="fixed"):
    return {"rate_limiting_limit": number, "rate_limiting_interval": 60, "rate_limiting_technique": technique}


for surface, line, body, headers, expected in (
    ("native", OPENAI, NATIVE, {}, LIMITED),
    ("compat", COMPAT, chat(), {}, LIMITED),
    ("rest", CHAT, chat(), REST, rest_refusal(429, 2003, "Rate limited")),
    ("run", RUN, run(), REST, rest_refusal(429, 2003, "Rate limited")),
):
    add(
        f"over-the-limit-{surface}",
        f"A call over the gateway's limit is 429 / 2003 ({surface}).",
        DOCUMENTED,
        story(
            Exchange(line, body, headers),
            Exchange(line, body, headers),
            Exchange(line, body, headers, **expected),
            settings=limit(2),
        ),
    )


def statuses(place, times):
    return [place.ask(OPENAI, NATIVE).status_code for _ in range(times)]


@rule("a-fixed-window-begins-anew", "A fixed window lets as many through again when the next one begins.", DOCUMENTED)
def _(world):
    place = world.at(**limit(2))
    place.clock.now += 60 - place.clock.now % 60
    assert statuses(place, 3) == [200, 200, 429]
    place.clock.now += 60
    assert statuses(place, 3) == [200, 200, 429]


@rule("a-sliding-window-remembers", "A sliding one weighs the window before by what of it still overlaps.", OBSERVED)
def _(world):
    place = world.at(**limit(4, "sliding"))
    place.clock.now += 60 - place.clock.now % 60
    assert statuses(place, 5) == [200, 200, 200, 200, 429]
    place.clock.now += 90
    assert statuses(place, 3) == [200, 200, 429]


add(
    "a-limited-call-is-logged",
    "A call that is refused so is logged.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, status=429),
        settings=limit(1),
        logged={"success": False, "status_code": 429},
    ),
)
add(
    "a-limit-of-0-is-off",
    "A limit of 0 is off.",
    DOCUMENTED,
    story(Exchange(OPENAI, NATIVE), Exchange(OPENAI, NATIVE), settings=limit(0)),
)


@rule("gateways-are-limited-apart", "Gateways are limited apart.", DOCUMENTED)
def _(world):
    one, other = world.at(**limit(1)), world.at(**limit(1))
    assert statuses(one, 2) == [200, 429]
    assert statuses(other, 1) == [200]


add(
    "unified-billing-has-a-limit-of-its-own",
    "What Unified Billing pays for has a limit of its own for each gateway and minute: 429 / 2018.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, **refusal(429, 2018, "Wholesale Rate limited")),
        server="unified-limit",
    ),
)
add(
    "it-does-not-limit-own-keys",
    "It does not hold for calls with a key of their own.",
    DOCUMENTED,
    story(
        *[Exchange(OPENAI, NATIVE, {"authorization": "Bearer sk-own"})] * 4,
        server="unified-limit",
    ),
)
add(
    "hits-count",
    "A hit of the cache counts against the rate limit.",
    GUESS,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, fields={"cf-aig-cache-status": "HIT"}),
        Exchange(OPENAI, NATIVE, status=429),
        settings={**limit(2), "cache_ttl": 600},
    ),
)
