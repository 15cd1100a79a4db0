"""5: logs and feedback."""

import json
import re
from urllib.parse import quote

from .exchanges import OPENAI, REST, Exchange, asks, chat, rest_refusal, story
from .matching import ABSENT, differences
from .rule import DOCUMENTED, OBSERVED, Section

SECTION = Section("5", "Logs and feedback", "Below `ai-gateway/gateways/{gateway}/logs` on REST.")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
CALL = Exchange(OPENAI, NATIVE)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ULID = "01J9ZQ3V7D8M5N6P7Q8R9S0T1V"


def one_log(world, headers=None, body=NATIVE, **settings):
    """Make one log; give its place and its id."""
    place = world.at(**settings)
    return place, place.ask(OPENAI, body, headers).headers["cf-aig-log-id"]


def patched(changes, expected, first=None):
    """A case: a log is patched, and then reads so, alone and in the list."""

    def check(world):
        place, log_id = one_log(world)
        for change in (first, changes) if first else (changes,):
            reply = place.ask(f"PATCH {{manage}}/logs/{log_id}", change, REST)
            assert (reply.status_code, reply.json()["success"]) == (200, True), reply.text
        found = [*differences(expected, place.log(log_id)), *differences(expected, place.logs()[0])]
        assert not found, found

    return check


def refused(changes):
    """A case: a patch is refused, and changes nothing."""

    def check(world):
        place, log_id = one_log(world)
        before = place.log(log_id)
        reply = place.ask(f"PATCH {{manage}}/logs/{log_id}", changes, REST)
        assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 7001), reply.text
        assert place.log(log_id) == before

    return check


def query(*filters):
    return "?filters=" + quote(json.dumps([{"key": k, "operator": o, "value": v} for k, o, v in filters]))


add(
    "list",
    "`GET logs` lists them: `success`, `result`, `result_info`.",
    DOCUMENTED,
    story(
        CALL,
        Exchange("GET {manage}/logs", None, REST, json={"success": True, "result": [{"id": str}], "result_info": dict}),
    ),
)
add(
    "result-info",
    "`result_info` has count, page, per_page, total_count, and the least and most cost, duration and tokens.",
    DOCUMENTED,
    story(
        CALL,
        CALL,
        Exchange(
            "GET {manage}/logs?per_page=1&page=2&meta_info=true",
            None,
            REST,
            json={
                "result_info": {
                    "count": 1,
                    "page": 2,
                    "per_page": 1,
                    "total_count": 2,
                    "min_tokens_in": 10,
                    "max_tokens_in": 10,
                    "min_tokens_out": 4,
                    "max_tokens_out": 4,
                    "min_total_tokens": 14,
                    "max_total_tokens": 14,
                    "min_duration": int | float,
                    "max_duration": int | float,
                    "min_cost": lambda _: True,
                    "max_cost": lambda _: True,
                }
            },
        ),
    ),
)


@rule("get", "`GET logs/{id}` gives one log, with the beginnings of its bodies.", DOCUMENTED)
def _(world):
    place, log_id = one_log(world)
    log = place.log(log_id)
    assert log["id"] == log_id
    assert json.loads(log["request_head"])["model"] == "gpt-5-mini"
    assert "Hello." in log["response_head"]
    assert (log["request_head_complete"], log["response_head_complete"]) == (True, True)
    assert (log["request_size"], log["response_size"]) == (len(log["request_head"]), len(log["response_head"]))


add(
    "fields-of-the-list",
    "A listed log has these fields, each of its type.",
    DOCUMENTED,
    asks(
        OPENAI,
        NATIVE,
        logged={
            "id": str,
            "provider": "openai",
            "model": "openai/gpt-5-mini",
            "path": str,
            "created_at": RFC3339,
            "duration": int,
            "success": True,
            "cached": False,
            "tokens_in": 10,
            "tokens_out": 4,
            "custom_cost": False,
            "model_type": str,
            "request_type": str,
            "request_content_type": "application/json",
            "response_content_type": "application/json",
            "status_code": 200,
            "step": 0,
        },
    ),
)
add(
    "heads-are-not-listed",
    "The beginnings of the bodies are not in the list.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, logged={"request_head": ABSENT, "response_head": ABSENT}),
)
add(
    "metadata-is-an-object",
    "`metadata` is an object, though the API reference says text.",
    OBSERVED,
    asks(OPENAI, NATIVE, {"cf-aig-metadata": '{"user":"u1"}'}, logged={"metadata": {"user": "u1"}}),
)
add(
    "a-provider-error-is-logged",
    "A provider's error is logged with its status, as no success.",
    DOCUMENTED,
    asks(OPENAI, NATIVE, script=(422,), status=422, logged={"success": False, "status_code": 422}),
)
add(
    "a-stream-is-logged",
    "A stream is logged with its tokens and its content type.",
    DOCUMENTED,
    asks(
        OPENAI,
        chat("gpt-5-mini", stream=True, stream_options={"include_usage": True}),
        script=({"text": "Hello.", "usage": [10, 4]},),
        logged={"tokens_in": 10, "tokens_out": 4, "response_content_type": "text/event-stream", "success": True},
    ),
)


@rule("user-agent-is-logged", "The caller's user agent is logged.", DOCUMENTED)
def _(world):
    place, _ = one_log(world, {"user-agent": "contract-suite/1"})
    assert [log["user_agent"] for log in place.logs(query(("user_agent", "eq", ["contract-suite/1"])))] == [
        "contract-suite/1"
    ]


for part, word in (("request", "model"), ("response", "choices")):

    def body(world, part=part, word=word):
        place, log_id = one_log(world)
        reply = place.ask(f"GET {{manage}}/logs/{log_id}/{part}", headers=REST)
        assert word in reply.json()
        assert "success" not in reply.json()

    add(f"{part}-body", f"`GET logs/{{id}}/{part}` gives the {part}'s body, without an envelope.", DOCUMENTED, body)
add(
    "a-log-that-is-not-there",
    "A log that is not there is 404.",
    OBSERVED,
    asks("GET {manage}/logs/no-such", None, REST, **rest_refusal(404, 7002, "Log not found")),
)
for method, tail, body in (("GET", "", None), ("PATCH", "", {"feedback": 1}), ("GET", "/request", None)):
    add(
        f"both-kinds-of-id-{method.lower()}{tail.replace('/', '-')}",
        f"An id of either kind is taken for one: a ULID that is not there is 404 as well ({method} logs/{{id}}{tail}).",
        DOCUMENTED,
        asks(f"{method} {{manage}}/logs/{ULID}{tail}", body, REST, **rest_refusal(404, 7002)),
    )
