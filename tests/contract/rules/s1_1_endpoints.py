"""1.1: which URLs there are."""

import re

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, RUN, asks, chat, inputs, refusal, rest_refusal, run
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "1.1",
    "Endpoints",
    "Two hosts: `api.cloudflare.com` (here `/client/v4/accounts/{account}/...`, called REST below) and "
    "`gateway.ai.cloudflare.com` (here `/v1/{account}/{gateway}/...`, called the gateway host).",
)
add = SECTION.add
MODEL_ID = re.compile(r".*gpt-5-mini")

add(
    "rest-run",
    "`POST ai/run` on REST takes the model in the body, beside its `input`.",
    DOCUMENTED,
    asks(RUN, run(), REST, json={"choices": [{"message": {"content": str}}]}),
)
add(
    "rest-chat-completions",
    "`POST ai/v1/chat/completions` on REST speaks OpenAI's chat completions.",
    DOCUMENTED,
    asks(CHAT, chat(), REST, json={"object": "chat.completion", "choices": [{"message": {"content": str}}]}),
)
add(
    "rest-responses",
    "`POST ai/v1/responses` on REST speaks OpenAI's Responses.",
    DOCUMENTED,
    asks(
        "POST {rest}/v1/responses",
        {"model": "openai/gpt-5-mini", "input": "Say hello to {gw}."},
        REST,
        json={"object": "response", "output": list},
    ),
)
add(
    "rest-messages",
    "`POST ai/v1/messages` on REST speaks Anthropic's Messages.",
    DOCUMENTED,
    asks(
        "POST {rest}/v1/messages",
        chat("anthropic/claude-haiku-4.5", max_tokens=50),
        REST,
        json={"type": "message", "role": "assistant", "content": [{"type": "text", "text": str}]},
    ),
)
add(
    "rest-messages-has-no-workers-ai",
    "`ai/v1/messages` does not take `@cf/` models.",
    DOCUMENTED,
    asks("POST {rest}/v1/messages", chat(LLAMA, max_tokens=50), REST, **rest_refusal(400, 7003)),
)
add(
    "rest-embeddings",
    "`POST ai/v1/embeddings` on REST speaks OpenAI's embeddings, for Workers AI models too.",
    DOCUMENTED,
    asks(
        "POST {rest}/v1/embeddings",
        {"model": "@cf/baai/bge-m3", "input": ["one {gw}", "two"]},
        REST,
        json={"object": "list", "data": [{"index": 0, "embedding": list}, {"index": 1, "embedding": list}]},
    ),
)
add(
    "rest-run-with-the-model-in-the-path",
    "`POST ai/run/@cf/{author}/{model}` takes a Workers AI model in the path and its bare inputs as the body.",
    DOCUMENTED,
    asks(f"POST {{rest}}/run/{LLAMA}", inputs(), REST, json={"success": True, "result": {"response": str}}),
)
add(
    "rest-run-path-is-logged-in-the-named-gateway",
    "A Workers AI call on REST goes through the gateway that `cf-aig-gateway-id` names.",
    DOCUMENTED,
    asks(f"POST {{rest}}/run/{LLAMA}", inputs(), REST, logged={"provider": "workers-ai", "model": LLAMA}),
)
add(
    "provider-native",
    "`POST {provider}/{path}` on the gateway host takes what that provider's own API takes.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-5-mini"), json={"object": "chat.completion", "model": MODEL_ID}),
)
add(
    "compat",
    "`POST compat/chat/completions` on the gateway host speaks OpenAI's chat completions to every provider "
    "(deprecated, and still working).",
    DOCUMENTED,
    asks(COMPAT, chat("anthropic/claude-haiku-4-5"), json={"object": "chat.completion"}),
)
add(
    "universal",
    "`POST` to the gateway itself takes an array of steps (deprecated, and still working).",
    DOCUMENTED,
    asks(
        "POST {host}",
        [{"provider": "openai", "endpoint": "chat/completions", "query": chat("gpt-5-mini")}],
        json={"object": "chat.completion"},
        fields={"cf-aig-step": "0"},
    ),
)
add(
    "universal-with-a-slash",
    "The universal URL may end in a slash, as `getUrl()` gives it.",
    DOCUMENTED,
    asks("POST {host}/", [{"provider": "openai", "endpoint": "chat/completions", "query": chat("gpt-5-mini")}]),
)
add(
    "compat-has-no-other-path",
    "Another path below `compat` is refused as a provider that does not exist.",
    OBSERVED,
    asks("POST {host}/compat/models", {}, **refusal(400, 2008, "Invalid provider")),
)
add(
    "management",
    "Gateways, logs and stored keys are managed below `ai-gateway/` on REST.",
    DOCUMENTED,
    asks("GET {manage}", None, REST, json={"success": True, "result": {"id": "{gw}"}}),
)
add(
    "a-path-that-does-not-exist-on-rest",
    "A path that REST does not have is a 404 in REST's envelope.",
    GUESS,
    asks("POST {rest}/v1/nothing", {}, REST, **rest_refusal(404, 7002)),
)
add(
    "a-path-that-does-not-exist-on-the-gateway-host",
    "A path that is no gateway's is a 404 in the gateway's envelope.",
    GUESS,
    asks("GET {host}", **refusal(404, 7002)),
)
add(
    "gateway-run-is-withdrawn",
    "`POST run` on the gateway host was a preview that REST's `ai/run` has replaced; the local gateway answers 501.",
    DOCUMENTED,
    asks("POST {host}/run", run(), **refusal(501, 7000)),
)
UPGRADE = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "eA=="}
for name, line in (("universal", "GET {host}"), ("realtime", "GET {host}/openai?model=gpt-realtime")):
    add(
        f"no-websocket-{name}",
        f"The gateway host has WebSockets ({name}); the local gateway has none, and answers 501.",
        DOCUMENTED,
        asks(line, None, UPGRADE, **refusal(501, 7000)),
    )
