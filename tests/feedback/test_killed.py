"""A process that is killed with SIGKILL at any moment loses no feedback that was accepted, and gets none wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from random import Random

import pytest

from aigw import AIGateway
from aigw.feedback import FeedbackQueue

from .faulty import ACCOUNT, LOST, TOKEN, Fault, FaultyGateway

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux, the only one to tell for certain that a process is gone"
)

TOTAL, LOGS, LANES, SPARE, KILLS, SEED = 10_000, 400, 4, 10, 50, 20_261_122

ZYGOTE = f"""
import os, sys, time
from threading import Thread
from aigw import AIGateway
from aigw.feedback import FeedbackQueue
from aigw._engines._library import ssl_context

ssl_context()

def give(queue, number, most):
    first = number
    while number < {TOTAL}:
        if number - first >= most * {LANES}:
            time.sleep(600)
        queue.feedback(f"l{{number % {LOGS}}}", (-1, 0, 1)[number % 3], score=number)
        os.write(1, b"%d\\n" % number)
        number += {LANES}
        time.sleep(0.0015)

def work(most, *lanes):
    client = AIGateway({ACCOUNT!r}, {TOKEN!r}, "gw", base_url=os.environ["URL"])
    queue = FeedbackQueue(client, spool=os.environ["SPOOL"], max_pending=100_000)
    threads = [Thread(target=give, args=(queue, number, most)) for number in lanes]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    os._exit(not queue.close(60))

for line in sys.stdin:
    pid = os.fork()
    if not pid:
        work(*map(int, line.split()))
    os.write(1, b"pid %d\\n" % pid)
    os.waitpid(pid, 0)
    os.write(1, b"end\\n")
"""


class Lives:
    """A process after another, each forked from one that has loaded everything; their lanes go on where they ended.

    Attributes:
        accepted: Every number whose `feedback()` returned.
        lanes: What each of the lanes says next; a lane has its own logs, and its numbers rise.
    """

    def __init__(self, server, spool, first=0):
        self.accepted = []
        self.lanes = [first + lane for lane in range(LANES)]
        env = {**os.environ, "URL": server.url, "SPOOL": str(spool)}
        pipe = subprocess.PIPE
        self.zygote = subprocess.Popen([sys.executable, "-c", ZYGOTE], env=env, stdin=pipe, stdout=pipe)  # noqa: S603

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.zygote.communicate(timeout=30)

    def live(self, answers=TOTAL, pause=0.0):
        """Let one live until so many feedbacks were accepted, and a moment; tell whether it was killed.

        A few more and it waits to be killed, so that a slow machine does not leave too few for the next lives.
        """
        words = (answers // LANES + SPARE, *self.lanes)
        self.zygote.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.zygote.stdin.flush()
        pid, count, is_killed = 0, 0, False
        for line in self.zygote.stdout:
            if line == b"end\n":
                return is_killed
            if line.startswith(b"pid"):
                pid = int(line[4:])
            else:
                self._heard(int(line))
                count += 1
            if pid and count >= answers and not is_killed:
                time.sleep(pause)
                os.kill(pid, signal.SIGKILL)
                is_killed = True
        raise AssertionError("the zygote died")

    def _heard(self, number):
        self.accepted.append(number)
        self.lanes[number % LANES] = number + LANES


def last_word(accepted):
    """Give the highest number each log was given; a number is given once, and within a log they rise."""
    last = defaultdict(int)
    for number in accepted:
        last[f"l{number % LOGS}"] = max(last[f"l{number % LOGS}"], number)
    return last


def check(server, accepted):
    """The end of each log is its last accepted word, and no log was ever told an older word after a newer one."""
    last = last_word(accepted)
    assert {log: said["score"] for log, said in server.logs.items()} == last
    assert all(said["feedback"] == (-1, 0, 1)[said["score"] % 3] for said in server.logs.values())
    sent = defaultdict(list)
    for one in server.patches:
        sent[one.log_id].append(one.body["score"])
    assert [log for log, scores in sent.items() if scores != sorted(scores)] == []


def drained(server, spool):
    client = AIGateway(ACCOUNT, TOKEN, "gw", base_url=server.url)
    with FeedbackQueue(client, spool=spool) as queue:
        assert queue.flush(60)
        assert queue.failed() == []
    client.close()


def test_fifty_deaths_in_ten_thousand_feedbacks_lose_none(tmp_path, capsys):
    random = Random(SEED)  # noqa: S311 -- not for secrets
    began = time.monotonic()
    with FaultyGateway() as server:
        with Lives(server, tmp_path / "spool") as lives:
            kills = sum(lives.live(random.randrange(1, 280), random.random() * 0.005) for _ in range(KILLS))
            lives.live()
        drained(server, tmp_path / "spool")
        check(server, lives.accepted)
    assert (kills, len(lives.accepted)) == (KILLS, TOTAL)
    with capsys.disabled():
        print(  # noqa: T201 -- the number that is asked for
            f"\n{kills} kills in {TOTAL} feedbacks to {LOGS} logs: all applied by {len(server.patches)} patches, "
            f"{time.monotonic() - began:.1f} s"
        )


def test_two_processes_share_a_spool_and_one_is_killed(tmp_path):
    with FaultyGateway(delay=0.001) as server:
        server.faults["*"] = [Fault(500), LOST, Fault(404), LOST]
        with (
            Lives(server, tmp_path / "spool", TOTAL - 1200) as dies,
            Lives(server, tmp_path / "spool", TOTAL - 800) as on,
        ):
            other = threading.Thread(target=on.live)
            other.start()
            assert dies.live(300)
            other.join()
        drained(server, tmp_path / "spool")
        last = last_word(dies.accepted + on.accepted)
    assert len(on.accepted) == 800
    assert set(last) <= set(server.logs)
    for log, said in server.logs.items():
        spoken = {number for number in dies.accepted + on.accepted if f"l{number % LOGS}" == log}
        assert said["score"] in spoken or log not in last
        assert said["feedback"] == (-1, 0, 1)[said["score"] % 3]
