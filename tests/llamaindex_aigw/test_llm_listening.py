"""Events are made when somebody listens, and only then; what is answered is the same."""

import pytest
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import NullEventHandler
from llama_index.core.instrumentation.events.llm import LLMChatStartEvent
from llama_index.core.llms import ChatMessage, MockLLM

from llamaindex_aigw import CloudflareAIGateway
from llamaindex_aigw._listening import is_heard

MESSAGES = [ChatMessage(role="user", content="Hi")]
SOURCE = "llama_index.core.llms.callbacks"


class Listener(NullEventHandler):
    """A handler of somebody's."""


@pytest.fixture
def listening():
    added = []

    def listening(name="root"):
        handler, dispatcher = Listener(), get_dispatcher(name)
        dispatcher.add_event_handler(handler)
        added.append((dispatcher, handler))

    yield listening
    for dispatcher, handler in added:
        dispatcher.event_handlers.remove(handler)


def test_nobody_listens_to_begin_with():
    assert not is_heard(CloudflareAIGateway(model="a/b"))


@pytest.mark.parametrize("name", ["root", SOURCE])
def test_an_event_handler_listens(listening, name):
    listening(name)
    assert is_heard(CloudflareAIGateway(model="a/b"))


def test_a_handler_of_another_dispatcher_does_not(listening):
    listening("somewhere.else")
    assert not is_heard(CloudflareAIGateway(model="a/b"))


def test_a_callback_handler_listens():
    manager = CallbackManager([LlamaDebugHandler(print_trace_on_end=False)])
    assert is_heard(CloudflareAIGateway(model="a/b", callback_manager=manager))


def test_a_rate_limiter_is_asked():
    llm = CloudflareAIGateway(model="a/b")
    if not hasattr(llm, "rate_limiter"):
        pytest.skip("this LlamaIndex limits no rates")
    llm.rate_limiter = object()
    assert is_heard(llm)


async def test_without_a_listener_no_event_is_made(llm, monkeypatch):
    made = []
    monkeypatch.setattr(LLMChatStartEvent, "__init__", lambda self, **_: made.append(self))
    list(llm.stream_chat(MESSAGES))
    assert (await llm.achat(MESSAGES)).message.content
    assert made == []


@pytest.mark.parametrize("method", ["chat", "stream_chat", "complete", "stream_complete"])
def test_an_answer_is_the_same_with_and_without_a_listener(llm, listening, method):
    def answers():
        given = getattr(llm, method)("Hi" if "complete" in method else MESSAGES)
        responses = list(given) if "stream" in method else [given]
        return [response.model_dump(exclude={"raw", "additional_kwargs"}) for response in responses]

    unheard = answers()
    listening()
    assert answers() == unheard


def test_a_method_looks_like_llamaindexs_own():
    assert CloudflareAIGateway.chat.__name__ == MockLLM.chat.__name__ == "chat"
    assert CloudflareAIGateway.astream_complete.__doc__ == "Answer a prompt as the answer comes."
