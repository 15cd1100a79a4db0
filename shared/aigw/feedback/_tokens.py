"""Tokens that let a browser rate one answer and do nothing else: signed, expiring, short enough for any place.

What a token holds is readable by whoever has it, and is no secret: the ids of a gateway, a log, an event.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from itsdangerous import BadSignature, TimestampSigner

from aigw._account import check_gateway_id
from aigw._errors import AIGatewayError, ConfigurationError
from aigw._facts import ResponseInfo
from aigw._finding._targets import read_target
from aigw._given import shown
from aigw._rating._feedback import choose_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_SECRET_BYTES: Final = 16
MAX_TOKEN_BYTES: Final = 199
DEFAULT_MAX_AGE: Final = 7 * 86_400.0

_SALT: Final = "aigw.feedback.1"
_SKEW: Final = 60.0
_LONGEST: Final = 2048
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
_BETWEEN: Final = "~"


class FeedbackTokenError(AIGatewayError):
    """A feedback token is not valid: it is not ours, was changed, or has expired.

    Attributes:
        is_expired: Whether it was ours once; then a new one can be had where the answer is shown anew.
    """

    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class FeedbackTarget:
    """What a token is for: one call.

    Attributes:
        gateway_id: The gateway; `None` means that of whoever delivers the feedback.
        log_id: The log's id, if it is known.
        event_id: The event id of the call, if it is known and had room.
    """

    gateway_id: str | None = None
    log_id: str | None = None
    event_id: str | None = None

    @property
    def info(self) -> ResponseInfo:
        """The same in the words of an answer, so that it can be rated like one."""
        return ResponseInfo(gateway_id=self.gateway_id, log_id=self.log_id, event_id=self.event_id)


class FeedbackTokens:
    """Makes and reads feedback tokens.

        tokens = FeedbackTokens(os.environ["FEEDBACK_SECRET"])
        token = tokens.issue(message)               # with the answer, to the browser
        queue.feedback(tokens.read(token), -1)      # what the browser sent back

    A token may be used again until it expires, by whoever has it, to change the rating of this one answer: the last
    write wins. It is signed (HMAC with SHA-256) and compared in constant time; ids of up to 64 letters, digits, `.`,
    `_` and `-` give less than 200 bytes, all of which may stand in a URL.

    Args:
        secret: At least 16 bytes that nobody can guess, such as `secrets.token_urlsafe(32)`; the same in all processes.
        previous: Secrets of before, whose tokens are still read.
        max_age: Seconds a token can be used, a week when left out.

    Raises:
        ConfigurationError: A secret is too short, or `max_age` is no positive number.
        ModuleNotFoundError: The extra `aigw[feedback]` is not installed.
    """

    def __init__(
        self, secret: str | bytes, *, previous: Sequence[str | bytes] = (), max_age: float = DEFAULT_MAX_AGE
    ) -> None:
        if isinstance(previous, str | bytes):
            raise ConfigurationError("previous is a list of secrets, not one")
        if isinstance(max_age, bool) or not isinstance(max_age, int | float) or not max_age > 0:
            raise ConfigurationError(f"max_age cannot be {shown(max_age)}: it is a number of seconds above 0")
        keys = [_check_secret(given) for given in (*reversed(previous), secret)]  # the last signs
        self._max_age = max_age
        self._signer = TimestampSigner(keys, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)

    def __repr__(self) -> str:
        return f"FeedbackTokens(max_age={self._max_age!r})"

    def issue(self, handle: Any, gateway_id: str | None = None) -> str:
        """Make a token for one call.

        Args:
            handle: A log id as text, an event id (a run id) as `UUID`, an answer or message, a `ResponseInfo`, a
                capture (its last call): as `LogResolver` takes it, but nothing is looked up.
            gateway_id: The gateway, where the handle does not name it; left out, that of whoever delivers.

        Raises:
            ConfigurationError: The handle means no call that has a log id or an event id, or there is no such gateway.
        """
        if gateway_id is not None:
            check_gateway_id(gateway_id)
        return self._signer.sign(_encode(_target_of(handle, gateway_id))).decode("ascii")

    def read(self, token: str) -> FeedbackTarget:
        """Give what a token is for; it is a handle that queues and resolvers take.

        Raises:
            FeedbackTokenError: It is not ours, or has expired.
        """
        if not isinstance(token, str) or not token.isascii() or len(token) > _LONGEST:
            raise FeedbackTokenError(_NOT_OURS)
        try:
            value, signed = self._signer.unsign(token, return_timestamp=True)
        except BadSignature:
            raise FeedbackTokenError(_NOT_OURS) from None
        if not -_SKEW <= time.time() - signed.timestamp() <= self._max_age:
            error = FeedbackTokenError("the feedback token has expired")
            error.is_expired = True
            raise error
        return _decode(value.decode("ascii"))


_NOT_OURS: Final = "the feedback token is not valid"


def _check_secret(secret: str | bytes) -> bytes:
    if not isinstance(secret, str | bytes):
        raise ConfigurationError(f"a secret for feedback tokens is text or bytes, not {type(secret).__name__}")
    key = secret.encode() if isinstance(secret, str) else secret
    if len(key) < MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"a secret for feedback tokens has {len(key)} bytes, and needs at least {MIN_SECRET_BYTES}: "
            "make one with secrets.token_urlsafe(32)"
        )
    return key


def _target_of(handle: Any, gateway_id: str | None) -> FeedbackTarget:
    wanted = read_target(handle)
    if wanted.name is not None:
        return _target(gateway_id, **{"event_id" if wanted.is_event else "log_id": wanted.name})
    info = choose_calls(wanted.calls, "last")[0].info
    return _target(info.gateway_id or gateway_id, info.log_id, info.event_id)


def _target(gateway_id: str | None, log_id: str | None = None, event_id: str | None = None) -> FeedbackTarget:
    own = event_id if event_id != log_id else None  # where the caller sends none, the gateway repeats the log id
    return FeedbackTarget(gateway_id, log_id or None, own or None)


_SIGNATURE_BYTES: Final = len(".tttttt.") + 43


def _encode(target: FeedbackTarget) -> str:
    """Write a target down; an event id beside a log id only where there is room."""
    needed = [target.gateway_id or "", _shorten(target.log_id)]
    value = _BETWEEN.join([*needed, _shorten(target.event_id)])
    if target.log_id and len(value) + _SIGNATURE_BYTES > MAX_TOKEN_BYTES:
        value = _BETWEEN.join([*needed, ""])
    return value


def _decode(value: str) -> FeedbackTarget:
    gateway_id, log_id, event_id = value.split(_BETWEEN)
    return _target(gateway_id or None, _lengthen(log_id), _lengthen(event_id))


def _shorten(name: str | None) -> str:
    if not name:
        return ""
    if (packed := _as_uuid(name)) is not None:
        return f"u{_to_base64(packed.bytes)}"
    return f"t{name}" if _PLAIN.fullmatch(name) else f"b{_to_base64(name.encode())}"


def _lengthen(short: str) -> str:
    kind, rest = short[:1], short[1:]
    if kind == "u":
        return str(UUID(bytes=_from_base64(rest)))
    return _from_base64(rest).decode() if kind == "b" else rest


def _as_uuid(name: str) -> UUID | None:
    try:
        packed = UUID(name)
    except ValueError:
        return None
    return packed if str(packed) == name else None


def _to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
