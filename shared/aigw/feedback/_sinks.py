"""What a mirror is: who else is told of feedback, beside the gateway's log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class SentFeedback:
    """Feedback as a sink is told of it.

    Attributes:
        gateway_id: The gateway of the call.
        log_id: The log's id; empty when only the event id was known.
        event_id: The event id of the call, which is the run id of a LangChain run; empty when it is not known.
        changes: `feedback`, `score`, `metadata`, as far as they were given; `None` was cleared.
    """

    gateway_id: str
    log_id: str
    event_id: str
    changes: Mapping[str, Any]


class Sink(Protocol):
    """Another place that is told of feedback. It may be asked from several threads at once."""

    @property
    def name(self) -> str:
        """Its name in counts and dead letters, the same in every process; not empty."""

    def send(self, feedback: SentFeedback) -> None:
        """Tell it; whatever is raised is tried again later, and never costs the gateway its feedback."""
