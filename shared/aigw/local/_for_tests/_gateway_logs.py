"""The gateway's logs as a sequence that a test looks at, and the wait for feedback on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, overload

from aigw._calls._log_calls import UNSET
from aigw._facts import GatewayLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Test = Callable[[GatewayLog], bool]

MAX_LOGS: Final = 10_000
"""How many logs, the last ones, a look shows."""

_MORE_FIELDS: Final = ("account_id", "gateway_id", "authentication", "compatibilityMode", "dlp_action", "user_agent")
_FIELDS: Final = frozenset({*GatewayLog.model_fields, *_MORE_FIELDS, "wholesale"})


class GatewayLogs(Sequence[GatewayLog]):
    """The logs of every gateway, in the order in which they were written: `logs[-1]` is the last call's.

    It is live: each look reads anew. It waits for nothing, because a call is logged before its answer, or the end of
    its stream, is given out. A look shows the last 10,000 logs.

    Args:
        read: Gives the logs as the API has them.
        tests: What a log must be.
    """

    def __init__(self, read: Callable[[], list[dict[str, Any]]], tests: tuple[Test, ...] = ()) -> None:
        self._read = read
        self._tests = tests

    @property
    def log_ids(self) -> list[str]:
        """The ids of the logs."""
        return [log.id for log in self]

    def where(self, test: Test | None = None, /, **fields: Any) -> GatewayLogs:
        """Give those of the logs that fit, just as live.

        Args:
            test: Tells of one log whether it is wanted.
            fields: What fields of the log must be equal to (`cached=True`, `model="openai/gpt-5-mini"`), also
                `account_id` and `gateway_id`. `metadata` needs only to have the labels given.

        Raises:
            ValueError: There is no such field.
        """
        for name in fields:
            if name not in _FIELDS:
                near = get_close_matches(name, _FIELDS, 1)
                raise ValueError(f"a log has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        wanted = (*self._tests, *((test,) if test else ()), lambda log: is_like(log, fields))
        return GatewayLogs(self._read, wanted)

    @overload
    def __getitem__(self, index: int) -> GatewayLog: ...
    @overload
    def __getitem__(self, index: slice) -> list[GatewayLog]: ...
    def __getitem__(self, index: int | slice) -> GatewayLog | list[GatewayLog]:
        return self._list()[index]

    def __len__(self) -> int:
        return len(self._list() if self._tests else self._read())

    def __iter__(self) -> Iterator[GatewayLog]:
        return iter(self._list())

    def __eq__(self, other: object) -> bool:
        return self._list() == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return "[" + ", ".join(map(short_log, self)) + "]"

    def _list(self) -> list[GatewayLog]:
        logs = map(GatewayLog.model_validate, self._read())
        return [log for log in logs if all(test(log) for test in self._tests)]


def is_like(log: GatewayLog, fields: Mapping[str, Any]) -> bool:
    """Tell whether a log has these values; of its metadata, at least these labels."""
    return all(_has(getattr(log, name, None), name, wanted) for name, wanted in fields.items() if wanted is not UNSET)


def short_log(log: GatewayLog) -> str:
    """Give what tells a log from others in a line."""
    return f"<{log.id} {log.model} {log.status_code}{' HIT' if log.cached else ''}{_feedback(log)}>"


def feedback_text(log: GatewayLog) -> str:
    """Give what was said of a log so far."""
    return f"feedback={log.feedback!r}, score={log.score!r}, metadata={log.metadata!r}"


def _has(value: Any, name: str, wanted: Any) -> bool:
    if name == "metadata" and isinstance(wanted, dict):
        return isinstance(value, dict) and wanted.items() <= value.items()
    return bool(value == wanted)


def _feedback(log: GatewayLog) -> str:
    said = [f" {name}={value!r}" for name in ("feedback", "score") if (value := getattr(log, name)) is not None]
    return "".join(said)
