"""How every worker makes a client of its own; what travels to it shows no token wherever it is printed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from aigw._async_client import AsyncAIGateway
from aigw._errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Whose logs are read and scored, and with which token; every worker makes a client of it.

    Without a token here each worker reads the variable `token_variable` of its own environment, which the workers of
    a local cluster have from the program that starts it. Where a cluster's machines have none, give `api_token`: it
    travels in the serialised tasks, which Ray does not print, and not in `runtime_env`, which it does.

    Attributes:
        account_id: The account; what is left out is taken from the environment of the program that runs this.
        gateway_id: The gateway.
        base_url: One origin in place of both of Cloudflare's.
        api_token: The token, where it does not come from the workers' environment. It is in no repr.
        token_variable: The variable a worker finds the token in.
        max_retries: How often a request is tried again.
    """

    account_id: str | None = None
    gateway_id: str | None = None
    base_url: str | None = None
    api_token: str | None = field(default=None, repr=False)
    token_variable: str = "CLOUDFLARE_API_TOKEN"  # noqa: S105 -- a name
    max_retries: int = 6

    def settled(self) -> ClientSettings:
        """Give these with what this process's environment says of account, gateway and origin.

        Raises:
            ConfigurationError: A value cannot be one, or there is no account.
        """
        account = self._client(self.api_token)._account  # noqa: SLF001 -- the same package
        if not account.account_id:
            raise ConfigurationError("account_id is missing: give it, or set CLOUDFLARE_ACCOUNT_ID")
        given: dict[str, Any] = {"api_token": self.api_token, "token_variable": self.token_variable}
        return ClientSettings(
            account.account_id, account.gateway_id, account.base_url or None, max_retries=self.max_retries, **given
        )

    def client(self) -> AsyncAIGateway:
        """Make a client.

        Raises:
            ConfigurationError: There is no token, or a value cannot be what it is.
        """
        token = self.api_token or os.environ.get(self.token_variable)
        if not token:
            raise ConfigurationError(
                f"a worker has no {self.token_variable}: set it on the cluster's machines, or give api_token"
            )
        return self._client(token)

    def _client(self, token: str | None) -> AsyncAIGateway:
        return AsyncAIGateway(
            self.account_id, token, self.gateway_id, base_url=self.base_url, max_retries=self.max_retries
        )
