"""What a block cost, printed when it ends: one block for `with` and `async with`, over an adapter's capture.

Whatever happens to the reading of logs at the end, the block's own result or error is the caller's.
"""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from aigw._driver import check_wait
from aigw._errors import AIGatewayError, ConfigurationError
from aigw._given import shown
from aigw._noted._captured import CapturedCalls
from aigw._noted._costs import check_by, sum_costs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import TextIO

    from aigw._noted._costs import Costs
    from aigw._noted._recorded import RecordedCall

T = TypeVar("T", bound=CapturedCalls[Any])

_LOGGER: Final = logging.getLogger("aigw")


class CostCallback(Generic[T]):
    """The calls of a `with` or `async with` block, what they cost once it ended, and a table of it in print.

    Args:
        capture: The adapter's capture, not entered yet.
        by: `model`, `run`, or a key of the calls' metadata.
        wait: Seconds that late logs are waited for at the end, all together.
        prints: Whether the table is printed at the end.
        file: Where it is printed; the standard output when left out.

    Attributes:
        captured: What `capture_logs()` yields: the calls, their log ids, and feedback to them.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """

    captured: T

    def __init__(
        self, capture: AbstractContextManager[T], *, by: str, wait: float, prints: bool, file: TextIO | None
    ) -> None:
        check_by(by)
        check_wait(wait)
        if file is not None and not callable(getattr(file, "write", None)):
            raise ConfigurationError(f"file cannot be {shown(file)}: it is open for writing text, such as sys.stderr")
        self._capture = capture
        self._by = by
        self._wait = wait
        self._prints = prints
        self._file = file

    @property
    def costs(self) -> Costs:
        """What the calls cost, as far as it is known by now; inside the block nothing is read yet."""
        return sum_costs(self._calls(), self._by)

    @property
    def total_cost(self) -> float:
        """US dollars of all calls, as far as they are known."""
        return self.costs.total.cost

    def __str__(self) -> str:
        return str(self.costs)

    def __enter__(self) -> Self:
        self.captured = self._capture.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.__exit__(kind, error, trace)
        try:
            self.captured.reconcile(wait=self._wait)
        except AIGatewayError as failure:
            _warn(failure)
        self._print()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.__exit__(kind, error, trace)
        try:
            await self.captured.areconcile(wait=self._wait)
        except AIGatewayError as failure:
            _warn(failure)
        self._print()

    def _calls(self) -> Sequence[RecordedCall]:
        """Give the calls so far; before the block there are none."""
        return self.captured.calls if hasattr(self, "captured") else ()

    def _print(self) -> None:
        if self._prints:
            print_costs(self.costs, self._file)


def print_costs(costs: Costs, file: TextIO | None = None) -> None:
    """Print a table of costs, with `rich` where it is installed and the file is a terminal."""
    file = file or sys.stdout
    if getattr(file, "isatty", bool)() and find_spec("rich"):
        from rich.console import Console  # noqa: PLC0415  an extra that the rest does without

        Console(file=file).print(costs)
    else:
        file.write(f"{costs}\n")


def _warn(failure: AIGatewayError) -> None:
    _LOGGER.warning("what calls cost could not be read: %s", failure)
