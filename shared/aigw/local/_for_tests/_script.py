"""An upstream that says what a test wrote down: answers, delays, errors, cut streams, one turn for each call.

Playing a turn stands here too, for the scripts that a running gateway is given (`LocalGateway.script`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import anyio

from aigw._given import check_whole
from aigw.local._for_tests._faults import CutBody
from aigw.local._for_tests._script_turn import NATIVE, Turn, read_turns
from aigw.local._reply import Reply, json_reply
from aigw.local._upstreams._upstream import UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aigw.local._upstreams._upstream import NativeRequest, UpstreamEndpoint

    Written = str | int | dict[str, Any] | Exception | Reply | Callable[[], Reply]

MAX_REQUESTS: Final = 1000
"""Of a script, and kept unless it is told otherwise."""

_OVER: Final = "the script has no turn left for this call"


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """What one call asked of a script.

    Attributes:
        endpoint: `chat/completions` or `embeddings`; a provider's own path where no dialect has its shape.
        body: The body in OpenAI's shape; as it came on a provider's own path.
        headers: The header fields; a provider's key is among them.
        method: The method.
        content: The bytes of the body on a provider's own path.
    """

    endpoint: str
    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    method: str = "POST"
    content: bytes = field(default=b"", repr=False)


class ScriptUpstream:
    """Answers turn by turn; safe in threads.

    A turn is a text to answer with, a status to fail with (`503`), an exception to raise, a `Reply` or a function that
    makes one, or an object:

    - `text`, `pieces` (the text as a stream brings it), `tool_calls` (each `{name, arguments}`, and `id` if that
      matters), `finish_reason`, `usage` (tokens in and out), `embeddings` (vectors): an answer;
    - `json`: a whole body in OpenAI's shape; `status` and `message`, or `status` and `json`: an error;
    - `delay` (milliseconds before), `headers`, `cut` (a stream breaks off after so many pieces), `drop` (no answer);
    - `times`: how often the turn is taken, 1 by default, `"forever"` for always.

    No two answers have an id in common: the first is `chatcmpl-script-1`, its tool calls, unless a turn gives their
    `id`, `call_1_0`, `call_1_1` and so on, and the next answer's `chatcmpl-script-2` and `call_2_0`.

    Args:
        turns: The turns in order. A call after the last one is answered with status 500.
        provider: The name in the `cf-aig-provider` header; a provider's slug makes its prices count.
        keep_requests: How many of the last requests are kept for `requests`; 0 for none.

    Attributes:
        provider: The name.
        requests: What was asked, the last request last.

    Raises:
        ValueError: A turn is none of these, or `keep_requests` is no whole number, or below 0.
    """

    def __init__(
        self, turns: Iterable[Written], *, provider: str = "script", keep_requests: int = MAX_REQUESTS
    ) -> None:
        check_whole("keep_requests", keep_requests, least=0)
        self.provider = provider
        self.requests: list[ScriptRequest] = []
        self._keep_requests = keep_requests
        self._lock = Lock()
        self._turns = read_turns(turns)
        self._answers = 0

    @classmethod
    def load(cls, path: str | Path, *, provider: str = "script", keep_requests: int = MAX_REQUESTS) -> ScriptUpstream:
        """Read the turns from a file: JSON, or YAML where PyYAML is installed.

        Args:
            path: A file that holds an array of turns.
            provider: As for the constructor.
            keep_requests: As for the constructor.

        Raises:
            ModuleNotFoundError: The file is YAML, and PyYAML is not installed.
            ValueError: The file holds no array, a turn is none, or `keep_requests` as for the constructor.
        """
        path = Path(path)
        text = path.read_text("utf-8")
        turns = json.loads(text) if path.suffix == ".json" else _parse_yaml(text)
        if not isinstance(turns, list):
            message = f"{path.name}: expected an array of turns"
            raise ValueError(message)  # noqa: TRY004 -- a wrong file, not a wrong type in a program
        return cls(turns, provider=provider, keep_requests=keep_requests)

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        """Take the next turn; see `Upstream.send`."""
        turn = self._take(ScriptRequest(endpoint, body, dict(headers)))
        if turn is None:
            return json_reply(500, {"error": {"message": _OVER, "type": "script", "param": None, "code": None}})
        return await play(turn, endpoint, body)

    def is_native(self, provider: str, *, has_dialect: bool) -> bool:
        """Tell whether a turn is to be given as it is written; see `NativeUpstream.is_native`."""
        del provider
        return not has_dialect

    async def forward(self, request: NativeRequest) -> Reply:
        """Take the next turn on a provider's own path; see `NativeUpstream.forward`.

        A `Reply` and `json` are the whole answer, `text` and `pieces` its bytes as they are, `text/plain` unless
        `headers` say otherwise.
        """
        turn = self._take(
            ScriptRequest(request.path, request.body, dict(request.headers), request.method, request.content)
        )
        if turn is None:
            return json_reply(500, {"error": {"message": _OVER, "type": "script", "param": None, "code": None}})
        return await play(turn, NATIVE, request.body)

    def _take(self, request: ScriptRequest) -> Turn | None:
        with self._lock:
            self.requests.append(request)
            if len(self.requests) > self._keep_requests:
                del self.requests[0]
            if not self._turns:
                return None
            self._answers += 1
            turn = self._turns[0] if self._turns[0].forever else self._turns.pop(0)
            return turn.taken(self._answers)


async def play(turn: Turn, endpoint: str, body: dict[str, Any]) -> Reply:
    """Answer a call as a turn says.

    Raises:
        UpstreamUnreachableError: The turn gives no answer.
        Exception: The turn is one, or its function raised it; a note names the turn.
    """
    await anyio.sleep(turn.delay)
    if turn.drops:
        raise UpstreamUnreachableError("dropped by the script")
    try:
        reply = turn.reply(endpoint, body)
    except Exception as error:
        error.add_note(f"raised by {turn} of the script")
        raise
    if turn.cut is None or isinstance(reply.body, bytes):
        return reply
    return Reply(reply.status, reply.headers, CutBody(reply.body, turn.cut))


def _parse_yaml(text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 -- not a dependency: only scripts in YAML need it
    except ModuleNotFoundError as error:
        message = "a script in YAML needs PyYAML: pip install pyyaml, or write it as .json"
        raise ModuleNotFoundError(message, name="yaml") from error
    return yaml.safe_load(text)
