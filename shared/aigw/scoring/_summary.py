"""What came of a run, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["scored", "skipped", "failed", "undelivered"]
"""What became of a judged log: its verdict is in it; the judge said nothing; the judge raised; it was not sent yet."""


@dataclass(frozen=True, slots=True)
class ScoredLog:
    """One log, judged.

    Attributes:
        log_id: The log.
        state: `scored`, `skipped`, `failed` or `undelivered`.
        changes: What was, or is to be, written into the log.
        error: Why it failed or was not delivered, as `Class: message`.
    """

    log_id: str
    state: State
    changes: Mapping[str, Any] | None = None
    error: str = ""


@dataclass(slots=True)
class ScoringSummary:
    """What a run did; it grows while the run goes on.

    Attributes:
        total: How many logs fit the filters when the run began, as the gateway counts; `None` when it does not say.
        read: Logs that were read.
        scored: Logs whose verdict was delivered, also one of an earlier run.
        skipped: Logs of which the judge said nothing.
        failed: Logs at which the judge raised; the next run asks it again.
        undelivered: Verdicts the gateway did not take; the next run sends them again, where there is a progress file.
        already: Logs that were finished before.
        unsampled: Logs that are not in the sample.
        errors: The first errors, by log id, at most ten.
    """

    total: int | None = None
    read: int = 0
    scored: int = 0
    skipped: int = 0
    failed: int = 0
    undelivered: int = 0
    already: int = 0
    unsampled: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left for another run to do."""
        return not (self.failed or self.undelivered)

    def count(self, scored: ScoredLog) -> None:
        """Count one judged log."""
        setattr(self, scored.state, getattr(self, scored.state) + 1)
        if scored.error and len(self.errors) < _MOST_ERRORS:
            self.errors[scored.log_id] = scored.error


_MOST_ERRORS = 10
