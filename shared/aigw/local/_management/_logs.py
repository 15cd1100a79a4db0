"""The logs API over HTTP: a route and a method in, a `Reply` out; the store does the rest.

Source: Cloudflare API reference, AI Gateway logs. Where it is silent: a raw body has the content type it was logged
with, one that was not stored is a 404 like a log that is not there, a page past the end is empty, and a delete without
filters and limit deletes all of the gateway's logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aigw.local._bodies import read_json
from aigw.local._envelopes import rest_error, rest_result
from aigw.local._logs._patch import InvalidPatchError
from aigw.local._logs._query import InvalidLogQueryError, parse_delete_query, parse_list_query
from aigw.local._reply import JSON, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.local._logs._store import LogStore

INVALID: Final = 7001
"""The code of a parameter or a change that is not taken."""

NOT_FOUND: Final = 7002
"""The code of a log that is not there."""

_BAD_METHOD: Final = 10405


@dataclass(frozen=True, slots=True)
class _Ask:
    store: LogStore
    account: str
    gateway: str
    log_id: str
    query: str
    body: bytes


def answer_logs(
    store: LogStore, method: str, account: str, gateway: str, tail: tuple[str, ...], query: str, body: bytes
) -> Reply:
    """Answer one request below `.../ai-gateway/gateways/{gateway}/logs`.

    Args:
        store: Where the logs are.
        method: The HTTP method in upper case.
        account: The account id.
        gateway: The gateway id.
        tail: The decoded path segments after `logs`: none, `(id,)`, `(id, "request")` or `(id, "response")`.
        query: The query string, undecoded.
        body: The request's body.
    """
    routes = _ROUTES.get((len(tail), *tail[1:]))
    if routes is None or "" in tail:
        return rest_error(404, NOT_FOUND, "Not found")
    answer = routes.get(method)
    if answer is None:
        allow = ", ".join(routes)
        return rest_error(405, _BAD_METHOD, f"Method not allowed: expected {allow}").with_headers(("allow", allow))
    try:
        return answer(_Ask(store, account, gateway, tail[0] if tail else "", query, body))
    except (InvalidLogQueryError, InvalidPatchError) as error:
        return rest_error(400, INVALID, str(error))


def _list(ask: _Ask) -> Reply:
    rows, info = ask.store.list(ask.account, ask.gateway, parse_list_query(ask.query))
    return rest_result(rows, result_info=info)


def _delete(ask: _Ask) -> Reply:
    ask.store.delete(ask.account, ask.gateway, parse_delete_query(ask.query))
    return json_reply(200, {"success": True})


def _get(ask: _Ask) -> Reply:
    log = ask.store.get(ask.account, ask.gateway, ask.log_id)
    return _missing() if log is None else rest_result(log)


def _patch(ask: _Ask) -> Reply:
    try:
        changes = read_json(ask.body)
    except ValueError as error:
        raise InvalidPatchError("the body is not JSON") from error
    found = ask.store.patch(ask.account, ask.gateway, ask.log_id, changes)
    return rest_result({}) if found else _missing()


def _request(ask: _Ask) -> Reply:
    return _raw(ask, ask.store.request_body, "request_content_type")


def _response(ask: _Ask) -> Reply:
    return _raw(ask, ask.store.response_body, "response_content_type")


def _raw(ask: _Ask, read: Callable[[str, str, str], bytes | None], type_key: str) -> Reply:
    body = read(ask.account, ask.gateway, ask.log_id)
    log = ask.store.get(ask.account, ask.gateway, ask.log_id)
    if body is None or log is None:
        return _missing()
    return Reply(200, (("content-type", log.get(type_key) or JSON),), body)


def _missing() -> Reply:
    return rest_error(404, NOT_FOUND, "Log not found")


_ROUTES: Final[Mapping[tuple[int | str, ...], Mapping[str, Callable[[_Ask], Reply]]]] = {
    (0,): {"GET": _list, "DELETE": _delete},
    (1,): {"GET": _get, "PATCH": _patch},
    (2, "request"): {"GET": _request},
    (2, "response"): {"GET": _response},
}
