"""A run that is killed at any moment loses nothing, and no judge is asked twice for a verdict that was written down."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(__file__).with_name("scored_until_killed.py")
LOGS, KILLS = 400, 4


def test_a_killed_run_goes_on_where_it_was(empty, tmp_path):
    empty.add(range(LOGS))
    progress, asked = tmp_path / "progress.sqlite3", tmp_path / "asked"
    command = [sys.executable, str(SCRIPT), empty.base_url, str(progress), str(asked)]
    for kill in range(KILLS):
        before = recorded(progress)
        already = lines(asked)
        process = subprocess.Popen(command)  # noqa: S603 -- our own script
        while len(lines(asked)) < len(already) + 20 + 11 * kill and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert before.isdisjoint(lines(asked)[len(already) :])
    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 -- our own script
    assert {log_id: said[0] for log_id, said in empty.said().items()} == {f"log-{n:06d}": n for n in range(LOGS)}
    assert LOGS <= len(lines(asked)) <= LOGS + 4 * KILLS


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def recorded(path):
    if not path.exists():
        return set()
    db = sqlite3.connect(path)
    found = {row[0] for row in db.execute("SELECT id FROM log WHERE state != 'failed'")}
    db.close()
    return found
