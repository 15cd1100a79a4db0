"""`doctor` where something is truly wrong: a local gateway set up so, a socket that misbehaves, a proxy, a name."""

import re
import socket
import threading
from contextlib import contextmanager

import pytest

from aigw import AIGateway
from aigw.cli.doctor import _probes
from aigw.cli.doctor._facts import Facts, Outcome, Setup
from aigw.cli.doctor._report import diagnose
from aigw.local import LocalGateway, ScriptUpstream

ACCOUNT = "0123456789abcdef0123456789abcdef"
MODEL = "openai/gpt-5-mini"
CALL = ["--model", MODEL]
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
FREE_WORDS = {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}
TINY_LIMIT = {"enabled": True, "rules": [{"id": "a", "limitType": "cost", "limit": 0.01, "window": 3600}]}


def spend(local):
    with AIGateway(ACCOUNT, "any", base_url=local.base_url, max_retries=0) as client:
        client.chat(BODY, gateway={"custom_cost": {"per_token_in": 1.0, "per_token_out": 1.0}})


def found(done):
    """Give cause and fix of the first thing that is wrong."""
    row = next(row for row in done.json["checks"] if row["status"] == "fail")
    return row["cause"], row["fix"]


GATEWAYS = {
    "token_refused": ({"tokens": ["another"]}, [], 4, "Create a new token"),
    "token_cannot_run_models": (
        {"tokens": ["another"], "settings": {"authentication": False}},
        [],
        4,
        "Workers AI Read",
    ),
    "gateway_unknown": ({"gateways": {"mine": {}}}, ["--gateway", "yours"], 5, "CLOUDFLARE_AI_GATEWAY_ID"),
    "model_unknown": ({"models": ["anthropic/*"]}, CALL, 5, "author/model"),
    "no_credits": ({"switches": {"credits": 0.0}}, CALL, 1, "Add credits"),
    "own_key_demanded": ({"settings": {"byok_only": True}}, CALL, 2, "provider key"),
    "provider_failed": ({"upstream": ScriptUpstream([{"drop": True, "times": "forever"}])}, CALL, 1, "logs list"),
    "guardrail_blocked": ({"settings": FREE_WORDS, "guardrail_check": lambda _: ["S1"]}, CALL, 1, "guardrails"),
    "rate_limited": ({"settings": {"rate_limiting_limit": 1, "rate_limiting_interval": 3600}}, CALL, 1, "rate limit"),
    "spend_limit": ({"settings": {"spend_limits": TINY_LIMIT}}, CALL, 1, "spend limit"),
    "live_call_failed": ({"upstream": ScriptUpstream([{"status": 418, "times": "forever"}])}, CALL, 1, "log"),
}
USED_UP = {"rate_limited", "spend_limit"}


@pytest.mark.parametrize("cause", GATEWAYS)
def test_a_gateway_that_is_so_is_diagnosed_so(invoke, cause):
    config, words, code, fix = GATEWAYS[cause]
    with LocalGateway(**config) as local:
        if cause in USED_UP:
            spend(local)
        done = invoke(local.base_url, "doctor", "--json", *words)
    assert (found(done)[0], done.code, done.json["exit_code"]) == (cause, code, code)
    assert fix in found(done)[1]


@pytest.mark.parametrize(
    ("words", "cause"), [([], "stored_key_refused"), (["--provider-key-env", "KEY"], "provider_key_refused")]
)
def test_a_provider_that_refuses_a_key_is_told_from_a_gateway_that_refuses_a_token(invoke, words, cause):
    refusal = {"status": 401, "json": {"error": {"code": "invalid_api_key", "message": "bad key"}}, "times": "forever"}
    with LocalGateway(upstream=ScriptUpstream([refusal], provider="openai")) as local:
        done = invoke(local.base_url, "doctor", "--json", *CALL, *words, KEY="sk-planted-provider-key")
    assert (found(done)[0], done.code) == (cause, 4)
    assert "planted" not in done.out + done.err


def test_a_gateway_without_a_key_for_a_placeholder_calls_the_provider_with_the_placeholder(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "doctor", "--json", *CALL, "--provider-key-env", "KEY", KEY="sk-xxxx")
    assert (found(done)[0], done.code) == ("stored_key_bypassed", 2)
    assert aigw_local.requests[-1].headers["authorization"] == "***"


@contextmanager
def listener(answer):
    """Give the port of a socket that treats every connection as told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def serve():
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    answer(connection, ended)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join()


def hang_up(connection, _):
    connection.recv(65536)


def say_nothing(_, ended):
    ended.wait(10)


def refuse_to_lead_on(connection, _):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")


def test_a_server_that_hangs_up_is_a_broken_connection(invoke):
    with listener(hang_up) as port:
        done = invoke(f"http://127.0.0.1:{port}", "doctor", "--json")
    assert (found(done)[0], done.code) == ("connection_broken", 3)


def test_a_server_that_says_nothing_is_silent(invoke, monkeypatch):
    monkeypatch.setattr(_probes, "_SECONDS", 0.2)
    with listener(say_nothing) as port:
        done = invoke(f"http://127.0.0.1:{port}", "doctor", "--json")
    assert (found(done)[0], done.code) == ("host_silent", 3)
    assert "firewall" in found(done)[1]


def test_a_port_nobody_listens_on_refuses(invoke):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = invoke(f"http://127.0.0.1:{port}", "doctor", "--json")
    assert (found(done)[0], done.code) == ("connection_refused", 3)
    assert "cf-aigw local" in found(done)[1]


def test_a_host_without_an_address_is_unknown(invoke, monkeypatch):
    real = socket.getaddrinfo

    def resolve(host, *more, **options):
        if host == "gateway.invalid":  # a resolver may take its time to say so
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    done = invoke("http://gateway.invalid", "doctor", "--json")
    assert (found(done)[0], done.code) == ("host_unknown", 3)
    assert "spelling" in found(done)[1]


def test_a_proxy_that_nobody_runs_is_named_with_its_variable(invoke):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    proxy = f"http://me:planted@127.0.0.1:{port}"
    done = invoke("http://gateway.invalid", "doctor", "--json", HTTP_PROXY=proxy, NO_PROXY=None, no_proxy=None)
    causes = [row["cause"] for row in done.json["checks"] if row["cause"]]
    assert (causes[0], done.code) == ("proxy_in_the_way", 3)
    assert "HTTP_PROXY" in found(done)[1]
    assert "planted" not in done.out + done.err


def test_a_proxy_that_refuses_is_told_from_a_host_that_does(invoke):
    with listener(refuse_to_lead_on) as port:
        proxy = f"http://127.0.0.1:{port}"
        done = invoke("https://gateway.invalid", "doctor", "--json", HTTPS_PROXY=proxy, NO_PROXY=None, no_proxy=None)
    causes = [row["cause"] for row in done.json["checks"] if row["cause"]]
    assert ("proxy_refused" in causes, done.code) == (True, 3)


def test_a_connection_that_breaks_in_the_real_call_is_told(invoke, scripted, monkeypatch):
    healthy = (400, {"success": False, "error": [{"code": 2019, "message": "bad format"}]})
    logs = (200, {"success": True, "result": [], "errors": [], "result_info": {}})
    scripted.answers = {"chat/completions": healthy, "/logs": logs}
    with listener(hang_up) as port:
        base_url = f"http://127.0.0.1:{port}"
        call = _probes._call
        monkeypatch.setattr(
            _probes, "_call", lambda setup: call(Setup(ACCOUNT, base_url=base_url, api_token="any", model=setup.model))
        )
        done = invoke(scripted.base_url, "doctor", "--json", *CALL)
    assert (found(done)[0], done.code) == ("live_call_broken", 3)


@pytest.mark.parametrize(
    ("code", "cause", "exit_code"),
    [(2008, "provider_unknown", 5), (2040, "alias_unknown", 5), (2045, "spend_limit", 1)],
)
def test_a_code_that_a_real_call_brings_is_named(code, cause, exit_code):
    setup = Setup(ACCOUNT, api_token="any", model=MODEL)
    well = Outcome("https://api.cloudflare.com", 200)
    diagnosis = diagnose(Facts(setup, well, well, well, Outcome(status=400, code=code, text="no")))
    causes = [finding.cause for _, finding in diagnosis.findings if finding.cause]
    assert (causes, diagnosis.exit_code) == ([cause], exit_code)


def test_something_between_here_and_cloudflare_is_named():
    setup = Setup(ACCOUNT, api_token="any")
    page = Outcome("https://api.cloudflare.com", 200, is_envelope=False)
    diagnosis = diagnose(Facts(setup, page, page, page))
    finding = next(finding for _, finding in diagnosis.findings if finding.status == "fail")
    assert (finding.cause, diagnosis.exit_code) == ("something_between", 3)
    assert "sign-in page" in finding.fix


def test_logs_that_fail_are_a_remark(invoke, scripted):
    healthy = (400, {"success": False, "error": [{"code": 2019, "message": "bad format"}]})
    scripted.answers = {
        "chat/completions": healthy,
        "/logs": (500, {"success": False, "errors": [{"message": "oops"}]}),
    }
    done = invoke(scripted.base_url, "doctor", "--json")
    assert ([row["cause"] for row in done.json["checks"] if row["cause"]], done.code) == (["logs_failed"], 0)


def test_the_words_of_a_diagnosis_fit_the_terminal_and_tell_the_fix(shell):
    with LocalGateway(tokens=["another"]) as local:
        done = shell(local.base_url, "doctor")
    assert done.code == 4
    assert re.search(r"^fail  Token: models +refused on both hosts", done.out, re.MULTILINE)
    assert "Create a new token for this very account" in " ".join(done.out.split())
