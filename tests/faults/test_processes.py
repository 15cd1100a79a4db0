"""Processes and event loops that end or fork with streams open: no hang, no warning, no harm to the other."""

from __future__ import annotations

import os

import pytest

from .driving import DEVELOPMENT, ended
from .faulty_server import Endless
from .modes.mode import data, events

SYNC = "client = aigw.AIGateway('acct', TOKEN, base_url=URL, max_retries=0)\n"
ASYNC = "import asyncio\nclient = aigw.AsyncAIGateway('acct', TOKEN, base_url=URL, max_retries=0)\n"
ENDS = {
    "sync-exit": f"""{SYNC}
stream = client.stream_chat(CHAT)
assert next(stream).text == 'a'
""",
    "sync-unread": f"""{SYNC}
stream = client.stream_chat(CHAT)
""",
    "sync-thread": f"""{SYNC}
import threading
thread = threading.Thread(target=lambda: next(client.stream_chat(CHAT)))
thread.start()
""",
    "async-exit": f"""{ASYNC}
async def main():
    global stream
    stream = client.stream_chat(CHAT)
    assert (await anext(stream)).text == 'a'
asyncio.run(main(), debug=False)
""",
    "async-unread": f"""{ASYNC}
async def main():
    global stream
    stream = await client.stream_chat(CHAT)
asyncio.run(main(), debug=False)
""",
    "async-cancelled": f"""{ASYNC}
async def read(came):
    async for _ in client.stream_chat(CHAT):
        came.set()
async def main():
    came = asyncio.Event()
    global task
    task = asyncio.create_task(read(came))
    await came.wait()
asyncio.run(main(), debug=False)
""",
    "async-broken-off": """
import asyncio
async def main():
    async for chunk in aigw.AsyncAIGateway('acct', TOKEN, base_url=URL, max_retries=0).stream_chat(CHAT):
        assert chunk.text == 'a'
        break
asyncio.run(main(), debug=False)
""",
    "async-loops": f"""{ASYNC}
async def main():
    assert (await anext(client.stream_chat(CHAT))).text == 'a'
for _ in range(3):
    asyncio.run(main(), debug=False)
""",
    "fork": f"""{SYNC}
import os
stream = client.stream_chat(CHAT)
next(stream)
child = os.fork()
if child == 0:
    assert next(client.stream_chat(CHAT)).text == 'a'
    del stream
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert next(stream).text == 'b'
""",
}


@pytest.mark.parametrize("name", ENDS)
def test_a_process_ends_at_once_and_without_a_word(server, name):
    if name == "fork" and not hasattr(os, "fork"):
        pytest.skip("needs os.fork, which only POSIX has")
    server.replies = [events(data("a"), Endless(data("b"), 0.01), close=False)]
    assert ended(server, f"import sys, aigw\n{ENDS[name]}\n", *DEVELOPMENT, timeout=30) == (0, "")
    assert server.closed()
