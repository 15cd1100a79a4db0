"""4.5: guardrails."""

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, RUN, asks, chat, refusal, rest_refusal
from .matching import ABSENT
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("4.5", "Guardrails", "The local gateway's words for a hazard: `unsafe-s1` stands for category S1.")
add = SECTION.add

BAD = "Tell {gw} of unsafe-s1 please."
PROMPT = {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}
RESPONSE = {"guardrails": {"prompt": {}, "response": {"S1": "BLOCK"}}}
FLAG = {"guardrails": {"prompt": {"S1": "FLAG"}, "response": {"S1": "FLAG"}}}
UNSAFE = ("unsafe-s1 it is",)


def as_run(**expected):
    return asks(
        RUN, {"model": "openai/gpt-5-mini", "input": {"messages": chat(text=BAD)["messages"]}}, REST, **expected
    )


add(
    "prompt-blocked-native",
    "A blocked prompt is 424 / 2016 on the gateway host.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini", BAD), settings=PROMPT, **refusal(424, 2016)),
)
add(
    "prompt-blocked-compat",
    "On compat too.",
    DOCUMENTED,
    asks(COMPAT, chat(text=BAD), settings=PROMPT, **refusal(424, 2016)),
)
add(
    "prompt-blocked-run",
    "On `ai/run` it is 422 / 2017.",
    DOCUMENTED,
    as_run(settings=PROMPT, **rest_refusal(422, 2017)),
)
add(
    "prompt-blocked-run-with-the-model-in-the-path",
    "So it is with the model in the path.",
    DOCUMENTED,
    asks(
        f"POST {{rest}}/run/{LLAMA}",
        {"messages": chat(text=BAD)["messages"]},
        REST,
        settings=PROMPT,
        **rest_refusal(422, 2017),
    ),
)
add(
    "prompt-blocked-rest-chat",
    "On `ai/v1/...` it is 424 / 2016.",
    GUESS,
    asks(CHAT, chat(text=BAD), REST, settings=PROMPT, **rest_refusal(424, 2016)),
)
add(
    "response-blocked-native",
    "A blocked answer is 424 / 2017 on the gateway host.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini"), settings=RESPONSE, script=UNSAFE, **refusal(424, 2017)),
)
add(
    "response-blocked-run",
    "On `ai/run` it is 422 / 2017.",
    DOCUMENTED,
    as_run(settings=RESPONSE, script=UNSAFE, **rest_refusal(422, 2017)),
)
add(
    "no-credits-for-the-scan",
    "Without credits the scan is 402 / 2021.",
    DOCUMENTED,
    asks(
        OPENAI,
        chat("gpt-5-mini"),
        {"authorization": "Bearer sk-own"},
        server="poor",
        settings=PROMPT,
        **refusal(402, 2021),
    ),
)
add(
    "no-credits-for-the-scan-run",
    "On `ai/run` too.",
    DOCUMENTED,
    as_run(server="poor", settings=PROMPT, **rest_refusal(402, 2021)),
)
add(
    "service-down",
    "When the service is down and something may be blocked, it is 503 / 7013.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini"), server="guardrails-down", settings=PROMPT, **refusal(503, 7013)),
)
add(
    "service-down-run",
    "On `ai/run` too.",
    DOCUMENTED,
    as_run(server="guardrails-down", settings=PROMPT, **rest_refusal(503, 7013)),
)
add(
    "service-down-with-flags-only",
    "Where things are flagged only, the call goes on.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini"), server="guardrails-down", settings=FLAG),
)
add(
    "a-flag-lets-pass",
    "A flag lets prompt and answer pass.",
    DOCUMENTED,
    asks(
        OPENAI, chat("gpt-5-mini", BAD), settings=FLAG, script=UNSAFE, json={"choices": [{"message": {"content": str}}]}
    ),
)
add(
    "another-category",
    "A category without a rule is not looked at.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini", BAD), settings={"guardrails": {"prompt": {"S2": "BLOCK"}, "response": {}}}),
)
for category in ("S13", "P1"):
    add(
        f"category-{category.lower()}",
        f"`{category}` is a category.",
        DOCUMENTED,
        asks(
            OPENAI,
            chat("gpt-5-mini", f"unsafe-{category.lower()} {{gw}}"),
            settings={"guardrails": {"prompt": {category: "BLOCK"}, "response": {}}},
            **refusal(424, 2016),
        ),
    )
add(
    "a-streams-prompt-is-checked",
    "The prompt of a stream is checked like any other.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini", BAD, stream=True), settings=PROMPT, **refusal(424, 2016)),
)
add(
    "a-stream-becomes-one-body",
    "On the gateway host a stream whose answer is checked comes back as one body that is no stream.",
    DOCUMENTED,
    asks(
        OPENAI,
        chat("gpt-5-mini", stream=True),
        settings=RESPONSE,
        fields={"content-type": lambda value: value.startswith("application/json")},
        json={"object": "chat.completion"},
    ),
)
add(
    "a-stream-is-blocked-on-the-gateway-host",
    "There it is blocked like any other.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini", stream=True), settings=RESPONSE, script=UNSAFE, **refusal(424, 2017)),
)
add(
    "a-stream-passes-on-rest",
    "On REST a stream's answer is not held back.",
    DOCUMENTED,
    asks(
        CHAT,
        chat(stream=True),
        REST,
        settings=RESPONSE,
        script=UNSAFE,
        fields={"content-type": lambda value: value.startswith("text/event-stream")},
        text=lambda text: "unsafe-s1" in text,
    ),
)
add(
    "a-blocked-call-is-logged",
    "A blocked call is logged.",
    OBSERVED,
    asks(
        OPENAI,
        chat("gpt-5-mini", BAD),
        settings=PROMPT,
        status=424,
        logged={"success": False, "status_code": 424},
    ),
)


def not_asked(world):
    place = world.at(**PROMPT).script("fine")
    place.ask(OPENAI, chat("gpt-5-mini", BAD))
    assert place.requests == []


add("a-blocked-prompt-is-not-sent", "A blocked prompt does not reach the provider.", DOCUMENTED, not_asked)
add(
    "off-by-default",
    "Without rules nothing is looked at.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini", BAD), fields={"cf-aig-dlp": ABSENT}),
)
