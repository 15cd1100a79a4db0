"""3.1: request headers for attempts, and those that have no bearing here; what our client writes."""

import json

from .exchanges import COMPAT, OPENAI, Exchange, asks, chat, story
from .rule import DOCUMENTED
from .s3_1_request_headers import HIT, NATIVE, SECTION

add, rule = SECTION.add, SECTION.rule

add(
    "request-timeout-is-an-error",
    "`cf-aig-request-timeout` ends a step that another one follows when no first byte has come in that time.",
    DOCUMENTED,
    asks(
        "POST {host}",
        [
            {"provider": "openai", "endpoint": "chat/completions", "query": NATIVE},
            {"provider": "openai", "endpoint": "chat/completions", "query": NATIVE},
        ],
        {"cf-aig-request-timeout": "60"},
        script=({"text": "late", "delay": 400}, "in time"),
        fields={"cf-aig-step": "1"},
    ),
)
add(
    "max-attempts",
    "`cf-aig-max-attempts` is the number of attempts in all.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "0"}, script=(503, 503, "Hello.")),
)
add(
    "max-attempts-is-the-most",
    "After the last attempt the failure is the answer.",
    DOCUMENTED,
    asks(
        OPENAI, NATIVE, {"cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0"}, script=(503, 502, "Hello."), status=502
    ),
)


def elapsed(world, headers, failures):
    """Give the seconds that a call took which fails so often first."""
    place = world.at().script(*[503] * failures, "Hello.")
    reply = place.ask(OPENAI, NATIVE, {"cf-aig-max-attempts": "5", "cf-aig-retry-delay": "40", **headers})
    assert reply.status_code == 200, reply.text
    return reply.elapsed.total_seconds()


@rule("retry-delay", "`cf-aig-retry-delay` is the pause between attempts, in milliseconds.", DOCUMENTED)
def _(world):
    assert elapsed(world, {"cf-aig-retry-delay": "150"}, 1) >= 0.15


@rule("backoff-constant", "`cf-aig-backoff: constant` waits the same each time.", DOCUMENTED)
def _(world):
    assert elapsed(world, {"cf-aig-backoff": "constant"}, 3) >= 3 * 0.04


@rule("backoff-linear", "`linear` waits once, twice, three times the delay.", DOCUMENTED)
def _(world):
    assert elapsed(world, {"cf-aig-backoff": "linear"}, 3) >= (1 + 2 + 3) * 0.04


@rule("backoff-exponential", "`exponential` doubles the delay each time.", DOCUMENTED)
def _(world):
    assert elapsed(world, {"cf-aig-backoff": "exponential"}, 3) >= (1 + 2 + 4) * 0.04


for name, value in (
    ("zdr", "true"),
    ("otel-trace-id", "0af7651916cd43dd8448eb211c80319c"),
    ("otel-parent-span-id", "b7ad6b7169203331"),
    ("session-id", "session-1"),
    ("turn-id", "turn-1"),
    ("no-session-affinity", "true"),
):
    add(
        f"{name}-is-accepted",
        f"`cf-aig-{name}` is accepted; where it has no bearing it changes nothing.",
        DOCUMENTED,
        asks(COMPAT, chat(), {f"cf-aig-{name}": value}, json={"object": "chat.completion"}),
    )


@rule("x-session-affinity-is-the-providers", "`x-session-affinity` is not the gateway's, and is passed on.", DOCUMENTED)
def _(world):
    place = world.at()
    place.ask(OPENAI, NATIVE, {"x-session-affinity": "s1"})
    assert place.requests[-1].headers["x-session-affinity"] == "s1"


add(
    "names-are-read-in-any-case",
    "Header names are read in any letter case.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"CF-AIG-Cache-Key": "k"}),
        Exchange(OPENAI, NATIVE, {"Cf-Aig-Cache-Key": "k"}, fields=HIT),
    ),
)


@rule("client-writes-each-header", "Our client writes each option as its header, in the form above.", DOCUMENTED)
def _(world):
    place = world.at()
    options = {
        "skip_cache": True,
        "cache_ttl": 60,
        "cache_key": "k",
        "collect_log": True,
        "collect_log_payload": False,
        "metadata": {"user": "u1", "n": 3, "ok": True},
        "event_id": "evt-3",
        "request_timeout_ms": 5000,
        "retries": {"max_attempts": 2, "retry_delay_ms": 10, "backoff": "linear"},
        "custom_cost": {"per_token_in": 0.01},
        "no_wholesale": False,
        "zdr": True,
    }
    body = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.fill("{gw}")}]}
    place.client().chat(body, gateway=options)
    got = {name: value for name, value in place.requests[-1].headers.items() if name.startswith("cf-aig-")}
    assert got | {"cf-aig-custom-cost": json.loads(got["cf-aig-custom-cost"])} | {
        "cf-aig-metadata": json.loads(got["cf-aig-metadata"])
    } == {
        "cf-aig-gateway-id": place.id,
        "cf-aig-skip-cache": "true",
        "cf-aig-cache-ttl": "60",
        "cf-aig-cache-key": "k",
        "cf-aig-collect-log": "true",
        "cf-aig-collect-log-payload": "false",
        "cf-aig-metadata": {"user": "u1", "n": 3, "ok": True},
        "cf-aig-event-id": "evt-3",
        "cf-aig-request-timeout": "5000",
        "cf-aig-max-attempts": "2",
        "cf-aig-retry-delay": "10",
        "cf-aig-backoff": "linear",
        "cf-aig-custom-cost": {"per_token_in": 0.01},
        "cf-aig-no-wholesale": "false",
        "cf-aig-zdr": "true",
    }
