"""What is measured: a table of cases, and the sizes they are measured in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MANY: Final = 1000
"""Calls in flight from which on a case is measured less often."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measure of one client.

    Attributes:
        name: As the tables call it.
        kind: How it is measured: one of `worker.KINDS`.
        prompt: What is asked: `small`, `history`, `big`.
        chunks: Chunks of a streamed answer.
        in_flight: Calls under way at once.
        unit: What the number counts.
    """

    name: str
    kind: str
    prompt: str = "small"
    chunks: int = 0
    in_flight: int = 1
    unit: str = "us of CPU"


CASES: Final = (
    Case("an open stream", "held", chunks=1, unit="KiB"),
    Case("call", "calls"),
    Case("call, async", "acalls"),
    Case("chunk of 500", "stream", chunks=500),
    Case("chunk of 500, async", "astream", chunks=500),
    Case("chunk of 20", "stream", chunks=20),
    Case("chunk of 20, async", "astream", chunks=20),
    Case("time to first chunk", "first", chunks=20, unit="ms"),
    Case("time to first chunk, async", "afirst", chunks=20, unit="ms"),
    Case("10 in flight", "acalls", in_flight=10),
    Case("100 in flight", "acalls", in_flight=100),
    Case("1,000 in flight", "acalls", in_flight=1000),
    Case("32 threads", "threads", in_flight=32),
    Case("200 messages", "calls", prompt="history"),
    Case("200 messages, async", "acalls", prompt="history"),
    Case("1 MB prompt", "calls", prompt="big"),
    Case("five tools", "tools"),
    Case("another client", "constructs"),
)
"""Measured in turns, one round of every client after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured.

    Attributes:
        rounds: Rounds of each case.
        seconds: CPU time of a round, for each client.
        leak_calls: Calls that are looked through for a leak; 0 for none.
        imports: How often each import is measured.
        without: Names of cases that are left out.
    """

    rounds: int = 5
    seconds: float = 0.06
    leak_calls: int = 20_000
    imports: int = 1
    without: frozenset[str] = frozenset()


FULL: Final = Sizes()
QUICK: Final = Sizes(
    rounds=3,
    seconds=0.04,
    leak_calls=0,
    imports=1,
    without=frozenset({"1,000 in flight", "32 threads", "chunk of 20", "chunk of 20, async", "200 messages, async"}),
)
TINY: Final = Sizes(rounds=1, seconds=0.0, leak_calls=20, imports=0, without=frozenset({"1,000 in flight"}))
