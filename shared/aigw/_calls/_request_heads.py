"""How requests to models begin: URL, credentials and the model's name there, which each account remembers.

All that differs between two calls of one model is their options and their input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw._account import quote_segment
from aigw._endpoints import choose_endpoint
from aigw._errors import ConfigurationError
from aigw._http import Request
from aigw._json import dump_json
from aigw._options import encode_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw._account import Account
    from aigw._endpoints import Endpoint, Surface
    from aigw._options import GatewayOptions
    from aigw._providers import Operation

Asked = tuple["Operation", str, "str | None", "Surface | None", str]
"""What a head depends on beside the account: operation, model, BYOK alias, surface and gateway."""

_MOST: Final = 256
_JSON_BODY: Final = ("content-type", "application/json")


class RequestHead(NamedTuple):
    """What the requests to one endpoint of one gateway have in common."""

    url: str
    headers: tuple[tuple[str, str], ...]
    model: str

    def request(self, options: GatewayOptions, body: Mapping[str, Any]) -> Request:
        """Make the request.

        Raises:
            ConfigurationError: The body holds something JSON has no word for.
        """
        return Request("POST", self.url, (*self.headers, *encode_options(options)), encode_body(body))


def remember_head(account: Account, asked: Asked) -> RequestHead:
    """Make the head of what is asked, for an account to begin with from now on.

    Raises:
        ConfigurationError: The combination cannot work, or the account lacks an id or a token.
    """
    operation, model, alias, surface, gateway_id = asked
    has_key = bool(account.provider_key)
    endpoint = choose_endpoint(operation, model, has_provider_key=has_key, byok_alias=alias, surface=surface)
    if len(account.heads) >= _MOST:
        account.heads.clear()
    head = account.heads[asked] = make_head(account, endpoint, gateway_id)
    return head


def make_head(account: Account, endpoint: Endpoint, gateway_id: str) -> RequestHead:
    """Make the head of requests to an endpoint.

    Raises:
        ConfigurationError: The account lacks an id or a token.
    """
    if endpoint.surface == "rest":
        url = account.rest_url(endpoint.path)
        headers = [*account.rest_credentials(), ("cf-aig-gateway-id", gateway_id)]
    else:
        url = account.gateway_url(gateway_id, "/" + "/".join(map(quote_segment, endpoint.path.split("/"))))
        headers = account.gateway_credentials(endpoint.provider)
    if endpoint.surface == "native" and endpoint.provider:
        headers += endpoint.provider.headers
    return RequestHead(url, (*headers, _JSON_BODY), endpoint.model)


def encode_body(body: Any) -> bytes:
    """Encode a request body.

    Raises:
        ConfigurationError: It holds something JSON has no word for.
    """
    try:
        return dump_json(body)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the request is not JSON: {error}") from None
