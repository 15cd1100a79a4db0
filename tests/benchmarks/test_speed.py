"""The benchmark of the clients runs from end to end, in sizes that prove nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ("ours, LangChain", "ours, LlamaIndex", "ours, core", "LangChain, no network", "plain httpx", "raw socket")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="needs /proc, which tells a process's memory and which only Linux has"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    numbers = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    only = [word for client in CLIENTS for word in ("--only", client)]
    command = [sys.executable, "-m", "benchmarks.speed", "--tiny", "--json", str(numbers), *only]
    table = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=100)  # noqa: S603 -- our own command
    return json.loads(numbers.read_text()), table.stdout


def test_every_client_is_asked_what_it_can_answer(ran):
    asked = {case: set(measured["rounds"]) for case, measured in ran[0]["cases"].items()}
    assert asked["call"] == set(CLIENTS)
    assert asked["chunk of 500"] == set(CLIENTS)
    assert asked["call, async"] == set(CLIENTS) - {"raw socket"}
    assert asked["five tools"] == {"ours, LangChain", "ours, LlamaIndex", "ours, core"}


def test_every_number_is_one(ran):
    rounds = [values for case in ran[0]["cases"].values() for values in case["rounds"].values()]
    assert all(value >= 0 for values in rounds for value in values)
    assert all(values for values in rounds)


def test_the_table_says_what_was_measured_and_which_targets_are_met(ran):
    for words in ("| call, us of CPU |", "| 100 in flight, us of CPU |", "objects for 1,000 calls", "| target |"):
        assert words in ran[1]


def test_a_saved_run_can_be_read_again(ran, tmp_path):
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(ran[0]))
    command = [sys.executable, "-m", "benchmarks.speed", "--from", str(saved)]
    table = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)  # noqa: S603 -- the same
    assert table.stdout == ran[1]
