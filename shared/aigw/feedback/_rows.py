"""What a spool takes in and gives out: targets, work and dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.feedback._merge import Changes

Kind = Literal["log", "event", "either"]
"""What a target's name is: a log id; an event id or that of a run or thread; or nobody knows which of these."""


@dataclass(frozen=True, slots=True)
class Target:
    """What feedback is for.

    Attributes:
        gateway_id: The gateway.
        kind: What `name` is.
        name: An id.
        event_id: The event id of the same call, where it is known.
        is_for_all: Whether all logs are meant, if several are found; else the last.
    """

    gateway_id: str
    kind: Kind
    name: str
    event_id: str = ""
    is_for_all: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A target that was taken, and what is to be said to it.

    Attributes:
        target_id: Its row.
        sink: The sink's name; empty for the gateway's own log.
        gateway_id: The gateway.
        kind: What `name` is.
        name: An id.
        event_id: The event id of the same call, where it is known; else empty.
        since: When the oldest of it was accepted, in seconds since 1970.
        attempts: How often it was tried before.
        changes: Everything to be said, oldest first, and what was said since feedback that is older.
        seqs: The rows of what is not said yet.
    """

    target_id: int
    sink: str
    gateway_id: str
    kind: Kind
    name: str
    event_id: str
    since: float
    attempts: int
    changes: Sequence[Changes]
    seqs: Sequence[int]


@dataclass(frozen=True, slots=True)
class FailedFeedback:
    """Feedback that could not be delivered: a dead letter.

    Attributes:
        gateway_id: The gateway.
        name: The id it was for.
        kind: `log`; `event`, also for a run or thread; or `either` where nobody knows which.
        sink: The sink that refused it; empty for the gateway.
        changes: What it would have changed, oldest first.
        error: Why it failed, as `Class: message`.
        attempts: How often it was tried.
        since: When the oldest of it was accepted, in seconds since 1970.
    """

    gateway_id: str
    name: str
    kind: Kind
    sink: str
    changes: Sequence[Changes]
    error: str
    attempts: int
    since: float
