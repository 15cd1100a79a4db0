"""Forks while other threads are at their first calls, and while streams are open: both processes go on."""

from __future__ import annotations

import os

import pytest

from .driving import ended
from .faulty_server import Pause
from .modes.mode import DONE, WHOLE, data, head, whole

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which only POSIX has")

START = """
import asyncio, os, signal, sys, threading, time, warnings, aigw
warnings.filterwarnings('ignore', 'This process', DeprecationWarning)
def in_child(work):
    child = os.fork()
    if not child:
        signal.alarm(10)
        work()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""
FIRST_CALL = """
from aigw._engines import {module} as engine
making = threading.Event()
class Slow(engine.{name}):
    def __init__(self, *args):
        making.set()
        time.sleep(0.3)
        super().__init__(*args)
engine.{name} = Slow
def call():
    assert {call} == 'Hello'
thread = threading.Thread(target=call)
thread.start()
making.wait(10)
in_child(call)
thread.join()
"""
SYNC = "client = aigw.AIGateway('acct', TOKEN, base_url=URL, max_retries=0)\n"
ASYNC = """
client = aigw.AsyncAIGateway('acct', TOKEN, base_url=URL, max_retries=0)
async def answer():
    return (await client.chat(CHAT)).text
"""
FIRST_CALLS = {
    "sync": SYNC + FIRST_CALL.format(module="_engine", name="OwnClient", call="client.chat(CHAT).text"),
    "sync-httpx": "from aigw._engines import _engine\n_engine.has_proxy = lambda: True\n"
    + SYNC
    + FIRST_CALL.format(module="_engine", name="HttpxClient", call="client.chat(CHAT).text").replace(
        "*args", "*args, **more"
    ),
    "async": ASYNC + FIRST_CALL.format(module="_async_engine", name="OwnLoopClient", call="asyncio.run(answer())"),
    "importing": f"""{SYNC}
def call():
    assert client.chat(CHAT).text == 'Hello'
thread = threading.Thread(target=call)
thread.start()
while 'urllib3' not in sys.modules:
    time.sleep(0.0001)
in_child(call)
thread.join()
""",
    "two-at-once": f"""{SYNC}
def call():
    assert client.chat(CHAT).text == 'Hello'
threads = [threading.Thread(target=in_child, args=(call,)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
""",
}
CHILD_LEAVES = f"""{SYNC}
stream = client.stream_chat(CHAT)
assert next(stream).text == 'a'
def leave():
    global stream
    del stream
in_child(leave)
assert [chunk.text for chunk in stream] == ['b', 'c']
"""


@pytest.mark.parametrize("name", FIRST_CALLS)
def test_a_child_can_call_whatever_another_thread_was_at(server, name):
    server.replies = [whole(WHOLE)]
    assert ended(server, START + FIRST_CALLS[name]) == (0, "")


def test_a_stream_on_a_connection_that_is_kept_goes_on_when_the_child_leaves_it(server):
    def piece(text, finish=None):
        event = data(text, finish)
        return b"%x\r\n%s\r\n" % (len(event), event)

    start = head(200, "transfer-encoding: chunked", kind="text/event-stream") + piece("a")
    server.replies = [(start, Pause(0.5), piece("b"), piece("c", "stop"), b"%x\r\n%s\r\n0\r\n\r\n" % (len(DONE), DONE))]
    assert ended(server, START + CHILD_LEAVES) == (0, "")
