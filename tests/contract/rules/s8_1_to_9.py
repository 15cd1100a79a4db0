"""8: what nobody tells, and what the local gateway does."""

from .exchanges import (
    COMPAT,
    LLAMA,
    OPENAI,
    Exchange,
    asks,
    chat,
    inputs,
    refusal,
    story,
)
from .matching import ABSENT
from .rule import GUESS, Check, Section

SECTION = Section(
    "8",
    "Open questions",
    "Questions that the documentation leaves open, by number, and the careful answer of the local gateway. Our client "
    "works with any answer.",
)

NATIVE = chat("gpt-5-mini")
UNIVERSAL = "POST {host}"
HIT, MISS = {"cf-aig-cache-status": "HIT"}, {"cf-aig-cache-status": "MISS"}
RATE = {"rate_limiting_limit": 1, "rate_limiting_interval": 60}
PROMPT_BLOCK = {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}
DLP_BLOCK = {"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["test"]}}


def add(number: int, name: str, sentence: str, check: Check) -> None:
    """Add a question's answer; its number begins its name."""
    SECTION.add(f"{number:02d}-{name}", sentence, GUESS, check)


def rule(number: int, name: str, sentence: str):
    """Add one whose case is a function."""

    def decorate(check: Check) -> Check:
        add(number, name, sentence, check)
        return check

    return decorate


def step(model="gpt-5-mini", **more):
    return {"provider": "openai", "endpoint": "chat/completions", "query": chat(model), **more}


# 1, 2: tokens
add(
    1,
    "a-known-token-in-authorization-opens-the-gateway",
    "A known Cloudflare token in `Authorization` opens the gateway host, as several of Cloudflare's samples have it.",
    asks(OPENAI, NATIVE, {"authorization": "Bearer good-token"}, server="tokens"),
)


@rule(1, "and-is-no-provider-key", "It is then taken off, and is no provider key.")
def _(world):
    place = world.at("tokens")
    reply = place.ask(OPENAI, NATIVE, {"authorization": "Bearer good-token"})
    assert "authorization" not in place.requests[-1].headers
    assert place.log(reply)["wholesale"] is True


add(
    1,
    "but-not-beside-a-wrong-token",
    "Beside a wrong `cf-aig-authorization` it does not help.",
    asks(
        OPENAI,
        NATIVE,
        {"authorization": "Bearer good-token", "cf-aig-authorization": "Bearer bad"},
        server="tokens",
        **refusal(401, 2009),
    ),
)
add(
    2,
    "a-wrong-token-passes-where-none-is-asked-for",
    "A wrong `cf-aig-authorization` passes where authentication is off.",
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-authorization": "Bearer bad"},
        server="tokens",
        settings={"authentication": False},
    ),
)

# 3: the order of the checks
add(
    3,
    "the-token-comes-before-the-body",
    "The token is checked before the body.",
    asks(OPENAI, b"{", server="tokens", **refusal(401, 2009)),
)
add(
    3,
    "the-model-comes-before-the-rate-limit",
    "A call whose model cannot be read does not count against the rate limit.",
    story(
        Exchange(COMPAT, chat("gpt-5-mini"), **refusal(400, 2019)),
        Exchange(COMPAT, chat()),
        settings=RATE,
    ),
)
add(
    3,
    "the-rate-limit-comes-before-guardrails",
    "The rate limit comes before guardrails.",
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, chat("gpt-5-mini", "unsafe-s1 {gw}"), **refusal(429, 2003)),
        settings={**RATE, **PROMPT_BLOCK},
    ),
)
add(
    3,
    "dlp-comes-before-guardrails",
    "DLP comes before guardrails.",
    asks(
        OPENAI,
        chat("gpt-5-mini", "unsafe-s1 dlp-test {gw}"),
        settings={**PROMPT_BLOCK, **DLP_BLOCK},
        **refusal(400, 2029),
    ),
)


@rule(3, "guardrails-come-before-the-cache", "Guardrails of the prompt come before the cache.")
def _(world):
    place = world.at(cache_ttl=600)
    bad = chat("gpt-5-mini", "unsafe-s1 {gw}")
    assert place.ask(OPENAI, bad).status_code == 200
    place.set(cache_ttl=600, **PROMPT_BLOCK)
    assert place.ask(OPENAI, bad).status_code == 424


@rule(3, "cached-answers-are-checked", "An answer from the cache is checked like a fresh one.")
def _(world):
    place = world.at(cache_ttl=600).script("dlp-test")
    assert place.ask(OPENAI, NATIVE).status_code == 200
    place.set(cache_ttl=600, **DLP_BLOCK)
    assert place.ask(OPENAI, NATIVE).json()["internalCode"] == 2030


# 4, 5: attempts
@rule(4, "a-further-attempt-waits-100-ms", "Without a delay a further attempt waits 100 ms.")
def _(world):
    reply = world.at().script(503, "Hello.").ask(OPENAI, NATIVE, {"cf-aig-max-attempts": "2"})
    assert (reply.status_code, reply.elapsed.total_seconds() >= 0.1) == (200, True)


@rule(4, "attempts-count-the-first", "`cf-aig-max-attempts` counts the first attempt.")
def _(world):
    place = world.at().script({"status": 503, "times": "forever"})
    place.ask(OPENAI, NATIVE, {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "0"})
    assert len(place.requests) == 3


add(
    5,
    "when-every-step-fails",
    "When every step fails the last one's answer is given.",
    asks(
        UNIVERSAL,
        [step("gpt-5"), step()],
        script=(500, {"status": 418, "message": "the last word"}),
        status=418,
        json={"error": {"message": "the last word"}},
        fields={"cf-aig-step": "1"},
    ),
)
add(
    5,
    "when-no-step-is-answered",
    "When not even the last one is answered, 400 / 2005.",
    asks(UNIVERSAL, [step("gpt-5"), step()], script=({"drop": True}, {"drop": True}), **refusal(400, 2005)),
)


# 6: values out of range
def lives(seconds, ttl):
    def check(world):
        place = world.at(cache_ttl=600)
        headers = {"cf-aig-cache-ttl": ttl}
        place.ask(OPENAI, NATIVE, headers)
        place.clock.now += seconds - 1
        assert place.ask(OPENAI, NATIVE, headers).headers["cf-aig-cache-status"] == "HIT"
        place.clock.now += 1
        assert place.ask(OPENAI, NATIVE, headers).headers["cf-aig-cache-status"] == "MISS"

    return check


add(6, "a-short-ttl-becomes-60", "A TTL under 60 seconds becomes 60.", lives(60, "5"))
add(6, "a-long-ttl-becomes-a-month", "A TTL over a month becomes a month.", lives(30 * 24 * 3600, "99999999"))
add(6, "a-ttl-that-is-no-number", "One that is no number is ignored.", lives(600, "soon"))


@rule(6, "six-attempts-become-five", "More than five attempts become five.")
def _(world):
    place = world.at().script({"status": 503, "times": "forever"})
    place.ask(OPENAI, NATIVE, {"cf-aig-max-attempts": "9", "cf-aig-retry-delay": "0"})
    assert len(place.requests) == 5


for name, header, value in (
    ("metadata", "cf-aig-metadata", "{not json"),
    ("custom-cost", "cf-aig-custom-cost", "[1]"),
    ("a-flag", "cf-aig-collect-log", "maybe"),
    ("a-backoff", "cf-aig-backoff", "random"),
    ("a-timeout", "cf-aig-request-timeout", "-5"),
):
    add(
        6,
        f"{name}-that-cannot-be-read",
        f"`{header}: {value}` is ignored, and the call goes on.",
        asks(OPENAI, NATIVE, {header: value}, logged={"success": True, "metadata": ABSENT, "custom_cost": False}),
    )

# 7, 8: the cache
add(
    7,
    "streams-are-misses",
    "A stream is a miss even of an answer that is cached.",
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-cache-key": "k"}, fields=MISS),
        Exchange(OPENAI, {**NATIVE, "stream": True}, {"cf-aig-cache-key": "k"}, fields=MISS),
    ),
)
add(
    7,
    "skip-cache-is-a-miss",
    "`cf-aig-skip-cache` is reported as a miss, and does not store the new answer.",
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-skip-cache": "true"}, fields=MISS),
        Exchange(OPENAI, NATIVE, fields=MISS),
        settings={"cache_ttl": 600},
    ),
)
add(
    7,
    "only-a-200-is-cached",
    "Only a 200 is cached.",
    story(
        Exchange(OPENAI, NATIVE, status=404),
        Exchange(OPENAI, NATIVE, fields=MISS),
        settings={"cache_ttl": 600},
        script=(404, "Hello."),
    ),
)


@rule(7, "stored-keys-share-answers", "Calls with different stored keys share a cached answer.")
def _(world):
    place = world.at(cache_ttl=600)
    place.store_key(alias="default")
    place.store_key(alias="team", secret="second-secret")
    place.ask(OPENAI, NATIVE)
    assert place.ask(OPENAI, NATIVE, {"cf-aig-byok-alias": "team"}).headers["cf-aig-cache-status"] == "HIT"


add(
    8,
    "a-ttl-of-0-holds-for-workers-ai",
    "A gateway TTL of 0 is off for Workers AI too, as documented; a switch gives what was seen.",
    story(
        *[Exchange(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), fields={"cf-aig-cache-status": ABSENT})] * 2,
        settings={"cache_ttl": 0},
    ),
)

# 9: ids
add(
    9,
    "no-log-no-id",
    "A call without a log has no `cf-aig-log-id`; it has the others.",
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-collect-log": "false"},
        fields={"cf-aig-log-id": ABSENT, "cf-aig-request-id": str, "cf-aig-event-id": str},
    ),
)
add(
    9,
    "a-hit-has-an-id",
    "A hit has a log id.",
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(OPENAI, NATIVE, fields={**HIT, "cf-aig-log-id": str}),
        settings={"cache_ttl": 600},
    ),
)
add(
    9,
    "a-401-has-no-id",
    "A 401 has none.",
    asks(OPENAI, NATIVE, server="tokens", status=401, fields={"cf-aig-log-id": ABSENT}),
)
add(
    9,
    "a-400-has-an-id",
    "A refusal with 400 has one, for it is logged.",
    asks(COMPAT, NATIVE, status=400, fields={"cf-aig-log-id": str}, logged={"success": False, "status_code": 400}),
)


@rule(9, "later-steps-have-ids-of-their-own", "A later step has a log id of its own; request and event id are shared.")
def _(world):
    place = world.at().script(500, "Hello.")
    reply = place.ask(UNIVERSAL, [step(), step()])
    served, failed = sorted(place.logs(), key=lambda log: -log["step"])
    assert reply.headers["cf-aig-log-id"] == served["id"] != failed["id"] == reply.headers["cf-aig-request-id"]
    assert reply.headers["cf-aig-event-id"] == served["event_id"] == failed["event_id"]
