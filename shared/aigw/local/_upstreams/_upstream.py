"""What stands behind the gateway: something that answers OpenAI's chat completions and embeddings.

It may answer a provider's own paths too, as the provider itself or in its place; it then is a `NativeUpstream`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aigw.local._reply import Reply

UpstreamEndpoint = Literal["chat/completions", "embeddings"]


class UpstreamUnreachableError(Exception):
    """No answer came, or an answer broke off in the middle; the text says why without any credential."""


class UnknownShapeError(Exception):
    """The upstream does not speak the shape of a call on a provider's own path."""


class StreamBrokenError(Exception):
    """A streamed answer broke off after its first bytes were on their way."""


@runtime_checkable
class Upstream(Protocol):
    """One upstream. It is asked from several event loops and threads at once.

    Attributes:
        provider: What the `cf-aig-provider` header says of its answers.
    """

    provider: str

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        """Answer one call.

        Args:
            endpoint: The path below the OpenAI base URL.
            body: The JSON body in OpenAI's shape.
            headers: The caller's fields without the gateway's credentials; names in lower case.

        Returns:
            OpenAI's JSON, or its SSE as an iterator of bytes when `body["stream"]` is true; errors as they are.

        Raises:
            UpstreamUnreachableError: No answer came. `OSError` is taken for the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class NativeRequest:
    """A call on a provider's own path, as the provider is to get it.

    Attributes:
        provider: The provider's slug.
        method: The method in upper case.
        path: What stands below the slug, percent-encoded, with the query.
        headers: The caller's fields without the gateway's credentials; names in lower case. A key is among them.
        content: The body as it came.
        body: The body read as a JSON object; empty when it is none.
        is_stream: Whether a stream is asked for.
    """

    provider: str
    method: str
    path: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    is_stream: bool = False


@runtime_checkable
class NativeUpstream(Upstream, Protocol):
    """An upstream that also takes calls as they came."""

    def is_native(self, provider: str, *, has_dialect: bool) -> bool:
        """Tell whether a call on the path of `provider` is to be given to `forward`.

        Args:
            provider: The provider's slug.
            has_dialect: Whether the call could be given to `send`, in OpenAI's shape, as well.
        """
        ...

    async def forward(self, request: NativeRequest) -> Reply:
        """Answer one call in the provider's own shape.

        Raises:
            UpstreamUnreachableError: No answer came. `OSError` is taken for the same.
            UnknownShapeError: It does not speak this shape.
        """
        ...
