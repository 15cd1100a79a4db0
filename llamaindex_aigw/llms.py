"""`CloudflareAIGateway`: any chat model behind the gateway, for LlamaIndex.

The class only joins the framework, the encoder, the client and the decoder. What a call sends is made before anything
is returned, so that a stream read later, or in another context, is the call that was asked for.
"""
# ruff: noqa: FBT001, FBT002 - the signatures are LlamaIndex's

from collections.abc import Coroutine, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool
from pydantic import ConfigDict, Field

from aigw.integration import ChatRequest, ask_completions, ask_stream, shown
from llamaindex_aigw._instrumented import Instrumented
from llamaindex_aigw._listening import achat_events, acompletion_events, chat_events, completion_events
from llamaindex_aigw._messages import decode_completion, to_completion
from llamaindex_aigw._metadata import read_metadata, takes_schema
from llamaindex_aigw._readers import aread_chat, aread_completion, read_chat, read_completion
from llamaindex_aigw._request import build_request
from llamaindex_aigw._structured import StructuredOutput
from llamaindex_aigw._tools import decode_tool_calls, encode_tool_choice, encode_tools, keep_first_call

_SENT: Final = ("model", "surface", "temperature", "max_tokens", "top_p", "stop", "seed")


class CloudflareAIGateway(Instrumented, StructuredOutput):
    """A chat model through Cloudflare AI Gateway.

    No HTTP client is made before the first call. Nothing is sent that was not given, here or with the call, but for
    `stream_options: {"include_usage": true}` with a stream; a call's `name=None` takes a field out of the request. Each
    call takes `gateway_options={...}` besides, which win over those given here, and `surface`.

    Every answer has the gateway's facts (`aigw.ResponseInfo`) as a plain dict under `aigw`, in `raw` and in
    `additional_kwargs`, and the token counts beside them. In a stream the last response has them, and it alone; it
    comes when the stream has ended and adds no text.

    What some models must be sent again of their own answers, or refuse the next step of an agent, is kept in the
    message and sent to them by itself: the signatures of Gemini's thoughts, the thoughts of DeepSeek and Kimi. Tool
    calls of a finished answer whose arguments are no JSON object are named by their ids in
    `additional_kwargs["invalid_tool_calls"]`, and reach no tool with half of their arguments.

    Objects of a class instead of text (`structured_predict` and its kin, `as_structured_llm`) are asked for by JSON
    schema where the model can, else by a tool; a stream of them ends in the class itself.

    Args:
        model: The model's id: `openai/gpt-4.1-mini`, `@cf/meta/llama-3.1-8b-instruct`, `dynamic/my-route`.
        temperature: As the model takes it.
        max_tokens: The most tokens to answer with.
        top_p: As the model takes it.
        stop: Where to stop: one text or several.
        seed: As the model takes it.
        strict: Have the model keep to the schemas of tools. A JSON schema it is asked to answer in is always strict,
            where it can be.
        additional_kwargs: Further fields of the request.
        context_window: Tokens the model can take, which LlamaIndex plans prompts with; else what `aigw.model_profile`
            knows, else 128,000.
        is_function_calling_model: Whether the model can call tools; else what the profile knows, else that it can.
        is_structured_output_model: Whether the model can be held to a JSON schema, for structured output; else what the
            profile knows, else that it cannot, and a tool is used.
        account_id: The Cloudflare account; else `CLOUDFLARE_ACCOUNT_ID`.
        api_token: A Cloudflare API token; else `CLOUDFLARE_API_TOKEN`.
        gateway_id: The gateway; else `CLOUDFLARE_AI_GATEWAY_ID`, else `default`.
        gateway_options: Gateway options of every call (`aigw.GatewayOptions`).
        send_span_id: Whether LlamaIndex's span id is the event id of each call (`cf-aig-event-id`).
        metadata_keys: The `instrument_tags` that are sent as metadata of each call, the most important first.
        base_url: One origin in place of both of Cloudflare's; else `AIGW_BASE_URL`.
        provider_key: Your own key at the provider.
        logs_token: A second token for logs and feedback, where the first may only run models.
        surface: `rest`, `compat` or `native`, in place of what the model and the provider key decide.
        timeout: Seconds, or an `httpx.Timeout`.
        max_retries: How often a call that certainly was not run is tried again.
        http_client: Your own `httpx.Client`; it is never closed here.
        http_async_client: Your own `httpx.AsyncClient`, likewise.

    Raises:
        ConfigurationError: An argument cannot be what it is. Calls raise the core's errors, `aigw.AIGatewayError`;
            of a stream, those before the first token when it is asked for, the others while it is read.
    """

    model_config = ConfigDict(defer_build=False)

    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    strict: bool = False
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    context_window: int | None = Field(default=None, gt=0)
    is_function_calling_model: bool | None = None
    is_structured_output_model: bool | None = None

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex's serialization knows the class by."""
        return "CloudflareAIGateway"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex plans with; every model id is taken."""
        return read_metadata(
            self.model,
            context_window=self.context_window,
            max_tokens=self.max_tokens,
            is_function_calling_model=self.is_function_calling_model,
        )

    @chat_events
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation."""
        return self._chat(self._request(messages, kwargs))

    @chat_events
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer a conversation as the answer comes: cumulative messages, each with its `delta`."""
        return self._stream_chat(self._request(messages, kwargs, is_stream=True))

    @achat_events
    def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Coroutine[Any, Any, ChatResponse]:
        """Answer a conversation."""
        return self._achat(self._request(messages, kwargs))

    @achat_events
    def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Coroutine[Any, Any, ChatResponseAsyncGen]:
        """Answer a conversation as the answer comes: cumulative messages, each with its `delta`."""
        return self._astream_chat(self._request(messages, kwargs, is_stream=True))

    @completion_events
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: ARG002 a prompt is sent as it is, formatted or not
        """Answer a prompt, sent as one user message."""
        return to_completion(self._chat(self._request(_as_messages(prompt), kwargs)))

    @completion_events
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:  # noqa: ARG002 as in `complete`
        """Answer a prompt as the answer comes."""
        return read_completion(self._stream_chat(self._request(_as_messages(prompt), kwargs, is_stream=True)))

    @acompletion_events
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: ARG002 as in `complete`
        """Answer a prompt, sent as one user message."""
        return to_completion(await self._achat(self._request(_as_messages(prompt), kwargs)))

    @acompletion_events
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:  # noqa: ARG002 as in `complete`
        """Answer a prompt as the answer comes."""
        request = self._request(_as_messages(prompt), kwargs, is_stream=True)
        return aread_completion(await self._astream_chat(request))

    def _takes_schema(self) -> bool:
        return takes_schema(self.model, is_structured_output_model=self.is_structured_output_model)

    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,  # noqa: ARG002 LlamaIndex passes more to other models
    ) -> list[ToolSelection]:
        """Give the tools a response calls; in a stream, with the arguments as far as they have come.

        Raises:
            ValueError: It calls none, and `error_on_no_tool_call` is set.
        """
        calls = decode_tool_calls(response.message)
        if not calls and error_on_no_tool_call:
            raise ValueError(f"the model called no tool, and said: {shown(response.message.content, 2000)}")
        return calls

    def _chat(self, asked: ChatRequest) -> ChatResponse:
        with self._calling(asked.model, asked.gateway) as report:
            result = ask_completions(self._sync_client(), report, *asked)
            return report.heard(decode_completion(result.output, result.info))

    async def _achat(self, asked: ChatRequest) -> ChatResponse:
        with self._calling(asked.model, asked.gateway) as report:
            answer = ask_completions(self._async_client(), report, *asked)
            del asked  # with a thousand calls in flight they need not be kept
            result = await answer
            return report.heard(decode_completion(result.output, result.info))

    def _stream_chat(self, asked: ChatRequest) -> ChatResponseGen:
        client = self._sync_client()
        with self._calling(asked.model, asked.gateway) as report:
            return read_chat(ask_stream(client, report, *asked), report)

    async def _astream_chat(self, asked: ChatRequest) -> ChatResponseAsyncGen:
        client = self._async_client()
        with self._calling(asked.model, asked.gateway) as report:
            return await aread_chat(ask_stream(client, report, *asked), report)

    def _request(
        self, messages: Sequence[ChatMessage], kwargs: dict[str, Any], *, is_stream: bool = False
    ) -> ChatRequest:
        kwargs = {**kwargs, "gateway_options": self._call_options(kwargs.get("gateway_options"))}
        own = self.__dict__
        fields = {name: own[name] for name in _SENT if own[name] is not None and own[name] != []}
        return build_request(messages, {**fields, **self.additional_kwargs}, kwargs, is_stream=is_stream)

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,  # noqa: ARG002 there is nothing to say
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | dict[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Make the arguments of a chat with tools; the history that was given stays as it is."""
        message = ChatMessage(role=MessageRole.USER, content=user_msg) if isinstance(user_msg, str) else user_msg
        messages = [*(chat_history or []), *([message] if message is not None else [])]
        if not tools:
            return {"messages": messages, **kwargs}
        encoded = encode_tools(tools, strict=self.strict if strict is None else strict)
        choice = encode_tool_choice(tool_choice, encoded, is_required=tool_required)
        return {
            "messages": messages,
            "tools": encoded,
            **({} if choice is None else {"tool_choice": choice}),
            **({} if allow_parallel_tool_calls else {"parallel_tool_calls": False}),
            **kwargs,
        }

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],  # noqa: ARG002 the model's names are taken as they are
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,  # noqa: ARG002 as in `get_tool_calls_from_response`
    ) -> ChatResponse:
        """Leave one tool call where only one is allowed."""
        return response if allow_parallel_tool_calls else keep_first_call(response)


def _as_messages(prompt: str) -> list[ChatMessage]:
    return [ChatMessage(role=MessageRole.USER, content=prompt)]
