"""`cf-aigw score`: a judge from the current folder over the logs of a gateway."""

import json
import signal
import sys
import time

import pytest

from aigw.local import LocalGateway
from aigw.local._logs._record import LogRecord

ACCOUNT = "0123456789abcdef0123456789abcdef"
JUDGES = """
import asyncio, os, time

def by_number(log):
    return int(log.id[-2:])

async def unkind(log):
    return {"feedback": -1, "metadata": {"why": log.response["answer"]}} if log.model == "openai/rude" else None

def fails(log):
    raise ValueError(f"not {log.id}: {os.environ['CLOUDFLARE_API_TOKEN']}")

def slow(log):
    time.sleep(0.02)
    return 1
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Give a folder with judges in it, which is the current one."""
    (tmp_path / "own_judges.py").write_text(JUDGES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "own_judges", raising=False)
    yield tmp_path
    sys.modules.pop("own_judges", None)


@pytest.fixture
def gateway():
    """Give a gateway with 40 logs, four of which are rude."""
    with LocalGateway() as local:
        local._log_store().add_many(
            LogRecord(
                account=ACCOUNT,
                gateway="default",
                id=f"log-{number:02}",
                created_at=1_790_000_000_000 + number,
                provider="openai",
                model="openai/rude" if number % 10 == 0 else "openai/kind",
                path="chat/completions",
                response_body=json.dumps({"answer": f"no {number}"}).encode(),
            )
            for number in range(40)
        )
        yield local


def test_every_log_is_scored_and_the_counts_are_said(invoke, gateway):
    done = invoke(gateway.base_url, "score", "--judge", "own_judges:by_number")
    assert (done.code, done.out) == (0, "40 logs: 40 scored\n")
    assert [log.score for log in gateway.logs] == list(range(40))
    assert gateway.logs[0].metadata == {"source": "own_judges:by_number"}


def test_filters_choose_and_an_async_judge_sees_the_bodies(invoke, gateway):
    words = ("score", "--judge", "own_judges:unkind", "--filter", "model:contains:rude", "--name", "unkind")
    done = invoke(gateway.base_url, *words, "--json")
    assert (done.json["read"], done.json["scored"]) == (4, 4)
    assert gateway.logs[10].metadata == {"source": "unkind", "why": "no 10"}


def test_the_json_is_one_document_of_counts(invoke, gateway):
    done = invoke(gateway.base_url, "score", "--judge", "own_judges:unkind", "--json")
    assert done.json == {
        "total": 40,
        "read": 40,
        "scored": 4,
        "skipped": 36,
        "failed": 0,
        "undelivered": 0,
        "already": 0,
        "unsampled": 0,
        "errors": {},
        "dry_run": False,
    }


def test_the_progress_file_is_named_by_gateway_and_judge_and_a_second_run_does_nothing(invoke, gateway, folder):
    words = ("score", "--judge", "own_judges:unkind")
    invoke(gateway.base_url, *words)
    assert (folder / "aigw-score-default-own_judges-unkind.sqlite3").exists()
    assert invoke(gateway.base_url, *words).out == "40 logs: 40 already\n"


def test_another_judges_progress_file_is_refused(invoke, gateway, folder):
    invoke(gateway.base_url, "score", "--judge", "own_judges:unkind", "--progress", folder / "p")
    done = invoke(gateway.base_url, "score", "--judge", "own_judges:by_number", "--progress", folder / "p")
    assert done.code == 2
    assert "its judge is 'own_judges:unkind'" in done.err


def test_a_dry_run_prints_the_verdicts_and_sends_nothing(invoke, gateway, folder):
    words = ("score", "--judge", "own_judges:by_number", "--limit", "2", "--dry-run")
    done = invoke(gateway.base_url, *words, "--concurrency", "1")
    assert "log-01: score 1, metadata {'source': 'own_judges:by_number'}" in done.out
    assert "(nothing was sent)" in done.out
    *verdicts, summary = invoke(gateway.base_url, *words, "--json").lines
    assert sorted(verdict["log_id"] for verdict in verdicts) == ["log-00", "log-01"]
    assert (summary["scored"], summary["dry_run"]) == (2, True)
    assert {log.score for log in gateway.logs} == {None}
    assert list(folder.glob("*.sqlite3")) == []


def test_a_judge_that_raises_is_said_and_the_exit_code_is_1(invoke, gateway):
    done = invoke(gateway.base_url, "score", "--judge", "own_judges:fails", "--limit", "1")
    assert (done.code, done.out) == (1, "1 logs: 1 failed\n")
    assert "log-00: ValueError: not log-00: ***" in done.err
    assert "The same command once more" in done.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--judge", "own_judges"), "module:function"),
        (("--judge", "own_judges:nobody"), "has no 'nobody'"),
        (("--judge", "nowhere_at_all:f"), "there is no module 'nowhere_at_all'"),
        (("--judge", "own_judges:slow", "--filter", "model"), "KEY:OPERATOR:VALUE"),
        (("--judge", "own_judges:slow", "--sample", "3"), "sample cannot be 3.0"),
        ((), "--judge"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(invoke, gateway, words, sentence):
    done = invoke(gateway.base_url, "score", *words)
    assert done.code == 2
    assert sentence in done.err


def test_a_gateway_that_is_not_there_is_exit_code_3(invoke, monkeypatch):
    monkeypatch.setattr("aigw.cli._score.MAX_RETRIES", 0)
    with LocalGateway() as gone:
        address = gone.base_url
    assert invoke(address, "score", "--judge", "own_judges:slow").code == 3


def test_ctrl_c_ends_it_with_130_and_the_next_run_goes_on(shell, start, gateway):
    process = start(gateway.base_url, "score", "--judge", "own_judges:slow", "--concurrency", "1")
    deadline = time.monotonic() + 20
    while sum(log.score is not None for log in gateway.logs) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    done = shell(gateway.base_url, "score", "--judge", "own_judges:slow", "--json")
    assert done.code == 0
    assert done.json["already"] >= 3
    assert {log.score for log in gateway.logs} == {1}
