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


def test_a_wrong_option_is_2(shell):
    done = shell(None, "local", "--prot", "1")
    assert done.code == 2
    assert "cf-aigw local: error: unrecognized arguments: --prot" in done.err
