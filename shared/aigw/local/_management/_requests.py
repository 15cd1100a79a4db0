"""What the management APIs share: how a request reaches them, how pages are cut, how bodies are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from aigw._given import shown
from aigw.local._bodies import read_json
from aigw.local._envelopes import rest_error, rest_result
from aigw.local._refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw.local._reply import Reply

INVALID: Final = 7001
"""The code of a value that is not taken."""

NOT_FOUND: Final = 7002
"""The code of what is not there."""

MAX_PER_PAGE: Final = 100
_PER_PAGE: Final = 20
_BAD_METHOD: Final = 10405
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to a management API.

    Attributes:
        method: The HTTP method in upper case.
        account: The account id.
        gateway: The gateway id; empty where the path has none.
        item: The id behind the collection's name; empty for the collection itself.
        query: The query string, undecoded.
        body: The request's body.
        now_ms: The time in milliseconds since 1970.
    """

    method: str
    account: str
    gateway: str
    item: str
    query: str
    body: bytes
    now_ms: int

    def param(self, name: str) -> str:
        """Give the last value of a query parameter; empty when there is none."""
        return dict(parse_qsl(self.query)).get(name, "")

    def json_object(self) -> dict[str, Any]:
        """Read the body.

        Raises:
            RefusalError: 400/7001: it is no JSON object.
        """
        try:
            value = read_json(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise invalid("the body is not a JSON object")
        return value


def by_method(ask: Ask, answers: Mapping[str, Callable[[Ask], Reply]]) -> Reply:
    """Answer by the table's row for the method, or say which methods there are."""
    answer = answers.get(ask.method)
    if answer is None:
        allow = ", ".join(answers)
        return rest_error(405, _BAD_METHOD, f"Method not allowed: expected {allow}").with_headers(("allow", allow))
    return answer(ask)


def paged(ask: Ask, items: Sequence[Any]) -> Reply:
    """Answer with one page of a list.

    Raises:
        RefusalError: 400/7001: `page` or `per_page` is out of its range.
    """
    page = _number(ask, "page", 1, None)
    per_page = _number(ask, "per_page", _PER_PAGE, MAX_PER_PAGE)
    shown = list(items[(page - 1) * per_page : page * per_page])
    info = {"count": len(shown), "page": page, "per_page": per_page, "total_count": len(items)}
    return rest_result(shown, result_info=info)


def invalid(message: str) -> RefusalError:
    """Say that a value is not taken."""
    return RefusalError(400, INVALID, message)


def _number(ask: Ask, name: str, default: int, most: int | None) -> int:
    text = ask.param(name)
    if not text:
        return default
    if _NUMBER.fullmatch(text) and (most is None or int(text) <= most):
        return int(text)
    expected = f"a whole number from 1 to {most}" if most else "a whole number of 1 or more"
    raise invalid(f"{name}: expected {expected}; got {shown(text)}")
