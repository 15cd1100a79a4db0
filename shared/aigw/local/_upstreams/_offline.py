"""The upstream that needs no network: the offline model's answers, framed as OpenAI frames them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import anyio.lowlevel

from aigw._json import dump_json
from aigw.local import offline
from aigw.local._arguments import check_callable
from aigw.local._reply import EVENT_STREAM, Reply, json_reply
from aigw.local._upstreams._offline_native import answer_native
from aigw.local._upstreams._upstream import UnknownShapeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from aigw.local._upstreams._upstream import NativeRequest, UpstreamEndpoint

_DONE: Final = b"data: [DONE]\n\n"


class OfflineUpstream:
    """Answers from rules alone: the same body gives the same answer on every machine, but for the time it states.

    Args:
        clock: Gives the time in seconds since 1970.

    Attributes:
        provider: `local`.

    Raises:
        ValueError: `clock` cannot be called.
    """

    provider = "local"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = check_callable("clock", clock)

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        """Answer one call; see `Upstream.send`. The headers do not matter here."""
        del headers
        try:
            if endpoint == "embeddings":
                return json_reply(200, offline.embed(body))
            created = int(self._clock())
            if body.get("stream"):
                return _stream(offline.stream_chat(body, created=created))
            return json_reply(200, offline.chat(body, created=created))
        except offline.InvalidRequest as error:
            return json_reply(400, _openai_error(error))

    def is_native(self, provider: str, *, has_dialect: bool) -> bool:
        """Tell whether nothing else can be done with a call; see `NativeUpstream.is_native`."""
        del provider
        return not has_dialect

    async def forward(self, request: NativeRequest) -> Reply:
        """List models and count tokens; see `NativeUpstream.forward`.

        Raises:
            UnknownShapeError: Anything else is asked.
        """
        reply = answer_native(request)
        if reply is None:
            raise UnknownShapeError(f"{request.method} {request.provider}")
        return reply


def _stream(chunks: Iterator[dict[str, Any]]) -> Reply:
    first = next(chunks, None)  # a body that cannot be answered is refused before the status is sent
    return Reply(200, (("content-type", EVENT_STREAM),), _frames(first, chunks))


async def _frames(first: dict[str, Any] | None, rest: Iterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    chunk = first
    while chunk is not None:
        yield b"data: " + dump_json(chunk) + b"\n\n"
        await anyio.lowlevel.checkpoint()
        chunk = next(rest, None)
    yield _DONE


def _openai_error(error: offline.InvalidRequest) -> dict[str, Any]:
    param = getattr(error, "param", None)
    return {"error": {"message": str(error), "type": "invalid_request_error", "param": param, "code": None}}
