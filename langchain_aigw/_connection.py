"""What the chat model and the embeddings have in common: how they reach the gateway.

The fields here are all about the connection; none is sent in a request's body. Making a model makes no client, asks for
no token and touches no network.
"""

from typing import Annotated, Any, Final, Self

from langchain_core.utils import from_env, secret_from_env
from langchain_core.utils.utils import _build_model_kwargs
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, SecretStr, model_validator

from aigw import AIGateway, AsyncAIGateway, GatewayOptions, Surface
from aigw.integration import Clients


def _read_options(options: object) -> object:
    """Copy a dict, which is all that is asked of options here: the client checks them, and says best what is wrong."""
    if not isinstance(options, dict):
        raise ValueError("Input should be a valid dictionary")  # noqa: TRY004  pydantic knows this one
    return dict(options)


class Connection(BaseModel):
    """The way to the gateway, as fields of a model.

    Attributes:
        model: The model, `author/model`, `@cf/author/model` or `dynamic/route`.
        account_id: The Cloudflare account; else `CLOUDFLARE_ACCOUNT_ID`.
        api_token: A Cloudflare API token; else `CLOUDFLARE_API_TOKEN`.
        gateway_id: The gateway; else `CLOUDFLARE_AI_GATEWAY_ID`, else `default`.
        gateway_options: Gateway options of every call, as `aigw.GatewayOptions`; a call's own win.
        base_url: One origin in place of both of Cloudflare's; else `AIGW_BASE_URL`.
        provider_key: Your own key at the provider.
        logs_token: A second token for logs and feedback, where the first may only run models.
        surface: `rest`, `compat` or `native`, in place of what the model and the provider key decide.
        timeout: Seconds, or an `httpx.Timeout`.
        max_retries: How often a call that certainly was not run is tried again.
        http_client: Your own `httpx.Client`, for sync calls; never closed here, and a model with one cannot be pickled.
        http_async_client: Your own `httpx.AsyncClient`, for async calls; never closed here.
        model_kwargs: More parameters for the request's body.
        clients: The clients and their connections. Shallow copies and `configurable_fields` share them; deep copies,
            pickles and other processes get their own. It is no setting: in no dump, no comparison, no cache key.

    Raises:
        ConfigurationError: A value cannot be what it is. What is missing is told by the first call.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        populate_by_name=True,
        protected_namespaces=(),
        hide_input_in_errors=True,  # it may be a secret
    )

    model: str = Field(validation_alias=AliasChoices("model", "model_name"))
    account_id: str | None = Field(default_factory=from_env("CLOUDFLARE_ACCOUNT_ID", default=None))
    api_token: SecretStr | None = Field(
        default_factory=secret_from_env("CLOUDFLARE_API_TOKEN", default=None),
        validation_alias=AliasChoices("api_token", "api_key"),
    )
    gateway_id: str | None = Field(default_factory=from_env("CLOUDFLARE_AI_GATEWAY_ID", default=None))
    gateway_options: Annotated[GatewayOptions, PlainValidator(_read_options)] = Field(default_factory=GatewayOptions)
    base_url: str | None = Field(default_factory=from_env("AIGW_BASE_URL", default=None))
    provider_key: SecretStr | None = None
    logs_token: SecretStr | None = None
    surface: Surface | None = None
    timeout: Any = Field(default=None, validation_alias=AliasChoices("timeout", "request_timeout"))
    max_retries: int = Field(default=2, ge=0)
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    clients: Clients = Field(default_factory=Clients, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _move_unknown_keywords_to_model_kwargs(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        more = values.get("model_kwargs") or {}
        if not isinstance(more, dict):
            return values
        return _build_model_kwargs({**values, "model_kwargs": dict(more)}, _keyword_names(cls))

    def __init__(self, /, **data: Any) -> None:
        super().__init__(**data)
        self._check()  # no validator: pydantic would show all that was given, the token too

    def _check(self) -> None:
        """Refuse what no client could be made with; what is missing is told by the first call.

        Raises:
            ConfigurationError: A value cannot be what it is.
        """
        self.clients.check(self._settings(), self.http_client, self.http_async_client)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _settings_of(self) == _settings_of(other)

    __hash__ = None  # type: ignore[assignment]  # a model can be changed, as every pydantic one

    def __copy__(self) -> Self:
        """Copy without what is remembered of these parameters; `model_copy` changes them next."""
        copied = super().__copy__()
        copied.__dict__.pop("_serialized", None)
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy all but the caller's own HTTP clients, which cannot be copied and are shared."""
        shared = {id(client): client for client in (self.http_client, self.http_async_client) if client is not None}
        return super().__deepcopy__({**(memo or {}), **shared})

    @property
    def model_name(self) -> str:
        """The model; many LangChain integrations call it so."""
        return self.model

    def close(self) -> None:
        """Close the sync connections, of the copies that share them too; the next call opens new ones."""
        self.clients.close()

    async def aclose(self) -> None:
        """Close the async connections of this event loop, as `close` does the sync ones."""
        await self.clients.aclose()

    def _sync_client(self) -> AIGateway:
        return self.clients.sync_client(self._settings(), self.http_client)

    def _async_client(self) -> AsyncAIGateway:
        return self.clients.async_client(self._settings(), self.http_async_client)

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "account_id": self.account_id,
            "api_token": _secret(self.api_token),
            "gateway_id": self.gateway_id,
            "options": self.gateway_options,
            "base_url": self.base_url,
            "provider_key": _secret(self.provider_key),
            "logs_token": _secret(self.logs_token),
            "max_retries": self.max_retries,
        }
        return settings if self.timeout is None else {**settings, "timeout": self.timeout}

    def _place(self) -> dict[str, Any]:
        """Give what tells this gateway from another, without secrets."""
        return {
            "account_id": self.account_id,
            "gateway_id": self.gateway_options.get("id") or self.gateway_id or "default",
            "base_url": self.base_url,
        }


def _secret(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _settings_of(model: object) -> dict[str, Any]:
    """Give what makes two models equal: their fields, but for the clients and what LangChain keeps beside them."""
    return {name: value for name, value in vars(model).items() if name not in _NO_SETTINGS}


_NO_SETTINGS: Final = frozenset({"clients", "_serialized"})


def _keyword_names(cls: type[BaseModel]) -> set[str]:
    names = set(cls.model_fields)
    for field in cls.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            names.update(str(choice) for choice in field.validation_alias.choices)
    return names
