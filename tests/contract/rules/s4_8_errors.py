"""4.8: error bodies, to the letter."""

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, RUN, Exchange, asks, chat, inputs, run, story
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "4.8",
    "Errors",
    "The gateway host has an envelope with `error` (singular, an array), REST one with `errors`. A provider's own "
    "error is passed on as it is.",
)
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
KEYS = ["success", "result", "messages", "error", "name", "httpCode", "internalCode", "message", "description"]


def exactly(body):
    """A pattern: that body and nothing else."""

    def equals(actual):
        return actual == body

    return equals


def envelope(status, code, message):
    return {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": code, "message": message}],
        "name": "AiGatewayError",
        "httpCode": status,
        "internalCode": code,
        "message": message,
        "description": message,
    }


def rest_envelope(code, message):
    return {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}


RATE = {"rate_limiting_limit": 1, "rate_limiting_interval": 60}
SPEND = {
    "spend_limits": {"enabled": True, "rules": [{"id": "r", "limitType": "cost", "limit": 1, "window": 60}]},
}
FIRST = Exchange(OPENAI, NATIVE, {"cf-aig-custom-cost": '{"total_cost":2}'})
NO_KEY = "Customer-provided provider credentials are required for this request"

for code, status, message, known, extra in (
    (2001, 400, "Please configure AI Gateway in the Cloudflare dashboard", OBSERVED, {"server": "known"}),
    (2003, 429, "Rate limited", OBSERVED, {"settings": RATE, "before": FIRST}),
    (2005, 400, "Failed to get response from provider", OBSERVED, {"script": ({"drop": True},)}),
    (2009, 401, "Unauthorized", OBSERVED, {"server": "tokens"}),
    (2018, 429, "Wholesale Rate limited", OBSERVED, {"server": "unified-limit", "before": FIRST}),
    (2044, 400, NO_KEY, OBSERVED, {"settings": {"byok_only": True}}),
):
    before = (extra["before"],) * (2 if code == 2018 else 1) if "before" in extra else ()
    more = {name: value for name, value in extra.items() if name != "before"}
    add(
        f"{code}",
        f"{code} is {status}, “{message}”.",
        known,
        story(*before, Exchange(OPENAI, NATIVE, status=status, json=exactly(envelope(status, code, message))), **more),
    )
add(
    "2008",
    "2008 is 400, “Invalid provider”.",
    OBSERVED,
    asks(
        "POST {host}/no-such/v1/chat/completions",
        NATIVE,
        status=400,
        json=exactly(envelope(400, 2008, "Invalid provider")),
    ),
)
add(
    "2019",
    "2019 is “Chat completion bad format”; its status is not told, 400 here.",
    OBSERVED,
    asks(COMPAT, NATIVE, status=400, json=exactly(envelope(400, 2019, "Chat completion bad format"))),
)
add(
    "2016",
    "2016 is 424, a prompt that guardrails block.",
    DOCUMENTED,
    asks(
        OPENAI,
        chat("gpt-5-mini", "unsafe-s1 {gw}"),
        settings={"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}},
        status=424,
        json={"name": "AiGatewayError", "internalCode": 2016, "error": [{"code": 2016}], "httpCode": 424},
    ),
)
add(
    "2017",
    "2017 is 424, an answer that they block.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        script=("unsafe-s1",),
        settings={"guardrails": {"prompt": {}, "response": {"S1": "BLOCK"}}},
        status=424,
        json={"name": "AiGatewayError", "internalCode": 2017, "error": [{"code": 2017}], "httpCode": 424},
    ),
)
add(
    "2021",
    "2021 is 402, no credits.",
    OBSERVED,
    asks(
        OPENAI,
        NATIVE,
        server="poor",
        status=402,
        json={
            "internalCode": 2021,
            "httpCode": 402,
            "message": lambda text: text.startswith("Insufficient wholesale credits"),
        },
    ),
)
add(
    "2021-on-run",
    "On `ai/run` its message begins with “Insufficient balance”.",
    OBSERVED,
    asks(
        RUN,
        run(),
        REST,
        server="poor",
        status=402,
        json=exactly(rest_envelope(2021, "Insufficient balance; add money to your gateway or use BYOK")),
    ),
)
for code, body, script in (
    (2029, chat("gpt-5-mini", "dlp-test {gw}"), ()),
    (2030, NATIVE, ("dlp-test",)),
):
    word = {2029: "Request", 2030: "Response"}[code]
    message = f"{word} content blocked due to DLP policy violations"
    add(
        f"{code}",
        f"{code} is “{message}”; its status is not told, 400 here.",
        DOCUMENTED,
        asks(
            OPENAI,
            body,
            settings={"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["test"]}},
            script=script,
            status=400,
            json=exactly(envelope(400, code, message)),
        ),
    )
add(
    "dlp-status-is-a-switch",
    "A switch gives DLP's blocks another status, in the answer and in `httpCode`.",
    GUESS,
    asks(
        OPENAI,
        chat("gpt-5-mini", "dlp-test {gw}"),
        server="dlp-403",
        settings={"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["test"]}},
        status=403,
        json={"httpCode": 403, "internalCode": 2029},
    ),
)
add(
    "2040",
    "2040 is 400, an alias that is not stored.",
    OBSERVED,
    story(
        Exchange("POST {manage}/provider_configs", {"provider_slug": "openai", "secret": "a-secret-1"}, REST),
        Exchange(
            OPENAI,
            NATIVE,
            {"cf-aig-byok-alias": "a"},
            status=400,
            json=exactly(
                envelope(400, 2040, "Provider 'openai' has no BYOK credential named 'a'. Configured aliases: default")
            ),
        ),
    ),
)
for code, server in ((2041, "open"), (2045, "spend-2045")):
    add(
        f"{code}",
        f"{code} is 429, a spend limit.",
        OBSERVED,
        story(
            FIRST,
            Exchange(
                OPENAI,
                NATIVE,
                status=429,
                json=exactly(
                    envelope(
                        429,
                        code,
                        "Spend limit exceeded: rule 'r' (cost limit 1 per 60s, fixed) for openai gpt-5-mini",
                    )
                ),
            ),
            server=server,
            settings=SPEND,
        ),
    )
add(
    "7003-model",
    "7003 is 404, a model that does not exist.",
    OBSERVED,
    asks(
        RUN,
        run("openai/gpt-0"),
        REST,
        server="models",
        status=404,
        json=exactly(rest_envelope(7003, "Model not found: openai/gpt-0")),
    ),
)
add(
    "7003-before-billing",
    "That is found out before anybody looks at credits.",
    OBSERVED,
    asks(RUN, {"model": "nobody", "input": {}}, REST, server="poor", status=404, json={"errors": [{"code": 7003}]}),
)
add(
    "7003-input",
    "7003 is 400 too, an input that cannot be run; found out before billing as well.",
    OBSERVED,
    asks(RUN, {"model": "openai/gpt-5-mini"}, REST, server="poor", status=400, json={"errors": [{"code": 7003}]}),
)
add(
    "7013",
    "7013 is 503, guardrails that are out of service.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        server="guardrails-down",
        settings={"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}},
        status=503,
        json={"internalCode": 7013, "httpCode": 503},
    ),
)
add(
    "7001",
    "7001 is 400, a value that the management API does not take.",
    OBSERVED,
    asks(
        "GET {manage}/logs?order_by=beauty", None, REST, status=400, json={"success": False, "errors": [{"code": 7001}]}
    ),
)
add(
    "7002",
    "7002 is 404, something the management API does not find.",
    OBSERVED,
    asks("GET {manage}/logs/no-such", None, REST, status=404, json={"success": False, "errors": [{"code": 7002}]}),
)
add(
    "10000",
    "10000 is 401, a token that is wrong.",
    OBSERVED,
    asks(
        CHAT, chat(), {"authorization": "Bearer bad"}, server="tokens", status=401, json={"errors": [{"code": 10000}]}
    ),
)
add(
    "9106",
    "9106 is 400, a token that is missing or malformed.",
    OBSERVED,
    asks(CHAT, chat(), server="tokens", status=400, json={"errors": [{"code": 9106}]}),
)


def keys_in_order(world):
    reply = world.at("poor").ask(OPENAI, NATIVE)
    assert list(reply.json()) == KEYS
    assert reply.headers["content-type"].startswith("application/json")


add(
    "the-gateways-envelope",
    "The gateway host's envelope has these fields: " + ", ".join(f"`{key}`" for key in KEYS) + ".",
    OBSERVED,
    keys_in_order,
)
add(
    "rests-envelope",
    "REST's has `result`, `success`, `errors` and `messages`.",
    OBSERVED,
    asks(
        "GET {manage}/logs/no-such",
        None,
        REST,
        status=404,
        json=exactly(rest_envelope(7002, "Log not found")),
    ),
)
for name, line, body, answer in (
    (
        "openai",
        OPENAI,
        NATIVE,
        {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "x"}},
    ),
    ("compat", COMPAT, chat(), {"error": {"message": "no", "type": "t", "param": None, "code": None}}),
):
    add(
        f"a-providers-error-{name}",
        f"A provider's error is passed on to the letter ({name}).",
        OBSERVED,
        asks(line, body, script=({"status": 422, "json": answer},), status=422, json=exactly(answer)),
    )
add(
    "a-providers-error-in-anthropics-shape",
    "On Anthropic's path an error has Anthropic's shape.",
    OBSERVED,
    asks(
        "POST {host}/anthropic/v1/messages",
        chat("claude-haiku-4-5", max_tokens=9),
        script=(401,),
        status=401,
        json={"type": "error", "error": {"type": str, "message": str}},
    ),
)
for status, code, meaning in (
    (403, 5018, "not allowed"),
    (405, 5019, "not supported"),
    (408, 3007, "timed out"),
    (413, 3006, "too large"),
    (429, 3040, "no capacity"),
):
    add(
        f"workers-ai-{code}",
        f"A Workers AI error with {status} ({meaning}) has a code of Workers AI's own, {code}, in REST's envelope.",
        DOCUMENTED,
        asks(
            f"POST {{rest}}/run/{LLAMA}",
            inputs(),
            REST,
            script=(status,),
            status=status,
            json={"success": False, "errors": [{"code": code, "message": str}], "result": None},
        ),
    )
