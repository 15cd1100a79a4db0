"""What LlamaIndex plans with: a model's window, its answer's length and what it can do.

What was given to the model's object wins, then what is known of the model (`aigw.model_profile`), then a default that
suits today's models.
"""

from __future__ import annotations

from typing import Any, Final

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.constants import DEFAULT_NUM_OUTPUTS

from aigw import model_profile

_CONTEXT_WINDOW: Final = 128_000
_ANSWERS_SHARE: Final = 4
"""What a model could write at most is kept free of the prompt, but no more of the window than one part in this."""


def read_metadata(
    model: str, *, context_window: int | None, max_tokens: int | None, is_function_calling_model: bool | None
) -> LLMMetadata:
    """Give the metadata of a model.

    Args:
        model: Any model id, known or not.
        context_window: Tokens the model takes; else its profile's, else 128,000.
        max_tokens: Tokens the answer may have; else its profile's, within a quarter of the window, else LlamaIndex's
            default of 256.
        is_function_calling_model: Whether it calls tools; else its profile's, else that it does.
    """
    profile = _profile(model)
    window = context_window or profile.get("max_input_tokens") or _CONTEXT_WINDOW
    longest = profile.get("max_output_tokens") or DEFAULT_NUM_OUTPUTS
    return LLMMetadata(
        context_window=window,
        num_output=max_tokens or min(longest, window // _ANSWERS_SHARE),
        is_chat_model=True,
        is_function_calling_model=_first(is_function_calling_model, profile.get("tool_calling"), default=True),
        model_name=model,
    )


def takes_schema(model: str, *, is_structured_output_model: bool | None) -> bool:
    """Tell whether a model can be held to a JSON schema: as was said, else by its profile, else not."""
    return _first(is_structured_output_model, _profile(model).get("structured_output"), default=False)


def _profile(model: str) -> dict[str, Any]:
    return model_profile(model) or {}


def _first(*said: bool | None, default: bool) -> bool:
    """Give the first that is said."""
    return next((value for value in said if value is not None), default)
