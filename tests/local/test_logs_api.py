from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cloudflare
import httpx
import pytest
from cloudflare.types.ai_gateway import LogGetResponse, LogListResponse

from aigw.local._logs._record import LogRecord
from aigw.local._logs._store import LogStore
from aigw.local._management._logs import answer_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.local._reply import Reply


@pytest.fixture
def store() -> Iterator[LogStore]:
    store = LogStore()
    store.add_many(
        LogRecord(
            account="acct",
            gateway="gw",
            id=f"log-{number}",
            created_at=1_790_000_000_000 + number,
            provider="openai",
            model="gpt-4.1",
            path="chat/completions",
            request_content_type="application/json",
            response_content_type="text/event-stream",
            request_head="{}",
            request_body=b"{}",
            response_body=b"data: [DONE]\n\n" if number else None,
            metadata={"n": number},
        )
        for number in range(3)
    )
    yield store
    store.close()


def ask(store: LogStore, method: str, *tail: str, query: str = "", body: bytes = b"") -> Reply:
    return answer_logs(store, method, "acct", "gw", tail, query, body)


def read(reply: Reply) -> tuple[int, object]:
    return reply.status, json.loads(reply.body)


def refused(status: int, code: int, message: str) -> tuple[int, object]:
    return status, {
        "result": None,
        "success": False,
        "errors": [{"code": code, "message": message}],
        "messages": [],
    }


def test_the_list_is_in_the_rest_envelope_with_result_info(store):
    status, body = read(ask(store, "GET", query="per_page=2"))
    assert status == 200
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    assert [log["id"] for log in body["result"]] == ["log-2", "log-1"]
    assert (body["result_info"]["count"], body["result_info"]["total_count"]) == (2, 3)


def test_one_log_is_the_result(store):
    status, body = read(ask(store, "GET", "log-1"))
    assert (status, body["result"]["id"], body["result"]["request_head"]) == (200, "log-1", "{}")


def test_a_patch_answers_an_empty_result(store):
    assert read(ask(store, "PATCH", "log-1", body=b'{"feedback":1,"score":100,"metadata":{"a":"b"}}')) == (
        200,
        {"result": {}, "success": True, "errors": [], "messages": []},
    )
    log = store.get("acct", "gw", "log-1")
    assert (log["feedback"], log["score"], log["metadata"]) == (1, 100, {"n": 1, "a": "b"})


def test_raw_bodies_keep_their_content_type(store):
    request, response = ask(store, "GET", "log-1", "request"), ask(store, "GET", "log-1", "response")
    assert (request.headers, request.body) == ((("content-type", "application/json"),), b"{}")
    assert (response.headers, response.body) == ((("content-type", "text/event-stream"),), b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("GET", ("nobody",)),
        ("PATCH", ("nobody",)),
        ("GET", ("nobody", "request")),
        ("GET", ("log-0", "response")),
    ],
)
def test_what_is_not_there_is_code_7002(store, method, tail):
    assert read(ask(store, method, *tail, body=b"{}")) == refused(404, 7002, "Log not found")


@pytest.mark.parametrize("tail", [("log-1", "neither"), ("log-1", "request", "more"), ("",)])
def test_an_unknown_path_is_not_found(store, tail):
    assert read(ask(store, "GET", *tail)) == refused(404, 7002, "Not found")


def test_a_wrong_parameter_is_code_7001(store):
    assert read(ask(store, "GET", query="order_by_direction=up")) == refused(
        400, 7001, "order_by_direction: expected one of asc, desc; got 'up'"
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is not JSON"),
        (b"[1]", "expected a JSON object with feedback, score, metadata"),
        (b'{"feedback":5}', "feedback: expected -1, 0, 1 or null; got 5"),
    ],
)
def test_a_wrong_patch_is_code_7001(store, body, sentence):
    assert read(ask(store, "PATCH", "log-1", body=body)) == refused(400, 7001, sentence)


def test_a_wrong_method_is_told_the_right_ones(store):
    reply = ask(store, "POST")
    assert reply.status == 405
    assert ("allow", "GET, DELETE") in reply.headers


def test_a_delete_answers_success_alone(store):
    assert read(ask(store, "DELETE", query="limit=2")) == (200, {"success": True})
    assert [log["id"] for log in read(ask(store, "GET"))[1]["result"]] == ["log-0"]


def test_rows_are_valid_in_the_official_models_but_for_metadata(store):
    """The published schema says metadata is a string; the service was seen to send an object."""
    rows = read(ask(store, "GET"))[1]["result"]
    detail = read(ask(store, "GET", "log-1"))[1]["result"]
    assert LogListResponse.model_validate({**rows[0], "metadata": None}, strict=False).id == "log-2"
    assert LogGetResponse.model_validate({**detail, "metadata": None}, strict=False).request_head_complete is True


@pytest.fixture
def sdk(store) -> Iterator[cloudflare.Cloudflare]:
    def answer(request: httpx.Request) -> httpx.Response:
        prefix = "/client/v4/accounts/acct/ai-gateway/gateways/gw/logs"
        assert request.url.path.startswith(prefix)
        tail = tuple(request.url.path.removeprefix(prefix).split("/")[1:])
        reply = answer_logs(store, request.method, "acct", "gw", tail, request.url.query.decode(), request.read())
        return httpx.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http_client = httpx.Client(transport=httpx.MockTransport(answer))
    with cloudflare.Cloudflare(api_token="test-token", http_client=http_client, max_retries=0) as client:
        yield client


def test_the_official_sdk_pages_through_the_list(sdk):
    logs = sdk.ai_gateway.logs.list("gw", account_id="acct", per_page=2)
    assert [log.id for log in logs] == ["log-2", "log-1", "log-0"]


def test_the_official_sdk_filters_and_searches(sdk):
    only = [{"key": "id", "operator": "eq", "value": ["log-1", "log-2"]}]
    assert [log.id for log in sdk.ai_gateway.logs.list("gw", account_id="acct", filters=only)] == ["log-2", "log-1"]
    assert [log.id for log in sdk.ai_gateway.logs.list("gw", account_id="acct", search="none")] == []


def test_the_official_sdk_edits_and_gets(sdk):
    assert sdk.ai_gateway.logs.edit("log-1", account_id="acct", gateway_id="gw", feedback=-1, score=0.5) == {}
    log = sdk.ai_gateway.logs.get("log-1", account_id="acct", gateway_id="gw")
    assert (log.id, log.created_at.year, log.duration) == ("log-1", 2026, 0)
    assert (log.model_extra["feedback"], log.metadata) == (-1, {"n": 1})


def test_the_official_sdk_reads_payloads_and_deletes(sdk):
    assert sdk.ai_gateway.logs.request("log-1", account_id="acct", gateway_id="gw") == {}
    assert sdk.ai_gateway.logs.response("log-1", account_id="acct", gateway_id="gw") == "data: [DONE]\n\n"
    assert sdk.ai_gateway.logs.delete("gw", account_id="acct").success is True
    assert list(sdk.ai_gateway.logs.list("gw", account_id="acct")) == []


def test_the_official_sdk_sees_a_missing_log_as_not_found(sdk):
    with pytest.raises(cloudflare.NotFoundError) as caught:
        sdk.ai_gateway.logs.get("nobody", account_id="acct", gateway_id="gw")
    assert caught.value.errors[0].code == 7002
