"""The real limits, and the memory it takes to reach them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aigw import _sse, _stream_readers
from aigw._engines._inflate import Inflater

from .driving import CHAT, TOKEN
from .modes.all_modes import MODES
from .modes.mode import zipped

MIB = 1024 * 1024
BOUNDS = {
    "endless-line": ("list(client.stream_chat(CHAT))", 3 * _sse.MAX_EVENT_BYTES),
    "gzip-bomb": ("client.chat(CHAT)", _stream_readers.MAX_ANSWER_BYTES + 64 * MIB),
    "endless-error-body": ("client.chat(CHAT)", 16 * MIB),
    "many-chunks": ("sum(1 for _ in client.stream_chat(CHAT))", 16 * MIB),
}


def test_the_limits_are_the_documented_ones():
    limits = (_sse.MAX_EVENT_BYTES, _stream_readers.MAX_ANSWER_BYTES, _stream_readers.MAX_ERROR_BYTES)
    assert (*limits, _stream_readers.PATIENCE) == (64 * MIB, 256 * MIB, MIB, 10)


def test_what_is_packed_comes_in_pieces_of_bounded_size():
    pieces = list(Inflater().feed(zipped(b" " * (5 * MIB + 1))))
    assert (max(map(len, pieces)), sum(map(len, pieces))) == (MIB, 5 * MIB + 1)


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux, where ru_maxrss counts kibibytes; elsewhere its unit is another"
)
@pytest.mark.parametrize("name", BOUNDS)
def test_memory_stays_within_the_limit(server, name):
    ask, bound = BOUNDS[name]
    server.replies = list(next(mode for mode in MODES if mode.name == name).replies)
    script = (
        "import resource, aigw\n"
        f"client, CHAT = aigw.AIGateway('acct', {TOKEN!r}, base_url={server.url!r}, max_retries=0), {CHAT!r}\n"
        "client.chat; from aigw import _client, _streams\n"
        "client._engine.own_client()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"try: {ask}\n"
        "except aigw.AIGatewayError: pass\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert int(ended.stdout) < bound
