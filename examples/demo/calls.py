"""Every call of a run, in order, and what the gateway's logs say of each."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from examples.demo.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw import Gateway, GatewayLog, ResponseInfo

_READERS: Final = 8
_POLL: Final = 0.25


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        framework: Who made it.
        step: What for: `index`, `search` or `answer`.
        info: What the gateway said of it.
    """

    framework: str
    step: str
    info: ResponseInfo

    @property
    def log_id(self) -> str:
        """The id of its log; empty when the gateway wrote none."""
        return self.info.log_id or ""


def label_calls(framework: str, infos: Sequence[ResponseInfo], answer_log_id: str | None) -> list[Call]:
    """Tell the call that answered from those that embedded the question.

    Args:
        framework: Who made the calls.
        infos: What the gateway said of them, in order.
        answer_log_id: The log id that came with the answer; where none did, the last call is the one.
    """
    answered = answer_log_id or infos[-1].log_id
    return [Call(framework, "answer" if info.log_id == answered else "search", info) for info in infos]


def read_logs(gateway: Gateway, calls: Sequence[Call], wait: float) -> list[GatewayLog]:
    """Read the logs of calls, several at a time.

    Args:
        gateway: Whose logs.
        calls: The calls.
        wait: Seconds to wait for each log to be complete.

    Raises:
        DemoError: The gateway keeps no log of a call.
        AIGatewayError: A log cannot be read.
    """
    if not all(call.log_id for call in calls):
        raise DemoError("the gateway gave no log id for a call: logging is turned off in its settings")
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(lambda call: gateway.get_log(call.log_id, wait=wait), calls))


def read_rated_log(gateway: Gateway, log_id: str, wait: float) -> GatewayLog:
    """Read a log back after feedback was sent to it, giving the feedback some seconds to arrive.

    Raises:
        AIGatewayError: The log cannot be read.
    """
    deadline = time.monotonic() + wait
    while (log := gateway.get_log(log_id)).feedback is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    return log
