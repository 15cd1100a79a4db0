"""Every API the local gateway speaks, translated to and from OpenAI chat completions and embeddings.

Pure functions and incremental translators; no sockets. An upstream needs to know OpenAI's two endpoints only, and each
surface of the gateway (Anthropic Messages, OpenAI Responses, Workers AI inputs, Google, Bedrock, Cohere) is a `Dialect`
over them. `raw` is what no dialect can say.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.local._dialects._bedrock import CLAUDE, CLAUDE_STREAM, CONVERSE, CONVERSE_STREAM
from aigw.local._dialects._cohere import COHERE, COHERE_EMBED
from aigw.local._dialects._dialect import Body, Dialect, InvalidBody, StreamTranslator
from aigw.local._dialects._google import GOOGLE, GOOGLE_ARRAY, GOOGLE_EMBED, GOOGLE_EMBED_BATCH, GOOGLE_SSE
from aigw.local._dialects._messages import MESSAGES
from aigw.local._dialects._openai import CHAT, EMBEDDINGS, RAW
from aigw.local._dialects._responses import RESPONSES
from aigw.local._dialects._workers_ai import WORKERS_AI, workers_ai_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIALECTS", "Body", "Dialect", "InvalidBody", "StreamTranslator", "workers_ai_for"]

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            *(CHAT, EMBEDDINGS, MESSAGES, RESPONSES, WORKERS_AI),
            *(GOOGLE, GOOGLE_ARRAY, GOOGLE_SSE, GOOGLE_EMBED, GOOGLE_EMBED_BATCH),
            *(CLAUDE, CLAUDE_STREAM, CONVERSE, CONVERSE_STREAM, COHERE, COHERE_EMBED, RAW),
        )
    }
)
"""The dialects by name, which is the name a path is routed by."""
