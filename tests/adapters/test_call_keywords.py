"""What a model takes and a call does not: refused before any request, and before anybody is told its value."""

import asyncio
import re

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableBinding

import aigw

SECRET = "sk-of-a-call-alone"
OF_A_MODEL = [
    "account_id", "api_key", "api_token", "base_url", "extra_headers", "gateway_id", "http_async_client", "http_client",
    "max_retries", "provider_key", "request_timeout", "timeout",
]  # fmt: skip


class Tracer(BaseCallbackHandler):
    """Keeps all that LangChain tells of calls."""

    run_inline = True

    def __init__(self):
        self.told = []

    def on_chat_model_start(self, *args, **kwargs):
        self.told.append((args, kwargs))

    def on_llm_error(self, *args, **kwargs):
        self.told.append((args, kwargs))


@pytest.mark.parametrize("name", OF_A_MODEL)
def test_what_connects_a_model_is_refused_with_a_call(adapter, make, gateway, name):
    model = make()
    message = f"^{name} cannot be given with a call: make another {type(model).__name__} with it$"
    with pytest.raises(aigw.ConfigurationError, match=message):
        adapter.ask(model, **{name: SECRET})
    assert gateway.requests == []


@pytest.mark.parametrize("name", ["provider_key", "gateway"])
def test_streams_and_async_calls_refuse_it_too(adapter, make, gateway, name):
    with pytest.raises(aigw.ConfigurationError, match=f"{name} cannot be given"):
        list(adapter.stream(make(), **{name: SECRET}))
    with pytest.raises(aigw.ConfigurationError, match=f"{name} cannot be given"):
        asyncio.run(adapter.aask(make(), **{name: SECRET}))
    assert gateway.requests == []


def test_what_is_none_of_a_calls_is_refused_as_none_too(adapter, make):
    with pytest.raises(aigw.ConfigurationError, match="provider_key cannot be given"):
        adapter.ask(make(), provider_key=None)


def test_gateway_is_told_its_right_name(adapter, make):
    with pytest.raises(aigw.ConfigurationError, match=re.escape("did you mean gateway_options?")):
        adapter.ask(make(), gateway={"skip_cache": True})


def test_a_providers_parameter_of_such_a_name_can_be_sent(adapter, make, gateway):
    more = {adapter.name_of_more: {"timeout": 5, "gateway": "theirs"}}
    adapter.ask(make(**more))
    assert {name: gateway.requests[-1].body[name] for name in ("timeout", "gateway")} == {
        "timeout": 5,
        "gateway": "theirs",
    }


WAYS = {
    "invoke": lambda model, **config: model.invoke("hi", config, provider_key=SECRET),
    "stream": lambda model, **config: list(model.stream("hi", config, provider_key=SECRET)),
    "batch": lambda model, **config: model.batch(["hi", "ho"], config, provider_key=SECRET),
    "generate": lambda model, **config: model.generate_prompt(
        [model._convert_input("hi")], provider_key=SECRET, **config
    ),
    "binding": lambda model, **config: RunnableBinding(bound=model, kwargs={"provider_key": SECRET}).invoke(
        "hi", config
    ),
    "structured": lambda model, **config: model.with_structured_output(None, method="json_mode").invoke(
        "hi", config, provider_key=SECRET
    ),
    "ainvoke": lambda model, **config: asyncio.run(model.ainvoke("hi", config, provider_key=SECRET)),
    "astream": lambda model, **config: asyncio.run(anext(model.astream("hi", config, provider_key=SECRET))),
    "abatch": lambda model, **config: asyncio.run(model.abatch(["hi"], config, provider_key=SECRET)),
}


@pytest.mark.parametrize("adapter", ["langchain"], indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_no_tracer_hears_of_it(make, gateway, way):
    tracer = Tracer()
    with pytest.raises(aigw.ConfigurationError, match="provider_key") as caught:
        WAYS[way](make(), callbacks=[tracer])
    assert SECRET not in str(caught.value)
    assert tracer.told == []
    assert gateway.requests == []


@pytest.mark.parametrize("adapter", ["langchain"], indirect=True)
def test_it_is_refused_where_it_is_bound(make):
    model = make()
    bindings = [
        model.bind,
        model.bind(stop=["x"]).bind,
        lambda **more: model.bind_tools([], **more),
        lambda **more: model.with_structured_output(None, method="json_mode", **more),
        model.with_config(tags=["x"]).bind,
        model.with_retry().bind,
    ]
    for bind in bindings:
        with pytest.raises(aigw.ConfigurationError, match="make another ChatCloudflareAIGateway with it"):
            bind(provider_key=SECRET)


@pytest.mark.parametrize("adapter", ["langchain"], indirect=True)
def test_the_model_called_past_langchain_refuses_it_too(make):
    with pytest.raises(aigw.ConfigurationError, match="provider_key cannot be given"):
        make()._generate([], provider_key=SECRET)
