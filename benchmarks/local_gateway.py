"""How fast the local gateway is, beside a bare starlette application that returns the same bytes.

`python -m benchmarks.local_gateway [--json FILE]`; README.md says what the numbers mean.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.load import ask_for, stream_many
from benchmarks.log_pages import measure_pages
from benchmarks.servers import Child

ASKED: Final = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Say hello."}]}
GATEWAY_PATH: Final = "/v1/acct/gw/openai/chat/completions"
UPSTREAM_PATH: Final = "/v1/chat/completions"
CHUNK: Final = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured.

    Attributes:
        repeats: How often each is measured, in turns.
        seconds: How long each time.
        connections: Connections that ask at once, for requests a second.
        streams: Streams at once.
        chunks: Chunks of a stream.
        pause: Seconds between two chunks.
        rows: Rows of the log whose pages are read.
    """

    repeats: int = 5
    seconds: float = 3.0
    connections: int = 16
    streams: int = 500
    chunks: int = 50
    pause: float = 0.2
    rows: int = 1_000_000


TINY: Final = Sizes(repeats=1, seconds=0.1, connections=2, streams=5, chunks=3, pause=0.01, rows=2000)


@dataclass(slots=True)
class Rounds:
    """One measure of one server, over all repeats."""

    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    median_ms: list[float] = field(default_factory=list)
    failed: int = 0

    def take(self, child: Child, path: str, sizes: Sizes, connections: int) -> None:
        """Measure once more."""
        cpu = child.cpu_seconds
        body = json.dumps(ASKED, separators=(",", ":")).encode()
        answers = asyncio.run(ask_for(child.base_url + path, body, seconds=sizes.seconds, connections=connections))
        count = len(answers.seconds)
        self.per_second.append(count / sizes.seconds)
        self.cpu_us.append((child.cpu_seconds - cpu) / count * 1e6)
        self.median_ms.append(statistics.median(answers.seconds) * 1000)
        self.failed += answers.failed


def measure(sizes: Sizes) -> dict[str, Any]:
    """Measure everything; the keys are those of the JSON output."""
    return {
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.platform()},
        "sizes": asdict(sizes),
        "requests": _measure_requests(sizes),
        "forwarding": _measure_forwarding(sizes),
        "streams": _measure_streams(sizes),
        "pages": measure_pages(sizes.rows),
    }


def _measure_requests(sizes: Sizes) -> dict[str, Any]:
    with ExitStack() as stack:
        memory = stack.enter_context(Child("gateway", {}))
        disk = stack.enter_context(Child("gateway", {"disk": True}))
        bare = stack.enter_context(Child("starlette", {"body": _answer_of(memory)}))
        children = {"bare starlette": bare, "in memory": memory, "on disk": disk}
        found = {name: Rounds() for name in children}
        for _ in range(sizes.repeats):
            for name, child in children.items():
                found[name].take(child, GATEWAY_PATH, sizes, sizes.connections)
    base = statistics.median(found["bare starlette"].per_second)
    return {
        name: asdict(rounds) | {"of_bare": statistics.median(rounds.per_second) / base}
        for name, rounds in found.items()
    }


def _measure_forwarding(sizes: Sizes) -> dict[str, Any]:
    with ExitStack() as stack:
        upstream = stack.enter_context(Child("upstream", _upstream(sizes)))
        gateway = stack.enter_context(Child("gateway", {"upstream": upstream.base_url}))
        found = {"direct": Rounds(), "through the gateway": Rounds()}
        for _ in range(sizes.repeats):
            found["direct"].take(upstream, UPSTREAM_PATH, sizes, 1)
            found["through the gateway"].take(gateway, GATEWAY_PATH, sizes, 1)
    direct, through = (statistics.median(rounds.median_ms) for rounds in found.values())
    return {name: asdict(rounds) for name, rounds in found.items()} | {"added_ms": through - direct}


def _measure_streams(sizes: Sizes) -> dict[str, Any]:
    body = json.dumps(ASKED | {"stream": True}, separators=(",", ":")).encode()
    with ExitStack() as stack:
        upstream = stack.enter_context(Child("upstream", _upstream(sizes)))
        gateway = stack.enter_context(Child("gateway", {"upstream": upstream.base_url}))
        found = {}
        for name, child, path in (
            ("direct", upstream, UPSTREAM_PATH),
            ("through the gateway", gateway, GATEWAY_PATH),
        ):
            cpu = child.cpu_seconds
            streams = asyncio.run(stream_many(child.base_url + path, body, sizes.streams))
            share = (child.cpu_seconds - cpu) / streams.seconds
            found[name] = asdict(streams) | {"asked": sizes.streams, "cpu_share": share}
    return found


def _upstream(sizes: Sizes) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hello."}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    return {"body": json.dumps(body), "chunk": json.dumps(CHUNK), "chunks": sizes.chunks, "pause": sizes.pause}


def _answer_of(child: Child) -> str:
    request = urllib.request.Request(  # noqa: S310 -- our own address
        child.base_url + GATEWAY_PATH, json.dumps(ASKED).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:  # noqa: S310 -- the same
        text: str = reply.read().decode()
    return text


def show(found: dict[str, Any]) -> str:
    """Write the tables of what was measured, in Markdown."""
    lines = ["| | requests/s | of bare | CPU a request | failed |", "|---|---:|---:|---:|---:|"]
    for name, rounds in found["requests"].items():
        numbers = (_spread(rounds["per_second"], 0), f"{rounds['of_bare']:.2f}", f"{_spread(rounds['cpu_us'], 0)} us")
        lines.append(f"| {name} | {' | '.join(numbers)} | {rounds['failed']} |")
    forwarding, streams = found["forwarding"], found["streams"]
    lines += ["", "| forwarding | median latency | CPU a request |", "|---|---:|---:|"]
    for name in ("direct", "through the gateway"):
        rounds = forwarding[name]
        lines.append(f"| {name} | {_spread(rounds['median_ms'], 2)} ms | {_spread(rounds['cpu_us'], 0)} us |")
    lines.append(f"| added | {forwarding['added_ms']:.2f} ms | |")
    asked = streams["direct"]["asked"]
    lines += [
        "",
        f"| {asked} streams | complete | largest gap | slowest first byte | CPU |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, stream in streams.items():
        times = f"{stream['largest_gap'] * 1000:.0f} ms | {stream['first'] * 1000:.0f} ms"
        lines.append(f"| {name} | {stream['complete']} | {times} | {stream['cpu_share']:.0%} |")
    pages = found["pages"]
    lines += ["", f"| a page of {pages['rows']:,} logs | first | again | after another log | matches |"]
    lines.append("|---|---:|---:|---:|---:|")
    for page in pages["pages"]:
        times = " | ".join(f"{page[name]:.1f} ms" for name in ("first_ms", "again_ms", "after_ms"))
        lines.append(f"| `{page['query'] or 'all'}` | {times} | {page['matches']:,} |")
    lines.append(
        f"\n{pages['inserts_per_second']:,.0f} logs a second written on disk, each in a transaction of its own."
    )
    return "\n".join(lines)


def _spread(values: list[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def main(argv: list[str] | None = None) -> None:
    """Measure, print the tables, and write the JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="a file for all numbers")
    parser.add_argument("--tiny", action="store_true", help="sizes that prove nothing and take seconds")
    arguments = parser.parse_args(argv)
    found = measure(TINY if arguments.tiny else Sizes())
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))
    print(show(found))


if __name__ == "__main__":
    main()
