"""Every command speaks JSON when asked to, and none shows the token, whatever comes back."""

import json

import pytest

TOKEN = "test-token-that-is-never-shown"
INPUT = '{"prompt": "Hello"}'
BODY = ["--input", INPUT]

DOCUMENTS = {
    "doctor": ["doctor"],
    "url": ["url", "openai"],
    "run": ["run", "@cf/meta/llama-3.1-8b-instruct", *BODY],
    "chat": ["chat", "openai/gpt-5-mini", "Hello"],
    "logs get": ["logs", "get", "LOG"],
    "feedback": ["feedback", "LOG", "1"],
    "cost": ["cost"],
}
LINES = {
    "run stream": ["run", "@cf/meta/llama-3.1-8b-instruct", *BODY, "--stream"],
    "logs list": ["logs", "list"],
    "logs tail": ["logs", "tail", "--limit", "1"],
    "logs export": ["logs", "export"],
}


@pytest.fixture
def ask(invoke, aigw_local):
    """Run a command on a gateway that has one log."""

    def ask(words):
        log_id = invoke(aigw_local.base_url, "chat", "openai/gpt-5-mini", "Hi", "--json").json["info"]["log_id"]
        done = invoke(aigw_local.base_url, *[log_id if word == "LOG" else word for word in words], "--json")
        assert done.code == 0, done.err
        return done

    return ask


@pytest.mark.parametrize("command", DOCUMENTS)
def test_a_command_with_one_result_prints_one_document(ask, command):
    assert isinstance(ask(DOCUMENTS[command]).json, dict)


@pytest.mark.parametrize("command", LINES)
def test_a_command_with_many_results_prints_one_document_a_line(ask, command):
    lines = ask(LINES[command]).lines
    assert len(lines) >= 1
    assert all(isinstance(line, dict) for line in lines)


ECHOES = [
    ["doctor"],
    ["run", "@cf/m/m", *BODY],
    ["run", "@cf/m/m", *BODY, "--stream"],
    ["chat", "openai/m", "Hello"],
    ["logs", "list"],
    ["logs", "get", "log-1"],
    ["logs", "export"],
    ["feedback", "log-1", "1"],
    ["cost"],
]


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("words", ECHOES, ids=" ".join)
def test_a_token_that_a_server_sends_back_is_never_shown(invoke, scripted, words, form):
    refusal = {
        "success": False,
        "errors": [{"code": 7003, "message": f"bad token {TOKEN}"}],
        "error": {"message": TOKEN},
    }
    scripted.answers[""] = (400, refusal, {"cf-aig-log-id": TOKEN})
    done = invoke(scripted.base_url, *words, *form)  # `invoke` looks for the token
    assert "***" in done.out + done.err


@pytest.mark.parametrize(
    "words", [["logs", "list"], ["logs", "export"], ["logs", "export", "--format", "csv"], ["cost"]]
)
def test_a_token_that_stands_in_a_log_is_never_shown(invoke, scripted, words):
    log = {
        "id": "log-1",
        "model": f"m-{TOKEN}",
        "metadata": {"key": TOKEN},
        "cost": 1,
        "created_at": "2026-10-01T00:00:00Z",
    }
    scripted.answers["/logs"] = (200, {"success": True, "result": [log], "result_info": {"total_count": 1}})
    done = invoke(scripted.base_url, *words)
    assert (done.code, "***" in done.out) == (0, True)
    assert json.dumps(TOKEN) not in done.out
