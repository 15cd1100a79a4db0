"""Whether a failed call is tried again, and after how long: pure decisions, the drivers wait.

Only what is safe is repeated: a connection that never opened, and answers that say "later" (408, 429 but no spend
limit, 5xx). A request that may have reached the server without an answer is not, since it may have been run and billed.
"""

from __future__ import annotations

import random
from typing import Final

from aigw._errors import AIGatewayError, APIConnectionError, APIStatusError, SpendLimitError

_RETRIED: Final = frozenset({408, 429})
_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 8.0
_LONGEST_RETRY_AFTER: Final = 60.0


def retry_delay(error: AIGatewayError, retries_done: int, max_retries: int) -> float | None:
    """Give the seconds to wait before the next try; `None` when there is to be none.

    The wait doubles from half a second to eight, with up to a quarter taken off at random. `Retry-After` is obeyed up
    to 60 seconds; beyond that the error is the caller's to plan with (`retry_after`).
    """
    if retries_done >= max_retries or not _is_safe(error):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= _LONGEST_RETRY_AFTER else None
    backoff: float = min(_FIRST_DELAY * 2**retries_done, _LONGEST_DELAY)
    return backoff * random.uniform(0.75, 1)  # noqa: S311  jitter, no secret


def _is_safe(error: AIGatewayError) -> bool:
    if isinstance(error, APIConnectionError):
        return not error.request_sent
    if not isinstance(error, APIStatusError) or isinstance(error, SpendLimitError) or not error.is_retryable:
        return False
    status = error.status_code or 0
    return status in _RETRIED or status >= 500


FIRST_POLL: Final = 0.1
LONGEST_POLL: Final = 1.0
_COST_PATIENCE: Final = 1.0


def poll_deadline(deadline: float, now: float, *, only_cost_missing: bool) -> float:
    """Give the moment up to which a log is asked for: a cost that is not there soon after the heads never comes."""
    return min(deadline, now + _COST_PATIENCE) if only_cost_missing else deadline


def next_poll(delay: float, remaining: float) -> float:
    """Give the wait before a log is asked for again: it grows by half, up to a second, and never past the end."""
    return max(0.0, min(delay * 1.5, LONGEST_POLL, remaining))
