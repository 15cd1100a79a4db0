"""What a queue of feedback costs: the caller's time for one `feedback()`, and feedbacks and patches a second."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import itertools
import json
import multiprocessing
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aigw import AIGateway, AsyncAIGateway
from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

ACCOUNT: Final = "a" * 32
ANSWER: Final = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 29\r\n\r\n{"success": true,"result":{}}'
)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say yes to every request."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0))
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def serve(address: Connection) -> None:
    """Serve until the process ends, and tell where."""

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def started() -> Iterator[str]:
    """Start a server that does nothing, in a process of its own as gateways are, and give its address."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=serve, args=(there,), daemon=True)
    process.start()
    yield here.recv()
    process.terminate()
    process.join()


def facts(name: str, took: list[float], seconds: float, patches: int) -> dict[str, Any]:
    """Give one row."""
    return {
        "queue": name,
        "median_us": round(statistics.median(took) * 1e6, 1),
        "p99_us": round(statistics.quantiles(took, n=100)[98] * 1e6, 1),
        "feedbacks_per_s": round(len(took) / seconds),
        "patches_per_s": round(patches / seconds),
    }


def measure_sync(url: str, name: str, spool: Path | None, count: int, logs: int) -> dict[str, Any]:
    """Give feedback as fast as one thread can, and wait for the end."""
    took, clock = [], time.perf_counter
    client = AIGateway(ACCOUNT, "token", "gw", base_url=url)
    with client, FeedbackQueue(client, spool=spool, max_pending=count) as queue:
        queue.feedback("first")
        queue.flush()
        began = clock()
        for number in range(count):
            log_id, start = f"log-{number % logs}", clock()
            queue.feedback(log_id, 1, score=number)
            took.append(clock() - start)
        queue.flush()
        return facts(name, took, clock() - began, queue.counts.patches - 1)


async def measure_async(url: str, name: str, spool: Path | None, count: int, logs: int) -> dict[str, Any]:
    """As `measure_sync`, in one task that lets others go on after each."""
    took, clock = [], time.perf_counter
    client = AsyncAIGateway(ACCOUNT, "token", "gw", base_url=url)
    async with client, AsyncFeedbackQueue(client, spool=spool, max_pending=count) as queue:
        await queue.feedback("first")
        await queue.flush()
        began = clock()
        for number in range(count):
            log_id, start = f"log-{number % logs}", clock()
            await queue.feedback(log_id, 1, score=number)
            took.append(clock() - start)
            await asyncio.sleep(0)
        await queue.flush()
        return facts(name, took, clock() - began, queue.counts.patches - 1)


def measure(count: int) -> Iterator[dict[str, Any]]:
    """Measure both queues, in memory and with a spool, for one log each and for many feedbacks to one."""
    kinds = itertools.product((("a log each", count), ("20 to a log", max(1, count // 20))), ("memory", "spool"))
    with started() as url:
        for (share, logs), place in kinds:
            for name, run in (("sync", measure_sync), ("async", measure_async)):
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "spool" if place == "spool" else None
                    row: Any = run(url, f"{name}, {place}, {share}", path, count, logs)
                    yield asyncio.run(row) if inspect.iscoroutine(row) else row


def main() -> None:
    """Print a table, and write JSON where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    print(f"{'queue':28} {'median':>9} {'p99':>10} {'feedbacks/s':>12} {'patches/s':>10}")
    for row in measure(given.count):
        rows.append(row)
        times = f"{row['median_us']:>6.1f} us {row['p99_us']:>7.1f} us"
        print(f"{row['queue']:28} {times} {row['feedbacks_per_s']:>12} {row['patches_per_s']:>10}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
