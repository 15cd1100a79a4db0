"""Cloudflare AI Gateway behind LangChain's interfaces: a chat model, embeddings, and feedback to the right log.

    from langchain_aigw import ChatCloudflareAIGateway

    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini")  # CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN
    message = model.invoke("Tell me a joke")
    message.response_metadata["aigw"]["log_id"]

Names are imported when they are first used: LangChain's own modules take seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw import __version__

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


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("langchain_core"):
            raise
        raise ImportError(f"{__name__} needs LangChain: pip install 'aigw[langchain]'") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
