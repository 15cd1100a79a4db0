"""From LlamaIndex's `EvaluationResult` to the gateway's feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from aigw import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llama_index.core.evaluation import EvaluationResult

    from aigw import MetadataValue
    from aigw.integration import CallReport

R = TypeVar("R", bound="CallReport[Any, Any]")

COMMENT_LENGTH: Final = 200
"""Characters of an evaluator's words that are sent; the gateway documents no limit for metadata."""


def encode_evaluation(
    evaluation: EvaluationResult,
    *,
    max_score: float = 1.0,
    metadata: Mapping[str, MetadataValue] | None = None,
    evaluator: object = None,
) -> dict[str, Any]:
    """Give the feedback, score and metadata that an evaluation comes to, each only if it says something of it.

    Raises:
        ConfigurationError: The score is not between 0 and `max_score`.
    """
    if evaluation.invalid_result:
        return {}
    values: dict[str, Any] = {}
    if evaluation.passing is not None:
        values["feedback"] = 1 if evaluation.passing else -1
    if evaluation.score is not None:
        values["score"] = _percent(evaluation.score, max_score)
    comment = shorten(evaluation.feedback or "")
    source = {} if evaluator is None else {"source": f"evaluator:{_name_of(evaluator)}"}
    labels = {**({"comment": comment} if comment else {}), **(metadata or {}), **source}
    if labels and (values or comment):
        values["metadata"] = labels
    return values


def answering_reports(reports: Sequence[R], evaluation: EvaluationResult, *, is_strict: bool = False) -> list[R]:
    """Give the calls up to the one whose answer was evaluated; all, if it is the text of none of them.

    Args:
        reports: The calls.
        evaluation: What was said of one of their answers.
        is_strict: Give none where it is the text of none, and of several the newest instead of the oldest.
    """
    answer = evaluation.response or ""
    places = [place for place, report in enumerate(reports) if answer and report.has_said(answer)]
    if is_strict:
        return [reports[place] for place in places[-1:]]
    return list(reports[: places[0] + 1] if places else reports)


def shorten(text: str) -> str:
    """Give a text as one line of at most 200 characters."""
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return line if len(line) <= COMMENT_LENGTH else line[: COMMENT_LENGTH - 3] + "..."


def _name_of(evaluator: object) -> str:
    kind: Any = evaluator if isinstance(evaluator, type) else type(evaluator)
    return evaluator if isinstance(evaluator, str) else str(kind.__name__)


def _percent(score: float, max_score: float) -> float:
    if not 0 <= score <= max_score:
        raise ConfigurationError(
            f"the evaluation's score {score!r} is not between 0 and {max_score!r}: say the evaluator's best score with "
            "max_score="
        )
    return round(100 * score / max_score, 6) if max_score else 0.0
