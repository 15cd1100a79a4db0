"""A request that is not answered, raised where that is found out and worded by the host that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aigw.local._envelopes import gateway_error, rest_error
from aigw.local._reply import json_reply

if TYPE_CHECKING:
    from aigw.local._reply import Reply

Host = Literal["rest", "gateway"]
"""Which of Cloudflare's two hosts a path belongs to: `api.cloudflare.com` or `gateway.ai.cloudflare.com`."""


class RefusalError(Exception):
    """The gateway's own no, as a status and a code of Cloudflare's.

    Attributes:
        status: The HTTP status code.
        code: Cloudflare's error code.
        message: The text of the error.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def reply(self, host: Host) -> Reply:
        """Word the refusal in the envelope of `host`."""
        envelope = rest_error if host == "rest" else gateway_error
        return envelope(self.status, self.code, self.message)


class DialectRefusalError(RefusalError):
    """A body that a provider would refuse, in the words of the API the caller speaks.

    Attributes:
        body: The error body.
    """

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status, 0, "the body is refused")
        self.body = body

    def reply(self, host: Host) -> Reply:
        """Word the refusal as a provider does, whatever the host."""
        del host
        return json_reply(self.status, self.body)
