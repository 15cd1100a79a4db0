"""1.5: bodies that are the gateway's own."""

from .exchanges import REST, RUN, SAY, Exchange, asks, chat, refusal, rest_refusal, run, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section("1.5", "The gateway's own bodies", "`ai/run`, and the steps of the universal endpoint.")
add, rule = SECTION.add, SECTION.rule

UNIVERSAL = "POST {host}"
FAIL = {"aigw-local-fail": "503"}


def step(provider="openai", endpoint="chat/completions", model="gpt-5-mini", **more):
    return {"provider": provider, "endpoint": endpoint, "query": chat(model), **more}


add(
    "run-wants-an-input",
    "`ai/run` without an `input` object is 400 / 7003.",
    OBSERVED,
    asks(RUN, {"model": "openai/gpt-5-mini"}, REST, **rest_refusal(400, 7003)),
)
add(
    "run-says-user-input-error",
    "Its message says that the execution failed for the user's input.",
    OBSERVED,
    asks(
        RUN,
        {"model": "openai/gpt-5-mini", "input": 3},
        REST,
        status=400,
        json={"errors": [{"message": lambda text: text.startswith("Model execution failed (User Input Error): ")}]},
    ),
)
add(
    "run-wants-json",
    "`ai/run` with a body that is no JSON object is 400.",
    GUESS,
    asks(RUN, b"{", REST, **rest_refusal(400, 7003)),
)
add(
    "run-ignores-an-empty-options-object",
    "`options` may be left out or empty.",
    DOCUMENTED,
    asks(RUN, run(options={}), REST),
)
add(
    "run-webhook-wants-background",
    "`options.webhookUrl` without `options.background` is 400.",
    DOCUMENTED,
    asks(RUN, run(options={"webhookUrl": "https://example.com/hook"}), REST, **rest_refusal(400, int)),
)
add(
    "run-webhook-format-wants-a-webhook",
    "`options.webhookFormat` without `options.webhookUrl` is 400.",
    DOCUMENTED,
    asks(RUN, run(options={"background": True, "webhookFormat": "chat"}), REST, **rest_refusal(400, int)),
)
add(
    "universal-step",
    "A step has `provider`, `endpoint`, `headers` and `query`; the query is the provider's body.",
    DOCUMENTED,
    asks(UNIVERSAL, [step(headers={"content-type": "application/json"})], json={"object": "chat.completion"}),
)
add(
    "universal-step-of-anthropic",
    "The answer is the one the provider gives, in its own shape.",
    DOCUMENTED,
    asks(
        UNIVERSAL,
        [{"provider": "anthropic", "endpoint": "v1/messages", "query": chat("claude-haiku-4-5", max_tokens=9)}],
        json={"type": "message"},
    ),
)
add(
    "universal-step-of-workers-ai",
    "A Workers AI step answers in REST's envelope.",
    DOCUMENTED,
    asks(
        UNIVERSAL,
        [{"provider": "workers-ai", "endpoint": "@cf/meta/llama-3.1-8b-instruct", "query": {"prompt": SAY}}],
        json={"success": True, "result": {"response": str}},
    ),
)
add(
    "universal-step-of-compat",
    "`compat` is accepted as a step's provider, with the endpoint `chat/completions`.",
    DOCUMENTED,
    asks(UNIVERSAL, [step("compat", model="openai/gpt-5-mini")], json={"object": "chat.completion"}),
)
add(
    "universal-falls-back",
    "When a step fails the next one is tried, and `cf-aig-step` says which one served.",
    DOCUMENTED,
    asks(UNIVERSAL, [step(headers=FAIL), step(model="gpt-5")], fields={"cf-aig-step": "1"}),
)
add(
    "universal-stops-at-the-first-answer",
    "The first step that answers is the last one asked; its index is 0.",
    DOCUMENTED,
    asks(UNIVERSAL, [step(), step(model="gpt-5")], fields={"cf-aig-step": "0"}),
)
add(
    "universal-takes-a-failing-provider-of-another-kind",
    "Steps may ask different providers.",
    DOCUMENTED,
    asks(
        UNIVERSAL,
        [
            step(headers=FAIL),
            {"provider": "anthropic", "endpoint": "v1/messages", "query": chat("claude-haiku-4-5", max_tokens=9)},
        ],
        json={"type": "message"},
        fields={"cf-aig-step": "1"},
    ),
)


@rule(
    "universal-headers-reach-the-provider",
    "A step's `headers.Authorization` is the provider's key.",
    DOCUMENTED,
)
def _(world):
    place = world.at()
    place.ask(UNIVERSAL, [step(headers={"Authorization": "Bearer provider-key-1"})])
    assert place.requests[-1].headers["authorization"] == "Bearer provider-key-1"


@rule(
    "universal-retries-before-the-next-step",
    "`config.maxAttempts` of a step is used up before the next step is tried.",
    DOCUMENTED,
)
def _(world):
    place = world.at().script(503, 503, "Hello.")
    config = {"maxAttempts": 3, "retryDelay": 0, "backoff": "constant"}
    reply = place.ask(UNIVERSAL, [step(config=config), step(model="gpt-5")])
    assert (reply.headers["cf-aig-step"], len(place.requests)) == ("0", 3)


@rule("universal-without-config-tries-once", "A step without `config` is tried once.", DOCUMENTED)
def _(world):
    place = world.at().script(503, "Hello.")
    reply = place.ask(UNIVERSAL, [step(), step(model="gpt-5")])
    assert (reply.headers["cf-aig-step"], len(place.requests)) == ("1", 2)


@rule(
    "universal-request-timeout-moves-on",
    "`config.requestTimeout` ends a step that does not begin to answer, and the next one is tried.",
    DOCUMENTED,
)
def _(world):
    place = world.at().script({"text": "late", "delay": 400}, "Hello.")
    reply = place.ask(UNIVERSAL, [step(config={"requestTimeout": 60}), step(model="gpt-5")])
    assert (reply.status_code, reply.headers["cf-aig-step"]) == (200, "1")


@rule("universal-step-header-before-request-header", "A step's own header comes before the request's.", DOCUMENTED)
def _(world):
    place = world.at()
    entry = step(headers={"cf-aig-event-id": "of-the-step"})
    reply = place.ask(UNIVERSAL, [entry], {"cf-aig-event-id": "of-the-request"})
    assert reply.headers["cf-aig-event-id"] == "of-the-step"


@rule("universal-request-header-before-gateway-setting", "The request's header comes before the setting.", DOCUMENTED)
def _(world):
    place = world.at(retry_max_attempts=5, retry_delay=0).script(503, "Hello.")
    reply = place.ask(UNIVERSAL, [step()], {"cf-aig-max-attempts": "1"})
    assert (reply.status_code, len(place.requests)) == (503, 1)


@rule("universal-uses-gateway-settings", "The gateway's settings hold where neither says anything.", DOCUMENTED)
def _(world):
    place = world.at(retry_max_attempts=2, retry_delay=0).script(503, "Hello.")
    assert place.ask(UNIVERSAL, [step()]).status_code == 200


@rule("universal-logs-each-step", "Each step has a log, with its index.", GUESS)
def _(world):
    place = world.at()
    place.ask(UNIVERSAL, [step(headers=FAIL), step(model="gpt-5")])
    assert sorted((log["step"], log["success"]) for log in place.logs()) == [(0, False), (1, True)]


add(
    "universal-wants-steps",
    "A universal body that holds no steps is 400.",
    GUESS,
    asks(UNIVERSAL, [], **refusal(400, 2019)),
)
add(
    "universal-step-wants-a-provider",
    "So is a step without `provider` or `endpoint`.",
    GUESS,
    asks(UNIVERSAL, [{"query": chat()}], **refusal(400, 2019)),
)
add(
    "universal-step-of-an-unknown-provider",
    "A step of a provider that does not exist is 400 / 2008.",
    OBSERVED,
    asks(UNIVERSAL, [step("no-such")], **refusal(400, 2008, "Invalid provider")),
)
add(
    "universal-streams",
    "A step whose query asks for a stream is streamed.",
    DOCUMENTED,
    story(
        Exchange(
            UNIVERSAL,
            [{"provider": "openai", "endpoint": "chat/completions", "query": chat("gpt-5-mini", stream=True)}],
            fields={"content-type": lambda value: value.startswith("text/event-stream")},
            text=lambda text: text.endswith("data: [DONE]\n\n"),
        )
    ),
)
