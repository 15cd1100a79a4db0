"""What handlers do with calls that are over: their logs are read, judges and stores waited for, ratings counted."""

import inspect
import logging
import threading

import pytest
from langchain_core.stores import InMemoryStore

import aigw

NAMED = ["calls", "log_ids", "reconcile", "areconcile", "costs", "acosts"]


class SlowStore(InMemoryStore):
    """A store that writes when it is allowed to."""

    def __init__(self):
        super().__init__()
        self.allowed = threading.Event()

    def mset(self, key_value_pairs):
        assert self.allowed.wait(5)
        super().mset(key_value_pairs)


@pytest.mark.parametrize("method", NAMED)
def test_a_method_names_calls_as_the_framework_does(adapter, method):
    named = list(inspect.signature(getattr(adapter.handler, method)).parameters.values())[1]
    assert (named.name, named.kind, named.default) == (adapter.name_of_calls, named.POSITIONAL_OR_KEYWORD, None)


@pytest.mark.parametrize("method", [*NAMED, "flush", "close", "automatic_counts"])
def test_a_method_says_what_it_does(adapter, method):
    assert inspect.getdoc(getattr(adapter.handler, method))


def test_reading_the_logs_of_one_run_leaves_the_others_alone(adapter, make):
    model = make()
    with adapter.recording() as handler:
        adapter.ask(model)
        adapter.ask(model)
    first, second = handler.calls()
    name = {adapter.name_of_calls: getattr(first, adapter.name_of_calls)}
    (read,) = handler.reconcile(**name, wait=5)
    assert (read.log_id, read.log.id) == (first.log_id, first.log_id)
    assert [call.log is None for call in handler.calls()] == [False, True]
    assert [call.log_id for call in handler.reconcile(wait=5)] == [first.log_id, second.log_id]


async def test_it_is_the_same_in_async_code(adapter, make):
    model = make()
    with adapter.recording() as handler:
        await adapter.aask(model)
    (call,) = handler.calls()
    (read,) = await handler.areconcile(getattr(call, adapter.name_of_calls), wait=5)
    assert (read.log_id, read.log.id) == (call.log_id, call.log_id)
    await model.aclose()


def test_logs_are_read_through_the_handlers_own_client(adapter, make, gateway, http_client, sent):
    client = aigw.AIGateway("acct", "test-token", base_url=gateway.base_url, http_client=http_client)
    with adapter.recording(client=client) as handler:
        adapter.ask(make())
        handler.reconcile(wait=5)
    assert [path.rpartition("/")[2] for path in sent] == handler.log_ids()


def test_nothing_is_reconciled_of_a_name_that_is_not_known(adapter):
    assert adapter.handler().reconcile("unknown") == []
    assert list(adapter.handler().costs("unknown")) == []


def test_a_flush_waits_for_the_judge(adapter, make):
    asked, allowed = threading.Event(), threading.Event()

    def judge(_message, _call):
        asked.set()
        assert allowed.wait(5)
        return 1

    with adapter.recording(judge=judge) as handler:
        adapter.ask(make())
        assert asked.wait(5)
        assert not handler.flush(0)
        allowed.set()
        assert handler.flush(5)
        assert handler.automatic_counts == aigw.RaterCounts(rated=1)


def test_a_flush_waits_for_the_store(adapter, make):
    store = SlowStore()
    with adapter.recording(store=store) as handler:
        adapter.ask(make())
        assert not handler.flush(0)
        store.allowed.set()
        assert handler.flush(5)
    assert store.store


def test_a_closed_handler_records_on_and_judges_no_more(adapter, make, caplog):
    seen, model = [], make()
    with adapter.recording(judge=lambda message, _call: seen.append(message)) as handler:
        adapter.ask(model)
        handler.close(5)
        with caplog.at_level(logging.WARNING, "aigw"):
            adapter.ask(model)
    assert (len(seen), len(handler.calls())) == (1, 2)
    assert "an answer goes unrated" in caplog.text
    assert (handler.automatic_counts.unsaid, handler.automatic_counts.dropped) == (1, 1)


def test_a_handler_without_a_judge_has_nothing_to_wait_for(adapter):
    handler = adapter.handler()
    assert handler.flush(0)
    handler.close()


@pytest.mark.parametrize("judge", [5, "x" * 999, {}])
def test_a_judge_that_cannot_be_called_is_refused(adapter, judge):
    with pytest.raises(ValueError, match="judge cannot be") as raised, adapter.recording(judge=judge):
        pass
    assert len(str(raised.value)) < 600
