"""`doctor` against a scripted gateway that has one thing wrong, and against the local gateway."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from aigw.local import LocalGateway

TOKEN = "test-token-that-is-never-shown"
REST, GATEWAY, LOGS = "/ai/v1/chat/completions", "/compat/chat/completions", "/logs"


def rest_error(status, code, message="no"):
    return status, {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}


def gateway_error(status, code, message="no"):
    return status, {"success": False, "result": [], "messages": [], "error": [{"code": code, "message": message}]}


HEALTHY = {
    GATEWAY: gateway_error(400, 2019, "Chat completion bad format"),
    REST: rest_error(404, 7003, "Model not found: "),
    LOGS: (200, {"success": True, "result": [], "errors": [], "result_info": {}}),
}
DENIED = rest_error(401, 10000, "Authentication error")
CLOSED = gateway_error(401, 2009, "Unauthorized")
HTML = (502, "<html><title>Bad gateway</title></html>", {"content-type": "text/html"})


def off_by(**delta):
    return {"date": format_datetime(datetime.now(UTC) + timedelta(**delta), usegmt=True)}


def with_clock(**delta):
    return {path: (*answer, off_by(**delta)) for path, answer in HEALTHY.items()}


def causes(done):
    return [row["cause"] for row in done.json["checks"] if row["cause"]]


ANSWERS = {
    "token_refused": ({REST: DENIED, GATEWAY: CLOSED, LOGS: DENIED}, 4, "new token for this very account"),
    "token_cannot_run_models": ({REST: DENIED}, 4, "Workers AI Read"),
    "token_cannot_open_gateway": ({GATEWAY: CLOSED}, 4, "AI Gateway Run"),
    "logs_not_permitted": ({LOGS: DENIED}, 4, "AI Gateway Read"),
    "logs_api_absent": ({LOGS: rest_error(404, 10000)}, 0, "Workers Observability"),
    "gateway_unknown": (
        {GATEWAY: gateway_error(400, 2001), REST: rest_error(400, 2001), LOGS: rest_error(404, 7002)},
        5,
        "CLOUDFLARE_AI_GATEWAY_ID",
    ),
    "not_a_gateway": ({GATEWAY: HTML, REST: HTML, LOGS: HTML}, 2, "AIGW_BASE_URL"),
    "clock_wrong": (lambda: with_clock(hours=3), 2, "NTP"),
    "clock_off": (lambda: with_clock(seconds=-100), 0, "NTP"),
}


@pytest.mark.parametrize("cause", ANSWERS)
def test_it_names_the_cause_behind_the_answers_and_the_fix(invoke, scripted, cause):
    answers, code, fix = ANSWERS[cause]
    scripted.answers = HEALTHY | (answers() if callable(answers) else answers)  # a clock is read when it is asked
    done = invoke(scripted.base_url, "doctor", "--json")
    assert (causes(done), done.code, done.json["exit_code"], done.json["ok"]) == ([cause], code, code, code == 0)
    assert fix in next(row["fix"] for row in done.json["checks"] if row["cause"])


LIVE = {
    "model_unknown": (rest_error(404, 7003, "Model not found: x/y"), 5, "author/model"),
    "no_credits": (gateway_error(402, 2021, "Insufficient balance"), 1, "credits"),
    "rate_limited": (gateway_error(429, 2003, "Rate limited"), 1, "rate limit"),
    "spend_limit": (gateway_error(429, 2041, "Spend limit exceeded"), 1, "spend limit"),
    "guardrail_blocked": (gateway_error(424, 2016, "blocked"), 1, "guardrails"),
    "provider_failed": (gateway_error(400, 2005, "Failed to get response from provider"), 1, "logs list"),
    "own_key_demanded": (gateway_error(400, 2044, "credentials are required"), 2, "provider key"),
    "stored_key_refused": ((401, {"error": {"code": "invalid_api_key", "message": "bad key"}}), 4, "stored at the"),
    "live_call_failed": ((418, {"error": {"message": "teapot"}}), 1, "log"),
}


@pytest.mark.parametrize("cause", LIVE)
def test_a_live_probe_names_what_only_a_call_can_show(invoke, scripted, cause):
    answer, code, fix = LIVE[cause]
    count = iter(range(9))
    scripted.answers = HEALTHY | {REST: lambda _: answer if next(count) else HEALTHY[REST]}
    done = invoke(scripted.base_url, "doctor", "--json", "--model", "x/y")
    assert (causes(done), done.code) == ([cause], code)
    assert fix in next(row["fix"] for row in done.json["checks"] if row["cause"])


def test_a_provider_that_refuses_the_caller_s_own_key_is_told_from_a_stored_one(invoke, scripted):
    refusal = (401, {"error": {"code": "invalid_api_key", "message": "bad key"}})
    count = iter(range(9))
    scripted.answers = HEALTHY | {GATEWAY: lambda _: refusal if next(count) else HEALTHY[GATEWAY]}
    words = ["--model", "openai/gpt-5-mini", "--provider-key-env", "MY_KEY"]
    done = invoke(scripted.base_url, "doctor", "--json", *words, MY_KEY="sk-planted-provider-key")
    assert (causes(done), done.code) == (["provider_key_refused"], 4)
    assert scripted.asked[-1][2]["authorization"] == "Bearer sk-planted-provider-key"
    assert "planted" not in done.out + done.err


SETUPS = {
    "account_id_missing": ({"CLOUDFLARE_ACCOUNT_ID": None}, 2),
    "account_id_malformed": ({"CLOUDFLARE_ACCOUNT_ID": "me@example.org"}, 2),
    "token_missing": ({"CLOUDFLARE_API_TOKEN": None}, 2),
    "token_malformed": ({"CLOUDFLARE_API_TOKEN": f"Bearer {TOKEN}"}, 2),
    "token_is_global_key": ({"CLOUDFLARE_API_TOKEN": "0123456789abcdef" * 2 + "01234"}, 2),
    "token_is_account_id": ({"CLOUDFLARE_API_TOKEN": "0123456789abcdef" * 2}, 2),
    "gateway_id_malformed": ({"CLOUDFLARE_AI_GATEWAY_ID": "my gateway"}, 2),
    "base_url_malformed": ({"AIGW_BASE_URL": "127.0.0.1:8787"}, 2),
    "base_url_is_cloudflare": ({"AIGW_BASE_URL": "https://gateway.ai.cloudflare.com/v1/acct/gw/openai"}, 2),
}


@pytest.mark.parametrize("cause", SETUPS)
def test_it_names_what_is_wrong_before_any_request(invoke, scripted, cause):
    scripted.answers = dict(HEALTHY)
    given, code = SETUPS[cause]
    settings = {"AIGW_BASE_URL": scripted.base_url, **given}
    base_url = settings.pop("AIGW_BASE_URL")
    if cause == "base_url_is_cloudflare":
        settings["CLOUDFLARE_API_TOKEN"] = None  # so that nothing is sent there
    done = invoke(base_url, "doctor", "--json", **settings)
    assert cause in causes(done)
    assert done.code == code


def test_a_base_url_with_a_path_too_many_is_named_with_the_right_one(invoke, scripted):
    scripted.answers = dict(HEALTHY)
    done = invoke(f"{scripted.base_url}/v1/acct/default", "doctor", "--json")
    assert causes(done) == ["base_url_has_path"]
    assert f"Set {scripted.base_url};" in done.out
    assert scripted.asked == []


def test_a_secret_in_a_base_url_is_not_told(invoke):
    done = invoke("http://me:planted-password@127.0.0.1:9/v1?key=planted-key", "doctor", "--json")
    assert causes(done) == ["base_url_malformed"]
    assert "planted" not in done.out + done.err


def test_a_closed_port_is_3(invoke):
    done = invoke("http://127.0.0.1:9", "doctor", "--json")
    assert (set(causes(done)), done.code) == ({"connection_refused"}, 3)


def test_https_to_a_server_without_tls_is_a_tls_failure(invoke, scripted):
    done = invoke(scripted.base_url.replace("http", "https"), "doctor", "--json")
    assert (causes(done), done.code) == (["tls_failed"], 3)
    assert "http://" in next(row["fix"] for row in done.json["checks"] if row["cause"])


def test_a_proxy_that_is_passed_over_for_a_local_gateway_is_named_with_its_variable_and_without_its_password(
    invoke, scripted
):
    scripted.answers = dict(HEALTHY)
    proxy = "http://me:planted-password@127.0.0.1:9"
    done = invoke(scripted.base_url, "doctor", "--json", HTTP_PROXY=proxy, NO_PROXY=None, no_proxy=None)
    assert (causes(done), done.code) == ([], 0)
    assert "this machine is asked directly, though HTTP_PROXY names 127.0.0.1:9" in done.out
    assert "planted" not in done.out


def test_a_placeholder_that_bypasses_the_stored_key_is_named(invoke, scripted):
    scripted.answers = dict(HEALTHY)
    given = {"OPENAI_BASE_URL": f"{scripted.base_url}/v1/acct/default/openai", "OPENAI_API_KEY": "dummy"}
    done = invoke(scripted.base_url, "doctor", "--json", **given)
    assert (causes(done), done.code) == (["stored_key_bypassed"], 2)
    assert "OPENAI_API_KEY" in done.out
    elsewhere = invoke(scripted.base_url, "doctor", "--json", OPENAI_API_KEY="dummy")
    assert causes(elsewhere) == []


@pytest.mark.parametrize(
    ("key", "cause"),
    [("xxx", "stored_key_bypassed"), (TOKEN, "provider_key_is_cloudflare_token"), (None, "provider_key_missing")],
)
def test_a_provider_key_that_cannot_be_one_is_named(invoke, scripted, key, cause):
    scripted.answers = dict(HEALTHY)
    done = invoke(scripted.base_url, "doctor", "--json", "--provider-key-env", "MY_KEY", MY_KEY=key)
    assert (causes(done), done.code) == ([cause], 2)


def test_no_model_is_called_unless_asked_for(invoke, scripted):
    scripted.answers = dict(HEALTHY)
    done = invoke(scripted.base_url, "doctor", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    rest = "/client/v4/accounts/0123456789abcdef0123456789abcdef"
    assert [(method, path) for method, path, _ in scripted.asked] == [
        ("POST", f"{rest}/ai/v1/chat/completions"),
        ("POST", "/v1/0123456789abcdef0123456789abcdef/default/compat/chat/completions"),
        ("GET", f"{rest}/ai-gateway/gateways/default/logs?page=1&per_page=1"),
    ]


def test_json_has_the_same_keys_always(invoke, scripted):
    scripted.answers = dict(HEALTHY)
    well = invoke(scripted.base_url, "doctor", "--json").json
    ill = invoke(None, "doctor", "--json", CLOUDFLARE_ACCOUNT_ID=None, CLOUDFLARE_API_TOKEN=None).json
    assert list(well) == list(ill) == ["ok", "exit_code", "account_id", "gateway_id", "base_url", "checks"]
    assert [row["check"] for row in well["checks"]] == [row["check"] for row in ill["checks"]]
    assert all(list(row) == ["check", "status", "cause", "result", "fix"] for row in well["checks"] + ill["checks"])


def test_the_local_gateway_is_well(shell):
    with LocalGateway(tokens=[TOKEN]) as gateway:
        done = shell(gateway.base_url, "doctor", "--model", "openai/gpt-4.1-mini")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nAll is well.\n")
    assert re.search(r"^ok +Live call +openai/gpt-4.1-mini answers", done.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("gateway", "words", "cause", "code"),
    [
        ({"tokens": ["another-token"]}, [], "token_refused", 4),
        ({"gateways": {"mine": {}}}, ["--gateway", "yours"], "gateway_unknown", 5),
        ({"models": ["openai/*"]}, ["--model", "x/y"], "model_unknown", 5),
    ],
)
def test_the_local_gateway_has_the_same_causes(invoke, gateway, words, cause, code):
    with LocalGateway(**gateway) as local:
        done = invoke(local.base_url, "doctor", "--json", *words)
    assert (causes(done)[0], done.code) == (cause, code)


def test_the_table_says_check_result_and_what_to_do(shell, scripted):
    scripted.answers = HEALTHY | {LOGS: DENIED}
    done = shell(scripted.base_url, "doctor")
    assert done.out.splitlines()[0].split() == ["CHECK", "RESULT", "WHAT", "TO", "DO"]
    row = next(line for line in done.out.splitlines() if line.startswith("fail"))
    assert re.match(r"fail  Logs +the token may run models and not read logs +Add the permissions AI Gateway Read", row)
    assert done.out.endswith("\n1 thing to mend.\n")
    assert done.code == 4
