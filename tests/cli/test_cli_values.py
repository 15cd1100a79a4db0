"""The pure parts of the command line: what is typed, what is hidden, which proxy, which failure, which code."""

import socket
import ssl

import pytest

from aigw import APIConnectionError, APITimeoutError, ConfigurationError
from aigw.cli._exit_codes import ExitCode
from aigw.cli._output import Output, printable
from aigw.cli._pages import SeenIds
from aigw.cli._values import parse_filters, parse_pairs, parse_score
from aigw.cli.doctor._facts import Facts, Outcome, Setup
from aigw.cli.doctor._probes import failure_of
from aigw.cli.doctor._proxies import proxy_for
from aigw.cli.doctor._report import CHECKS, diagnose

HEALTHY = Setup(account_id="0123456789abcdef0123456789abcdef", api_token="test-token-of-forty-characters")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("model:eq:openai/gpt-5", "openai/gpt-5"),
        ("created_at:gt:2026-10-08T10:00:00Z", "2026-10-08T10:00:00Z"),
        ("success:eq:False", False),
        ("tokens_in:gt:100", 100),
        ("cost:lt:0.5", 0.5),
        ("metadata.value:eq:7", "7"),
    ],
)
def test_a_filter_s_value_has_the_type_of_its_key(text, value):
    [found] = parse_filters([text])
    assert (found["value"], type(found["value"])) == (value, type(value))


def test_labels_are_what_they_look_like():
    texts = ["a=1", "b=1.5", "c=true", "d=red", 'e="1"', "f=", "g=x=y", "h=null", "i=[1]"]
    assert parse_pairs(texts) == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": "red",
        "e": "1",
        "f": "",
        "g": "x=y",
        "h": "null",
        "i": "[1]",
    }


@pytest.mark.parametrize(("text", "score"), [("80", 80), ("0.5", 0.5), ("-1", -1), ("none", None), ("None", None)])
def test_a_score_is_a_number_or_none(text, score):
    assert parse_score(text) == score


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ConfigurationError, match="--score: expected a number, got 'good'"):
        parse_score("good")


def test_control_characters_are_replaced_and_lines_stay():
    assert printable("a\x1b]0;x\x07\r\nb\tc\x9b") == "a\ufffd]0;x\ufffd\nb\tc\ufffd"


def test_a_secret_is_hidden_before_a_cell_is_cut():
    output = Output(secrets=["test-token"])
    assert output.cell("a test-token, twice: test-token").plain == "a ***, twice: ***"


def test_ids_are_remembered_as_long_as_a_page_can_bring_them_again():
    seen = SeenIds()
    assert [seen.is_new(each) for each in "aab"] == [True, False, True]
    assert all(seen.is_new(str(number)) for number in range(500))
    assert "a" not in seen
    assert "499" in seen


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("https://api.cloudflare.com", {}, None),
        ("https://api.cloudflare.com", {"HTTPS_PROXY": "http://p:1/"}, ("HTTPS_PROXY", "p:1")),
        ("https://api.cloudflare.com", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://api.cloudflare.com", {"all_proxy": "socks5://u:pw@p:1"}, ("all_proxy", "p:1")),
        ("https://api.cloudflare.com", {"https_proxy": "a:1", "HTTPS_PROXY": "b:1"}, ("https_proxy", "a:1")),
        ("https://api.cloudflare.com", {"HTTPS_PROXY": "p:1", "NO_PROXY": "x, .cloudflare.com"}, None),
        ("https://api.cloudflare.com", {"HTTPS_PROXY": "p:1", "no_proxy": "*"}, None),
        ("http://127.0.0.1:8787", {"HTTP_PROXY": "p:1", "NO_PROXY": "localhost"}, ("HTTP_PROXY", "p:1")),
        ("http://127.0.0.1:8787", {"HTTP_PROXY": "p:1", "NO_PROXY": "127.0.0.1"}, None),
        ("http://[::1]:8787", {"HTTP_PROXY": "p:1", "NO_PROXY": "[::1]"}, None),
    ],
)
def test_the_proxy_is_the_one_the_environment_says(url, environment, expected):
    assert proxy_for(url, environment) == expected


def behind(cause, error=None):
    error = error or APIConnectionError("no answer")
    error.__cause__ = OSError("wrapped")
    error.__cause__.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (behind(socket.gaierror(-2, "Name or service not known")), "dns"),
        (behind(ConnectionRefusedError(111, "refused")), "refused"),
        (behind(ssl.SSLCertVerificationError(1, "self-signed")), "tls"),
        (behind(TimeoutError(), APITimeoutError("late")), "timeout"),
        (behind(ConnectionResetError()), "other"),
    ],
)
def test_why_no_answer_came_is_read_from_what_stands_behind_the_error(error, failure):
    assert failure_of(error) == failure


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        ("dns", "host_unknown"),
        ("refused", "connection_refused"),
        ("timeout", "host_silent"),
        ("proxy", "proxy_refused"),
        ("other", "connection_broken"),
        ("tls", "tls_failed"),
    ],
)
def test_each_way_of_not_answering_has_a_cause_of_its_own(failure, cause):
    broken = Outcome("https://api.cloudflare.com", failure=failure, text="why")
    diagnosis = diagnose(Facts(HEALTHY, rest=broken))
    assert [finding.cause for _, finding in diagnosis.findings if finding.cause] == [cause]
    assert diagnosis.exit_code == ExitCode.CONNECTION


def test_a_proxy_before_cloudflare_is_blamed_only_when_nothing_came_through():
    setup = Setup(HEALTHY.account_id, api_token=HEALTHY.api_token, environment={"HTTPS_PROXY": "http://p:1"})
    broken = diagnose(Facts(setup, rest=Outcome("https://api.cloudflare.com", failure="timeout")))
    fine = diagnose(Facts(setup, rest=Outcome("https://api.cloudflare.com", 404, 7003)))
    assert {finding.cause for _, finding in broken.findings if finding.cause} == {"proxy_in_the_way", "host_silent"}
    assert fine.exit_code == ExitCode.OK


def test_a_sign_in_page_in_cloudflare_s_place_is_named():
    page = Outcome("https://api.cloudflare.com", 200, is_envelope=False)
    diagnosis = diagnose(Facts(HEALTHY, rest=page))
    assert [finding.cause for _, finding in diagnosis.findings if finding.cause] == ["something_between"]
    assert diagnosis.exit_code == ExitCode.CONNECTION


def test_every_check_stands_without_any_probe():
    diagnosis = diagnose(Facts(Setup()))
    assert len(diagnosis.findings) == len(CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_no_secret_is_in_a_setup_s_repr():
    shown = repr(Setup(api_token="test-token", provider_key="sk-test-key", environment={"X": "test-secret"}))
    assert not {"test-token", "sk-test-key", "test-secret"} & set(shown.replace("'", " ").split())
    assert "test-secret" not in shown
