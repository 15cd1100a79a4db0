"""`python -m aigw.local` as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from aigw.local.__main__ import main
from aigw.local._upstreams._options import read_upstreams


@pytest.fixture
def start():
    """Start the command; give the process and its first line."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-W", "error", "-m", "aigw.local", "--port", "0", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)  # noqa: S603 -- our own command
        processes.append(process)
        return process, process.stdout.readline()

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_serves_and_ends_cleanly_when_told(start, tmp_path, number):
    process, line = start("--token", "test-token", "--cache-ttl", "60", "--data", str(tmp_path), "--model", "openai/*")
    url = re.search(r"AIGW_BASE_URL=(\S+) CLOUDFLARE_ACCOUNT_ID=\S+", line)[1]
    headers = {"authorization": "Bearer test-token"}
    path = f"{url}/client/v4/accounts/acct/ai/v1/chat/completions"
    body = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}]}
    assert httpx.post(path, json=body).status_code == 400
    assert httpx.post(path, json=body, headers=headers).headers["cf-aig-cache-status"] == "MISS"
    assert httpx.post(path, json={**body, "model": "groq/m"}, headers=headers).status_code == 404
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out.strip(), err) == (0, "", "")
    assert (tmp_path / "logs.sqlite3").exists()


def test_a_taken_port_is_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"aigw.local: cannot listen on 127.0.0.1 port {port}: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_one_sentence(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; from aigw.local.__main__ import main; sys.exit(main([]))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own program
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert 'pip install "aigw[local]"' in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--upstream", "ollama"], "--upstream: expected NAME=URL"),
        (["--upstream", "x=localhost:1"], "--upstream: expected NAME=URL"),
        (
            ["--upstream", "x=http://localhost:1", "--upstream-key-env", "AIGW_NO_SUCH_KEY"],
            "AIGW_NO_SUCH_KEY is not set",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(capsys, arguments, says):
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_it_forwards_with_the_key_from_the_environment(start, aigw_local, monkeypatch):
    monkeypatch.setitem(os.environ, "MY_KEY", "test-key")
    url = f"{aigw_local.base_url}/v1/acct/behind/openai"
    _, line = start("--upstream", f"openai={url}", "--upstream-key-env", "MY_KEY")
    base = re.search(r"AIGW_BASE_URL=(\S+)", line)[1]
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    reply = httpx.post(f"{base}/v1/acct/gw/openai/chat/completions", json=body)
    assert (reply.status_code, reply.headers["cf-aig-provider"]) == (200, "openai")
    assert "test-key" not in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--retain", "a week"], "retain: expected a number of logs"),
        (["--routes", "nowhere.json"], "--routes: nowhere.json cannot be read"),
    ],
)
def test_a_wrong_retain_or_routes_option_is_one_sentence(capsys, arguments, named):
    assert main(["--port", "0", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"aigw.local: {named}")


def test_routes_are_read_from_the_file_that_is_named(start, tmp_path):
    path = tmp_path / "routes.json"
    end = {"success": {"elementId": "end"}}
    model = {"id": "m", "type": "model", "outputs": end, "properties": {"provider": "openai", "model": "x"}}
    elements = [
        {"id": "s", "type": "start", "outputs": {"next": {"elementId": "m"}}},
        model,
        {"id": "end", "type": "end"},
    ]
    path.write_text(json.dumps({"support": {"elements": elements}}))
    _, line = start("--routes", str(path), "--retain", "7d")
    url = re.search(r"AIGW_BASE_URL=(\S+)", line)[1]
    body = {"model": "dynamic/support", "messages": [{"role": "user", "content": "hi"}]}
    reply = httpx.post(f"{url}/v1/acct/gw/compat/chat/completions", json=body)
    assert reply.headers["cf-aig-model"] == "openai/x"


def test_a_provider_is_forwarded_to_with_its_own_key_and_others_are_not(start, aigw_local, monkeypatch):
    monkeypatch.setitem(os.environ, "MY_KEY", "test-key")
    url = f"{aigw_local.base_url}/v1/acct/behind/anthropic"
    _, line = start("--upstream", f"anthropic={url}", "--upstream-key-env", "anthropic=MY_KEY")
    base = re.search(r"AIGW_BASE_URL=(\S+)", line)[1]
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    reply = httpx.post(f"{base}/v1/acct/gw/anthropic/v1/messages", json=body)
    assert (reply.status_code, reply.headers["cf-aig-provider"]) == (200, "anthropic")
    reply = httpx.post(f"{base}/v1/acct/gw/openai/chat/completions", json=body)
    assert (reply.status_code, reply.headers["cf-aig-provider"]) == (200, "local")


def test_a_known_providers_address_need_not_be_given_and_two_cannot_answer_for_all():
    everybody, providers = read_upstreams(["elevenlabs", "custom-mine=http://x", "ollama=http://y"], [])
    assert sorted(providers) == ["custom-mine", "elevenlabs"]
    assert everybody is not None
    assert everybody.provider == "ollama"
    with pytest.raises(ValueError, match="ollama and vllm cannot both answer for all"):
        read_upstreams(["ollama=http://x", "vllm=http://y"], [])
