"""The conformance suite on LlamaIndex's own OpenAI integration, to show that the suite is fair.

That one wants `openai<3`, which cannot be had beside a newer `openai`: it runs in an environment of its own, and
elsewhere is skipped. What it fails is known and explained in `OPENAI_FAILS`; a case of those that passes is an error.
Its clients are closed by nobody, which pytest is not to mind:

    python -m pytest tests/llamaindex_aigw/test_conformance_openai.py --tb=native -W ignore::ResourceWarning \
        -W ignore::pytest.PytestUnraisableExceptionWarning
"""

import pytest

from ..needs import require  # noqa: TID252 -- the tests are no package with a name
from .conformance import OPENAI_FAILS, FunctionCallingLLMConformance

require.module(
    "llama_index.llms.openai",
    how="an environment of its own, for it wants openai<3: pip install . --group conformance",
)


class TestOpenAI(FunctionCallingLLMConformance):
    structured = {"schema": {"model": "gpt-4.1-mini"}, "tools": {"model": "gpt-4-turbo"}}  # noqa: RUF012 the suite's
    thinks = False

    @pytest.fixture(autouse=True)
    def _known(self, request):
        name = request.node.name
        params, reason = OPENAI_FAILS.get(name.split("[")[0], ((), ""))
        if reason and (not params or any(param in name for param in params)):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

    def new_llm(self, url, **fields):
        from llama_index.llms.openai import OpenAI  # noqa: PLC0415 it is seldom there

        known = {"model": "gpt-4.1-mini", "max_retries": 0, "api_base": f"{url}/v1", "api_key": self.secret}
        return OpenAI(**{**known, **fields})
