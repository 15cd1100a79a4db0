"""LangChain's own integration suite over the chat model, whole, once for each way to structure output.

The images, sounds and documents of its multimodal tests would be downloaded; those stay off here, and
`test_langchain_encode` holds every kind of block.
"""

import functools
import operator

import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from aigw.local import LocalGateway, OfflineUpstream
from langchain_aigw import ChatCloudflareAIGateway

pytestmark = pytest.mark.filterwarnings("ignore:json_schema cannot take a pydantic.v1 class:UserWarning")


class _Suite(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _gateway(self, aigw_local, request):
        self._base_url = aigw_local.base_url
        self._fixture = request.getfixturevalue

    @property
    def chat_model_class(self):
        return ChatCloudflareAIGateway

    @property
    def chat_model_params(self):
        return {
            "model": "openai/gpt-5-mini",
            "account_id": "acct",
            "api_token": "test-token",
            "base_url": self._base_url,
        }

    @property
    def supports_json_mode(self):
        return True

    @property
    def model_override_value(self):
        return "openai/gpt-5"

    @property
    def supports_anthropic_inputs(self):
        return True

    @property
    def supported_usage_metadata_details(self):
        details = ["audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_audio_input(self, *, stream=False):
        return self._answer_that_used({"prompt_tokens_details": {"audio_tokens": 2}}, stream=stream)

    def invoke_with_audio_output(self, *, stream=False):
        return self._answer_that_used({"completion_tokens_details": {"audio_tokens": 2}}, stream=stream)

    def invoke_with_reasoning_output(self, *, stream=False):
        return self._answer_that_used({"completion_tokens_details": {"reasoning_tokens": 2}}, stream=stream)

    def invoke_with_cache_read_input(self, *, stream=False):
        return self._answer_that_used({"prompt_tokens_details": {"cached_tokens": 2}}, stream=stream)

    def invoke_with_cache_creation_input(self, *, stream=False):
        return self._answer_that_used({"prompt_tokens_details": {"cache_write_tokens": 2}}, stream=stream)

    def _answer_that_used(self, details, *, stream):
        """Ask an upstream that counts tokens which the offline model has no use for."""
        stage, wire = self._fixture("stage"), self._fixture("wire")
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, **details}
        if not stream:
            stage.play(wire.answer("Hello.") | {"usage": usage})
            return stage.chat().invoke("hi")
        stage.play([wire.delta(content="Hello."), wire.end(usage=usage)])
        return functools.reduce(operator.add, stage.chat().stream("hi"))


class TestChatJSONSchema(_Suite):
    pass


class TestChatFunctionCalling(_Suite):
    @property
    def structured_output_kwargs(self):
        return {"method": "function_calling"}


class Prompted:
    """The offline model, told in JSON mode which keys are wanted: neither prompts nor wire say it there."""

    provider = "offline"
    wish = "Return the result as a JSON with 'setup' and 'punchline' keys."

    def __init__(self):
        self._model = OfflineUpstream()

    async def send(self, endpoint, body, headers):
        if body.get("response_format") == {"type": "json_object"}:
            body = {**body, "messages": [{"role": "system", "content": self.wish}, *body["messages"]]}
        return await self._model.send(endpoint, body, headers)


class TestChatJSONMode(_Suite):
    @pytest.fixture(autouse=True)
    def _prompted(self, _gateway):
        with LocalGateway(upstream=Prompted()) as gateway:
            self._base_url = gateway.base_url
            yield

    @property
    def structured_output_kwargs(self):
        return {"method": "json_mode"}
