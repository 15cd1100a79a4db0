"""The log store: SQLite, in memory or in a file, safe to use from any thread.

One connection under one lock: every thread sees the same memory, and what `add` wrote is committed when it returns. A
file is in WAL mode, so that another program may read it meanwhile; WAL's usual `synchronous=NORMAL` survives the end of
the program, not a power cut in the last instant.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from aigw.local import _logs_sql as sql
from aigw.local._log_record import MAX_METADATA, LogRecord, Scalar, rfc3339, scalar_text
from aigw.local._logs_patch import check_patch, merge_labels
from aigw.local._logs_retain import Retain, Trimmer
from aigw.local._logs_totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw.local._logs_query import LogQuery

FILE_NAME: Final = "logs.sqlite3"
"""The file's name when the store is given a folder."""

_OWN: Final = ("account", "gateway", "id", "provider", "model", "path")
_OPTIONAL: Final = ("model_type", "request_type", "request_content_type", "response_content_type", "status_code")
_MORE: Final = ("event_id", "user_agent", "dlp_action")
_NUMBERS: Final = ("tokens_in", "tokens_out", "cost", "step")
_FLAGS: Final = ("success", "cached", "custom_cost", "authentication", "wholesale", "compatibility_mode")
_SIZES: Final = ("request_size", "response_size")
_WHOLE: Final = ("request_head_complete", "response_head_complete")
_SAME: Final = (*_OWN, *_OPTIONAL, *_MORE, *_NUMBERS, *_FLAGS, *_SIZES, *_WHOLE)
_PAYLOADS: Final = ("request_head", "response_head", "request_body", "response_body")

_LISTED: Final = (
    *("id", "created_at", "provider", "model", "path", "duration", "success", "cached", "tokens_in", "tokens_out"),
    *("cost", "custom_cost", "feedback", "score", "metadata", *_OPTIONAL, "step", "event_id", "user_agent"),
    *("authentication", "wholesale", "compatibility_mode", "dlp_action"),
)
_DETAILED: Final = (*_LISTED, *_SIZES, *_WHOLE, "request_head", "response_head")
_BOOLEANS: Final = frozenset((*_FLAGS, *_WHOLE))
_NULLABLE: Final = frozenset(("tokens_in", "tokens_out"))
_WIRE_NAMES: Final = {"compatibility_mode": "compatibilityMode"}
_FEW: Final = 5000
"""So many rows are read one by one rather than along the index on the gateway."""


class LogStore:
    """The logs of every gateway, kept in SQLite.

    Args:
        path: A file, or a folder in which `logs.sqlite3` is made (a path that is not there yet is a folder when its
            name has no suffix); `None` keeps the logs in memory.
        retain: How much is kept; all when left out.

    Raises:
        sqlite3.DatabaseError: The file is not a log store, or one of a newer version.
    """

    def __init__(self, path: str | Path | None = None, retain: Retain | None = None) -> None:
        self._lock = Lock()
        self._trimmer = Trimmer(retain) if retain else None
        self._db = sqlite3.connect(
            _file(path), check_same_thread=False, isolation_level=None, timeout=10.0, cached_statements=256
        )
        self._db.row_factory = sqlite3.Row
        self._totals = Totals(self._db)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def add(self, record: LogRecord) -> None:
        """Keep one log; it is committed when this returns.

        Raises:
            sqlite3.IntegrityError: The gateway already has a log of that id.
        """
        self.add_many((record,))

    def add_many(self, records: Iterable[LogRecord]) -> None:
        """Keep many logs in one transaction: all of them, or none.

        Raises:
            sqlite3.IntegrityError: A gateway already has a log of that id.
        """
        with self._write() as db:
            for record in records:
                _insert(db, record)
                if self._trimmer:
                    self._trimmer.trim(db, record.created_ms)

    def get(self, account: str, gateway: str, log_id: str) -> dict[str, Any] | None:
        """Give one log in the API's detailed shape; `None` when there is none.

        `feedback` and `score` are there when set; the published shape leaves them out, the docs read them back.
        """
        text = f"SELECT {_columns(_DETAILED)} FROM logs JOIN payloads USING (row) WHERE {_ONE}"  # noqa: S608 -- names from tables above
        with self._lock:
            row = self._db.execute(text, (account, gateway, log_id)).fetchone()
        return None if row is None else _shown(row)

    def list(self, account: str, gateway: str, query: LogQuery) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Give one page of logs in the API's short shape, and `result_info` over all logs that match."""
        with self._lock:
            text, values = self._where(account, gateway, query)
            plain = not (query.filters or query.search)
            info = self._totals.of_gateway(account, gateway) if plain else self._totals.of_matches(text, values)
            window, edges = sql.window(query, info["total_count"])
            picked = f"SELECT row FROM logs WHERE {text} {window}"  # noqa: S608 -- the same
            page = f"SELECT {_columns(_LISTED)} FROM logs WHERE row IN ({picked}) ORDER BY {sql.order(query)}"  # noqa: S608 -- the same
            rows = self._db.execute(page, (*values, *edges)).fetchall()
        counts = {"count": len(rows), "page": query.page, "per_page": query.per_page}
        return [_shown(row) for row in rows], counts | info

    def patch(self, account: str, gateway: str, log_id: str, changes: Mapping[str, object]) -> bool:
        """Change a log's `feedback`, `score` or `metadata`; whether there is such a log.

        A field left out stays, null takes it away. Metadata is **merged key by key**, up to five entries; the docs do
        not say whether it merges or replaces, and merging is the reading that loses nothing.

        Raises:
            InvalidPatchError: A key is unknown or a value has the wrong type; nothing was changed.
        """
        checked = check_patch(changes)
        with self._write() as db:
            row = db.execute(f"SELECT row, metadata FROM logs WHERE {_ONE}", (account, gateway, log_id)).fetchone()  # noqa: S608 -- a constant
            if row is None:
                return False
            if "metadata" in checked:
                labels = merge_labels(json.loads(row["metadata"] or "{}"), checked["metadata"])
                checked["metadata"] = _dump_labels(labels)
                _replace_labels(db, row["row"], labels or {})
            for name, value in checked.items():
                db.execute(f"UPDATE logs SET {name} = ? WHERE row = ?", (value, row["row"]))  # noqa: S608 -- checked names
        return True

    def request_body(self, account: str, gateway: str, log_id: str) -> bytes | None:
        """Give the whole request body; `None` when there is no such log or its payload is not stored."""
        return self._payload("request_body", account, gateway, log_id)

    def response_body(self, account: str, gateway: str, log_id: str) -> bytes | None:
        """Give the whole answer body; `None` when there is no such log or its payload is not stored."""
        return self._payload("response_body", account, gateway, log_id)

    def delete(self, account: str, gateway: str, query: LogQuery) -> int:
        """Delete the logs that match, at most `query.limit`, in the query's order; how many they were."""
        text, values = sql.where(account, gateway, query)
        chosen = f"SELECT row FROM logs WHERE {text} ORDER BY {sql.order(query)} LIMIT ?"  # noqa: S608 -- names from tables, values bound
        limit = -1 if query.limit is None else query.limit
        with self._write() as db:
            return db.execute(f"DELETE FROM logs WHERE row IN ({chosen})", (*values, limit)).rowcount  # noqa: S608 -- the same

    def close(self) -> None:
        """Close the file, or forget the memory; once is enough, twice does no harm."""
        with self._lock:
            self._db.close()

    def _where(self, account: str, gateway: str, query: LogQuery) -> sql.Sql:
        """Write the condition, along the indexes of those filters that leave few rows."""
        few = [
            one
            for one in sql.narrow(query)
            if self._db.execute(f"SELECT count(*) FROM ({one.text} LIMIT {_FEW + 1})", one.values).fetchone()[0] <= _FEW  # noqa: S608 -- names from tables, values bound
        ]
        return sql.where(account, gateway, query, few)

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        with self._write() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, 1, sql.VERSION):
                raise sqlite3.DatabaseError(f"the log store has schema {version}; this aigw reads {sql.VERSION}")
            for statement in (*(sql.SCHEMA.split(";") if version == 0 else ()), *(sql.UPGRADE if version < 2 else ())):
                db.execute(statement)
            if self._trimmer:
                self._trimmer.trim(db, time.time_ns() // 1_000_000)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._totals.forget()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _payload(self, column: str, *key: str) -> bytes | None:
        text = f"SELECT {column} FROM payloads JOIN logs USING (row) WHERE {_ONE}"  # noqa: S608 -- two callers, above
        with self._lock:
            row = self._db.execute(text, key).fetchone()
        return None if row is None else row[0]


_ONE: Final = "logs.account = ? AND logs.gateway = ? AND logs.id = ?"


def _file(path: str | Path | None) -> str | Path:
    if path is None:
        return ":memory:"
    path = Path(path)
    if path.is_dir() or not (path.suffix or path.exists()):
        path = path / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _columns(names: Iterable[str]) -> str:
    return ", ".join(names)


def _insert(db: sqlite3.Connection, record: LogRecord) -> None:
    labels = dict(list((record.metadata or {}).items())[:MAX_METADATA])
    values = {name: getattr(record, name) for name in _SAME}
    values |= {
        "created_at": record.created_ms,
        "duration": record.duration_ms,
        "metadata": _dump_labels(labels),
    }
    row = db.execute(_INSERT_LOG, values).lastrowid or 0
    db.execute(_INSERT_PAYLOADS, (row, *(getattr(record, name) for name in _PAYLOADS)))
    _insert_labels(db, row, labels)


_INSERTED: Final = (*_SAME, "created_at", "duration", "metadata")
_INSERT_LOG: Final = f"INSERT INTO logs ({_columns(_INSERTED)}) VALUES (:{', :'.join(_INSERTED)})"  # noqa: S608 -- constants
_INSERT_PAYLOADS: Final = f"INSERT INTO payloads (row, {_columns(_PAYLOADS)}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 -- constants


def _insert_labels(db: sqlite3.Connection, row: int, labels: Mapping[str, Scalar]) -> None:
    rows = [(row, key, scalar_text(value)) for key, value in labels.items()]
    if rows:
        db.executemany("INSERT INTO labels (row, key, value) VALUES (?, ?, ?)", rows)


def _replace_labels(db: sqlite3.Connection, row: int, labels: Mapping[str, Scalar]) -> None:
    db.execute("DELETE FROM labels WHERE row = ?", (row,))
    _insert_labels(db, row, labels)


def _dump_labels(labels: Mapping[str, Scalar] | None) -> str | None:
    return json.dumps(labels, separators=(",", ":"), ensure_ascii=False) if labels else None


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in row.keys():  # noqa: SIM118 -- a Row iterates over its values
        value = row[name]
        if value is not None or name in _NULLABLE:
            shown[_WIRE_NAMES.get(name, name)] = bool(value) if name in _BOOLEANS else value
    shown["created_at"] = rfc3339(shown["created_at"])
    if "metadata" in shown:
        shown["metadata"] = json.loads(shown["metadata"])
    return shown
