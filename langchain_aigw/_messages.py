"""LangChain's messages to the wire and back: the door to the pure half of this package.

Nothing behind it knows a client, a class of models or a socket: dicts and messages in, messages and dicts out.
`_encode` and `_blocks` go to the wire; `_decode`, `_stream`, `_tool_calls` and `_usage` come back from it; `_translate`
tells LangChain what the content of what came back is, as soon as this module is imported.
"""

from langchain_aigw._decode import PROVIDER, decode_completion
from langchain_aigw._encode import encode_messages
from langchain_aigw._stream import ChunkDecoder
from langchain_aigw._translate import translate, translate_chunk

__all__ = ["PROVIDER", "ChunkDecoder", "decode_completion", "encode_messages", "translate", "translate_chunk"]
