"""4.8: the errors of our client."""

import pytest

import aigw

from .exchanges import OPENAI
from .rule import DOCUMENTED, OBSERVED
from .s4_8_errors import FIRST, NATIVE, RATE, SPEND, add


def raises(error, line_of, **more):
    """A case: our client raises this class, with the code."""

    def check(world):
        place, code = line_of(world)
        with pytest.raises(error) as caught:
            place.client(**more).chat(
                {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": place.id}]}
            )
        assert type(caught.value) is error
        assert caught.value.code == code

    return check


def overspent(world):
    place = world.at(**SPEND)
    place.ask(OPENAI, NATIVE, FIRST.headers)
    return place, 2041


def limited(world):
    place = world.at(**RATE)
    place.ask(OPENAI, NATIVE)
    return place, 2003


UNSAFE = {"guardrails": {"prompt": {}, "response": {"S1": "BLOCK"}}}
LEAKS = {"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["test"]}}
for name, error, line_of, more in (
    ("2001", aigw.GatewayNotFoundError, lambda world: (world.at("known"), 2001), {}),
    ("2003", aigw.RateLimitError, limited, {}),
    ("2005", aigw.BadRequestError, lambda world: (world.at().script({"drop": True}), 2005), {}),
    (
        "2009",
        aigw.AuthenticationError,
        lambda world: (world.at("tokens"), 2009),
        {"api_token": "bad", "provider_key": "k"},
    ),
    ("2017", aigw.GuardrailBlockedError, lambda world: (world.at(**UNSAFE).script("unsafe-s1"), 2017), {}),
    ("2021", aigw.PaymentRequiredError, lambda world: (world.at("poor"), 2021), {}),
    ("2030", aigw.DLPBlockedError, lambda world: (world.at(**LEAKS).script("dlp-test"), 2030), {}),
    ("2041", aigw.SpendLimitError, overspent, {}),
    ("2044", aigw.BadRequestError, lambda world: (world.at(byok_only=True), 2044), {}),
    ("10000", aigw.AuthenticationError, lambda world: (world.at("tokens"), 10000), {"api_token": "bad"}),
):
    add(
        f"client-raises-{error.__name__}-for-{name}",
        f"Our client raises `{error.__name__}` for {name}.",
        DOCUMENTED if name in {"2017", "2030"} else OBSERVED,
        raises(error, line_of, **more),
    )
