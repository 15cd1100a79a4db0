"""Packages from npm: Vercel's AI SDK, and Cloudflare's two providers for it.

Each script of `node/` makes all its calls in one process and prints what they gave; what that must be is said here.
"""

import json
import subprocess
from pathlib import Path

import pytest

from aigw.local import LocalGateway

from ..needs import require  # noqa: TID252 -- the tests are no package with a name
from .asked import ANSWER, BLOCK, LIMIT, TOKEN

SCRIPTS = Path(__file__).parent / "node"
NODE = require.program("node", how="https://nodejs.org, or apt-get install nodejs npm")
require.path(SCRIPTS / "node_modules", how="npm ci --prefix tests/clients/node")

ROUTE = {
    "elements": [
        {"id": "start", "type": "start", "outputs": {"next": {"elementId": "model"}}},
        {
            "id": "model",
            "type": "model",
            "properties": {"provider": "openai", "model": "gpt-5-nano", "timeout": 10000, "retries": 0},
            "outputs": {"success": {"elementId": "end"}, "fallback": {"elementId": "end"}},
        },
        {"id": "end", "type": "end", "outputs": {}},
    ]
}
OPEN = {"authentication": False}
MODELS = (
    "openai/gpt-*",
    "openai/text-embedding-*",
    "anthropic/claude-*",
    "@cf/meta/*",
    "@cf/baai/*",
    "dynamic/*",
)
WAYS = ("chat", "responses", "messages", "compat", "rest_chat", "rest_responses")
WORKERS_WAYS = ("rest", "gateway", "binding")


@pytest.fixture(scope="module")
def gateway():
    gateways = {
        "closed": {"authentication": True},
        "limited": {**OPEN, **LIMIT},
        "guarded": {**OPEN, **BLOCK},
    }
    with LocalGateway(
        tokens=[TOKEN], settings=OPEN, gateways=gateways, models=MODELS, routes={"support": ROUTE}
    ) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def run(gateway):
    def run(script):
        command = [NODE, "--no-warnings", SCRIPTS / f"{script}.mjs", gateway.base_url]
        done = subprocess.run(  # noqa: S603 -- this project's own script
            command, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def ai_sdk(run):
    return run("ai_sdk")


@pytest.fixture(scope="module")
def gateway_provider(run):
    return run("ai_gateway_provider")


@pytest.fixture(scope="module")
def workers_provider(run):
    return run("workers_ai_provider")


@pytest.fixture
def log(gateway, read_logs):
    def log(result, gateway_id="default"):
        headers = result["error"]["responseHeaders"] if "error" in result else result["headers"]
        return read_logs(gateway, gateway_id).get(headers["cf-aig-log-id"])

    return log


def body(result):
    return json.loads(result["error"]["responseBody"])


def assert_answered(result):
    assert (result["text"], result["finishReason"]) == (ANSWER, "stop"), result
    assert result["usage"]["inputTokens"] > 1 < result["usage"]["outputTokens"]


def assert_streamed(result):
    assert_answered(result)
    assert len(result["pieces"]) > 1
    assert "".join(result["pieces"]) == ANSWER


def assert_called(result):
    assert [(call["toolName"], call["input"]) for call in result["toolCalls"]] == [("get_weather", {"city": "Paris"})]


@pytest.mark.parametrize("way", WAYS)
def test_the_ai_sdk_generates_text_that_is_logged(ai_sdk, log, way):
    result = ai_sdk[f"{way} text"]
    assert_answered(result)
    assert log(result)["tokens_out"] == result["usage"]["outputTokens"]


@pytest.mark.parametrize("way", WAYS)
def test_the_ai_sdk_streams_text_that_is_logged(ai_sdk, log, way):
    result = ai_sdk[f"{way} stream"]
    assert_streamed(result)
    assert log(result)["tokens_out"] == result["usage"]["outputTokens"]


@pytest.mark.parametrize("how", ["tools", "tools streamed"])
@pytest.mark.parametrize("way", WAYS)
def test_the_ai_sdk_calls_tools(ai_sdk, way, how):
    assert_called(ai_sdk[f"{way} {how}"])
    assert ai_sdk[f"{way} {how}"]["finishReason"] == "tool-calls"


@pytest.mark.parametrize("way", WAYS)
def test_the_ai_sdk_runs_a_tool_and_comes_back_with_its_result(ai_sdk, way):
    result = ai_sdk[f"{way} tool loop"]
    assert (result["steps"], result["finishReason"]) == (2, "stop")
    assert "Sunny in Paris." in result["text"]


@pytest.mark.parametrize("way", WAYS)
def test_the_ai_sdk_generates_objects(ai_sdk, way):
    assert "Paris" in ai_sdk[f"{way} object"]["output"]["city"]


def test_the_ai_sdk_embeds(ai_sdk):
    one, two = ai_sdk["embeddings"]["sizes"]
    assert one == two > 1
    assert ai_sdk["embeddings"]["usage"]["tokens"] > 0


def test_the_ai_sdk_meets_the_cache(ai_sdk, log):
    miss, hit = ai_sdk["cached miss"], ai_sdk["cached hit"]
    assert [answer["headers"]["cf-aig-cache-status"] for answer in (miss, hit)] == ["MISS", "HIT"]
    assert (hit["text"], log(hit)["cached"]) == (miss["text"], True)


def test_the_ai_sdk_tries_again(ai_sdk):
    assert_answered(ai_sdk["retried"])


@pytest.mark.parametrize(
    ("case", "status", "code", "retryable"),
    [
        ("no token", 401, 2009, False),
        ("wrong token", 401, 10000, False),
        ("no such model", 404, 7003, False),
        ("no prefix", 400, 2019, False),
        ("rate limited", 429, 2003, True),
        ("guarded prompt", 424, 2016, False),
    ],
)
def test_the_ai_sdk_knows_a_refusal_by_its_status(ai_sdk, case, status, code, retryable):
    error = ai_sdk[case]["error"]
    assert (error["name"], error["statusCode"], error["isRetryable"]) == ("AI_APICallError", status, retryable)
    told = body(ai_sdk[case])
    assert (told.get("error") or told["errors"])[0]["code"] == code


def test_the_ai_sdk_reads_the_providers_own_error(ai_sdk, log):
    error = ai_sdk["provider down"]["error"]
    assert (error["statusCode"], error["isRetryable"]) == (503, True)
    assert error["message"] == body(ai_sdk["provider down"])["error"]["message"]
    assert log(ai_sdk["provider down"])["success"] is False


def test_the_ai_sdk_reports_a_cut_stream(ai_sdk):
    assert [error["name"] for error in ai_sdk["cut stream"]["errors"]] == ["AI_APICallError"]


def test_the_ai_sdk_gives_up_when_its_signal_says_so(ai_sdk):
    assert ai_sdk["timed out"]["error"]["name"] == "TimeoutError"


@pytest.mark.parametrize(
    ("case", "model"),
    [
        ("text", "openai/gpt-5-mini"),
        ("unified billing", "openai/gpt-5-mini"),
        ("responses", "openai/gpt-5-mini"),
        ("anthropic", "anthropic/claude-haiku-4-5"),
        ("unified", "openai/gpt-5-mini"),
        ("unified with a key", "anthropic/claude-haiku-4-5"),
        ("dynamic route", "openai/gpt-5-nano"),
        ("through a binding", "openai/gpt-5-mini"),
        ("gateway retries", "openai/gpt-5-mini"),
        ("fallback", "anthropic/claude-haiku-4-5"),
    ],
)
def test_the_gateway_provider_generates_text_that_is_logged(gateway_provider, log, case, model):
    assert_answered(gateway_provider[case])
    assert (log(gateway_provider[case])["model"], log(gateway_provider[case])["success"]) == (model, True)


@pytest.mark.parametrize("case", ["stream", "anthropic streamed", "fallback streamed", "through a binding, streamed"])
def test_the_gateway_provider_streams_text_that_is_logged(gateway_provider, log, case):
    assert_streamed(gateway_provider[case])
    assert log(gateway_provider[case])["tokens_out"] == gateway_provider[case]["usage"]["outputTokens"]


def test_the_gateway_provider_calls_tools_and_generates_objects(gateway_provider):
    assert_called(gateway_provider["tools"])
    assert "Paris" in gateway_provider["object"]["output"]["city"]


@pytest.mark.parametrize(("case", "step"), [("text", "0"), ("fallback", "1"), ("fallback streamed", "1")])
def test_the_gateway_provider_finds_the_model_that_answered_by_the_step(gateway_provider, case, step):
    headers = gateway_provider[case]["headers"]
    assert headers["cf-aig-step"] == step
    assert (headers["cf-aig-log-id"] == headers["cf-aig-request-id"]) is (step == "0")


def test_the_gateway_provider_sends_its_options(gateway_provider, log):
    miss, hit = gateway_provider["cached miss"], gateway_provider["cached hit"]
    assert [answer["headers"]["cf-aig-cache-status"] for answer in (miss, hit)] == ["MISS", "HIT"]
    assert {answer["headers"]["cf-aig-event-id"] for answer in (miss, hit)} == {"event-1"}
    assert log(hit)["metadata"] == {"plan": "gold", "tries": "3"}
    assert log(gateway_provider["through a binding"])["metadata"] == {"via": "binding"}


def test_the_gateway_provider_gives_the_last_error_when_all_fail(gateway_provider, log):
    assert gateway_provider["all fail"]["error"]["statusCode"] == 503
    assert log(gateway_provider["all fail"])["model"] == "openai/gpt-5-nano"


@pytest.mark.parametrize(
    ("case", "kind"),
    [("wrong token", "AiGatewayUnauthorizedError"), ("no such gateway", "AiGatewayDoesNotExist")],
)
def test_the_gateway_provider_knows_the_gateways_codes(gateway_provider, case, kind):
    assert gateway_provider[case]["error"]["kind"] == kind


@pytest.mark.parametrize(("case", "status", "code"), [("rate limited", 429, 2003), ("guarded prompt", 424, 2016)])
def test_the_gateway_provider_passes_other_refusals_on(gateway_provider, case, status, code):
    assert gateway_provider[case]["error"]["statusCode"] == status
    assert body(gateway_provider[case])["internalCode"] == code


def test_the_gateway_provider_opens_a_gateway_with_its_token(gateway_provider, log):
    assert_answered(gateway_provider["good token"])
    assert log(gateway_provider["good token"], "closed")["status_code"] == 200


@pytest.mark.parametrize("way", WORKERS_WAYS)
def test_the_workers_provider_generates_and_streams_text(workers_provider, way):
    assert_answered(workers_provider[f"{way} text"])
    assert_streamed(workers_provider[f"{way} stream"])


@pytest.mark.parametrize("how", ["tools", "tools streamed"])
@pytest.mark.parametrize("way", WORKERS_WAYS)
def test_the_workers_provider_calls_tools(workers_provider, way, how):
    assert_called(workers_provider[f"{way} {how}"])


@pytest.mark.parametrize("way", WORKERS_WAYS)
def test_the_workers_provider_runs_a_tool_and_comes_back_with_its_result(workers_provider, way):
    assert workers_provider[f"{way} tool loop"]["steps"] == 2
    assert "Sunny in Paris." in workers_provider[f"{way} tool loop"]["text"]


@pytest.mark.parametrize("way", WORKERS_WAYS)
def test_the_workers_provider_generates_objects_and_embeds(workers_provider, way):
    assert "Paris" in workers_provider[f"{way} object"]["output"]["city"]
    one, two = workers_provider[f"{way} embeddings"]["sizes"]
    assert one == two > 1


def test_the_workers_provider_sends_its_metadata(workers_provider, gateway, read_logs):
    assert_answered(workers_provider["gateway text"])
    logs = read_logs(gateway).newest(model="@cf/meta/llama-3.3-70b-instruct-fp8-fast")
    assert {"plan": "gold"} in [log.get("metadata") for log in logs]


@pytest.mark.parametrize(
    ("case", "transport", "step", "model"),
    [
        ("catalog, run path", "run", "0", "openai/gpt-5-mini"),
        ("catalog, run path, streamed", "run", "0", "openai/gpt-5-mini"),
        ("catalog, anthropic", "run", "0", "anthropic/claude-haiku-4.5"),
        ("catalog, anthropic streamed", "run", "0", "anthropic/claude-haiku-4.5"),
        ("catalog, gateway path", "gateway", "0", "openai/gpt-5-mini"),
        ("catalog, server fallback", "gateway", "1", "anthropic/claude-haiku-4.5"),
    ],
)
def test_the_workers_provider_routes_the_catalog(workers_provider, log, case, transport, step, model):
    result = workers_provider[case]
    assert_answered(result)
    dispatch = result["dispatch"]
    assert (dispatch["transport"], dispatch["status"], dispatch["cfStep"]) == (transport, 200, step)
    assert dispatch["logId"] == result["headers"]["cf-aig-log-id"]
    assert log(result)["model"] == model


@pytest.mark.parametrize(
    ("case", "model"), [("dynamic route", "openai/gpt-5-nano"), ("own provider", "openai/gpt-5-mini")]
)
def test_the_workers_provider_reaches_what_is_not_its_own(workers_provider, log, case, model):
    assert_answered(workers_provider[case])
    assert log(workers_provider[case])["model"] == model


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [("wrong token", 401, 10000), ("no such model", 400, 5007), ("provider down", 503, 7000)],
)
def test_the_workers_provider_knows_a_refusal_by_its_status(workers_provider, case, status, code):
    error = workers_provider[case]["error"]
    assert (error["name"], error["statusCode"], error["isRetryable"]) == ("AI_APICallError", status, status == 503)
    assert body(workers_provider[case])["errors"][0]["code"] == code


def test_the_workers_provider_reports_a_cut_stream(workers_provider):
    assert workers_provider["cut stream"]["error"]["message"] == "terminated"
