"""Lists and their totals are those of a plain reading of all logs, and are not got by one."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from aigw.local._logs import _sql as sql
from aigw.local._logs import _tally
from aigw.local._logs._facets import _FIND
from aigw.local._logs._query import KINDS, Filter, LogQuery
from aigw.local._logs._record import LogRecord
from aigw.local._logs._schema import FACET
from aigw.local._logs._store import LogStore

from .plain_logs import NOON, ORDERS, VALUES, assert_same, come_often, like_others, queries, record, rows_read
from .plain_logs import some_store as some_store  # noqa: PLC0414  a fixture of other tests too

if TYPE_CHECKING:
    from collections.abc import Iterator

FRESH = itertools.count(1000)


def test_every_list_is_that_of_a_plain_reading(some_store):
    for query in queries(Random(1)):  # noqa: S311 -- a test
        assert_same(some_store, query)


def test_lists_follow_what_comes_and_goes_and_changes(some_store):
    random = Random(2)  # noqa: S311 -- a test
    asked = list(queries(random))
    patches = (
        {"feedback": 1},
        {"feedback": None, "score": 5},
        {"metadata": {"plan": "gold", "new": 3}},
        {"metadata": None},
    )
    for number in range(150, 270):
        some_store.add(record(number, random, random.choice(("gw", "gw", "other"))))
        if number % 3 == 0:
            some_store.patch("acct", "gw", f"{random.randrange(number):06}", random.choice(patches))
        if number % 20 == 0:
            some_store.delete("acct", "gw", LogQuery(filters=(random.choice(asked[1:40]).filters), limit=3))
        for query in random.sample(asked, 4):
            assert_same(some_store, query)


def test_a_list_that_another_store_wrote_into_is_right(tmp_path):
    random = Random(3)  # noqa: S311 -- a test
    mine, other = LogStore(tmp_path), LogStore(tmp_path)
    asked = list(queries(random))
    for number in range(40):
        (mine, other)[number % 2].add(record(number, random))
        (mine, other)[number % 3 % 2].patch("acct", "gw", f"{number // 2:06}", {"feedback": 1})
        if number % 10 == 9:
            other.delete("acct", "gw", LogQuery(limit=2))
        for query in random.sample(asked, 5):
            assert_same(mine, query)
    mine.close()
    other.close()


def test_a_log_in_the_row_of_a_deleted_one_is_counted(some_store):
    dear = LogQuery((Filter("cost", "ge", (0,)),))
    for number, provider in ((900, "openai"), (901, "groq"), (902, "one")):
        assert_same(some_store, dear)
        some_store.delete("acct", "gw", LogQuery((Filter("id", "eq", (f"{number - 1:06}",)),)))
        fields = {"id": f"{number:06}", "provider": provider, "model": "m", "path": "p", "cost": 1.0}
        some_store.add(LogRecord(account="acct", gateway="gw", created_at=NOON, **fields))
        assert_same(some_store, dear)


@pytest.mark.parametrize("value", ["gold", "GOL"])
@pytest.mark.parametrize("back", [False, True])
def test_logs_of_a_facet_that_went_and_came_back_are_counted_once(monkeypatch, value, back):
    come_often(monkeypatch, 3)
    store, gold = LogStore(), LogQuery((Filter("metadata.value", "contains", (value,)),))
    store.add_many(like_others(number, provider="one" if number < 12 else "two") for number in range(16))
    assert_same(store, gold)
    for number in (12, 14):
        store.delete("acct", "gw", LogQuery((Filter("id", "eq", (f"{number:06}",)),)))
    assert_same(store, gold)
    if back:
        store.add(like_others(18, provider="two"))
        assert_same(store, gold)
    store.close()


def test_feedback_makes_no_other_facet_be_counted_again(some_store):
    dear = LogQuery((Filter("cost", "ge", (0,)),))
    some_store.list("acct", "gw", dear)
    some_store.patch("acct", "gw", "000003", {"feedback": 1})
    asked = asked_of(some_store, dear)
    counted = [
        re.search(r"json_each\('(\[.*?\])'\)", statement)[1] for statement in asked if "logs.row > 0" in statement
    ]
    assert {len(json.loads(facets)) for facets in counted} <= {1, 2}
    assert_same(some_store, dear)


def test_a_write_that_fails_leaves_no_facet_behind(some_store):
    twice = record(0, Random(9))  # noqa: S311 -- a test
    fresh = LogRecord(account="acct", gateway="gw", id="new", created_at=NOON, provider="one", model="new", path="p")
    with pytest.raises(sqlite3.IntegrityError):
        some_store.add_many([fresh, twice])
    some_store.add(fresh)
    assert_same(some_store, LogQuery((Filter("provider", "eq", ("one",)),)))


def asked_of(store: LogStore, query: LogQuery) -> list[str]:
    """Give the SELECTs that a list asks SQLite."""
    asked: list[str] = []
    store._db.set_trace_callback(asked.append)
    store.list("acct", "gw", query)
    store._db.set_trace_callback(None)
    return [statement for statement in asked if statement.startswith("SELECT")]


def plans(store: LogStore, query: LogQuery) -> list[str]:
    """Give how SQLite reads what a list asks it."""
    asked = asked_of(store, query)
    return [row["detail"] for one in asked for row in store._db.execute(f"EXPLAIN QUERY PLAN {one}")]


def whole_readings(steps: list[str]) -> list[str]:
    """Give the steps that read all logs or all labels, by whatever index."""
    return [step for step in steps if re.match(r"SCAN (logs|labels|payloads)", step)]


@pytest.fixture(scope="module")
def store() -> Iterator[LogStore]:
    random = Random(4)  # noqa: S311 -- a test
    store = LogStore()
    store.add_many(record(number, random) for number in range(400))
    yield store
    store.close()


SHARED = [key for key in KINDS if key not in sql._COVERED | {"event_id", "metadata.value"}]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("page", [1, 15])
def test_a_page_of_everything_goes_along_an_index(store, order, page):
    steps = plans(store, LogQuery(order_by=order, page=page))
    assert any("logs_by_" in step for step in steps)
    assert whole_readings(steps) == []


def test_a_facet_is_found_by_all_that_its_logs_share(store):
    values = (None,) * len(FACET)
    steps = [row["detail"] for row in store._db.execute(f"EXPLAIN QUERY PLAN {_FIND}", values)]
    assert steps == [f"SEARCH facets USING COVERING INDEX facets_by_gateway ({' AND '.join(f'{n}=?' for n in FACET)})"]


@pytest.mark.parametrize("key", SHARED)
def test_a_filter_on_what_a_facet_shares_reads_no_log_but_the_page(store, key):
    value = VALUES.get(key, (1,))[0]
    steps = plans(store, LogQuery((Filter(key, "eq", (value,)),), order_by="model"))
    assert any(re.match(r"SEARCH facets USING .*facets_by_gateway \(account=\? AND gateway=\?", step) for step in steps)
    assert whole_readings(steps) == []
    assert not any("GROUP BY" in step for step in steps)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ([Filter("event_id", "eq", ("e3",))], "logs_by_event (event_id=?)"),
        ([Filter("id", "eq", ("000003",))], "(account=? AND gateway=? AND id=?)"),
        ([Filter("metadata.value", "eq", ("u1",))], "labels_by_text (value=?)"),
        (
            [Filter("metadata.key", "eq", ("user",)), Filter("metadata.value", "eq", ("u1",))],
            "labels_by_text (value=?)",
        ),
    ],
    ids=["event_id", "id", "metadata value", "metadata pair"],
)
def test_a_filter_that_few_logs_meet_goes_along_its_index(store, filters, index):
    store.add(record(next(FRESH), Random(1)))  # noqa: S311 -- a test; something to count
    steps = plans(store, LogQuery(tuple(filters)))
    assert any(step.endswith(index) for step in steps), steps
    assert "SEARCH logs USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert whole_readings(steps) == []


@pytest.mark.parametrize("key", ["cost", "duration", "tokens", "tokens_in", "tokens_out", "created_at"])
def test_amounts_and_times_are_counted_from_one_index_alone(store, key):
    steps = plans(store, LogQuery((Filter(key, "gt", (1,)),)))
    assert any("COVERING INDEX logs_by_facet (facet=?" in step for step in steps), steps


@pytest.mark.parametrize(
    "query",
    [
        LogQuery((Filter("metadata.value", "eq", ("gold",)),)),
        LogQuery((Filter("metadata.key", "eq", ("plan",)), Filter("metadata.value", "eq", ("gold",)))),
        LogQuery((Filter("metadata.value", "eq", ("gold",)), Filter("success", "eq", (1,)))),
        LogQuery((Filter("metadata.value", "eq", ("u1", "u2")),)),
        LogQuery((Filter("metadata.value", "contains", ("GOL",)),)),
        LogQuery((Filter("metadata.value", "contains", ("nowhere",)),)),
        LogQuery((Filter("metadata.value", "neq", ("nobody",)),)),
        LogQuery((Filter("event_id", "neq", ("e3",)),)),
        LogQuery(search="gold"),
        LogQuery(search="nothing like it"),
    ],
    ids=lambda query: (
        query.search or " and ".join(f"{one.key} {one.operator} {one.values[0]}" for one in query.filters)
    ),
)
def test_a_filter_on_values_or_events_reads_no_more_of_a_longer_log(monkeypatch, query):
    monkeypatch.setattr(_tally, "FEW", 50)
    come_often(monkeypatch, 40)
    short, long = LogStore(), LogStore()
    short.add_many(like_others(number) for number in range(1000))
    long.add_many(like_others(number) for number in range(4000))
    assert rows_read(long, query) < 1.2 * rows_read(short, query)
    assert_same(long, query)
    short.close()
    long.close()


def test_a_part_of_an_id_is_looked_for_once_and_then_among_what_came_since():
    query, read = LogQuery((Filter("event_id", "contains", ("e777",)),)), []
    for length in (1000, 4000):
        store = LogStore()
        store.add_many(like_others(number) for number in range(length))
        assert_same(store, query)
        store.add(like_others(length))
        read.append(rows_read(store, query))
        assert_same(store, query)
        store.close()
    assert read[1] < 1.2 * read[0]


def settled(number: int) -> dict[str, str]:
    """Give labels of which one is the same for all logs of a provider, and one goes through them."""
    return {"env": ("prod", "dev")[number % 3 == 0], "plan": ("gold", "free")[number // 7 % 2]}


@pytest.mark.parametrize(
    "broad",
    [
        Filter("metadata.value", "eq", ("prod",)),
        Filter("metadata.value", "neq", ("dev",)),
        Filter("metadata.value", "neq", ("nobody",)),
        Filter("metadata.value", "eq", ("prod", "dev")),
    ],
    ids=lambda one: f"{one.operator} {' '.join(one.values)}",
)
def test_a_condition_that_all_logs_of_a_facet_meet_or_none_is_asked_of_no_log(monkeypatch, broad):
    monkeypatch.setattr(_tally, "FEW", 50)
    come_often(monkeypatch, 40)
    store, gold = LogStore(), Filter("metadata.value", "eq", ("gold",))
    store.add_many(
        like_others(number, provider=("one", "two")[number % 3 == 0], metadata=settled(number))
        for number in range(3000)
    )
    alone = rows_read(store, LogQuery((gold,)))
    assert rows_read(store, LogQuery((broad, gold))) < 1.5 * alone
    for query in (LogQuery((broad,)), LogQuery((broad, gold)), LogQuery((gold, broad), order_by="provider", page=40)):
        assert_same(store, query)
    store.add(like_others(3000, provider="two", metadata=settled(1)))
    store.patch("acct", "gw", "000001", {"metadata": {"env": "dev"}})
    for query in (LogQuery((broad,)), LogQuery((broad, gold)), LogQuery((gold, broad), order_by="provider", page=40)):
        assert_same(store, query)
    store.close()


def test_the_logs_with_the_rarer_of_two_values_are_looked_for_another(monkeypatch):
    monkeypatch.setattr(_tally, "FEW", 5)
    monkeypatch.setattr(_tally, "NARROW", 10)
    both = LogQuery((Filter("metadata.value", "eq", ("gold",)), Filter("metadata.value", "eq", ("u1",))))
    read = []
    for length in (1000, 4000):
        store = LogStore()
        store.add_many(
            like_others(number, metadata={"plan": "gold", "user": f"u{1 if number < 60 else 2}"})
            for number in range(length)
        )
        read.append(rows_read(store, replace(both, page=10**6)))
        assert_same(store, both)
        store.close()
    assert read[1] < 1.2 * read[0]


def test_a_page_of_old_logs_does_not_go_through_the_newer_ones(monkeypatch):
    come_often(monkeypatch, 40)
    monkeypatch.setattr(_tally, "FEW", 50)
    store, query = LogStore(), LogQuery((Filter("metadata.value", "eq", ("old",)),))
    store.add_many(like_others(number, metadata={"age": "old" if number < 100 else "new"}) for number in range(300))
    before = rows_read(store, query)
    store.add_many(like_others(number, metadata={"age": "new"}) for number in range(300, 3000))
    assert rows_read(store, query) < 1.5 * before
    assert_same(store, query)
    store.close()


@pytest.mark.parametrize(
    "query",
    [
        LogQuery((Filter("duration", "gt", (2,)),)),
        LogQuery((Filter("cost", "gt", (0,)), Filter("metadata.value", "neq", ("x",)))),
    ],
    ids=["amount", "two conditions"],
)
def test_what_was_counted_is_counted_on_from_there(store, query):
    store.list("acct", "gw", query)
    store.add(record(next(FRESH), Random(1)))  # noqa: S311 -- a test
    steps = plans(store, query)
    assert "SEARCH logs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in steps
    assert whole_readings(steps) == []
