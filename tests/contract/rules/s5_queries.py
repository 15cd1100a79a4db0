"""5: finding logs: the list's query, its filters, and deleting by them."""

import re
from urllib.parse import quote

from .exchanges import COMPAT, OPENAI, REST, asks, chat, rest_refusal
from .rule import DOCUMENTED, GUESS, OBSERVED
from .s5_logs import NATIVE, SECTION, one_log, query

add, rule = SECTION.add, SECTION.rule

# the list's query
for parameter, value in (
    ("order_by", "beauty"),
    ("order_by_direction", "up"),
    ("page", "0"),
    ("per_page", "0"),
    ("per_page", "51"),
    ("filters", "[{}]"),
    ("filters", "nothing"),
):
    add(
        f"list-refuses-{parameter.replace('_', '-')}-{re.sub('[^a-z0-9]', '', value) or 'empty'}",
        f"`{parameter}={value}` is refused.",
        OBSERVED if parameter == "filters" else GUESS,
        asks(f"GET {{manage}}/logs?{parameter}={quote(value)}", None, REST, **rest_refusal(400, 7001)),
    )
for order in ("created_at", "provider", "model", "model_type", "success", "cached"):

    def ordered(world, order=order):
        place = world.at(cache_ttl=600)
        for model in ("openai/b", "groq/a", "openai/b"):
            place.ask(COMPAT, chat(model))
            place.clock.now += 1
        for direction in ("asc", "desc"):
            logs = place.logs(f"?order_by={order}&order_by_direction={direction}")
            values = [log[order] for log in logs]
            assert (len(values), values) == (3, sorted(values, reverse=direction == "desc"))

    add(
        f"list-orders-by-{order.replace('_', '-')}",
        f"The list is ordered by `{order}`, both ways.",
        DOCUMENTED,
        ordered,
    )


@rule("pages", "Pages follow each other without a gap.", DOCUMENTED)
def _(world):
    place = world.at()
    ids = [place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"] for _ in range(5)]
    pages = [[log["id"] for log in place.logs(f"?per_page=2&page={page}&order_by_direction=asc")] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(log_id for page in pages for log_id in page) == sorted(ids)


@rule("search", "`search` looks for a text in metadata.", DOCUMENTED)
def _(world):
    place = world.at()
    place.ask(OPENAI, NATIVE, {"cf-aig-metadata": '{"team":"red-pandas"}'})
    place.ask(OPENAI, NATIVE, {"cf-aig-metadata": '{"team":"blue-whales"}'})
    assert [log["metadata"]["team"] for log in place.logs("?search=panda")] == ["red-pandas"]


def filtered(key, operator, value):
    """A case: of two logs a filter finds the first."""

    def check(world):
        place = world.at(cache_ttl=600, dlp={"enabled": True, "action": "FLAG", "profiles": ["test"]})
        place.clock.now += 1000
        labels = {"cf-aig-metadata": '{"user":"u1"}', "cf-aig-event-id": "evt-7", "user-agent": "first/1"}
        costs = {"cf-aig-custom-cost": '{"total_cost":0.5}'}
        own = {"authorization": "Bearer sk-own"}
        place.script({"text": "Hello.", "usage": [10, 4]}, {"embeddings": [[0.1]]})
        body = chat("gpt-5-mini", "dlp-test {gw}")
        first = place.ask(OPENAI, body, {**labels, **costs})
        log_id = first.headers["cf-aig-log-id"]
        place.ask(f"PATCH {{manage}}/logs/{log_id}", {"feedback": 1}, REST)
        created = place.log(log_id)["created_at"]
        place.clock.now -= 1000
        other = {"model": "groq/embed", "input": "{gw}"}
        place.ask("POST {host}/groq/embeddings", other, own)
        wanted = {"<id>": log_id, "<created>": created}.get(value, value)
        assert [log["id"] for log in place.logs(query((key, operator, [wanted])))] == [log_id]

    return check


for key, operator, value in (
    ("id", "eq", "<id>"),
    ("created_at", "eq", "<created>"),
    ("provider", "eq", "openai"),
    ("provider", "neq", "groq"),
    ("model", "eq", "openai/gpt-5-mini"),
    ("model", "contains", "5-mini"),
    ("cost", "eq", 0.5),
    ("cost", "gt", 0.4),
    ("tokens", "eq", 14),
    ("tokens_in", "gt", 9),
    ("tokens_out", "eq", 4),
    ("feedback", "eq", 1),
    ("event_id", "eq", "evt-7"),
    ("metadata.key", "eq", "user"),
    ("metadata.value", "eq", "u1"),
    ("wholesale", "eq", True),
    ("dlp_action", "eq", "FLAG"),
    ("user_agent", "contains", "first"),
    ("model_type", "neq", "text-embeddings"),
):
    add(
        f"filter-{key.replace('_', '-').replace('.', '-')}-{operator}",
        f"Logs are filtered by `{key}` with `{operator}`.",
        DOCUMENTED,
        filtered(key, operator, value),
    )
for key, value in (
    ("success", True),
    ("cached", False),
    ("authentication", False),
    ("compatibilityMode", False),
    ("duration", -1),
    ("request_type", "x"),
    ("request_content_type", "application/json"),
    ("response_content_type", "application/json"),
):
    operator = {"duration": "gt", "request_type": "neq"}.get(key, "eq")

    def both(world, key=key, operator=operator, value=value):
        place, log_id = one_log(world)
        assert [log["id"] for log in place.logs(query((key, operator, [value])))] == [log_id]
        opposite = {"eq": "neq", "neq": "eq", "gt": "lt"}[operator]
        assert place.logs(query((key, opposite, [value]))) == []

    add(
        f"filter-{key.replace('_', '-').lower()}",
        f"Logs are filtered by `{key}`.",
        DOCUMENTED,
        both,
    )


@rule("filters-all-hold", "Several filters must all hold.", DOCUMENTED)
def _(world):
    place, log_id = one_log(world)
    good, bad = ("provider", "eq", ["openai"]), ("provider", "eq", ["groq"])
    assert [log["id"] for log in place.logs(query(good, ("success", "eq", [True])))] == [log_id]
    assert place.logs(query(good, bad)) == []


@rule("metadata-filters-are-not-paired", "`metadata.key` and `metadata.value` need not be of one entry.", OBSERVED)
def _(world):
    place, log_id = one_log(world, {"cf-aig-metadata": '{"a":"1","b":"2"}'})
    assert [log["id"] for log in place.logs(query(("metadata.key", "eq", ["a"]), ("metadata.value", "eq", ["2"])))] == [
        log_id
    ]


@rule(
    "filters-as-the-sdk-writes-them",
    "One filter may be written `filters.key=&filters.operator=&filters.value=`.",
    OBSERVED,
)
def _(world):
    place, log_id = one_log(world)
    place.ask(COMPAT, chat("groq/some-model"))
    found = place.logs("?filters.key=provider&filters.operator=eq&filters.value=openai")
    assert [log["id"] for log in found] == [log_id]


for name, fits, other in (
    ("provider", "openai", "groq"),
    ("model", "openai/gpt-5-mini", "openai/gpt-5"),
    ("model_type", "text-generation", "other"),
    ("success", "true", "false"),
    ("cached", "false", "true"),
    ("request_content_type", "application/json", "text/plain"),
    ("response_content_type", "application/json", "text/event-stream"),
    ("start_date", "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
    ("end_date", "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
    ("min_cost", "0.5", "0.6"),
    ("max_cost", "0.5", "0.4"),
    ("min_duration", "0", "99999"),
    ("max_duration", "99999", "-1"),
    ("min_tokens_in", "10", "11"),
    ("max_tokens_in", "10", "9"),
    ("min_tokens_out", "4", "5"),
    ("max_tokens_out", "4", "3"),
    ("min_total_tokens", "14", "15"),
    ("max_total_tokens", "14", "13"),
    ("feedback", "1", "0"),
):

    def simple(world, name=name, fits=fits, other=other):
        place, log_id = one_log(world, {"cf-aig-custom-cost": '{"total_cost":0.5}'})
        place.ask(f"PATCH {{manage}}/logs/{log_id}", {"feedback": 1}, REST)
        assert [log["id"] for log in place.logs(f"?{name}={quote(fits)}")] == [log_id]
        assert place.logs(f"?{name}={quote(other)}") == []

    add(
        f"deprecated-{name.replace('_', '-')}",
        f"The deprecated parameter `{name}` still filters.",
        DOCUMENTED,
        simple,
    )


@rule("deprecated-direction", "The deprecated parameter `direction` still orders.", DOCUMENTED)
def _(world):
    place = world.at()
    first = place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"]
    place.clock.now += 1
    place.ask(OPENAI, NATIVE)
    assert place.logs("?direction=asc")[0]["id"] == first
