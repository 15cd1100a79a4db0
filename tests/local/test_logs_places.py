"""Pages deep in a list, read in turn or at random: always those of a plain reading, and none dearer than the second."""

from __future__ import annotations

import itertools
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from aigw.local._logs import _places, _tally
from aigw.local._logs._places import Memory, Place, Places
from aigw.local._logs._query import Filter, LogQuery
from aigw.local._logs._store import LogStore

from .plain_logs import NOON, assert_same, come_often, like_others, queries, record, remember_all, rows_read
from .plain_logs import some_store as some_store  # noqa: PLC0414  a fixture of other tests too

if TYPE_CHECKING:
    from collections.abc import Iterator

FRESH = itertools.count(1000)
LISTS = {
    "all": LogQuery(per_page=7),
    "oldest first": LogQuery(descending=False, per_page=7),
    "by model": LogQuery(order_by="model", per_page=7),
    "gold": LogQuery((Filter("metadata.value", "eq", ("gold",)),), per_page=7),
    "search": LogQuery(search="u1", per_page=7),
    "two values": LogQuery(
        (Filter("metadata.value", "eq", ("gold",)), Filter("metadata.value", "neq", ("u2",))), per_page=7
    ),
    "dear": LogQuery((Filter("cost", "ge", (0,)),), order_by="success", per_page=7),
    "groq": LogQuery((Filter("provider", "eq", ("groq",)),), per_page=7),
    "no event": LogQuery((Filter("event_id", "neq", ("e3",)),), order_by="provider", descending=False, per_page=7),
}


def change(store: LogStore, random: Random) -> None:
    """Do one of all that may happen to logs; most often one comes, and seldom the last one goes."""
    number = next(FRESH)
    some = f"{random.randrange(150):06}"
    match random.randrange(12):
        case 0:
            store.patch("acct", "gw", some, {"feedback": random.choice((1, -1, None))})
        case 1:
            store.patch("acct", "gw", some, {"metadata": random.choice((None, {"plan": "gold"}, {"plan": "free"}))})
        case 2:
            store.delete("acct", "gw", LogQuery((Filter("id", "eq", (some,)),)))
        case 3:
            store.delete("acct", random.choice(("gw", "other")), LogQuery(limit=1))
            store.add(record(number, random))
        case 4:
            newest = store.newest(1)[0]
            store.delete("acct", newest["gateway_id"], LogQuery((Filter("id", "eq", (newest["id"],)),)))
            store.add(record(number, random))
        case 5 | 6:
            store.add(replace(record(number, random), created_at=NOON + 60 + number))
        case _:
            store.add(record(number, random, random.choice(("gw", "gw", "other"))))


@pytest.mark.parametrize("name", LISTS)
def test_pages_read_in_turn_are_those_of_a_plain_reading(some_store, name):
    random = Random(11)  # noqa: S311 -- a test
    for number in range(80):
        assert_same(some_store, replace(LISTS[name], page=number % 20 + 1))
        if random.random() < 0.4:
            change(some_store, random)


def test_pages_read_at_random_are_those_of_a_plain_reading(some_store):
    random = Random(12)  # noqa: S311 -- a test
    asked = [*LISTS.values(), *random.sample(list(queries(random)), 12)]
    for _ in range(500):
        query = random.choice(asked)
        assert_same(some_store, replace(query, page=random.randrange(1, 22), descending=random.random() < 0.5))
        if random.random() < 0.4:
            change(some_store, random)


def test_pages_are_right_though_another_store_writes(monkeypatch, tmp_path):
    remember_all(monkeypatch)
    random = Random(13)  # noqa: S311 -- a test
    mine, other = LogStore(tmp_path), LogStore(tmp_path)
    other.add_many(record(number, random) for number in range(120))
    for number in range(200):
        assert_same(mine, replace(random.choice(list(LISTS.values())), page=number % 15 + 1))
        change((mine, other)[number % 5 > 0], random)
    mine.close()
    other.close()


@pytest.fixture
def long_store(monkeypatch) -> Iterator[LogStore]:
    monkeypatch.setattr(_tally, "FEW", 50)
    come_often(monkeypatch, 40)
    remember_all(monkeypatch)
    store = LogStore()
    store.add_many(like_others(number, provider=("one", "two")[number % 3 > 0]) for number in range(3000))
    yield store
    store.close()


LONG = [
    LogQuery(),
    LogQuery(descending=False),
    LogQuery(order_by="provider"),
    LogQuery((Filter("metadata.value", "eq", ("gold",)),)),
    LogQuery((Filter("duration", "gt", (2,)),), descending=False),
    LogQuery((Filter("event_id", "neq", ("e3",)),)),
]


@pytest.mark.parametrize("query", LONG)
def test_no_page_read_in_turn_costs_more_than_the_second(long_store, query):
    long_store.list("acct", "gw", query)
    costs = [rows_read(long_store, replace(query, page=page)) for page in range(2, 50)]
    assert max(costs[1:]) < 1.3 * costs[0]


@pytest.mark.parametrize("query", LONG)
def test_logs_that_come_meanwhile_do_not_make_the_next_page_dearer(long_store, query):
    costs = []
    for page in range(2, 40):
        long_store.add(like_others(3000 + page, provider="one"))
        costs.append(rows_read(long_store, replace(query, page=page)))
    assert max(costs[2:]) < 1.3 * max(costs[:2])


@pytest.mark.parametrize("query", LONG)
def test_a_page_near_one_that_was_jumped_to_costs_little(long_store, query):
    long_store.list("acct", "gw", query)
    near_the_end = rows_read(long_store, replace(query, page=2))
    long_store.list("acct", "gw", replace(query, page=37))
    assert rows_read(long_store, replace(query, page=36)) < 1.3 * near_the_end
    assert_same(long_store, replace(query, page=36))


def test_a_page_of_one_model_in_the_middle_is_come_to_by_its_own_logs_alone():
    costs = []
    for others in (3, 12):
        store = LogStore()
        store.add_many(like_others(number, model="ours" if number % others == 0 else "x") for number in range(9000))
        costs.append(rows_read(store, LogQuery(order_by="model", page=9000 // 20 - 9000 // others // 40)))
        store.close()
    assert costs[1] < 0.6 * costs[0]


def test_a_page_is_right_after_a_log_of_a_facet_that_had_none_of_the_list_s_got_the_value(long_store):
    long_store.patch("acct", "gw", "000001", {"score": 1, "metadata": {"user": "u1"}})
    query = LogQuery((Filter("metadata.value", "eq", ("odd",)),), page=30)
    for number in range(3):
        long_store.patch("acct", "gw", f"{1503 + 3 * number:06}", {"metadata": {"user": "odd"}})
    long_store.add_many(
        like_others(number, provider="two", metadata={"plan": "gold", "user": "odd"}) for number in range(3000, 5000)
    )
    assert_same(long_store, query)
    long_store.patch("acct", "gw", "000003", {"metadata": {"user": "odd"}})
    assert_same(long_store, query)


def test_a_facet_whose_changed_log_joins_a_list_moves_its_places(long_store):
    metadata = {"plan": "gold"}
    long_store.add_many(like_others(number, provider="ours", metadata=metadata) for number in range(3100, 3200))
    long_store.add_many(like_others(number, provider="else", metadata={"plan": "no"}) for number in range(3000, 3100))
    query = LogQuery((Filter("metadata.value", "eq", ("gold",)), Filter("provider", "eq", ("ours", "else"))), page=3)
    assert_same(long_store, query)
    long_store.patch("acct", "gw", "003000", {"metadata": {"plan": "gold"}})
    assert_same(long_store, query)
    assert_same(long_store, replace(query, page=4))


def test_a_log_of_the_same_millisecond_and_a_lesser_id_moves_the_places_after_it(long_store):
    long_store.add_many(replace(like_others(number), created_at=NOON + 9000) for number in range(5000, 5100))
    queries = [LogQuery(page=page) for page in (2, 3, 4)]
    for query in queries:
        assert_same(long_store, query)
    long_store.add(replace(like_others(4000), created_at=NOON + 9000))
    for query in queries:
        assert_same(long_store, query)


def places_of(db_of: LogStore, number: int) -> Places:
    places = Places()
    places.renew(db_of._db, {1: 0})
    for rank in range(number):
        places.add(Place(10 * rank, NOON + 10 * rank, ""))
    return places


def test_a_log_that_came_late_makes_only_later_places_be_forgotten(long_store):
    places, ends = places_of(long_store, 10), (Place(0, 0, ""), Place(3000, NOON + 3000, ""))
    long_store.add(replace(like_others(4000, provider="two"), created_at=NOON + 45))
    places.renew(long_store._db, dict.fromkeys(range(1, 9), 0))
    assert places.around(39, ends) == (Place(30, NOON + 30, ""), Place(40, NOON + 40, ""))
    assert places.around(50, ends) == (Place(40, NOON + 40, ""), ends[1])


def test_places_are_thinned_out_evenly():
    places, ends = Places(), (Place(0, 0, ""), Place(10**6, 10**6, ""))
    for rank in range(0, 10**6, 50):
        places.add(Place(rank, rank, ""))
    kept = [places.around(rank, ends) for rank in range(0, 10**6, 777)]
    assert len(places._spread) <= _places._MAX_PLACES
    assert max(above.rank - below.rank for below, above in kept) < 5 * 10**6 // _places._MAX_PLACES


def test_the_lists_asked_for_last_are_remembered(long_store):
    memory = Memory()
    first = memory.places(long_store._db, "first", {1: 0})
    for number in range(_places._MAX_LISTS - 1):
        memory.places(long_store._db, number, {1: 0})
    assert memory.places(long_store._db, "first", {1: 0}) is first
    for number in range(_places._MAX_LISTS):
        memory.places(long_store._db, number, {1: 0})
    assert memory.places(long_store._db, "first", {1: 0}) is not first
