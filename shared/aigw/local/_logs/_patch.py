"""What `PATCH /logs/{id}` may change, checked and merged; no storage here.

Source: AI Gateway docs, Human feedback; workerd's `AiGatewayPatchLog`. Where those are silent, the careful reading:

- `feedback` is -1, 0, 1 or null, `score` a finite number or null; null takes the value away.
- `metadata` is **merged key by key** with what the log has; null takes all of it away. A log keeps five entries, as a
  request does: those it has stay, and new ones are taken in order until there are five. Keys that start with `cf.` are
  the gateway's own and are left out, as on a request.
- Anything else (an unknown key, another type, a null inside the metadata) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from aigw._given import shown
from aigw.local._logs._record import MAX_METADATA, Scalar

Labels = Mapping[str, Scalar]


class InvalidPatchError(ValueError):
    """A change the logs API does not take; the text names the field and what it may be."""


def check_patch(changes: object) -> dict[str, Any]:
    """Give the changes as they are stored: `feedback` as an int, labels without the gateway's own.

    Raises:
        InvalidPatchError: A key is unknown or a value has the wrong type.
    """
    if not isinstance(changes, Mapping):
        raise InvalidPatchError(f"expected a JSON object with {_KEYS}")
    unknown = [key for key in changes if key not in _FIELDS]
    if unknown:
        raise InvalidPatchError(f"unknown key {shown(unknown[0])}; expected {_KEYS}")
    return {key: None if value is None else _FIELDS[key](value) for key, value in changes.items()}


def merge_labels(old: Labels, new: Labels | None) -> dict[str, Scalar] | None:
    """Merge a log's labels with a patch's, key by key, up to five; `None` when nothing is left."""
    if new is None:
        return None
    merged = {**old, **new}
    return dict(list(merged.items())[:MAX_METADATA]) or None


def _feedback(value: object) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and value in (-1, 0, 1):
        return int(value)
    raise InvalidPatchError(f"feedback: expected -1, 0, 1 or null; got {shown(value)}")


def _score(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and abs(value) < 2**63:
        return value
    raise InvalidPatchError(f"score: expected a finite number or null; got {shown(value)}")


def _labels(value: object) -> dict[str, Scalar]:
    if not isinstance(value, Mapping):
        raise InvalidPatchError("metadata: expected an object or null")
    for key, label in value.items():
        if not isinstance(key, str) or not isinstance(label, str | int | float | bool):
            raise InvalidPatchError(f"metadata[{shown(key)}]: expected a string, a number or a boolean")
        if isinstance(label, float) and not isfinite(label):
            raise InvalidPatchError(f"metadata[{shown(key)}]: expected a finite number")
    return {key: label for key, label in value.items() if not key.startswith("cf.")}


_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = {"feedback": _feedback, "score": _score, "metadata": _labels}
_KEYS: Final = ", ".join(_FIELDS)
