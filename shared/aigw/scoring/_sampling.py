"""Which logs are in a sample: decided by their ids alone, so that every process and every run agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw._errors import ConfigurationError
from aigw._rating import _verdicts

if TYPE_CHECKING:
    from aigw._facts import GatewayLog


def check_sample(sample: float) -> float:
    """Give a share back if it is one.

    Raises:
        ConfigurationError: It is not above 0 and at most 1.
    """
    if isinstance(sample, bool) or not isinstance(sample, int | float) or not 0 < sample <= 1:
        raise ConfigurationError(f"sample cannot be {sample!r}: it is a share, above 0 and at most 1")
    return sample


def is_sampled(log: GatewayLog, sample: float) -> bool:
    """Tell whether a log is in a sample of this share; the logs of one event are in it together.

    A smaller sample is part of every larger one.
    """
    return _verdicts.is_sampled(log.event_id or log.id, sample)
