"""A gateway inside the process as one object: an httpx transport, the clients on it, and what a test looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw.local._carriers._transport import LocalTransport
from aigw.local._for_tests._watched import Watched
from aigw.local._local_gateway import LocalGateway

if TYPE_CHECKING:
    from aigw.local._logs._store import LogStore


class GatewayTransport(LocalTransport, Watched):
    """An httpx transport, synchronous and asynchronous, that is a gateway; no socket is opened.

    It is what the pytest fixture `aigw_transport` gives. Many clients may share it: it goes on when one of them closes.

    Args:
        gateway: The gateway.

    Attributes:
        gateway: The gateway.

    Raises:
        ValueError: `gateway` is none.
    """

    def __init__(self, gateway: LocalGateway) -> None:
        if not isinstance(gateway, LocalGateway):
            raise ConfigurationError(f"gateway cannot be {shown(gateway)}: it is a LocalGateway")
        super().__init__(gateway._begin())  # noqa: SLF001 -- two faces of one gateway
        self.gateway = gateway
        self._stage = gateway._stage  # noqa: SLF001 -- the same

    def close(self) -> None:
        """Do nothing: the other clients go on."""

    def end(self) -> None:
        """End the thread of synchronous calls, and the gateway with its logs.

        Raises:
            AssertionError: Turns of a script are left; the text names them.
        """
        super().close()
        self.gateway.__exit__(None, None, None)

    def _log_store(self) -> LogStore:
        return self.gateway._log_store()  # noqa: SLF001 -- the same
