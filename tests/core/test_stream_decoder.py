"""From a stream's bytes to its items: ends, errors, and what comes in place of a stream, cut at every place."""

import json
from itertools import pairwise

import pytest

from aigw import (
    APIStatusError,
    ChatCompletionChunk,
    GuardrailBlockedError,
    ResponseInfo,
    StreamError,
    StreamEvent,
    StreamTruncatedError,
)
from aigw._http import Headers
from aigw._streams import CHAT_EVENTS, CHAT_STREAM, EVENT_STREAM, RUN_STREAM, StreamDecoder

INFO = ResponseInfo(log_id="01LOG", status_code=200)
SECRET = "secret-token-123"


def sse(*values, end=b""):
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values) + end


def chunk(text=None, finish=None, index=0):
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]}


def decode(shape, *pieces, content_type="text/event-stream"):
    decoder = StreamDecoder(shape, Headers([("content-type", content_type)]), INFO, (SECRET,))
    items = [item for piece in pieces for item in decoder.feed(piece)]
    return items + list(decoder.close())


def outcome(shape, *pieces, content_type="text/event-stream"):
    """What a document means, comparable: its items, and then its error if it has one."""
    decoder = StreamDecoder(shape, Headers([("content-type", content_type)]), INFO)
    items = []
    try:
        for piece in pieces:
            items.extend(map(dict, decoder.feed(piece)))
        items.extend(map(dict, decoder.close()))
    except (StreamError, APIStatusError) as error:
        items.append((type(error).__name__, str(error)))
    return items


DONE = b"data: [DONE]\n\n"
WHOLE = {
    "id": "1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}
BLOCKED = {"success": False, "error": [{"code": 2016, "message": "Prompt blocked"}], "internalCode": 2016}

DOCUMENTS = [
    pytest.param(CHAT_EVENTS, sse(chunk("Hi"), chunk("!", "stop"), end=DONE), id="whole"),
    pytest.param(CHAT_EVENTS, sse(chunk("Hi\u2028Köln")), id="truncated"),
    pytest.param(CHAT_EVENTS, sse(chunk("Hi"), {"error": {"message": "boom", "code": 500}}), id="error"),
    pytest.param(CHAT_EVENTS, b"\r\n\r\n: hello\r\n\r\n" + sse(chunk("Hi", "stop")), id="blank-lines-first"),
    pytest.param(CHAT_EVENTS, b"\n" + sse(chunk("Hi", "stop")), id="newline-first"),
    pytest.param(CHAT_EVENTS, b"\xef\xbb\xbf" + sse(chunk("Hi", "stop")), id="bom"),
    pytest.param(CHAT_EVENTS, json.dumps(WHOLE).encode(), id="json"),
    pytest.param(CHAT_EVENTS, b" \n" + json.dumps(WHOLE, indent=1).encode() + b"\n", id="json-with-spaces"),
    pytest.param(CHAT_EVENTS, b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(), id="json-with-bom"),
    pytest.param(CHAT_EVENTS, json.dumps(BLOCKED).encode(), id="guardrail"),
    pytest.param(CHAT_EVENTS, b"<html><title>Login</title></html>", id="html"),
    pytest.param(CHAT_EVENTS, b"", id="empty"),
    pytest.param(EVENT_STREAM, b'event: message_stop\ndata: {"type": "message_stop"}\n\n', id="anthropic"),
    pytest.param(RUN_STREAM, sse({"response": "a"}, {"response": "b"}, end=DONE), id="workers-ai"),
]


@pytest.mark.parametrize(("shape", "document"), DOCUMENTS)
def test_a_document_cut_at_every_place_means_the_same(shape, document):
    expected = outcome(shape, document)

    for cut in range(len(document) + 1):
        assert outcome(shape, document[:cut], document[cut:]) == expected, cut
    assert outcome(shape, *(document[place : place + 1] for place in range(len(document)))) == expected


@pytest.mark.parametrize("cuts", [(3, 9), (1, 2), (10, 40)])
def test_three_pieces_mean_the_same(cuts):
    document = sse(chunk("Hi"), chunk("!", "stop"), end=DONE)
    pieces = [document[start:end] for start, end in pairwise([0, *cuts, len(document)])]

    assert outcome(CHAT_EVENTS, *pieces) == [chunk("Hi"), chunk("!", "stop")]


def test_only_the_first_item_has_the_info():
    items = decode(CHAT_STREAM, sse(chunk("a"), chunk("b", "stop"), end=DONE))

    assert [type(item) for item in items] == [ChatCompletionChunk, ChatCompletionChunk]
    assert [item.info for item in items] == [INFO, None]
    assert [item.text for item in items] == ["a", "b"]


def test_a_raw_event_is_a_dict_with_info_on_the_first():
    first, second = decode(CHAT_EVENTS, sse(chunk("a"), chunk("b", "stop"), end=DONE))

    assert isinstance(first, StreamEvent)
    assert first == chunk("a")
    assert (first.info, second.info) == (INFO, None)


def test_items_come_as_soon_as_their_bytes_do():
    decoder = StreamDecoder(CHAT_EVENTS, Headers(), INFO)

    assert list(decoder.feed(b"\n")) == []
    assert list(decoder.feed(sse(chunk("a")))) == [chunk("a")]


def test_a_stream_without_its_end_is_truncated_and_says_which_log():
    decoder = StreamDecoder(CHAT_EVENTS, Headers(), INFO)

    assert list(decoder.feed(sse(chunk("a")))) == [chunk("a")]
    with pytest.raises(StreamTruncatedError, match=r"before the answer was whole \(log 01LOG\)") as cut:
        list(decoder.close())
    assert (cut.value.info, cut.value.is_retryable) == (INFO, True)


def test_a_finish_reason_ends_a_stream_whose_provider_forgets_done():
    assert outcome(CHAT_EVENTS, sse(chunk("a"), chunk(None, "stop"))) == [chunk("a"), chunk(None, "stop")]


def test_usage_after_the_finish_reason_is_not_a_new_beginning():
    usage = {"choices": [], "usage": {"total_tokens": 3}}

    assert outcome(CHAT_EVENTS, sse(chunk("a", "stop"), usage)) == [chunk("a", "stop"), usage]


def test_every_answer_must_end_when_there_are_two():
    both = sse(chunk("a", index=0), chunk("b", index=1), chunk(None, "stop", 0))

    assert outcome(CHAT_EVENTS, both)[-1][0] == "StreamTruncatedError"
    assert len(decode(CHAT_EVENTS, both + sse(chunk(None, "length", 1)))) == 4


@pytest.mark.parametrize("kind", ["message_stop", "response.completed", "response.failed", "response.incomplete"])
def test_an_event_stream_ends_with_a_final_event(kind):
    assert outcome(EVENT_STREAM, sse({"type": "x"}, {"type": kind})) == [{"type": "x"}, {"type": kind}]
    assert outcome(EVENT_STREAM, sse({"type": "x"}))[-1][0] == "StreamTruncatedError"


@pytest.mark.parametrize(
    ("event", "code", "words"),
    [
        (b'data: {"error": {"message": "Overloaded", "code": 503}}\n\n', 503, "Overloaded"),
        (b'event: error\ndata: {"type":"error","error":{"type":"busy","message":"Wait"}}\n\n', "busy", "Wait"),
        (b'data: {"type":"error","code":"server_error","message":"Failed"}\n\n', "server_error", "Failed"),
        (b'data: {"errors": [{"code": 3040, "message": "Capacity"}]}\n\n', 3040, "Capacity"),
        (b"event: error\ndata: {}\n\n", None, "without a message"),
        (b"event: error\ndata: broken\n\n", None, "broken"),
        (b"data: {broken\n\n", None, "not a JSON object"),
        (b"data: [1]\n\n", None, "not a JSON object"),
    ],
)  # fmt: skip
def test_an_error_event_ends_the_stream_with_its_code_and_log(event, code, words):
    decoder = StreamDecoder(EVENT_STREAM, Headers(), INFO)

    with pytest.raises(StreamError, match=words) as reported:
        list(decoder.feed(event))
    assert (reported.value.code, reported.value.info) == (code, INFO)
    assert "(log 01LOG)" in str(reported.value)


def test_the_items_before_an_error_are_given_first():
    error = b'data: {"error": {"message": "boom"}}\n\n'

    assert outcome(CHAT_EVENTS, sse(chunk("a"), chunk("b"), end=error)) == [
        chunk("a"),
        chunk("b"),
        ("StreamError", "boom (log 01LOG)"),
    ]


def test_the_last_item_of_a_truncated_stream_is_given_first():
    assert outcome(CHAT_EVENTS, sse(chunk("a")).rstrip())[0] == chunk("a")


def test_a_secret_in_an_error_event_is_taken_out_of_text_and_body():
    with pytest.raises(StreamError) as reported:
        decode(CHAT_EVENTS, sse({"error": {"message": f"bad {SECRET}", "keys": [SECRET]}}))

    assert SECRET not in f"{reported.value} {reported.value.__dict__}"


def test_a_json_completion_in_place_of_a_stream_is_one_chunk():
    (only,) = decode(CHAT_STREAM, json.dumps(WHOLE).encode(), content_type="application/json")

    assert (only.text, only.choices[0].finish_reason, only.info) == ("Hi", "stop", INFO)


def test_tool_calls_of_a_json_completion_are_numbered_like_a_streams():
    calls = [{"id": "a", "function": {"name": "f", "arguments": "{}"}}, {"id": "b", "function": {"name": "g"}}]
    whole = {"choices": [{"index": 0, "message": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}
    (only,) = decode(CHAT_EVENTS, json.dumps(whole).encode())

    assert [call["index"] for call in only["choices"][0]["delta"]["tool_calls"]] == [0, 1]


def test_a_guardrails_body_in_place_of_a_stream_is_its_error():
    with pytest.raises(GuardrailBlockedError, match="Prompt blocked") as blocked:
        decode(CHAT_STREAM, json.dumps(BLOCKED).encode(), content_type="application/json")
    assert (blocked.value.code, blocked.value.info) == (2016, INFO)


def test_html_with_status_200_is_an_error():
    with pytest.raises(StreamError, match="neither a stream nor JSON"):
        decode(CHAT_STREAM, b"<!doctype html><title>Login</title>", content_type="text/html")


def test_an_empty_stream_is_truncated():
    with pytest.raises(StreamTruncatedError, match="before it began"):
        decode(CHAT_STREAM)


def test_a_run_hands_on_bytes_that_are_neither_events_nor_json():
    assert decode(RUN_STREAM, b"\xff\xd8", b"", b"{data: ", content_type="image/jpeg") == [b"\xff\xd8", b"{data: "]


def test_a_run_unwraps_a_json_answer_in_place_of_a_stream():
    body = b'{"success": true, "errors": [], "result": {"response": "Hi"}}'

    assert outcome(RUN_STREAM, body, content_type="application/json") == [{"response": "Hi"}]


@pytest.mark.parametrize("end", [DONE, b""])
def test_a_run_of_an_openai_model_ends_like_a_chat(end):
    assert outcome(RUN_STREAM, sse(chunk("a", "stop"), end=end)) == [chunk("a", "stop")]


LEFT_OVER = [
    pytest.param(sse({"usage": {}}), id="an-object"),
    pytest.param(b"data: junk\n\n", id="junk"),
    pytest.param(sse({"error": {"message": "late"}}), id="an-error"),
    pytest.param(DONE, id="done-again"),
    pytest.param(b"data: half an ev", id="half-an-event"),
]


@pytest.mark.parametrize("left_over", LEFT_OVER)
def test_what_follows_done_is_no_part_of_the_answer(left_over):
    document = sse(chunk("a"), end=DONE) + left_over

    for cut in range(len(document) + 1):
        assert outcome(CHAT_EVENTS, document[:cut], document[cut:]) == [chunk("a")], cut


@pytest.mark.parametrize("left_over", LEFT_OVER)
@pytest.mark.parametrize("shape", [EVENT_STREAM, RUN_STREAM])
@pytest.mark.parametrize("kind", ["message_stop", "response.completed", "response.failed", "response.incomplete"])
def test_what_follows_the_last_event_of_a_dialect_is_none_either(shape, kind, left_over):
    document = sse({"type": "x"}, {"type": kind}) + left_over

    assert outcome(shape, document) == [{"type": "x"}, {"type": kind}]


def test_an_answer_is_over_with_its_end_and_not_with_its_finish_reason():
    decoder = StreamDecoder(CHAT_EVENTS, Headers(), INFO)

    decoder.feed(sse(chunk("a", "stop")))
    assert (decoder.is_done, decoder.is_over) == (True, False)
    decoder.feed(DONE)
    assert (decoder.is_done, decoder.is_over) == (True, True)
    assert decoder.feed(sse(chunk("b"))) == []


FAILED = [
    pytest.param({"object": "error", "message": "died", "type": "Internal", "code": 500}, 500, "died", id="vllm"),
    pytest.param({"object": "error", "message": "died"}, None, "died", id="vllm-without-code"),
    pytest.param({"success": False, "errors": []}, None, "without a message", id="no-success"),
    pytest.param({"success": False, "errors": [], "messages": [{"message": "x", "code": 7}]}, 7, "x", id="messages"),
    pytest.param(
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "died"}}]},
        502,
        "died",
        id="choice",
    ),
    pytest.param({"choices": [{"index": 0, "error": {"code": 502, "message": "died"}}]}, 502, "died", id="open-choice"),
    pytest.param({"choices": [{"index": 0, "finish_reason": "error"}]}, None, "without a message", id="reason-alone"),
    pytest.param(
        {"object": "chat.completion.chunk", "choices": [], "error": {"code": 1, "message": "died"}},
        1,
        "died",
        id="beside-choices",
    ),
]


@pytest.mark.parametrize(("event", "code", "words"), FAILED)
@pytest.mark.parametrize("shape", [CHAT_STREAM, CHAT_EVENTS, RUN_STREAM])
def test_an_answer_that_failed_is_no_answer_though_done_follows(shape, event, code, words):
    decoder = StreamDecoder(shape, Headers(), INFO)
    (first,) = decoder.feed(sse(chunk("a")))

    with pytest.raises(StreamError, match=words) as failed:
        decoder.feed(sse(event, end=DONE))
    assert (failed.value.code, failed.value.log_id, failed.value.body) == (code, "01LOG", event)
    assert first.info == INFO


@pytest.mark.parametrize("field", ["error", "errors", "success", "object", "type"])
def test_a_field_of_that_name_without_an_error_in_it_is_none(field):
    events = [{**chunk("a"), field: None}, {**chunk("b", "stop"), field: True if field == "success" else ""}]

    assert outcome(CHAT_EVENTS, sse(*events, end=DONE)) == events


def test_a_secret_across_the_place_where_text_is_cut_is_taken_out():
    for padding in range(60, 100):
        with pytest.raises(StreamError, match="not a JSON object") as broken:
            decode(CHAT_EVENTS, b"data: " + b"x" * padding + SECRET.encode() + b"\n\n")
        assert SECRET[:6] not in str(broken.value), padding
