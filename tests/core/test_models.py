"""What comes back: response headers, logs, completions; frozen, and with what nobody told us of."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from aigw import ChatCompletion, ChatCompletionChunk, EmbeddingResult, GatewayLog, LogPage, ResponseInfo, RunResult
from aigw._facts import parse_info
from aigw._http import Headers

INFO = ResponseInfo(log_id="01LOG")


def test_every_documented_response_header_is_read():
    headers = Headers(
        [
            ("CF-AIG-Log-Id", "0199a1b2"),
            ("cf-aig-event-id", "evt"),
            ("cf-aig-request-id", "req"),
            ("cf-aig-cache-status", "HIT"),
            ("cf-aig-step", "2"),
            ("cf-aig-provider", "openai"),
            ("cf-aig-model", "gpt-5-mini"),
            ("cf-aig-dlp", '{"findings": [], "action": "FLAG"}'),
            ("cf-aig-routed-model", "openai/gpt-5-mini"),
            ("cf-aig-routing-reason", "cost_optimal_within_pool"),
            ("cf-aig-routing-decision-id", "d1"),
            ("content-type", "application/json"),
        ]
    )

    assert parse_info(headers, status=200, gateway_id="gw").to_dict() == {
        "log_id": "0199a1b2",
        "event_id": "evt",
        "request_id": "req",
        "gateway_id": "gw",
        "cache_status": "HIT",
        "step": 2,
        "provider": "openai",
        "model": "gpt-5-mini",
        "dlp": {"findings": [], "action": "FLAG"},
        "routed_model": "openai/gpt-5-mini",
        "routing_reason": "cost_optimal_within_pool",
        "routing_decision_id": "d1",
        "status_code": 200,
    }


def test_an_unknown_gateway_header_is_kept():
    assert parse_info(Headers([("cf-aig-run-id", "r1")]), status=200).run_id == "r1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cf-aig-step", "first"),
        ("cf-aig-step", "-1"),
        ("cf-aig-step", "٣"),
        ("cf-aig-dlp", "{broken"),
        ("cf-aig-dlp", "[1]"),
        ("cf-aig-log-id", ""),
        ("cf-aig-authorization", "Bearer x"),
        ("cf-aig-status-code", "many"),
    ],
)
def test_what_cannot_be_read_is_left_out(name, value):
    assert parse_info(Headers([(name, value)]), status=200).to_dict() == {"status_code": 200}


def test_the_facts_are_frozen_and_print_only_what_is_set():
    with pytest.raises(ValidationError, match="frozen"):
        INFO.log_id = "other"
    assert repr(INFO) == "ResponseInfo(log_id='01LOG')"


@pytest.mark.parametrize(
    ("metadata", "read"),
    [
        ({"user": "ann"}, {"user": "ann"}),
        ('{"user": "ann", "n": 1}', {"user": "ann", "n": 1}),
        ("", None),
        ("not json", None),
        ("[1]", None),
        (None, None),
    ],
)
def test_a_logs_metadata_is_read_as_object_or_string(metadata, read):
    assert GatewayLog.model_validate({"id": "1", "metadata": metadata}).metadata == read


def test_a_log_keeps_known_and_unknown_fields():
    log = GatewayLog.model_validate(
        {
            "id": "01LOG",
            "created_at": "2026-10-08T10:00:00Z",
            "duration": 12,
            "tokens_in": None,
            "cost": 0.5,
            "feedback": 1,
            "score": 100,
            "wholesale": True,
        }
    )

    assert log.created_at == datetime(2026, 10, 8, 10, tzinfo=UTC)
    assert (log.duration, log.tokens_in, log.cost, log.feedback, log.score) == (12, None, 0.5, 1, 100)
    assert log.wholesale is True
    with pytest.raises(ValidationError, match="frozen"):
        log.score = 1


@pytest.mark.parametrize(
    ("fields", "complete"),
    [
        ({"cost": 0, "request_head": "{}", "response_head": "{}"}, True),
        ({"cost": 0.1, "request_head": "", "response_head": ""}, True),
        ({"request_head": "{}", "response_head": "{}"}, False),
        ({"cost": 0, "request_head": None, "response_head": "{}"}, False),
        ({"cost": 0, "request_head": "{}"}, False),
    ],
)
def test_a_log_is_complete_once_cost_and_heads_are_there(fields, complete):
    assert GatewayLog.model_validate({"id": "1", **fields}).is_complete is complete


def test_a_page_of_nothing_is_empty():
    assert LogPage().logs == ()


def test_a_completion_tells_its_text_and_keeps_the_raw_json():
    raw = {
        "choices": [{"index": 0, "message": {"content": "Hi", "reasoning_content": "hm"}, "logprobs": None}],
        "usage": {"prompt_tokens": 1, "neurons": 0.5},
        "service_tier": "default",
    }
    completion = ChatCompletion.from_raw(raw, INFO)

    assert (completion.text, completion.info, completion.raw) == ("Hi", INFO, raw)
    assert completion.service_tier == "default"
    assert completion.choices[0].message.reasoning_content == "hm"
    assert (completion.usage.prompt_tokens, completion.usage.neurons) == (1, 0.5)


@pytest.mark.parametrize(
    "choices",
    [[], [{}], [{"message": None}], [{"message": {"content": None}}], [{"message": {"content": [{"type": "text"}]}}]],
)
def test_a_completion_without_text_has_an_empty_one(choices):
    assert ChatCompletion.from_raw({"choices": choices}, INFO).text == ""


@pytest.mark.parametrize(
    ("choices", "text"),
    [([{"delta": {"content": "Hi"}}], "Hi"), ([], ""), ([{"delta": {}}], ""), ([{"delta": None}], "")],
)
def test_a_chunk_tells_the_text_it_adds(choices, text):
    assert ChatCompletionChunk.from_raw({"choices": choices}, None).text == text


def test_vectors_come_in_the_order_of_the_texts():
    result = EmbeddingResult.model_validate(
        {"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}], "info": INFO}
    )

    assert result.vectors == [[1.0], [2.0]]


def test_vectors_without_numbers_keep_their_order():
    result = EmbeddingResult.model_validate({"data": [{"embedding": [2.0]}, {"embedding": [1.0]}], "info": INFO})

    assert result.vectors == [[2.0], [1.0]]


def test_a_result_can_be_indexed_directly():
    assert RunResult(output={"usage": {"n": 1}}, info=INFO)["usage"] == {"n": 1}
    assert RunResult(output=["a"], info=INFO)[0] == "a"
