"""How much of the log is kept, how fast it is read when it is long, and what a sudden end leaves."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from aigw.local import LocalGateway
from aigw.local._logs._query import Filter, LogQuery
from aigw.local._logs._record import LogRecord
from aigw.local._logs._retain import Retain
from aigw.local._logs._schema import SCHEMA
from aigw.local._logs._store import LogStore
from aigw.local._logs._values import OFTEN

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_790_000_000_000
HOUR = 3_600_000


def record(log_id: str, **fields: object) -> LogRecord:
    given = {"created_at": NOON, "provider": "openai", "model": "m", "path": "chat/completions", **fields}
    return LogRecord(account="acct", gateway=str(given.pop("gateway", "gw")), id=log_id, **given)


def ids(store: LogStore, gateway: str = "gw", **query: object) -> list[str]:
    return [row["id"] for row in store.list("acct", gateway, LogQuery(**query))[0]]


@pytest.mark.parametrize(
    ("wish", "retain"),
    [
        (None, None),
        (1000, Retain(count=1000)),
        ("1000", Retain(count=1000)),
        ("90s", Retain(age_ms=90_000)),
        ("12h", Retain(age_ms=12 * HOUR)),
        ("7d", Retain(age_ms=168 * HOUR)),
        ("2w", Retain(age_ms=336 * HOUR)),
    ],
)
def test_a_wish_is_a_number_or_an_age(wish, retain):
    assert Retain.read(wish) == retain


@pytest.mark.parametrize("wish", [0, -1, "0d", "7 days", "", "week"])
def test_another_wish_is_refused(wish):
    with pytest.raises(ValueError, match="retain: expected"):
        LocalGateway(retain=wish)


def test_the_newest_logs_of_all_gateways_are_kept():
    store = LogStore(retain=Retain(count=3))
    for number in range(4):
        store.add(record(f"a{number}", created_at=NOON + number))
    store.add(record("b", gateway="other"))
    assert (ids(store), ids(store, "other")) == (["a3", "a2"], ["b"])
    assert store.list("acct", "gw", LogQuery())[1]["total_count"] == 2
    store.close()


def test_payloads_and_labels_of_a_trimmed_log_go_with_it():
    store = LogStore(retain=Retain(count=1))
    store.add(record("a", metadata={"user": "x"}, request_body=b"{}"))
    store.add(record("b"))
    counts = [store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("payloads", "labels")]  # noqa: S608 -- constants
    assert counts == [1, 0]
    store.close()


def test_a_batch_is_a_twentieth():
    store = LogStore(retain=Retain(count=40))
    for number in range(81):
        store.add(record(f"{number:02}", created_at=NOON + number))
    assert store.list("acct", "gw", LogQuery())[1]["total_count"] in (40, 41, 42)
    store.close()


def test_logs_beyond_an_age_go_when_a_new_one_comes():
    store = LogStore(retain=Retain(age_ms=HOUR))
    now = time.time_ns() // 1_000_000
    store.add(record("old", created_at=now))
    store.add(record("middle", created_at=now + HOUR // 2))
    store.add(record("new", created_at=now + HOUR + 60_000))
    assert ids(store) == ["new", "middle"]
    store.close()


def test_logs_beyond_an_age_go_when_the_file_is_opened(tmp_path: Path):
    store = LogStore(tmp_path)
    store.add(record("old", created_at=1))
    store.add(record("new", created_at=time.time_ns() // 1_000_000))
    store.close()
    store = LogStore(tmp_path, Retain(age_ms=HOUR))
    assert ids(store) == ["new"]
    store.close()


def test_the_gateway_keeps_what_it_is_told_to(open_client, kit):
    client = open_client(LocalGateway(retain=2))
    for _ in range(3):
        client.post("/v1/acct/gw/openai/chat/completions", json=kit.chat(model="m"))
    assert len(kit.logs(client, "gw")) == 2


def test_totals_follow_a_delete():
    store = LogStore()
    for number in range(5):
        store.add(record(str(number), cost=number / 10, duration_ms=number))
    store.delete("acct", "gw", LogQuery(filters=(Filter("cost", "gt", (0.25,)),)))
    info = store.list("acct", "gw", LogQuery())[1]
    assert (info["total_count"], info["max_cost"], info["max_duration"]) == (3, 0.2, 2)
    store.add(record("more", cost=9.0, tokens_in=2, tokens_out=3))
    info = store.list("acct", "gw", LogQuery())[1]
    assert (info["total_count"], info["min_cost"], info["max_cost"], info["max_total_tokens"]) == (4, 0.0, 9.0, 5)
    store.close()


def test_totals_are_those_of_a_scan():
    store = LogStore()
    store.add_many(record(str(n), cost=n / 7 if n % 3 else None, tokens_in=None if n == 4 else n) for n in range(9))
    everything = (Filter("success", "eq", (0, 1)),)
    assert store.list("acct", "gw", LogQuery())[1] == store.list("acct", "gw", LogQuery(filters=everything))[1]
    store.close()


def test_totals_of_a_filter_follow_every_write(tmp_path: Path):
    mine, other = LogStore(tmp_path), LogStore(tmp_path)
    failed = LogQuery(filters=(Filter("success", "eq", (0,)),))
    counts = [mine.list("acct", "gw", failed)[1]["total_count"]]
    for store, log_id in ((mine, "a"), (other, "b")):
        store.add(record(log_id, success=False))
        counts.append(mine.list("acct", "gw", failed)[1]["total_count"])
    assert counts == [0, 1, 2]
    mine.close()
    other.close()


def test_pages_from_both_ends_are_the_same_order():
    store = LogStore()
    store.add_many(record(f"{n:02}", created_at=NOON + n // 3) for n in range(23))
    pages = [ids(store, page=page, per_page=5) for page in range(1, 7)]
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3, 0]
    assert [one for page in pages for one in page] == [f"{n:02}" for n in reversed(range(23))]
    store.close()


def test_a_file_of_version_1_gets_its_totals(tmp_path: Path):
    path = tmp_path / "logs.sqlite3"
    db = sqlite3.connect(path)
    db.executescript(SCHEMA + "PRAGMA user_version = 1;")
    columns = "account, gateway, id, created_at, provider, model, path, duration, success, cached, custom_cost, step,"
    columns += "authentication, compatibility_mode, request_size, response_size, request_head_complete,"
    columns += "response_head_complete, cost"
    for log_id, cost in (("a", 0.5), ("b", 0.25)):
        values = ("acct", "gw", log_id, NOON, "openai", "m", "p", 7, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, cost)
        db.execute(f"INSERT INTO logs ({columns}) VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 -- constants
    db.commit()
    db.close()
    store = LogStore(path)
    store.add(record("c", cost=1.0))
    info = store.list("acct", "gw", LogQuery())[1]
    assert (info["total_count"], info["min_cost"], info["max_cost"]) == (3, 0.25, 1.0)
    store.close()


def make_version_3(path: Path) -> None:
    """Take away from a store's file what version 3 did not have."""
    db = sqlite3.connect(path)
    triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    db.executescript("".join(f"DROP TRIGGER {name};" for (name,) in triggers))
    db.executescript(
        "DROP TABLE label_values; DROP TABLE label_totals; CREATE INDEX labels_by_value ON labels (key, value);"
        "ALTER TABLE facets DROP COLUMN min_created_at; ALTER TABLE facets DROP COLUMN max_created_at;"
        "PRAGMA user_version = 3;"
    )
    db.close()


def test_a_file_of_version_3_gets_its_values_counted(tmp_path: Path):
    first = LogStore(tmp_path)
    first.add_many(record(f"{n:04}", created_at=NOON + n, metadata={"plan": "gold", "n": n}) for n in range(OFTEN))
    first.close()
    make_version_3(tmp_path / "logs.sqlite3")
    store = LogStore(tmp_path)
    gold = {"filters": (Filter("metadata.value", "eq", ("gold",)),), "per_page": 2}
    assert ids(store, **gold) == [f"{OFTEN - 1:04}", f"{OFTEN - 2:04}"]
    store.add(record("newer", created_at=NOON + OFTEN, metadata={"plan": "gold"}))
    assert ids(store, **gold) == ["newer", f"{OFTEN - 1:04}"]
    assert store.list("acct", "gw", LogQuery(**gold))[1]["total_count"] == OFTEN + 1
    counted = store._db.execute("SELECT value, key, total FROM label_values WHERE counted").fetchall()
    assert [tuple(row) for row in counted] == [("gold", "plan", OFTEN + 1)]
    assert ids(store, filters=(Filter("metadata.value", "eq", ("77",)),)) == ["0077"]
    store.close()


CHANGED = ("row", "id", "created_at", "event_id", "cost")
MANY = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 99999)
INSERT INTO logs (id, created_at, event_id, cost, {0})
SELECT printf('%06d', n), ? + n, 'e' || n, n / 1e6, {0} FROM numbers, logs WHERE logs.row = 1
"""


@pytest.fixture(scope="module")
def long_store():
    store = LogStore()
    store.add(record("000000", created_at=NOON, metadata={"user": "u0"}))
    copied = [row[1] for row in store._db.execute("PRAGMA table_info(logs)") if row[1] not in CHANGED]
    store._db.execute(MANY.format(", ".join(copied)), (NOON,))
    store._db.execute("INSERT INTO labels SELECT row, 'user', 'u' || (row % 5000) FROM logs WHERE row > 1")
    yield store
    store.close()


@pytest.mark.parametrize(
    ("query", "total"),
    [
        (LogQuery(per_page=50), 100_000),
        (LogQuery(per_page=50, page=1990), 100_000),
        (LogQuery(filters=(Filter("event_id", "eq", ("e4242",)),)), 1),
        (LogQuery(filters=(Filter("metadata.key", "eq", ("user",)), Filter("metadata.value", "eq", ("u77",)))), 20),
        (LogQuery(filters=(Filter("metadata.value", "eq", ("nobody",)),)), 0),
    ],
    ids=["first", "last", "event", "metadata", "none"],
)
def test_a_page_of_a_hundred_thousand_logs_comes_quickly(long_store, query, total):
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        info = long_store.list("acct", "gw", query)[1]
        durations.append(time.perf_counter() - start)
    assert info["total_count"] == total
    assert min(durations) < 0.05


@pytest.mark.skipif(
    sys.platform == "win32", reason="needs SIGKILL, which ends a process at once and which Windows has not"
)
def test_every_answered_request_is_in_the_log_after_a_kill(tmp_path: Path):
    command = [sys.executable, "-m", "aigw.local", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own command
        url = re.search(r"AIGW_BASE_URL=(\S+)", process.stdout.readline())[1]
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        with httpx.Client(base_url=url, verify=False) as client:  # noqa: S501 -- plain http
            answered = [client.post("/v1/acct/gw/openai/chat/completions", json=body | {"n": 1}) for _ in range(20)]
            answered.append(client.post("/v1/acct/gw/openai/chat/completions", json=body | {"stream": True}))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    store = LogStore(tmp_path)
    kept = {row["id"] for row in store.list("acct", "gw", LogQuery(per_page=50))[0]}
    store.close()
    assert kept == {reply.headers["cf-aig-log-id"] for reply in answered}
