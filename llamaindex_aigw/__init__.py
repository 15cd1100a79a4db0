"""Cloudflare AI Gateway for LlamaIndex: any model behind the gateway as an LLM or an embedding model.

    from llamaindex_aigw import CloudflareAIGateway

    llm = CloudflareAIGateway(model="openai/gpt-4.1-mini")  # CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN
    response = llm.complete("Tell me a joke")
    response.additional_kwargs["aigw"]["log_id"]

Names are imported when they are first used, so that importing this package does not import LlamaIndex.
"""

from typing import TYPE_CHECKING, Final

from aigw import __version__
from aigw.integration import lazy

if TYPE_CHECKING:
    from llamaindex_aigw.callbacks import AIGatewayEventHandler, capture_logs, get_cost_callback
    from llamaindex_aigw.embeddings import CloudflareAIGatewayEmbedding
    from llamaindex_aigw.llms import CloudflareAIGateway

__all__ = [
    "AIGatewayEventHandler",
    "CloudflareAIGateway",
    "CloudflareAIGatewayEmbedding",
    "__version__",
    "capture_logs",
    "get_cost_callback",
]

_MODULES: Final = {
    "AIGatewayEventHandler": "callbacks",
    "CloudflareAIGateway": "llms",
    "CloudflareAIGatewayEmbedding": "embeddings",
    "capture_logs": "callbacks",
    "get_cost_callback": "callbacks",
}

__getattr__, __dir__ = lazy(__name__, _MODULES, {"llama_index": "llamaindex"})
