"""1.4: the providers' slugs and paths."""

from aigw._providers import PROVIDERS
from aigw.local._upstreams._native_path import upstream_url

from .exchanges import LLAMA, OPENAI, REST, SAY, Exchange, asks, chat, inputs, refusal, story
from .matching import ABSENT, differences
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "1.4",
    "Providers and their paths",
    "What stands below a provider's slug stands below that provider's own address. In which header a key goes is the "
    "provider's own matter.",
)
add, rule = SECTION.add, SECTION.rule

VERTEX = "v1/projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-pro:generateContent"
PATHS = (
    # the slug, the path below it, the provider's URL, the path at our provider
    ("openai", "chat/completions", "https://api.openai.com/v1/chat/completions", None),
    ("openai", "responses", "https://api.openai.com/v1/responses", None),
    ("openai", "embeddings", "https://api.openai.com/v1/embeddings", None),
    ("anthropic", "v1/messages", "https://api.anthropic.com/v1/messages", None),
    (
        "google-ai-studio",
        "v1beta/models/gemini-2.5-flash:generateContent",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
        None,
    ),
    (
        "google-ai-studio",
        "v1/models/gemini-2.5-flash:generateContent",
        "https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:generateContent",
        None,
    ),
    (
        "google-vertex-ai",
        VERTEX,
        f"https://europe-west1-aiplatform.googleapis.com/{VERTEX}",
        f"/google-vertex-ai/europe-west1/{VERTEX}",
    ),
    (
        "azure-openai",
        "my-resource/my-deployment/chat/completions?api-version=2024-10-21",
        "https://my-resource.openai.azure.com/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
        "/azure-openai/my-resource/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
    ),
    (
        "aws-bedrock",
        "bedrock-runtime/us-east-1/model/amazon.nova-lite-v1:0/invoke",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/invoke",
        "/aws-bedrock/us-east-1/model/amazon.nova-lite-v1:0/invoke",
    ),
    ("grok", "v1/chat/completions", "https://api.x.ai/v1/chat/completions", None),
    ("grok", "v1/responses", "https://api.x.ai/v1/responses", None),
    ("groq", "chat/completions", "https://api.groq.com/openai/v1/chat/completions", None),
    ("mistral", "v1/chat/completions", "https://api.mistral.ai/v1/chat/completions", None),
    ("deepseek", "chat/completions", "https://api.deepseek.com/chat/completions", None),
    ("cerebras", "v1/chat/completions", "https://api.cerebras.ai/v1/chat/completions", None),
    ("cohere", "v2/chat", "https://api.cohere.com/v2/chat", None),
    ("replicate", "v1/predictions", "https://api.replicate.com/v1/predictions", None),
    ("cartesia", "tts/bytes", "https://api.cartesia.ai/tts/bytes", None),
    ("ideogram", "generate", "https://api.ideogram.ai/generate", None),
    ("deepgram", "v1/speak", "https://api.deepgram.com/v1/speak", None),
    ("elevenlabs", "v1/text-to-speech/v1", "https://api.elevenlabs.io/v1/text-to-speech/v1", None),
    ("fal", "fal-ai/fast-sdxl", "https://fal.run/fal-ai/fast-sdxl", None),
    ("openrouter", "v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions", None),
    ("perplexity-ai", "chat/completions", "https://api.perplexity.ai/chat/completions", None),
    ("parallel", "v1beta/search", "https://api.parallel.ai/v1beta/search", None),
    ("huggingface", "bigcode/starcoder", "https://api-inference.huggingface.co/models/bigcode/starcoder", None),
    ("fireworks", "chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions", None),
)


def stands_for(slug, path, url, at_provider):
    """A case: the path goes to the provider's URL, with the provider's key, and is logged under its slug."""
    got = at_provider or f"/{slug}/{path}"
    row = PROVIDERS[slug]
    key = f"{row.key_prefix}own-key-1"
    case = asks(
        f"POST {{host}}/{slug}/{path}",
        {"model": "m", "messages": [{"role": "user", "content": SAY}], "input": SAY, "max_tokens": 9},
        {row.key_header: key, "cf-aig-authorization": "Bearer good-token"},
        server="providers",
        json={
            "method": "POST",
            "path": got,
            "headers": {row.key_header: key, "cf-aig-authorization": ABSENT},
        },
        logged={"provider": slug, "success": True},
    )

    def check(world):
        assert upstream_url(slug, path) == url
        case(world)

    return check


for slug, path, url, at_provider in PATHS:
    name = path.partition("?")[0].split(":")[-1].split("/")[-1]
    twice = [one[0] for one in PATHS].count(slug) > 1
    add(
        f"{slug}-{path.split('/')[0]}-{name}" if twice else slug,
        f"`{slug}/{path}` stands for `{url}`; the key goes in `{PROVIDERS[slug].key_header}`.",
        DOCUMENTED,
        stands_for(slug, path, url, at_provider),
    )

for path, body, expected in (
    (LLAMA, inputs(), {"result": {"response": str}}),
    (f"run/{LLAMA}", inputs(), {"result": {"response": str}}),
    ("v1/chat/completions", chat(LLAMA), {"object": "chat.completion"}),
    ("v1/embeddings", {"model": "@cf/baai/bge-m3", "input": "{gw}"}, {"object": "list"}),
):
    shown = path.replace(LLAMA, "{model}")
    add(
        f"workers-ai-{shown.replace('/', '-').strip('{}').replace('{', '')}",
        f"`workers-ai/{shown}` is a path of Workers AI.",
        DOCUMENTED,
        asks(f"POST {{host}}/workers-ai/{path}", body, json=expected, logged={"provider": "workers-ai"}),
    )

for slug, known in (("baseten", DOCUMENTED), ("adobe-firefly", DOCUMENTED), ("neon", GUESS), ("saladcloud", GUESS)):
    add(
        slug,
        f"`{slug}` is a provider's slug, and what stands below it is that provider's path.",
        known,
        asks(
            f"POST {{host}}/{slug}/v1/anything",
            {"model": "m"},
            server="providers",
            json={"path": f"/{slug}/v1/anything"},
            logged={"provider": slug},
        ),
    )

for slug, path in (
    ("custom-mine", "v1/chat/completions"),
    ("custom-mine", "v2/rerank?top=3&x=a%2Fb"),
    ("custom-custom-ai", "ask"),
):
    add(
        f"{slug}-{path.partition('?')[0].split('/')[-1]}",
        f"`{slug}/{path}` is below the custom provider's base URL, with its query.",
        DOCUMENTED,
        asks(
            f"POST {{host}}/{slug}/{path}",
            chat("m"),
            {"authorization": "Bearer own-key-1"},
            server="providers",
            json={"path": f"/{slug}/{path}", "headers": {"authorization": "Bearer own-key-1"}},
            logged={"provider": slug},
        ),
    )
add(
    "custom-on-compat",
    "Compat asks a custom provider as `custom-{slug}/{model}`.",
    DOCUMENTED,
    asks(
        "POST {host}/compat/chat/completions",
        chat("custom-mine/my-model"),
        server="providers",
        status=200,
        logged={"provider": "custom-mine", "model": "custom-mine/my-model"},
    ),
)
add(
    "an-unknown-provider",
    "Any other slug is 400 / 2008.",
    OBSERVED,
    asks("POST {host}/no-such/v1/chat/completions", chat("m"), **refusal(400, 2008, "Invalid provider")),
)
add(
    "custom-wants-a-name",
    "`custom-` alone is none.",
    GUESS,
    asks("POST {host}/custom-/v1/chat/completions", chat("m"), **refusal(400, 2008)),
)
add(
    "openai-v1-too",
    "`openai/v1/...` is written as well, and means the same.",
    OBSERVED,
    asks(
        "POST {host}/openai/v1/chat/completions",
        chat("m"),
        server="providers",
        json={"path": lambda path: path.endswith("/chat/completions")},
    ),
)


@rule("a-body-passes-as-it-came", "A provider gets the body as it came, to the byte.", DOCUMENTED)
def _(world):
    place = world.at("providers")
    body = place.fill(
        '{"model": "m",   "messages":[{"role":"user","content":"{gw} \\u00e9"}], "unknown_field": [1.50]}'
    )
    headers = {"content-type": "application/json"}
    assert place.ask(OPENAI, body.encode(), headers).json()["body"] == body


@rule("anthropic-version-passes", "`anthropic-version` is the caller's to send, and is passed on.", DOCUMENTED)
def _(world):
    place = world.at("providers")
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "b1", "x-api-key": "own-key-1"}
    reply = place.ask("POST {host}/anthropic/v1/messages", chat("m", max_tokens=9), headers)
    assert not differences(headers, reply.json()["headers"])


@rule("the-gateways-headers-do-not-pass", "No `cf-aig-` header reaches a provider.", DOCUMENTED)
def _(world):
    place = world.at("providers")
    reply = place.ask(OPENAI, chat("m"), {"cf-aig-metadata": '{"a":1}', "cf-aig-event-id": "e", "cf-aig-zdr": "true"})
    assert not [name for name in reply.json()["headers"] if name.startswith("cf-")]


@rule("a-stored-key-goes-in-the-providers-header", "A stored key goes out in the provider's own header.", DOCUMENTED)
def _(world):
    for slug, line, header, value in (
        ("anthropic", "POST {host}/anthropic/v1/messages", "x-api-key", "stored-key-1"),
        ("mistral", "POST {host}/mistral/v1/chat/completions", "authorization", "Bearer stored-key-1"),
    ):
        place = world.at()
        place.store_key(slug, "stored-key-1")
        place.ask(line, chat("m", max_tokens=9))
        assert place.requests[-1].headers[header] == value


@rule("other-methods-pass", "A provider's own path takes any method.", DOCUMENTED)
def _(world):
    place = world.at("providers")
    reply = place.ask("GET {host}/openai/files?limit=2", headers={"authorization": "Bearer own-key-1"})
    assert (reply.json()["method"], reply.json()["path"]) == ("GET", "/openai/files?limit=2")


add(
    "a-path-of-another-shape-has-a-log",
    "A call of a shape that is not a chat is logged as well.",
    DOCUMENTED,
    story(
        Exchange("POST {host}/elevenlabs/v1/text-to-speech/v1", {"text": SAY}, {"xi-api-key": "k"}),
        Exchange("GET {manage}/logs", None, REST, json={"result": [{"provider": "elevenlabs", "success": True}]}),
        server="providers",
    ),
)
for slug in (
    "anthropic",
    "google-ai-studio",
    "groq",
    "mistral",
    "cohere",
    "perplexity-ai",
    "workers-ai",
    "deepseek",
    "cerebras",
    "grok",
    "google-vertex-ai",
    "baseten",
    "parallel",
    "aws-bedrock",
):
    add(
        f"compat-has-{slug}",
        f"Compat has `{slug}`.",
        DOCUMENTED,
        asks("POST {host}/compat/chat/completions", chat(f"{slug}/some-model"), logged={"provider": slug}),
    )
for slug, line, body in (
    (
        "google",
        "POST {host}/google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": SAY}]}]},
    ),
    (
        "bedrock",
        "POST {host}/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1:0/converse",
        {"messages": [{"role": "user", "content": [{"text": SAY}]}]},
    ),
    ("cohere", "POST {host}/cohere/v2/chat", {"model": "command-a", "messages": [{"role": "user", "content": SAY}]}),
):
    shape = {
        "google": {"candidates": [{"content": {"parts": [{"text": "Hello."}]}}]},
        "bedrock": {"output": {"message": {"content": [{"text": "Hello."}]}}},
        "cohere": {"message": {"content": [{"type": "text", "text": "Hello."}]}},
    }[slug]
    add(
        f"{slug}-answers-in-its-own-shape",
        f"On {slug.capitalize()}'s own path the answer has {slug.capitalize()}'s own shape.",
        DOCUMENTED,
        asks(line, body, json=shape),
    )
add(
    "a-shape-that-nobody-speaks",
    "A path of a shape that no chat has needs the provider itself; where it is not there, the answer is 501.",
    GUESS,
    asks("POST {host}/elevenlabs/v1/text-to-speech/v1", {"text": SAY}, **refusal(501, 7000)),
)
