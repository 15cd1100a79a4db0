"""2.1: which header carries which credential."""

from .exchanges import CHAT, COMPAT, OPENAI, REST, RUN, SAY, Exchange, asks, chat, refusal, rest_refusal, run, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "2.1",
    "Credentials",
    "REST takes a Cloudflare token in `Authorization`. The gateway host takes it in `cf-aig-authorization`, and leaves "
    "the provider's own header to the provider's key.",
)
add, rule = SECTION.add, SECTION.rule

AIG = {"cf-aig-authorization": "Bearer good-token"}
BAD = {"authorization": "Bearer bad-token"}
NATIVE = chat("gpt-5-mini")

add(
    "rest-takes-authorization",
    "REST takes the token as `Authorization: Bearer`.",
    DOCUMENTED,
    asks(CHAT, chat(), REST, server="tokens"),
)
for surface, line, body in (("chat", CHAT, chat()), ("run", RUN, run()), ("management", "GET {manage}/logs", None)):
    add(
        f"rest-without-a-token-{surface}",
        f"REST without a token is 400 / 9106 ({surface}).",
        OBSERVED,
        asks(line, body, server="tokens", **rest_refusal(400, 9106)),
    )
    add(
        f"rest-with-a-wrong-token-{surface}",
        f"REST with a wrong token is 401 / 10000 ({surface}).",
        OBSERVED,
        asks(line, body, BAD, server="tokens", **rest_refusal(401, 10000)),
    )
add(
    "rest-with-another-scheme",
    "REST with another scheme than `Bearer` is 400 / 9106.",
    OBSERVED,
    asks(CHAT, chat(), {"authorization": "Basic good-token"}, server="tokens", **rest_refusal(400, 9106)),
)
add(
    "rest-does-not-look-at-the-gateways-header",
    "`cf-aig-authorization` alone opens nothing on REST.",
    DOCUMENTED,
    asks(CHAT, chat(), AIG, server="tokens", **rest_refusal(400, 9106)),
)
add(
    "gateway-takes-its-own-header",
    "The gateway host takes the token as `cf-aig-authorization: Bearer`.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, AIG, server="tokens"),
)
for surface, line, body in (
    ("native", OPENAI, NATIVE),
    ("compat", COMPAT, chat()),
    ("universal", "POST {host}", [{"provider": "openai", "endpoint": "chat/completions", "query": NATIVE}]),
):
    add(
        f"gateway-without-a-token-{surface}",
        f"With authentication on, a call without the header is 401 / 2009 ({surface}).",
        DOCUMENTED,
        asks(line, body, server="tokens", **refusal(401, 2009, "Unauthorized")),
    )
    add(
        f"gateway-with-a-wrong-token-{surface}",
        f"So is one with a wrong token ({surface}).",
        DOCUMENTED,
        asks(
            line,
            body,
            {"cf-aig-authorization": "Bearer bad-token"},
            server="tokens",
            **refusal(401, 2009, "Unauthorized"),
        ),
    )
add(
    "gateway-with-authentication-off",
    "With authentication off a call needs no token.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, server="tokens", settings={"authentication": False}),
)
add(
    "gateway-authentication-is-a-setting",
    "Authentication is a setting of the gateway, and holds from the next call on.",
    DOCUMENTED,
    story(
        Exchange(OPENAI, NATIVE),
        Exchange(
            "PUT {manage}",
            {
                "cache_invalidate_on_update": False,
                "cache_ttl": None,
                "collect_logs": True,
                "rate_limiting_interval": None,
                "rate_limiting_limit": None,
                "authentication": True,
            },
            REST,
        ),
        Exchange(OPENAI, NATIVE, **refusal(401, 2009)),
        server="tokens",
        settings={"authentication": False},
    ),
)
add(
    "rest-asks-for-a-token-whatever-the-gateway-says",
    "REST asks for a token whatever the gateway's setting is.",
    DOCUMENTED,
    asks(CHAT, chat(), server="tokens", settings={"authentication": False}, **rest_refusal(400, 9106)),
)
add(
    "a-provider-key-is-no-gateway-token",
    "A provider's key in `Authorization` does not open a gateway with authentication.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, {"authorization": "Bearer sk-provider"}, server="tokens", **refusal(401, 2009)),
)
add(
    "a-stranger-leaves-no-log",
    "A call that shows no good token leaves no log, and is told no id of one.",
    GUESS,
    story(
        Exchange(OPENAI, NATIVE, **refusal(401, 2009)),
        Exchange("GET {manage}/logs", None, REST, json={"result": [], "result_info": {"total_count": 0}}),
        server="tokens",
    ),
)


@rule("the-token-stays-at-the-gateway", "`cf-aig-authorization` does not reach the provider.", DOCUMENTED)
def _(world):
    place = world.at("tokens")
    place.ask(OPENAI, NATIVE, {**AIG, "authorization": "Bearer sk-provider"})
    assert "good-token" not in repr(place.requests[-1].headers)
    assert place.requests[-1].headers["authorization"] == "Bearer sk-provider"


@rule("rest-token-stays-at-the-gateway", "REST's `Authorization` does not reach the provider.", DOCUMENTED)
def _(world):
    place = world.at("tokens")
    place.ask(CHAT, chat(), REST)
    assert "authorization" not in place.requests[-1].headers


@rule("client-sends-authorization-to-rest", "Our client sends its token to REST in `Authorization`.", DOCUMENTED)
def _(world):
    place = world.at("tokens")
    assert place.client().chat(place_body(place)).text
    assert place.logs()[0]["authentication"] is True


@rule("client-sends-its-header-to-the-gateway", "And to the gateway host in `cf-aig-authorization`.", DOCUMENTED)
def _(world):
    place = world.at("tokens")
    place.client(provider_key="sk-provider").chat(place_body(place))
    assert place.requests[-1].headers["authorization"] == "Bearer sk-provider"


@rule("client-reads-logs-with-another-token", "Our client may read logs with a token of their own.", DOCUMENTED)
def _(world):
    place = world.at("tokens")
    client = place.client(api_token="bad-token", logs_token="other-token")
    assert not client.gateway().list_logs().logs


def place_body(place):
    """The body of a chat through our client."""
    return {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.fill(SAY)}]}
