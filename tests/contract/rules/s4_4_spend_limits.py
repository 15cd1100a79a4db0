"""4.4: spend limits."""

import json

from .exchanges import CHAT, COMPAT, OPENAI, REST, Exchange, chat, refusal, rest_refusal, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("4.4", "Spend limits")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
DEAR = {"cf-aig-custom-cost": '{"total_cost":0.6}'}


def spend(**rule):
    rule = {"id": "r1", "limitType": "cost", "limit": 1, "window": 60, "technique": "fixed", **rule}
    return {"spend_limits": {"enabled": True, "rules": [rule]}}


def labelled(**labels):
    return {**DEAR, "cf-aig-metadata": json.dumps(labels)}


def used_up(*exchanges, **rule):
    """A case: two calls use the limit up, then these follow."""
    return story(Exchange(OPENAI, NATIVE, DEAR), Exchange(OPENAI, NATIVE, DEAR), *exchanges, settings=spend(**rule))


MESSAGE = "Spend limit exceeded: rule 'r1' (cost limit 1 per 60s, fixed) for openai gpt-5-mini"
add(
    "over-the-limit",
    "A call after the limit is 429 / 2041, and says which rule.",
    OBSERVED,
    used_up(Exchange(OPENAI, NATIVE, DEAR, **refusal(429, 2041, MESSAGE))),
)
add(
    "over-the-limit-on-rest",
    "On REST too.",
    GUESS,
    used_up(Exchange(CHAT, chat(), {**REST, **DEAR}, **rest_refusal(429, 2041))),
)
add(
    "the-other-code",
    "A switch gives the other code that was seen, 2045.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":1}'}),
        Exchange(OPENAI, NATIVE, **refusal(429, 2045)),
        server="spend-2045",
        settings=spend(),
    ),
)
add(
    "the-overspending-call-is-answered",
    "The call that oversteps the limit is still answered.",
    DOCUMENTED,
    story(Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":5}'}), settings=spend()),
)
add(
    "an-overspent-call-is-logged",
    "A call that is refused so is logged.",
    OBSERVED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":5}'}),
        Exchange(OPENAI, NATIVE, status=429),
        settings=spend(),
        logged={"success": False, "status_code": 429},
    ),
)


@rule("a-fixed-window-clears", "A fixed window of a minute clears on the minute.", OBSERVED)
def _(world):
    place = world.at(**spend())
    place.clock.now += 60 - place.clock.now % 60 + 59
    place.ask(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":5}'})
    assert place.ask(OPENAI, NATIVE).status_code == 429
    place.clock.now += 1
    assert place.ask(OPENAI, NATIVE).status_code == 200


@rule("a-sliding-window-forgets-slowly", "A sliding one weighs the window before by its overlap.", OBSERVED)
def _(world):
    place = world.at(**spend(technique="sliding"))
    place.clock.now += 60 - place.clock.now % 60
    place.ask(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":1.5}'})
    place.clock.now += 65
    assert place.ask(OPENAI, NATIVE).status_code == 429
    place.clock.now += 30
    assert place.ask(OPENAI, NATIVE).status_code == 200


for name, how in (("text", "partition"), ("object", {"mode": "partition"})):
    add(
        f"partition-by-metadata-{name}",
        f"A rule may count by metadata, written as {json.dumps(how)}: another user has a budget of their own.",
        DOCUMENTED if name == "object" else OBSERVED,
        story(
            Exchange(OPENAI, NATIVE, labelled(user="u1")),
            Exchange(OPENAI, NATIVE, labelled(user="u1")),
            Exchange(OPENAI, NATIVE, labelled(user="u1"), status=429),
            Exchange(OPENAI, NATIVE, labelled(user="u2")),
            settings=spend(metadata={"user": how}),
        ),
    )
for name, how in (
    ("match", {"mode": "match", "value": "u1"}),
    ("filter", {"mode": "filter", "values": ["u1", "u3"]}),
):
    add(
        f"{name}-metadata",
        f"A rule may be about some calls only, written as {json.dumps(how)}.",
        DOCUMENTED,
        story(
            Exchange(OPENAI, NATIVE, labelled(user="u1")),
            Exchange(OPENAI, NATIVE, labelled(user="u1")),
            Exchange(OPENAI, NATIVE, labelled(user="u1"), status=429),
            Exchange(OPENAI, NATIVE, labelled(user="u2")),
            settings=spend(metadata={"user": how}),
        ),
    )
add(
    "partition-by-model",
    "A rule may count by model.",
    DOCUMENTED,
    used_up(
        Exchange(OPENAI, NATIVE, DEAR, status=429),
        Exchange(OPENAI, chat("gpt-5"), DEAR),
        model="partition",
    ),
)
add(
    "match-a-model",
    "Or be about one model.",
    DOCUMENTED,
    used_up(
        Exchange(OPENAI, NATIVE, DEAR, status=429),
        Exchange(OPENAI, chat("gpt-5"), DEAR),
        model={"match": "gpt-5-mini"},
    ),
)
add(
    "partition-by-provider",
    "Or by provider.",
    DOCUMENTED,
    used_up(
        Exchange(OPENAI, NATIVE, DEAR, status=429),
        Exchange(COMPAT, chat("groq/some-model"), DEAR),
        provider="partition",
    ),
)
add(
    "a-rule-may-be-off",
    "A rule with `enabled: false` is off.",
    DOCUMENTED,
    used_up(Exchange(OPENAI, NATIVE, DEAR), enabled=False),
)
add(
    "all-may-be-off",
    "So are all with `spend_limits.enabled: false`.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":5}'}),
        Exchange(OPENAI, NATIVE),
        settings={"spend_limits": {**spend()["spend_limits"], "enabled": False}},
    ),
)


def with_rules(number):
    rule = spend()["spend_limits"]["rules"][0]
    rules = [{**rule, "id": f"r{index}"} for index in range(number)]
    return {
        "id": "{gw}",
        "cache_invalidate_on_update": False,
        "cache_ttl": None,
        "collect_logs": True,
        "rate_limiting_interval": None,
        "rate_limiting_limit": None,
        "spend_limits": {"enabled": True, "rules": rules},
    }


add("20-rules", "A gateway has up to 20 rules.", DOCUMENTED, story(Exchange("POST {gateways}", with_rules(20), REST)))
add(
    "not-21-rules",
    "More are refused.",
    DOCUMENTED,
    story(Exchange("POST {gateways}", with_rules(21), REST, **rest_refusal(400, 7001))),
)
