"""The small app that takes feedback from browsers: HTTP at the edge, everything it decides is elsewhere."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from hashlib import blake2b
from inspect import isawaitable, iscoroutinefunction
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Route

from aigw._errors import AIGatewayError, ConfigurationError, LogNotFoundError
from aigw._given import shown
from aigw.feedback._backlog import FeedbackQueueFullError
from aigw.feedback._entries import COMMENT
from aigw.feedback._intake import MAX_BODY, Refusal, check_settings, cut_comment, read_post
from aigw.feedback._outlets import Outlet, outlet_of
from aigw.feedback._rate_limit import RateLimit
from aigw.feedback._tokens import FeedbackTokenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from aigw.feedback._intake import Post, ScoreRange
    from aigw.feedback._outlets import Taker
    from aigw.feedback._tokens import FeedbackTarget, FeedbackTokens

    OnComment = Callable[[FeedbackTarget, str], None] | Callable[[FeedbackTarget, str], Awaitable[None]]

_log: Final = logging.getLogger("aigw.feedback")


def feedback_app(
    client_or_queue: Taker,
    tokens: FeedbackTokens,
    *,
    allow_origins: Sequence[str] = (),
    rate_limit: int = 60,
    token_rate_limit: int = 10,
    score_range: ScoreRange | None = (0, 100),
    max_comment: int = 500,
    on_comment: OnComment | None = None,
) -> Starlette:
    """Make an ASGI app that takes a browser's feedback, to be mounted in Starlette or FastAPI.

        app.mount("/feedback", feedback_app(queue, tokens))    # then the browser posts to /feedback/

    It takes one request, `POST /` with JSON: `token`, and at least one of `value` (1, -1, 0, or null to clear), `score`
    (a number or null) and `comment` (text). It answers `{"accepted": true}`, with 202 from a queue and 200 when the
    feedback is in its log, or `{"error", "message"}` with 400, 401 (not our token), 410 (expired), 413, 415 (not JSON),
    429 and 503 (both with `Retry-After`), 404 (no such log any more), 502. Forms are refused: any page could send them.

    The browser sees a token, never a credential. A comment goes into the log's metadata as `comment`, one of the five
    entries that the gateway keeps, or to `on_comment` instead.

    Args:
        client_or_queue: Who gives the feedback: a queue (better: it answers at once, and tries again), or a client. The
            app closes neither.
        tokens: What makes the tokens, or another with the same secret.
        allow_origins: The origins whose pages may post, as in `https://chat.example.com`; the app's own needs none.
            `*` is any.
        rate_limit: Posts in a minute from one client address, counted in this process. Behind a proxy that address is
            the proxy's, unless the server is told to believe its headers (uvicorn: `--proxy-headers` and
            `--forwarded-allow-ips`).
        token_rate_limit: Posts in a minute with one token.
        score_range: The least and the highest score that is taken; `None` takes none.
        max_comment: Characters of a comment that are kept.
        on_comment: Is given the target and the comment, once the rest was accepted; async, or called in a thread.

    Raises:
        ConfigurationError: An argument cannot be what it is.
        ModuleNotFoundError: The extra `aigw[feedback]` is not installed.
    """
    limits = {"rate_limit": rate_limit, "token_rate_limit": token_rate_limit}
    check_settings(limits, max_comment, score_range)
    outlet = outlet_of(client_or_queue)
    desk = _Desk(
        outlet, tokens, RateLimit(rate_limit), RateLimit(token_rate_limit), score_range, max_comment, on_comment
    )
    return Starlette(routes=[Route("/", desk.answer, methods=["POST"])], middleware=_cors(allow_origins))


def _cors(allow_origins: Sequence[str]) -> list[Middleware]:
    if isinstance(allow_origins, str):
        raise ConfigurationError(f"allow_origins is a list of origins, not the text {shown(allow_origins)}")
    if not allow_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(allow_origins),
            allow_methods=["POST"],
            allow_headers=["content-type"],
            expose_headers=["Retry-After"],
        )
    ]


@dataclass(frozen=True, slots=True)
class _Desk:
    """Takes posts, one after the other in one event loop."""

    outlet: Outlet
    tokens: FeedbackTokens
    by_address: RateLimit
    by_token: RateLimit
    score_range: ScoreRange | None
    max_comment: int
    on_comment: OnComment | None = field(default=None)

    async def answer(self, request: Request) -> JSONResponse:
        try:
            await self._take(request)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status, refusal.headers)
        return JSONResponse({"accepted": True}, self.outlet.status, {"Cache-Control": "no-store"})

    async def _take(self, request: Request) -> None:
        _count(self.by_address, _address_of(request))
        _check_type(request)
        post = read_post(await _read_body(request), self.score_range)
        target = _open(self.tokens, post.token)
        _count(self.by_token, blake2b(post.token.encode(), digest_size=16).hexdigest())
        await self._give(target, post)

    async def _give(self, target: FeedbackTarget, post: Post) -> None:
        changes, comment = post.changes, cut_comment(post.comment, self.max_comment)
        if comment and self.on_comment is None:
            changes["metadata"] = {COMMENT: comment}
        if changes:
            await _deliver(self.outlet, target, changes)
        if comment and self.on_comment is not None:
            await _call(self.on_comment, target, comment)


def _address_of(request: Request) -> str:
    """Give whom an address belongs to: of IPv6 one household has a /64, and could use another address each time."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address.packed[:8] + bytes(8), 64))) if address.version == 6 else host


def _count(limit: RateLimit, name: str) -> None:
    if wait := limit.take(name):
        raise Refusal(429, "too_many", "That was too often. Try again in a moment.", wait)


def _check_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "not_json", "The body is JSON, with the content type application/json.")


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise Refusal(413, "too_large", f"The body is at most {MAX_BODY} bytes.")
    except ClientDisconnect:
        raise Refusal(400, "bad_request", "The body did not arrive.") from None  # to nobody
    return bytes(body)


def _open(tokens: FeedbackTokens, token: str) -> FeedbackTarget:
    try:
        return tokens.read(token)
    except FeedbackTokenError as error:
        if error.is_expired:
            raise Refusal(410, "expired", "This answer can no longer be rated.") from None
        raise Refusal(401, "bad_token", "This is no token of ours.") from None


async def _deliver(outlet: Outlet, target: FeedbackTarget, changes: dict[str, Any]) -> None:
    try:
        await outlet.give(target.info, changes)
    except FeedbackQueueFullError:
        raise Refusal(503, "busy", "Feedback cannot be taken just now. Try again soon.", 5) from None
    except LogNotFoundError:
        raise Refusal(404, "no_log", "This answer is not known any more.") from None
    except AIGatewayError as error:
        _log.warning("feedback from a browser was not delivered: %s: %s", type(error).__name__, error)
        if error.is_retryable:
            wait = error.retry_after or 5
            raise Refusal(503, "busy", "Feedback cannot be taken just now. Try again soon.", wait) from None
        raise Refusal(502, "not_delivered", "The feedback could not be delivered.") from None


async def _call(on_comment: OnComment, target: FeedbackTarget, comment: str) -> None:
    if iscoroutinefunction(on_comment):
        await on_comment(target, comment)
    elif isawaitable(pending := await asyncio.to_thread(on_comment, target, comment)):
        await pending
