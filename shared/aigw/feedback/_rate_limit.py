"""How often somebody may do something, in bounded memory: one number per name, and the oldest names are forgotten.

The generic cell rate algorithm (ITU-T I.371): a name's number is the time at which its allowance is whole again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE: Final = 60.0
MAX_NAMES: Final = 10_000


class RateLimit:
    """Allows each name so much in a minute, all at once or spread; for one thread.

    A name that was not seen among the last 10,000 begins anew.

    Args:
        per_minute: How often, at least once.
        clock: Gives the time in seconds.
        max_names: How many names are remembered.
    """

    def __init__(
        self, per_minute: int, clock: Callable[[], float] = time.monotonic, max_names: int = MAX_NAMES
    ) -> None:
        self._cost = MINUTE / per_minute
        self._clock = clock
        self._max_names = max_names
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> float:
        """Count one; the seconds to wait when that is too much, and 0 when it is not."""
        now = self._clock()
        whole_at = max(self._whole_at.get(name, now), now) + self._cost
        if (wait := whole_at - MINUTE - now) > 1e-9:  # sums of floats
            return wait
        self._whole_at[name] = whole_at
        self._whole_at.move_to_end(name)
        if len(self._whole_at) > self._max_names:
            self._whole_at.popitem(last=False)
        return 0.0
