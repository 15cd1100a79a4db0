"""`logs list|get|tail|export`, `feedback` and `cost` against the local gateway and a scripted one."""

import csv
import io
import json

import pytest

from aigw import AIGateway

ACCOUNT = "0123456789abcdef0123456789abcdef"
COST = {"per_token_in": 0.001, "per_token_out": 0.001}


def ask(gateway, model="openai/gpt-4.1-mini", **options):
    with AIGateway(ACCOUNT, "any-token", base_url=gateway.base_url) as client:
        body = {"model": model, "messages": [{"role": "user", "content": "Say hello."}]}
        return client.chat(body, gateway=options or None).info.log_id


@pytest.fixture
def three_logs(aigw_local):
    """Give the ids of three logs: two of a model that costs, one of another."""
    return [
        ask(aigw_local, custom_cost=COST, metadata={"team": "red"}, event_id="event-1"),
        ask(aigw_local, custom_cost=COST, metadata={"team": "blue"}),
        ask(aigw_local, "anthropic/claude-haiku-4.5", metadata={"team": "red"}),
    ]


def test_logs_are_listed_newest_first(invoke, aigw_local, three_logs):
    done = invoke(aigw_local.base_url, "logs", "list", "--json")
    assert [log["id"] for log in done.lines] == three_logs[::-1]
    assert {"id", "created_at", "model", "cost", "feedback", "metadata", "event_id"} <= set(done.lines[0])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--filter", "model:contains:claude"], [2]),
        (["--filter", "model:contains:gpt", "--filter", "metadata.value:eq:blue"], [1]),
        (["--filter", "success:eq:false"], []),
        (["--filter", "tokens_out:gt:0", "--limit", "2"], [2, 1]),
        (["--event-id", "event-1"], [0]),
        (["--asc", "-n", "1"], [0]),
        (["--order-by", "model", "--asc", "-n", "1"], [2]),
    ],
)
def test_logs_are_chosen_and_ordered(invoke, aigw_local, three_logs, words, expected):
    done = invoke(aigw_local.base_url, "logs", "list", "--json", *words)
    assert done.code == 0
    assert [log["id"] for log in done.lines] == [three_logs[place] for place in expected]


def test_the_table_keeps_the_whole_log_id_at_80_columns(shell, aigw_local, three_logs):
    done = shell(aigw_local.base_url, "logs", "list", COLUMNS="80")
    assert done.out.splitlines()[0].split() == [
        "TIME",
        "DAY",
        "RESULT",
        "PROVIDER",
        "MODEL",
        "IN/OUT",
        "MS",
        "COST",
        "FB",
        "LOG",
    ]
    assert all(log_id in done.out for log_id in three_logs)


def test_no_log_is_a_remark_and_no_error(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "logs", "list")
    assert (done.code, done.out, done.err) == (0, "", "No logs fit.\n")


def test_one_log_is_shown_with_its_bodies(invoke, aigw_local, three_logs):
    done = invoke(aigw_local.base_url, "logs", "get", three_logs[0], "--request", "--response")
    assert "event-1" in done.out
    assert '"content": "Say hello."' in done.out
    assert '"object": "chat.completion"' in done.out


def test_one_log_as_json_has_its_bodies_beside_it(invoke, aigw_local, three_logs):
    done = invoke(aigw_local.base_url, "logs", "get", three_logs[0], "--request", "--json")
    assert done.json["id"] == three_logs[0]
    assert done.json["request"]["messages"] == [{"role": "user", "content": "Say hello."}]
    assert "response" not in done.json


def test_a_log_that_is_not_there_is_5(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "logs", "get", "no-such-log")
    assert (done.code, done.err) == (5, "cf-aigw: Log not found (HTTP 404, code 7002)\n")


def test_tail_shows_the_last_logs_and_then_each_new_one_once(invoke, scripted):
    looks = iter([3, 3, 5, 5, 65])  # so many logs are there at each look
    present = 0

    def page(path):
        nonlocal present
        number = int(path.partition("page=")[2].partition("&")[0])
        present = next(looks, present) if number == 1 else present
        newest_first = range(present)[::-1][50 * (number - 1) : 50 * number]
        return 200, {"success": True, "result": [{"id": f"{each:03}"} for each in newest_first], "result_info": {}}

    scripted.answers["/logs"] = page
    done = invoke(scripted.base_url, "logs", "tail", "--json", "--last", "1", "--interval", "0.05", "--limit", "63")
    assert [log["id"] for log in done.lines] == [f"{each:03}" for each in range(2, 65)]


def test_export_writes_each_log_once_oldest_first_also_while_pages_shift(invoke, scripted):
    ids = [f"{number:03}" for number in range(120)]

    def page(path):
        number = int(path.partition("page=")[2].partition("&")[0])
        start = max(0, 50 * (number - 1) - 3 * (number - 1))  # three rows came in before each page
        rows = [{"id": log_id, "model": "m"} for log_id in ids[start : start + 50]]
        return 200, {"success": True, "result": rows, "result_info": {"total_count": len(ids)}}

    scripted.answers["/logs"] = page
    done = invoke(scripted.base_url, "logs", "export")
    assert [log["id"] for log in done.lines] == ids
    assert "order_by=created_at&order_by_direction=asc" in scripted.asked[0][1]


def test_a_server_that_only_repeats_its_first_page_comes_to_an_end(invoke, scripted):
    rows = [{"id": str(number)} for number in range(50)]
    scripted.answers["/logs"] = (200, {"success": True, "result": rows, "result_info": {}})
    assert len(invoke(scripted.base_url, "logs", "export").lines) == 50


def test_export_to_a_csv_file_has_one_heading_and_readable_values(invoke, aigw_local, three_logs, tmp_path):
    file = tmp_path / "logs.csv"
    done = invoke(aigw_local.base_url, "logs", "export", "-o", file)
    assert (done.code, done.out, done.err) == (0, "", f"3 logs in {file}\n")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["id"] for row in rows] == three_logs
    assert (rows[0]["success"], json.loads(rows[0]["metadata"]), rows[2]["score"]) == ("true", {"team": "red"}, "")


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("text", FORMULAS)
def test_a_csv_file_holds_no_formula(invoke, scripted, text):
    log = {"id": "log-1", "model": text, "event_id": text, "score": -1, "feedback": -1, "cost": -0.5, "path": "a=b"}
    scripted.answers["/logs"] = (200, {"success": True, "result": [log], "result_info": {}})
    done = invoke(scripted.base_url, "logs", "export", "--format", "csv")
    row = next(csv.DictReader(io.StringIO(done.out, newline="")))
    assert (row["model"], row["event_id"]) == (f"'{text}", f"'{text}")
    assert (row["score"], row["feedback"], row["cost"], row["path"]) == ("-1", "-1", "-0.5", "a=b")


def test_a_line_end_in_a_text_does_not_end_the_row(invoke, scripted):
    log = {"id": "log-1", "model": "a\r=1+1", "event_id": "b\n=1+1"}
    scripted.answers["/logs"] = (200, {"success": True, "result": [log], "result_info": {}})
    done = invoke(scripted.base_url, "logs", "export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out, newline="")))
    assert [(row["model"], row["event_id"]) for row in rows] == [("a\r=1+1", "b\n=1+1")]


def test_json_lines_hold_every_text_as_it_is(invoke, scripted):
    log = {"id": "log-1", "model": "=1+1"}
    scripted.answers["/logs"] = (200, {"success": True, "result": [log], "result_info": {}})
    assert invoke(scripted.base_url, "logs", "export").lines[0]["model"] == "=1+1"


def test_export_does_not_write_over_a_file_unless_told(invoke, aigw_local, three_logs, tmp_path):
    file = tmp_path / "logs.jsonl"
    file.write_text("mine")
    done = invoke(aigw_local.base_url, "logs", "export", "-o", file)
    assert (done.code, file.read_text()) == (2, "mine")
    assert "--force" in done.err
    assert invoke(aigw_local.base_url, "logs", "export", "-o", file, "--force", "--limit", "2", "--json").json == {
        "output": str(file),
        "logs": 2,
    }
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == three_logs[:2]


def test_export_into_a_folder_that_is_not_there_is_one_sentence(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "logs", "export", "-o", "/no/such/folder/logs.csv")
    assert (done.code, done.err) == (1, "cf-aigw: /no/such/folder/logs.csv: No such file or directory\n")


def test_feedback_makes_a_round_trip(shell, invoke, aigw_local, three_logs):
    words = [three_logs[0], "-1", "--score", "80", "--metadata", "ui=web"]
    assert shell(aigw_local.base_url, "feedback", *words).code == 0
    log = invoke(aigw_local.base_url, "logs", "get", three_logs[0], "--json").json
    assert (log["feedback"], log["score"], log["metadata"]) == (-1, 80, {"team": "red", "ui": "web"})


def test_feedback_is_taken_back_by_none(invoke, aigw_local, three_logs):
    invoke(aigw_local.base_url, "feedback", three_logs[0], "1", "--score", "5")
    done = invoke(aigw_local.base_url, "feedback", three_logs[0], "none", "--score", "none", "--json")
    assert done.json == {"log_id": three_logs[0], "changes": {"feedback": None, "score": None}}
    log = invoke(aigw_local.base_url, "logs", "get", three_logs[0], "--json").json
    assert (log["feedback"], log["score"]) == (None, None)


def test_feedback_finds_a_log_by_its_event_id(invoke, aigw_local, three_logs):
    done = invoke(aigw_local.base_url, "feedback", "--event-id", "event-1", "1", "--json")
    assert done.json == {"log_id": three_logs[0], "changes": {"feedback": 1}}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["log-1", "2"], "a rating cannot be '2'"),
        (["log-1"], "the feedback changes nothing"),
        ([], "expected LOG_ID and a rating"),
        (["log-1", "1", "0"], "expected LOG_ID and a rating"),
        (["log-1", "1", "--scoer", "3"], "there is no option --scoer"),
        (["log-1", "--score", "nan"], "score cannot be nan"),
        (["log-1", "--metadata", "team"], "expected KEY=VALUE"),
    ],
)
def test_feedback_that_cannot_be_is_refused_before_any_request(invoke, scripted, words, says):
    done = invoke(scripted.base_url, "feedback", *words)
    assert done.code == 2
    assert says in done.err
    assert scripted.asked == []


def test_feedback_to_a_log_that_is_not_there_is_5(invoke, aigw_local):
    assert invoke(aigw_local.base_url, "feedback", "no-such-log", "1", "--wait", "0").code == 5


@pytest.mark.usefixtures("three_logs")
def test_costs_are_added_up_by_model_the_dearest_first(invoke, aigw_local):
    sums = invoke(aigw_local.base_url, "cost", "--json").json
    assert [(group["key"], group["calls"]) for group in sums["groups"]] == [
        ("openai/gpt-4.1-mini", 2),
        ("anthropic/claude-haiku-4.5", 1),
    ]
    tokens = sums["groups"][0]["tokens_in"] + sums["groups"][0]["tokens_out"]
    assert sums["total"]["cost"] == pytest.approx(tokens * 0.001)
    assert list(sums["total"]) == ["calls", "cached", "unpriced", "tokens_in", "tokens_out", "cost"]


@pytest.mark.usefixtures("three_logs")
@pytest.mark.parametrize(
    ("by", "keys"),
    [("metadata.team", {"red": 2, "blue": 1}), ("provider", {"local": 3}), ("metadata.floor", {"": 3})],
)
def test_costs_are_added_up_by_other_keys(invoke, aigw_local, by, keys):
    sums = invoke(aigw_local.base_url, "cost", "--by", by, "--json").json
    assert {group["key"]: group["calls"] for group in sums["groups"]} == keys


def test_costs_by_day_go_by_utc_and_say_what_has_no_price(invoke, scripted):
    rows = [
        {"id": "1", "created_at": "2026-10-08T23:30:00Z", "cost": 0.5, "tokens_in": 1000},
        {"id": "2", "created_at": "2026-10-09T01:30:00+02:00", "cost": 1.25, "tokens_in": 2000, "cached": True},
        {"id": "3", "created_at": "2026-10-10T00:00:00Z", "cost": None},
    ]
    scripted.answers["/logs"] = (200, {"success": True, "result": rows, "result_info": {}})
    done = invoke(scripted.base_url, "cost", "--by", "day")
    assert [line.split() for line in done.out.splitlines()] == [
        ["DAY", "CALLS", "CACHED", "TOKENS", "IN", "TOKENS", "OUT", "COST"],
        ["2026-10-08", "2", "1", "3,000", "0", "$1.750000"],
        ["2026-10-10", "1", "0", "0", "0", "$0.000000"],
        ["Total", "3", "1", "3,000", "0", "$1.750000"],
    ]
    assert done.err == "1 of 3 calls have no cost in their log.\n"


@pytest.mark.parametrize("words", [["list", "--json"], ["export"]])
def test_a_limit_beyond_every_list_gives_all(invoke, aigw_local, three_logs, words):
    done = invoke(aigw_local.base_url, "logs", *words, "--limit", 10**30)
    assert (done.code, {line["id"] for line in done.lines}) == (0, set(three_logs))


@pytest.mark.parametrize("condition", ["cost:gt:nan", "tokens_in:lt:inf", "model:eq:\udcff"])
def test_a_filter_that_is_no_json_is_one_sentence_and_2(invoke, condition):
    done = invoke("http://127.0.0.1:9", "logs", "list", "--filter", condition)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.fixture
def streamed(aigw_local):
    """Give the id of the log of a streamed answer that says a text and calls a tool."""
    turn = {"pieces": ["Hello ", "there."], "tool_calls": [{"name": "find", "arguments": {"q": 1}}]}
    body = {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "Say hello."}]}
    with (
        aigw_local.script([turn]),
        AIGateway(ACCOUNT, "any-token", base_url=aigw_local.base_url) as client,
        client.stream_chat(body) as stream,
    ):
        list(stream)
        return stream.info.log_id


def test_a_streamed_answer_is_shown_once_as_what_it_says(invoke, aigw_local, streamed):
    done = invoke(aigw_local.base_url, "logs", "get", streamed, "--request", "--response")
    assert done.out.endswith('\nresponse:\nHello there.\nfind({"q":1})\n')
    assert ("data:" in done.out, "_head" in done.out, done.out.count("Say hello.")) == (False, False, 1)


def test_the_head_of_a_body_that_is_not_shown_stays(invoke, aigw_local, streamed):
    done = invoke(aigw_local.base_url, "logs", "get", streamed, "--request")
    assert "response_head" in done.out
    assert "request_head" not in done.out


def test_a_streamed_answer_is_shown_as_its_events_on_request(invoke, aigw_local, streamed):
    done = invoke(aigw_local.base_url, "logs", "get", streamed, "--response", "--raw")
    as_json = invoke(aigw_local.base_url, "logs", "get", streamed, "--response", "--json")
    assert done.out.count("data: [DONE]") == 1
    assert as_json.json["response"].endswith("data: [DONE]\n\n")
    assert as_json.json["response_head"].startswith("data: ")


def test_a_streamed_body_that_says_nothing_is_shown_as_it_is(invoke, scripted):
    scripted.answers["/logs/one"] = (200, {"success": True, "result": {"id": "one"}})
    scripted.answers["/response"] = (200, 'data: {"error": "no"}\n\n', {"content-type": "text/event-stream"})
    done = invoke(scripted.base_url, "logs", "get", "one", "--response")
    assert done.out.endswith('\nresponse:\ndata: {"error": "no"}\n\n\n')
