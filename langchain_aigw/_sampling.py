"""The parameters of an answer, as fields of a model, by their names on the wire.

Annotations are evaluated, as in `chat_models`.
"""

from typing import Any, Final, Literal

from pydantic import AliasChoices, Field, model_validator

from langchain_aigw._connection import Connection

_SAMPLING: Final = (
    "temperature",
    "top_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
)


class Sampling(Connection):
    """How a model answers; a parameter that is `None` is not sent.

    Attributes:
        temperature: How freely the model chooses its words.
        top_p: The share of probability it chooses among.
        max_tokens: Tokens of the answer at most. Sent under the name it was given by: `max_tokens`, or
            `max_completion_tokens`, which some models ask for.
        stop: Text that ends the answer, one or a list.
        seed: For answers that can be repeated, where the model allows it.
        presence_penalty: Against words that are there already.
        frequency_penalty: Against words that are there often.
        n: How many answers; `invoke` and streams give the first, `generate` all.
        logprobs: Whether the answer says how likely its tokens were.
        top_logprobs: How many other tokens it tells of for each.
        reasoning_effort: How long a reasoning model thinks, such as `low`.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = Field(default=None, validation_alias=AliasChoices("max_tokens", "max_completion_tokens"))
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = Field(default="max_tokens", repr=False)
    stop: list[str] | str | None = Field(default=None, validation_alias=AliasChoices("stop", "stop_sequences"))
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    n: int | None = Field(default=None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _remember_max_tokens_name(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        more = values.get("model_kwargs")
        named = [values, more] if isinstance(more, dict) else [values]
        if not any("max_completion_tokens" in names for names in named):
            return values
        return {"max_tokens_name": "max_completion_tokens", **values}

    def _sampling(self) -> dict[str, Any]:
        fields = self.__dict__
        given = {name: fields[name] for name in _SAMPLING if fields[name] is not None}
        if self.max_tokens is not None:
            given[self.max_tokens_name] = self.max_tokens
        return {**given, **self.model_kwargs}
