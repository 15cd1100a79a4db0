"""The chat model: LangChain's interface joined to the core's clients.

What is encoded and decoded is decided in the modules beside this one; here are the fields, and for each of LangChain's
calls the three steps build, send, decode. Annotations are evaluated, since LangChain reads those of the methods.
"""

import math
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final, Literal, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.pydantic import is_pydantic_v1_subclass
from pydantic import AliasChoices, Field, model_validator

from aigw import APIStatusError, ResponseInfo, RunResult, __version__
from langchain_aigw._connection import Connection
from langchain_aigw._messages import PROVIDER, ChunkDecoder, decode_completion
from langchain_aigw._request import ChatRequest, build_request
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
from langchain_aigw._tools import ToolChoice, encode_tool_choice, tool_names

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


class ChatCloudflareAIGateway(BaseChatModel, Connection):
    """Any chat model behind Cloudflare AI Gateway.

    Setup:
        `pip install 'aigw[langchain]'`, and set `CLOUDFLARE_ACCOUNT_ID` and `CLOUDFLARE_API_TOKEN`.

    Instantiate:
        ```python
        from langchain_aigw import ChatCloudflareAIGateway

        model = ChatCloudflareAIGateway(
            model="openai/gpt-5-mini",
            gateway_id="production",
            gateway_options={"collect_log_payload": False, "metadata": {"team": "search"}},
        )
        ```

    Invoke:
        ```python
        message = model.invoke("Tell me a joke", gateway_options={"skip_cache": True})
        message.response_metadata["aigw"]["log_id"]
        ```

    Every parameter that was not given is left out of the request. A call's keywords win over the fields;
    `gateway_options` are merged, `metadata` key by key. The gateway's facts are in `response_metadata["aigw"]` of every
    answer, and on exactly one chunk of a stream. Errors are those of `aigw`.

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
        streaming: Whether `invoke` streams too.
        stream_usage: Whether streams are asked for the usage; off for upstreams that refuse `stream_options`.
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
    streaming: bool = False
    stream_usage: bool = True

    @model_validator(mode="before")
    @classmethod
    def _remember_max_tokens_name(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "max_completion_tokens" not in {
            *values,
            *(values.get("model_kwargs") or ()),
        }:
            return values
        return {"max_tokens_name": "max_completion_tokens", **values}

    @model_validator(mode="after")
    def _tell_tracers_aigw_version(self) -> Self:
        self._add_version("aigw", __version__)
        return self

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Say that LangChain may serialize this class; secrets stay behind."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The fields that are secrets, and the variables they are looked up under when a model is loaded."""
        return {"api_token": "CLOUDFLARE_API_TOKEN", "provider_key": "AIGW_PROVIDER_KEY"}

    @property
    def _llm_type(self) -> str:
        return "cloudflare-ai-gateway"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, **self._place(), **self._sampling()}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        own = [self.stop] if isinstance(self.stop, str) else self.stop
        params = super()._get_ls_params(stop=stop or own or None, **kwargs)
        params["ls_provider"] = PROVIDER
        return params

    def get_num_tokens(self, text: str) -> int:
        """Estimate the tokens of a text at four characters each; nothing is downloaded."""
        if self.custom_get_token_ids is not None:
            return super().get_num_tokens(text)
        return math.ceil(len(text) / 4)

    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
    ) -> int:
        """Estimate the tokens of messages and tools as LangChain's `count_tokens_approximately`."""
        encoded: list[BaseTool | dict[str, Any]] = [convert_to_openai_tool(tool) for tool in tools or ()]
        return count_tokens_approximately(messages, tools=encoded or None)

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
        encoded = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        choice = encode_tool_choice(tool_choice, encoded)
        if choice is not None:
            kwargs["tool_choice"] = choice
        if parallel_tool_calls is not None:
            kwargs["parallel_tool_calls"] = parallel_tool_calls
        return super().bind(tools=encoded, **kwargs)

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

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        request = self._request(messages, stop, kwargs)
        result = self._sync_client().completions(request.body, gateway=request.gateway, surface=request.surface)
        return _decode(result, request)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        request = self._request(messages, stop, kwargs)
        client = self._async_client()
        result = await client.completions(request.body, gateway=request.gateway, surface=request.surface)
        return _decode(result, request)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._request(messages, stop, kwargs, is_stream=True)
        decoder = ChunkDecoder(model=request.model)
        client = self._sync_client()
        with client.stream_completions(request.body, gateway=request.gateway, surface=request.surface) as stream:
            for event in stream:
                chunk = decoder.feed(event, _facts(event.info))
                if chunk is not None:
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        last = decoder.close()
        if run_manager:
            run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = self._request(messages, stop, kwargs, is_stream=True)
        decoder = ChunkDecoder(model=request.model)
        client = self._async_client()
        async with client.stream_completions(request.body, gateway=request.gateway, surface=request.surface) as stream:
            async for event in stream:
                chunk = decoder.feed(event, _facts(event.info))
                if chunk is not None:
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        last = decoder.close()
        if run_manager:
            await run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, call: dict[str, Any], *, is_stream: bool = False
    ) -> ChatRequest:
        defaults = {
            "model": self.model,
            "surface": self.surface,
            "stream_usage": self.stream_usage,
            **self._sampling(),
        }
        return build_request(messages, defaults, call, stop=stop, is_stream=is_stream)

    def _sampling(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in _SAMPLING}
        given[self.max_tokens_name] = self.max_tokens
        return {**{name: value for name, value in given.items() if value is not None}, **self.model_kwargs}


def _facts(info: ResponseInfo | None) -> dict[str, Any] | None:
    return info.to_dict() if info else None


def _decode(result: RunResult, request: ChatRequest) -> ChatResult:
    info = result.info
    try:
        return decode_completion(result.output, model=request.model, info=_facts(info))
    except ValueError as error:
        raise APIStatusError(str(error), status_code=info.status_code, info=info, body=result.output) from error
