"""How many logs a second are judged and scored: in one process, and on a local Ray cluster of two workers.

`python -m benchmarks.scoring [--json FILE]`; README.md says what the numbers mean.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aigw import AsyncAIGateway
from aigw.local import LocalGateway
from aigw.local._logs._record import LogRecord
from aigw.ray import ClientSettings
from aigw.ray import score_logs as score_on_ray
from aigw.scoring import ScoringSummary, score_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from aigw.scoring import Judge, JudgedLog

ACCOUNT: Final = "acct"
TOKEN: Final = "any"  # noqa: S105 -- the local gateway knows no tokens
RAY: Final = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def says_nothing(_log: JudgedLog) -> None:
    """Judge without a verdict: what is left is reading."""


def says_something(log: JudgedLog) -> int:
    """Judge by the id."""
    return int(log.id[-3:])


async def says_something_async(log: JudgedLog) -> int:
    """Judge by the id, in the event loop."""
    return int(log.id[-3:])


JUDGES: Final[dict[str, Judge]] = {
    "read and judged, nothing sent": says_nothing,
    "each verdict sent": says_something,
    "bodies read, each verdict sent": says_something_async,
}


def serve(count: int, gateways: list[str], pipe: Connection) -> None:
    """Be a gateway with so many logs in each of some gateways, until the pipe says so."""
    with LocalGateway() as local:
        for gateway in gateways:
            local._log_store().add_many(_record(gateway, number) for number in range(count))  # noqa: SLF001 -- filled fast
        pipe.send(local.base_url)
        pipe.recv()


def _record(gateway: str, number: int) -> LogRecord:
    return LogRecord(
        account=ACCOUNT,
        gateway=gateway,
        id=f"log-{number:09d}",
        created_at=1_790_000_000_000 + 7 * number,
        provider="openai",
        model="openai/gpt-5-mini",
        path="chat/completions",
        request_body=b'{"messages": []}',
        response_body=b'{"choices": []}',
    )


@contextmanager
def served(count: int, gateways: list[str]) -> Iterator[str]:
    """Give the address of such a gateway, a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(count, gateways, there))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("end")
        process.join()


@contextmanager
def cluster() -> Iterator[float]:
    """Have a Ray cluster of two workers; gives the seconds it took to start."""
    os.environ |= RAY
    began = time.perf_counter()
    import ray  # noqa: PLC0415 -- seconds to import, which are measured

    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder:
        ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=folder)
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield time.perf_counter() - began
        ray.shutdown()


def measure(count: int) -> dict[str, Any]:
    """Score so many logs in every way."""
    gateways = [f"{where}{number}" for where in ("one", "ray") for number in range(len(JUDGES))]
    with served(count, gateways) as base_url, tempfile.TemporaryDirectory() as folder:
        client = AsyncAIGateway(ACCOUNT, TOKEN, base_url=base_url)

        def here(judge: Judge, number: int) -> ScoringSummary:
            progress = Path(folder, f"{number}.sqlite3")
            return score_logs(judge, client=client, gateway_id=f"one{number}", progress=progress, name="judge")

        def on_ray(judge: Judge, number: int) -> ScoringSummary:
            return score_on_ray(judge, ClientSettings(ACCOUNT, f"ray{number}", base_url, TOKEN), name="judge")

        found: dict[str, Any] = {"logs": count, "one process": _rates(here, count)}
        with cluster() as seconds:
            score_on_ray(says_nothing, ClientSettings(ACCOUNT, "ray0", base_url, TOKEN))  # workers are started
            found |= {"ray start seconds": seconds, "ray, two workers": _rates(on_ray, count)}
    return found


def _rates(score: Callable[[Judge, int], ScoringSummary], count: int) -> dict[str, float]:
    return {name: _rate(lambda: score(judge, number), count) for number, (name, judge) in enumerate(JUDGES.items())}  # noqa: B023 -- called at once


def _rate(score: Callable[[], ScoringSummary], count: int) -> float:
    began = time.perf_counter()
    summary = score()
    if summary.scored + summary.skipped != count:
        sys.exit(f"not every log was scored: {summary}")
    return count / (time.perf_counter() - began)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=20_000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    found = measure(arguments.logs)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))
    print(f"| {found['logs']:,} logs, logs a second | one process | Ray, two workers |\n|---|---:|---:|")
    for name in JUDGES:
        print(f"| {name} | {found['one process'][name]:,.0f} | {found['ray, two workers'][name]:,.0f} |")
    print(f"\nRay takes {found['ray start seconds']:.1f} seconds to start.")


if __name__ == "__main__":
    main()
