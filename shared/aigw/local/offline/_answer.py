"""What the model answers, and in which order it tries: a tool, JSON, words from the prompt, or that it has none."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aigw.local.offline._errors import InvalidRequest
from aigw.local.offline._extract import extract
from aigw.local.offline._messages import Message, last_user, new_results, read_messages
from aigw.local.offline._question import Question, find_question
from aigw.local.offline._schema import fill_schema
from aigw.local.offline._schema_check import check_schema
from aigw.local.offline._schema_read import find_schema
from aigw.local.offline._tools import Call, Tool, call_tool, choose_tools, read_choice, read_tools
from aigw.local.offline._values import Finder, join_texts
from aigw.local.offline._words import words

NOTHING: Final = "The offline model has nothing in the prompt to answer from"
_HELLO: Final = "This is the offline model: there is no language model behind it. The prompt says"
_GREETING: Final = re.compile(
    r"\s*(?:hello|hi|hey|ping|test|testing|thanks|thank you|good (?:morning|evening|day|afternoon)|how are you"
    r"|say|reply with|respond with|repeat)\b",
    re.IGNORECASE,
)
_GREETING_WORDS: Final = 12
_LONG_RESULT: Final = 600
_LONGEST_QUOTE: Final = 300
_KEYS_ASKED: Final = re.compile(r"(?i)\b(?:keys?|fields?|properties|attributes)\b")
_KEY: Final = re.compile(r"[\"'`]([A-Za-z_][\w-]*)[\"'`]")
_SCHEMA_ASKED: Final = re.compile(r"(?i)json[ -]?schema|output schema|schema to follow")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: text, or calls of tools and no text."""

    text: str = ""
    calls: tuple[Call, ...] = ()


def answer(body: Mapping[str, Any]) -> Answer:
    """Answer the body of a chat request.

    Raises:
        InvalidRequest: The messages, the tools or the response format are malformed.
    """
    messages = read_messages(body.get("messages"))
    tools = read_tools(body.get("tools"))
    choice = read_choice(body, tools)
    schema = _read_format(body.get("response_format"))
    question = find_question(messages)
    called = frozenset(name for name, _ in new_results(messages))
    chosen = choose_tools(question.prompt, tools, choice, called) if tools else []
    if chosen:
        return Answer(calls=tuple(_call(tool, chosen, question) for tool in chosen))
    if schema is not None:
        return Answer(_as_json(schema, question, messages))
    if embedded := _embedded_schema(messages):
        return Answer(_fill(embedded[0], embedded[1], question))
    return Answer(_in_words(question, messages))


def _call(tool: Tool, chosen: Sequence[Tool], question: Question) -> Call:
    others = [other for other in chosen if other is not tool]
    material = join_texts((*question.material, *question.history))
    return call_tool(tool, question.prompt, others, material, extract(question.text, question.material) or "")


def _read_format(value: Any) -> dict[str, Any] | None:
    """Read `response_format`: None for text, an empty schema for any JSON object."""
    kind = value.get("type") if isinstance(value, dict) else None
    if value is None or kind == "text":
        return None
    if kind == "json_object":
        return {}
    stated = value.get("json_schema") if kind == "json_schema" else None
    if not isinstance(stated, dict):
        raise InvalidRequest(
            "response_format must be of type 'text', 'json_object' or 'json_schema' with a json_schema",
            "response_format",
        )
    schema = stated.get("schema", stated if "type" in stated or "properties" in stated else None)
    if not isinstance(schema, dict):
        raise InvalidRequest(
            "response_format.json_schema must hold a schema object", "response_format.json_schema.schema"
        )
    check_schema(schema, "response_format.json_schema.schema")
    return schema


def _as_json(schema: dict[str, Any], question: Question, messages: Sequence[Message]) -> str:
    if schema:
        return _fill(schema, question.prompt, question)
    if embedded := _embedded_schema(messages):
        return _fill(embedded[0], embedded[1], question)
    prompt = "\n".join(message.text for message in messages if message.role != "assistant")
    keys = [key for line in prompt.splitlines() if _KEYS_ASKED.search(line) for key in _KEY.findall(line)]
    if keys:
        properties: dict[str, Any] = {key: {"type": "string"} for key in keys}
        bare = _KEY.sub("", question.prompt)
        return _fill({"type": "object", "properties": properties, "required": keys}, bare, question)
    return json.dumps({"answer": _in_words(question, messages)}, ensure_ascii=False)


def _embedded_schema(messages: Sequence[Message]) -> tuple[dict[str, Any], str] | None:
    """Find a schema that the prompt itself spells out; a parser of the answer will want it obeyed."""
    for message in reversed(messages):
        if message.role != "assistant" and _SCHEMA_ASKED.search(message.text) and (found := find_schema(message.text)):
            rest = found[1] if message.role == "user" else messages[last_user(messages)].text
            return found[0], rest
    return None


def _fill(schema: dict[str, Any], prompt: str, question: Question) -> str:
    text = join_texts((prompt, *question.material, *question.history))
    reply = extract(question.text, question.material) or ""
    return json.dumps(fill_schema(schema, Finder(text, reply)), ensure_ascii=False)


def _in_words(question: Question, messages: Sequence[Message]) -> str:
    text = question.text if question.is_restatement else _from_prompt(question, messages)
    attachments = messages[last_user(messages)].attachments
    if not attachments:
        return text
    noun = "attachment" if attachments == 1 else "attachments"
    return f"{text} The offline model did not look at {attachments} {noun}."


def _from_prompt(question: Question, messages: Sequence[Message]) -> str:
    if results := new_results(messages):
        return _from_results(question, results)
    if found := extract(question.text, question.material):
        return found
    if question.existing and not question.existing.startswith(NOTHING):
        return question.existing
    if found := extract(question.text, _without_refusals(question.history)):
        return found
    if _GREETING.match(question.text) and len(words(question.text)) <= _GREETING_WORDS:
        return f"{_HELLO}: {_quoted(question.text)}"
    return f"{NOTHING}: {_quoted(question.text)}"


def _from_results(question: Question, results: Sequence[tuple[str, str]]) -> str:
    """Quote what the tools returned; of long documents, the passages that answer the question."""
    if sum(len(text) for _, text in results) > _LONG_RESULT and (
        found := extract(question.text, [text for _, text in results])
    ):
        return found
    return "\n".join(f"{name or 'The tool'} returned: {text.strip() or 'nothing'}" for name, text in results)


def _without_refusals(history: Sequence[str]) -> list[str]:
    return [text for text in history if not text.startswith((NOTHING, _HELLO))]


def _quoted(text: str) -> str:
    plain = " ".join(text.split())
    return f'"{plain}"' if len(plain) <= _LONGEST_QUOTE else f'"{plain[:_LONGEST_QUOTE].rstrip()}\u2026"'
