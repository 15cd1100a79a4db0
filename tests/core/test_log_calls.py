"""Calls on logs, described: URLs, bodies, queries, and what is refused before any request."""

import json
from functools import partial
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest

from aigw import APIStatusError, ConfigurationError, LogNotFoundError, ResponseInfo
from aigw._account import Account
from aigw._calls import _log_calls
from aigw._http import Headers, Response

ACCOUNT = Account("acct", "cf-token", "gw", logs_token="logs-token")
LOGS = "https://api.cloudflare.com/client/v4/accounts/acct/ai-gateway/gateways/gw/logs"
INFO = ResponseInfo()


def read(call, body, status=200):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call.read(Response(status, Headers([("content-type", "application/json")]), content), INFO)


def query(**parameters):
    url = urlsplit(_log_calls.list_logs(ACCOUNT, "gw", **parameters).request.url)
    return {name: value for name, (value,) in parse_qs(url.query).items()}


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"feedback": 1}, {"feedback": 1}),
        ({"feedback": -1}, {"feedback": -1}),
        ({"feedback": 0}, {"feedback": 0}),
        ({"feedback": None}, {"feedback": None}),
        ({"score": 100}, {"score": 100}),
        ({"score": -0.5}, {"score": -0.5}),
        ({"score": None}, {"score": None}),
        ({"metadata": {"user": "123", "ok": True}}, {"metadata": {"user": "123", "ok": True}}),
        ({"metadata": None}, {"metadata": None}),
        ({"feedback": 1, "score": 100, "metadata": {"a": 1}}, {"feedback": 1, "score": 100, "metadata": {"a": 1}}),
    ],
)
def test_a_patch_says_what_is_given_and_nothing_else(changes, body):
    request = _log_calls.patch_log(ACCOUNT, "gw", "01LOG", **changes).request

    assert (request.method, request.url) == ("PATCH", f"{LOGS}/01LOG")
    assert json.loads(request.content) == body
    assert request.headers == (("authorization", "Bearer logs-token"), ("content-type", "application/json"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "changes nothing"),
        ({"feedback": 2}, "feedback cannot be 2: it is 1 (good), -1 (bad), 0, or None"),
        ({"feedback": True}, "feedback cannot be True"),
        ({"feedback": "up"}, "feedback cannot be 'up'"),
        ({"feedback": 0.5}, "feedback cannot be 0.5"),
        ({"score": "100"}, "score cannot be '100': it is a finite number"),
        ({"score": float("nan")}, "score cannot be nan"),
        ({"score": float("inf")}, "score cannot be inf"),
        ({"score": True}, "score cannot be True"),
        ({"metadata": {}}, "metadata cannot be {}"),
        ({"metadata": [1]}, "metadata cannot be [1]"),
        ({"metadata": {"a": None}}, "metadata cannot be"),
        ({"metadata": {"a": {}}}, "no nesting"),
        ({"metadata": dict.fromkeys("abcdef", 1)}, "at most 5"),
        ({"metadata": {"cf.x": 1}}, "'cf.'"),
    ],
)
def test_a_patch_that_is_not_allowed_is_refused(changes, words):
    with pytest.raises(ConfigurationError) as refusal:
        _log_calls.patch_log(ACCOUNT, "gw", "01LOG", **changes)

    assert words in str(refusal.value)


@pytest.mark.parametrize("log_id", ["", " ", ".", "..", None, 5])
def test_what_is_no_log_id_is_refused(log_id):
    for describe in (_log_calls.get_log, _log_calls.patch_log):
        with pytest.raises(ConfigurationError, match="log_id cannot be"):
            describe(ACCOUNT, "gw", log_id, **({"feedback": 1} if describe is _log_calls.patch_log else {}))


@pytest.mark.parametrize(
    "describe",
    [
        _log_calls.get_log,
        partial(_log_calls.patch_log, feedback=1),
        partial(_log_calls.log_body, part="request"),
        partial(_log_calls.log_body, part="response"),
    ],
)
def test_a_call_without_a_log_id_is_told_why_it_has_none(describe):
    with pytest.raises(ConfigurationError, match=r"^log_id cannot be None: the call has no log, .*collect_log"):
        describe(ACCOUNT, "gw", None)


def test_metadata_of_a_patch_may_be_any_mapping():
    patch = _log_calls.patch_log(ACCOUNT, "gw", "01LOG", metadata=MappingProxyType({"a": "b"}))
    assert patch.request.content == b'{"metadata":{"a":"b"}}'


def test_a_log_id_stays_one_path_segment():
    assert _log_calls.get_log(ACCOUNT, "gw", "../a/b?c#d e%").request.url == f"{LOGS}/..%2Fa%2Fb%3Fc%23d%20e%25"


@pytest.mark.parametrize("part", ["request", "response"])
def test_a_bodys_url_ends_in_its_part(part):
    assert _log_calls.log_body(ACCOUNT, "gw", "01LOG", part).request.url == f"{LOGS}/01LOG/{part}"


def test_a_page_is_asked_for_with_its_defaults():
    assert query() == {"page": "1", "per_page": "20", "order_by": "created_at", "order_by_direction": "desc"}


def test_filters_are_one_json_array():
    filters = [
        {"key": "metadata.value", "operator": "eq", "value": "Köln & Bonn"},
        {"key": "cost", "operator": "gt", "value": [0.5]},
        {"key": "model", "operator": "eq", "value": ("a", "b")},
    ]

    assert json.loads(query(filters=filters)["filters"]) == [
        {"key": "metadata.value", "operator": "eq", "value": ["Köln & Bonn"]},
        {"key": "cost", "operator": "gt", "value": [0.5]},
        {"key": "model", "operator": "eq", "value": ["a", "b"]},
    ]


def test_search_order_and_page_travel_as_asked():
    asked = query(search="a b&c", order_by="model", direction="asc", page=3, per_page=50)

    assert asked == {
        "search": "a b&c",
        "order_by": "model",
        "order_by_direction": "asc",
        "page": "3",
        "per_page": "50",
    }


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"page": 0}, "page cannot be 0"),
        ({"page": 1.5}, "page cannot be 1.5"),
        ({"page": True}, "page cannot be True"),
        ({"per_page": 0}, "per_page cannot be 0: it is a whole number, 1 to 50"),
        ({"per_page": 51}, "per_page cannot be 51"),
        ({"order_by": "cost"}, "order_by cannot be 'cost': it is one of created_at"),
        ({"direction": "up"}, "direction cannot be 'up': it is one of asc, desc"),
        ({"filters": [{"key": "colour", "operator": "eq", "value": 1}]}, "filter key cannot be 'colour'"),
        ({"filters": [{"key": "cost", "operator": "=", "value": 1}]}, "filter operator cannot be '='"),
        ({"filters": [{"key": "cost", "value": 1}]}, "a log filter is a dict of key, operator and value"),
        ({"filters": ["cost>1"]}, "a log filter is a dict"),
    ],
)
def test_a_page_that_is_not_allowed_is_refused(parameters, words):
    with pytest.raises(ConfigurationError) as refusal:
        query(**parameters)

    assert words in str(refusal.value)


def test_a_page_is_read_with_its_counts():
    body = {
        "success": True,
        "result": [{"id": "1"}],
        "result_info": {"page": 2, "per_page": 1, "total_count": 9, "max_cost": 3},
    }
    page = read(_log_calls.list_logs(ACCOUNT, "gw"), body)

    assert ([log.id for log in page.logs], page.page, page.total_count, page.max_cost) == (["1"], 2, 9, 3)


def test_a_page_without_counts_is_read():
    assert read(_log_calls.list_logs(ACCOUNT, "gw"), {"success": True, "result": []}).logs == ()


def test_a_log_is_read_from_its_envelope():
    assert read(_log_calls.get_log(ACCOUNT, "gw", "1"), {"success": True, "result": {"id": "1", "cost": 1}}).cost == 1


def test_a_missing_log_is_its_own_error():
    body = {"success": False, "errors": [{"code": 7002, "message": "Log not found"}], "result": None}
    for call in (
        _log_calls.get_log(ACCOUNT, "gw", "1"),
        _log_calls.patch_log(ACCOUNT, "gw", "1", feedback=1),
        _log_calls.log_body(ACCOUNT, "gw", "1", "request"),
    ):
        with pytest.raises(LogNotFoundError, match="Log not found"):
            read(call, body, 404)


@pytest.mark.parametrize("body", [b"", b'{"success": true, "result": {}}', b"{}"])
def test_a_patch_gives_nothing_back(body):
    assert read(_log_calls.patch_log(ACCOUNT, "gw", "1", feedback=1), body) is None


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"success": false}', b'{"success": false, "errors": [{"code": 7001}]}']
)
def test_a_patch_that_was_not_done_is_an_error(body):
    with pytest.raises(APIStatusError):
        read(_log_calls.patch_log(ACCOUNT, "gw", "1", feedback=1), body)


@pytest.mark.parametrize(("body", "value"), [(b'{"a": 1}', {"a": 1}), (b"data: x\n\n", b"data: x\n\n"), (b"", b"")])
def test_a_logs_body_is_decoded_json_or_bytes(body, value):
    assert read(_log_calls.log_body(ACCOUNT, "gw", "1", "response"), body) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", "\ud800", object(), [float("nan")]])
def test_a_filter_s_value_that_is_no_json_is_one_sentence(value):
    with pytest.raises(ConfigurationError, match=r"^log filters cannot be .*a value is text, a finite number"):
        query(filters=[{"key": "model", "operator": "eq", "value": value}])


def test_filters_that_are_no_list_are_one_sentence():
    with pytest.raises(ConfigurationError, match=r"^log filters cannot be 5: "):
        query(filters=5)


@pytest.mark.parametrize("value", ["\ud800", 5, b"text"])
def test_a_search_that_is_no_text_is_refused(value):
    with pytest.raises(ConfigurationError, match=r"^search cannot be "):
        query(search=value)


@pytest.mark.parametrize("part", ["request", "response"])
def test_a_body_that_is_not_there_may_not_have_been_kept(part):
    refusal = {"success": False, "errors": [{"code": 7002, "message": "Log not found"}]}
    with pytest.raises(LogNotFoundError, match=r"there is no such log, or its body was not kept .*get_log"):
        read(_log_calls.log_body(ACCOUNT, "gw", "01LOG", part), refusal, 404)
    with pytest.raises(LogNotFoundError, match=r"^Log not found \(HTTP 404, code 7002\)$"):
        read(_log_calls.get_log(ACCOUNT, "gw", "01LOG"), refusal, 404)


def test_a_log_id_that_no_url_can_hold_is_refused():
    with pytest.raises(ConfigurationError, match=r"^log_id cannot be "):
        _log_calls.get_log(ACCOUNT, "gw", "\ud800")
