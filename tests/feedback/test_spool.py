"""What the spool keeps, whom it gives it, and what it makes of several names for one log."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aigw import ConfigurationError
from aigw.feedback._claims import LEASE_SECONDS
from aigw.feedback._owner import Owner
from aigw.feedback._rows import Target
from aigw.feedback._spool import Spool
from aigw.feedback._spool_file import open_spool

ACCOUNT = "a" * 32


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool.db", ACCOUNT)
    yield spool
    spool.close()


def accept(spool, name, kind="log", now=0.0, **changes):
    spool.accept([Target("gw", kind, name)], changes, now)


def test_many_may_make_one_file_at_the_same_moment(tmp_path):
    at_once = Barrier(8, timeout=30)

    def make(number):
        at_once.wait()
        open_spool(tmp_path / f"{number}.db").close()

    with ThreadPoolExecutor(8) as crowd:
        for made in [crowd.submit(make, number) for number in range(10) for _ in range(8)]:
            made.result()


def test_one_target_is_taken_once_with_all_that_was_said_of_it(spool):
    accept(spool, "l1", feedback=1)
    accept(spool, "l1", score=5)
    work = spool.take(1)
    assert (work.name, list(work.changes)) == ("l1", [{"feedback": 1}, {"score": 5}])
    assert spool.take(1) is None


def test_what_is_said_while_a_log_is_worked_on_waits_for_its_end(spool):
    accept(spool, "l1", feedback=1)
    work = spool.take(1)
    accept(spool, "l1", feedback=-1)
    assert spool.take(1) is None
    spool.finish(work, 2)
    assert list(spool.take(2).changes) == [{"feedback": -1}]


def test_nothing_is_left_behind_by_what_was_delivered(spool, tmp_path):
    accept(spool, "l1", feedback=1)
    spool.finish(spool.take(1), 1)
    assert spool.waiting() == 0
    with sqlite3.connect(tmp_path / "spool.db") as db:
        assert db.execute("SELECT (SELECT count(*) FROM target) + (SELECT count(*) FROM change)").fetchone() == (0,)
    db.close()


def test_a_postponed_target_is_given_out_when_it_is_due(spool):
    accept(spool, "l1", feedback=1)
    spool.postpone(spool.take(1), 10, "LogNotFoundError: not yet")
    assert (spool.take(9), spool.next_due()) == (None, 10)
    assert spool.take(10).attempts == 1


def test_new_feedback_does_not_hurry_a_postponed_target(spool):
    accept(spool, "l1", feedback=1)
    spool.postpone(spool.take(1), 10, "RateLimitError: wait")
    accept(spool, "l1", now=2.0, score=1)
    assert spool.take(9) is None


def test_a_dead_letter_tells_what_and_why(spool):
    accept(spool, "l1", feedback=1)
    accept(spool, "l1", score=5)
    spool.fail(spool.take(1), "AuthenticationError: bad token", 1)
    (letter,) = spool.failed()
    assert (letter.name, letter.changes, letter.error) == (
        "l1",
        [{"feedback": 1}, {"score": 5}],
        "AuthenticationError: bad token",
    )
    assert (spool.waiting(), spool.take(99)) == (0, None)


def test_dead_letters_can_be_tried_again(spool):
    accept(spool, "l1", feedback=1)
    spool.fail(spool.take(1), "x", 1)
    assert spool.retry_failed(2) == 1
    assert list(spool.take(2).changes) == [{"feedback": 1}]


def test_new_feedback_revives_a_dead_letter_and_says_all_of_it(spool):
    accept(spool, "l1", feedback=1)
    spool.fail(spool.take(1), "x", 1)
    accept(spool, "l1", score=3, now=2.0)
    assert list(spool.take(2).changes) == [{"feedback": 1}, {"score": 3}]
    assert spool.failed() == []


def test_a_name_is_a_log_id_as_soon_as_somebody_knows(spool):
    accept(spool, "x", kind="either", feedback=1)
    accept(spool, "x", kind="log", score=1)
    assert spool.take(1).kind == "log"


def test_feedback_to_an_event_goes_to_its_log_in_the_order_it_was_said(spool):
    accept(spool, "e1", kind="event", feedback=1)
    accept(spool, "l1", feedback=-1)
    event = spool.take(1)
    spool.refile(event, ["l1"], ["l1"], 1)
    work = spool.take(1)
    assert (work.name, list(work.changes)) == ("l1", [{"feedback": 1}, {"feedback": -1}])


def test_an_older_word_never_overrides_a_newer_one_that_is_delivered(spool):
    accept(spool, "e1", kind="event", feedback=1, score=7)
    accept(spool, "l1", feedback=-1)
    works = {work.name: work for work in (spool.take(1), spool.take(1))}
    spool.finish(works["l1"], 1)
    spool.refile(works["e1"], ["l1"], ["l1"], 2)
    work = spool.take(2)
    assert list(work.changes) == [{"feedback": 1, "score": 7}, {"feedback": -1}]
    spool.finish(work, 3)
    assert (spool.waiting(), spool.take(99)) == (0, None)


def test_feedback_outlives_its_queue(tmp_path):
    path = tmp_path / "spool.db"
    first = Spool(path, ACCOUNT)
    accept(first, "l1", feedback=1)
    first.take(1)
    first.close()
    second = Spool(path, ACCOUNT)
    assert second.take(1).name == "l1"
    second.close()


def test_another_accounts_feedback_is_left_alone(tmp_path):
    path = tmp_path / "spool.db"
    ours, theirs = Spool(path, ACCOUNT), Spool(path, "b" * 32)
    accept(ours, "l1", feedback=1)
    assert (theirs.take(9), theirs.waiting(), ours.waiting()) == (None, 0, 1)
    ours.close()
    theirs.close()


def test_what_a_living_queue_has_taken_is_not_given_to_another(tmp_path):
    path = tmp_path / "spool.db"
    first, second = Spool(path, ACCOUNT), Spool(path, ACCOUNT)
    accept(first, "l1", feedback=1)
    first.take(1)
    second.renew(2)
    assert second.take(2) is None
    first.renew(LEASE_SECONDS)
    second.renew(LEASE_SECONDS + 2)
    assert second.take(LEASE_SECONDS + 2) is None
    first.close()
    second.close()


def test_what_is_not_renewed_is_free_after_its_lease(tmp_path):
    path = tmp_path / "spool.db"
    first, second = Spool(path, ACCOUNT), Spool(path, ACCOUNT)
    accept(first, "l1", feedback=1)
    first.take(1)
    second.renew(LEASE_SECONDS + 2)
    assert second.take(LEASE_SECONDS + 2).name == "l1"
    first.close()
    second.close()


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux, the only one to tell for certain that a process is gone"
)
def test_what_a_killed_process_had_is_free_at_once(tmp_path):
    path = tmp_path / "spool.db"
    code = (
        "import os, sys; from aigw.feedback._spool import Spool; from aigw.feedback._rows import Target;"
        "s = Spool(sys.argv[1], 'a' * 32);"
        "s.accept([Target('gw', 'log', 'l1')], {'feedback': 1}, 0); s.take(1); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False)  # noqa: S603 -- our own code
    assert ended.returncode == -9
    spool = Spool(path, ACCOUNT)
    assert spool.take(2) is None
    spool.renew(2)
    assert spool.take(2).name == "l1"
    spool.close()


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux, the only one to tell for certain that a process is gone"
)
def test_a_process_number_that_came_again_is_another_process():
    owner = Owner.current()
    assert not owner.is_gone
    assert Owner(owner.place, owner.pid, "1", owner.queue).is_gone
    assert Owner.parse(str(owner)) == owner


def test_sinks_are_told_after_the_gateway_each_for_itself(tmp_path):
    spool = Spool(tmp_path / "spool.db", ACCOUNT, ["one", "two"])
    spool.accept([Target("gw", "log", "l1", "e1")], {"feedback": 1}, 0)
    spool.finish(spool.take(1), 1)
    told = [spool.take(1), spool.take(1)]
    assert sorted((work.sink, work.name, work.event_id) for work in told) == [("one", "l1", "e1"), ("two", "l1", "e1")]
    assert list(told[0].changes) == [{"feedback": 1}]
    spool.close()


def test_the_file_is_for_its_owner_alone(spool, tmp_path):
    accept(spool, "l1", feedback=1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_spool_of_another_version_is_refused(tmp_path):
    path = tmp_path / "spool.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ConfigurationError, match="version 99"):
        Spool(path, ACCOUNT)
