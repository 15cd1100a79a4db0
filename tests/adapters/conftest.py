"""The two adapters as one: what both do is asked of each, in its framework's words."""

from contextlib import contextmanager

import httpx
import pytest
from llama_index_instrumentation.dispatcher import instrument_tags

import aigw
import langchain_aigw
import llamaindex_aigw
from aigw.local import LocalGateway


class LangChain:
    """Chat models of LangChain."""

    package = langchain_aigw
    handler = langchain_aigw.AIGatewayCallbackHandler
    name_of_calls = "run_id"
    name_of_more = "extra_body"

    def make(self, **fields):
        return langchain_aigw.ChatCloudflareAIGateway(**fields)

    def make_embeddings(self, **fields):
        return langchain_aigw.CloudflareAIGatewayEmbeddings(**fields)

    def ask(self, model, **more):
        return model.invoke("hi", **more)

    def stream(self, model, **more):
        return model.stream("hi", **more)

    async def astream(self, model, **more):
        return model.astream("hi", **more)

    async def aask(self, model, **more):
        return await model.ainvoke("hi", **more)

    @contextmanager
    def knowing(self, model, **known):
        """Give the model in a run that knows this."""
        yield model.with_config(metadata=known)

    @contextmanager
    def recording(self, **settings):
        with self.handler(**settings).attached() as handler:
            yield handler
            handler.close(5)


class LlamaIndex:
    """LLMs of LlamaIndex."""

    package = llamaindex_aigw
    handler = llamaindex_aigw.AIGatewayEventHandler
    name_of_calls = "span_id"
    name_of_more = "additional_kwargs"

    def make(self, **fields):
        return llamaindex_aigw.CloudflareAIGateway(**fields)

    def make_embeddings(self, **fields):
        return llamaindex_aigw.CloudflareAIGatewayEmbedding(**fields)

    def ask(self, model, **more):
        return model.complete("hi", **more)

    def stream(self, model, **more):
        return model.stream_complete("hi", **more)

    async def astream(self, model, **more):
        return await model.astream_complete("hi", **more)

    async def aask(self, model, **more):
        return await model.acomplete("hi", **more)

    @contextmanager
    def knowing(self, model, **known):
        """Give the model in a run that knows this."""
        with instrument_tags(known):
            yield model

    @contextmanager
    def recording(self, **settings):
        handler = self.handler(**settings).attach()
        yield handler
        handler.close(5)
        handler.detach()


ADAPTERS = {"langchain": LangChain, "llamaindex": LlamaIndex}


@pytest.fixture(params=ADAPTERS)
def adapter(request):
    return ADAPTERS[request.param]()


@pytest.fixture
def gateway():
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def client(gateway):
    with aigw.AIGateway("acct", "test-token", base_url=gateway.base_url) as client:
        yield client


@pytest.fixture
def sent():
    """The paths that `http_client` was asked for."""
    return []


@pytest.fixture
def http_client(sent):
    with httpx.Client(event_hooks={"request": [lambda request: sent.append(request.url.path)]}) as http_client:
        yield http_client


@pytest.fixture
def make(adapter, gateway):
    """Make models on the gateway; their sync connections are closed in the end."""
    made = []

    def make(**fields):
        fields = {"model": "openai/gpt-5-mini", "account_id": "acct", "api_token": "test-token", **fields}
        made.append(adapter.make(base_url=gateway.base_url, **fields))
        return made[-1]

    yield make
    for model in made:
        model.close()
