"""How the handler is attached, what LlamaIndex makes for it, and what of it stays when things go wrong."""

import contextvars
import logging
import subprocess
import sys
import threading

import pytest
from llama_index.core.instrumentation.events.llm import LLMChatStartEvent
from llama_index.core.llms import ChatMessage
from llama_index_instrumentation import get_dispatcher

from llamaindex_aigw import AIGatewayEventHandler, CloudflareAIGateway
from llamaindex_aigw._listening import is_heard
from llamaindex_aigw._spans import SpanWatcher, watched_spans

HELLO = [ChatMessage(role="user", content="Hello")]


class Curious(AIGatewayEventHandler):
    """A handler of somebody's who looks at everything."""

    def handle(self, event, **_):
        super().handle(event)


@pytest.fixture
def attached():
    handlers = []

    def attached(kind=AIGatewayEventHandler, **settings):
        handlers.append(kind(**settings).attach())
        return handlers[-1]

    yield attached
    for handler in handlers:
        handler.close(5)
        handler.detach()


def is_watched():
    return any(isinstance(watcher, SpanWatcher) for watcher in get_dispatcher().span_handlers)


def test_for_a_handler_that_only_records_llamaindex_makes_no_events_of_answers(attached, llm, monkeypatch):
    handler, made = attached(), []
    monkeypatch.setattr(LLMChatStartEvent, "__init__", lambda self, **_: made.append(self))
    list(llm.stream_chat(HELLO))
    assert made == []
    assert len(handler.log_ids()) == 1


@pytest.mark.parametrize("settings", [{"automatic": True}, {"judge": lambda *_: None}, {"kind": Curious}])
def test_for_a_handler_that_wants_answers_they_are_made(attached, settings):
    assert not is_heard(CloudflareAIGateway(model="a/b"))
    attached(**settings)
    assert is_heard(CloudflareAIGateway(model="a/b"))


def test_handlers_attached_in_many_threads_at_once_are_all_attached_once():
    before = list(get_dispatcher().event_handlers)
    handlers = [AIGatewayEventHandler() for _ in range(8)]
    for change in ("attach", "detach"):
        threads = [threading.Thread(target=getattr(handler, change)) for handler in handlers * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        added = [handler for handler in get_dispatcher().event_handlers if handler not in before]
        assert sorted(map(id, added)) == (sorted(map(id, handlers)) if change == "attach" else [])
        assert is_watched() == (change == "attach")


def test_an_error_at_the_end_of_a_span_is_logged_and_the_call_goes_on(attached, llm, monkeypatch, caplog):
    handler = attached(automatic={"tool": -1})

    def fail(*_):
        raise RuntimeError("no such tool")

    monkeypatch.setattr(handler._occasions, "span_ended", fail)
    with caplog.at_level(logging.ERROR, logger="llamaindex_aigw"):
        assert llm.chat(HELLO).message.content
    assert "no such tool" in caplog.text


def test_spans_are_watched_no_longer_when_a_block_ends_in_another_context():
    block = watched_spans()
    contextvars.copy_context().run(block.__enter__)
    assert is_watched()
    block.__exit__(None, None, None)
    assert not is_watched()


def test_a_model_class_is_imported_without_an_http_library():
    code = "import sys; from llamaindex_aigw import CloudflareAIGateway; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 our own
