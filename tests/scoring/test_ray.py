"""The same verdicts on a Ray cluster as in one process: twenty thousand logs, a local cluster of two workers."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from aigw import ConfigurationError
from aigw.local import LocalGateway
from aigw.ray import ClientSettings, judge_logs, read_logs, score_logs
from aigw.ray._rows import rows_of_verdicts, verdicts_of_rows
from aigw.scoring import ScoredLog

from .conftest import Filled
from .on_ray_environment import commands_with, environment

LOGS = 20_000
TOKEN = "secret-token-of-the-ray-test"
SCRIPT = Path(__file__).with_name("on_ray.py")


class Both:
    """What came of the same logs on Ray and in one process."""

    def __init__(self, filled, folder):
        done = subprocess.run(  # noqa: S603 -- our own script
            [sys.executable, str(SCRIPT), filled.base_url, folder, TOKEN],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
            env=environment(),
        )
        assert done.returncode == 0, done.stderr
        self.output = done.stderr
        self.ray = json.loads(done.stdout)
        self.patches = Counter(filled.patches)
        self.on_ray = filled.said("many")
        self.in_process = filled.said("one")


@pytest.fixture(scope="module")
def both():
    folder = tempfile.mkdtemp(prefix="r")  # a socket's path has to be short
    with LocalGateway() as local:
        filled = Filled(local)
        for gateway in ("one", "many"):
            filled.add(range(LOGS), gateway=gateway)
        yield Both(filled, folder), folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_verdicts_are_the_same_as_in_one_process(both):
    both, _ = both
    assert both.on_ray == both.in_process
    assert len(both.on_ray) == LOGS // 10
    assert both.on_ray["log-000150"] == (150 / 8, -1, "judge")


def test_the_counts_are_the_same_too(both):
    both, _ = both
    names = ("total", "read", "scored", "skipped", "failed", "undelivered")
    assert {name: both.ray["first"][name] for name in names} == {name: both.ray["here"][name] for name in names}
    assert both.ray["first"]["failed"] == LOGS // 1000


def test_every_log_is_patched_once_on_each_and_a_second_run_patches_nothing(both):
    both, _ = both
    assert set(both.patches.values()) == {2}
    assert (both.ray["second"]["total"], both.ray["second"]["read"]) == (LOGS // 10, 0)


def test_verdicts_can_be_had_without_sending_them(both):
    verdicts = {row["id"]: row for row in both[0].ray["verdicts"]}
    assert sorted(verdicts) == [f"log-00001{n}" for n in range(10)]
    assert verdicts["log-000010"]["state"] == "undelivered"
    assert json.loads(verdicts["log-000010"]["changes"]) == {"score": 3 / 8, "metadata": {"source": "judge"}}


def test_a_gateway_without_logs_is_no_error(both):
    assert both[0].ray["nothing"]["read"] == 0


def test_no_token_is_in_what_ray_prints_or_writes(both):
    both, _ = both
    assert both.ray["told"] == []
    assert TOKEN not in both.output + json.dumps(both.ray)
    assert all("***" in error for error in both.ray["first"]["errors"].values())


def test_no_process_is_left(both):
    deadline = time.monotonic() + 20
    while (left := commands_with(both[1])) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_settings_show_no_token_and_keep_it_on_the_way_to_a_worker():
    settings = ClientSettings("acme", api_token=TOKEN)
    assert TOKEN not in repr(settings)
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 -- our own
    assert settings.client().account_id == "acme"


def test_a_worker_takes_the_token_of_its_own_environment(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    client = ClientSettings("acme", token_variable="MY_TOKEN").client()
    assert client._account.api_token == TOKEN


def test_a_worker_without_a_token_says_what_to_do():
    with pytest.raises(ConfigurationError, match="a worker has no CLOUDFLARE_API_TOKEN"):
        ClientSettings("acme").client()


def test_the_account_of_the_program_travels_to_the_workers(monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acme")
    monkeypatch.setenv("AIGW_BASE_URL", "http://127.0.0.1:9")
    settled = ClientSettings().settled()
    assert (settled.account_id, settled.gateway_id, settled.base_url) == ("acme", "default", "http://127.0.0.1:9")


def test_a_missing_account_is_said_before_ray_is_started():
    with pytest.raises(ConfigurationError, match="CLOUDFLARE_ACCOUNT_ID"):
        score_logs("json:dumps")


@pytest.mark.parametrize("call", [read_logs, lambda settings: score_logs("json:dumps", settings)])
def test_without_the_extra_it_says_how_to_install_it(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ModuleNotFoundError, match=r"aigw\[ray\]"):
        call(ClientSettings("acme", api_token=TOKEN))


def test_a_wrong_judge_is_refused_before_anything_is_read():
    with pytest.raises(ConfigurationError, match="module:function"):
        judge_logs(None, "judges", ClientSettings("acme", api_token=TOKEN))


def test_verdicts_go_through_a_dataset_unchanged():
    verdicts = [
        ScoredLog("a", "undelivered", {"score": 1.5, "metadata": {"source": "j", "n": 1}}),
        ScoredLog("b", "skipped"),
        ScoredLog("c", "failed", None, "ValueError: no"),
    ]
    assert list(verdicts_of_rows(rows_of_verdicts(verdicts))) == verdicts
