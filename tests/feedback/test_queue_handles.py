"""What a queue takes: whatever names calls, and ids that only the gateway can make something of."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest

from aigw import AIGateway, ConfigurationError, GatewayLog, ResponseInfo
from aigw._finding._targets import ResolvedLog
from aigw._rating._feedback import LoggedCall
from aigw.feedback import FeedbackQueue
from aigw.feedback._rows import Target
from aigw.feedback._targets import targets_of

from .faulty import ACCOUNT

INFO = ResponseInfo(log_id="l1", event_id="e1", gateway_id="other")
LOG = Target("other", "log", "l1", "e1")
RUN = uuid4()
FACTS = {"log_id": "l1", "event_id": "e1", "gateway_id": "other"}


def call(log_id, kind="chat", event_id=None):
    return LoggedCall(ResponseInfo(log_id=log_id, event_id=event_id), kind=kind)


KNOWN = {
    "facts": (INFO, LOG),
    "what has facts": (SimpleNamespace(info=INFO), LOG),
    "a LangChain message": (SimpleNamespace(response_metadata={"aigw": FACTS}), LOG),
    "a LlamaIndex response": (SimpleNamespace(additional_kwargs={"aigw": FACTS}), LOG),
    "a dict of facts": (FACTS, LOG),
    "a state of messages": ({"messages": [SimpleNamespace(response_metadata={"aigw": FACTS})]}, LOG),
    "a call": (LoggedCall(INFO), LOG),
    "a found log": (ResolvedLog("l1", "other", "e1"), LOG),
    "a log": (GatewayLog(id="l1", event_id="e1"), Target("mine", "log", "l1", "e1")),
    "facts without a log id": (ResponseInfo(event_id="e1"), Target("mine", "event", "e1")),
    "an id": ("x", Target("mine", "either", "x")),
    "a run's id": (RUN, Target("mine", "event", str(RUN))),
    "a message that lost its facts": (SimpleNamespace(id=f"lc_run--{RUN}"), Target("mine", "event", str(RUN))),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_queue_takes(name):
    handle, target = KNOWN[name]
    assert targets_of(handle, "last", "mine") == [target]


def test_of_several_calls_the_last_chat_is_meant_or_all():
    calls = [call("l1"), call("l2"), call("l3", kind="embedding")]
    assert [target.name for target in targets_of(calls, "last", "mine")] == ["l2"]
    assert [target.name for target in targets_of(calls, "all", "mine")] == ["l1", "l2", "l3"]


class Memory:
    def find_calls(self, name):
        return [call("l1"), call("l2")] if name == "run" else []

    def latest_calls(self):
        return [call("l9")]

    def newest_call(self):
        return None


def test_a_run_that_is_remembered_is_looked_for_nowhere_else():
    assert [target.name for target in targets_of("run", "all", "mine", Memory())] == ["l1", "l2"]
    assert targets_of("other", "all", "mine", Memory()) == [Target("mine", "either", "other", is_for_all=True)]
    assert [target.name for target in targets_of(None, "last", "mine", Memory())] == ["l9"]


@pytest.mark.parametrize("handle", [None, "", " ", 3, {}, []])
def test_what_means_no_call_is_refused(handle):
    with pytest.raises(ConfigurationError):
        targets_of(handle, "last", "mine")


@pytest.fixture
def client(aigw_local):
    with AIGateway(ACCOUNT, "token", "gw", base_url=aigw_local.base_url) as client:
        yield client


def ask(client, **gateway):
    return client.run("@cf/meta/llama-3.1-8b-instruct", {"prompt": "Hi"}, gateway=gateway).info


def test_the_logs_of_a_thread_are_found_in_a_process_that_made_no_call(client):
    logs = [ask(client, metadata={"thread_id": "t-1"}).log_id for _ in range(3)]
    ask(client, metadata={"thread_id": "t-2"})
    with FeedbackQueue(client) as queue:
        queue.feedback("t-1", -1, which="all")
        queue.feedback("t-1", 1)
        assert queue.flush(10)
    rated = {log.id: log.feedback for log in client.gateway().iter_logs() if log.feedback is not None}
    assert rated == {logs[0]: -1, logs[1]: -1, logs[2]: 1}


def test_the_log_of_an_event_is_found_in_a_process_that_made_no_call(client):
    log_id = ask(client, event_id=str(RUN)).log_id
    with FeedbackQueue(client) as queue:
        queue.feedback(RUN, -1)
        assert queue.flush(10)
    assert client.gateway().get_log(log_id).feedback == -1
