"""A `LogQuery` as SQL in which every value is a bound parameter.

Apart from the store, so that it can be tested as text in, text out. Column names reach the SQL only through the tables
here. Matching by `contains` and `search` ignores the case of ASCII letters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.local._logs._query import KINDS, Filter, LogQuery, Value
from aigw.local._logs._schema import FACET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COLUMNS: Final[Mapping[str, str]] = {
    **{key: f"logs.{key}" for key in KINDS},
    "compatibilityMode": "logs.compatibility_mode",
    "tokens": "(coalesce(logs.tokens_in, 0) + coalesce(logs.tokens_out, 0))",
    "metadata.key": "labels.key",
    "metadata.value": "labels.value",
}
_FACET_COLUMNS: Final[Mapping[str, str]] = {
    **{name: f"facets.{name}" for name in FACET if name in KINDS},
    "compatibilityMode": "facets.compatibility_mode",
    "metadata.key": "json_each.value",
}
_COMPARISONS: Final[Mapping[str, str]] = {
    "eq": "{} IS ?",
    "neq": "{} IS ?",
    "contains": "{} LIKE ? ESCAPE '\\'",
    "lt": "{} < ?",
    "gt": "{} > ?",
    "le": "{} <= ?",
    "ge": "{} >= ?",
}
_LABEL: Final = "EXISTS (SELECT 1 FROM labels WHERE labels.row = logs.row AND {})"
_LABEL_NAME: Final = "EXISTS (SELECT 1 FROM json_each(facets.labels) WHERE {})"


class Sql(NamedTuple):
    """A piece of SQL and the values its question marks stand for, in order."""

    text: str
    values: tuple[Value, ...]


def all_of(pieces: Iterable[Sql]) -> Sql:
    """Join conditions that must all hold; those without a text are no conditions."""
    pieces = [piece for piece in pieces if piece.text]
    return Sql(" AND ".join(piece.text for piece in pieces), tuple(value for piece in pieces for value in piece.values))


def narrow(account: str, gateway: str, query: LogQuery) -> list[Sql]:
    """Write, for each filter that an index answers, the SELECT of the rows it leaves; some may be another gateway's."""
    pieces: list[Sql] = []
    for one in query.filters:
        if one.key in _NARROWING and one.operator != "neq" and None not in one.values:
            own = (account, gateway) if one.key == "id" else ()
            text, values = _condition(one, {one.key: one.key.rpartition(".")[2]}, "{}")
            pieces.append(Sql(_NARROWING[one.key].format(text), (*own, *values)))
    return pieces


_NARROWING: Final[Mapping[str, str]] = {
    "id": "SELECT row FROM logs WHERE account = ? AND gateway = ? AND {}",
    "event_id": "SELECT row FROM logs INDEXED BY logs_by_event WHERE {}",
    "metadata.value": "SELECT row FROM labels INDEXED BY labels_by_text WHERE {}",
}


def where(account: str, gateway: str, query: LogQuery) -> Sql:
    """Write the condition that picks a query's logs out of the table `logs`, with nothing but that table's columns."""
    own = Sql("logs.account = ? AND logs.gateway = ?", (account, gateway))
    return all_of([own, *(_condition(one, _COLUMNS, _LABEL) for one in query.filters), *_search(query)])


def where_facets(account: str, gateway: str, query: LogQuery) -> Sql:
    """Write the condition that picks the facets whose logs a query may want."""
    own = Sql("facets.account = ? AND facets.gateway = ? AND total_count > 0", (account, gateway))
    shared = (one for one in query.filters if one.key in _FACET_COLUMNS)
    return all_of([own, *(_condition(one, _FACET_COLUMNS, _LABEL_NAME) for one in shared)])


def where_rows(query: LogQuery) -> Sql:
    """Write what is left to ask of each log of those facets; the text is empty when nothing is."""
    return all_of([*(_condition(one, _COLUMNS, _LABEL) for one in _left(query)), *_search(query)])


class Wanted(NamedTuple):
    """Which labels' values a query wants: a condition on `label_values`, and whether that must look at each of them."""

    where: Sql
    is_scan: bool


def wanted_values(query: LogQuery) -> Wanted | None:
    """Write which values a log must have one of; `None` if anything else is asked of single logs.

    A search looks for names too; whoever asks must know that no name has the text.
    """
    left = _left(query)
    if query.search and not left:
        return Wanted(Sql(_COMPARISONS["contains"].format("value"), (_like(query.search),)), is_scan=True)
    if query.search or [one.key for one in left] != ["metadata.value"] or left[0].operator == "neq":
        return None
    return Wanted(_condition(left[0], {"metadata.value": "value"}, "{}"), is_scan=left[0].operator != "eq")


def names_found(account: str, gateway: str, query: LogQuery) -> Sql:
    """Write the condition that picks those of a query's facets with a label whose name the search finds."""
    found = Sql(_LABEL_NAME.format(_COMPARISONS["contains"].format("json_each.value")), (_like(query.search),))
    return all_of((where_facets(account, gateway, query), found))


def left_out(account: str, gateway: str, query: LogQuery) -> Sql | None:
    """Write the SELECT of the rows not wanted, if an index gives them and nothing else is asked of single logs."""
    left = _left(query)
    if query.search or len(left) != 1 or left[0].operator != "neq":
        return None
    narrowed = narrow(account, gateway, LogQuery((replace(left[0], operator="eq"),)))
    return narrowed[0] if narrowed else None


def is_covered(query: LogQuery) -> bool:
    """Tell whether what is asked of each log is in the index `logs_by_facet`."""
    return not query.search and all(one.key in _COVERED for one in _left(query))


_COVERED: Final = frozenset({"id", "created_at", "cost", "duration", "tokens", "tokens_in", "tokens_out"})


def facet_order(query: LogQuery) -> str:
    """Write what of a facet comes first in a query's order: logs are ordered by it, then by their time and id."""
    return _FACET_COLUMNS.get(query.order_by, "0")


def order(query: LogQuery) -> str:
    """Write the order: the column asked for, then the time, then the id, so that pages never overlap."""
    direction = "DESC" if query.descending else "ASC"
    names = dict.fromkeys((_COLUMNS[query.order_by], "logs.created_at", "logs.id"))
    return ", ".join(f"{name} {direction}" for name in names)


def time_order(*, descending: bool) -> str:
    """Write the order of logs that agree in the column asked for."""
    direction = "DESC" if descending else "ASC"
    return f"logs.created_at {direction}, logs.id {direction}"


def _left(query: LogQuery) -> list[Filter]:
    """Give the filters that a facet does not answer."""
    return [one for one in query.filters if one.key not in _FACET_COLUMNS]


def _condition(condition: Filter, columns: Mapping[str, str], label: str) -> Sql:
    comparison = _COMPARISONS[condition.operator].format(columns[condition.key])
    text = "(" + " OR ".join([comparison] * len(condition.values)) + ")"
    if condition.key.startswith("metadata."):
        text = label.format(text)
    if condition.operator == "neq":
        text = f"NOT {text}"
    return Sql(text, tuple(map(_like, condition.values)) if condition.operator == "contains" else condition.values)


def _search(query: LogQuery) -> list[Sql]:
    if not query.search:
        return []
    text = " OR ".join(_COMPARISONS["contains"].format(f"labels.{name}") for name in ("key", "value"))
    return [Sql(_LABEL.format(f"({text})"), (_like(query.search),) * 2)]


def _like(value: Value) -> str:
    text = str(value)
    for special in "\\%_":
        text = text.replace(special, "\\" + special)
    return f"%{text}%"
