"""A store that many processes share, and what is kept in it: which logs stand beneath an id of a framework.

The store is the user's own, any that LangChain or LlamaIndex has an interface for. Log ids, event ids and gateway ids
are kept in it, nothing else: no words, no metadata, no credentials.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw._errors import ConfigurationError
from aigw._facts import ResponseInfo
from aigw._json import dump_json, parse_json
from aigw._rating._feedback import LoggedCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw._rating._feedback import CallKind

_LOGGER: Final = logging.getLogger("aigw")
_VERSION: Final = 1
_PREFIX: Final = "aigw-logs-"
_COLLECTION: Final = "aigw_logs"
_MAX_BYTES: Final = 8192
_MAX_ID: Final = 256
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class BatchStore(Protocol):
    """LangChain's `BaseStore` of text keys, its `ByteStore` too, as far as it is needed."""

    def mget(self, keys: Sequence[str]) -> Any:
        """Give the values of keys, `None` for those that are missing."""

    async def amget(self, keys: Sequence[str]) -> Any:
        """As `mget`, with `await`."""

    def mset(self, key_value_pairs: Sequence[tuple[str, Any]]) -> None:
        """Keep values."""


class CollectionStore(Protocol):
    """LlamaIndex's `BaseKVStore`, as far as it is needed."""

    def get(self, key: str, collection: str = ...) -> Any:
        """Give a value, or `None`."""

    async def aget(self, key: str, collection: str = ...) -> Any:
        """As `get`, with `await`."""

    def put(self, key: str, val: dict[str, Any], collection: str = ...) -> None:
        """Keep a value."""

    def get_all(self, collection: str = ...) -> Any:
        """Give all values; never called here, it tells this interface from others with a `get` and a `put`."""


@dataclass(frozen=True, slots=True)
class SharedLog:
    """What a shared store knows of one call.

    Attributes:
        info: The call's log id, event id and gateway id.
        kind: `chat` or `embedding`.
    """

    info: ResponseInfo
    kind: CallKind


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a shared store gave for an id.

    Attributes:
        logs: The calls beneath it, oldest first.
        failure: The class of what the store raised, if it did.
    """

    logs: tuple[SharedLog, ...] = ()
    failure: str | None = None


class SharedLogs:
    """Which logs stand beneath a run, a span or an event, in a store that many processes share.

    A store that fails costs nobody a call: the first failure is logged, all are counted.

    Args:
        store: Any LangChain `BaseStore` (values are bytes) or LlamaIndex `BaseKVStore` (values are dicts).
        ttl: Seconds a value is kept, for a store whose `mset` or `put` takes a `ttl`.

    Attributes:
        failures: How often the store failed.

    Raises:
        ConfigurationError: The store is neither, or takes no `ttl`.
    """

    def __init__(self, store: BatchStore | CollectionStore, *, ttl: float | None = None) -> None:
        self._store: Any = store
        self._is_batch = _has(store, "mget", "mset", "amget")
        if not self._is_batch and not _has(store, "get", "put", "aget", "get_all"):
            raise ConfigurationError(
                f"store cannot be a {type(store).__name__}: it is LangChain's BaseStore or LlamaIndex's BaseKVStore"
            )
        self._keep: dict[str, Any] = {} if ttl is None else self._check_ttl(ttl)
        self.failures = 0

    def __repr__(self) -> str:
        return f"SharedLogs({type(self._store).__name__})"

    def remember(self, calls: Mapping[str, Sequence[LoggedCall]]) -> None:
        """Keep which calls stand beneath each id, after those that are kept already; the newest that 8 KiB hold.

        Two processes that do so for one id at the very same moment may lose the calls of one of them.
        """
        try:
            values = {name: _add(old, calls[name]) for name, old in self._read([*calls])}
            self._write(values)
        except Exception as error:  # noqa: BLE001  a store may raise anything, and none of it may cost a call
            self._failed(error)

    def recall(self, name: str) -> Recalled:
        """Give the calls beneath an id."""
        try:
            ((_, value),) = self._read([name])
        except Exception as error:  # noqa: BLE001  as above
            return self._failed(error)
        return Recalled(decode_logs(value))

    async def arecall(self, name: str) -> Recalled:
        """As `recall`, with `await`."""
        try:
            if self._is_batch:
                value = (await self._store.amget([_key(name)]))[0]
            else:
                value = await self._store.aget(_key(name), _COLLECTION)
        except Exception as error:  # noqa: BLE001  as above
            return self._failed(error)
        return Recalled(decode_logs(value))

    def _read(self, names: Sequence[str]) -> list[tuple[str, Any]]:
        keys = [_key(name) for name in names]
        if self._is_batch:
            return list(zip(names, self._store.mget(keys), strict=True))
        return [(name, self._store.get(key, _COLLECTION)) for name, key in zip(names, keys, strict=True)]

    def _write(self, values: Mapping[str, dict[str, Any]]) -> None:
        if self._is_batch:
            self._store.mset([(_key(name), dump_json(value)) for name, value in values.items()], **self._keep)
            return
        for name, value in values.items():
            self._store.put(_key(name), value, _COLLECTION, **self._keep)

    def _failed(self, error: Exception) -> Recalled:
        """Count a failure; only the class of the error is told, since its text may name a password."""
        failure = type(error).__name__
        if not self.failures:
            _LOGGER.warning("the shared store %s failed (%s); calls go on", type(self._store).__name__, failure)
        self.failures += 1
        return Recalled(failure=failure)

    def _check_ttl(self, ttl: float) -> dict[str, Any]:
        write = self._store.mset if self._is_batch else self._store.put
        if ttl <= 0 or "ttl" not in inspect.signature(write).parameters:
            raise ConfigurationError(
                f"ttl cannot be {ttl!r}: it is above 0, for a store whose {write.__name__} takes a ttl; "
                "elsewhere say it where the store is made"
            )
        return {"ttl": ttl}


def encode_logs(calls: Sequence[LoggedCall]) -> dict[str, Any]:
    """Give calls as compact JSON: the newest that 8 KiB hold, without ids that are out of all proportion."""
    logs: list[dict[str, str]] = []
    room = _MAX_BYTES - len('{"v":1,"logs":[]}')
    for call in reversed(calls):
        info = call.info
        facts = {"l": info.log_id, "e": info.event_id, "g": info.gateway_id}
        log = {key: value for key, value in facts.items() if value and len(value) <= _MAX_ID}
        if not {"l", "e"} & log.keys():
            continue
        if call.kind != "chat":
            log["k"] = call.kind
        room -= len(dump_json(log)) + 1
        if room < 0:
            break
        logs.insert(0, log)
    return {"v": _VERSION, "logs": logs}


def decode_logs(value: Any) -> tuple[SharedLog, ...]:
    """Read what `encode_logs` gave; nothing of a value that is something else, or of another version."""
    if isinstance(value, str | bytes):
        try:
            value = parse_json(value.encode() if isinstance(value, str) else value)
        except ValueError:
            return ()
    if not isinstance(value, Mapping) or value.get("v") != _VERSION or not isinstance(value.get("logs"), list):
        return ()
    return tuple(_decode_log(log) for log in value["logs"] if isinstance(log, Mapping))


def _add(old: Any, calls: Sequence[LoggedCall]) -> dict[str, Any]:
    """Give the value of an id that more is known of: what was kept of other calls, then these."""
    log_ids = {call.info.log_id for call in calls}
    event_ids = {call.info.event_id for call in calls}
    others = [
        LoggedCall(log.info, kind=log.kind)
        for log in decode_logs(old)
        if (log.info.log_id not in log_ids if log.info.log_id else log.info.event_id not in event_ids)
    ]
    return encode_logs([*others, *calls])


def _decode_log(log: Mapping[str, Any]) -> SharedLog:
    names = {"log_id": "l", "event_id": "e", "gateway_id": "g"}
    facts = {name: log[key] for name, key in names.items() if isinstance(log.get(key), str)}
    return SharedLog(ResponseInfo(**facts), "embedding" if log.get("k") == "embedding" else "chat")


def _key(name: str) -> str:
    """Give the key of an id: readable where every store takes its characters, else a digest."""
    plain = _PLAIN_KEY.fullmatch(name) is not None
    return _PREFIX + (name if plain else sha256(name.encode("utf-8", "surrogatepass")).hexdigest())


def _has(store: Any, *methods: str) -> bool:
    return all(callable(getattr(store, method, None)) for method in methods)
