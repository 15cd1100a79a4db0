"""A run on Ray whose worker and whose driver are killed is begun again and goes on; no log gets a second verdict."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from .on_ray_environment import commands_with, environment

SCRIPT = Path(__file__).with_name("scored_on_ray_until_killed.py")
LOGS, BEFORE = 300, 90


pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux, the only one to tell for certain that a process is gone"
)


@pytest.fixture
def cluster():
    folder = tempfile.mkdtemp(prefix="r")  # a socket's path has to be short
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_run_whose_worker_and_driver_are_killed_is_begun_again_and_goes_on(empty, cluster, tmp_path):
    empty.add(range(LOGS))
    command = [sys.executable, str(SCRIPT), empty.base_url, cluster, str(tmp_path), "test-token"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())  # noqa: S603
    died = tmp_path / "died"
    wait_until(lambda: (died.exists() and len(empty.patches) >= BEFORE) or driver.poll() is not None)
    driver.kill()
    _, said = driver.communicate(timeout=30)
    assert driver.returncode == -9, said.decode()
    wait_until(lambda: not any(map(is_alive, tmp_path.glob("worker-*"))))  # they end with their driver, soon
    wait_until(lambda: not commands_with(cluster))
    first, given = list(empty.patches), scores(empty)
    assert BEFORE <= len(first) < LOGS

    (tmp_path / "go").touch()
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment())  # noqa: S603
    assert again.stdout == f"{LOGS} {LOGS - len(first)} {LOGS - len(first)} 0", again.stderr
    assert Counter(empty.patches) == {f"log-{number:06d}": 1 for number in range(LOGS)}
    assert given.items() <= scores(empty).items()


def scores(gateway):
    return {log_id: said[0] for log_id, said in gateway.said().items()}


def is_alive(worker):
    try:
        stat = Path("/proc", worker.name.removeprefix("worker-"), "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(is_so, seconds=120):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
