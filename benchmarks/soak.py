"""Half an hour of mixed traffic with faults through the local gateway: is memory flat, and is every log accounted for?

    python -m benchmarks.soak [--minutes 30] [--concurrency 200]

The local gateway runs in a process of its own with its logs on disk. Chats, streams, embeddings and runs go to it, some
with an upstream that fails, is slow, drops the connection or cuts the stream. At the end the log ids that callers saw,
on answers, errors and retries, are compared with those in the log, and the memory of the last third with that of the
second. The exit code is 1 when either is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx

from aigw import AIGatewayError, AsyncAIGateway, capture_logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

CHAT: Final = {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "What is soaked?"}]}
FAULTS: Final[tuple[dict[str, str], ...]] = (
    {},
    {},
    {},
    {"fail": "503x1"},
    {"fail": "429x1"},
    {"fail": "500"},
    {"fail": "drop"},
    {"fail": "cut"},
)
DELAYS: Final = (0, 0, 0, 20, 200)
GROWTH: Final = 0.10
SLACK_MIB: Final = 16


@dataclass(slots=True)
class Tally:
    """What callers saw: a count and a checksum of log ids, since all of them would be memory that grows."""

    ids: int = 0
    checksum: int = 0
    without_id: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, log_id: str | None) -> None:
        """Count one attempt."""
        if log_id is None:
            self.without_id += 1
        else:
            self.ids += 1
            self.checksum ^= UUID(log_id).int


async def chat(client: AsyncAIGateway, number: int) -> None:
    """Ask once."""
    await client.chat(CHAT, gateway={"metadata": {"number": number % 100}})


async def stream(client: AsyncAIGateway, number: int) -> None:
    """Ask for a stream, and leave every fourth early."""
    async with client.stream_chat(CHAT) as chunks:
        async for _ in chunks:
            if number % 4 == 0:
                return


async def embed(client: AsyncAIGateway, number: int) -> None:
    """Ask for a vector."""
    await client.embed({"model": "@cf/baai/bge-m3", "input": f"text {number}"})


async def run(client: AsyncAIGateway, number: int) -> None:
    """Run a model on its own inputs, cached for every tenth."""
    await client.run("@cf/a/b", {"prompt": f"again {number % 10}"}, gateway={"cache_key": f"k{number % 10}"})


KINDS: Final[tuple[Callable[[AsyncAIGateway, int], Awaitable[None]], ...]] = (chat, stream, embed, run)


def clients(base_url: str) -> list[AsyncAIGateway]:
    """Make one client for each trouble there may be."""
    made = []
    for fault, delay in itertools.product(FAULTS, DELAYS):
        headers = {f"aigw-local-{name}": value for name, value in fault.items()}
        if delay:
            headers["aigw-local-delay"] = str(delay)
        http_client = httpx.AsyncClient(headers=headers, limits=httpx.Limits(max_keepalive_connections=20))
        made.append(AsyncAIGateway("soak", "token", base_url=base_url, http_client=http_client, timeout=30))
    return made


async def caller(tally: Tally, ours: list[AsyncAIGateway], numbers: Iterator[int], deadline: float) -> None:
    """Make calls until the time is over."""
    while time.monotonic() < deadline:
        number = next(numbers)
        kind = KINDS[number % len(KINDS)]
        with capture_logs() as infos:
            try:
                await kind(random.choice(ours), number)  # noqa: S311 -- no secret
            except AIGatewayError as error:
                tally.outcomes[f"{kind.__name__}: {type(error).__name__}"] += 1
            else:
                tally.outcomes[f"{kind.__name__}: answered"] += 1
        for info in infos:
            tally.add(info.log_id)


def resident_mib(pid: int | str) -> float:
    """Give the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def watch(samples: list[tuple[float, float]], pid: int, deadline: float, every: float) -> None:
    """Note the memory of this process and of the gateway's."""
    while time.monotonic() < deadline:
        samples.append((resident_mib("self"), resident_mib(pid)))
        await asyncio.sleep(every)


@contextmanager
def local_gateway(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the local gateway by itself; give its address and its process."""
    command = [sys.executable, "-m", "aigw.local", "--data", str(folder), "--port", "0"]
    with subprocess.Popen(  # noqa: S603 -- our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield line.split(" on ")[1].split()[0], process.pid
        finally:
            process.terminate()
            process.communicate()


def logged(folder: Path) -> tuple[int, int]:
    """Count the logs in the file, and take the checksum of their ids."""
    (path,) = (path for path in folder.rglob("*") if path.suffix in {".db", ".sqlite3"})
    count = checksum = 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for (log_id,) in db.execute("SELECT id FROM logs"):
            count += 1
            checksum ^= UUID(log_id).int
    db.close()
    return count, checksum


def is_flat(samples: list[float]) -> bool:
    """Tell whether the last third needs no more memory than the second, but for noise."""
    third = len(samples) // 3
    middle, last = median(samples[third : 2 * third]), median(samples[2 * third :])
    return last <= max(middle * (1 + GROWTH), middle + SLACK_MIB)


async def soak(minutes: float, concurrency: int, base_url: str, pid: int) -> tuple[Tally, list[tuple[float, float]]]:
    """Make the traffic."""
    tally, numbers = Tally(), itertools.count()
    samples: list[tuple[float, float]] = []
    ours = clients(base_url)
    deadline = time.monotonic() + 60 * minutes
    async with asyncio.TaskGroup() as group:
        group.create_task(watch(samples, pid, deadline, max(0.2, minutes / 10)))
        for _ in range(concurrency):
            group.create_task(caller(tally, ours, numbers, deadline))
    return tally, samples


def report(tally: Tally, samples: list[tuple[float, float]], found: tuple[int, int]) -> bool:
    """Print what was seen; give whether all of it is as it should be."""
    for outcome, count in sorted(tally.outcomes.items()):
        print(f"{count:>10,}  {outcome}")
    is_whole = found == (tally.ids, tally.checksum) and not tally.without_id
    seen = f"log ids seen {tally.ids:,}, logs kept {found[0]:,}, answers without an id {tally.without_id:,}"
    print(f"{seen}: {'all accounted for' if is_whole else 'NOT the same'}")
    flat = True
    for name, column in (("callers", 0), ("gateway", 1)):
        mib = [sample[column] for sample in samples]
        steady = is_flat(mib)
        flat = flat and steady
        shape = f"{mib[0]:.0f} to {mib[-1]:.0f} MiB, most {max(mib):.0f}"
        print(f"memory of the {name}: {shape}: {'flat' if steady else 'GROWS'}")
    return is_whole and flat


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--concurrency", type=int, default=200)
    given: Any = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        with local_gateway(Path(folder)) as (base_url, pid):
            tally, samples = asyncio.run(soak(given.minutes, given.concurrency, base_url, pid))
        return 0 if report(tally, samples, logged(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
