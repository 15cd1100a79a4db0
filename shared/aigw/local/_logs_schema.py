"""The log store's tables, indexes and triggers.

Beside its own row, a log belongs to a facet: the logs that agree in everything a filter compares as a whole (provider,
model, outcome, media types, labels' names, feedback). There are few of them, each with its number of logs and the least
and greatest of their amounts, kept by triggers, so that most lists are counted and ordered without reading a log. Two
facets may be alike, when two programs made them in one moment: whoever reads them adds them up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 3
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

SHARED: Final = (
    *("account", "gateway", "provider", "model", "model_type", "request_type", "request_content_type"),
    *("response_content_type", "success", "cached", "authentication", "wholesale", "compatibility_mode"),
    *("dlp_action", "user_agent", "feedback"),
)
"""The columns of a log in which a facet's logs agree; they agree in the names of their labels too."""

FACET: Final = (*SHARED, "labels")
"""A facet's columns; `labels` is a JSON array of names."""

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


def _of(row: str, source: str) -> str:
    return source.replace("tokens_", f"{row}.tokens_") if "(" in source else f"{row}.{source}"


_NAMES_OF_LABELS: Final = (
    "(SELECT json_group_array(key) FROM (SELECT key FROM labels WHERE labels.row = logs.row ORDER BY key))"
)
_FACETS: Final = f"""
CREATE TABLE facets (
    facet INTEGER PRIMARY KEY, {", ".join(FACET)},
    went INTEGER NOT NULL DEFAULT 0, cut INTEGER NOT NULL DEFAULT 0, stale INTEGER NOT NULL DEFAULT 0,
    {", ".join(INFO_NAMES)}
)
"""
_FOUND: Final = f"""
INSERT INTO facets ({", ".join(FACET)}, {", ".join(INFO_NAMES)})
SELECT {", ".join(SHARED)}, {_NAMES_OF_LABELS} AS labels, {INFO} FROM logs GROUP BY {", ".join(FACET)}
"""  # noqa: S608 -- constants
_ASSIGNED: Final = f"""
UPDATE logs SET facet = (
    SELECT facet FROM facets
    WHERE {" AND ".join(f"facets.{name} IS logs.{name}" for name in SHARED)} AND facets.labels IS {_NAMES_OF_LABELS}
)
"""  # noqa: S608 -- constants
_GROWN: Final = ", ".join(
    f"{name} = {edge}(ifnull({name}, {_of('new', source)}), ifnull({_of('new', source)}, {name}))"
    for name, edge, source in _EDGES
)
_AT_AN_EDGE: Final = ", ".join(f"ifnull({_of('old', source)} IS {name}, 0)" for name, _, source in _EDGES)
_COMES: Final = f"UPDATE facets SET total_count = total_count + 1, {_GROWN} WHERE facet = new.facet;"  # noqa: S608 -- constants
_GOES: Final = (
    f"UPDATE facets SET total_count = total_count - 1, went = went + 1, stale = max(stale, {_AT_AN_EDGE})"  # noqa: S608 -- constants
    " WHERE facet = old.facet;"
)
_CUT: Final = (
    "UPDATE facets SET cut = cut + 1 WHERE facet = old.facet AND old.row > (SELECT ifnull(max(row), 0) FROM logs);"
)
_MOVED: Final = "UPDATE facets SET went = went + 1 WHERE facet = new.facet;"

UPGRADE: Final = (
    *(f"DROP TRIGGER IF EXISTS {name}" for name in ("logs_came", "logs_went")),
    "DROP TABLE IF EXISTS totals",
    "DROP INDEX logs_by_time",
    "CREATE INDEX IF NOT EXISTS labels_by_text ON labels (value)",
    "ALTER TABLE logs ADD COLUMN facet INTEGER",
    _FACETS,
    _FOUND,
    f"CREATE INDEX facets_by_gateway ON facets ({', '.join(FACET)})",
    _ASSIGNED,
    "CREATE INDEX logs_by_time ON logs (account, gateway, created_at, id, facet)",
    "CREATE INDEX logs_by_facet ON logs (facet, created_at, id, cost, duration, tokens_in, tokens_out)",
    f"CREATE TRIGGER logs_came AFTER INSERT ON logs BEGIN {_COMES} END",
    f"CREATE TRIGGER logs_went AFTER DELETE ON logs BEGIN {_GOES} {_CUT} END",
    f"CREATE TRIGGER logs_changed AFTER UPDATE OF facet, metadata ON logs BEGIN {_GOES} {_COMES} {_MOVED} END",
    f"PRAGMA user_version = {VERSION}",
)
"""The statements from version 1 or 2 to this one.

A facet's `went` counts the changes other than logs that came, its `cut` those of the newest log of all, whose row the
next log takes; `stale` edges are read anew.
"""
