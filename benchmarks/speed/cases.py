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
        turns: Calls that each of those in flight makes at least, one after the other.
        together: Cases with the same word are measured in turns, so that each round can be held against the other's.
        unit: What the number counts.
    """

    name: str
    kind: str
    prompt: str = "small"
    chunks: int = 0
    in_flight: int = 1
    turns: int = 1
    together: str = ""
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
    Case("10 in flight", "acalls", in_flight=10, turns=5),
    Case("100 in flight", "acalls", in_flight=100, turns=5, together="in flight"),
    Case("1,000 in flight", "acalls", in_flight=MANY, together="in flight"),
    Case("32 threads", "threads", in_flight=32),
    Case("200 messages", "calls", prompt="history"),
    Case("200 messages, async", "acalls", prompt="history"),
    Case("1 MB prompt", "calls", prompt="big"),
    Case("five tools", "tools"),
    Case("another client", "constructs"),
)
"""Measured one after the other, each in rounds: one of every client, and then the next.

Calls in flight settle first: a hundred that begin at once leave a hundred idle connections, and httpx's pool then
looks at all of them, for each of them, whenever a call begins or ends, which takes fifteen times as long as a call does
among callers who go on asking, for whom it keeps a dozen.
"""


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
