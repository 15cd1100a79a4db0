"""Lists of a log store beside a plain reading of all its logs."""

from __future__ import annotations

import itertools
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from aigw.local._logs import _lane, _pages, _places, _tally, _versions
from aigw.local._logs import _sql as sql
from aigw.local._logs._query import KINDS, Filter, LogQuery
from aigw.local._logs._record import LogRecord
from aigw.local._logs._schema import INFO, SPAN
from aigw.local._logs._store import LogStore
from aigw.local._logs._values import OFTEN

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_790_000_000_000
ORDERS = ("created_at", "provider", "model", "model_type", "success", "cached")
VALUES: dict[str, tuple[Any, ...]] = {
    "id": ("000007", "000100", "none", "1"),
    "created_at": (NOON, NOON + 20, NOON + 55),
    "provider": ("openai", "groq", "nobody"),
    "model": ("m-1", "m-2", "-"),
    "model_type": ("text-generation", None),
    "request_content_type": ("application/json", None),
    "response_content_type": ("application/json", "text"),
    "request_type": ("rest", None),
    "cost": (0.0, 0.25, None),
    "tokens": (0, 6),
    "tokens_in": (0, 3, None),
    "tokens_out": (2, None),
    "duration": (0, 5),
    "feedback": (1, -1, None),
    "event_id": ("e3", "e", None),
    "metadata.key": ("user", "plan", "us", "nobody"),
    "metadata.value": ("u1", "gold", "ol", "true", None),
    "dlp_action": ("FLAG", None),
    "user_agent": ("a/1", "a", None),
}
OPERATORS = {"text": ("eq", "neq", "contains"), "bool": ("eq", "neq"), "number": ("eq", "neq", "lt", "ge")}
OPERATORS["time"] = OPERATORS["number"]


def record(number: int, random: Random, gateway: str = "gw") -> LogRecord:
    labels = {"user": f"u{random.randrange(4)}", "plan": "gold", "ok": True}
    return LogRecord(
        account="acct",
        gateway=gateway,
        id=f"{number:06}",
        created_at=NOON + random.randrange(60),
        provider=random.choice(("openai", "groq")),
        model=random.choice(("m-1", "m-2", "x")),
        path="p",
        duration_ms=random.randrange(9),
        success=random.random() < 0.8,
        cached=random.random() < 0.3,
        tokens_in=random.choice((None, 0, 1, 5)),
        tokens_out=random.choice((None, 2, 3)),
        cost=random.choice((None, 0.0, 0.25, 0.5)),
        metadata=dict(random.sample(sorted(labels.items()), random.randrange(4))),
        model_type=random.choice((None, "text-generation", "text-embeddings")),
        response_content_type="application/json",
        event_id=f"e{number % 40}",
        user_agent=random.choice((None, "a/1")),
        dlp_action=random.choice((None, None, "FLAG")),
    )


def queries(random: Random) -> Iterator[LogQuery]:
    """Give each filter alone, then some together, and no filter; with orders and pages of all kinds."""
    singles = [
        Filter(key, operator, (value,))
        for key, kind in KINDS.items()
        for operator in OPERATORS[kind]
        for value in VALUES.get(key, (0, 1))
        if value is not None or operator in ("eq", "neq")
    ]
    several = [tuple(random.sample(singles, 2)) for _ in range(60)]
    for filters in [(), *((one,) for one in singles), *several]:
        order, descending = random.choice(ORDERS), random.random() < 0.5
        search = random.choice(("", "", "", "gold", "u"))
        yield LogQuery(filters, search, order, descending=descending, page=random.randrange(1, 6), per_page=7)
    for order, descending, page in itertools.product(ORDERS, (True, False), (1, 3, 9)):
        yield LogQuery((), "", order, descending=descending, page=page, per_page=20)


def read_plainly(store: LogStore, query: LogQuery) -> tuple[list[str], dict[str, Any]]:
    text, values = sql.where("acct", "gw", query)
    skip = (query.page - 1) * query.per_page
    page = f"SELECT id FROM logs WHERE {text} ORDER BY {sql.order(query)} LIMIT ? OFFSET ?"  # noqa: S608 -- a test
    ids = [row[0] for row in store._db.execute(page, (*values, query.per_page, skip))]
    info = dict(store._db.execute(f"SELECT {INFO} FROM logs WHERE {text}", values).fetchone())  # noqa: S608 -- a test
    return ids, {name: value for name, value in info.items() if name not in SPAN}


def assert_same(store: LogStore, query: LogQuery) -> None:
    rows, info = store.list("acct", "gw", query)
    ids, totals = read_plainly(store, query)
    assert [row["id"] for row in rows] == ids, query
    assert info == {"count": len(ids), "page": query.page, "per_page": query.per_page, **totals}, query


def come_often(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Keep the totals of values from so many logs on."""
    upgrade = _versions.upgrade

    def lowered(version: int) -> list[str]:
        return [statement.replace(str(OFTEN), str(number)) for statement in upgrade(version)]

    monkeypatch.setattr(_versions, "upgrade", lowered)


def remember_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember places in short lists too, and go from one to the next in strides or by guesses."""
    monkeypatch.setattr(_pages, "_SHORT", -1)
    monkeypatch.setattr(_lane, "_STRIDE", 4)
    monkeypatch.setattr(_lane, "_NEAR", 2)
    monkeypatch.setattr(_places, "_RECENT", 4)
    monkeypatch.setattr(_places, "_SPACING", 2)
    monkeypatch.setattr(_places, "_MAX_PLACES", 8)


@pytest.fixture(params=["few", "many"])
def some_store(request, monkeypatch) -> Iterator[LogStore]:
    """A store in which little counts as many already, or nothing does."""
    if request.param == "many":
        monkeypatch.setattr(_tally, "FEW", 3)
        monkeypatch.setattr(_tally, "NARROW", 15)
        monkeypatch.setattr(_lane, "_SORTING", 0.01)
        remember_all(monkeypatch)
        come_often(monkeypatch, 3)
    random = Random(5)  # noqa: S311 -- a test
    store = LogStore()
    store.add_many(record(number, random) for number in range(120))
    store.add_many(record(number, random, "other") for number in range(120, 150))
    yield store
    store.close()


def rows_read(store: LogStore, query: LogQuery) -> int:
    """Give how many steps of SQLite's machine a list takes, in tens: about as many as it reads entries."""
    ticks: list[None] = []
    store._db.set_progress_handler(lambda: ticks.append(None), 10)
    store.list("acct", "gw", query)
    store._db.set_progress_handler(None, 0)
    return len(ticks)


def like_others(number: int, **fields: Any) -> LogRecord:
    given = {"provider": "one", "model": "m", "path": "p", "event_id": f"e{number}", "duration_ms": number, **fields}
    metadata = fields.get("metadata", {"plan": ("gold", "free")[number % 2], "user": f"u{number % 8}"})
    at = {"account": "acct", "gateway": "gw", "id": f"{number:06}", "created_at": NOON + number}
    return LogRecord(**at, **{**given, "metadata": metadata})
