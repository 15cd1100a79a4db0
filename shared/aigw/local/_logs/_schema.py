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

BOUNDED: Final[Mapping[str, str]] = {**RANGED, "created_at": "created_at"}
"""What is kept of a number of logs: the edges of their amounts, and two times between which all of them were written.

The edges are exact; the times may lie further apart than the logs that are left.
"""

_EDGES: Final = tuple((f"{edge}_{name}", edge, source) for name, source in BOUNDED.items() for edge in ("min", "max"))
INFO: Final = ", ".join(["count(*) AS total_count", *(f"{edge}({source}) AS {name}" for name, edge, source in _EDGES)])
"""What is kept of all logs that match, as columns of a SELECT: what a list gives, then the times."""

INFO_NAMES: Final = ("total_count", *(name for name, _, _ in _EDGES))
"""The names of those columns."""

SPAN: Final = INFO_NAMES[-2:]
"""The names of the times."""

ONE_LOG: Final = ", ".join(["1", *(f"logs.{source}" if "(" not in source else source for _, _, source in _EDGES)])
"""Those columns for a single row of `logs`."""


def one_more(edges: Mapping[str, str]) -> str:
    """Write the assignments that count a log in, given how each of its edges is read."""
    grown = (
        f"{name} = {edge}(ifnull({name}, {edges[name]}), ifnull({edges[name]}, {name}))" for name, edge, _ in _EDGES
    )
    return ", ".join(("total_count = total_count + 1", *grown))


def one_less(edges: Mapping[str, str]) -> str:
    """Write the assignments that count a log out; edges are `stale` if it was at one of them."""
    at_one = (f"ifnull({edges[name]} = {name}, 0)" for name, _, _ in _EDGES if name not in SPAN)
    return f"total_count = total_count - 1, stale = max(stale, {', '.join(at_one)})"


def _edges_of(row: str) -> dict[str, str]:
    return {
        name: source.replace("tokens_", f"{row}.tokens_") if "(" in source else f"{row}.{source}"
        for name, _, source in _EDGES
    }


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
_COMES: Final = f"UPDATE facets SET {one_more(_edges_of('new'))} WHERE facet = new.facet;"  # noqa: S608 -- constants
_GOES: Final = f"UPDATE facets SET went = went + 1, {one_less(_edges_of('old'))} WHERE facet = old.facet;"  # noqa: S608 -- constants
_CUT: Final = (
    "UPDATE facets SET cut = cut + 1 WHERE facet = old.facet AND old.row > (SELECT ifnull(max(row), 0) FROM logs);"
)
_MOVED: Final = "UPDATE facets SET went = went + 1 WHERE facet = new.facet;"

TRIGGERS: Final = (
    *(f"DROP TRIGGER IF EXISTS {name}" for name in ("logs_came", "logs_went", "logs_changed")),
    f"CREATE TRIGGER logs_came AFTER INSERT ON logs BEGIN {_COMES} END",
    f"CREATE TRIGGER logs_went AFTER DELETE ON logs BEGIN {_GOES} {_CUT} END",
    f"CREATE TRIGGER logs_changed AFTER UPDATE OF facet, metadata ON logs BEGIN {_GOES} {_COMES} {_MOVED} END",
)
"""The statements that keep the facets' totals, in place of those that older versions had."""

FACETS: Final = (
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
)
"""The statements that give the tables of version 1 or 2 their facets.

A facet's `went` counts the changes other than logs that came, its `cut` those of the newest log of all, whose row the
next log takes; `stale` edges are read anew.
"""

TIMES: Final = (*(f"ALTER TABLE facets ADD COLUMN {name}" for name in SPAN), "UPDATE facets SET stale = 1")
"""The statements that give the facets of version 3 their times."""
