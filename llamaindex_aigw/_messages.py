"""LlamaIndex's messages to the wire and back: the door to the pure half of this package.

Nothing behind it knows a client, a model class or a socket: messages and dicts in, dicts and responses out. `_encode`
goes to the wire; `_decode` and `_stream` come back from it.
"""

from llamaindex_aigw._decode import decode_completion, to_completion
from llamaindex_aigw._encode import encode_messages
from llamaindex_aigw._stream import ChunkDecoder

__all__ = ["ChunkDecoder", "decode_completion", "encode_messages", "to_completion"]
