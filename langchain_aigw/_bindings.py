"""What can be bound to a chat model for its later calls: keywords, tools, and a schema for its answers.

Annotations are evaluated, as in `chat_models`.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.pydantic import is_pydantic_v1_subclass

from langchain_aigw._bound import ModelBinding, as_model_binding, bind_options
from langchain_aigw._structured import (
    Method,
    Schema,
    check_method,
    describe_schema,
    encode_response_format,
    join_parser,
    text_parser,
    tool_parser,
)
from langchain_aigw._tools import ToolChoice, encode_tool, encode_tool_choice, tool_names


class BindingChatModel(BaseChatModel):
    """A chat model that takes tools and schemas; what is bound is encoded once, and is in the keywords of each call.

    Gateway options are not: those bound are laid over the model's, those bound later over these, a call's over all.
    """

    def bind(self, **kwargs: Any) -> ModelBinding:
        """Bind keywords of later calls; `gateway_options` are laid over those of the model, `metadata` key by key.

        Raises:
            ConfigurationError: A keyword is none of a call's, or a gateway option cannot be.
        """
        bound, keywords = bind_options(self, kwargs)
        return ModelBinding(bound=bound, kwargs=keywords)

    def with_config(
        self, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return as_model_binding(super().with_config(config, **kwargs))

    def with_listeners(self, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return as_model_binding(super().with_listeners(**kwargs))

    def with_alisteners(self, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return as_model_binding(super().with_alisteners(**kwargs))

    def with_types(self, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return as_model_binding(super().with_types(**kwargs))

    def with_retry(self, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return ModelBinding(bound=super().with_retry(**kwargs))

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: ToolChoice = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Give the model tools.

        Args:
            tools: Functions, pydantic classes, TypedDicts, LangChain tools, or dicts of OpenAI or Anthropic.
            tool_choice: A tool's name, `auto`, `none`, `any` (also `required`, `True`), or OpenAI's dict.
            strict: Whether arguments must fit the schema exactly.
            parallel_tool_calls: Whether one answer may call several.
            kwargs: Keywords of every call.

        Raises:
            ValueError: `tool_choice` names none of the tools, or a tool cannot be described.
        """
        encoded = [encode_tool(tool, strict=strict) for tool in tools]
        choice = encode_tool_choice(tool_choice, encoded)
        if choice is not None:
            kwargs["tool_choice"] = choice
        if parallel_tool_calls is not None:
            kwargs["parallel_tool_calls"] = parallel_tool_calls
        return self.bind(tools=encoded, **kwargs)

    def with_structured_output(
        self,
        schema: Schema | None = None,
        *,
        method: Method = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Make the model answer in a schema.

        Args:
            schema: A pydantic class, a TypedDict, or a JSON schema with a title; `json_mode` can go without.
            method: `json_schema` (`response_format`), `function_calling` (a forced tool), or `json_mode` (any JSON; the
                prompt has to ask for it).
            include_raw: Whether the result is a dict of `raw`, `parsed` and `parsing_error`.
            strict: Whether the answer must fit the schema exactly.
            kwargs: Keywords of every call, also `tools` to bind beside `json_schema`.

        Returns:
            A runnable that gives an instance of a pydantic class, otherwise a dict.

        Raises:
            ValueError: The method is unknown, has no schema, or cannot be strict.
        """
        check_method(schema, method, strict=strict)
        if method == "json_schema" and isinstance(schema, type) and is_pydantic_v1_subclass(schema):
            warnings.warn("json_schema cannot take a pydantic.v1 class: using function_calling", stacklevel=2)
            method = "function_calling"
        kwargs |= describe_schema(schema, method, strict=strict)
        if method == "function_calling" and schema is not None:
            return self._answer_by_tool(schema, include_raw=include_raw, strict=strict, **kwargs)
        if method == "json_schema" and schema is not None:
            kwargs["response_format"] = encode_response_format(schema, strict=strict)
        else:
            kwargs["response_format"] = {"type": "json_object"}
        tools = kwargs.pop("tools", None)
        model = self.bind_tools(tools, strict=strict, **kwargs) if tools else self.bind(**kwargs)
        return join_parser(model, text_parser(schema), include_raw=include_raw)

    def _answer_by_tool(
        self, schema: Schema, *, include_raw: bool, strict: bool | None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        name = tool_names([convert_to_openai_tool(schema)])[0]
        forced = {"tool_choice": name, "parallel_tool_calls": False, **kwargs}
        model = self.bind_tools([schema], strict=strict, **forced)
        return join_parser(model, tool_parser(schema, name), include_raw=include_raw)
