"""What can be rated, and what it says of its calls; all of it read without a request."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest

from aigw import APIStatusError, ConfigurationError, GatewayLog, ResolvedLog, ResponseInfo, RunResult, capture_logs
from aigw._capture import current_captures
from aigw._finding._targets import read_target
from aigw.integration import Caller, LoggedCall, RecordedCall

FACTS = {"log_id": "L1", "event_id": "E1", "gateway_id": "g"}
INFO = ResponseInfo(**FACTS)
RUN = UUID(int=7)


def ids(target):
    return [(call.info.log_id, call.info.event_id, call.info.gateway_id) for call in read_target(target).calls]


@pytest.mark.parametrize(
    "target",
    [
        INFO,
        FACTS,
        {"aigw": FACTS},
        ResolvedLog("L1", "g", "E1"),
        LoggedCall(INFO),
        RecordedCall(INFO, Caller("chat", "m")),
        RunResult(output={}, info=INFO),
        APIStatusError("no", status_code=500, info=INFO),
        SimpleNamespace(response_metadata={"aigw": FACTS}, id="run-1"),
        SimpleNamespace(additional_kwargs={"aigw": FACTS}, raw=None),
        SimpleNamespace(raw={"aigw": FACTS}),
        [SimpleNamespace(content="a question"), SimpleNamespace(response_metadata={"aigw": FACTS})],
        {"messages": [SimpleNamespace(content="a question"), SimpleNamespace(response_metadata={"aigw": FACTS})]},
    ],
    ids=lambda target: type(target).__name__,
)
def test_what_comes_of_a_call_says_which_log_it_has(target):
    assert ids(target) == [("L1", "E1", "g")]


def test_a_log_that_was_read_is_meant_itself():
    assert ids(GatewayLog(id="L1", event_id="E1")) == [("L1", "E1", None)]


def test_a_capture_of_the_core_means_its_calls():
    with capture_logs() as logs:
        for captured in current_captures():
            captured.record(INFO)
    assert ids(logs) == [("L1", "E1", "g")]


def test_an_event_id_alone_is_enough():
    assert ids({"event_id": "E1"}) == [(None, "E1", None)]


@pytest.mark.parametrize(
    ("target", "name", "is_event"),
    [
        ("anything", "anything", False),
        (str(RUN), str(RUN), False),
        (RUN, str(RUN), True),
        (SimpleNamespace(id=f"lc_run--{RUN}-0", response_metadata={}), str(RUN), True),
        (SimpleNamespace(id=str(RUN)), str(RUN), True),
    ],
)
def test_an_id_is_looked_for_and_only_a_text_may_be_a_log_id(target, name, is_event):
    wanted = read_target(target)
    assert (wanted.calls, wanted.name, wanted.is_event) == ((), name, is_event)


@pytest.mark.parametrize("target", [5, object(), {}, {"aigw": {}}, SimpleNamespace(id="chatcmpl-1"), b"bytes"])
def test_what_says_nothing_is_refused(target):
    with pytest.raises(ConfigurationError, match="does not tell which call it is of: it says nothing of the gateway"):
        read_target(target)


@pytest.mark.parametrize("target", ["", "  "])
def test_an_empty_id_is_refused(target):
    with pytest.raises(ConfigurationError, match="the id of a log, a run or a span cannot be"):
        read_target(target)


def test_a_list_of_ids_is_refused():
    with pytest.raises(ConfigurationError, match="not ids such as 'L1'"):
        read_target(["L1"])


@pytest.mark.parametrize(
    "target", [{**FACTS, "replayed": True}, RecordedCall(INFO, Caller("chat", "m"), is_replayed=True)]
)
def test_a_replayed_answer_given_by_itself_is_meant_all_the_same(target):
    assert [call.is_replayed for call in read_target(target).calls] == [False]
    assert [call.is_replayed for call in read_target([target]).calls] == [True]
