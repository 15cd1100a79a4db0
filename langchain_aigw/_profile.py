"""Profiles that were looked up, told from those the user gave.

LangChain rebuilds a model from its fields when one of them is configured, the profile among them. One that was looked
up for another model must then not stay.
"""

from typing import Any, Final, cast

from langchain_core.language_models import ModelProfile

from aigw import model_profile

_NAMES: Final = frozenset(ModelProfile.__annotations__)


class KnownProfile(dict[str, Any]):
    """A profile of `aigw.model_profile`."""


def known_profile(model: str) -> ModelProfile | None:
    """Look up what a model can do, without the entries this langchain-core has no name for; `None` for unknown ones."""
    profile = model_profile(model)
    if profile is None:
        return None
    known = KnownProfile((name, value) for name, value in profile.items() if name in _NAMES)
    return cast("ModelProfile", known)
