"""What a browser may say in one post: from its JSON to feedback and a comment, or a refusal. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aigw._errors import ConfigurationError
from aigw._given import check_whole, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY: Final = 16_384
"""Bytes of one post."""

ScoreRange = tuple[float, float]


class Post(BaseModel):
    """One post: the token, and at least one of value, score and comment."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    token: str
    value: Annotated[int, Field(ge=-1, le=1)] | None = None
    score: float | None = None
    comment: str | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What it says of feedback and score; null clears."""
        named = {"feedback": "value", "score": "score"}
        return {name: getattr(self, key) for name, key in named.items() if key in self.model_fields_set}


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 -- an answer, not a fault
    """Why a post is not taken.

    Attributes:
        status: The HTTP status.
        code: A word for programs.
        message: A sentence for people; it tells nothing of what is behind the page.
        retry_after: Seconds to wait, where that helps.
    """

    status: int
    code: str
    message: str
    retry_after: float | None = None

    @property
    def body(self) -> dict[str, str]:
        """The JSON of the answer."""
        return {"error": self.code, "message": self.message}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        wait = {} if self.retry_after is None else {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        return {"Cache-Control": "no-store", **wait}


def read_post(body: bytes, score_range: ScoreRange | None) -> Post:
    """Read a post.

    Raises:
        Refusal: It is not one, or its score is out of range.
    """
    try:
        post = Post.model_validate_json(body)
    except ValidationError as error:
        raise Refusal(400, "bad_request", _explain(error)) from None
    if post.score is not None:
        _check_score(post.score, score_range)
    if not post.changes and not (post.comment or "").strip():
        raise Refusal(400, "bad_request", "Give a value, a score or a comment.")
    return post


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    known = place if place in Post.model_fields else ""  # what a browser sent is not sent back
    return f"{known}: {first['msg']}." if known else "The body is a JSON object of token, value, score and comment."


def _check_score(score: float, score_range: ScoreRange | None) -> None:
    if score_range is None:
        raise Refusal(400, "bad_request", "score: not taken here.")
    least, most = score_range
    if not least <= score <= most:
        raise Refusal(400, "bad_request", f"score: a number from {least:g} to {most:g}.")


def cut_comment(comment: str | None, max_comment: int) -> str:
    """Give a comment without blanks at its ends, and its first `max_comment` characters."""
    return (comment or "").strip()[:max_comment].strip()


def check_settings(rate_limits: Mapping[str, Any], max_comment: Any, score_range: Any) -> None:
    """Check what the app is given.

    Raises:
        ConfigurationError: A value is not allowed.
    """
    for name, value in rate_limits.items():
        check_whole(name, value)
    check_whole("max_comment", max_comment, least=0)
    if score_range is not None and not _is_range(score_range):
        raise ConfigurationError(
            f"score_range cannot be {shown(score_range)}: it is the least and the highest score, or None"
        )


def _is_range(value: Any) -> bool:
    try:
        least, most = value
        return math.isfinite(least) and math.isfinite(most) and least < most
    except (TypeError, ValueError):
        return False
