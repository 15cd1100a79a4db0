"""The benchmarks run from end to end, in sizes that prove nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(),
    reason="needs /proc, which tells a process's CPU time and which only Linux has",
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    numbers = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    command = [sys.executable, "-m", "benchmarks.local_gateway", "--tiny", "--json", str(numbers)]
    table = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=100)  # noqa: S603 -- our own command
    return json.loads(numbers.read_text()), table.stdout


def test_every_request_is_answered(ran):
    requests = ran[0]["requests"]
    assert [rounds["failed"] for rounds in requests.values()] == [0, 0, 0]
    assert all(rounds["of_bare"] > 0 for rounds in requests.values())


def test_every_stream_comes_to_its_end(ran):
    assert [stream["complete"] for stream in ran[0]["streams"].values()] == [5, 5]


def test_every_filter_and_order_is_measured(ran):
    pages = {page["query"]: page["matches"] for page in ran[0]["pages"]["pages"]}
    assert pages["id few (eq)"] == 1
    assert pages["event_id few (eq)"] == 1
    assert len(pages) > 60


def test_the_table_says_what_was_measured(ran):
    for name in ("bare starlette", "in memory", "on disk", "through the gateway", "largest gap", "`all`"):
        assert name in ran[1]
