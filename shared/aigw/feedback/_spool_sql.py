"""The questions a spool asks SQLite; nothing in them comes from outside but by `?`."""

# ruff: noqa: S608

from typing import Final

INSERT_TARGET: Final = """
INSERT INTO target (sink, account, gateway, kind, name, event_id, since, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sink, account, gateway, name) DO UPDATE SET
  kind = iif(kind = 'either' OR excluded.kind = 'log', excluded.kind, kind),
  event_id = iif(excluded.event_id = '', event_id, excluded.event_id),
  since = iif(state = 'waiting', since, excluded.since), due = iif(state = 'waiting', due, excluded.due),
  attempts = iif(state = 'waiting', attempts, iif(state = 'failed', -1, 0)), state = 'waiting', error = ''
RETURNING id, attempts
"""
TAKE: Final = """
UPDATE target SET owner = ?, lease = ? WHERE id = (
  SELECT id FROM target WHERE state = 'waiting' AND owner = '' AND due <= ? AND account = ?
  AND sink IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT 1)
RETURNING id, sink, gateway, kind, name, event_id, since, attempts
"""
OURS: Final = "state = 'waiting' AND account = ? AND sink IN (SELECT value FROM json_each(?))"
NEXT_DUE: Final = f"SELECT min(due) FROM target WHERE owner = '' AND {OURS}"
IS_WAITING: Final = f"SELECT 1 FROM target WHERE {OURS} LIMIT 1"
COUNT: Final = f"SELECT count(*) FROM change JOIN target ON target.id = change.target WHERE done = 0 AND {OURS}"
GIVE_BACK: Final = "UPDATE target SET owner = '', lease = 0"
SEARCHED: Final = "state = 'waiting' AND kind != 'log' AND sink = ''"
IS_SEARCHED: Final = f"SELECT 1 FROM target WHERE {SEARCHED} LIMIT 1"
OLDEST_SEARCHED: Final = f"""
SELECT min(coalesce(said, seq)) FROM target JOIN change ON change.target = target.id WHERE {SEARCHED} AND done = 0
"""
REFILE: Final = """
INSERT INTO change (target, said, body, done)
SELECT ?, coalesce(said, seq), body, done FROM change WHERE target = ? AND (is_for_all OR ?) ORDER BY seq
"""
MORE: Final = """
SELECT 1 FROM change WHERE target = ? AND done = 0 AND seq NOT IN (SELECT value FROM json_each(?)) LIMIT 1
"""
