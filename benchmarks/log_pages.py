"""How long a page of a long log takes: every filter key with a selective and a broad value, every order, deep pages."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from aigw.local._logs._query import parse_list_query
from aigw.local._logs._record import LogRecord, rfc3339
from aigw.local._logs._store import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterator

START: Final = 1_790_000_000_000
SPACING_MS: Final = 137
MODELS: Final = (
    *("openai/gpt-5-mini", "openai/gpt-4.1", "anthropic/claude-sonnet-4", "google-ai-studio/gemini-2.5"),
    *("@cf/meta/llama-3.3", "groq/llama", "mistral/small", "deepseek/chat"),
)
AGENTS: Final = ("OpenAI/Python 2.1", "langchain-aigw/1.0", "curl/8.1", "node")
BATCH: Final = 20_000


def records(count: int, start: int = 0) -> Iterator[LogRecord]:
    """Give logs such as a busy gateway writes; the same every time."""
    random = Random(start)  # noqa: S311 -- not for secrets
    for number in range(start, start + count):
        model = MODELS[min(int(random.expovariate(0.7)), len(MODELS) - 1)]
        failed, cached = random.random() < 0.02, random.random() < 0.2
        tokens_in, tokens_out = random.randrange(10, 4000), random.randrange(1, 1500)
        yield LogRecord(
            account="acct",
            gateway="gw",
            id=f"01999999-{number:012d}",
            created_at=START + number * SPACING_MS,
            provider=model.partition("/")[0].replace("@cf", "workers-ai"),
            model=model,
            path="chat/completions",
            duration_ms=random.randrange(50, 9000),
            success=not failed,
            cached=cached,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=0.0 if cached else (tokens_in + 4 * tokens_out) / 1e6,
            metadata={"user": f"u{number % 5000}", "plan": _plan(number), "env": "prod"},
            model_type="text-generation",
            request_type="native",
            request_content_type="application/json",
            response_content_type="text/event-stream" if number % 3 else "application/json",
            status_code=500 if failed else 200,
            event_id=f"event-{number}",
            user_agent=AGENTS[number % 4],
            dlp_action="FLAG" if number % 1000 == 0 else None,
            wholesale=bool(number % 2),
        )


def _plan(number: int) -> str:
    """Give half of all logs the one, whatever else they have."""
    return ("free", "gold")[number * 2_654_435_761 >> 16 & 1]


def _filters(count: int) -> dict[str, tuple[str, Any]]:
    """Give one condition a name: first those that few logs meet, then those that many do."""
    middle = rfc3339(START + count // 2 * SPACING_MS)
    late = rfc3339(START + (count - 20) * SPACING_MS)
    return {
        "id few": ("eq", f"01999999-{count // 3:012d}"),
        "id many": ("neq", "none"),
        "id contains few": ("contains", f"{count // 3:012d}"),
        "event_id few": ("eq", f"event-{count // 3}"),
        "event_id many": ("neq", "none"),
        "event_id contains": ("contains", "event-77"),
        "created_at few": ("gt", late),
        "created_at many": ("gt", middle),
        "request_content_type few": ("eq", "text/plain"),
        "request_content_type many": ("eq", "application/json"),
        "response_content_type few": ("contains", "xml"),
        "response_content_type many": ("eq", "text/event-stream"),
        "request_type few": ("eq", "universal"),
        "request_type many": ("eq", "native"),
        "success few": ("eq", "false"),
        "success many": ("eq", "true"),
        "cached few": ("eq", "true"),
        "cached many": ("eq", "false"),
        "provider few": ("eq", "deepseek"),
        "provider many": ("eq", "openai"),
        "model few": ("eq", "deepseek/chat"),
        "model many": ("contains", "gpt"),
        "model_type few": ("eq", "text-embeddings"),
        "model_type many": ("eq", "text-generation"),
        "cost few": ("gt", "0.00999"),
        "cost many": ("gt", "0.001"),
        "tokens few": ("gt", "5490"),
        "tokens many": ("gt", "1000"),
        "tokens_in few": ("lt", "11"),
        "tokens_in many": ("gt", "1000"),
        "tokens_out few": ("lt", "2"),
        "tokens_out many": ("gt", "100"),
        "duration few": ("gt", "8998"),
        "duration many": ("gt", "1000"),
        "feedback few": ("eq", 1),
        "feedback many": ("neq", 1),
        "metadata.key few": ("eq", "nobody"),
        "metadata.key many": ("eq", "plan"),
        "metadata.value few": ("eq", "u77"),
        "metadata.value many": ("eq", "gold"),
        "metadata.value contains": ("contains", "u77"),
        "metadata.value all but few": ("neq", "u77"),
        "authentication few": ("eq", "true"),
        "authentication many": ("eq", "false"),
        "wholesale half": ("eq", "true"),
        "compatibilityMode few": ("eq", "true"),
        "compatibilityMode many": ("eq", "false"),
        "dlp_action few": ("eq", "FLAG"),
        "dlp_action none": ("eq", None),
        "user_agent few": ("eq", "nobody"),
        "user_agent many": ("contains", "OpenAI"),
    }


def _queries(count: int) -> Iterator[tuple[str, str]]:
    yield "", ""
    for page in (count // 200, count // 100, count // 50):
        yield f"page {page}", urlencode({"page": page, "per_page": 50})
    for order in ("created_at", "provider", "model", "model_type", "success", "cached"):
        for direction in ("asc", "desc"):
            yield f"order_by {order} {direction}", urlencode({"order_by": order, "order_by_direction": direction})
    deep = {"order_by": "model", "page": count // 200, "per_page": 50}
    yield "order_by model, deep", urlencode(deep)
    for name, (operator, value) in _filters(count).items():
        key = name.partition(" ")[0]
        yield f"{name} ({operator})", _filter_query((key, operator, value))
    yield "metadata user = u77", _filter_query(("metadata.key", "eq", "user"), ("metadata.value", "eq", "u77"))
    yield (
        "success, model, plan",
        _filter_query(("success", "eq", "true"), ("model", "eq", MODELS[0]), ("metadata.value", "eq", "gold")),
    )
    gold = ("metadata.value", "eq", "gold")
    for page in (count // 1000, count // 200):
        yield f"metadata.value many, page {page}", _filter_query(gold) + "&" + urlencode({"page": page, "per_page": 50})
    yield "metadata.value many twice", _filter_query(gold, ("metadata.value", "neq", "free"))
    yield "metadata.value many and all", _filter_query(gold, ("metadata.value", "eq", "prod"))
    yield "provider, order_by model, deep", _filter_query(("provider", "eq", "openai")) + "&" + urlencode(deep)
    yield "search few", urlencode({"search": "u4242"})
    yield "search many", urlencode({"search": "gold"})
    yield "search nothing", urlencode({"search": "nobody-has-this"})


def _in_turn() -> Iterator[tuple[str, str]]:
    yield "all", ""
    yield "order_by model", urlencode({"order_by": "model"})
    yield "metadata.value many", _filter_query(("metadata.value", "eq", "gold"))
    yield "cost many", _filter_query(("cost", "gt", "0.001"))


def _filter_query(*conditions: tuple[str, str, Any]) -> str:
    filters = [{"key": key, "operator": operator, "value": [value]} for key, operator, value in conditions]
    return urlencode({"filters": json.dumps(filters)})


def measure_pages(count: int, only: str = "") -> dict[str, Any]:
    """Fill a store on disk and read pages of it."""
    with tempfile.TemporaryDirectory() as folder:
        store = LogStore(folder)
        source = records(count)
        while batch := list(islice(source, BATCH)):
            store.add_many(batch)
        for number in range(0, count, max(count // 100, 1)):
            store.patch("acct", "gw", f"01999999-{number:012d}", {"feedback": 1})
        found: dict[str, Any] = {"rows": count, "inserts_per_second": _insert_rate(store, count)}
        extra = records(1000, 3 * count)
        found["pages"] = [_page(store, name, query, next(extra)) for name, query in _queries(count) if only in name]
        found["pages"] += [_turns(store, name, query, extra) for name, query in _in_turn() if only in name]
        store.close()
    return found


def _insert_rate(store: LogStore, count: int) -> float:
    batch = list(records(min(count, 2000), 2 * count))
    began = time.perf_counter()
    for record in batch:
        store.add(record)
    return len(batch) / (time.perf_counter() - began)


def _page(store: LogStore, name: str, query: str, extra: LogRecord) -> dict[str, Any]:
    asked = parse_list_query(query)

    def once() -> tuple[float, int]:
        began = time.perf_counter()
        _, info = store.list("acct", "gw", asked)
        return (time.perf_counter() - began) * 1000, info["total_count"]

    first, matches = once()
    again = statistics.median(once()[0] for _ in range(3))
    store.add(extra)
    return {"query": name, "first_ms": first, "again_ms": again, "after_ms": once()[0], "matches": matches}


def _turns(store: LogStore, name: str, query: str, extra: Iterator[LogRecord]) -> dict[str, Any]:
    """Read eleven pages, one after the other: the first, those after it, and the last after a write."""
    asked = replace(parse_list_query(query), per_page=50)
    pages = store.list("acct", "gw", asked)[1]["total_count"] // 50
    middle = pages // 3
    times: list[float] = []
    for page in range(middle, middle + 11):
        if page == middle + 10:
            store.add(next(extra))
        began = time.perf_counter()
        _, info = store.list("acct", "gw", replace(asked, page=page))
        times.append((time.perf_counter() - began) * 1000)
    found = {"query": f"{name}, pages {middle} to {middle + 10} in turn", "matches": info["total_count"]}
    return {**found, "first_ms": times[0], "again_ms": statistics.median(times[1:10]), "after_ms": times[10]}


def main() -> None:
    """Measure, and print one line a query."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="queries whose name has this in it")
    arguments = parser.parse_args()
    found = measure_pages(arguments.rows, arguments.only)
    for page in found["pages"]:
        times = " ".join(f"{page[name]:9.1f}" for name in ("first_ms", "again_ms", "after_ms"))
        print(f"{times} ms  {page['matches']:9,}  {page['query'] or 'all'}")
    print(f"{found['inserts_per_second']:,.0f} inserts a second")


if __name__ == "__main__":
    main()
