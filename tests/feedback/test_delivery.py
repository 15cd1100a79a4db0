"""Feedback gets there whatever the server does, once it can; what cannot get there says why."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from aigw import UNSET, ConfigurationError, ResponseInfo
from aigw.feedback import FeedbackQueueFullError

from .faulty import HANG, LOST, RESET, TOKEN, Fault, FaultyGateway, eventually

TEMPORARY = {
    "404 three times, since the log is late": ([Fault(404)] * 3, 4),
    "500 twice": ([Fault(500)] * 2, 3),
    "503, 502, 408": ([Fault(503), Fault(502), Fault(408)], 4),
    "429 without a word on when": ([Fault(429)], 2),
    "a reset": ([RESET], 2),
    "two resets": ([RESET, RESET], 3),
    "an answer that is lost after the change was made": ([LOST], 2),
}


@pytest.mark.parametrize("case", TEMPORARY)
async def test_feedback_arrives_in_spite_of(face, faulty, case):
    faults, patches = TEMPORARY[case]
    faulty.faults["l1"] = list(faults)
    queue = face.make(faulty)
    await face.do(queue.feedback, ResponseInfo(log_id="l1"), -1, score=7)
    assert await face.do(queue.flush, 10)
    assert faulty.logs["l1"] == {"feedback": -1, "score": 7}
    assert (len(faulty.patches), queue.counts.patches, queue.counts.delivered) == (patches, patches, 1)
    assert all(one.body == {"feedback": -1, "score": 7} for one in faulty.patches)


async def test_a_server_that_hangs_is_asked_again_after_the_clients_timeout(face, faulty):
    faulty.faults["l1"] = [HANG]
    queue = face.make(faulty, timeout=0.3)
    await face.do(queue.feedback, "l1")
    assert await face.do(queue.flush, 10)
    assert (faulty.logs["l1"], len(faulty.patches)) == ({"feedback": 1}, 2)


async def test_a_server_that_comes_later_gets_everything(face):
    server = FaultyGateway()
    server.reserve()
    queue = face.make(server)
    for number in range(20):
        await face.do(queue.feedback, f"l{number}", 1)
    assert not await face.do(queue.flush, 0.2)
    with server:
        assert await face.do(queue.flush, 20)
        assert len(server.logs) == 20


async def test_a_server_that_restarts_gets_everything(face):
    server = FaultyGateway(delay=0.02)
    with server:
        queue = face.make(server, concurrency=2)
        for number in range(30):
            await face.do(queue.feedback, f"l{number}", 1)
        for _ in eventually(lambda: len(server.logs) >= 5):
            await asyncio.sleep(0.01)
    assert len(server.logs) < 30
    with server:
        assert await face.do(queue.flush, 20)
    assert {log: said["feedback"] for log, said in server.logs.items()} == {f"l{number}": 1 for number in range(30)}


async def test_retry_after_is_obeyed_by_everything_that_waits(face, faulty):
    faulty.faults["*"] = [Fault(429, retry_after=1)] * 4
    queue = face.make(faulty, concurrency=4)
    for number in range(50):
        await face.do(queue.feedback, f"l{number}", 1)
    assert await face.do(queue.flush, 20)
    first = faulty.asked[0].at
    early = [one for one in faulty.asked if one.at < first + 0.95]
    assert len(early) <= 4
    assert len(faulty.patches) <= 54
    assert len(faulty.logs) == 50


async def test_a_gateway_that_is_down_is_not_hammered_by_what_waits(face, faulty):
    faulty.faults["*"] = [Fault(503)] * 1000
    queue = face.make(faulty)
    for number in range(300):
        await face.do(queue.feedback, f"l{number}", 1)
    assert not await face.do(queue.flush, 1.5)
    assert 2 <= len(faulty.asked) <= 120


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "BadRequestError: "), (401, "AuthenticationError: "), (403, "PermissionDeniedError: ")],
)
async def test_a_refusal_is_a_dead_letter_at_once_that_tells_why(face, faulty, status, reason):
    faulty.faults["l1"] = [Fault(status)]
    queue = face.make(faulty)
    await face.do(queue.feedback, "l1", -1, metadata={"by": "eva"})
    assert await face.do(queue.flush, 5)
    [letter] = await face.do(queue.failed)
    assert (letter.name, letter.changes, letter.attempts) == ("l1", [{"feedback": -1, "metadata": {"by": "eva"}}], 1)
    assert letter.error.startswith(reason)
    assert TOKEN not in repr(letter)
    assert (len(faulty.asked), queue.counts.failed, queue.counts.delivered) == (1, 1, 0)


async def test_dead_letters_are_delivered_when_they_are_tried_again(face, faulty):
    faulty.faults["l1"] = [Fault(403)]
    queue = face.make(faulty)
    await face.do(queue.feedback, "l1", -1)
    await face.do(queue.flush, 5)
    assert await face.do(queue.retry_failed) == 1
    assert await face.do(queue.flush, 5)
    assert (faulty.logs["l1"], await face.do(queue.failed)) == ({"feedback": -1}, [])


async def test_a_log_that_never_comes_is_a_dead_letter_that_names_what_was_tried(face):
    with FaultyGateway(known=set()) as server:
        queue = face.make(server, late=0.5)
        await face.do(queue.feedback, "nobody-knows", 1)
        assert await face.do(queue.flush, 10)
        [letter] = await face.do(queue.failed)
    assert letter.error.startswith("LogNotFoundError: 'nobody-knows' is not known")
    assert "thread_id" in letter.error


async def test_an_event_id_is_found_later(face):
    with FaultyGateway(known={"l1", "l2"}) as server:
        queue = face.make(server)
        await face.do(queue.feedback, "run-1", -1, score=3)
        for _ in eventually(lambda: len(server.asked) > 4):
            await asyncio.sleep(0.01)
        server.events["run-1"] = ["l1", "l2"]
        assert await face.do(queue.flush, 10)
        assert dict(server.logs) == {"l2": {"feedback": -1, "score": 3}}


async def test_all_logs_of_an_event_are_rated_when_all_are_meant(face):
    with FaultyGateway(known={"l1", "l2"}, events={"run-1": ["l1", "l2"]}) as server:
        queue = face.make(server)
        await face.do(queue.feedback, "run-1", -1)
        await face.do(queue.feedback, "run-1", 1, which="all")
        await face.do(queue.feedback, "run-1", UNSET, score=9)
        assert await face.do(queue.flush, 10)
        assert dict(server.logs) == {"l1": {"feedback": 1}, "l2": {"feedback": 1, "score": 9}}


async def test_a_newer_word_to_the_log_outlives_an_older_one_to_its_event(face):
    with FaultyGateway(known={"l1"}) as server:
        queue = face.make(server)
        await face.do(queue.feedback, "run-1", -1, score=3)
        await face.do(queue.feedback, "l1", 1)
        for _ in eventually(lambda: server.logs["l1"] == {"feedback": 1}):
            await asyncio.sleep(0.01)
        server.events["run-1"] = ["l1"]
        assert await face.do(queue.flush, 10)
        assert server.logs["l1"] == {"feedback": 1, "score": 3}


async def test_the_last_word_of_each_field_wins_and_what_waited_is_one_patch(face):
    server = FaultyGateway()
    server.reserve()
    queue = face.make(server)
    for score in range(50):
        await face.do(queue.feedback, "l1", 1 if score % 2 else -1, score=score)
    await face.do(queue.feedback, "l1", None, metadata={"by": "eva"})
    with server:
        assert await face.do(queue.flush, 10)
    assert server.logs["l1"] == {"feedback": None, "score": 49, "metadata": {"by": "eva"}}
    assert len(server.patches) == 1


async def test_one_log_is_sent_to_in_order_however_many_speak_of_it(face, faulty):
    faulty.delay = 0.002
    queue = face.make(faulty)
    for score in range(200):
        await face.do(queue.feedback, f"l{score % 3}", 1, score=score)
        await asyncio.sleep(0.001)
    assert await face.do(queue.flush, 10)
    for log in ("l0", "l1", "l2"):
        sent = [one.body["score"] for one in faulty.patches if one.log_id == log]
        assert sent == sorted(sent)
        assert len(sent) > 1
    assert sorted(faulty.logs[log]["score"] for log in ("l0", "l1", "l2")) == [197, 198, 199]


async def test_a_log_that_hangs_or_is_late_keeps_no_other_waiting(face, faulty):
    faulty.faults["slow"] = [HANG]
    faulty.faults["late"] = [Fault(404)] * 30
    queue = face.make(faulty, concurrency=2, timeout=5)
    await face.do(queue.feedback, "slow", 1)
    await face.do(queue.feedback, "late", 1)
    for number in range(50):
        await face.do(queue.feedback, f"l{number}", 1)
    for _ in eventually(lambda: len(faulty.logs) == 50, 4):
        await asyncio.sleep(0.01)


async def test_what_is_due_again_is_not_forgotten_while_another_log_hangs(face, faulty):
    faulty.faults["a"] = [Fault(404)]
    faulty.faults["b"] = [HANG]
    queue = face.make(faulty, timeout=5)
    await face.do(queue.feedback, "b", 1)
    await face.do(queue.feedback, "a", 1)
    for _ in eventually(lambda: "a" in faulty.logs, 4):
        await asyncio.sleep(0.01)


async def test_a_full_queue_waits_and_then_refuses_and_keeps_nothing_of_it(face):
    server = FaultyGateway()
    server.reserve()
    queue = face.make(server, max_pending=3, accept_timeout=0.2)
    for number in range(3):
        await face.do(queue.feedback, f"l{number}", 1)
    began = time.monotonic()
    with pytest.raises(FeedbackQueueFullError, match="max_pending=3"):
        await face.do(queue.feedback, "one-more", 1)
    assert time.monotonic() - began >= 0.2
    with server:
        assert await face.do(queue.flush, 10)
        await face.do(queue.feedback, "later", 1)
        assert await face.do(queue.flush, 10)
    assert sorted(server.logs) == ["l0", "l1", "l2", "later"]
    assert queue.counts.accepted == 4


async def test_feedback_that_waits_for_room_is_accepted_as_soon_as_there_is_some(face):
    server = FaultyGateway()
    server.reserve()
    queue = face.make(server, max_pending=1, accept_timeout=10)
    await face.do(queue.feedback, "l0", 1)
    waiting = asyncio.create_task(face.do(queue.feedback, "l1", 1))
    with server:
        await waiting
        assert await face.do(queue.flush, 10)
    assert sorted(server.logs) == ["l0", "l1"]


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        (["l1", 2], {}, "feedback cannot be 2"),
        (["l1"], {"score": "high"}, "score cannot be 'high'"),
        (["l1"], {"metadata": {}}, "metadata cannot be"),
        ([""], {}, "cannot be ''"),
        ([object()], {}, "does not tell which call"),
        ([None], {}, "no call"),
        (["l1"], {"which": "first"}, "which cannot be 'first'"),
    ],
)
async def test_what_cannot_be_is_refused_at_once(face, faulty, args, kwargs, says):
    queue = face.make(faulty)
    with pytest.raises(ConfigurationError, match=says):
        await face.do(queue.feedback, *args, **kwargs)
    assert (queue.counts.accepted, faulty.asked) == (0, [])


@pytest.mark.parametrize(
    ("setting", "value"),
    [("concurrency", 0), ("max_pending", 0), ("accept_timeout", -1), ("late", "long"), ("unreachable", float("nan"))],
)
async def test_a_setting_that_cannot_be_is_refused(face, faulty, setting, value):
    with pytest.raises(ConfigurationError, match=f"{setting} cannot be"):
        face.make(faulty, **{setting: value})


class Sink:
    name = "other"

    def __init__(self, *failures):
        self.told = []
        self.failures = list(failures)

    def send(self, feedback):
        if self.failures:
            raise self.failures.pop(0)
        self.told.append((feedback.log_id, feedback.changes))


async def test_a_sink_is_told_after_the_gateway_and_again_when_it_fails(face, faulty):
    sink = Sink(RuntimeError("no"), OSError("no"))
    queue = face.make(faulty, mirror=[sink])
    await face.do(queue.feedback, "l1", -1)
    assert await face.do(queue.flush, 10)
    assert (sink.told, queue.counts.mirrored) == ([("l1", {"feedback": -1})], {"other": 1})


async def test_a_sink_that_fails_for_good_costs_the_gateway_nothing(face, faulty):
    sink = Sink(*[RuntimeError("secret of the sink")] * 1000)
    queue = face.make(faulty, mirror=[sink], late=0.3, max_pending=1)
    for number in range(5):
        await face.do(queue.feedback, f"l{number}", 1)
    assert await face.do(queue.flush, 10)
    assert (len(faulty.logs), queue.counts.delivered, queue.counts.unmirrored) == (5, 5, {"other": 5})
    assert {(letter.sink, letter.error) for letter in await face.do(queue.failed)} == {("other", "RuntimeError")}


async def test_sinks_that_hang_leave_the_gateway_its_workers(face, faulty):
    go = threading.Event()
    sink = Sink()
    sink.send = lambda _feedback: go.wait(20)
    queue = face.make(faulty, mirror=[sink], concurrency=1)
    try:
        for number in range(20):
            await face.do(queue.feedback, f"l{number}", 1)
        for _ in eventually(lambda: len(faulty.logs) == 20):
            await asyncio.sleep(0.01)
    finally:
        go.set()
    assert await face.do(queue.flush, 10)
