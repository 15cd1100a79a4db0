"""What was said lies in the inbox until somebody files it: in its order, whoever said it, and through any death."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aigw.feedback._rows import Target
from aigw.feedback._spool import Spool
from aigw.feedback._spool_file import open_spool

ACCOUNT = "a" * 32

VERSION_1 = """
CREATE TABLE target (
  id INTEGER PRIMARY KEY, sink TEXT NOT NULL, account TEXT NOT NULL, gateway TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, event_id TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', since REAL NOT NULL,
  due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', lease REAL NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '', UNIQUE (sink, account, gateway, name));
CREATE TABLE change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, said INTEGER, target INTEGER NOT NULL REFERENCES target, body BLOB NOT NULL,
  is_for_all INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX change_target ON change (target);
CREATE INDEX change_done ON change (target) WHERE done = 1;
CREATE INDEX target_waiting ON target (due) WHERE state = 'waiting';
CREATE INDEX target_searched ON target (id) WHERE state = 'waiting' AND kind != 'log' AND sink = '';
CREATE INDEX target_owned ON target (owner) WHERE owner != '';
PRAGMA user_version = 1;
INSERT INTO target (id, sink, account, gateway, kind, name, event_id, since, due)
VALUES (1, '', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'gw', 'log', 'l1', '', 0, 0);
INSERT INTO change (target, body) VALUES (1, '{"feedback":1}');
"""


@pytest.fixture
def old(tmp_path):
    """Give a spool as the first version made it, with one feedback in it."""
    path = tmp_path / "spool"
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode = WAL;" + VERSION_1)
    db.close()
    return path


def accept(spool, *names, now=0.0, **changes):
    return spool.accept([Target("gw", "log", name) for name in names], changes, now)


def test_a_spool_of_the_first_version_is_given_what_is_new(old):
    spool = Spool(old, ACCOUNT)
    accept(spool, "l1", feedback=-1)
    assert (spool.pending, spool.waiting()) == (2, 2)
    assert list(spool.take(1).changes) == [{"feedback": 1}, {"feedback": -1}]
    spool.close()


def test_many_may_upgrade_one_file_at_the_same_moment(old):
    at_once = Barrier(8, timeout=30)

    def upgrade(_):
        at_once.wait()
        spool = Spool(old, ACCOUNT)
        accept(spool, "l2", feedback=1)
        spool.close()

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(upgrade, range(8)))
    db = open_spool(old)
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    db.close()


def test_what_two_spools_of_one_file_hear_is_filed_in_the_order_it_was_said(tmp_path):
    first, second = Spool(tmp_path / "spool", ACCOUNT), Spool(tmp_path / "spool", ACCOUNT)
    for score in range(10):
        accept((first, second)[score % 2], "l1", score=score)
        if score == 4:
            second.renew(0)
    assert [said["score"] for said in first.take(1).changes] == list(range(10))
    first.close()
    second.close()


def test_what_is_not_filed_is_counted_due_and_no_emptiness(tmp_path):
    ours, other = Spool(tmp_path / "spool", ACCOUNT), Spool(tmp_path / "spool", ACCOUNT)
    assert (other.is_empty, other.next_due()) == (True, None)
    accept(ours, "l1", now=5.0, feedback=1)
    assert (other.is_empty, other.next_due(), other.next_due(["sink"]), other.waiting()) == (False, 5.0, None, 1)
    ours.close()
    other.close()


def test_another_accounts_inbox_is_no_reason_to_wait(tmp_path):
    ours, theirs = Spool(tmp_path / "spool", ACCOUNT), Spool(tmp_path / "spool", "b" * 32)
    accept(theirs, "l1", feedback=1)
    assert (ours.is_empty, ours.next_due(), ours.waiting(), ours.take(1)) == (True, None, 0, None)
    assert theirs.take(1).name == "l1"
    ours.close()
    theirs.close()


def test_feedback_to_several_logs_is_kept_for_all_of_them(tmp_path):
    spool = Spool(tmp_path / "spool", ACCOUNT)
    assert accept(spool, "l1", "l2", "l3", score=3) == 3
    works = [spool.take(1) for _ in range(3)]
    assert [(work.name, list(work.changes)) for work in works] == [(f"l{n}", [{"score": 3}]) for n in (1, 2, 3)]
    spool.close()


def test_all_of_a_dead_letter_is_pending_again_when_more_is_said(tmp_path):
    spool = Spool(tmp_path / "spool", ACCOUNT)
    accept(spool, "l1", feedback=1)
    accept(spool, "l1", score=2)
    spool.fail(spool.take(1), "x", 1)
    assert spool.pending == 0
    assert accept(spool, "l1", score=3) == 1
    assert accept(spool, "l1", score=4) == 1
    spool.renew(2)
    assert (spool.pending, spool.failed(), spool.take(2).attempts) == (4, [], 0)
    spool.close()


def test_a_full_spool_counts_what_is_not_filed(tmp_path):
    spool = Spool(tmp_path / "spool", ACCOUNT)
    accept(spool, "l1", feedback=1)
    assert spool.accept([Target("gw", "log", "l2")], {"feedback": 1}, 0, most=1) == 0
    spool.finish(spool.take(1), 1)
    assert spool.accept([Target("gw", "log", "l2")], {"feedback": 1}, 0, most=1) == 1
    spool.close()


@pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="needs SIGKILL, which ends a process at once and which Windows has not"
)
def test_what_a_killed_process_had_not_filed_is_another_processes_to_send(tmp_path):
    code = (
        "import os, sys; from aigw.feedback._spool import Spool; from aigw.feedback._rows import Target;"
        "s = Spool(sys.argv[1], 'a' * 32);"
        "s.accept([Target('gw', 'log', 'l1')], {'feedback': 1}, 0); os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "spool"
    ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False, env=os.environ)  # noqa: S603
    assert ended.returncode == -9
    spool = Spool(path, ACCOUNT)
    assert (spool.pending, spool.take(1).name) == (1, "l1")
    spool.close()
