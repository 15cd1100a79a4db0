"""What the fuzz tests share: how deep they go, and a gateway that is asked anything and watched.

`HYPOTHESIS_PROFILE=deep` goes much deeper than the suite does by itself, and by another way each time.
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from aigw._http import Headers, Request
from aigw.local import LocalGateway

UNHURRIED = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
settings.register_profile(
    "fuzz", derandomize=True, database=None, deadline=None, max_examples=60, suppress_health_check=UNHURRIED
)
settings.register_profile("deep", deadline=None, max_examples=3000, suppress_health_check=UNHURRIED, print_blob=True)

ORIGIN = "http://localhost"
FIELDS = (("authorization", "Bearer t"), ("cf-aig-gateway-id", "gw"), ("content-type", "application/json"))
PLAIN = b'{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"Say hello."}]}'
LONGEST = 5.0


class Answer(NamedTuple):
    """One whole answer."""

    status: int
    headers: Headers
    body: bytes


class World:
    """A gateway without a socket, which no request may break.

    Every answer is checked: no bug (500), no hang, header fields that HTTP can carry. What had a log id is remembered.
    """

    def __init__(self, **options: Any) -> None:
        self._engine = LocalGateway(**options)._begin()
        self._runner = asyncio.Runner()
        self.log_ids: list[str] = []

    def ask(self, method: str, url: str, body: bytes = b"", fields: tuple[tuple[str, str], ...] = FIELDS) -> Answer:
        with within(LONGEST):
            answer = self._runner.run(self._ask(Request(method, ORIGIN + url, fields, body)))
        assert answer.status < 500 or answer.status in (501, 503), answer
        if "cf-aig-log-id" in answer.headers:
            self.log_ids.append(answer.headers["cf-aig-log-id"])
        return answer

    def check(self) -> None:
        """Check that the gateway is as good as new, and that every log is there."""
        assert self.ask("POST", "/client/v4/accounts/acct/ai/v1/chat/completions", PLAIN, FIELDS[:1]).status == 200
        kept = {log["id"] for log in self._engine.store.newest(10**6)}
        assert len(set(self.log_ids)) == len(self.log_ids)
        assert set(self.log_ids) <= kept
        total = sum(count for _, _, count in self._engine.store.gateways(10**6))
        assert total == len(kept)

    def close(self) -> None:
        self._engine.close()
        self._runner.close()

    async def _ask(self, request: Request) -> Answer:
        reply = await self._engine.answer(request)
        for name, value in reply.headers:
            assert name.isascii()
            assert not {"\r", "\n", "\0"} & set(value)
            value.encode("latin-1")
        body = reply.body if isinstance(reply.body, bytes) else b"".join([piece async for piece in reply.body])
        return Answer(reply.status, Headers(reply.headers), body)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what takes longer, also what never gives the event loop a turn."""
    alarms = hasattr(signal, "setitimer")

    def ring(*_: object) -> None:
        raise TimeoutError(f"no answer within {seconds} s")

    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring) if alarms else None
    if alarms:
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if alarms:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < seconds


PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fuzz")


@pytest.fixture(scope="session")
def profile() -> settings:
    return settings.get_profile(PROFILE)


@pytest.fixture(scope="session")
def is_deep() -> bool:
    return PROFILE == "deep"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One gateway for all tests of a module; it is looked over at the end."""
    logging.getLogger("aigw.local").setLevel(logging.ERROR)
    world = World()
    try:
        yield world
        world.check()
    finally:
        world.close()
        logging.getLogger("aigw.local").setLevel(logging.NOTSET)


@pytest.fixture
def new_world() -> type[World]:
    """What makes a gateway for one run of a state machine."""
    return World
