"""LlamaIndex's structured output over the eight endpoints: the half of an LLM that joins `_objects` to them.

LlamaIndex's own programs lose the system prompt in async, change the keywords they are given, and end a stream in a
class of their own making. These do not; what is asked for by `pydantic_program_mode` but for tools is left to them.
"""

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import Any, Final

from llama_index.core.base.llms.types import ChatResponse, ChatResponseAsyncGen, ChatResponseGen
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import Model, PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, ConfigDict

from llamaindex_aigw._objects import ObjectDecoder, ask_with_schema, ask_with_tool, decode_object

_dispatcher: Final = get_dispatcher(__name__)
_PROGRAMS_OWN: Final = ("tool_required", "tool_choice", "allow_parallel_tool_calls")
"""Keywords that LlamaIndex's programs decide themselves, whatever they are given."""


class StructuredOutput(FunctionCallingLLM):
    """An LLM whose four structured methods ask by schema where the model can, else by a tool; made by none but ours."""

    model_config = ConfigDict(defer_build=True)

    strict: bool = False

    def _takes_schema(self) -> bool:
        """Tell whether the model can be held to a JSON schema."""
        raise NotImplementedError

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Answer a prompt with an object of a class.

        Args:
            output_cls: The class.
            prompt: The prompt.
            llm_kwargs: Keywords of the chat, such as `gateway_options`.
            prompt_args: The prompt's variables.

        Raises:
            ValueError: The model gave no such object; a `pydantic.ValidationError` if it gave a wrong one.
        """
        asked = self._ask(output_cls, prompt, llm_kwargs, prompt_args)
        if asked is None:
            found: Model = super().structured_predict(output_cls, prompt, dict(llm_kwargs or {}), **prompt_args)
            return found
        _tell_start(output_cls, prompt, prompt_args)
        return _told(_decode(output_cls, self.chat(**asked)))

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Answer a prompt with an object of a class; as `structured_predict`."""
        asked = self._ask(output_cls, prompt, llm_kwargs, prompt_args)
        if asked is None:
            found: Model = await super().astructured_predict(output_cls, prompt, dict(llm_kwargs or {}), **prompt_args)
            return found
        _tell_start(output_cls, prompt, prompt_args)
        return _told(_decode(output_cls, await self.achat(**asked)))

    def stream_structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | FlexibleModel, None, None]:
        """Answer a prompt with an object of a class as it comes; as `structured_predict`.

        Objects whose fields may still be missing come first, each fuller than the one before. The last one is whole and
        of the class.
        """
        asked = self._ask(output_cls, prompt, llm_kwargs, prompt_args)
        if asked is None:
            return super().stream_structured_predict(output_cls, prompt, dict(llm_kwargs or {}), **prompt_args)
        _tell_start(output_cls, prompt, prompt_args)
        return _read_objects(output_cls, self.stream_chat(**asked))

    async def astream_structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | FlexibleModel, None]:
        """Answer a prompt with an object of a class as it comes; as `stream_structured_predict`."""
        asked = self._ask(output_cls, prompt, llm_kwargs, prompt_args)
        if asked is None:
            return await super().astream_structured_predict(output_cls, prompt, dict(llm_kwargs or {}), **prompt_args)
        _tell_start(output_cls, prompt, prompt_args)
        return _aread_objects(output_cls, await self.astream_chat(**asked))

    def _ask(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None,
        prompt_args: dict[str, Any],
    ) -> dict[str, Any] | None:
        """Make the keywords of the chat; `None` where LlamaIndex's own program is to be used."""
        mode = self.pydantic_program_mode
        is_default = mode is PydanticProgramMode.DEFAULT
        if is_default and self._takes_schema():
            asked = ask_with_schema(output_cls, self._prompted(prompt, prompt_args))
        elif mode is PydanticProgramMode.FUNCTION or (is_default and self.metadata.is_function_calling_model):
            asked = ask_with_tool(output_cls, self._prompted(prompt, prompt_args), strict=self.strict)
        else:
            return None
        return {**asked, **{name: value for name, value in (llm_kwargs or {}).items() if name not in _PROGRAMS_OWN}}

    def _prompted(self, prompt: PromptTemplate, prompt_args: dict[str, Any]) -> list[Any]:
        return self._extend_messages(prompt.format_messages(llm=self, **prompt_args))


def _read_objects(output_cls: type[Model], responses: ChatResponseGen) -> Generator[Model | FlexibleModel, None, None]:
    decoder, last, response = ObjectDecoder(output_cls), None, None
    with closing(responses):
        for response in responses:
            found = decoder.feed(response)
            if found is not None:
                last = found
                yield _tell_progress(found)
    with _telling(output_cls, response):
        whole = _told(decoder.close())
    if whole != last:
        yield whole


async def _aread_objects(
    output_cls: type[Model], responses: ChatResponseAsyncGen
) -> AsyncGenerator[Model | FlexibleModel, None]:
    decoder, last, response = ObjectDecoder(output_cls), None, None
    async with aclosing(responses):
        async for response in responses:
            found = decoder.feed(response)
            if found is not None:
                last = found
                yield _tell_progress(found)
    with _telling(output_cls, response):
        whole = _told(decoder.close())
    if whole != last:
        yield whole


def _decode(output_cls: type[Model], response: ChatResponse) -> Model:
    with _telling(output_cls, response):
        return decode_object(output_cls, response.message)


@contextmanager
def _telling(output_cls: type[BaseModel], response: ChatResponse | None) -> Iterator[None]:
    """Tell LlamaIndex when the answer is no object of the class."""
    try:
        yield
    except ValueError as error:
        from llamaindex_aigw._events import AIGatewayParseErrorEvent  # noqa: PLC0415 -- not wanted before an error

        facts = (response.additional_kwargs if response else {}).get("aigw") or {}
        kind = type(error).__name__
        _dispatcher.event(AIGatewayParseErrorEvent(output_cls=output_cls.__name__, error=kind, aigw=facts))
        raise


def _tell_start(output_cls: type[Model], prompt: PromptTemplate, prompt_args: dict[str, Any]) -> None:
    _dispatcher.event(LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args))


def _tell_progress(found: Any) -> Any:
    _dispatcher.event(LLMStructuredPredictInProgressEvent(output=found))
    return found


def _told(found: Model) -> Model:
    """Tell LlamaIndex of the object, and give it."""
    _dispatcher.event(LLMStructuredPredictEndEvent(output=found))
    return found
