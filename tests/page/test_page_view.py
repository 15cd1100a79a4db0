"""The pure parts of the page: views, figures, charts, bodies, copies."""

import json

import pytest

from aigw.local._logs._query import Filter
from aigw.local.page._bodies import MAX_EVENTS, MAX_SHOWN, read_body
from aigw.local.page._charts import HEIGHT, MAX_BARS, WIDTH, latency_chart, token_chart
from aigw.local.page._copies import as_curl, as_python
from aigw.local.page._figures import figures
from aigw.local.page._render import clock, highlight, millis, money, share, short, size
from aigw.local.page._view import View, read_view

LOG_ID = "01980000-0000-7000-8000-000000000001"


def log(**more):
    base = {"model": "openai/gpt-4.1-mini", "success": True, "cached": False, "duration": 10, "tokens_in": 5}
    return {**base, "tokens_out": 7, "created_at": "2026-10-08T09:10:11.123Z", "cost": 0.5, **more}


def test_a_view_is_read_from_its_own_address():
    view = View(gateway="acme/default", model="gpt & co", cached="hit", label="team=docs", page=3, log=LOG_ID)
    path, _, query = view.url().partition("?")
    assert path == "/"
    assert read_view(query) == view


def test_an_empty_view_has_a_bare_address():
    assert View().url() == "/"
    assert read_view("") == View()


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e9", "99999999999999999999", "%C2%B2"])
def test_a_page_that_is_no_number_is_the_first(page):
    assert read_view(f"page={page}").page == 1


def test_a_choice_nobody_offered_is_no_filter():
    assert read_view("status=maybe&cached=1&feedback=sideways").filters == ()


def test_a_filters_text_is_cut():
    assert len(read_view("model=" + "m" * 1000).model) == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("provider=openai", [Filter("provider", "contains", ("openai",))]),
        ("status=failed", [Filter("success", "eq", (0,))]),
        ("cached=hit", [Filter("cached", "eq", (1,))]),
        ("feedback=none", [Filter("feedback", "eq", (None,))]),
        ("event=e-1", [Filter("event_id", "eq", ("e-1",))]),
        ("label=team", [Filter("metadata.key", "eq", ("team",))]),
        ("label=team=a=b", [Filter("metadata.key", "eq", ("team",)), Filter("metadata.value", "eq", ("a=b",))]),
        ("id=0198", [Filter("id", "contains", ("0198",))]),
        (f"id={LOG_ID}", [Filter("id", "eq", (LOG_ID,))]),
    ],
)
def test_each_filter_is_one_of_the_logs_api(query, expected):
    assert list(read_view(query).filters) == expected


@pytest.mark.parametrize(
    ("query", "narrow"), [("model=x", False), ("event=e", True), ("label=a", False), ("label=a=b", False)]
)
def test_filters_with_an_index_are_known(query, narrow):
    assert read_view(query).is_narrow is narrow


def test_figures_count_hits_failures_costs_and_tokens():
    found = figures([log(), log(cached=True, cost=0.0, tokens_in=0), log(success=False, cost=None, tokens_out=None)])
    assert (found.count, found.failed, found.hits) == (3, 1, 1)
    assert (found.cost, found.saved) == (0.5, 0.5)
    assert (found.tokens_in, found.tokens_out) == (10, 14)
    assert (found.hit_rate, found.failure_rate) == (1 / 3, 1 / 3)


def test_a_hit_of_a_model_nobody_paid_for_saves_nothing():
    assert figures([log(), log(model="other", cached=True, cost=0.0)]).saved == 0


def test_latency_is_that_of_calls_past_the_cache():
    found = figures([*(log(duration=ms) for ms in range(1, 101)), log(cached=True, duration=0)])
    assert (found.median_ms, found.p95_ms) == (50, 95)


def test_figures_of_nothing_are_zero():
    found = figures([])
    assert (found.hit_rate, found.failure_rate, found.median_ms, found.p95_ms) == (0, 0, 0, 0)


def test_a_chart_has_its_oldest_call_on_the_left():
    newest_first = [log(tokens_in=3, tokens_out=0), log(tokens_in=2, tokens_out=2), log(tokens_in=1, tokens_out=0)]
    chart = token_chart(newest_first)
    assert [bar.values for bar in chart.bars] == [(1, 0), (2, 2), (3, 0)]
    assert [bar.x for bar in chart.bars] == sorted(bar.x for bar in chart.bars)
    assert chart.top == 4
    assert chart.bars[1].lower + chart.bars[1].upper == HEIGHT


@pytest.mark.parametrize("count", [0, 1, 59, 61, 1000])
def test_a_chart_keeps_to_its_box(count):
    chart = latency_chart([log(duration=number) for number in range(count)])
    assert len(chart.bars) <= MAX_BARS
    assert sum(bar.count for bar in chart.bars) == count
    assert all(bar.x + bar.width <= WIDTH and bar.lower + bar.upper <= HEIGHT + 0.2 for bar in chart.bars)


def test_a_bar_of_many_calls_has_their_median_and_95th_percentile():
    chart = latency_chart([log(duration=ms) for ms in range(1200, 0, -1)])
    assert chart.bars[0].values == (10, 19)
    assert chart.bars[0].count == 20


def sse(*values):
    return b"".join(
        b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n" for value in values
    )


ANSWERS = {
    "chat": {"choices": [{"message": {"role": "assistant", "content": "Hello you"}}]},
    "messages": {"type": "message", "content": [{"type": "text", "text": "Hello you"}]},
    "responses": {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello you"}]}]},
    "workers-ai": {"response": "Hello you"},
    "an envelope": {"result": {"response": "Hello you"}, "success": True},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "Hello "}, {"text": "you"}]}}]},
}
STREAMS = {
    "chat": [
        {"choices": [{"delta": {"role": "assistant"}}]},
        *({"choices": [{"delta": {"content": t}}]} for t in ("Hello", " you")),
        b"[DONE]",
    ],
    "messages": [
        {"type": "message_start", "message": {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}}
            for t in ("Hello", " you")
        ),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    ],
    "responses": [
        *({"type": "response.output_text.delta", "delta": t} for t in ("Hello", " you")),
        {"type": "response.output_text.done", "text": "Hello you"},
        {"type": "response.completed", "response": ANSWERS["responses"]},
    ],
    "workers-ai": [{"response": "Hello"}, {"response": " you"}, {"response": "", "usage": {}}, b"[DONE]"],
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_the_text_of_an_answer_is_found(answer):
    body = read_body(json.dumps(answer).encode(), "application/json")
    assert body.answer == "Hello you"
    assert json.loads(body.text) == answer


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_a_streams_pieces_become_the_answer_again(events):
    body = read_body(sse(*events), "text/event-stream; charset=utf-8")
    assert body.answer == "Hello you"
    assert body.is_stream
    assert len(body.events) == len(events)


def test_a_stream_that_was_cut_gives_what_came():
    whole = sse({"choices": [{"delta": {"content": "Hello"}}]}, {"choices": [{"delta": {"content": " you"}}]})
    assert read_body(whole[:-20], "text/event-stream").answer == "Hello"


TOOLS = {
    "chat": [
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "add", "arguments": ""}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}}]},
    ],
    "messages": [
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "add", "input": {}}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ":1}"}},
    ],
    "responses": [
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "function_call", "name": "add"}},
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": '{"a"'},
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": ":1}"},
    ],
}


@pytest.mark.parametrize("events", TOOLS.values(), ids=TOOLS)
def test_a_streamed_tool_call_is_put_together(events):
    assert read_body(sse(*events), "text/event-stream").tools == ('add({"a":1})',)


@pytest.mark.parametrize(
    "value",
    [
        {"choices": "x"},
        {"choices": [1, None, {"delta": 3}, {"message": {"content": [{"type": "text"}], "tool_calls": [{}]}}]},
        {"candidates": [{"content": 1}]},
        {"delta": [], "content_block": 1, "content": "text", "output": [{"content": 5}]},
        [1, 2],
        "text",
        None,
    ],
)
def test_json_of_no_known_shape_says_nothing(value):
    body = read_body(json.dumps(value).encode(), "application/json")
    assert (body.answer, body.tools) == ("", ())


def test_a_body_that_is_no_json_is_shown_as_it_is():
    assert read_body(b"\xff{not json", None).text == "\N{REPLACEMENT CHARACTER}{not json"


def test_a_long_body_is_cut_and_says_so():
    body = read_body(json.dumps({"text": "x" * MAX_SHOWN}).encode(), "application/json")
    assert body.is_cut
    assert len(body.text) == MAX_SHOWN
    assert body.size > MAX_SHOWN


def test_of_a_long_stream_the_first_events_are_shown_and_all_are_the_answer():
    body = read_body(sse(*[{"response": "a"}] * (MAX_EVENTS + 5)), "text/event-stream")
    assert (len(body.events), len(body.answer), body.is_cut) == (MAX_EVENTS, MAX_EVENTS + 5, True)


def test_highlighting_escapes_everything():
    marked = highlight('{"<b>": "</span><script>", "n": -1.5e3, "t": true}')
    assert "<script>" not in marked
    assert '<span class="key">&#34;&lt;b&gt;&#34;</span>' in marked
    assert '<span class="value">-1.5e3</span>' in marked


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (money, None, "\N{EM DASH}"),
        (money, 0.0, "$0"),
        (money, 0.000033, "$0.000033"),
        (money, 0.004608, "$0.0046"),
        (money, 0.5, "$0.50"),
        (money, 1234.5, "$1,234.50"),
        (millis, 940, "940 ms"),
        (millis, 1240, "1.2 s"),
        (short, None, "\N{EM DASH}"),
        (short, 2102, "2,102"),
        (short, 12_345, "12.3k"),
        (short, 4_000_000, "4.0M"),
        (share, 0, "0%"),
        (share, 0.004, "0.4%"),
        (share, 0.372, "37%"),
        (size, 940, "940 B"),
        (size, 12_345, "12.3 kB"),
        (size, 4_000_000, "4.0 MB"),
    ],
)
def test_numbers_are_written_short(write, value, text):
    assert write(value) == text


def test_a_moment_of_another_day_has_its_date():
    assert clock("2020-02-03T12:00:00.000Z").startswith("0")
    assert "Feb" in clock("2020-02-03T12:00:00.000Z")


def test_curl_quotes_what_a_shell_would_run():
    text = as_curl(
        "http://127.0.0.1:1",
        ("a", "g"),
        {"request_type": "compat", "path": "chat/completions", "model": "m"},
        b'{"x": "\'; rm -rf $(HOME)"}',
    )
    assert text.endswith("""--data-raw '{"x": "'"'"'; rm -rf $(HOME)"}'""")


def test_what_is_no_json_object_has_no_python():
    assert as_python("http://127.0.0.1:1", ("a", "g"), {"path": "x"}, b"[1]") == ""
    assert as_python("http://127.0.0.1:1", ("a", "g"), {"path": "x"}, b"\xff") == ""
