"""Every API the local gateway speaks, translated to and from OpenAI chat completions and embeddings.

Pure functions and incremental translators; no sockets. An upstream needs to know OpenAI's two endpoints only, and each
surface of the gateway (Anthropic Messages, OpenAI Responses, Workers AI inputs) is a `Dialect` over them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.local._dialects._dialect import Body, Dialect, InvalidBody, StreamTranslator
from aigw.local._dialects._messages import MESSAGES
from aigw.local._dialects._openai import CHAT, EMBEDDINGS
from aigw.local._dialects._responses import RESPONSES
from aigw.local._dialects._workers_ai import WORKERS_AI, workers_ai_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIALECTS", "Body", "Dialect", "InvalidBody", "StreamTranslator", "workers_ai_for"]

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {dialect.name: dialect for dialect in (CHAT, EMBEDDINGS, MESSAGES, RESPONSES, WORKERS_AI)}
)
"""The dialects by name: `chat`, `embeddings`, `messages`, `responses`, `workers-ai`."""
