"""A log as a judge sees it: what the list of logs says of it, and its bodies when they are looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import PrivateAttr

from aigw._errors import LogNotFoundError
from aigw._facts import GatewayLog

if TYPE_CHECKING:
    from aigw._async_gateway import AsyncGateway

Part = Literal["request", "response"]


class Bodies:
    """The bodies of one log, each read once, and only when somebody looks.

    Args:
        gateway: Where the log is.
        log_id: The log.
    """

    def __init__(self, gateway: AsyncGateway, log_id: str) -> None:
        self._readers = {"request": gateway.log_request, "response": gateway.log_response}
        self._log_id = log_id
        self._loop = asyncio.get_running_loop()
        self._known: dict[Part, Any] = {}

    async def aread(self, part: Part) -> Any:
        """Give a body; `None` when the gateway has not kept it."""
        if part not in self._known:
            try:
                self._known[part] = await self._readers[part](self._log_id)
            except LogNotFoundError:
                self._known[part] = None
        return self._known[part]

    def read(self, part: Part) -> Any:
        """As `aread`, for a judge that runs in a thread beside the event loop."""
        if part in self._known:
            return self._known[part]
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(self.aread(part), self._loop).result()
        raise RuntimeError(f"an async judge cannot wait for the {part} here: let the bodies be read first, bodies=True")


class JudgedLog(GatewayLog):
    """One log to be judged: a `GatewayLog` with the bodies of its call.

    Fields that only the single log has (heads, sizes) are not there.
    """

    _bodies: Bodies | None = PrivateAttr(default=None)
    _given: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def request(self) -> Any:
        """The request's body: decoded JSON, or bytes; `None` when the gateway has not kept it.

        Raises:
            AIGatewayError: It cannot be read.
            RuntimeError: An async judge looks at a body that was not read before.
        """
        return self._body("request")

    @property
    def response(self) -> Any:
        """The answer's body; takes and raises what `request` does. A stream is the bytes of its events."""
        return self._body("response")

    @classmethod
    def of(cls, log: GatewayLog, bodies: Bodies | None = None, **given: Any) -> Self:
        """Give a log with its bodies; in a test of a judge with these: `JudgedLog.of(log, request={...})`."""
        judged = cls.model_validate(log.model_dump())
        judged._bodies, judged._given = bodies, given  # noqa: SLF001 -- its own
        return judged

    def _body(self, part: Part) -> Any:
        return self._given.get(part) if self._bodies is None else self._bodies.read(part)
