"""Who calls and where the gateway is: ids, credentials, origins, and the URL and credential headers of each surface.

Source: AI Gateway docs, Authentication. The REST and logs APIs take the Cloudflare token in `Authorization`; the
gateway host takes it in `cf-aig-authorization`, and reads every provider header as the caller's own key, so that none
is sent unless the caller gave one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aigw._errors import ConfigurationError
from aigw._given import check_text_or_none, shown
from aigw._origins import check_base_url

if TYPE_CHECKING:
    from aigw._calls._request_heads import Asked, RequestHead
    from aigw._providers import Provider

REST_ORIGIN: Final = "https://api.cloudflare.com"
GATEWAY_ORIGIN: Final = "https://gateway.ai.cloudflare.com"
DEFAULT_GATEWAY: Final = "default"

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_VARIABLES: Final = {"account_id": "CLOUDFLARE_ACCOUNT_ID", "api_token": "CLOUDFLARE_API_TOKEN"}

HeaderList = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """A Cloudflare account as one client sees it; complete or not, nothing is checked before `require`.

    Attributes:
        account_id: The account.
        api_token: The Cloudflare token for models, and for logs when there is no other.
        gateway_id: The gateway of calls that name none.
        logs_token: A second token for the logs API.
        provider_key: The caller's own key at the provider.
        base_url: One origin in place of both of Cloudflare's; empty for those.
        heads: What requests begin with, remembered by what is asked of which model.
        secrets: Every credential, to be taken out of texts.
    """

    account_id: str = ""
    api_token: str = ""
    gateway_id: str = DEFAULT_GATEWAY
    logs_token: str = ""
    provider_key: str = ""
    base_url: str = ""
    heads: dict[Asked, RequestHead] = field(default_factory=dict, init=False, compare=False)
    secrets: tuple[str, ...] = field(default=(), init=False, compare=False)

    def __post_init__(self) -> None:
        credentials = (self.api_token, self.logs_token, self.provider_key)
        object.__setattr__(self, "secrets", tuple(filter(None, credentials)))

    @classmethod
    def from_environment(
        cls,
        account_id: str | None,
        api_token: str | None,
        gateway_id: str | None,
        *,
        logs_token: str | None,
        provider_key: str | None,
        base_url: str | None,
    ) -> Account:
        """Take what was given, and the rest from the environment.

        Raises:
            ConfigurationError: A value that was given cannot be one.
        """
        check_text_or_none(
            account_id=account_id,
            api_token=api_token,
            gateway_id=gateway_id,
            logs_token=logs_token,
            provider_key=provider_key,
            base_url=base_url,
        )
        account = cls(
            account_id or os.environ.get("CLOUDFLARE_ACCOUNT_ID", ""),
            api_token or os.environ.get("CLOUDFLARE_API_TOKEN", ""),
            gateway_id or os.environ.get("CLOUDFLARE_AI_GATEWAY_ID") or DEFAULT_GATEWAY,
            logs_token or "",
            provider_key or "",
            check_base_url(base_url),
        )
        account._check()
        return account

    def __repr__(self) -> str:
        return f"Account({self.account_id!r}, gateway_id={self.gateway_id!r}, base_url={self.base_url!r})"

    def rest_url(self, path: str) -> str:
        """Give the URL of a path below the account on the REST API.

        Raises:
            ConfigurationError: There is no account id.
        """
        return f"{self.base_url or REST_ORIGIN}/client/v4/accounts/{self._require('account_id')}/{path}"

    def gateway_url(self, gateway_id: str, path: str) -> str:
        """Give the URL of a path below a gateway on the gateway host.

        Raises:
            ConfigurationError: There is no account id.
        """
        return f"{self.base_url or GATEWAY_ORIGIN}/v1/{self._require('account_id')}/{gateway_id}{path}"

    def rest_credentials(self) -> HeaderList:
        """Give the credential header of the REST API.

        Raises:
            ConfigurationError: There is no token.
        """
        return [("authorization", f"Bearer {self._require('api_token')}")]

    def logs_credentials(self) -> HeaderList:
        """Give the credential header of the logs API.

        Raises:
            ConfigurationError: There is no token.
        """
        return [("authorization", f"Bearer {self.logs_token or self._require('api_token')}")]

    def gateway_credentials(self, provider: Provider | None = None, *, with_key: bool = True) -> HeaderList:
        """Give the credential headers of the gateway host: the gateway's, and the caller's own key if there is one.

        Raises:
            ConfigurationError: There is no token.
        """
        headers = [("cf-aig-authorization", f"Bearer {self._require('api_token')}")]
        if self.provider_key and with_key:
            name, prefix = (provider.key_header, provider.key_prefix) if provider else ("authorization", "Bearer ")
            headers.append((name, prefix + self.provider_key))
        return headers

    def _require(self, name: str) -> str:
        value: str = getattr(self, name)
        if not value:
            raise ConfigurationError(f"{name} is missing: give it, or set the environment variable {_VARIABLES[name]}")
        return value

    def _check(self) -> None:
        if self.account_id and not _ID.fullmatch(self.account_id):
            size = len(self.account_id)  # not the value, which may be a token in the wrong place
            raise ConfigurationError(f"account_id cannot be these {size} characters: it is 32 hexadecimal digits")
        check_gateway_id(self.gateway_id)
        for name in ("api_token", "logs_token", "provider_key"):
            if getattr(self, name) and not _TOKEN.fullmatch(getattr(self, name)):
                raise ConfigurationError(f"{name} has a space or a character that no header can carry")


def check_gateway_id(gateway_id: str) -> str:
    """Give the id back if it is one.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(gateway_id, str) or not _ID.fullmatch(gateway_id):
        raise ConfigurationError(f"gateway_id cannot be {shown(gateway_id)}: it is 1 to 64 letters, digits, '_' or '-'")
    return gateway_id


def quote_segment(value: str) -> str:
    """Give a value as one path segment, whatever is in it."""
    return quote(value, safe="")
