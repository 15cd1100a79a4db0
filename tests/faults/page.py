"""Reliability as a page: `python -m tests.faults.page` writes `docs/reliability.md` from the modes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from aigw import _retries, _sse, _stream_readers
from aigw._engines import _http_head

from .modes.all_modes import MODES, SECTIONS
from .modes.mode import Right

if TYPE_CHECKING:
    from .modes.mode import Mode, Wrong

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
MIB: Final = 1024 * 1024

_INTRODUCTION: Final = """\
# What happens when things break

Every call ends in the right answer or in one typed error, which names the gateway's log where the answer's head told
it. There are {modes} ways of a server to misbehave below (`tests/faults/`). Each is a test of the sync client and the
async one and of both adapters, sync and async, over urllib3 and aiohttp; where they can differ, over httpx and
httpx-aiohttp too. After each, the connection is free again, no request was sent twice that may have been run, and no
other server has heard a thing.

## Limits

| What | Limit | Beyond it |
|---|---|---|
| An event or a line of a stream, or JSON in its place | {event} MiB | `StreamError` |
| A whole answer, unpacked | {answer} MiB | `APIStatusError` |
| The body of an error | {error} MiB | the rest is not read |
| Header fields | 100 KiB together (sync, httpx), 8,190 bytes each (aiohttp) | `APIConnectionError` |
| Connecting | `timeout`, connect: 10 seconds by default | `APITimeoutError`, tried again |
| A server that does not read the request | `timeout`, write: 300 seconds by default | `APITimeoutError` |
| Silence before or within an answer | `timeout`, read: 300 seconds by default | `APITimeoutError` |
| An answer that goes on and brings nothing (comments, bytes) | {patience:g} read timeouts | `APITimeoutError` |
| Interim answers (`1xx`) before the answer | {interim} | `APIConnectionError` |
| A `Retry-After` that is waited for | {retry_after:g} seconds | the error, with `retry_after` |

Bytes that arrive start an HTTP library's read timeout anew, so that keep-alive comments alone would hold a reader for
ever. Models do think behind them, though: hence {patience:g} read timeouts, counted anew from each item of a stream,
and for a whole answer from its head. For an exact end put a limit round the call (`asyncio.timeout`); a call
that is cancelled frees its connection at once. Headers that trickle in are bounded by size alone; over httpx `1xx`
answers are not counted, and over httpx-aiohttp a server that does not read is waited for.

Compressed answers are asked for as gzip alone, through a `http_client` of yours too, and unpacked in pieces of a
mebibyte at most, so that one that unpacks a thousandfold meets the limit as any other does. An answer in another
encoding, or in gzip twice, is not unpacked at all: that is an error, whose status and log are told.

## What is tried again

`max_retries` (2 by default) counts further tries. Tried again are only requests that certainly were not run:

- a connection that could not be opened, in any way;
- answers that say "later": 408, 429 and every 5xx, but no spend limit.

Not tried again is a request that may have arrived without an answer coming back: it may have been run, and billed. The
error says so (`request_sent`). Nor is a stream whose head has come. Reading a log again is harmless, and aiohttp does
that once by itself when a kept connection turns out to be closed.

The wait begins with half a second and doubles up to eight, with up to a quarter taken off at random. `Retry-After`
(seconds, or a date) and `Retry-After-Ms` come before that; what is no time is ignored.

## Leaving early

A stream frees its connection when it ends or fails, with `close()` or `aclose()`, at the end of a `with` block, and
when nobody holds it any more, read or not. A task may be cancelled wherever it waits, and its connection is there for
the next call; over httpx not everywhere, whose own pool forgets a connection that is cancelled while it is made or
given back. Read and close a stream in one thread. After a fork the child opens connections of its own, whatever other
threads were at, and a stream that was open goes on in the parent. Each event loop has its own connections, closed when
it shuts down; a process may end with streams open.

## Proxies

`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` mean what they mean to httpx, in either case of letters. An
origin on this machine (`localhost` and names below it, 127.0.0.0/8, `::1`) is asked directly whatever they say, as
browsers do: a local gateway works behind a company's proxy as it does elsewhere. When no answer comes through a proxy,
the error names it, without its password; one that cannot be asked at all (no URL, SOCKS without `httpx[socks]`) is a
`ConfigurationError` that names the variable. A `http_client` of yours goes where you told it to; before a local gateway
give it `trust_env=False`.

## Case by case

"The answer" is the right one. An error that knows the log has its id in `log_id`.
"""

_END: Final = """
This page is written by `python -m tests.faults.page`. Change the modes, and not this page.
"""


def reliability_page() -> str:
    """Write the page."""
    facts = {
        "modes": len(MODES),
        "event": _sse.MAX_EVENT_BYTES // MIB,
        "answer": _stream_readers.MAX_ANSWER_BYTES // MIB,
        "error": _stream_readers.MAX_ERROR_BYTES // MIB,
        "patience": _stream_readers.PATIENCE,
        "interim": _http_head.MAX_INTERIM,
        "retry_after": _retries._LONGEST_RETRY_AFTER,
    }
    sections = [_section(title, module.MODES) for title, module in SECTIONS.items()]
    return "\n".join([_INTRODUCTION.format_map(facts), *sections]) + _END


def _section(title: str, modes: list[Mode]) -> str:
    head = ["| Case | The server | A whole answer | A stream | Requests |", "|---|---|---|---|---|"]
    return "\n".join([f"### {title}", "", *head, *map(_row, modes), ""])


def _row(mode: Mode) -> str:
    outcomes = f"{_tell(mode.whole)} | {_tell(mode.stream)}"
    other = f" (aiohttp: {_tell(mode.on_aiohttp)})" if mode.on_aiohttp and mode.on_aiohttp != mode.stream else ""
    return f"| `{mode.name}` | {mode.does} | {outcomes}{other} | {mode.requests} |"


def _tell(outcome: Right | Wrong | None) -> str:
    if outcome is None:
        return "-"
    if isinstance(outcome, Right):
        return "the answer"
    first = "what came, then " if outcome.text else ""
    return f"{first}`{outcome.error.__name__}`" + (", with the log" if outcome.has_log else "")


if __name__ == "__main__":
    PAGE.write_text(reliability_page(), encoding="utf-8")
