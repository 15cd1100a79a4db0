"""The upstream that needs no network: the offline model's answers, framed as OpenAI frames them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio.lowlevel

from aigw._json import dump_json
from aigw.local import offline
from aigw.local._reply import EVENT_STREAM, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aigw.local._upstream import UpstreamEndpoint

_DONE: Final = b"data: [DONE]\n\n"


class OfflineUpstream:
    """Answers from rules alone: the same body gives the same answer on every machine.

    Attributes:
        provider: `local`.
    """

    provider = "local"

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        """Answer one call; see `Upstream.send`. The headers do not matter here."""
        del headers
        await anyio.lowlevel.checkpoint()
        try:
            if endpoint == "embeddings":
                return json_reply(200, offline.embed(body))
            if body.get("stream"):
                return _stream(offline.stream_chat(body))
            return json_reply(200, offline.chat(body))
        except offline.InvalidRequest as error:
            return json_reply(400, _openai_error(error))


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
