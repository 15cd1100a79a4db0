"""The questions a spool asks SQLite; nothing in them comes from outside but by `?`."""

# ruff: noqa: S608

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._json import dump_json

if TYPE_CHECKING:
    from collections.abc import Iterable

OURS: Final = "state = 'waiting' AND account = ? AND sink IN (SELECT value FROM json_each(?))"
CHANGES: Final = "SELECT seq, body, done FROM change WHERE target = ? ORDER BY coalesce(said, seq), seq"
NEXT_DUE: Final = """
SELECT min((SELECT min(due) FROM target WHERE state = 'waiting' AND owner = '' AND account = ? AND sink = value))
FROM json_each(?)
"""
NEXT_UNFILED: Final = "SELECT min(said_at) FROM inbox WHERE account = ?"
IS_WAITING: Final = (
    f"SELECT EXISTS (SELECT 1 FROM inbox WHERE account = ?) OR EXISTS (SELECT 1 FROM target WHERE {OURS})"
)
COUNT: Final = f"""
SELECT (SELECT count(*) FROM inbox WHERE account = ?)
  + (SELECT count(*) FROM change JOIN target ON target.id = change.target WHERE done = 0 AND {OURS})
"""
DONE: Final = "UPDATE change SET done = 1 WHERE seq IN (SELECT value FROM json_each(?))"
MIRROR: Final = """
INSERT INTO change (target, body) SELECT ?, body FROM change WHERE seq IN (SELECT value FROM json_each(?))
ORDER BY coalesce(said, seq), seq
"""
FAILED: Final = """
SELECT id, gateway, name, kind, sink, error, attempts, since FROM target WHERE state = 'failed' AND account = ?
ORDER BY since, id
"""
RETRY: Final = """
UPDATE target SET state = 'waiting', attempts = 0, since = ?, due = ? WHERE state = 'failed' AND account = ?
"""
FORGET_CHANGES: Final = "DELETE FROM change WHERE done = 1 AND coalesce(said, seq) < ? RETURNING target"
FORGET_TARGETS: Final = """
DELETE FROM target WHERE state = 'done' AND id IN (SELECT value FROM json_each(?))
AND NOT EXISTS (SELECT 1 FROM change WHERE change.target = target.id)
"""
TARGET: Final = "INSERT INTO target (sink, account, gateway, kind, name, event_id, since, due)"
OR_MERGE: Final = """
ON CONFLICT (sink, account, gateway, name) DO UPDATE SET
  kind = iif(kind = 'either' OR excluded.kind = 'log', excluded.kind, kind),
  event_id = iif(excluded.event_id = '', event_id, excluded.event_id),
  since = iif(state = 'waiting', since, excluded.since), due = iif(state = 'waiting', due, excluded.due),
  attempts = iif(state = 'waiting', attempts, iif(state = 'failed', -1, 0)), state = 'waiting', error = ''
"""
INSERT_TARGET: Final = f"{TARGET} VALUES (?, ?, ?, ?, ?, ?, ?, ?) {OR_MERGE} RETURNING id"
REVIVE: Final = "UPDATE target SET attempts = 0 WHERE attempts < 0"
"""Dead letters of which more was said; all of them waits again."""
SEARCHED: Final = "state = 'waiting' AND kind != 'log' AND sink = ''"
IS_SEARCHED: Final = f"SELECT 1 FROM target INDEXED BY target_searched WHERE {SEARCHED} LIMIT 1"
OLDEST_SEARCHED: Final = f"""
SELECT min(coalesce(said, seq)) FROM target INDEXED BY target_searched JOIN change ON change.target = target.id
WHERE {SEARCHED} AND done = 0
"""
REFILE: Final = """
INSERT INTO change (target, said, body, done)
SELECT ?, coalesce(said, seq), body, done FROM change WHERE target = ? AND (is_for_all OR ?) ORDER BY seq
"""
MORE: Final = """
SELECT 1 FROM change WHERE target = ? AND done = 0 AND seq NOT IN (SELECT value FROM json_each(?)) LIMIT 1
"""


def as_json(values: Iterable[object]) -> str:
    """Give values as one parameter, for `json_each`."""
    return dump_json(list(values)).decode()
