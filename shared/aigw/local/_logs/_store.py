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
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from aigw.local._logs import _sql as sql
from aigw.local._logs import _versions as versions
from aigw.local._logs._facets import Facets, shared_values, shared_values_of_row
from aigw.local._logs._pages import read_page
from aigw.local._logs._patch import check_patch, merge_labels
from aigw.local._logs._places import Memory
from aigw.local._logs._record import MAX_METADATA, LogRecord, Scalar, rfc3339, scalar_text
from aigw.local._logs._retain import Retain, Trimmer
from aigw.local._logs._totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw.local._logs._query import LogQuery

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


class LogStore:
    """The logs of every gateway, kept in SQLite.

    Args:
        path: A file, or a folder in which `logs.sqlite3` is made (a path that is not there yet is a folder when its
            name has no suffix); `None` keeps the logs in memory.
        retain: How much is kept; all when left out.

    Attributes:
        changes: How often this object has written; whoever shows logs compares it, and reads only what has changed.

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
        self._memory = Memory()
        self._facets = Facets()
        self.changes = 0
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
                self._insert(db, record)
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

    def gateways(self, limit: int) -> list[tuple[str, str, int]]:
        """Give account, gateway and number of logs of the gateways that have any; the last one asked comes first."""
        with self._lock:
            return [(row["account"], row["gateway"], row["total_count"]) for row in self._db.execute(_USED, (limit,))]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Give the last logs written, of every gateway, in the API's detailed shape with `account_id` and `gateway_id`.

        They stand in the order in which they were written.
        """
        with self._lock:
            rows = self._db.execute(_NEWEST, (limit,)).fetchall()
        return [_shown(row) for row in reversed(rows)]

    def list(self, account: str, gateway: str, query: LogQuery) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Give one page of logs in the API's short shape, and `result_info` over all logs that match."""
        with self._read() as db:
            matches = self._totals.match(account, gateway, query)
            order = read_page(db, query, matches, self._memory)
            found = {row["row"]: row for row in db.execute(_PAGE, (json.dumps(order),))}
        rows = [_shown(found[row]) for row in order]
        counts = {"count": len(rows), "page": query.page, "per_page": query.per_page}
        return rows, counts | matches.info

    def patch(self, account: str, gateway: str, log_id: str, changes: Mapping[str, object]) -> bool:
        """Change a log's `feedback`, `score` or `metadata`; whether there is such a log.

        A field left out stays, null takes it away. Metadata is **merged key by key**, up to five entries; the docs do
        not say whether it merges or replaces, and merging is the reading that loses nothing.

        Raises:
            InvalidPatchError: A key is unknown or a value has the wrong type; nothing was changed.
        """
        checked = check_patch(changes)
        with self._write() as db:
            row = db.execute(f"SELECT * FROM logs WHERE {_ONE}", (account, gateway, log_id)).fetchone()  # noqa: S608 -- a constant
            if row is None:
                return False
            labels = json.loads(row["metadata"] or "{}")
            if "metadata" in checked:
                labels = merge_labels(labels, checked["metadata"]) or {}
                checked["metadata"] = _dump_labels(labels)
                _replace_labels(db, row["row"], labels)
            facet = self._facets.find(db, shared_values_of_row({**dict(row), **checked}), labels)
            if facet != row["facet"]:
                checked["facet"] = facet
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

    def _insert(self, db: sqlite3.Connection, record: LogRecord) -> None:
        labels = dict(list((record.metadata or {}).items())[:MAX_METADATA])
        facet = self._facets.find(db, shared_values(record), labels)
        row = db.execute(_INSERT_LOG, (*_LOG_OF(record), _dump_labels(labels), facet)).lastrowid or 0
        db.execute(_INSERT_PAYLOADS, (row, *_PAYLOADS_OF(record)))
        _insert_labels(db, row, labels)

    def _prepare(self) -> None:
        versions.check(self._db)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        with self._write() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            for statement in versions.upgrade(version):
                db.execute(statement)
            if self._trimmer:
                self._trimmer.trim(db, time.time_ns() // 1_000_000)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._facets.tidy()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
                self.changes += 1
            except BaseException:
                self._facets.forget()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction, so that all that is read is of one moment."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("COMMIT")

    def _payload(self, column: str, *key: str) -> bytes | None:
        text = f"SELECT {column} FROM payloads JOIN logs USING (row) WHERE {_ONE}"  # noqa: S608 -- two callers, above
        with self._lock:
            row = self._db.execute(text, key).fetchone()
        return None if row is None else row[0]


_ONE: Final = "logs.account = ? AND logs.gateway = ? AND logs.id = ?"
_NEWEST: Final = f"""
SELECT account AS account_id, gateway AS gateway_id, {", ".join(_DETAILED)} FROM logs JOIN payloads USING (row)
ORDER BY row DESC LIMIT ?
"""  # noqa: S608 -- names from tables above
_USED: Final = """
SELECT account, gateway, sum(total_count) AS total_count FROM facets
GROUP BY account, gateway HAVING sum(total_count) > 0 ORDER BY (
    SELECT max(created_at) FROM logs WHERE logs.account = facets.account AND logs.gateway = facets.gateway
) DESC LIMIT ?
"""


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


_PAGE: Final = f"SELECT row, {_columns(_LISTED)} FROM logs WHERE row IN (SELECT value FROM json_each(?))"  # noqa: S608 -- names from tables above
_INSERTED: Final = (*_SAME, "created_at", "duration", "metadata", "facet")
_INSERT_LOG: Final = f"INSERT INTO logs ({_columns(_INSERTED)}) VALUES ({_columns('?' * len(_INSERTED))})"  # noqa: S608 -- constants
_LOG_OF: Final = attrgetter(*_SAME, "created_ms", "duration_ms")
_PAYLOADS_OF: Final = attrgetter(*_PAYLOADS)
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
        if name == "row":
            continue
        if value is not None or name in _NULLABLE:
            shown[_WIRE_NAMES.get(name, name)] = bool(value) if name in _BOOLEANS else value
    shown["created_at"] = rfc3339(shown["created_at"])
    if "metadata" in shown:
        shown["metadata"] = json.loads(shown["metadata"])
    return shown
