"""`cf-aigw local`: the local gateway under another name."""

import json
import signal
import subprocess
import sys

import httpx
import pytest


@pytest.mark.parametrize("words", [["local", "--json"], ["--json", "local"]])
def test_it_says_where_it_is_as_json_and_ends_cleanly(start, words):
    process = start(None, *words, "--port", "0", "--token", "test-token")
    said = json.loads(process.stdout.readline())
    assert said["needs_token"] is True
    assert httpx.get(said["base_url"]).status_code == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_its_options_are_those_of_the_module(shell):
    ours = shell(None, "local", "--help")
    theirs = subprocess.run(
        [sys.executable, "-m", "aigw.local", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert ours.out.startswith("usage: cf-aigw local ")
    assert ours.out.partition("options:")[2] == theirs.partition("options:")[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--host", "0.0.0.0"], "token"),
        (["--retain", "a week"], "retain: expected a number of logs"),
        (["--upstream", "ollama"], "--upstream: expected NAME=URL"),
    ],
)
def test_what_it_cannot_be_told_is_one_sentence_and_2(shell, words, says):
    done = shell(None, "local", "--port", "0", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("cf-aigw local: ")
    assert says in done.err


def test_a_port_that_is_taken_is_one_sentence_and_1(shell, aigw_local):
    port = aigw_local.base_url.rpartition(":")[2]
    done = shell(None, "local", "--port", port)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"cf-aigw local: cannot listen on 127.0.0.1 port {port}: ")


def test_a_wrong_option_is_2(shell):
    done = shell(None, "local", "--prot", "1")
    assert done.code == 2
    assert "cf-aigw local: error: unrecognized arguments: --prot" in done.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--token", ""], 2, "tokens: number 1 is empty"),
        (["--port", "99999"], 2, "port cannot be 99999: "),
        (["--data", __file__], 2, f"data cannot be {__file__!r}: "),
        (["--data", f"{__file__}/folder"], 1, f"cannot use {__file__}"),
    ],
)
def test_what_it_cannot_start_with_is_one_sentence(shell, words, code, says):
    done = shell(None, "local", *words)
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert done.err.startswith(f"cf-aigw local: {says}")
