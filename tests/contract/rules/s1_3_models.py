"""1.3: how models are named."""

from .exchanges import CHAT, COMPAT, LLAMA, OPENAI, REST, RUN, asks, chat, inputs, refusal, rest_refusal, run
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "1.3",
    "Model ids",
    "REST writes `author/model`, compat `provider/model`, a provider's own path what the provider calls it.",
)
add = SECTION.add

for name, model, provider in (
    ("openai", "openai/gpt-4.1", "openai"),
    ("anthropic-dotted", "anthropic/claude-haiku-4.5", "anthropic"),
    ("alibaba", "alibaba/qwen3-max", "alibaba"),
    ("minimax", "minimax/m3", "minimax"),
):
    add(
        f"rest-author-{name}",
        f"REST takes `{model}`: an author and a model, versions with dots.",
        DOCUMENTED,
        asks(CHAT, chat(model), REST, logged={"provider": provider}),
    )
for author, slug in (("google", "google-ai-studio"), ("xai", "grok")):
    add(
        f"rest-author-{author}-is-{slug}",
        f"The author `{author}` on REST is the provider `{slug}` elsewhere.",
        DOCUMENTED,
        asks(CHAT, chat(f"{author}/some-model"), REST, logged={"provider": slug}),
    )
add(
    "rest-takes-workers-ai",
    "REST takes `@cf/author/model`.",
    DOCUMENTED,
    asks(CHAT, chat(LLAMA), REST, logged={"provider": "workers-ai", "model": LLAMA}),
)
add(
    "run-takes-workers-ai-in-the-body",
    "So does `ai/run`, in the body.",
    DOCUMENTED,
    asks(RUN, {"model": LLAMA, "input": inputs()}, REST, logged={"provider": "workers-ai", "model": LLAMA}),
)
add(
    "rest-wants-an-author",
    "A model without an author does not exist on REST.",
    OBSERVED,
    asks(CHAT, chat("gpt-5-mini"), REST, **rest_refusal(404, 7003, "Model not found: gpt-5-mini")),
)
add(
    "rest-does-not-know-every-model",
    "A model that REST does not know is 404 / 7003.",
    OBSERVED,
    asks(RUN, run("openai/gpt-0"), REST, server="models", **rest_refusal(404, 7003, "Model not found: openai/gpt-0")),
)

for surface, line, body in (
    ("run", RUN, {"model": "@cf/nobody/model", "input": inputs()}),
    ("run-path", "POST {rest}/run/@cf/nobody/model", inputs()),
    ("chat", CHAT, chat("@cf/nobody/model")),
    ("native", "POST {host}/workers-ai/@cf/nobody/model", inputs()),
    ("compat", COMPAT, chat("workers-ai/@cf/nobody/model")),
):
    add(
        f"workers-ai-does-not-know-every-model-{surface}",
        f"A Workers AI model that does not exist is 400 / 5007, as Workers AI says it: in REST's envelope ({surface}).",
        DOCUMENTED,
        asks(line, body, REST, server="models", **rest_refusal(400, 5007, "No such model @cf/nobody/model or task")),
    )

for slug, model in (
    ("openai", "openai/gpt-5-mini"),
    ("google-ai-studio", "google-ai-studio/gemini-2.5-flash"),
    ("google-vertex-ai", "google-vertex-ai/google/gemini-2.5-pro"),
    ("aws-bedrock", "aws-bedrock/us.anthropic.claude-sonnet-4-v1:0"),
    ("custom-mine", "custom-mine/my-model"),
):
    add(
        f"compat-{slug}",
        f"Compat takes `{model}`: the provider's slug, and the rest is the model.",
        DOCUMENTED,
        asks(COMPAT, chat(model), logged={"provider": slug}),
    )
add(
    "compat-workers-ai",
    "Compat writes Workers AI models with their provider: `workers-ai/@cf/...`.",
    DOCUMENTED,
    asks(COMPAT, chat(f"workers-ai/{LLAMA}"), logged={"provider": "workers-ai", "model": LLAMA}),
)
add(
    "compat-dynamic-route",
    "Compat takes `dynamic/{route}`.",
    DOCUMENTED,
    asks(COMPAT, chat("dynamic/plain"), server="routes", json={"object": "chat.completion"}),
)
add(
    "compat-without-a-prefix",
    "A compat model without a prefix is 2019.",
    OBSERVED,
    asks(COMPAT, chat("gpt-5-mini"), **refusal(400, 2019, "Chat completion bad format")),
)
for author in ("google", "xai", "alibaba", "moonshotai"):
    add(
        f"compat-knows-no-author-{author}",
        f"`{author}` is an author and no provider, so compat refuses it with 2008.",
        OBSERVED,
        asks(COMPAT, chat(f"{author}/some-model"), **refusal(400, 2008, "Invalid provider")),
    )
add(
    "compat-deepseek-is-both",
    "`deepseek` is a provider's slug too, and is taken.",
    DOCUMENTED,
    asks(COMPAT, chat("deepseek/deepseek-chat"), logged={"provider": "deepseek"}),
)
add(
    "native-takes-the-bare-name",
    "A provider's own path takes the model as the provider writes it.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-4o-mini"), logged={"provider": "openai"}),
)
add(
    "logs-name-provider-and-model",
    "Logs name a model `provider/model`, whichever way it was asked for.",
    DOCUMENTED,
    asks(OPENAI, chat("gpt-4o-mini"), logged={"model": "openai/gpt-4o-mini"}),
)
add(
    "logs-name-a-compat-model-the-same",
    "The same model asked on compat has the same name in the log.",
    DOCUMENTED,
    asks(COMPAT, chat("openai/gpt-4o-mini"), logged={"model": "openai/gpt-4o-mini"}),
)
add(
    "logs-name-workers-ai-as-it-is",
    "Logs name Workers AI models `@cf/...`.",
    OBSERVED,
    asks(f"POST {{host}}/workers-ai/{LLAMA}", inputs(), logged={"provider": "workers-ai", "model": LLAMA}),
)
add(
    "the-path-names-workers-ai-models-only",
    "`ai/run/{model}` with another author's model in the path is 404 / 7003.",
    GUESS,
    asks("POST {rest}/run/openai/gpt-5-mini", inputs(), REST, **rest_refusal(404, 7003)),
)
