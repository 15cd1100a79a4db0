"""The page's server: an answer streams to the browser, and after it the token by which it can be rated.

That token is all the browser ever has: it rates this one answer, for a week. The credential stays here.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from aigw import AIGatewayError
from aigw.feedback import AsyncFeedbackQueue, feedback_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from aigw import AsyncAIGateway
    from aigw.feedback import FeedbackTokens

FILES = Path(__file__).parent
MAX_QUESTION = 4000
POLICY = "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def build_app(client: AsyncAIGateway, tokens: FeedbackTokens, model: str) -> Starlette:
    """Make the app: the page, its answers at `/ask`, its feedback at `/feedback/`."""
    queue = AsyncFeedbackQueue(client)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client, queue:
            yield

    async def ask(request: Request) -> Response:
        question = (await request.json())["question"]
        if not isinstance(question, str) or not 0 < len(question) <= MAX_QUESTION:
            return PlainTextResponse(f"A question has 1 to {MAX_QUESTION} characters.", 400)
        return StreamingResponse(answer(client, tokens, model, question), media_type="application/x-ndjson")

    routes = [
        Route("/", send_file("page.html")),
        Route("/page.css", send_file("page.css")),
        Route("/page.js", send_file("page.js")),
        Route("/ask", ask, methods=["POST"]),
        Mount("/feedback", feedback_app(queue, tokens)),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def send_file(name: str) -> Any:
    """Make what answers with a file beside this one."""

    async def send(_request: Request) -> Response:
        return FileResponse(FILES / name, headers={"Content-Security-Policy": POLICY})

    return send


async def answer(client: AsyncAIGateway, tokens: FeedbackTokens, model: str, question: str) -> AsyncIterator[str]:
    """Give lines of JSON: pieces of `text`, then the `token`; or an `error`."""
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    try:
        async with client.stream_chat(body) as stream:
            async for chunk in stream:
                if chunk.text:
                    yield line(text=chunk.text)
        yield line(token=tokens.issue(stream))
    except AIGatewayError as error:
        print(f"no answer: {error}")
        yield line(error="There is no answer just now. Please ask again.")


def line(**said: str) -> str:
    """Give one line of JSON."""
    return json.dumps(said) + "\n"
