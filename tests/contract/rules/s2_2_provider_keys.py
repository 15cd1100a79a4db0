"""2.2: with whose key a provider is asked."""

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
from .matching import differences
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "2.2",
    "Whose provider key",
    "The request's own key comes first, a stored one second (bring your own key), Unified Billing last.",
)
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
NO_CUSTOMER_KEY = "Customer-provided provider credentials are required for this request"


def sent(world, headers=None, *keys, line=OPENAI, body=NATIVE):
    """Store keys, ask, and give what the provider got."""
    place = world.at()
    for alias, secret in keys:
        place.store_key("openai", secret, alias)
    reply = place.ask(line, body, headers)
    assert reply.status_code == 200, reply.text
    return place.requests[-1].headers


@rule("the-requests-key-wins", "A key on the request is passed on; a stored one is not looked at.", DOCUMENTED)
def _(world):
    got = sent(world, {"authorization": "Bearer of-the-request"}, ("default", "of-the-store"))
    assert got["authorization"] == "Bearer of-the-request"


for name in ("authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"):

    def passed_on(world, name=name):
        got = sent(world, {name: "of-the-request"}, ("default", "of-the-store"))
        assert got[name] == "of-the-request"
        assert "of-the-store" not in repr(got)

    add(f"a-key-in-{name}", f"A key in `{name}` counts as the request's own, and is passed on.", DOCUMENTED, passed_on)


@rule("a-stored-key-comes-second", "Without one, the stored key with the alias `default` is used.", DOCUMENTED)
def _(world):
    assert sent(world, None, ("default", "of-the-store"))["authorization"] == "Bearer of-the-store"


@rule("an-alias-names-a-stored-key", "On native paths `cf-aig-byok-alias` names the stored key.", DOCUMENTED)
def _(world):
    got = sent(world, {"cf-aig-byok-alias": "team"}, ("default", "first-secret"), ("team", "second-secret"))
    assert got["authorization"] == "Bearer second-secret"


@rule("rest-uses-the-stored-default", "REST uses the stored key `default`.", DOCUMENTED)
def _(world):
    got = sent(world, REST, ("default", "of-the-store"), line=CHAT, body=chat())
    assert got["authorization"] == "Bearer of-the-store"


@rule("rest-ignores-the-alias", "REST does not look at `cf-aig-byok-alias`.", DOCUMENTED)
def _(world):
    keys = ("default", "first-secret"), ("team", "second-secret")
    got = sent(world, {**REST, "cf-aig-byok-alias": "team"}, *keys, line=CHAT, body=chat())
    assert got["authorization"] == "Bearer first-secret"


@rule("run-ignores-the-alias", "Nor does `ai/run`.", DOCUMENTED)
def _(world):
    keys = ("default", "first-secret"), ("team", "second-secret")
    got = sent(world, {**REST, "cf-aig-byok-alias": "team"}, *keys, line=RUN, body=run())
    assert got["authorization"] == "Bearer first-secret"


@rule("rest-uses-no-other-alias", "A key that is stored under another alias only is not used on REST.", DOCUMENTED)
def _(world):
    assert "authorization" not in sent(world, REST, ("team", "second-secret"), line=CHAT, body=chat())


add(
    "unified-billing-comes-last",
    "Without any key Unified Billing pays, and the log says so.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, logged={"wholesale": True}),
)
add(
    "unified-billing-does-not-pay-for-a-key",
    "With a key of one's own it does not.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"authorization": "Bearer of-the-request"}, logged={"wholesale": False}),
)
add(
    "no-credits-native",
    "Without credits that is 402 / 2021.",
    OBSERVED,
    asks(
        OPENAI,
        NATIVE,
        server="poor",
        **refusal(402, 2021, lambda text: text.startswith("Insufficient wholesale credits.")),
    ),
)
add(
    "no-credits-rest",
    "On REST too.",
    OBSERVED,
    asks(RUN, run(), REST, server="poor", **rest_refusal(402, 2021, lambda text: text.startswith("Insufficient bal"))),
)
add(
    "an-own-key-needs-no-credits",
    "A key of one's own needs no credits.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"authorization": "Bearer of-the-request"}, server="poor"),
)
add(
    "unified-billing-has-not-every-provider",
    "A provider that Unified Billing does not have is 402 / 2021 too.",
    OBSERVED,
    asks("POST {host}/mistral/v1/chat/completions", NATIVE, server="poor", **refusal(402, 2021)),
)
for line, body, headers, expected, surface in (
    (OPENAI, NATIVE, {}, refusal(400, 2044, NO_CUSTOMER_KEY), "native"),
    (COMPAT, chat(), {}, refusal(400, 2044, NO_CUSTOMER_KEY), "compat"),
    (CHAT, chat(), REST, rest_refusal(400, 2044, NO_CUSTOMER_KEY), "rest"),
):
    add(
        f"no-wholesale-{surface}",
        f"`cf-aig-no-wholesale: true` forbids Unified Billing: 400 / 2044 ({surface}).",
        OBSERVED,
        asks(line, body, {**headers, "cf-aig-no-wholesale": "true"}, **expected),
    )
    add(
        f"byok-only-{surface}",
        f"So does the gateway's setting `byok_only` ({surface}).",
        OBSERVED,
        asks(line, body, headers, settings={"byok_only": True}, **expected),
    )
add(
    "no-wholesale-false-relaxes-nothing",
    "`cf-aig-no-wholesale: false` does not relax the setting.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"cf-aig-no-wholesale": "false"}, settings={"byok_only": True}, **refusal(400, 2044)),
)
add(
    "no-wholesale-takes-the-requests-key",
    "A call with a key of its own passes.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        {"cf-aig-no-wholesale": "true", "authorization": "Bearer of-the-request"},
        settings={"byok_only": True},
    ),
)
add(
    "no-wholesale-leaves-workers-ai-alone",
    "Workers AI is not affected by either.",
    DOCUMENTED,
    asks(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), {"cf-aig-no-wholesale": "true"}, settings={"byok_only": True}),
)


@rule("byok-only-takes-a-stored-key", "So does one for whose provider a key is stored.", DOCUMENTED)
def _(world):
    place = world.at(byok_only=True)
    place.store_key()
    assert place.ask(OPENAI, NATIVE).status_code == 200


@rule("an-unknown-alias", "An alias that is not stored is 400 / 2040, and names those that are.", OBSERVED)
def _(world):
    place = world.at()
    place.store_key(alias="default")
    place.store_key(alias="team", secret="second-secret")
    reply = place.ask(OPENAI, NATIVE, {"cf-aig-byok-alias": "nobody"})
    message = "Provider 'openai' has no BYOK credential named 'nobody'. Configured aliases: default, team"
    expected = refusal(400, 2040, message)
    assert not differences(expected["json"], reply.json())
    assert reply.status_code == 400


@rule("an-alias-for-a-provider-without-keys", "Where the provider has no key at all, Unified Billing pays.", OBSERVED)
def _(world):
    place = world.at()
    place.store_key("anthropic")
    reply = place.ask(OPENAI, NATIVE, {"cf-aig-byok-alias": "nobody"})
    assert (reply.status_code, place.log(reply)["wholesale"]) == (200, True)


@rule("a-secret-that-is-gone", "A stored key without its secret is refused; nothing else is tried.", OBSERVED)
def _(world):
    place = world.at()
    config = {"provider_slug": "openai", "alias": "default", "secret_id": "gone"}
    place.ask("POST {manage}/provider_configs", config, REST)
    reply = place.ask(OPENAI, NATIVE)
    assert (reply.status_code, reply.json()["message"]) == (400, "Configured BYOK credentials are unavailable")
    assert place.requests == []


add(
    "a-provider-config",
    "A stored key is a provider config: `provider_slug`, `alias`, `default_config`, `secret_id`, the two rate limits; "
    "the name of its secret is `{gateway}_{provider}_{alias}`.",
    DOCUMENTED,
    asks(
        "POST {manage}/provider_configs",
        {"provider_slug": "openai", "alias": "team", "secret": "a-secret-1"},
        REST,
        json={
            "success": True,
            "result": {
                "id": str,
                "provider_slug": "openai",
                "alias": "team",
                "default_config": False,
                "secret_id": "{gw}_openai_team",
                "rate_limit": None,
                "rate_limit_period": None,
            },
        },
    ),
)
add(
    "provider-configs-are-listed",
    "They are listed below the gateway.",
    DOCUMENTED,
    story(
        Exchange("POST {manage}/provider_configs", {"provider_slug": "openai", "secret": "a-secret-1"}, REST),
        Exchange(
            "GET {manage}/provider_configs",
            None,
            REST,
            json={"success": True, "result": [{"provider_slug": "openai", "alias": "default"}]},
        ),
    ),
)


@rule("a-secret-is-never-shown", "No answer shows a stored secret.", DOCUMENTED)
def _(world):
    place = world.at()
    place.store_key(secret="never-shown-1")
    answers = [
        place.ask("GET {manage}/provider_configs", headers=REST).text,
        place.ask(OPENAI, NATIVE).text,
        repr(place.logs()),
    ]
    assert place.requests[-1].headers["authorization"] == "Bearer never-shown-1"
    assert not any("never-shown-1" in answer for answer in answers)


add(
    "a-wrong-provider-config",
    "A config of a provider that does not exist is refused.",
    GUESS,
    asks(
        "POST {manage}/provider_configs", {"provider_slug": "no-such", "secret": "s"}, REST, **rest_refusal(400, 7001)
    ),
)

REJECTED = {"status": 401, "message": "Incorrect API key"}


@rule("a-rejected-stored-key-on-run", "On `ai/run` a stored key that the provider rejects is 401 / 2009.", DOCUMENTED)
def _(world):
    place = world.at().script(REJECTED)
    place.store_key()
    reply = place.ask(RUN, run(), REST)
    assert not differences(rest_refusal(401, 2009), {"status": reply.status_code, "json": reply.json()})


add(
    "rejected-managed-credentials-on-run",
    "Credentials that Cloudflare manages, and the provider rejects, are 503 there.",
    DOCUMENTED,
    asks(RUN, run(), REST, script=(REJECTED,), status=503, json={"success": False, "result": None, "errors": list}),
)
add(
    "rejected-credentials-are-not-tried-again",
    "Rejected credentials are not tried again.",
    DOCUMENTED,
    asks(RUN, run(), {**REST, "cf-aig-max-attempts": "3"}, script=(REJECTED, "Hello."), status=503),
)
for surface, line, body in (("native", OPENAI, NATIVE), ("compat", COMPAT, chat()), ("rest", CHAT, chat())):
    add(
        f"a-rejected-key-elsewhere-{surface}",
        f"Everywhere else the provider's own 401 is passed on ({surface}).",
        GUESS,
        asks(line, body, REST, script=(REJECTED,), status=401, json={"error": {"message": "Incorrect API key"}}),
    )
