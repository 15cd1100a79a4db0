"""What a client has to do to be measured, and what it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MODEL: Final = "openai/gpt-4.1-mini"
HISTORY: Final = 200
BIG: Final = 1_000_000
PATH: Final = "/client/v4/accounts/acct/ai/v1/chat/completions"
TOOLS: Final = [
    {
        "type": "function",
        "function": {
            "name": f"look_up_{number}",
            "description": "Look something up in a database of the company.",
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
                "required": ["query"],
            },
        },
    }
    for number in range(5)
]


def conversation(kind: str, mark: str = "") -> list[dict[str, str]]:
    """Give the messages of a prompt: `small`, `tools`, `history` (200 messages) or `big` (1 MB)."""
    if kind == "history":
        roles = ("user", "assistant")
        text = "A message of an ordinary length, as people write them when they ask something. "
        return [{"role": roles[number % 2], "content": f"{number} {text}{mark}"} for number in range(HISTORY)]
    text = "Say hello. " * (BIG // 11) if kind == "big" else "Say hello."
    return [{"role": "system", "content": "You are brief."}, {"role": "user", "content": f"{text} {mark}"}]


class Subject:
    """What is measured.

    Args:
        base_url: The server.

    Attributes:
        is_sync: Whether it has sync methods.
        is_async: Whether it has async ones.
        takes_tools: Whether it can be given tools.
    """

    is_sync: ClassVar[bool] = True
    is_async: ClassVar[bool] = True
    takes_tools: ClassVar[bool] = False

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def ask(self, messages: list[dict[str, str]]) -> Any:
        """Give the messages as this client takes them."""
        return messages

    def construct(self) -> Any:
        """Make another client or model, as a user would."""
        return type(self)(self.base_url)

    def call(self, question: Any) -> Any:
        """Ask and read the whole answer."""
        raise NotImplementedError

    async def acall(self, question: Any) -> Any:
        """Ask and read the whole answer."""
        raise NotImplementedError

    def call_tools(self, question: Any) -> Any:
        """Ask with five tools bound."""
        raise NotImplementedError

    def stream(self, question: Any) -> Iterator[Any]:
        """Ask and give the answer as it comes."""
        raise NotImplementedError

    def astream(self, question: Any) -> AsyncIterator[Any]:
        """Ask and give the answer as it comes."""
        raise NotImplementedError


def chat_body(messages: list[dict[str, str]], *, stream: bool = False) -> dict[str, Any]:
    """Give the request in OpenAI's shape."""
    return {"model": MODEL, "messages": messages, **({"stream": True} if stream else {})}


def chunks_asked(text: str) -> int:
    """Give the number of chunks a prompt asks for, as the server reads it."""
    return int(text.partition("[chunks=")[2].partition("]")[0] or 20)
