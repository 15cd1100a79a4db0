"""2.3: how Workers AI is paid."""

from .exchanges import CHAT, LLAMA, REST, Exchange, asks, chat, inputs, refusal, rest_refusal, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("2.3", "How Workers AI is paid")
add = SECTION.add
NATIVE = f"POST {{host}}/workers-ai/{LLAMA}"
UNIFIED = {"workers_ai_billing_mode": "unified"}

add(
    "standard-by-default",
    "By default Workers AI does not draw on the credits of Unified Billing.",
    DOCUMENTED,
    asks(NATIVE, inputs(), server="poor", logged={"wholesale": False}),
)
add(
    "unified-draws-on-the-credits",
    "With `workers_ai_billing_mode: unified` it does; without credits that is 402 / 2021.",
    DOCUMENTED,
    asks(NATIVE, inputs(), server="poor", settings=UNIFIED, **refusal(402, 2021)),
)
add(
    "unified-on-rest",
    "On REST too.",
    DOCUMENTED,
    asks(CHAT, chat(LLAMA), REST, server="poor", settings=UNIFIED, **rest_refusal(402, 2021)),
)
add(
    "unified-is-logged",
    "A call that the credits pay is logged as such.",
    OBSERVED,
    asks(NATIVE, inputs(), settings=UNIFIED, logged={"wholesale": True}),
)
add(
    "modes",
    "The modes are `postpaid` and `unified`; another one is refused.",
    GUESS,
    story(
        Exchange(
            "POST {gateways}",
            {
                "id": "{gw}",
                "cache_invalidate_on_update": False,
                "cache_ttl": None,
                "collect_logs": True,
                "rate_limiting_interval": None,
                "rate_limiting_limit": None,
                "workers_ai_billing_mode": "on-the-house",
            },
            REST,
            **rest_refusal(400, 7001),
        )
    ),
)
