"""The tables that know how many logs have a value among their labels, kept by triggers.

Every value is counted. What a list gives is kept besides, by facet, for a value that often comes: so a filter on it is
answered without reading its logs, as one on a model is. A log that has one value under two names counts once.
"""

from __future__ import annotations

from typing import Final

from aigw.local._logs._schema import INFO, INFO_NAMES, ONE_LOG, one_less, one_more

OFTEN: Final = 5_000
"""From so many logs on the totals of a value are kept."""

_TABLES: Final = (
    """
    CREATE TABLE label_values (
        value TEXT PRIMARY KEY, key TEXT, total INTEGER NOT NULL, counted INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
    f"""
    CREATE TABLE label_totals (
        value TEXT NOT NULL, facet INTEGER NOT NULL, stale INTEGER NOT NULL DEFAULT 0, {", ".join(INFO_NAMES)},
        PRIMARY KEY (value, facet)
    ) WITHOUT ROWID
    """,
)
_COUNTED: Final = f"""
INSERT INTO label_values
SELECT value, CASE min(key) WHEN max(key) THEN key END, count(DISTINCT row), count(DISTINCT row) >= {OFTEN}
FROM labels GROUP BY value
"""  # noqa: S608 -- constants
_TOTALS: Final = f"""
INSERT INTO label_totals (value, facet, {", ".join(INFO_NAMES)}) SELECT value, facet, {INFO}
FROM (SELECT DISTINCT value, row FROM label_values CROSS JOIN labels USING (value) WHERE counted {{}})
CROSS JOIN logs USING (row) GROUP BY value, facet
"""  # noqa: S608 -- constants


def _change(condition: str, facet: str, row: str, assignments: str) -> str:
    return f"""
    INSERT INTO label_totals (value, facet, {", ".join(INFO_NAMES)})
    SELECT value, {facet}, {ONE_LOG} FROM label_values CROSS JOIN logs
    WHERE {condition} AND logs.row = {row}
    ON CONFLICT (value, facet) DO UPDATE SET {assignments};
    """  # noqa: S608 -- constants


def _again(row: str) -> str:
    same = f"labels.row = {row}.row AND labels.value = {row}.value AND labels.key <> {row}.key"
    return f"EXISTS (SELECT 1 FROM labels WHERE {same})"  # noqa: S608 -- constants


def _once(row: str) -> str:
    return f"value = {row}.value AND counted AND NOT {_again(row)}"


_EXCLUDED: Final = {name: f"excluded.{name}" for name in INFO_NAMES}
_MORE: Final = one_more(_EXCLUDED)
_LESS: Final = one_less(_EXCLUDED)
_EACH: Final = "value IN (SELECT value FROM labels WHERE labels.row = new.row) AND counted"

_CAME: Final = f"""
CREATE TRIGGER labels_came AFTER INSERT ON labels BEGIN
    {_change(_once("new"), "logs.facet", "new.row", _MORE)}
    INSERT INTO label_values (value, key, total) VALUES (new.value, new.key, 1) ON CONFLICT (value)
    DO UPDATE SET key = CASE key WHEN excluded.key THEN key END, total = total + NOT {_again("new")};
END
"""  # noqa: S608 -- constants
_OFTEN: Final = f"""
CREATE TRIGGER values_often AFTER UPDATE OF total ON label_values WHEN new.total >= {OFTEN} AND NOT new.counted BEGIN
    UPDATE label_values SET counted = 1 WHERE value = new.value;
    {_TOTALS.format("AND value = new.value")};
END
"""  # noqa: S608 -- constants
_WENT: Final = f"""
CREATE TRIGGER labels_went AFTER DELETE ON labels BEGIN
    {_change(_once("old"), "logs.facet", "old.row", _LESS)}
    UPDATE label_values SET total = total - 1 WHERE value = old.value AND NOT {_again("old")};
    DELETE FROM label_values WHERE value = old.value AND total = 0;
END
"""  # noqa: S608 -- constants
_GONE: Final = """
CREATE TRIGGER values_gone AFTER DELETE ON label_values WHEN old.counted BEGIN
    DELETE FROM label_totals WHERE value = old.value;
END
"""
_MOVED: Final = f"""
CREATE TRIGGER labels_moved AFTER UPDATE OF facet ON logs WHEN old.facet IS NOT new.facet BEGIN
    {_change(_EACH, "old.facet", "new.row", _LESS)}
    {_change(_EACH, "new.facet", "new.row", _MORE)}
END
"""
_LEAVE: Final = """
CREATE TRIGGER labels_leave BEFORE DELETE ON logs BEGIN DELETE FROM labels WHERE row = old.row; END
"""

VALUES: Final = (
    "DROP INDEX labels_by_value",
    *_TABLES,
    _COUNTED,
    _TOTALS.format(""),
    *(_CAME, _OFTEN, _WENT, _GONE, _MOVED, _LEAVE),
)
"""The statements that count the labels of the tables of version 3, and go on counting.

A value's `key` is the name it always had, or null if it had several; `total` is its number of logs; `counted` says that
`label_totals` has it. A value's logs go before they do, so that what they had is known.
"""
