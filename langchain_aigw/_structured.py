"""Structured output: what is asked of the model, and the parser of its answer, for each of the three methods."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard, get_args

from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from aigw.integration import shown
from langchain_aigw._watched import watch

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.output_parsers import BaseOutputParser
    from langchain_core.runnables import Runnable
    from pydantic import BaseModel

Method = Literal["json_schema", "function_calling", "json_mode"]
Schema = dict[str, Any] | type

_METHODS: Final = get_args(Method)


def check_method(schema: Schema | None, method: str, *, strict: bool | None) -> None:
    """Refuse what cannot work.

    Raises:
        ValueError: The method is unknown, has no schema, or cannot be strict.
    """
    if method not in _METHODS:
        raise ValueError(f"method cannot be {shown(method)}: it is one of {', '.join(_METHODS)}")
    if method == "json_mode" and strict is not None:
        raise ValueError("json_mode knows no schema, so strict cannot be set")
    if schema is None and method != "json_mode":
        raise ValueError(f"{method} needs a schema")


def is_model_class(schema: Any) -> TypeGuard[type[BaseModel]]:
    """Tell whether a schema is a pydantic class, of either version."""
    return isinstance(schema, type) and is_basemodel_subclass(schema)


def encode_response_format(schema: Schema, *, strict: bool | None = None) -> dict[str, Any]:
    """Encode a schema as the wire's `response_format`; one that is a `response_format` already stays as it is."""
    if isinstance(schema, dict):
        if schema.get("type") == "json_schema" and "json_schema" in schema:
            return schema
        if "name" in schema and isinstance(schema.get("schema"), dict):
            return {"type": "json_schema", "json_schema": _with_strict(schema, strict)}
    function = convert_to_openai_function(schema, strict=strict)
    function["schema"] = function.pop("parameters", {"type": "object", "properties": {}})
    return {"type": "json_schema", "json_schema": function}


def _with_strict(schema: dict[str, Any], strict: bool | None) -> dict[str, Any]:  # noqa: FBT001  a value, no switch
    return schema if strict is None else {**schema, "strict": strict}


def describe_schema(schema: Schema | None, method: Method, *, strict: bool | None) -> dict[str, Any]:
    """Give the keyword that tells LangChain's tracers what is being asked for; it is not sent."""
    if schema is None:
        return {}
    known = schema if method == "json_mode" else _named_tool(schema)
    return {"ls_structured_output_format": {"kwargs": {"method": method, "strict": strict}, "schema": known}}


def _named_tool(schema: Schema) -> Schema:
    if isinstance(schema, dict) and "json_schema" in schema:
        return _named_tool(schema["json_schema"])
    if isinstance(schema, dict) and isinstance(schema.get("schema"), dict) and "name" in schema:
        return {"title": schema["name"], **schema["schema"]}
    return convert_to_openai_tool(schema)


def tool_parser(schema: Schema, tool_name: str) -> BaseOutputParser[Any]:
    """Make the parser of an answer that calls a tool named after the schema."""
    if is_model_class(schema):
        return PydanticToolsParser(tools=[schema], first_tool_only=True)
    return JsonOutputKeyToolsParser(key_name=tool_name, first_tool_only=True)


def text_parser(schema: Schema | None) -> BaseOutputParser[Any]:
    """Make the parser of an answer whose text is the JSON."""
    return PydanticOutputParser(pydantic_object=schema) if is_model_class(schema) else JsonOutputParser()


def join_parser(
    model: Runnable[LanguageModelInput, AIMessage], parser: BaseOutputParser[Any], *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """Put the parser behind the model; with `include_raw` its error is a result beside the raw message."""
    watched = watch(parser)
    if not include_raw:
        return model | watched
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | watched, parsing_error=lambda _: None)
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | parsed.with_fallbacks([unparsed], exception_key="parsing_error")
