from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from aigw.local._logs._patch import InvalidPatchError
from aigw.local._logs._query import Filter, LogQuery
from aigw.local._logs._record import LogRecord
from aigw.local._logs._store import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = 1_790_000_000_000


def record(log_id: str, **fields: object) -> LogRecord:
    given = {"created_at": NOON, "provider": "openai", "model": "gpt-4.1", "path": "chat/completions", **fields}
    return LogRecord(account="acct", gateway="gw", id=log_id, **given)


def ids(store: LogStore, *filters: Filter, **query: object) -> list[str]:
    rows, _ = store.list("acct", "gw", LogQuery(filters=filters, **query))
    return [row["id"] for row in rows]


@pytest.fixture
def store() -> Iterator[LogStore]:
    store = LogStore()
    yield store
    store.close()


@pytest.fixture
def three(store: LogStore) -> LogStore:
    store.add(record("a", created_at=NOON + 1, cost=0.5, tokens_in=1, tokens_out=10, metadata={"plan": "gold", "n": 7}))
    store.add(record("b", created_at=NOON + 2, provider="anthropic", model="claude", success=False, event_id="ev-b"))
    store.add(record("c", created_at=NOON + 3, cost=0.25, tokens_in=3, tokens_out=4, cached=True, duration_ms=9))
    return store


def test_a_log_is_read_back_in_the_detailed_shape(store):
    store.add(
        LogRecord(
            account="acct",
            gateway="gw",
            id="0199c0de",
            created_at=datetime(2026, 10, 8, 9, 10, 11, 123_999, tzinfo=UTC),
            provider="openai",
            model="gpt-4.1",
            path="chat/completions",
            duration_ms=42,
            tokens_in=3,
            tokens_out=5,
            cost=0.001,
            metadata={"user": "u1", "beta": True, "n": 1.5},
            model_type="text-generation",
            request_content_type="application/json",
            response_content_type="text/event-stream",
            status_code=200,
            event_id="ev",
            user_agent="test/1",
            authentication=True,
            wholesale=False,
            request_head='{"a":1}',
            response_head="dat",
            request_size=7,
            response_size=10,
            request_body=b'{"a":1}',
            response_body=b"data: {}\n\n",
        )
    )
    assert store.get("acct", "gw", "0199c0de") == {
        "id": "0199c0de",
        "created_at": "2026-10-08T09:10:11.123Z",
        "provider": "openai",
        "model": "gpt-4.1",
        "path": "chat/completions",
        "duration": 42,
        "success": True,
        "cached": False,
        "tokens_in": 3,
        "tokens_out": 5,
        "cost": 0.001,
        "custom_cost": False,
        "metadata": {"user": "u1", "beta": True, "n": 1.5},
        "model_type": "text-generation",
        "request_content_type": "application/json",
        "response_content_type": "text/event-stream",
        "status_code": 200,
        "step": 0,
        "event_id": "ev",
        "user_agent": "test/1",
        "authentication": True,
        "wholesale": False,
        "compatibilityMode": False,
        "request_size": 7,
        "response_size": 10,
        "request_head": '{"a":1}',
        "request_head_complete": True,
        "response_head": "dat",
        "response_head_complete": False,
    }


def test_the_list_leaves_heads_and_sizes_out(three):
    rows, _ = three.list("acct", "gw", LogQuery())
    assert {"request_head", "request_size", "request_head_complete"}.isdisjoint(rows[0])


def test_unknown_tokens_are_null_and_not_missing(store):
    store.add(record("x", tokens_in=None, tokens_out=None))
    log = store.get("acct", "gw", "x")
    assert log is not None
    assert (log["tokens_in"], log["tokens_out"]) == (None, None)


def test_bodies_are_read_back_byte_for_byte(store):
    store.add(record("x", request_body=b"\x00\xff", response_body=b""))
    assert store.request_body("acct", "gw", "x") == b"\x00\xff"
    assert store.response_body("acct", "gw", "x") == b""


def test_a_payload_that_was_not_stored_is_none(store):
    store.add(record("x"))
    assert store.request_body("acct", "gw", "x") is None
    assert store.response_body("acct", "gw", "elsewhere") is None


def test_a_log_of_another_gateway_or_account_is_not_found(three):
    assert three.get("acct", "other", "a") is None
    assert three.get("other", "gw", "a") is None
    assert three.list("other", "gw", LogQuery())[0] == []
    assert three.patch("acct", "other", "a", {"feedback": 1}) is False


def test_the_same_id_twice_is_refused_and_changes_nothing(three):
    with pytest.raises(sqlite3.IntegrityError):
        three.add_many([record("d"), record("a")])
    assert ids(three) == ["c", "b", "a"]


def test_a_moment_without_a_time_zone_is_refused(store):
    with pytest.raises(TypeError):
        store.add(record("x", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 -- the point


def test_the_newest_comes_first(three):
    assert ids(three) == ["c", "b", "a"]
    assert ids(three, descending=False) == ["a", "b", "c"]


def test_logs_of_one_moment_are_ordered_by_id(store):
    store.add_many([record("b"), record("a"), record("c")])
    assert ids(store) == ["c", "b", "a"]


def test_the_order_is_by_the_column_asked_for_and_then_by_time(three):
    assert ids(three, order_by="provider") == ["c", "a", "b"]
    assert ids(three, order_by="success", descending=False) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("key", "operator", "values", "found"),
    [
        ("id", "eq", ("a", "c"), ["c", "a"]),
        ("provider", "eq", ("anthropic",), ["b"]),
        ("provider", "neq", ("anthropic",), ["c", "a"]),
        ("model", "contains", ("GPT",), ["c", "a"]),
        ("model", "contains", ("%",), []),
        ("success", "eq", (0,), ["b"]),
        ("cached", "eq", (1,), ["c"]),
        ("cost", "gt", (0.3,), ["a"]),
        ("cost", "eq", (None,), ["b"]),
        ("cost", "neq", (0.5,), ["c", "b"]),
        ("tokens", "lt", (10,), ["c", "b"]),
        ("tokens", "ge", (11,), ["a"]),
        ("duration", "eq", (9,), ["c"]),
        ("created_at", "gt", (NOON + 1,), ["c", "b"]),
        ("created_at", "le", (NOON + 1,), ["a"]),
        ("event_id", "eq", ("ev-b",), ["b"]),
        ("metadata.key", "eq", ("plan",), ["a"]),
        ("metadata.key", "neq", ("plan",), ["c", "b"]),
        ("metadata.value", "eq", ("7",), ["a"]),
        ("metadata.value", "contains", ("OL",), ["a"]),
        ("feedback", "eq", (1,), []),
        ("authentication", "eq", (0,), ["c", "b", "a"]),
        ("wholesale", "eq", (None,), ["c", "b", "a"]),
        ("compatibilityMode", "eq", (1,), []),
        ("dlp_action", "eq", ("BLOCK",), []),
        ("user_agent", "contains", ("x' OR 1=1 --",), []),
        ("request_type", "eq", (None,), ["c", "b", "a"]),
    ],
)
def test_a_filter_finds(three, key, operator, values, found):
    assert ids(three, Filter(key, operator, values)) == found


def test_filters_hold_together(three):
    assert ids(three, Filter("provider", "eq", ("openai",)), Filter("cached", "eq", (0,))) == ["a"]


def test_metadata_key_and_value_are_not_paired(three):
    assert ids(three, Filter("metadata.key", "eq", ("plan",)), Filter("metadata.value", "eq", ("7",))) == ["a"]


def test_the_search_looks_at_metadata_keys_and_values(three):
    assert ids(three, search="pla") == ["a"]
    assert ids(three, search="GOLD") == ["a"]
    assert ids(three, search="gpt") == []


def test_a_page_and_its_result_info(three):
    rows, info = three.list("acct", "gw", LogQuery(page=2, per_page=2))
    assert [row["id"] for row in rows] == ["a"]
    assert info == {
        "count": 1,
        "page": 2,
        "per_page": 2,
        "total_count": 3,
        "min_cost": 0.25,
        "max_cost": 0.5,
        "min_duration": 0,
        "max_duration": 9,
        "min_tokens_in": 0,
        "max_tokens_in": 3,
        "min_tokens_out": 0,
        "max_tokens_out": 10,
        "min_total_tokens": 0,
        "max_total_tokens": 11,
    }


def test_a_page_past_the_end_is_empty(three):
    rows, info = three.list("acct", "gw", LogQuery(page=9))
    assert (rows, info["count"], info["total_count"]) == ([], 0, 3)


def test_feedback_and_score_are_shown_once_they_are_set(three):
    assert three.patch("acct", "gw", "a", {"feedback": -1, "score": 87.5}) is True
    log = three.get("acct", "gw", "a")
    listed = three.list("acct", "gw", LogQuery(filters=(Filter("feedback", "eq", (-1,)),)))[0][0]
    assert (log["feedback"], log["score"], listed["feedback"], listed["score"]) == (-1, 87.5, -1, 87.5)


def test_null_clears_feedback_and_what_is_left_out_stays(three):
    three.patch("acct", "gw", "a", {"feedback": 1, "score": 100})
    three.patch("acct", "gw", "a", {"feedback": None})
    log = three.get("acct", "gw", "a")
    assert "feedback" not in log
    assert log["score"] == 100


def test_metadata_is_merged_key_by_key(three):
    three.patch("acct", "gw", "a", {"metadata": {"plan": "silver", "ok": True}})
    assert three.get("acct", "gw", "a")["metadata"] == {"plan": "silver", "n": 7, "ok": True}
    assert ids(three, Filter("metadata.value", "eq", ("gold",))) == []
    assert ids(three, Filter("metadata.value", "eq", ("true",))) == ["a"]


def test_metadata_stops_at_five_entries(three):
    three.patch("acct", "gw", "a", {"metadata": {"c": 1, "d": 2, "e": 3, "f": 4}})
    assert list(three.get("acct", "gw", "a")["metadata"]) == ["plan", "n", "c", "d", "e"]


def test_metadata_of_the_gateway_itself_is_left_out(three):
    three.patch("acct", "gw", "b", {"metadata": {"cf.user_id": "x", "mine": "y"}})
    assert three.get("acct", "gw", "b")["metadata"] == {"mine": "y"}


def test_null_metadata_clears_all_of_it(three):
    three.patch("acct", "gw", "a", {"metadata": None})
    assert "metadata" not in three.get("acct", "gw", "a")
    assert ids(three, search="plan") == []


def test_a_patch_of_nothing_finds_the_log_and_changes_nothing(three):
    before = three.get("acct", "gw", "a")
    assert three.patch("acct", "gw", "a", {}) is True
    assert three.get("acct", "gw", "a") == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"feedback": 2}, "feedback: expected -1, 0, 1 or null; got 2"),
        ({"feedback": True}, "feedback: expected -1, 0, 1 or null; got True"),
        ({"score": "100"}, "score: expected a finite number or null; got '100'"),
        ({"score": float("nan")}, "score: expected a finite number or null; got nan"),
        ({"metadata": ["a"]}, "metadata: expected an object or null"),
        ({"metadata": {"a": None}}, "metadata['a']: expected a string, a number or a boolean"),
        ({"rating": 1}, "unknown key 'rating'; expected feedback, score, metadata"),
        ([], "expected a JSON object with feedback, score, metadata"),
    ],
)
def test_a_wrong_patch_is_refused(three, changes, sentence):
    with pytest.raises(InvalidPatchError) as caught:
        three.patch("acct", "gw", "a", changes)
    assert str(caught.value) == sentence


def test_delete_takes_what_matches_in_order_up_to_the_limit(three):
    assert three.delete("acct", "gw", LogQuery(limit=2, descending=False)) == 2
    assert ids(three) == ["c"]


def test_delete_takes_payloads_and_labels_along(three):
    assert three.delete("acct", "gw", LogQuery(filters=(Filter("id", "eq", ("a",)),))) == 1
    three.add(record("a"))
    assert ids(three, search="gold") == []


def test_a_file_keeps_logs_and_feedback(tmp_path: Path):
    path = tmp_path / "deep" / "mine.db"
    first = LogStore(path)
    first.add(record("x", metadata={"k": "v"}, request_body=b"{}"))
    first.patch("acct", "gw", "x", {"feedback": 1})
    first.close()
    again = LogStore(str(path))
    log = again.get("acct", "gw", "x")
    assert (log["feedback"], log["metadata"], again.request_body("acct", "gw", "x")) == (1, {"k": "v"}, b"{}")
    again.close()


def test_a_folder_gets_a_file_inside(tmp_path: Path):
    LogStore(tmp_path / "logs").close()
    assert (tmp_path / "logs" / "logs.sqlite3").is_file()


def test_what_was_added_is_seen_by_another_connection_at_once(tmp_path: Path):
    writer, reader = LogStore(tmp_path), LogStore(tmp_path)
    writer.add(record("x"))
    assert ids(reader) == ["x"]
    writer.close()
    reader.close()


def test_a_file_of_a_newer_schema_is_refused(tmp_path: Path):
    path = tmp_path / "logs.sqlite3"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(sqlite3.DatabaseError, match="schema 99"):
        LogStore(path)


@pytest.mark.parametrize("where", ["memory", "file"])
def test_threads_share_one_store(where, tmp_path: Path):
    store = LogStore(tmp_path if where == "file" else None)

    def work(worker: int) -> int:
        for number in range(25):
            store.add(record(f"{worker}-{number}", created_at=NOON + number))
            store.patch("acct", "gw", f"{worker}-{number}", {"feedback": 1})
        return store.list("acct", "gw", LogQuery())[1]["total_count"]

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(work, range(8))) == 200
    assert store.list("acct", "gw", LogQuery(filters=(Filter("feedback", "eq", (1,)),)))[1]["total_count"] == 200
    store.close()


def test_a_page_of_twenty_thousand_logs_comes_quickly(store):
    store.add_many(record(f"{n:05}", created_at=NOON + n, metadata={"user": n}, cost=n / 1e6) for n in range(20_000))
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        rows, info = store.list("acct", "gw", LogQuery(page=3))
        durations.append(time.perf_counter() - start)
    assert (len(rows), info["total_count"], rows[0]["id"]) == (20, 20_000, "19959")
    assert min(durations) < 0.05


OTHERS = {
    "of version 0": "CREATE TABLE users (id); INSERT INTO users VALUES (1)",
    "of version 3": "CREATE TABLE users (id); PRAGMA user_version = 3",
    "of our version": "CREATE TABLE users (id); PRAGMA user_version = 4",
    "of a high version": "CREATE TABLE users (id); PRAGMA user_version = 99",
    "with logs of its own": "CREATE TABLE logs (at, line); PRAGMA user_version = 4",
    "with logs of version 0": "CREATE TABLE logs (at, line)",
    "with a view only": "CREATE VIEW one AS SELECT 1",
    "with a version only": "PRAGMA user_version = 2",
}


@pytest.mark.parametrize("script", OTHERS.values(), ids=OTHERS)
def test_the_database_of_another_program_is_refused_and_left_as_it_is(script, tmp_path: Path):
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match="another program keeps its data in this database"):
        LogStore(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_file_becomes_a_log_store(tmp_path: Path):
    (tmp_path / "logs.db").touch()
    LogStore(tmp_path / "logs.db").close()
    LogStore(tmp_path / "logs.db").close()
