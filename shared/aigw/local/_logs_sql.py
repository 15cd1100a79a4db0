"""The log store's schema, and a `LogQuery` as SQL in which every value is a bound parameter.

Apart from the store, so that it can be tested as text in, text out. Column names reach the SQL only through the tables
here. Matching by `contains` and `search` ignores the case of ASCII letters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.local._logs_query import KINDS, Filter, LogQuery, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
"""The schema's version, kept in `PRAGMA user_version`."""

SCHEMA: Final = f"""
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
PRAGMA user_version = {VERSION};
"""

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


def where(account: str, gateway: str, query: LogQuery) -> Sql:
    """Write the condition that picks a query's logs out of the table `logs`."""
    pieces = [Sql("logs.account = ? AND logs.gateway = ?", (account, gateway)), *map(_condition, query.filters)]
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
