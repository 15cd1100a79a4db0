"""Keywords that are bound to a model, with gateway options laid over those there are instead of put in their place.

LangChain's own binding drops a bound keyword when a call has one of the same name: with one option of a call's, all
bound ones were gone. So options never stay among bound keywords. They go into a copy of the model, which shares its
connections, and are merged there as the model's always are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import chat_models
from langchain_core.runnables import RunnableBinding
from langchain_core.runnables.base import RunnableBindingBase

from aigw import ConfigurationError
from aigw.integration import refuse_connection_keywords, shown
from langchain_aigw._run_options import lay_over

if TYPE_CHECKING:
    from langchain_core.language_models.chat_models import _ChatModelBinding
    from langchain_core.runnables import Runnable
else:
    _ChatModelBinding = getattr(chat_models, "_ChatModelBinding", RunnableBinding)


class ModelBinding(_ChatModelBinding):  # type: ignore[no-redef]  # as LangChain has it: a field is called kwargs
    """LangChain's binding around a chat model of ours; it is serialized as LangChain's own."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """Give the id of LangChain's class, which this is loaded as."""
        return RunnableBinding.lc_id()

    def bind(self, **kwargs: Any) -> ModelBinding:
        """Bind more keywords; gateway options are laid over those bound before.

        Raises:
            ConfigurationError: A keyword is none of a call's, or a gateway option cannot be.
        """
        bound, keywords = bind_options(self.bound, kwargs)
        return type(self)(**{**vars(self), "bound": bound, "kwargs": {**self.kwargs, **keywords}})


def as_model_binding(binding: Runnable[Any, Any]) -> ModelBinding:
    """Give a binding of LangChain's as one of ours."""
    return ModelBinding(**vars(binding))


def bind_options(runnable: Any, keywords: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Take gateway options out of keywords and into a copy of what they are bound to.

    Args:
        runnable: A chat model of ours, or bindings around one.
        keywords: What is being bound.

    Returns:
        What the other keywords are to be bound to, and these.

    Raises:
        ConfigurationError: A keyword is none of a call's, or a gateway option cannot be.
    """
    refuse_connection_keywords(keywords, type(_innermost(runnable)).__name__)
    others = dict(keywords)
    options = others.pop("gateway_options", None)
    if options is None:
        return runnable, others
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"gateway options are a dict, not {shown(options)}")
    return _with_options(runnable, options), others


def _innermost(runnable: Any) -> Any:
    while isinstance(runnable, RunnableBindingBase):
        runnable = runnable.bound
    return runnable


def _with_options(runnable: Any, options: Mapping[str, Any]) -> Any:
    if isinstance(runnable, RunnableBindingBase):
        return runnable.model_copy(update={"bound": _with_options(runnable.bound, options)})
    copied = runnable.model_copy(update={"gateway_options": lay_over(runnable.gateway_options, options)})
    copied._check()  # noqa: SLF001  a copy is checked as what is made
    return copied
