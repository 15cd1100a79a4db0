"""What the sync and the async driver share: the account, the options, and who hears of a call.

Everything here is without I/O. `_client` and `_async_client` add the sending and the waiting, in twins a few lines
long.
"""

from __future__ import annotations

import asyncio
import copy
import threading
import weakref
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aigw._account import Account
from aigw._capture import last_info, remember_last
from aigw._engines._library import DEFAULT_TIMEOUT
from aigw._errors import APIConnectionError, ConfigurationError
from aigw._given import check_whole, shown
from aigw._option_layers import context_options, merge_options
from aigw._options import check_options
from aigw._retries import retry_delay

if TYPE_CHECKING:
    from aigw._calls._described import Described
    from aigw._capture import Listener
    from aigw._errors import AIGatewayError
    from aigw._facts import ResponseInfo
    from aigw._options import GatewayOptions

Captures = tuple["Listener", ...]


class Driver:
    """A client without its sending; `AIGateway` says what the arguments are."""

    def __init__(
        self,
        account_id: str | None = None,
        api_token: str | None = None,
        gateway_id: str | None = None,
        *,
        options: GatewayOptions | None = None,
        base_url: str | None = None,
        logs_token: str | None = None,
        provider_key: str | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
        max_retries: int = 2,
        http_client: Any = None,
    ) -> None:
        self._account = Account.from_environment(
            account_id,
            api_token,
            gateway_id,
            logs_token=logs_token,
            provider_key=provider_key,
            base_url=base_url,
        )
        self._options = check_options(options)
        check_whole("max_retries", max_retries, least=0)
        self._max_retries = max_retries
        self._start(http_client, timeout)

    def _start(self, http_client: Any, timeout: Any) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        where = f", base_url={self._account.base_url!r}" if self._account.base_url else ""
        return f"{type(self).__name__}({self.account_id!r}, gateway_id={self.gateway_id!r}{where})"

    @property
    def log_id(self) -> str | None:
        """The log id of this client's last call in this task or thread, as `env.AI.aiGatewayLogId`.

        It is `None` before the first call, and when the last call had none. A call made in another task or thread never
        shows here; every result carries its own in `.info.log_id`.
        """
        info = last_info(self, _owner())
        return info.log_id if info else None

    @property
    def account_id(self) -> str:
        """The account; empty when none was given."""
        return self._account.account_id

    @property
    def gateway_id(self) -> str:
        """The gateway of calls that name none."""
        return self._account.gateway_id

    def without_retries(self) -> Self:
        """Give a client that tries nothing again and shares this one's connections; it need not be closed."""
        twin = copy.copy(self)
        twin._max_retries = 0  # noqa: SLF001 -- the twin is one of us
        return twin

    def _merge(self, *options: GatewayOptions | None) -> GatewayOptions:
        return merge_options(self._options, context_options(), *map(check_options, options))

    def _tell(self, call: Described, info: ResponseInfo, captures: Captures) -> None:
        if call.is_model_call:
            remember_last(self, _owner(), info)
            for captured in captures:
                captured.record(info)
            if call.listener is not None:
                call.listener.record(info)

    def _retry_delay(self, call: Described, error: AIGatewayError, retries_done: int, captures: Captures) -> float:
        """Make a failure known; give the wait before the next try, or raise the failure."""
        if isinstance(error, APIConnectionError) and error.info is None:
            error.info = call.unanswered_info()
        if error.info is not None:
            self._tell(call, error.info, captures)
        delay = retry_delay(error, retries_done, self._max_retries)
        if delay is None:
            raise error
        return delay


D = TypeVar("D", bound=Driver)


def with_options(client: D, options: Any) -> D:
    """Give a client with other gateway options that shares this one's connections; it need not be closed.

    Raises:
        ConfigurationError: An option is unknown, or its value is not allowed.
    """
    twin = copy.copy(client)
    twin._options = check_options(options)  # noqa: SLF001 -- the twin is one of us
    return twin


def _owner() -> object:
    """Name the running task, else the running thread. A reference to a task that is gone equals no other task's."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident() if task is None else weakref.ref(task)


def check_wait(wait: float) -> float:
    """Give the seconds back if they can be waited.

    Raises:
        ConfigurationError: They cannot.
    """
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait < float("inf"):
        raise ConfigurationError(f"wait cannot be {shown(wait)}: it is a number of seconds, 0 or more")
    return wait
