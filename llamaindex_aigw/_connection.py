"""What the LLM and the embedding model have in common: how they reach the gateway.

The fields here are all about the connection; none is sent in a request's body. Making a model makes no client, asks for
no token and touches no network.
"""

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    SkipValidation,
    field_serializer,
)

from aigw import GatewayOptions, Surface

if TYPE_CHECKING:
    from aigw import AIGateway, AsyncAIGateway
    from aigw.integration import Clients


def _conceal(secret: SecretStr | str | None) -> SecretStr | None:
    return SecretStr(secret) if isinstance(secret, str) else secret


def _reveal(secret: SecretStr | str | None) -> str | None:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret


def _new_clients() -> "Clients":
    from aigw.integration import Clients  # noqa: PLC0415 -- not wanted before the first model

    return Clients()


Secret = Annotated[SecretStr | str, AfterValidator(_conceal)]
"""A credential: text may be given, and is kept so that it is not shown."""


class Connection(BaseModel):
    """The way to the gateway, as fields of a model; the models say what they are.

    Only they are ever made, so that pydantic need not be ready to make one of this.

    Raises:
        ConfigurationError: A value cannot be what it is. What is missing is told by the first call.
    """

    model_config = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        defer_build=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    account_id: str | None = None
    api_token: Secret | None = Field(default=None, exclude=True, repr=False)
    gateway_id: str | None = None
    gateway_options: SkipValidation[GatewayOptions] | None = None
    base_url: str | None = None
    provider_key: Secret | None = Field(default=None, exclude=True, repr=False)
    logs_token: Secret | None = Field(default=None, exclude=True, repr=False)
    surface: Surface | None = None
    timeout: Any = None
    max_retries: int = 2
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)

    _clients: "Clients" = PrivateAttr(default_factory=_new_clients)

    def __init__(self, /, **data: Any) -> None:
        super().__init__(**data)
        self._clients.check(self._settings(), self.http_client, self.http_async_client)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy all but the caller's own HTTP clients, which cannot be copied and are shared."""
        shared = {id(client): client for client in (self.http_client, self.http_async_client) if client is not None}
        return super().__deepcopy__({**(memo or {}), **shared})

    def close(self) -> None:
        """Close the sync connections made here; a client that was given is left alone."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close the async connections made here in this event loop; a client that was given is left alone."""
        await self._clients.aclose()

    @field_serializer("timeout")
    def _serialize_timeout(self, timeout: Any) -> float | None:
        """Write down only what JSON has a word for; an `httpx.Timeout` is left out."""
        return timeout if isinstance(timeout, int | float) else None

    def _sync_client(self) -> "AIGateway":
        return self._clients.sync_client(self._settings(), self.http_client)

    def _async_client(self) -> "AsyncAIGateway":
        return self._clients.async_client(self._settings(), self.http_async_client)

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "account_id": self.account_id,
            "api_token": _reveal(self.api_token),
            "gateway_id": self.gateway_id,
            "options": self.gateway_options,
            "base_url": self.base_url,
            "provider_key": _reveal(self.provider_key),
            "logs_token": _reveal(self.logs_token),
            "max_retries": self.max_retries,
        }
        return settings if self.timeout is None else {**settings, "timeout": self.timeout}
