"""The log store's schema, and a `LogQuery` as SQL in which every value is a bound parameter.

Apart from the store, so that it can be tested as text in, text out. Column names reach the SQL only through the tables
here. Matching by `contains` and `search` ignores the case of ASCII letters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.local._logs_query import KINDS, Filter, LogQuery, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION: Final = 2
"""The schema's version, kept in `PRAGMA user_version`."""

SCHEMA: Final = """
CREATE TABLE logs (
    row INTEGER PRIMARY KEY,
    account TEXT NOT NULL, gateway TEXT NOT NULL, id TEXT NOT NULL, created_at INTEGER NOT NULL,
    provider TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL,
    duration INTEGER NOT NULL, success INTEGER NOT NULL, cached INTEGER NOT NULL,
    tokens_in INTEGER, tokens_out INTEGER, cost REAL, custom_cost INTEGER NOT NULL,
    feedback INTEGER, score, metadata TEXT,
    model_type TEXT, request_type TEXT, request_content_type TEXT, response_content_type TEXT,
    status_code INTEGER, step INTEGER NOT NULL, event_id TEXT, user_agent TEXT,
    authentication INTEGER NOT NULL, wholesale INTEGER, compatibility_mode INTEGER NOT NULL, dlp_action TEXT,
    request_size INTEGER NOT NULL, response_size INTEGER NOT NULL,
    request_head_complete INTEGER NOT NULL, response_head_complete INTEGER NOT NULL,
    tokens INTEGER AS (coalesce(tokens_in, 0) + coalesce(tokens_out, 0)),
    UNIQUE (account, gateway, id)
);
CREATE INDEX logs_by_time ON logs (account, gateway, created_at, id);
CREATE INDEX logs_by_event ON logs (event_id);
CREATE TABLE payloads (
    row INTEGER PRIMARY KEY REFERENCES logs ON DELETE CASCADE,
    request_head TEXT, response_head TEXT, request_body BLOB, response_body BLOB
);
CREATE TABLE labels (
    row INTEGER NOT NULL REFERENCES logs ON DELETE CASCADE,
    key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (row, key)
) WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (key, value);
"""
"""The tables of version 1."""

RANGED: Final[Mapping[str, str]] = {
    "cost": "cost",
    "duration": "duration",
    "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
    "total_tokens": "coalesce(tokens_in, 0) + coalesce(tokens_out, 0)",
}
"""The amounts whose least and greatest a list gives, and how each is read from a log."""

_EDGES: Final = tuple((f"{edge}_{name}", edge, source) for name, source in RANGED.items() for edge in ("min", "max"))
INFO: Final = ", ".join(["count(*) AS total_count", *(f"{edge}({source}) AS {name}" for name, edge, source in _EDGES)])
"""What a list gives of all logs that match, as columns of a SELECT."""

INFO_NAMES: Final = ("total_count", *(name for name, _, _ in _EDGES))
"""The names of those columns."""

_NEW: Final = ", ".join(
    source.replace("tokens_", "new.tokens_") if "(" in source else f"new.{source}" for _, _, source in _EDGES
)
_GROWN: Final = ", ".join(
    f"{name} = {edge}(ifnull({name}, excluded.{name}), ifnull(excluded.{name}, {name}))" for name, edge, _ in _EDGES
)

_TOTALS: Final = f"""
CREATE TABLE totals (
    account TEXT NOT NULL, gateway TEXT NOT NULL, stale INTEGER NOT NULL, {", ".join(INFO_NAMES)},
    PRIMARY KEY (account, gateway)
) WITHOUT ROWID
"""
_CAME: Final = f"""
CREATE TRIGGER logs_came AFTER INSERT ON logs BEGIN
    INSERT INTO totals VALUES (new.account, new.gateway, 0, 1, {_NEW})
    ON CONFLICT (account, gateway) DO UPDATE SET total_count = total_count + 1, {_GROWN};
END
"""  # noqa: S608 -- constants
_WENT: Final = """
CREATE TRIGGER logs_went AFTER DELETE ON logs BEGIN
    UPDATE totals SET total_count = total_count - 1, stale = 1 WHERE account = old.account AND gateway = old.gateway;
END
"""

UPGRADE: Final = (
    "CREATE INDEX labels_by_text ON labels (value)",
    _TOTALS,
    f"INSERT INTO totals SELECT account, gateway, 0, {INFO} FROM logs GROUP BY account, gateway",  # noqa: S608 -- constants
    _CAME,
    _WENT,
    f"PRAGMA user_version = {VERSION}",
)
"""The statements from version 1 to this one: totals per gateway, kept by triggers, so that a page needs no scan."""

_COLUMNS: Final[Mapping[str, str]] = {
    **{key: f"logs.{key}" for key in KINDS},
    "compatibilityMode": "logs.compatibility_mode",
    "metadata.key": "labels.key",
    "metadata.value": "labels.value",
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


class Sql(NamedTuple):
    """A piece of SQL and the values its question marks stand for, in order."""

    text: str
    values: tuple[Value, ...]


def narrow(query: LogQuery) -> list[Sql]:
    """Write, for each filter that an index answers, the SELECT of the rows it leaves."""
    return [
        Sql(f"{_NARROWING[one.key]} IN ({', '.join('?' * len(one.values))})", one.values)
        for one in query.filters
        if one.key in _NARROWING and one.operator == "eq" and None not in one.values
    ]


_NARROWING: Final[Mapping[str, str]] = {
    "id": "SELECT row FROM logs WHERE id",
    "event_id": "SELECT row FROM logs WHERE event_id",
    "metadata.value": "SELECT row FROM labels WHERE value",
}


def where(account: str, gateway: str, query: LogQuery, few: Sequence[Sql] = ()) -> Sql:
    """Write the condition that picks a query's logs out of the table `logs`.

    Args:
        account: The account id.
        gateway: The gateway id.
        query: What is asked for.
        few: SELECTs of `narrow` that leave few rows: those are read, and no index on the gateway.
    """
    gateways = "+logs.account = ? AND +logs.gateway = ?" if few else "logs.account = ? AND logs.gateway = ?"
    pieces = [Sql(gateways, (account, gateway)), *(Sql(f"logs.row IN ({one.text})", one.values) for one in few)]
    pieces += map(_condition, query.filters)
    if query.search:
        pattern = _like(query.search)
        text = " OR ".join(_COMPARISONS["contains"].format(f"labels.{name}") for name in ("key", "value"))
        pieces.append(Sql(_LABEL.format(f"({text})"), (pattern, pattern)))
    return Sql(" AND ".join(piece.text for piece in pieces), tuple(value for piece in pieces for value in piece.values))


def order(query: LogQuery) -> str:
    """Write the order: the column asked for, then the time, then the id, so that pages never overlap."""
    direction = "DESC" if query.descending else "ASC"
    names = dict.fromkeys((_COLUMNS[query.order_by], "logs.created_at", "logs.id"))
    return ", ".join(f"{name} {direction}" for name in names)


def window(query: LogQuery, total: int) -> tuple[str, tuple[int, int]]:
    """Write what cuts a page out of `total` rows, counted from the nearer end, and its limit and offset."""
    skip = (query.page - 1) * query.per_page
    if skip <= total // 2:
        return f"ORDER BY {order(query)} LIMIT ? OFFSET ?", (query.per_page, skip)
    shown = max(0, min(query.per_page, total - skip))
    backwards = replace(query, descending=not query.descending)
    return f"ORDER BY {order(backwards)} LIMIT ? OFFSET ?", (shown, max(0, total - skip - shown))


def _condition(condition: Filter) -> Sql:
    comparison = _COMPARISONS[condition.operator].format(_COLUMNS[condition.key])
    text = "(" + " OR ".join([comparison] * len(condition.values)) + ")"
    if condition.key.startswith("metadata."):
        text = _LABEL.format(text)
    if condition.operator == "neq":
        text = f"NOT {text}"
    return Sql(text, tuple(map(_like, condition.values)) if condition.operator == "contains" else condition.values)


def _like(value: Value) -> str:
    text = str(value)
    for special in "\\%_":
        text = text.replace(special, "\\" + special)
    return f"%{text}%"
