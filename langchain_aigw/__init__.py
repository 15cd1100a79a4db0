"""Cloudflare AI Gateway behind LangChain's interfaces: a chat model, embeddings, and feedback to the right log.

    from langchain_aigw import ChatCloudflareAIGateway

    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini")  # CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN
    message = model.invoke("Tell me a joke")
    message.response_metadata["aigw"]["log_id"]

Names are imported when they are first used: LangChain's own modules take seconds to import.
"""

from typing import TYPE_CHECKING, Final

from aigw import __version__
from aigw.integration import lazy

if TYPE_CHECKING:
    from langchain_aigw._captured import capture_logs, get_cost_callback
    from langchain_aigw._recorded import RecordedCall
    from langchain_aigw.callbacks import AIGatewayCallbackHandler
    from langchain_aigw.chat_models import ChatCloudflareAIGateway
    from langchain_aigw.embeddings import CloudflareAIGatewayEmbeddings

__all__ = [
    "AIGatewayCallbackHandler",
    "ChatCloudflareAIGateway",
    "CloudflareAIGatewayEmbeddings",
    "RecordedCall",
    "__version__",
    "capture_logs",
    "get_cost_callback",
]

_MODULES: Final = {
    "AIGatewayCallbackHandler": "callbacks",
    "ChatCloudflareAIGateway": "chat_models",
    "CloudflareAIGatewayEmbeddings": "embeddings",
    "RecordedCall": "_recorded",
    "capture_logs": "_captured",
    "get_cost_callback": "_captured",
}

__getattr__, __dir__ = lazy(__name__, _MODULES, {"langchain_core": "langchain"})
