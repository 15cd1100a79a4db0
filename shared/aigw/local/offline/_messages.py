"""The conversation of a chat request, read once and checked, so that nothing after it looks at raw messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aigw._given import shown
from aigw.local.offline._errors import InvalidRequest

SYSTEM_ROLES: Final = frozenset({"system", "developer"})
RESULT_ROLES: Final = frozenset({"tool", "function"})
ROLES: Final = SYSTEM_ROLES | RESULT_ROLES | {"user", "assistant"}

_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
_SILENT_PARTS: Final = frozenset({"refusal", "thinking", "redacted_thinking", "reasoning", "tool_use", "tool_call"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation.

    Attributes:
        role: One of `ROLES`.
        text: Its text parts, joined by line breaks.
        attachments: How many images, sounds or files it carries.
        calls: The tool calls an assistant made: id to tool name.
        tool: For a tool's result, the name it was given, or the id of the call it answers.
    """

    role: str
    text: str
    attachments: int = 0
    calls: Mapping[str, str] = field(default_factory=dict)
    tool: str = ""


def read_messages(value: Any) -> tuple[Message, ...]:
    """Read the `messages` of a chat request.

    Raises:
        InvalidRequest: There are none, or one has an unknown role or content of another type.
    """
    if not isinstance(value, list) or not value:
        raise InvalidRequest("messages must be a list of at least one message", "messages")
    return tuple(_read_message(item, f"messages[{index}]") for index, item in enumerate(value))


def last_user(messages: Sequence[Message]) -> int:
    """Give the index of the last user message; without one, of the last message."""
    last = len(messages) - 1
    return next((at for at in range(last, -1, -1) if messages[at].role == "user"), last)


def new_results(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Give what tools returned since the last user message, as pairs of tool name and text."""
    results = [message for message in messages[last_user(messages) :] if message.role in RESULT_ROLES]
    if not results:
        return []
    names = {key: name for message in messages for key, name in message.calls.items()}
    return [(names.get(message.tool, message.tool), message.text) for message in results]


def _read_message(value: Any, param: str) -> Message:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{param} must be an object with a role and content", param)
    role = value.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise InvalidRequest(
            f"{param}.role is {shown(role)}, but it must be one of {', '.join(sorted(ROLES))}", f"{param}.role"
        )
    text, attachments = _read_content(value.get("content"), f"{param}.content")
    tool = value.get("tool_call_id") or value.get("name") or ""
    return Message(role, text, attachments, _read_calls(value.get("tool_calls")), str(tool))


def _read_content(value: Any, param: str) -> tuple[str, int]:
    if value is None:
        return "", 0
    if isinstance(value, str):
        return value, 0
    if not isinstance(value, list) or not all(isinstance(part, str | dict) for part in value):
        raise InvalidRequest(f"{param} must be a string or a list of content parts", param)
    texts: list[str] = []
    attachments = 0
    for part in value:
        if isinstance(part, str):
            texts.append(part)
        elif str(part.get("type")) in _TEXT_PARTS:
            texts.append(str(part.get("text", "")))
        else:
            attachments += str(part.get("type")) not in _SILENT_PARTS
    return "\n".join(texts), attachments


def _read_calls(value: Any) -> dict[str, str]:
    calls = value if isinstance(value, list) else []
    return {str(call.get("id")): _name(call.get("function")) for call in calls if isinstance(call, dict)}


def _name(function: Any) -> str:
    return str(function.get("name", "")) if isinstance(function, dict) else ""
