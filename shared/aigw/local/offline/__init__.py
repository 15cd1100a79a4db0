"""The offline model: what answers when there is no network.

It is no language model. It quotes the prompt: answers are sentences of the documents it was given, arguments and JSON
values are words and numbers of the prompt in the form the schema demands, embeddings hold which words a text uses. When
the prompt has no answer it says so. The same request always gets the same answer. Nothing here reads a file, a clock or
a socket.
"""

from aigw.local.offline._completion import chat, count_prompt, stream_chat
from aigw.local.offline._embedding import embed
from aigw.local.offline._errors import InvalidRequest
from aigw.local.offline._tokens import count_tokens

__all__ = ["InvalidRequest", "chat", "count_prompt", "count_tokens", "embed", "stream_chat"]
