"""What a description of a call is: the request to send, and how to read its answer.

Nothing is sent here: the modules beside this one describe, and the drivers perform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from aigw._error_bodies import error_from_response, says_error
from aigw._errors import APIStatusError, NotFoundError
from aigw._facts import ResponseInfo, parse_info
from aigw._json import parse_json
from aigw._streams import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw._capture import Listener
    from aigw._http import Headers, Request, Response
    from aigw._streams import StreamShape

T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class Described:
    """What a call and a streaming call have in common.

    Attributes:
        request: What is sent.
        gateway_id: The gateway it is sent to; `None` where the account's default one answers.
        is_model_call: Whether the call makes a log, so that captures and `log_id` hear of it.
        not_found: What a 404 means.
        hint_not_found: What more a 404's error says; none where its code says it already.
        secrets: Credentials, taken out of every error.
        listener: Who hears of it beside the captures around it.
    """

    request: Request
    gateway_id: str | None = None
    is_model_call: bool = True
    not_found: type[NotFoundError] = NotFoundError
    hint_not_found: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    listener: Listener | None = None

    def info(self, status: int, headers: Headers) -> ResponseInfo:
        """Read the gateway's facts from the head of an answer."""
        return parse_info(headers, status=status, gateway_id=self.gateway_id)

    def unanswered_info(self) -> ResponseInfo:
        """Give what is known of a call that got no answer: where it went, and the event id it can be found by."""
        event_id = next((value for name, value in self.request.headers if name == "cf-aig-event-id"), None)
        return ResponseInfo(gateway_id=self.gateway_id, event_id=event_id)

    def error(self, response: Response, info: ResponseInfo) -> APIStatusError:
        """Make the error an answer stands for."""
        return error_from_response(
            response, info, secrets=self.secrets, not_found=self.not_found, hint_not_found=self.hint_not_found
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Call(Described, Generic[T]):
    """One request with one answer.

    Attributes:
        parse: Makes the result of a good answer. A `ValueError` from it means that the answer is none.
    """

    parse: Callable[[Response, ResponseInfo], T]

    def read(self, response: Response, info: ResponseInfo) -> T:
        """Make the result, or raise what the answer stands for.

        Raises:
            APIStatusError: The answer says no, or cannot be read.
        """
        if not 200 <= response.status < 300:
            raise self.error(response, info)
        try:
            return self.parse(response, info)
        except (ValueError, TypeError, KeyError, AttributeError):
            if _says_failed(response):
                raise self.error(response, info) from None
            raise _unreadable(response, info) from None


@dataclass(slots=True, kw_only=True, eq=False)
class StreamCall(Described, Generic[T]):
    """One request whose answer comes in pieces.

    Attributes:
        shape: What the pieces mean.
    """

    shape: StreamShape[T]

    def decoder(self, headers: Headers, info: ResponseInfo) -> StreamDecoder[T]:
        """Make the decoder of one good answer."""
        return StreamDecoder(self.shape, headers, info, self.secrets)


def _unreadable(response: Response, info: ResponseInfo) -> APIStatusError:
    kind = response.headers.media_type or "no content type"
    size = len(response.content)
    return APIStatusError(
        f"The answer is not what was asked for (HTTP {response.status}, {kind}, {size} bytes)",
        status_code=response.status,
        info=info,
    )


def _says_failed(response: Response) -> bool:
    try:
        body = parse_json(response.content)
    except ValueError:
        return False
    return isinstance(body, dict) and says_error(body)
