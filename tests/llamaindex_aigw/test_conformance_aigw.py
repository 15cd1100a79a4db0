"""The conformance suite on our LLM."""

import pytest

from llamaindex_aigw import CloudflareAIGateway

from .conformance import FunctionCallingLLMConformance


class TestCloudflareAIGateway(FunctionCallingLLMConformance):
    structured = {  # noqa: RUF012 the suite's
        "schema": {"is_structured_output_model": True},
        "tools": {"is_structured_output_model": False},
    }
    model_ids = (
        "openai/gpt-4.1-mini",
        "@cf/meta/llama-3.1-8b-instruct",
        "dynamic/my-route",
        "nobody/has-heard-of-it",
        "workers-ai/@cf/meta/llama-3.1-8b-instruct",
    )

    @pytest.fixture(autouse=True)
    def _opened(self):
        self.opened = []
        yield
        for llm in self.opened:
            llm.close()

    def new_llm(self, url, **fields):
        known = {"model": "openai/gpt-4.1-mini", "account_id": "acct", "max_retries": 0}
        llm = CloudflareAIGateway(base_url=url, api_token=self.secret, **{**known, **fields})
        self.opened.append(llm)
        return llm

    async def close_llm(self, llm):
        llm.close()
        await llm.aclose()
