"""One turn of a script: from what a test wrote to an answer in OpenAI's shape, whole or streamed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio.lowlevel

from aigw._given import shown
from aigw._json import dump_json
from aigw.local import offline
from aigw.local._dialects._openai import openai_error
from aigw.local._reply import EVENT_STREAM, Reply, json_reply
from aigw.local.offline import count_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

_DAY: Final = 86_400_000
_STATUSES: Final = range(100, 600)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(fits, value))


def _is_call(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


_EXPECTED: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "text": ("a text", lambda value: isinstance(value, str)),
    "pieces": ("a list of texts", lambda value: _is_list(value, lambda piece: isinstance(piece, str | bytes))),
    "tool_calls": ("a list of objects with a name", lambda value: _is_list(value, _is_call)),
    "usage": ("[tokens in, tokens out]", lambda value: _is_list(value, _is_whole) and len(value) == 2),
    "embeddings": ("a list of vectors", lambda value: _is_list(value, lambda one: isinstance(one, list | tuple))),
    "status": ("a status from 100 to 599", lambda value: _is_whole(value) and value in _STATUSES),
    "delay": ("milliseconds, up to a day", lambda value: isinstance(value, int | float) and 0 <= value <= _DAY),
    "headers": ("an object", lambda value: isinstance(value, dict)),
    "cut": ("a whole number of pieces", _is_whole),
}
"""What the values of a turn are; those of other keys may be anything, and any may be left out or null."""

_KEYS: Final = (
    *("text", "pieces", "tool_calls", "finish_reason", "usage", "embeddings", "json", "status", "message"),
    *("delay", "headers", "cut", "drop", "times"),
)
_FOR_EMBEDDINGS: Final = frozenset({"embeddings", "json", "status", "drop"})
_SHOWN: Final = 60
_ID: Final = "chatcmpl-script"
NATIVE: Final = "native"
"""The endpoint of a turn that is given on a provider's own path, as it is written."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn.

    Attributes:
        says: What is answered; see `ScriptUpstream`.
        written: The turn as it was written, for sentences about it.
        number: Its place in the script, from 1.
        forever: Whether it is taken by every call from now on.
        answer: The number of its answer, from 1: what the ids of the answer and of its tool calls are made of.
    """

    says: Mapping[str, Any] | Callable[[], Reply]
    written: Any = None
    number: int = 1
    forever: bool = False
    answer: int = 1

    def __str__(self) -> str:
        return f"turn {self.number} ({shown(self.written, _SHOWN)})"

    def taken(self, answer: int) -> Turn:
        """Give it as the one that answers a call."""
        return replace(self, answer=answer)

    def suits(self, endpoint: str) -> bool:
        """Whether a call may take it: one for embeddings leaves turns alone that only speak."""
        if endpoint != "embeddings" or callable(self.says):
            return True
        return bool(_FOR_EMBEDDINGS & self.says.keys())

    @property
    def delay(self) -> float:
        """Seconds before the answer."""
        return 0.0 if callable(self.says) else (self.says.get("delay") or 0) / 1000

    @property
    def drops(self) -> bool:
        """Whether there is no answer."""
        return not callable(self.says) and bool(self.says.get("drop"))

    @property
    def cut(self) -> int | None:
        """How many pieces of a stream come; `None` for all."""
        return None if callable(self.says) else self.says.get("cut")

    def reply(self, endpoint: str, body: Mapping[str, Any]) -> Reply:
        """Answer a call.

        Args:
            endpoint: `chat/completions`, `embeddings` or `NATIVE`.
            body: The body in OpenAI's shape.
        """
        if callable(self.says):
            return self.says()
        reply = _reply(self.says, endpoint, body, self.answer)
        fields = ((str(name).lower(), str(value)) for name, value in (self.says.get("headers") or {}).items())
        return reply.with_headers(*fields)


def read_turns(written: Iterable[Any]) -> list[Turn]:
    """Read a script: every turn as often as it is taken.

    Raises:
        ValueError: One is none (the text has its number), or there is no list of them.
    """
    if isinstance(written, str | bytes | dict) or not isinstance(written, Iterable):
        raise ValueError(f"script: expected a list of turns; got {shown(written)}")  # noqa: TRY004 -- one error for all
    turns: list[Turn] = []
    for number, one in enumerate(written, 1):
        try:
            turns += _read_turn(one, number)
        except ValueError as error:
            raise ValueError(f"script: turn {number}: {error}") from None
    return turns


def _read_turn(written: Any, number: int) -> list[Turn]:
    says = _says(written)
    times = 1 if callable(says) else says.get("times", 1)
    if times == "forever":
        return [Turn(says, written, number, forever=True)]
    if isinstance(times, bool) or not isinstance(times, int) or times < 0:
        raise ValueError(f"times: expected a whole number or 'forever'; got {shown(times)}")
    return [Turn(says, written, number)] * times


def _says(written: Any) -> Mapping[str, Any] | Callable[[], Reply]:
    if isinstance(written, str):
        return {"text": written}
    if isinstance(written, int) and not isinstance(written, bool):
        return {"status": written}
    if isinstance(written, Reply):
        return lambda: written
    if isinstance(written, Exception):
        return lambda: _raise(written)
    if isinstance(written, dict):
        unknown = [key for key in written if key not in _KEYS]
        if unknown:
            raise ValueError(f"unknown key {shown(unknown[0])} of a turn; expected {', '.join(_KEYS)}")
        for key, (expected, fits) in _EXPECTED.items():
            if written.get(key) is not None and not fits(written[key]):
                raise ValueError(f"{key}: expected {expected}; got {shown(written[key])}")
        return written
    if callable(written):
        answer: Callable[[], Reply] = written
        return answer
    raise ValueError(f"a turn is a text, a status, an object, an exception or a Reply; got {shown(written)}")


def _raise(error: Exception) -> Reply:
    raise error


def _reply(says: Mapping[str, Any], endpoint: str, body: Mapping[str, Any], answer: int) -> Reply:
    status = says.get("status") or 200
    if "json" in says:
        return json_reply(status, says["json"])
    if status >= 400:
        return json_reply(status, openai_error(status, says.get("message") or f"the script says {status}"))
    if endpoint == NATIVE:
        body_of = _pieces(says["pieces"]) if "pieces" in says else str(says.get("text", "")).encode()
        return Reply(status, (("content-type", "text/plain; charset=utf-8"),), body_of)
    if endpoint == "embeddings":
        return _embeddings(status, says, body)
    if body.get("stream"):
        return Reply(status, (("content-type", EVENT_STREAM),), _stream(says, body, answer))
    message = {"role": "assistant", "content": _content(says)}
    if says.get("tool_calls"):
        message["tool_calls"] = _tool_calls(says, answer)
    choice = {"index": 0, "message": message, "finish_reason": _reason(says)}
    return json_reply(status, _frame("chat.completion", body, [choice], answer) | {"usage": _usage(says, body)})


def _content(says: Mapping[str, Any]) -> Any:
    return says.get("text", "".join(says.get("pieces") or ()) or None)


def _tool_calls(says: Mapping[str, Any], answer: int) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": call.get("id") or f"call_{answer}_{index}",
            "type": "function",
            "function": {"name": call["name"], "arguments": _text(call.get("arguments", {}))},
        }
        for index, call in enumerate(says.get("tool_calls") or ())
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


def _reason(says: Mapping[str, Any]) -> str:
    return says.get("finish_reason") or ("tool_calls" if says.get("tool_calls") else "stop")


def _usage(says: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, int]:
    asked = sum(count_tokens(_text(message.get("content") or "")) for message in body.get("messages") or ())
    tokens_in, tokens_out = says.get("usage") or (asked, count_tokens(_content(says) or ""))
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def _frame(kind: str, body: Mapping[str, Any], choices: list[dict[str, Any]], answer: int) -> dict[str, Any]:
    return {"id": f"{_ID}-{answer}", "object": kind, "created": 0, "model": body.get("model"), "choices": choices}


async def _pieces(pieces: Iterable[str | bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece.encode() if isinstance(piece, str) else piece
        await anyio.lowlevel.checkpoint()


async def _stream(says: Mapping[str, Any], body: Mapping[str, Any], answer: int) -> AsyncIterator[bytes]:
    for chunk in _chunks(says, body, answer):
        yield b"data: " + dump_json(chunk) + b"\n\n"
        await anyio.lowlevel.checkpoint()
    yield b"data: [DONE]\n\n"


def _chunks(says: Mapping[str, Any], body: Mapping[str, Any], answer: int) -> Iterator[dict[str, Any]]:
    text = says.get("text") or ""
    pieces = says.get("pieces") or [word for word in text.partition(" ") if word]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    deltas += [{"tool_calls": [call]} for call in _tool_calls(says, answer)]
    frame = partial(_frame, "chat.completion.chunk", body, answer=answer)
    for delta in deltas:
        yield frame([{"index": 0, "delta": delta, "finish_reason": None}])
    yield frame([{"index": 0, "delta": {}, "finish_reason": _reason(says)}])
    if (body.get("stream_options") or {}).get("include_usage"):
        yield frame([]) | {"usage": _usage(says, body)}


def _embeddings(status: int, says: Mapping[str, Any], body: Mapping[str, Any]) -> Reply:
    if "embeddings" not in says:
        return _offline_embeddings(body)
    data = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(says["embeddings"])]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return json_reply(status, {"object": "list", "model": body.get("model"), "data": data, "usage": usage})


def _offline_embeddings(body: Mapping[str, Any]) -> Reply:
    try:
        return json_reply(200, offline.embed(dict(body)))
    except offline.InvalidRequest as error:
        return json_reply(400, openai_error(400, str(error)))
