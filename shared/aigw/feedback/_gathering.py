"""When a burst of feedback is over: until then nothing is sent, and its callers have the processor for themselves.

Sending one patch costs as much as accepting fifty feedbacks. What is gathered for one log is one patch besides.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LULL_SECONDS: Final = 0.005
MOST_SECONDS: Final = 0.1


class Gathering:
    """A burst ends with five milliseconds in which nothing came, or after 0.1 s; the next begins 0.1 s later or more.

    Threads may ask at once: at worst a burst ends a little early.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen = 0
        self._began: float | None = None
        self._look_at = 0.0
        self._rest_until = 0.0

    def pause(self, accepted: int) -> float:
        """Give the seconds for which nothing should be sent, then to be asked again; 0 to go on.

        Args:
            accepted: How much feedback was accepted so far.
        """
        now = self._clock()
        if now < self._look_at:
            return self._look_at - now
        if self._began is None:
            if accepted == self._seen or now < self._rest_until:
                return 0.0
            self._began = now
        elif accepted == self._seen or now >= self._began + MOST_SECONDS:
            self._began, self._seen, self._rest_until = None, accepted, now + MOST_SECONDS
            return 0.0
        self._seen, self._look_at = accepted, now + LULL_SECONDS
        return LULL_SECONDS
