"""2.2: calls that pay for themselves (x402)."""

import base64
import json

from .exchanges import CHAT, REST, RUN, asks, chat, rest_refusal, run
from .rule import DOCUMENTED, GUESS
from .s2_2_provider_keys import SECTION

add, rule = SECTION.add, SECTION.rule

X402 = {**REST, "payment-method": "x402"}
PAID = {**X402, "payment-signature": base64.b64encode(b'{"x402Version":2,"payload":{}}').decode()}


def demands(value):
    """A pattern: what is to be paid, as Base64 of a JSON object."""
    return "accepts" in json.loads(base64.b64decode(value))


add(
    "x402-demands-a-payment",
    "`Payment-Method: x402` on `ai/run` is 402 with what is demanded in `PAYMENT-REQUIRED`, in Base64.",
    DOCUMENTED,
    asks(RUN, run(), X402, status=402, fields={"payment-required": demands}),
)
add(
    "x402-is-paid",
    "With `PAYMENT-SIGNATURE` it is answered, past credits and stored keys.",
    DOCUMENTED,
    asks(RUN, run(), PAID, server="poor"),
)
add(
    "x402-is-for-run-alone",
    "Elsewhere it means nothing.",
    DOCUMENTED,
    asks(CHAT, chat(), PAID, server="poor", **rest_refusal(402, 2021)),
)
add(
    "x402-wants-a-signature",
    "What is no signature pays nothing.",
    GUESS,
    asks(RUN, run(), {**X402, "payment-signature": "nothing"}, server="poor", status=402),
)


@rule("x402-stays-at-the-gateway", "Neither header reaches the provider.", GUESS)
def _(world):
    place = world.at()
    assert place.ask(RUN, run(), PAID).status_code == 200
    assert {"payment-method", "payment-signature"}.isdisjoint(place.requests[-1].headers)
