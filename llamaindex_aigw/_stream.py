"""Streamed chat completions of the wire to LlamaIndex's cumulative responses: bring your own I/O.

Each response holds the message so far and what was added. The last one adds nothing: it comes when the stream has
ended, and it alone has what is known only then, the token counts, with the gateway's facts beside them. So the response
a framework keeps, which is the last, has both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatResponse

from llamaindex_aigw._decode import Answer, as_object, decode_facts, decode_logprobs, first_choice
from llamaindex_aigw._text_responses import text_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llama_index.core.base.llms.types import LogProb

    from aigw import ResponseInfo


class ChunkDecoder:
    """Decodes one streamed chat completion.

    Args:
        info: What the gateway said of the call.
    """

    def __init__(self, info: ResponseInfo) -> None:
        self._info = info
        self._answer = Answer()
        self._fields: dict[str, Any] = {}
        self._choices: list[Any] = []
        self._is_finished = False
        self._logprobs: list[list[LogProb]] = []

    def feed(self, chunk: Mapping[str, Any]) -> ChatResponse | None:
        """Take the next chunk; give the answer so far if the chunk added to it."""
        choice = first_choice(chunk)
        self._keep(chunk, choice)
        if choice.get("logprobs"):
            self._logprobs += decode_logprobs(choice["logprobs"])
        text = self._answer.add_text(choice.get("delta"))
        if text:
            return self._said(text, chunk)
        added = self._answer.add(as_object(choice.get("delta")), completion_id=chunk.get("id"))
        if not added.is_more:
            return None
        return ChatResponse(
            message=self._answer.message(),
            delta=added.text,
            raw=dict(chunk),
            additional_kwargs={"thinking_delta": added.thoughts} if added.thoughts else {},
        )

    def close(self) -> ChatResponse:
        """Say that no more chunks come; give the whole answer with token counts and the gateway's facts.

        `raw` is the last chunk as it would be if everything the chunks said of the completion stood in it.
        """
        fields = _copied({**self._fields, "choices": self._choices})
        facts = self._info.to_dict()
        return ChatResponse(
            message=self._answer.message(is_finished=True),
            delta="",
            raw={**fields, "aigw": facts},
            additional_kwargs=decode_facts(fields.get("usage"), facts),
            logprobs=self._logprobs or None,
        )

    def _said(self, text: str, chunk: Mapping[str, Any]) -> ChatResponse:
        """Give the answer so far after a chunk that added text alone."""
        said = self._answer.only_text
        if said is not None:
            return text_response(said, delta=text, raw=dict(chunk))
        return ChatResponse(message=self._answer.message(), delta=text, raw=dict(chunk), additional_kwargs={})

    def _keep(self, chunk: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
        """Keep what a chunk says of the completion; the choices that tell why it ended outlive later ones."""
        if None in chunk.values():
            chunk = {name: value for name, value in chunk.items() if value is not None}
        self._fields |= chunk
        choices = chunk.get("choices")
        ends = bool(choice.get("finish_reason"))
        if choices and (ends or not self._is_finished):
            self._choices, self._is_finished = choices, ends


def _copied(value: Any) -> Any:
    """Copy what JSON was decoded to, down to the last."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
