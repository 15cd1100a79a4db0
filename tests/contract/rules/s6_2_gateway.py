"""6.2: `env.AI.gateway(id)`, and what our client gives in its place."""

import pytest

import aigw

from .exchanges import SAY
from .rule import DOCUMENTED, OBSERVED, Section

SECTION = Section("6.2", "`env.AI.gateway(id)` in Python")
add, rule = SECTION.add, SECTION.rule


def step(place, **more):
    query = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": place.fill(SAY)}]}
    return {"provider": "openai", "endpoint": "chat/completions", "query": query, **more}


@rule("run-takes-one-step", "`run` takes one step as well as several; one is sent as an array.", DOCUMENTED)
def _(world):
    place = world.at()
    result = place.client().gateway().run(step(place))
    assert (result.info.step, result["choices"][0]["message"]["content"]) == (0, "Hello.")


@rule("run-falls-back", "`run` says which step served.", DOCUMENTED)
def _(world):
    place = world.at().script(500, "Hello.")
    assert place.client().gateway().run([step(place), step(place)]).info.step == 1


@rule(
    "run-writes-header-values-as-text",
    "Header values of a step that are no text are written as the runtime does.",
    DOCUMENTED,
)
def _(world):
    place = world.at()
    headers = {"x-flag": True, "x-number": 3, "x-object": {"a": [1]}, "x-text": "as it is"}
    place.client().gateway().run(step(place, headers=headers))
    got = {name: value.replace(" ", "") for name, value in place.requests[-1].headers.items()}
    assert (got["x-flag"], got["x-number"], got["x-object"], got["x-text"]) == ("true", "3", '{"a":[1]}', "asitis")


for option, value, header, text in (
    ("skip_cache", True, "cf-aig-skip-cache", "true"),
    ("skip_cache", False, "cf-aig-skip-cache", "false"),
    ("cache_ttl", 60, "cf-aig-cache-ttl", "60"),
    ("cache_ttl", 0, "cf-aig-cache-ttl", "0"),
    ("cache_key", "k", "cf-aig-cache-key", "k"),
    ("metadata", {"a": 1}, "cf-aig-metadata", '{"a":1}'),
    ("collect_log", False, "cf-aig-collect-log", "false"),
    ("event_id", "evt", "cf-aig-event-id", "evt"),
    ("request_timeout_ms", 9000, "cf-aig-request-timeout", "9000"),
    ("retries", {"max_attempts": 2}, "cf-aig-max-attempts", "2"),
    ("retries", {"retry_delay_ms": 5}, "cf-aig-retry-delay", "5"),
    ("retries", {"backoff": "linear"}, "cf-aig-backoff", "linear"),
    ("byok_alias", "default", "cf-aig-byok-alias", "default"),
    ("zdr", True, "cf-aig-zdr", "true"),
):

    def written(world, option=option, value=value, header=header, text=text):
        place = world.at()
        place.client().gateway().run(step(place), options={option: value})
        assert place.requests[-1].headers[header].replace(" ", "") == text

    add(
        f"option-{option.replace('_', '-')}-{text.strip('{}').replace(chr(34), '').replace(':', '-')}-to-{header}",
        f"`run` writes `{option}` {value!r} as `{header}: {text}`"
        + (", which the runtime would drop." if value == 0 and option == "cache_ttl" else "."),
        DOCUMENTED,
        written,
    )


@rule("get-log", "`get_log` gives the log, with a time as a time.", DOCUMENTED)
def _(world):
    place = world.at()
    gateway = place.client().gateway()
    result = gateway.run(step(place))
    log = gateway.get_log(result.info.log_id)
    assert (log.id, log.provider, log.created_at.tzinfo is not None) == (result.info.log_id, "openai", True)


@rule("get-log-not-found", "A 404 of `get_log` is a `LogNotFoundError`.", DOCUMENTED)
def _(world):
    with pytest.raises(aigw.LogNotFoundError, match="Log not found"):
        world.at().client().gateway().get_log("no-such")


@rule("get-log-other-errors", "Another error of `get_log` is not.", DOCUMENTED)
def _(world):
    with pytest.raises(aigw.AuthenticationError) as caught:
        world.at("tokens").client(api_token="bad").gateway().get_log("no-such")
    assert caught.value.code == 10000


@rule("patch-log-gives-nothing", "`patch_log` gives nothing back.", DOCUMENTED)
def _(world):
    place = world.at()
    gateway = place.client().gateway()
    result = gateway.run(step(place))
    assert gateway.patch_log(result.info.log_id, feedback=1) is None


@rule("patch-log-not-found", "A 404 of `patch_log` is a `LogNotFoundError` too.", DOCUMENTED)
def _(world):
    with pytest.raises(aigw.LogNotFoundError):
        world.at().client().gateway().patch_log("no-such", feedback=1)


for name, provider, tail in (
    ("no-provider", None, "/"),
    ("a-provider", "openai", "/openai"),
    ("compat", "compat", "/compat"),
):

    def url(world, provider=provider, tail=tail):
        place = world.at()
        assert place.client().gateway().get_url(provider).endswith(f"/v1/acct/{place.id}{tail}")

    slash = "ends in a slash" if provider is None else "ends in it, without a slash"
    add(f"get-url-{name}", f"`get_url({provider or ''})` {slash}.", DOCUMENTED, url)


@rule("get-url-is-the-gateways", "It is the address that the management API tells.", DOCUMENTED)
def _(world):
    place = world.at()
    told = place.ask("GET {manage}/url/openai", headers={"authorization": "Bearer good-token"}).json()["result"]
    assert told == place.client().gateway().get_url("openai")


@rule("a-402-of-run-has-a-log-id", "A 402 of `gateway(...).run` has a log id.", OBSERVED)
def _(world):
    place = world.at("poor")
    with pytest.raises(aigw.PaymentRequiredError) as caught:
        place.client().gateway().run(step(place))
    assert caught.value.log_id == place.logs()[0]["id"]
