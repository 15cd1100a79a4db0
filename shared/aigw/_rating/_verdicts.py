"""What somebody says of a call without being a person, and the feedback it comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final, cast

from typing_extensions import TypedDict

from aigw._calls._log_calls import Feedback, check_changes
from aigw._errors import ConfigurationError
from aigw._given import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw._options import MetadataValue

SOURCE_KEY: Final = "source"
"""The metadata entry that says who gave feedback by itself."""

Verdict = bool | int | float | Mapping[str, Any] | None
"""What a judge says: nothing, a score, or a mapping of `feedback`, `score` and `metadata`."""

_FIELDS: Final = ("feedback", "score", "metadata")
_MAX_NAME: Final = 100
_SPACE: Final = 2**64


class Rating(TypedDict, total=False):
    """Feedback, as a dict.

    Keys:
        feedback: 1 (good), -1 (bad) or 0.
        score: A finite number.
        metadata: At most four entries; `source` is added.
    """

    feedback: Feedback
    score: float | None
    metadata: Mapping[str, MetadataValue]


class AutomaticFeedback(TypedDict, total=False):
    """What is rated without anybody asking: each occasion with its feedback (1, 0, -1), or a `Rating`; else it is not.

    The name of the occasion is the `source` in the metadata of the feedback.

    Keys:
        output_parser: The answer could not be parsed, or is no object of the class that was asked for.
        tool: A tool that the model called failed, or there is none of that name, or its arguments are wrong.
        guardrail: A guardrail of the gateway blocked the prompt or the answer.
        dlp: The gateway's data loss prevention did.
    """

    output_parser: Feedback | Rating
    tool: Feedback | Rating
    guardrail: Feedback | Rating
    dlp: Feedback | Rating


OCCASIONS: Final = ("output_parser", "tool", "guardrail", "dlp")


def read_automatic(given: Any) -> dict[str, dict[str, Any]]:
    """Give the changes of each occasion that is rated; `True` rates all of them -1, `None` and `False` none.

    Raises:
        ConfigurationError: It is no such mapping, or a value cannot be sent.
    """
    if given is None or isinstance(given, bool):
        given = dict.fromkeys(OCCASIONS, -1) if given else {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"automatic cannot be {shown(given)}: it is True, or a dict of {', '.join(OCCASIONS)}")
    unknown = next((name for name in given if name not in OCCASIONS), None)
    if unknown is not None:
        raise ConfigurationError(f"automatic cannot have {shown(unknown)}: its keys are {', '.join(OCCASIONS)}")
    rated = {name: value for name, value in given.items() if value is not None}
    return {name: _rating_of(value, name) for name, value in rated.items()}


def read_verdict(verdict: object, source: str) -> dict[str, Any] | None:
    """Give the changes that a verdict means, with its source among the metadata; `None` when there are none.

    Args:
        verdict: `None`, a number or a bool (the score; true is 1, false 0), or a mapping of `feedback`, `score` and
            `metadata`.
        source: Who says so.

    Raises:
        ConfigurationError: It is something else, or a value cannot be sent.
    """
    if verdict is None:
        return None
    said = dict(verdict) if isinstance(verdict, Mapping) else {"score": _number(verdict)}
    if isinstance(said.get("score"), Real):
        said["score"] = _number(said["score"])
    return _with_source(said, source) if said else None


def judge_source(judge: Callable[..., Any]) -> str:
    """Name a judge as its feedback does: `judge:` and the name of the function or the class."""
    name = getattr(judge, "__name__", type(judge).__name__)
    return f"judge:{name.strip('<>')}"[:_MAX_NAME]


def check_sample(sample: Any) -> float:
    """Give a share back if it is one.

    Raises:
        ConfigurationError: It is not between 0 and 1.
    """
    is_number = isinstance(sample, int | float) and not isinstance(sample, bool)
    if not is_number or not 0 <= sample <= 1:
        raise ConfigurationError(f"sample cannot be {shown(sample)}: it is a share of the calls, from 0 to 1")
    return float(sample)


def is_sampled(name: str, sample: float) -> bool:
    """Tell whether a call is among the share that is rated, the same in every process and on every machine.

    Args:
        name: The event id of the call, else its log id.
        sample: The share, from 0 to 1; what is in a share is also in every larger one.
    """
    digest = sha256(name.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < sample * _SPACE


def _rating_of(value: Any, source: str) -> dict[str, Any]:
    return _with_source(dict(value) if isinstance(value, Mapping) else {"feedback": value}, source)


def _with_source(said: dict[str, Any], source: str) -> dict[str, Any]:
    unknown = next((key for key in said if key not in _FIELDS), None)
    if unknown is not None:
        raise ConfigurationError(f"a verdict cannot have {shown(unknown)}: its keys are {', '.join(_FIELDS)}")
    labels = said.get("metadata") or {}
    if not isinstance(labels, Mapping):
        raise ConfigurationError(f"a verdict's metadata cannot be {shown(labels)}: it is a dict")
    return check_changes(**{**said, "metadata": {**labels, SOURCE_KEY: source}})


def _number(value: object) -> int | float:
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(cast("float", value))
    raise ConfigurationError(
        f"a verdict cannot be {shown(value)}: it is None, a number, a bool, or a mapping of {', '.join(_FIELDS)}"
    )
