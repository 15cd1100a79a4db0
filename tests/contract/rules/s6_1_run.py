"""6.1: `env.AI.run`, and what our client gives in its place."""

import json

import pytest

import aigw

from .exchanges import LLAMA, SAY
from .rule import DOCUMENTED, GUESS, OBSERVED, Section

SECTION = Section(
    "6.1",
    "`env.AI.run` in Python",
    "The Workers runtime has an AI binding; our client is that binding for Python, over REST.",
)
add, rule = SECTION.add, SECTION.rule


def prompt(place):
    return {"prompt": place.fill(SAY)}


def messages(place):
    return {"messages": [{"role": "user", "content": place.fill(SAY)}]}


@rule("run-gives-the-unwrapped-result", "`run` gives the result without the envelope.", DOCUMENTED)
def _(world):
    place = world.at()
    assert place.client().run(LLAMA, prompt(place))["response"] == "Hello."


@rule("run-of-another-provider", "`run` takes another provider's model, in its own shape.", DOCUMENTED)
def _(world):
    place = world.at()
    result = place.client().run("openai/gpt-5-mini", messages(place))
    assert result["choices"][0]["message"]["content"] == "Hello."


@rule("run-embeds", "`run` of an embedding model gives `shape` and `data`.", OBSERVED)
def _(world):
    place = world.at()
    result = place.client().run("@cf/baai/bge-m3", {"text": [place.id, "two"]})
    assert result["shape"] == [2, len(result["data"][0])]


@rule(
    "options-go-into-headers",
    "The options of `gateway` go into headers: REST does not read them in the body.",
    DOCUMENTED,
)
def _(world):
    place = world.at()
    place.client().run(LLAMA, prompt(place), gateway={"cache_key": "k", "metadata": {"a": 1}})
    request = place.requests[-1]
    assert json.loads(request.headers["cf-aig-metadata"]) == {"a": 1}
    assert "gateway" not in request.body


@rule("log-id-of-the-last-call", "`log_id` is that of the last call, as `aiGatewayLogId` is.", DOCUMENTED)
def _(world):
    place = world.at()
    client = place.client()
    first = client.run(LLAMA, prompt(place))
    assert client.log_id == first.info.log_id
    second = client.run(LLAMA, prompt(place))
    assert client.log_id == second.info.log_id != first.info.log_id


@rule("log-id-is-none-without-a-log", "It is none after a call without a log.", DOCUMENTED)
def _(world):
    place = world.at()
    client = place.client()
    client.run(LLAMA, prompt(place))
    client.run(LLAMA, prompt(place), gateway={"collect_log": False})
    assert client.log_id is None


@rule("log-id-is-none-after-a-402", "And after a 402 of `ai/run`, which names none.", OBSERVED)
def _(world):
    place = world.at("poor")
    client = place.client()
    with pytest.raises(aigw.PaymentRequiredError):
        client.run("openai/gpt-5-mini", messages(place))
    assert client.log_id is None


@rule("run-raises-code-and-message", "A refusal is an error with the code, the status and the message.", DOCUMENTED)
def _(world):
    place = world.at("models")
    with pytest.raises(aigw.ModelNotFoundError) as caught:
        place.client().run("openai/gpt-0", messages(place))
    assert (caught.value.code, caught.value.status_code) == (7003, 404)
    assert "Model not found: openai/gpt-0" in caught.value.message


@rule("run-raises-the-internal-code", "The gateway's `internalCode` is the error's code.", DOCUMENTED)
def _(world):
    place = world.at("known")
    with pytest.raises(aigw.GatewayNotFoundError) as caught:
        place.client(provider_key="k").chat({"model": "openai/gpt-5-mini", **messages(place)})
    assert caught.value.code == 2001


@rule("stream-run-gives-events", "A stream is given event by event; its log id is there before the first.", DOCUMENTED)
def _(world):
    place = world.at()
    with place.client().stream_run(LLAMA, prompt(place)) as stream:
        log_id = stream.info.log_id
        words = [event.get("response", "") for event in stream]
    assert log_id == place.logs()[0]["id"]
    assert "".join(words) == "Hello."


@rule("json-with-a-charset-is-json", "An answer with `application/json; charset=utf-8` is JSON to our client.", GUESS)
def _(world):
    place = world.at().script({"text": "Hello.", "headers": {"content-type": "application/json; charset=utf-8"}})
    assert place.client().run("openai/gpt-5-mini", messages(place))["choices"][0]["message"]["content"] == "Hello."


for name, option, value in (
    ("id", "id", "no spaces"),
    ("max-attempts", "retries", {"max_attempts": 6}),
    ("backoff", "retries", {"backoff": "random"}),
    ("cache-ttl", "cache_ttl", 59),
    ("request-timeout", "request_timeout_ms", 0),
    ("retry-delay", "retries", {"retry_delay_ms": 60_001}),
):

    def refused(world, option=option, value=value):
        place = world.at()
        with pytest.raises(aigw.ConfigurationError, match=option):
            place.client().run(LLAMA, prompt(place), gateway={option: value})
        assert place.requests == []

    add(
        f"client-refuses-{name}",
        f"Our client refuses `{option}` {json.dumps(value)} before anything is sent.",
        DOCUMENTED,
        refused,
    )


@rule(
    "client-knows-the-bindings-names", "An option in the binding's spelling is refused with the right name.", DOCUMENTED
)
def _(world):
    place = world.at()
    for wrong, right in (("skipCache", "skip_cache"), ("cacheTtl", "cache_ttl"), ("collectLog", "collect_log")):
        with pytest.raises(aigw.ConfigurationError, match=right):
            place.client().run(LLAMA, prompt(place), gateway={wrong: True})
