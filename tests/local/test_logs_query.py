from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from aigw.local._logs._query import (
    Filter,
    InvalidLogQueryError,
    LogQuery,
    parse_delete_query,
    parse_list_query,
)
from aigw.local._logs._sql import order, where


def filters(*items: object) -> str:
    return urlencode({"filters": json.dumps(items)})


def test_no_query_is_the_newest_twenty():
    assert parse_list_query("") == LogQuery((), "", "created_at", descending=True, page=1, per_page=20, limit=None)


def test_every_plain_parameter_is_read():
    query = "order_by=model&order_by_direction=asc&page=2&per_page=50&search=a%20b&meta_info=true&nobody=knows"
    assert parse_list_query(query) == LogQuery((), "a b", "model", descending=False, page=2, per_page=50)


def test_filters_come_as_one_json_array():
    query = filters(
        {"key": "provider", "operator": "eq", "value": ["openai", "anthropic"]},
        {"key": "cost", "operator": "gt", "value": ["0.5"]},
        {"key": "success", "operator": "eq", "value": ["false"]},
        {"key": "created_at", "operator": "lt", "value": ["2026-10-08T00:00:00.5Z"]},
        {"key": "metadata.value", "operator": "eq", "value": [True, 3, None]},
    )
    assert parse_list_query(query).filters == (
        Filter("provider", "eq", ("openai", "anthropic")),
        Filter("cost", "gt", (0.5,)),
        Filter("success", "eq", (0,)),
        Filter("created_at", "lt", (1_791_417_600_500,)),
        Filter("metadata.value", "eq", ("true", "3", None)),
    )


def test_a_single_value_and_a_single_filter_need_no_array():
    query = urlencode({"filters": '{"key":"event_id","operator":"eq","value":"e"}'})
    assert parse_list_query(query).filters == (Filter("event_id", "eq", ("e",)),)


def test_the_dotted_form_of_the_official_sdks_is_read():
    query = "filters.key=model&filters.operator=eq&filters.value=gpt-4.1&filters.value=gpt-5"
    assert parse_list_query(query).filters == (Filter("model", "eq", ("gpt-4.1", "gpt-5")),)


def test_several_dotted_filters_are_refused():
    query = "filters.key=model&filters.operator=eq&filters.value=a&filters.key=id&filters.operator=eq&filters.value=b"
    with pytest.raises(InvalidLogQueryError, match="only as one JSON array"):
        parse_list_query(query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cached=true", Filter("cached", "eq", (1,))),
        ("success=0", Filter("success", "eq", (0,))),
        ("provider=openai", Filter("provider", "eq", ("openai",))),
        ("model_type=x", Filter("model_type", "eq", ("x",))),
        ("start_date=2026-10-08", Filter("created_at", "ge", (1_791_417_600_000,))),
        ("end_date=2026-10-08T02:00:00%2B02:00", Filter("created_at", "le", (1_791_417_600_000,))),
        ("min_cost=0.1", Filter("cost", "ge", (0.1,))),
        ("max_total_tokens=7", Filter("tokens", "le", (7.0,))),
        ("feedback=0", Filter("feedback", "eq", (0, -1))),
        ("feedback=1", Filter("feedback", "eq", (1,))),
    ],
)
def test_a_deprecated_parameter_is_a_filter(query, expected):
    assert parse_list_query(query).filters == (expected,)


def test_the_deprecated_direction_gives_way_to_the_new_one():
    assert parse_list_query("direction=asc").descending is False
    assert parse_list_query("direction=asc&order_by_direction=desc").descending is True


def test_a_delete_has_a_limit_and_more_orders():
    assert parse_delete_query("limit=5&order_by=cost&order_by_direction=asc") == LogQuery(
        order_by="cost", descending=False, limit=5
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "order_by=cost",
            "order_by: expected one of created_at, provider, model, model_type, success, cached; got 'cost'",
        ),
        ("order_by_direction=up", "order_by_direction: expected one of asc, desc; got 'up'"),
        ("per_page=51", "per_page: expected an integer from 1 to 50; got '51'"),
        ("per_page=0", "per_page: expected an integer from 1 to 50; got '0'"),
        ("page=-1", "page: expected an integer from 1 to 184467440737095516; got '-1'"),
        ("meta_info=maybe", "meta_info: expected true or false; got 'maybe'"),
        ("start_date=soon", "start_date: expected an RFC 3339 time; got 'soon'"),
        ("min_cost=cheap", "min_cost: expected a number; got 'cheap'"),
        ("feedback=-1", "feedback: expected one of 0, 1; got '-1'"),
        ("filters=nonsense", "filters: expected a JSON array of {key, operator, value}"),
        ("filters=[1]", "filters: each must be an object {key, operator, value}"),
        (
            filters({"key": "cost", "operator": "contains", "value": [1]}),
            "filters.operator of cost: expected one of eq, neq, lt, gt; got 'contains'",
        ),
        (
            filters({"key": "model", "operator": "like", "value": ["x"]}),
            "filters.operator of model: expected one of eq, neq, contains, lt, gt; got 'like'",
        ),
        (
            filters({"key": "model", "operator": "eq", "value": []}),
            "filters.value of model: expected at least one value",
        ),
        (
            filters({"key": "cost", "operator": "lt", "value": [None]}),
            "filters.value of cost: expected a number; got None",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_name(query, sentence):
    with pytest.raises(InvalidLogQueryError) as caught:
        parse_list_query(query)
    assert str(caught.value) == sentence


def test_an_unknown_filter_key_is_refused_with_the_known_ones():
    with pytest.raises(
        InvalidLogQueryError, match=r"filters.key: expected one of id, created_at, .*user_agent; got 'x'"
    ):
        parse_list_query(filters({"key": "x", "operator": "eq", "value": ["y"]}))


def test_values_never_stand_in_the_sql():
    query = LogQuery(
        (Filter("model", "neq", ("'; --", "b")), Filter("model", "contains", ("5%_\\",))), order_by="model"
    )
    text, values = where("acct", "gw", query)
    assert text == (
        "logs.account = ? AND logs.gateway = ? AND NOT (logs.model IS ? OR logs.model IS ?)"
        " AND (logs.model LIKE ? ESCAPE '\\')"
    )
    assert values == ("acct", "gw", "'; --", "b", "%5\\%\\_\\\\%")
    assert order(query) == "logs.model DESC, logs.created_at DESC, logs.id DESC"
