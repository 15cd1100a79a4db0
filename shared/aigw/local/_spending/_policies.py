"""Policies: who may ask which model, and for how much. A beta of Cloudflare's.

Source: AI Gateway docs, Policies: with no policy everything is allowed, with any a call that none matches is 403; a
used-up one is 429; a nested metadata value matches nothing; an outage lets calls through. The docs show no form of a
policy that can be written down, so this one is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aigw._given import shown
from aigw.local._logs._record import scalar_text
from aigw.local._refusal import RefusalError
from aigw.local._reply import json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aigw.local._arrival import Arrival
    from aigw.local._refusal import Host
    from aigw.local._reply import Reply
    from aigw.local._routing._model_names import ModelName
    from aigw.local._spending._windows import Windows

DEFAULT_WINDOW: Final = 86_400
"""Seconds of a policy's limit that names no window."""

_FIELDS: Final = ("id", "metadata", "models", "limit", "window")


class PolicyRefusalError(RefusalError):
    """A call that policies do not let through, in a body of their own: `error` is an object and has no code."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(status, 0, error["message"])
        self.error = error

    def reply(self, host: Host) -> Reply:
        """Word the refusal, whatever the host."""
        del host
        return json_reply(self.status, {"success": False, "error": self.error})


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    Attributes:
        id: Its id, which names its bucket.
        metadata: The labels that a call must have.
        models: Patterns of the models, of which one must fit; `*` does not cross `/`.
        limit: Dollars in a window; `None` for any.
        window: Seconds.
    """

    id: str
    metadata: Mapping[str, str]
    models: tuple[str, ...]
    limit: float | None
    window: int

    def matches(self, arrival: Arrival, model: ModelName) -> bool:
        """Tell whether the policy is about a call."""
        labels = {key: scalar_text(value) for key, value in (arrival.options.metadata or {}).items()}
        names = (model.asked, model.logged)
        return self.metadata.items() <= labels.items() and (
            not self.models or any(fits(pattern, name) for pattern in self.models for name in names)
        )


def admit(
    policies: Iterable[Policy], arrival: Arrival, model: ModelName, windows: Windows
) -> list[Callable[[float], None]]:
    """Let a call pass, and say whom to tell its cost.

    Raises:
        PolicyRefusalError: 403 when no policy matches, 429 when the first that does is used up.
    """
    policies = tuple(policies)
    if not policies:
        return []
    policy = next((one for one in policies if one.matches(arrival, model)), None)
    if policy is None:
        raise PolicyRefusalError(403, {"message": "Access denied by policy"})
    if policy.limit is None:
        return []
    key = ("policy", arrival.entrance.account_id, policy.id)
    spent = windows.used(key, policy.window, "fixed")
    if spent >= policy.limit:
        told = {"message": "Spending limit exceeded", "bucket": policy.id, "spent": spent, "limit": policy.limit}
        raise PolicyRefusalError(429, told)
    return [partial(windows.add, key, window=policy.window)]


def fits(pattern: str, name: str) -> bool:
    """Tell whether a name has a pattern's form; `*` does not cross `/`."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]*"), name) is not None


def read_policies(given: Iterable[Mapping[str, Any]]) -> tuple[Policy, ...]:
    """Read the policies that a caller wrote.

    Raises:
        ValueError: One has an unknown field or a wrong value.
    """
    return tuple(_read(f"policies.{index}", policy) for index, policy in enumerate(given))


def _read(where: str, given: Mapping[str, Any]) -> Policy:
    unknown = [name for name in given if name not in _FIELDS]
    if unknown:
        raise ValueError(f"{where}.{unknown[0]}: unknown; a policy has {', '.join(_FIELDS)}")
    metadata, models = given.get("metadata") or {}, given.get("models") or ()
    limit, window = given.get("limit"), given.get("window", DEFAULT_WINDOW)
    if not isinstance(metadata, Mapping):
        raise ValueError(f"{where}.metadata: expected an object; got {shown(metadata)}")  # noqa: TRY004 -- one kind of error for a value
    if isinstance(models, str) or not all(isinstance(model, str) for model in models):
        raise ValueError(f"{where}.models: expected a list of patterns; got {shown(models)}")
    if limit is not None and not (isinstance(limit, int | float) and limit >= 0):
        raise ValueError(f"{where}.limit: expected dollars, 0 or more; got {limit!r}")
    if not (isinstance(window, int) and window > 0):
        raise ValueError(f"{where}.window: expected whole seconds; got {window!r}")
    labels = {key: scalar_text(value) for key, value in metadata.items()}
    return Policy(str(given.get("id") or where), labels, tuple(models), limit, window)
