"""The chat model: LangChain's interface joined to the core's clients.

What is encoded and decoded is decided in the modules beside this one; here are the fields, and for each of LangChain's
calls the three steps build, send, decode. Annotations are evaluated, since LangChain reads those of the methods.
"""

import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LangSmithParams, ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import model_validator

from aigw import APIStatusError, ResponseInfo, RunResult, __version__
from aigw.integration import (
    ChatRequest,
    ask_completions,
    ask_stream,
    chosen_event_id,
    refuse_connection_keywords,
    with_known_signature,
)
from langchain_aigw._bindings import BindingChatModel
from langchain_aigw._messages import PROVIDER, ChunkDecoder, decode_completion
from langchain_aigw._profile import KnownProfile, known_profile
from langchain_aigw._recorded import Caller, CallReport
from langchain_aigw._replay import mark_replayed
from langchain_aigw._request import build_request
from langchain_aigw._run_model import RunAwareChatModel
from langchain_aigw._run_options import options_around, run_options
from langchain_aigw._runs import ModelRun, facts_of, report_call, take_run
from langchain_aigw._sampling import Sampling


class ChatCloudflareAIGateway(BindingChatModel, RunAwareChatModel, Sampling):
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

    Stream:
        ```python
        for chunk in model.stream("Tell me a joke"):
            chunk.text
        ```

    Async:
        ```python
        import asyncio

        asyncio.run(model.ainvoke("Tell me a joke"))
        ```

    Tools:
        ```python
        from langchain_core.tools import tool

        @tool(description="Tell the weather in a city.")
        def get_weather(city: str) -> str:
            return f"It is sunny in {city}."

        model.bind_tools([get_weather]).invoke("What is the weather in Paris?").tool_calls
        ```

    Structured output:
        ```python
        from pydantic import BaseModel

        class Place(BaseModel):
            city: str

        model.with_structured_output(Place).invoke("Where is the Eiffel Tower?")
        ```

    Usage:
        ```python
        message.usage_metadata["total_tokens"]
        ```

    Gateway options:
        ```python
        model.bind(gateway_options={"cache_ttl": 3600})
        model.with_config(metadata={"aigw": {"metadata": {"team": "search"}}})
        ```

    Feedback:
        ```python
        from langchain_aigw import capture_logs

        with capture_logs() as logs:
            model.invoke("Tell me a joke")
        logs.feedback(1, score=90)
        ```

    Every parameter that was not given is left out of the request. A call's keywords win over the fields;
    `gateway_options` are merged, `metadata` key by key: over the field's lie those bound, the context's, the run's and
    the call's. What connects a model, such as `provider_key` or `timeout`, is no keyword of a call: it is refused. The
    gateway's facts are in `response_metadata["aigw"]` of every answer, and on exactly one chunk of a stream. Errors are
    those of `aigw` and at once LangChain's, such as `ModelRateLimitError`, with the answer in `error.response` and the
    log id in `error.log_id`.

    What some models must be sent again of their own answers, or refuse the next step of an agent, stands in
    `additional_kwargs` and is sent to them by itself: the signatures of Gemini's thoughts (`extra_content`, and
    `tool_call_extra_content` by the calls' ids), the thoughts of DeepSeek and Kimi (`reasoning_content`). Structured
    output that was cut off is an `OutputParserException`, never half an object.

    Attributes:
        streaming: Whether `invoke` streams too; `None` leaves it to LangChain, which streams when somebody listens.
        stream_usage: Whether streams are asked for the usage; off for upstreams that refuse `stream_options`.
        extra_body: Entries of the request's body that no other parameter replaces.
        send_run_id: Whether LangChain's id of the model's run is the event id of a call that was given none, so that
            its log can be found again by the run.
        metadata_keys: Which keys of the run's metadata (`config={"metadata": ...}`), else of `configurable` of the
            chain or graph around it, are sent as gateway metadata, the most important first: the gateway keeps five
            entries in all. Nothing else of the config is sent, but `metadata["aigw"]`, the gateway options of the run.
            `thread_id` is LangGraph's thread and `root_run_id` the outermost run, as far as an
            `AIGatewayCallbackHandler` knows it: with these, feedback finds all logs of a thread or a run from any
            process.
    """

    streaming: bool | None = None
    stream_usage: bool = True
    extra_body: dict[str, Any] | None = None
    send_run_id: bool = True
    metadata_keys: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _look_up_a_known_profile_again(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("profile"), KnownProfile):
            return {name: value for name, value in values.items() if name != "profile"}
        return values

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
        return {
            "api_token": "CLOUDFLARE_API_TOKEN",
            "provider_key": "AIGW_PROVIDER_KEY",
            "logs_token": "AIGW_LOGS_TOKEN",
        }

    @property
    def _llm_type(self) -> str:
        return "cloudflare-ai-gateway"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, **self._place(), **self._sampling()}

    def _resolve_model_profile(self) -> ModelProfile | None:
        return known_profile(self.model)

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """Give the key of LangChain's cache, with the gateway options around the call in it."""
        own = super()._get_llm_string(stop=stop, **kwargs)
        around = options_around()
        return f"{own}---{around}" if around else own

    def _convert_cached_generations(self, cache_val: list[Generation]) -> list[ChatGeneration]:
        return [mark_replayed(generation) for generation in super()._convert_cached_generations(cache_val)]

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

    @with_known_signature
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        run = take_run(run_manager)
        request = self._request(messages, stop, kwargs, run)
        with self._report(request, run) as report:
            return _decode(ask_completions(self._sync_client(), report, *request), report)

    @with_known_signature
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        run = take_run(run_manager)
        request = self._request(messages, stop, kwargs, run)
        with self._report(request, run) as report:
            answer = ask_completions(self._async_client(), report, *request)
            del request, kwargs  # with a thousand calls in flight they need not be kept
            return _decode(await answer, report)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        run = take_run(run_manager)
        request = self._request(messages, stop, kwargs, run, is_stream=True)
        decoder = ChunkDecoder(model=request.model)
        client = self._sync_client()
        with self._report(request, run) as report:
            with ask_stream(client, report, *request) as stream:
                for event in stream:
                    chunk = decoder.feed(event, _facts(event.info))
                    if chunk is not None:
                        if run_manager:
                            run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
            last = decoder.close()
            report.answered(_usage(last))
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
        run = take_run(run_manager)
        request = self._request(messages, stop, kwargs, run, is_stream=True)
        decoder = ChunkDecoder(model=request.model)
        client = self._async_client()
        with self._report(request, run) as report:
            async with ask_stream(client, report, *request) as stream:
                async for event in stream:
                    chunk = decoder.feed(event, _facts(event.info))
                    if chunk is not None:
                        if run_manager:
                            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
            last = decoder.close()
            report.answered(_usage(last))
        if run_manager:
            await run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    def _request(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        keywords: dict[str, Any],
        run: ModelRun | None,
        *,
        is_stream: bool = False,
    ) -> ChatRequest:
        refuse_connection_keywords(keywords, type(self).__name__)
        options = run_options(
            run,
            keywords.get("gateway_options"),
            model=self.gateway_options,
            metadata_keys=self.metadata_keys,
            sends_run_id=self.send_run_id,
        )
        call = {**keywords, "gateway_options": options}
        defaults = {
            "model": self.model,
            "surface": self.surface,
            "stream_usage": self.stream_usage,
            "extra_body": self.extra_body,
            **self._sampling(),
        }
        return build_request(messages, defaults, call, stop=stop, is_stream=is_stream)

    def _report(self, request: ChatRequest, run: ModelRun | None) -> CallReport:
        event_id = chosen_event_id(self.gateway_options, request.gateway)
        return report_call(run, Caller("chat", request.model, self, event_id, **facts_of(run)))


def _facts(info: ResponseInfo | None) -> dict[str, Any] | None:
    return info.to_dict() if info else None


def _usage(answer: ChatGeneration) -> UsageMetadata | None:
    return answer.message.usage_metadata if isinstance(answer.message, AIMessage) else None


def _decode(result: RunResult, report: CallReport) -> ChatResult:
    info = result.info
    try:
        decoded = decode_completion(result.output, model=report.caller.model, info=_facts(info))
    except ValueError as error:
        raise APIStatusError(str(error), status_code=info.status_code, info=info, body=result.output) from error
    report.answered(_usage(decoded.generations[0]))
    return decoded
