"""The console script as a process: help, exit codes, what is never shown, how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("cf-aigw")
CODES = ["0 done", "1 the gateway", "2 wrong usage", "3 no connection", "4 the token", "5 no such", "130 interrupted"]


def flat(text):
    return " ".join(text.replace("│", " ").split())


def test_the_help_names_the_commands_and_the_exit_codes(shell):
    done = shell(None, "--help")
    assert done.code == 0
    for word in ["local", "doctor", "url", "run", "chat", "logs", "feedback", "cost", *CODES]:
        assert word in flat(done.out)


@pytest.mark.parametrize("words", [["chat"], ["logs", "list"], ["feedback"], ["cost"], ["doctor"], ["url"], ["run"]])
def test_the_help_of_each_command_names_the_exit_codes_and_the_options_all_have(invoke, words):
    done = invoke(None, *words, "--help")
    assert done.code == 0
    for word in ["--account-id", "--gateway", "--base-url", "--token-stdin", "--json", *CODES]:
        assert word in flat(done.out)


def test_the_version_is_the_package_s(invoke):
    from aigw import __version__  # noqa: PLC0415

    assert invoke(None, "--version").out == f"cf-aigw {__version__}\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_one_sentence(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; from aigw.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f'cf-aigw: the command line needs {missing}: pip install "aigw[cli]"\n'


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lgos"], "No such command 'lgos'. Did you mean 'logs'? (see `cf-aigw --help`)"),
        (["logs", "lst"], "No such command 'lst'. Did you mean 'list'? (see `cf-aigw logs --help`)"),
        (["logs", "list", "--limit", "0"], "(see `cf-aigw logs list --help`)"),
        (["logs", "list", "--filter", "model"], "expected KEY:OPERATOR:VALUE"),
        (["logs", "list", "--filter", "colour:eq:red"], "filter key cannot be 'colour'"),
        (["logs", "list", "--filter", "cost:gt:much"], "expected a number"),
        (["logs", "list", "--order-by", "colour"], "order_by cannot be 'colour'"),
        (["url", "--gateway", "a b"], "gateway_id cannot be 'a b'"),
        (["run", "openai/m", "--input", "{"], "this is no JSON"),
        (["run", "openai/m", "--input", "[]"], "expected a JSON object"),
        (["chat", "openai/m", " "], "the prompt is empty"),
        (["cost", "--by", "colour"], "--by cannot be 'colour'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(invoke, words, says):
    done = invoke("http://127.0.0.1:9", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("cf-aigw: ")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_token_is_no_argument_and_not_shown_when_it_is_given_as_one(invoke):
    done = invoke(None, "url", "--api-token=planted-secret-token")
    assert done.code == 2
    assert "planted" not in done.out + done.err


def test_a_missing_token_is_one_sentence_and_2(invoke):
    done = invoke("http://127.0.0.1:9", "logs", "list", CLOUDFLARE_API_TOKEN=None)
    assert done.code == 2
    assert "CLOUDFLARE_API_TOKEN" in done.err


def test_a_token_from_stdin_is_used_and_the_prompt_follows_it(invoke, scripted):
    scripted.answers["chat/completions"] = (401, {"errors": [{"code": 10000, "message": "no planted-secret-token"}]})
    done = invoke(scripted.base_url, "--token-stdin", "chat", "openai/m", stdin="planted-secret-token\nHello")
    assert scripted.asked[0][2]["authorization"] == "Bearer planted-secret-token"
    assert done.code == 4
    assert "no ***" in done.err


def test_an_empty_stdin_holds_no_token(invoke):
    done = invoke(None, "logs", "list", "--token-stdin", stdin="")
    assert done.code == 2
    assert "first line of stdin is empty" in done.err


def test_a_server_that_echoes_the_token_does_not_make_it_show(invoke, scripted):
    token = "test-token-that-is-never-shown"
    row = {"id": "1", "model": token, "metadata": {"who": token}}
    scripted.answers["/logs"] = (200, {"success": True, "result": [row], "result_info": {}})
    scripted.answers["/1"] = (200, {"success": True, "result": row})
    for words in (["logs", "list"], ["logs", "list", "--json"], ["logs", "get", "1"], ["logs", "export"], ["cost"]):
        done = invoke(scripted.base_url, *words)
        assert done.code == 0
        assert "***" in done.out


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": [{"code": 2005, "message": "Failed to get response from provider"}]}, 1),
        (402, {"errors": [{"code": 2021, "message": "Insufficient balance"}]}, 1),
        (429, {"error": [{"code": 2003, "message": "Rate limited"}]}, 1),
        (424, {"error": [{"code": 2016, "message": "Prompt blocked"}]}, 1),
        (401, {"errors": [{"code": 10000, "message": "Authentication error"}]}, 4),
        (403, {"success": False, "error": {"message": "Access denied by policy"}}, 4),
        (400, {"error": [{"code": 2001, "message": "Please configure AI Gateway"}]}, 5),
        (404, {"errors": [{"code": 7003, "message": "Model not found: openai/m"}]}, 5),
    ],
)
def test_what_the_gateway_refuses_has_an_exit_code_by_class(invoke, scripted, status, body, code):
    scripted.answers["chat/completions"] = (status, body, {"retry-after": "99"})
    done = invoke(scripted.base_url, "chat", "openai/m", "Hello")
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("cf-aigw: ")
    assert done.err.count("\n") == 1


def test_a_refusal_names_its_log(invoke, scripted):
    body = {"error": [{"code": 2016, "message": "Prompt blocked"}]}
    scripted.answers["chat/completions"] = (424, body, {"cf-aig-log-id": "log-1"})
    assert invoke(scripted.base_url, "chat", "openai/m", "Hello").err.endswith(" [log log-1]\n")


def test_no_connection_is_3(invoke):
    done = invoke("http://127.0.0.1:9", "logs", "list")
    assert done.code == 3
    assert done.err.startswith("cf-aigw: No answer from http://127.0.0.1:9: ")


def test_options_stand_before_the_command_or_after_it(invoke):
    expected = "http://127.0.0.1:9/v1/acct/g/openai\n"
    options = ["--account-id", "acct", "--gateway", "g", "--base-url", "http://127.0.0.1:9"]
    assert invoke(None, *options, "url", "openai").out == expected
    assert invoke(None, "url", "openai", *options).out == expected
    assert invoke(None, "--gateway", "other", "url", "openai", *options).out == expected


def test_the_url_needs_no_token_and_has_a_json_form(shell):
    done = shell(None, "url", "--json", CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_ACCOUNT_ID="acct")
    assert done.code == 0
    assert done.json == {
        "url": "https://gateway.ai.cloudflare.com/v1/acct/default/",
        "gateway_id": "default",
        "provider": None,
    }


def test_an_interrupt_ends_with_130_and_no_traceback(scripted, start):
    scripted.answers["/logs"] = (200, {"success": True, "result": [], "result_info": {}})
    process = start(scripted.base_url, "logs", "tail", "--interval", "0.05")
    deadline = time.monotonic() + 20
    while len(scripted.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("form", [["--json"], []])
def test_a_reader_that_leaves_early_is_no_error(scripted, environment, form):
    def page(path):
        number = path.partition("page=")[2].partition("&")[0]
        rows = [{"id": f"{number}-{row}", "model": "m"} for row in range(50)]
        return 200, {"success": True, "result": rows, "result_info": {}}

    scripted.answers["/logs"] = page
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(  # noqa: S603 -- our own script
        [SCRIPT, "logs", "list", *form, "--limit", "100"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=30,
        env=environment(scripted.base_url),
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_ends_well_when_the_reader_of_the_pipe_has_gone(environment):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(  # noqa: S603 -- our own script
        [SCRIPT, "--help"], stdout=write, stderr=subprocess.PIPE, check=False, timeout=30, env=environment(None)
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a disk that is always full, /dev/full, which only some systems have"
)
def test_help_on_a_full_disk_is_one_sentence(environment):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(  # noqa: S603 -- our own script
            [SCRIPT, "--help"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=30, env=environment(None)
        )
    assert (done.returncode, done.stderr) == (1, b"cf-aigw: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell, which can start a program with its streams closed")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_error(environment, closed):
    done = subprocess.run(  # noqa: S603 -- our own script
        ["/bin/sh", "-c", f'"$0" url openai {closed}', str(SCRIPT)],
        capture_output=True,
        check=False,
        timeout=30,
        env=environment(None),
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_piped_is_utf_8_whatever_the_locale_says(environment, aigw_local):
    told = environment(aigw_local.base_url, PYTHONIOENCODING="ascii")
    done = subprocess.run(  # noqa: S603 -- our own script
        [SCRIPT, "chat", "openai/gpt-4.1-mini", "Grüße 🫖"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
        env=told,
    )
    assert done.returncode == 0
    assert "Grüße 🫖" in done.stdout.decode()
