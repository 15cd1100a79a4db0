"""Google's generateContent request as an OpenAI chat completion's, and its embedContent as OpenAI's embeddings.

Source: Gemini API reference, Generating content, Embeddings; OpenAI API reference. Names are read in camel case and in
snake case, as Google's API takes them. A function call without an id gets one from its place, and an answer without one
is that of the oldest unanswered call of its name. What OpenAI has no word for is left out (`topK`, `safetySettings`,
thoughts, cached content); what would change the answer is refused (files by URI, code execution, Google's search).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aigw._given import shown
from aigw._json import dump_json
from aigw.local._dialects._dialect import Body, InvalidBody, entries, entry, function_tool, one_of, pick, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_SAMPLING: Final = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
    "seed": "seed",
    "candidateCount": "n",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
_MODES: Final = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto"}
_UPPER: Final = re.compile(r"(?<!^)([A-Z])")


def ask(body: Body) -> Body:
    """Translate a request for a whole answer.

    Raises:
        InvalidBody: A field is missing, of the wrong type, or of a kind that OpenAI's API cannot say.
    """
    config = entry(named(body, "generationConfig") or {}, "generationConfig")
    messages = [message for turn in _turns(body) for message in turn]
    if not messages:
        raise InvalidBody("contents: at least one content is required")
    return {
        "model": text(body.get("model"), "model"),
        "messages": [*_system(named(body, "systemInstruction")), *messages],
        **pick({name: named(config, name) for name in _SAMPLING}, _SAMPLING),
        **_tools(body),
        **_format(config),
    }


def ask_stream(body: Body) -> Body:
    """Translate a request for a streamed answer.

    Raises:
        InvalidBody: As for `ask`.
    """
    return {**ask(body), "stream": True, "stream_options": {"include_usage": True}}


def ask_embedding(body: Body) -> Body:
    """Translate a request for one vector.

    Raises:
        InvalidBody: There is no text to embed.
    """
    return _embeddings(body, [("", body)])


def ask_embeddings(body: Body) -> Body:
    """Translate a request for several vectors.

    Raises:
        InvalidBody: There is no text to embed.
    """
    requests = [(f"{where}.", request) for where, request in entries(body.get("requests"), "requests")]
    if not requests:
        raise InvalidBody("requests: at least one request is required")
    return _embeddings(body, requests)


def named(fields: Mapping[str, Any], name: str) -> Any:
    """Give a field that may be written in camel case or in snake case."""
    value = fields.get(name)
    return fields.get(_UPPER.sub(r"_\1", name).lower()) if value is None else value


def _embeddings(body: Body, requests: Iterable[tuple[str, Body]]) -> Body:
    texts, sizes = [], []
    for where, request in requests:
        content = entry(request.get("content"), f"{where}content")
        texts.append(_words(content, f"{where}content"))
        sizes.append(named(request, "outputDimensionality"))
    size = {"dimensions": sizes[0]} if sizes[0] is not None else {}
    return {"model": text(body.get("model"), "model"), "input": texts, "encoding_format": "float", **size}


def _system(value: object) -> list[Body]:
    if not value:
        return []
    return [{"role": "system", "content": _words(entry(value, "systemInstruction"), "systemInstruction")}]


def _words(content: Body, where: str) -> str:
    parts = entries(content.get("parts"), f"{where}.parts")
    return "\n\n".join(text(part.get("text"), f"{place}.text") for place, part in parts)


def _turns(body: Body) -> Iterator[list[Body]]:
    waiting: list[tuple[str, str]] = []
    for where, content in entries(body.get("contents"), "contents"):
        parts = list(entries(content.get("parts"), f"{where}.parts"))
        if content.get("role") == "model":
            yield [_assistant(parts, waiting)]
        else:
            yield _user(parts, waiting)


def _assistant(parts: list[tuple[str, Body]], waiting: list[tuple[str, str]]) -> Body:
    words: list[str] = []
    calls: list[Body] = []
    for where, part in parts:
        call = named(part, "functionCall")
        if call is not None:
            calls.append(_call(entry(call, f"{where}.functionCall"), where, waiting))
        elif not part.get("thought"):
            words.append(text(part.get("text"), f"{where}.text"))
    message: Body = {"role": "assistant", "content": "".join(words) if words or not calls else None}
    return {**message, "tool_calls": calls} if calls else message


def _call(call: Body, where: str, waiting: list[tuple[str, str]]) -> Body:
    name = text(call.get("name"), f"{where}.functionCall.name")
    key = call.get("id") or f"call_{where.replace('.', '_')}"
    waiting.append((name, key))
    arguments = dump_json(entry(call.get("args") or {}, f"{where}.functionCall.args")).decode()
    return {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}


def _user(parts: list[tuple[str, Body]], waiting: list[tuple[str, str]]) -> list[Body]:
    results: list[Body] = []
    said: list[Body] = []
    for where, part in parts:
        response = named(part, "functionResponse")
        if response is None:
            said.append(_part(part, where))
        else:
            results.append(_result(entry(response, f"{where}.functionResponse"), where, waiting))
    content = said[0]["text"] if len(said) == 1 and said[0]["type"] == "text" else said
    return [*results, {"role": "user", "content": content}] if said else results


def _result(response: Body, where: str, waiting: list[tuple[str, str]]) -> Body:
    name = text(response.get("name"), f"{where}.functionResponse.name")
    key = response.get("id") or next((key for called, key in waiting if called == name), None)
    if key is None:
        raise InvalidBody(f"{where}.functionResponse: no call of {shown(name)} came before it")
    waiting[:] = [pair for pair in waiting if pair[1] != key]
    content = dump_json(response.get("response") or {}).decode()
    return {"role": "tool", "tool_call_id": key, "content": content}


def _part(part: Body, where: str) -> Body:
    data = named(part, "inlineData")
    if data is None:
        return {"type": "text", "text": text(part.get("text"), f"{where}.text")}
    inline = entry(data, f"{where}.inlineData")
    kind = text(named(inline, "mimeType"), f"{where}.inlineData.mimeType")
    if not kind.startswith("image/"):
        raise InvalidBody(f"{where}.inlineData.mimeType: only images are supported; got {shown(kind)}")
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{text(inline.get('data'), where)}"}}


def _tools(body: Body) -> Body:
    found: Body = {}
    tools = [tool for where, group in entries(body.get("tools") or [], "tools") for tool in _declarations(group, where)]
    if tools:
        found["tools"] = tools
    config = entry(named(body, "toolConfig") or {}, "toolConfig")
    choice = entry(named(config, "functionCallingConfig") or {}, "toolConfig.functionCallingConfig")
    if choice.get("mode"):
        mode = one_of(choice["mode"], _MODES, "toolConfig.functionCallingConfig.mode")
        names = named(choice, "allowedFunctionNames") or []
        one = mode == "required" and len(names) == 1
        found["tool_choice"] = {"type": "function", "function": {"name": names[0]}} if one else mode
    return found


def _declarations(group: Body, where: str) -> Iterator[Body]:
    declared = named(group, "functionDeclarations")
    if declared is None:
        raise InvalidBody(f"{where}: only functionDeclarations are supported; got {', '.join(group)}")
    for place, function in entries(declared, f"{where}.functionDeclarations"):
        parameters = named(function, "parametersJsonSchema")
        yield function_tool(
            function, json_schema(function.get("parameters")) if parameters is None else parameters, place
        )


def json_schema(value: Any) -> Any:
    """Write Google's schema as JSON Schema, whose types are in lower case."""
    if isinstance(value, list):
        return [json_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: item.lower() if name == "type" and isinstance(item, str) else json_schema(item)
        for name, item in value.items()
    }


def _format(config: Body) -> Body:
    schema = named(config, "responseJsonSchema") or json_schema(named(config, "responseSchema"))
    if schema:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}}
    write: Callable[[], Body] = _FORMATS.get(str(named(config, "responseMimeType")), dict)
    return write()


_FORMATS: Final[Mapping[str, Callable[[], Body]]] = {
    "application/json": lambda: {"response_format": {"type": "json_object"}}
}
