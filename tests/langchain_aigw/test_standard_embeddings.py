"""LangChain's own suites over the embeddings, whole."""

import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from langchain_aigw import CloudflareAIGatewayEmbeddings


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self):
        return CloudflareAIGatewayEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": "openai/text-embedding-3-small"}

    @property
    def init_from_env_params(self):
        environment = {"CLOUDFLARE_ACCOUNT_ID": "acct", "CLOUDFLARE_API_TOKEN": "test-token"}
        expected = {"account_id": "acct", "api_token": "test-token"}
        return environment, {"model": "openai/text-embedding-3-small"}, expected


class TestEmbeddingsIntegration(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def _gateway(self, aigw_local):
        self._base_url = aigw_local.base_url

    @property
    def embeddings_class(self):
        return CloudflareAIGatewayEmbeddings

    @property
    def embedding_model_params(self):
        return {
            "model": "openai/text-embedding-3-small",
            "account_id": "acct",
            "api_token": "test-token",
            "base_url": self._base_url,
        }
