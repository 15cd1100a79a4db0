"""What stands behind the gateway: something that answers OpenAI's chat completions and embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aigw.local._reply import Reply

UpstreamEndpoint = Literal["chat/completions", "embeddings"]


class UpstreamUnreachableError(Exception):
    """No answer came, or an answer broke off in the middle; the text says why without any credential."""


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
