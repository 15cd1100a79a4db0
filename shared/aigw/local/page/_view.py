"""What somebody looks at, as one value: the query string of the page, its `LogQuery`, and the links that lead on.

All of the page's state is in its address, so that every view can be reloaded, shared and gone back to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from aigw.local._logs._query import Filter, LogQuery, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_TEXT: Final = 200
"""A filter's text is cut here."""

PER_PAGE: Final = 50
_ID_LENGTH: Final = 36
_MAX_PAGE: Final = 1_000_000

CHOICES: Final[Mapping[str, Mapping[str, tuple[str, Value]]]] = {
    "status": {"ok": ("success", 1), "failed": ("success", 0)},
    "cached": {"hit": ("cached", 1), "miss": ("cached", 0)},
    "feedback": {"up": ("feedback", 1), "down": ("feedback", -1), "none": ("feedback", None)},
}
"""The filters with a few choices each, and the column and value a choice stands for."""


@dataclass(frozen=True, slots=True)
class View:
    """One view of the logs; an empty text is a filter that is not set.

    Attributes:
        gateway: `account/gateway`.
        provider: Text in the provider's slug.
        model: Text in the model's name.
        status: `ok` or `failed`.
        cached: `hit` or `miss`.
        feedback: `up`, `down` or `none`.
        event: The event id.
        label: A metadata key, or `key=value`.
        id: A log id, or a part of one.
        log: The log that is open.
        page: The page, from 1.
    """

    gateway: str = ""
    provider: str = ""
    model: str = ""
    status: str = ""
    cached: str = ""
    feedback: str = ""
    event: str = ""
    label: str = ""
    id: str = ""
    log: str = ""
    page: int = 1

    @property
    def scope(self) -> tuple[str, str]:
        """The account and the gateway."""
        account, _, gateway = self.gateway.partition("/")
        return account, gateway

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The conditions of all filters that are set."""
        chosen = (CHOICES[name].get(getattr(self, name)) for name in CHOICES)
        conditions = [Filter(key, "eq", (value,)) for key, value in filter(None, chosen)]
        for name, write in _TEXTS.items():
            text = getattr(self, name)
            conditions += write(text) if text else ()
        return tuple(conditions)

    @property
    def is_narrow(self) -> bool:
        """Whether an index answers one of the filters and leaves few logs, so that all logs can be asked."""
        return bool(self.event) or len(self.id) == _ID_LENGTH

    @property
    def may_be_narrow(self) -> bool:
        """Whether an index answers one of the filters, which may leave few logs or many."""
        return "=" in self.label

    def query(self, filters: tuple[Filter, ...] = (), *, page: int = 1, per_page: int = PER_PAGE) -> LogQuery:
        """Write the query of one page of the logs that match, and `filters` too."""
        return LogQuery(filters=(*self.filters, *filters), page=page, per_page=per_page)

    def url(self, path: str = "/", **changes: Any) -> str:
        """Write the address of this view with `changes`; what is empty is left out."""
        shown = asdict(replace(self, **changes))
        shown["page"] = shown["page"] if shown["page"] > 1 else ""
        query = urlencode({name: value for name, value in shown.items() if value})
        return f"{path}?{query}" if query else path


def read_view(query: str) -> View:
    """Read a query string; what it does not know, or what has no meaning, is left out."""
    given = {name: value.strip()[:MAX_TEXT] for name, value in parse_qsl(query)}
    texts = {field.name: given.get(field.name, "") for field in fields(View) if field.name not in {"page", *CHOICES}}
    chosen = {name: given.get(name, "") if given.get(name) in table else "" for name, table in CHOICES.items()}
    return View(**texts, **chosen, page=_page(given.get("page", "")))


def _page(text: str) -> int:
    return min(int(text), _MAX_PAGE) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else 1


def _contains(key: str) -> Callable[[str], tuple[Filter, ...]]:
    return lambda text: (Filter(key, "contains", (text,)),)


def _label(text: str) -> tuple[Filter, ...]:
    key, equals, value = (part.strip() for part in text.partition("="))
    found = (Filter("metadata.key", "eq", (key,)),)
    return (*found, Filter("metadata.value", "eq", (value,))) if equals else found


def _id(text: str) -> tuple[Filter, ...]:
    return (Filter("id", "eq" if len(text) == _ID_LENGTH else "contains", (text,)),)


_TEXTS: Final[Mapping[str, Callable[[str], tuple[Filter, ...]]]] = {
    "provider": _contains("provider"),
    "model": _contains("model"),
    "event": lambda text: (Filter("event_id", "eq", (text,)),),
    "label": _label,
    "id": _id,
}
