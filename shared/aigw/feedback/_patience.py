"""Whether feedback that was refused is sent again, and when: pure decisions, the queues wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenacity import RetryCallState, Retrying, wait_random_exponential

from aigw._errors import AIGatewayError, APIConnectionError, LogNotFoundError

_BACKOFF: Final = wait_random_exponential(multiplier=0.2, max=60, min=0.05)
_LONGEST_RETRY_AFTER: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long delivery is tried.

    Attributes:
        late: Seconds a log that is not there is waited for, since gateways write logs after the answer; and seconds a
            sink that fails is tried.
        unreachable: Seconds a gateway that fails, is busy or cannot be reached is tried.
    """

    late: float = 300.0
    unreachable: float = 86_400.0

    def delay(self, error: Exception, attempts: int, waited: float) -> float | None:
        """Give the seconds until the same is tried again; `None` when it is not to be.

        The wait is random below a bound that doubles from 0.2 to 60 seconds, and at least what `Retry-After` asks for,
        up to an hour.

        Args:
            error: Why it was not delivered.
            attempts: How often it was tried, this time included.
            waited: Seconds for which that could be done.
        """
        if waited >= self._limit(error):
            return None
        return max(_backoff(attempts), _asked(error))

    def _limit(self, error: Exception) -> float:
        if isinstance(error, LogNotFoundError) or not isinstance(error, AIGatewayError):
            return self.late
        return self.unreachable if is_temporary(error) else 0.0


def hold(error: Exception, failures: int) -> float:
    """Give the seconds for which a gateway that fails is left alone by everything.

    Args:
        error: Why.
        failures: How often it failed in a row, this time included.
    """
    return max(_backoff(failures), _asked(error))


def is_temporary(error: Exception) -> bool:
    """Tell whether the gateway is busy, fails or cannot be reached, whatever it is asked."""
    if isinstance(error, APIConnectionError):
        return True
    status = error.status_code or 0 if isinstance(error, AIGatewayError) else 0
    return status in (408, 429) or status >= 500


def _asked(error: Exception) -> float:
    return min(getattr(error, "retry_after", None) or 0.0, _LONGEST_RETRY_AFTER)


def _backoff(attempts: int) -> float:
    state = RetryCallState(_RETRYING, None, (), {})
    state.attempt_number = attempts
    return _BACKOFF(state)


_RETRYING: Final = Retrying()
