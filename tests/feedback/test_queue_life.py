"""From the first feedback to the end of a process: closing, forks, event loops, cancellation, servers' workers."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from aigw import AIGateway, AsyncAIGateway, ConfigurationError
from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue

from .faulty import ACCOUNT, HANG, TOKEN, Fault, FaultyGateway, eventually

HEAD = f"""
import asyncio, os, sys, threading
from aigw import AIGateway, AsyncAIGateway
from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue
client = AIGateway({ACCOUNT!r}, {TOKEN!r}, "gw", base_url=os.environ["URL"])
aclient = AsyncAIGateway({ACCOUNT!r}, {TOKEN!r}, "gw", base_url=os.environ["URL"])
"""


def environment(server):
    return {**os.environ, "URL": server.url}


def run(server, script, *options, timeout=20):
    return subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, *options, "-c", HEAD + script],
        env=environment(server),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def public(cls):
    members = inspect.getmembers(cls, lambda each: inspect.isfunction(each) or isinstance(each, property))
    return {name: each for name, each in members if not name.startswith("_")}


def parameters(function):
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


def test_both_queues_have_the_same_methods():
    assert set(public(FeedbackQueue)) - {"close"} == set(public(AsyncFeedbackQueue)) - {"aclose"}


@pytest.mark.parametrize("name", ["__init__", "feedback", "flush", "failed", "waiting", "retry_failed"])
def test_a_method_takes_the_same_in_both_queues(name):
    assert parameters(getattr(FeedbackQueue, name)) == parameters(getattr(AsyncFeedbackQueue, name))
    assert parameters(FeedbackQueue.close) == parameters(AsyncFeedbackQueue.aclose)


async def test_closing_delivers_and_leaves_no_thread_and_no_task(face, faulty):
    before = set(threading.enumerate()), asyncio.all_tasks()
    queue = face.make(faulty)
    for number in range(50):
        await face.do(queue.feedback, f"l{number}", 1)
    assert await face.close(queue)
    left = [thread for thread in threading.enumerate() if thread.name == "aigw-feedback"]
    assert (len(faulty.logs), left, asyncio.all_tasks() - before[1]) == (50, [], set())


async def test_closing_with_a_spool_leaves_no_thread_and_no_task(face, faulty, tmp_path):
    before = asyncio.all_tasks()
    queue = face.make(faulty, spool=tmp_path / "spool.db")
    await face.do(queue.feedback, "l1", 1)
    assert await face.close(queue)
    left = [thread for thread in threading.enumerate() if thread.name == "aigw-feedback"]
    assert (left, asyncio.all_tasks() - before) == ([], set())
    assert [path.name for path in tmp_path.iterdir()] == ["spool.db"]


async def test_a_closed_queue_says_that_it_is_closed(face, faulty):
    queue = face.make(faulty)
    await face.close(queue)
    for method, args in [(queue.feedback, ["l1"]), (queue.flush, []), (queue.failed, []), (queue.retry_failed, [])]:
        with pytest.raises(RuntimeError, match="the feedback queue is closed"):
            await face.do(method, *args)
    assert await face.close(queue)


async def test_flush_gives_up_after_its_timeout_and_says_so(face, faulty):
    faulty.faults["l1"] = [HANG]
    queue = face.make(faulty)
    await face.do(queue.feedback, "l1", 1)
    began = time.monotonic()
    assert not await face.do(queue.flush, 0.2)
    assert 0.2 <= time.monotonic() - began < 2


async def test_closing_while_a_request_hangs_does_not_hang_and_warns(face, faulty, caplog):
    faulty.faults["l1"] = [HANG]
    queue = face.make(faulty, timeout=3)
    await face.do(queue.feedback, "l1", 1)
    began = time.monotonic()
    assert not await face.close(queue, 0.2)
    assert time.monotonic() - began < 2.5
    assert "closed with 1 feedbacks undelivered" in caplog.text


async def test_what_is_left_in_the_spool_is_delivered_by_the_next_queue(face, tmp_path):
    server = FaultyGateway()
    server.reserve()
    first = face.make(server, spool=tmp_path / "spool.db")
    await face.do(first.feedback, "l1", -1)
    assert not await face.close(first, 0)
    with server:
        second = face.make(server, spool=tmp_path / "spool.db")
        assert await face.do(second.flush, 10)
    assert dict(server.logs) == {"l1": {"feedback": -1}}


def test_a_sync_queue_sends_what_is_in_its_spool_without_being_asked(tmp_path):
    server = FaultyGateway()
    server.reserve()
    client = AIGateway(ACCOUNT, TOKEN, "gw", base_url=server.url)
    with FeedbackQueue(client, spool=tmp_path / "s") as first:
        first.feedback("l1", -1)
        first.close(0)
    with server, FeedbackQueue(client, spool=tmp_path / "s"):
        for _ in eventually(lambda: "l1" in server.logs):
            time.sleep(0.01)
    client.close()


def test_many_queues_may_make_one_spool_at_once(tmp_path, faulty):
    script = f"queue = FeedbackQueue(client, spool={str(tmp_path / 's')!r}); queue.feedback(f'l{{os.getpid()}}', 1)"
    started = [
        subprocess.Popen([sys.executable, "-c", HEAD + script], env=environment(faulty), stderr=subprocess.PIPE)  # noqa: S603
        for _ in range(4)
    ]
    assert [process.communicate(timeout=30)[1] for process in started] == [b""] * 4
    assert sorted(faulty.logs) == sorted(f"l{process.pid}" for process in started)


def test_a_script_that_only_gives_feedback_and_ends_has_delivered_it(faulty):
    done = run(faulty, "FeedbackQueue(client).feedback('l1', -1)", "-X", "dev", "-W", "error")
    assert (done.returncode, done.stderr, dict(faulty.logs)) == (0, "", {"l1": {"feedback": -1}})


def test_a_script_that_raises_has_delivered_it_too(faulty):
    done = run(faulty, "FeedbackQueue(client).feedback('l1', -1); raise SystemExit(3)")
    assert (done.returncode, dict(faulty.logs)) == (3, {"l1": {"feedback": -1}})


def test_feedback_that_is_given_while_python_ends_is_delivered(faulty):
    script = "import atexit; queue = FeedbackQueue(client); atexit.register(lambda: queue.feedback('l1', -1))"
    done = run(faulty, script)
    assert (done.stderr, dict(faulty.logs)) == ("", {"l1": {"feedback": -1}})


def test_feedback_is_delivered_where_no_thread_can_be_made_any_more(faulty, monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread at interpreter shutdown")

    client = AIGateway(ACCOUNT, TOKEN, "gw", base_url=faulty.url)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with FeedbackQueue(client) as queue:
        faulty.faults["l1"] = [Fault(404)]
        queue.feedback("l1", -1)
        assert queue.close()
    client.close()
    assert dict(faulty.logs) == {"l1": {"feedback": -1}}


def test_a_process_ends_though_the_gateway_hangs(faulty):
    faulty.faults["l1"] = [HANG]
    began = time.monotonic()
    done = run(faulty, "FeedbackQueue.close.__defaults__ = (0.5,); FeedbackQueue(client).feedback('l1', -1)")
    assert time.monotonic() - began < 10
    assert "closed with 1 feedbacks undelivered" in done.stderr


def test_an_async_queue_that_was_not_closed_says_what_is_lost(faulty):
    faulty.faults["l1"] = [Fault(503)] * 99
    script = """
async def main():
    await AsyncFeedbackQueue(aclient).feedback("l1", -1)
asyncio.run(main())
"""
    assert "closed with 1 feedbacks undelivered" in run(faulty, script).stderr


def test_both_queues_are_clean_under_dev_mode(faulty, tmp_path):
    script = f"""
with FeedbackQueue(client, spool={str(tmp_path / "a")!r}) as queue:
    for number in range(20): queue.feedback(f"l{{number}}", 1)
async def main():
    asyncio.get_running_loop().slow_callback_duration = 60
    async with AsyncFeedbackQueue(aclient, spool={str(tmp_path / "b")!r}) as queue:
        for number in range(20): await queue.feedback(f"a{{number}}", 1)
asyncio.run(main())
client.close()
"""
    done = run(faulty, script, "-X", "dev", "-W", "error")
    assert (done.returncode, done.stderr, len(faulty.logs)) == (0, "", 40)


@pytest.mark.parametrize("has_spool", [True, False])
def test_a_queue_made_before_a_fork_works_in_parent_and_child(faulty, tmp_path, has_spool):
    script = f"""
queue = FeedbackQueue(client, spool={str(tmp_path / "s") if has_spool else None!r})
queue.feedback("before", 1)
queue.flush()
pid = os.fork()
for number in range(20): queue.feedback(f"{{'parent' if pid else 'child'}}-{{number}}", 1)
if pid:
    assert os.waitpid(pid, 0)[1] == 0
"""
    done = run(faulty, script)
    assert (done.returncode, done.stderr) == (0, "")
    both = {f"{who}-{number}" for who in ("parent", "child") for number in range(20)}
    assert set(faulty.logs) == {"before", *both}


def test_an_async_queue_made_before_a_fork_works_in_parent_and_child(faulty, tmp_path):
    script = f"""
queue = AsyncFeedbackQueue(aclient, spool={str(tmp_path / "s")!r})
pid = os.fork()
async def main():
    async with queue:
        for number in range(20): await queue.feedback(f"{{'parent' if pid else 'child'}}-{{number}}", 1)
asyncio.run(main())
if pid:
    assert os.waitpid(pid, 0)[1] == 0
"""
    done = run(faulty, script)
    assert (done.returncode, done.stderr, len(faulty.logs)) == (0, "", 40)


def give(queue, name):
    queue.feedback(name, 1)
    queue.close()


def test_a_queue_works_in_forked_processes_of_multiprocessing(faulty):
    client = AIGateway(ACCOUNT, TOKEN, "gw", base_url=faulty.url)
    with FeedbackQueue(client) as queue:
        processes = [multiprocessing.get_context("fork").Process(target=give, args=(queue, f"c{n}")) for n in range(3)]
        for process in processes:
            process.start()
        queue.feedback("parent", 1)
        for process in processes:
            process.join(20)
        assert [process.exitcode for process in processes] == [0, 0, 0]
    client.close()
    assert sorted(faulty.logs) == ["c0", "c1", "c2", "parent"]


APP = (
    HEAD
    + """
queue = FeedbackQueue(client, spool=os.environ["SPOOL"])
aqueue = None
async def app(scope, receive, send):
    global aqueue
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            if event.endswith("startup"):
                aqueue = AsyncFeedbackQueue(aclient, spool=os.environ["SPOOL"])
            else:
                await aqueue.aclose()
            await send({"type": event + ".complete"})
            if event.endswith("shutdown"):
                return
    log_id = scope["path"][1:]
    await aqueue.feedback("async-" + log_id, 1)
    queue.feedback("sync-" + log_id, 1)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
)


@pytest.mark.parametrize(
    "command",
    [
        ["uvicorn", "app:app", "--workers", "2", "--log-level", "warning", "--port", "{port}"],
        ["gunicorn", "app:app", "--preload", "-k", "uvicorn_worker.UvicornWorker", "-w", "2", "-b", "127.0.0.1:{port}"],
    ],
    ids=["uvicorn", "gunicorn"],
)
def test_queues_work_under_a_server_with_two_workers(command, faulty, tmp_path):
    import httpx  # noqa: PLC0415

    program = shutil.which(command[0], path=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")  # noqa: PTH120
    if program is None:
        pytest.skip(f"{command[0]} is missing; to have it: pip install gunicorn uvicorn-worker")
    (tmp_path / "app.py").write_text(APP)
    place = FaultyGateway()
    place.reserve()
    words = [program, *(word.format(port=place.port) for word in command[1:])]
    env = {**environment(faulty), "SPOOL": str(tmp_path / "spool.db"), "PYTHONPATH": str(tmp_path)}
    server = subprocess.Popen(words, env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True)  # noqa: S603
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=0), trust_env=False) as http:
            for _ in eventually(lambda: answers(http, place.url), 20):
                time.sleep(0.05)
            pids = {httpx.get(f"{place.url}/l{number}", trust_env=False).text for number in range(40)}
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    assert {f"{kind}-l{number}" for kind in ("sync", "async") for number in range(40)} <= set(faulty.logs)
    assert len(pids) >= 1
    assert "Traceback" not in said


def answers(http, url):
    import httpx  # noqa: PLC0415

    try:
        return http.get(f"{url}/first").status_code == 200
    except httpx.TransportError:
        return False


async def test_an_async_queue_refuses_a_second_event_loop_while_the_first_runs(faulty):
    client = AsyncAIGateway(ACCOUNT, TOKEN, "gw", base_url=faulty.url)
    async with AsyncFeedbackQueue(client) as queue:
        await queue.feedback("l1", 1)
        with pytest.raises(RuntimeError, match="in use in another event loop"):
            await asyncio.to_thread(asyncio.run, queue.feedback("l2", 1))
        assert await queue.flush(5)
    await client.aclose()
    assert list(faulty.logs) == ["l1"]


def test_an_async_queue_goes_on_in_the_next_event_loop(faulty):
    faulty.faults["l1"] = [HANG]
    client = AsyncAIGateway(ACCOUNT, TOKEN, "gw", base_url=faulty.url)
    queue = AsyncFeedbackQueue(client)

    async def first():
        await queue.feedback("l1", 1)
        await queue.flush(0.3)

    async def second():
        await queue.feedback("l2", 1)
        await queue.aclose()
        await client.aclose()

    asyncio.run(first())
    asyncio.run(second())
    assert dict(faulty.logs) == {"l1": {"feedback": 1}, "l2": {"feedback": 1}}


async def test_a_task_that_is_cancelled_while_it_waits_for_room_has_given_nothing():
    server = FaultyGateway()
    server.reserve()
    client = AsyncAIGateway(ACCOUNT, TOKEN, "gw", base_url=server.url)
    async with AsyncFeedbackQueue(client, max_pending=1, accept_timeout=60) as queue:
        await queue.feedback("l1", 1)
        task = asyncio.create_task(queue.feedback("l2", 1))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with server:
            assert await queue.flush(10)
    await client.aclose()
    assert list(server.logs) == ["l1"]


async def test_a_flush_that_is_cancelled_stops_nothing(faulty):
    faulty.delay = 0.1
    client = AsyncAIGateway(ACCOUNT, TOKEN, "gw", base_url=faulty.url)
    async with AsyncFeedbackQueue(client) as queue:
        await queue.feedback("l1", 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await queue.flush()
        assert await queue.flush(5)
    await client.aclose()
    assert list(faulty.logs) == ["l1"]


@pytest.mark.parametrize(("queue", "client"), [(FeedbackQueue, AsyncAIGateway), (AsyncFeedbackQueue, AIGateway)])
def test_a_client_of_the_other_kind_is_refused_and_not_taken_for_delivered(queue, client):
    says = f"client of {queue.__name__} cannot be a {client.__name__}: it is an {queue._new_client.__name__}"
    with pytest.raises(ConfigurationError, match=f"^{says}$"):
        queue(client(ACCOUNT, TOKEN, "gw"))
