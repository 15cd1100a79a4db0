"""What a shared store is given and asked, and that its failures cost nobody a call."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading

import pytest

from aigw import ConfigurationError, ResponseInfo, SharedLogs
from aigw._finding._shared_logs import decode_logs, encode_logs
from aigw.integration import LoggedCall, SharedWriter


class Batches:
    """A store as LangChain's."""

    def __init__(self):
        self.values = {}
        self.given = []

    def mget(self, keys):
        return [self.values.get(key) for key in keys]

    async def amget(self, keys):
        return self.mget(keys)

    def mset(self, key_value_pairs):
        self.given.append(list(key_value_pairs))
        self.values.update(key_value_pairs)


class Collections:
    """A store as LlamaIndex's."""

    def __init__(self):
        self.values = {}

    def get(self, key, collection="data"):
        return self.values.get((collection, key))

    async def aget(self, key, collection="data"):
        return self.get(key, collection)

    def put(self, key, val, collection="data", ttl=None):
        self.values[collection, key] = {**val, **({"ttl": ttl} if ttl else {})}

    def get_all(self, collection="data"):
        return {key: value for (place, key), value in self.values.items() if place == collection}


class Broken(Batches):
    def mset(self, key_value_pairs):  # noqa: ARG002  the interface's
        raise ConnectionError("redis://user:hunter2@host is gone")

    def mget(self, keys):  # noqa: ARG002  the interface's
        raise ConnectionError("redis://user:hunter2@host is gone")


def call(log_id="L1", event_id="E1", gateway_id="g", kind="chat"):
    return LoggedCall(ResponseInfo(log_id=log_id, event_id=event_id, gateway_id=gateway_id), kind=kind)


def ids(recalled):
    return [(log.info.log_id, log.info.event_id, log.info.gateway_id, log.kind) for log in recalled.logs]


@pytest.mark.parametrize("store", [Batches, Collections])
@pytest.mark.parametrize("name", ["run-1", "Größe.chat 7", "a/../b", "x" * 1000])
async def test_calls_are_remembered_beneath_an_id(store, name):
    shared = SharedLogs(store())
    shared.remember({name: [call(), call("L2", None, None, "embedding")]})

    expected = [("L1", "E1", "g", "chat"), ("L2", None, None, "embedding")]
    assert ids(shared.recall(name)) == expected
    assert ids(await shared.arecall(name)) == expected
    assert shared.recall("another").logs == ()


def test_a_value_is_compact_and_has_a_version():
    store = Batches()
    SharedLogs(store).remember({"run-1": [call(), call("L2", None, None, "embedding")]})

    assert store.values == {
        "aigw-logs-run-1": b'{"v":1,"logs":[{"l":"L1","e":"E1","g":"g"},{"l":"L2","k":"embedding"}]}'
    }


def test_the_ids_of_one_call_are_one_write():
    store = Batches()
    SharedLogs(store).remember({"run-1": [call()], "root-1": [call()]})

    assert len(store.given) == 1


@pytest.mark.parametrize("store", [Batches, Collections])
def test_what_another_process_wrote_of_an_id_is_kept_before_ones_own(store):
    store = store()
    SharedLogs(store).remember({"thread": [call("L1", "E1"), call(None, "E2")]})
    SharedLogs(store).remember({"thread": [call("L2", "E2"), call("L3", "E3")]})
    SharedLogs(store).remember({"thread": [call("L2", "E2"), call("L3", "E3"), call("L4", "E4")]})

    assert [log.info.log_id for log in SharedLogs(store).recall("thread").logs] == ["L1", "L2", "L3", "L4"]


def test_a_value_stays_small_and_keeps_the_newest():
    value = encode_logs([call(f"L{number}", f"E{number}") for number in range(5000)])

    assert len(json.dumps(value, separators=(",", ":"))) <= 8192
    assert value["logs"][-1]["l"] == "L4999"
    assert len(value["logs"]) > 200


def test_ids_out_of_all_proportion_are_left_out():
    assert encode_logs([call("L1", "E" * 300), call(None, "E" * 300)])["logs"] == [{"l": "L1", "g": "g"}]


@pytest.mark.parametrize(
    "value", [None, b"", b"{", "[]", 5, {"v": 2, "logs": []}, {"v": 1, "logs": 5}, {"v": 1, "logs": [5]}]
)
def test_what_something_else_wrote_says_nothing(value):
    assert decode_logs(value) == ()


@pytest.mark.parametrize("store", [{}, object(), "redis://localhost"])
def test_what_is_no_store_is_refused(store):
    with pytest.raises(ConfigurationError, match="BaseStore or LlamaIndex's BaseKVStore"):
        SharedLogs(store)


def test_a_time_to_live_goes_to_a_store_that_takes_one():
    store = Collections()
    SharedLogs(store, ttl=60).remember({"run-1": [call()]})

    assert store.get("aigw-logs-run-1", "aigw_logs")["ttl"] == 60


@pytest.mark.parametrize(("store", "ttl"), [(Batches, 60), (Collections, 0)])
def test_a_time_to_live_that_cannot_be_is_refused(store, ttl):
    with pytest.raises(ConfigurationError, match="ttl cannot be"):
        SharedLogs(store(), ttl=ttl)


def test_a_store_that_fails_is_told_once_and_counted_without_its_words(caplog):
    shared = SharedLogs(Broken())
    with caplog.at_level(logging.WARNING, logger="aigw"):
        shared.remember({"run-1": [call()]})
        recalled = shared.recall("run-1")

    assert (shared.failures, recalled.failure, recalled.logs) == (2, "ConnectionError", ())
    assert caplog.messages == ["the shared store Broken failed (ConnectionError); calls go on"]


def test_its_repr_says_nothing_of_the_store_but_its_class():
    assert repr(SharedLogs(Broken())) == "SharedLogs(Broken)"


def test_a_writer_writes_what_is_known_by_then_once_for_many_changes():
    store, begun, go_on = Batches(), threading.Event(), threading.Event()
    calls = []

    def first():
        begun.set()
        go_on.wait(10)
        return [call("L0")]

    writer = SharedWriter(SharedLogs(store))
    writer.submit({"first": first})
    assert begun.wait(10)
    for number in range(100):
        calls.append(call(f"L{number}"))
        writer.submit({"run-1": lambda: calls})
    assert not writer.flush(0.01)
    go_on.set()

    assert writer.flush(10)
    assert [[key for key, _ in pairs] for pairs in store.given] == [["aigw-logs-first"], ["aigw-logs-run-1"]]
    assert len(SharedLogs(store).recall("run-1").logs) == 100


def test_a_writers_thread_ends_when_there_is_nothing_to_write_and_begins_again(monkeypatch):
    monkeypatch.setattr("aigw._background._IDLE", 0.01)
    store = Batches()
    writer = SharedWriter(SharedLogs(store))
    for name in ("run-1", "run-2"):
        writer.submit({name: lambda: [call()]})
        thread = writer._thread
        assert writer.flush(10)
        if thread is not None:
            thread.join(10)
            assert not thread.is_alive()

    assert len(store.values) == 2


def test_a_writer_that_cannot_keep_up_counts_what_it_drops(monkeypatch, caplog):
    monkeypatch.setattr("aigw._finding._shared_writer._MAX_WAITING", 2)
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        go_on.wait(10)
        return [call()]

    writer = SharedWriter(SharedLogs(Batches()))
    writer.submit({"slow": slow})
    assert begun.wait(10)
    writer.submit({f"run-{number}": lambda: [call()] for number in range(5)})
    go_on.set()

    assert writer.flush(10)
    assert writer.dropped == 3
    assert caplog.text.count("too slow") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which only POSIX has")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_writes_by_a_thread_of_its_own(tmp_path):
    class Folder(Batches):
        def mset(self, key_value_pairs):
            for key, value in key_value_pairs:
                (tmp_path / key).write_bytes(value)

    writer = SharedWriter(SharedLogs(Folder()))
    writer.submit({"parent": lambda: [call()]})
    assert writer.flush(10)
    child = os.fork()
    if not child:
        writer.submit({"child": lambda: [call()]})
        os._exit(0 if writer.flush(10) else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aigw-logs-child", "aigw-logs-parent"]


def test_what_waits_when_the_program_ends_is_written(tmp_path):
    script = f"""
import pathlib, time
from aigw import ResponseInfo
from aigw import SharedLogs
from aigw.integration import LoggedCall, SharedWriter
class Slow:
    def mget(self, keys): return [None] * len(keys)
    async def amget(self, keys): ...
    def mset(self, pairs):
        time.sleep(0.2)
        [pathlib.Path({str(tmp_path)!r}, key).write_bytes(value) for key, value in pairs]
SharedWriter(SharedLogs(Slow())).submit({{"run-1": lambda: [LoggedCall(ResponseInfo(log_id="L1"))]}})
"""
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603  our own script

    assert [path.name for path in tmp_path.iterdir()] == ["aigw-logs-run-1"]
