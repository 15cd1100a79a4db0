"""The page as an ASGI application: its routes, what they show, and the fields that every answer has.

Everything below `/-/` is the page's own, and so is `/` for a browser. The store is read in worker threads, so that
model calls go on meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from aigw._http import Headers
from aigw.local._logs._patch import InvalidPatchError
from aigw.local.page._bodies import read_body
from aigw.local.page._copies import as_curl, as_python
from aigw.local.page._door import SIGN_IN, STATIC, Door
from aigw.local.page._live import Live
from aigw.local.page._logs import COUNTED, SEARCHED, find, gateways, look
from aigw.local.page._render import render
from aigw.local.page._view import View, read_view

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from aigw.local._logs._store import LogStore

MAX_FORM_BYTES: Final = 16 * 1024
"""A larger form is refused."""

_FIELDS: Final = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def application(store: LogStore, door: Door) -> ASGIApp:
    """Make the page.

    Args:
        store: The logs it shows.
        door: Who may see it.
    """
    page = _Page(store, door)
    routes = [
        Route("/", page.whole),
        Route("/-/logs", page.logs),
        Route("/-/log", page.log),
        Route("/-/live", Live(store)),
        Route("/-/body/{which}", page.body),
        Route("/-/feedback", page.feedback, methods=["POST"]),
        Route(SIGN_IN, page.sign_in, methods=["POST"]),
        Route("/-/sign-out", page.sign_out, methods=["POST"]),
        Mount(STATIC.rstrip("/"), StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    return _Guarded(Starlette(routes=routes), door)


class _Guarded:
    """Asks the door first, and gives every answer the fields that keep a browser careful."""

    def __init__(self, inner: ASGIApp, door: Door) -> None:
        self._inner = inner
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                fields.update(_FIELDS)
                fields.setdefault("cache-control", "no-cache" if _is_static(scope) else "no-store")
                fields.append("vary", "accept")
            await send(message)

        answer = self._refusal(scope) or self._inner
        await answer(scope, receive, send_with_fields)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = _headers(scope)
        why = self._door.refusal(scope["method"], headers)
        if why:
            return HTMLResponse(render("refused.html", why=why), 403)
        open_to_all = scope["path"] == SIGN_IN or _is_static(scope)
        if open_to_all or self._door.is_in(headers, _port(scope)):
            return None
        return HTMLResponse(render("sign_in.html", next=_address(scope), wrong=False), 401, {"hx-refresh": "true"})


class _Page:
    """What the routes show."""

    def __init__(self, store: LogStore, door: Door) -> None:
        self._store = store
        self._door = door

    async def whole(self, request: Request) -> Response:
        view = read_view(request.url.query)
        values = await run_in_threadpool(self._whole, request, view)
        return HTMLResponse(render("page.html", **values))

    async def logs(self, request: Request) -> Response:
        view = read_view(request.url.query)
        values = await run_in_threadpool(self._sight, request, view)
        fresh = not view.gateway and values["sight"].view.gateway
        extra = {"hx-refresh": "true"} if fresh else {"hx-replace-url": values["sight"].view.url()}
        return HTMLResponse(render("logs.html", **values), headers=extra)

    async def log(self, request: Request) -> Response:
        view = read_view(request.url.query)
        values = await run_in_threadpool(self._log, request, view)
        return HTMLResponse(render("log.html", **values), headers={"hx-push-url": view.url()})

    async def body(self, request: Request) -> Response:
        view = read_view(request.url.query)
        reads = {"request": self._store.request_body, "response": self._store.response_body}
        read = reads.get(request.path_params["which"])
        content = None if read is None else await run_in_threadpool(read, *view.scope, view.log)
        if content is None:
            return HTMLResponse(render("refused.html", why="This body is not in the log."), 404)
        name = quote(f"{view.log}-{request.path_params['which']}.txt", safe="")
        disposition = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type="text/plain; charset=utf-8", headers=disposition)

    async def feedback(self, request: Request) -> Response:
        form = await _form(request)
        view = read_view(request.url.query)
        try:
            found = await run_in_threadpool(self._store.patch, *view.scope, view.log, _changes(form))
        except (InvalidPatchError, ValueError) as error:
            return HTMLResponse(render("refused.html", why=str(error)), 400)
        if not found:
            return HTMLResponse(render("refused.html", why="This log is gone."), 404)
        if "hx-request" not in request.headers:
            return RedirectResponse(view.url(), 303)
        log = await run_in_threadpool(find, self._store, view)
        return HTMLResponse(render("feedback.html", view=view, log=log))

    async def sign_in(self, request: Request) -> Response:
        form = await _form(request)
        then = form.get("next", "/")
        cookie = self._door.sign_in(form.get("token", ""), _port(request.scope))
        if not cookie:
            return HTMLResponse(render("sign_in.html", next=then, wrong=True), 401)
        own = then if then == "/" or then.startswith("/?") else "/"
        return RedirectResponse(own, 303, {"set-cookie": cookie})

    async def sign_out(self, request: Request) -> Response:
        return RedirectResponse("/", 303, {"set-cookie": self._door.sign_out(_port(request.scope))})

    def _whole(self, request: Request, view: View) -> dict[str, Any]:
        values = self._sight(request, view)
        view = values["sight"].view
        opened = self._log(request, view) if view.log else {"log": None}
        return {**values, **opened, "view": view, "gateways": gateways(self._store), "asks": self._door.asks}

    def _sight(self, request: Request, view: View) -> dict[str, Any]:
        sight = look(self._store, view)
        origin = _origin(request)
        return {"sight": sight, "origin": origin, "counted": COUNTED, "searched": SEARCHED, "asks": self._door.asks}

    def _log(self, request: Request, view: View) -> dict[str, Any]:
        key = (*view.scope, view.log)
        log = find(self._store, view)
        if log is None:
            return {"log": None, "view": view}
        asked, answered = self._store.request_body(*key), self._store.response_body(*key)
        known = asked is not None
        return {
            "view": view,
            "log": log,
            "request_body": read_body(asked, log["request_content_type"]) if asked is not None else None,
            "response_body": read_body(answered, log["response_content_type"]) if answered is not None else None,
            "curl": as_curl(_origin(request), view.scope, log, asked or b"") if known else "",
            "python": as_python(_origin(request), view.scope, log, asked or b"") if known else "",
        }


def _changes(form: dict[str, str]) -> dict[str, Any]:
    """Read what a form changes; an empty value takes the feedback or the score away."""
    changes: dict[str, Any] = {}
    if "feedback" in form:
        changes["feedback"] = int(form["feedback"]) if form["feedback"] else None
    if "score" in form:
        changes["score"] = float(form["score"]) if form["score"] else None
    return changes


async def _form(request: Request) -> dict[str, str]:
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_FORM_BYTES:
            return {}
    return {name: values[-1] for name, values in parse_qs(content.decode("latin-1"), keep_blank_values=True).items()}


def _headers(scope: Scope) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def _is_static(scope: Scope) -> bool:
    return bool(scope["path"].startswith(STATIC))


def _port(scope: Scope) -> int:
    return int((scope.get("server") or ("", 0))[1] or 0)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _address(scope: Scope) -> str:
    """Give the address of the page that a signed-out request was for."""
    query = scope["query_string"].decode("latin-1")
    return f"/?{query}" if scope["path"] == "/" and query else "/"
