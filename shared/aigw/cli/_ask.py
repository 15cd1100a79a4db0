"""`cf-aigw run` and `cf-aigw chat`: ask a model; the answer goes to stdout, the log id to stderr."""

import base64
import json
import sys
from typing import Annotated, Any

import typer

from aigw._errors import ConfigurationError
from aigw._facts import ResponseInfo
from aigw._models import ChatCompletionChunk, RunResult, StreamEvent
from aigw._options import GatewayOptions
from aigw._stream_readers import Stream
from aigw.cli._command import add_command
from aigw.cli._output import Output
from aigw.cli._session import Session
from aigw.cli._values import parse_pairs, read_json

Model = Annotated[str, typer.Argument(help="Such as openai/gpt-4.1-mini or @cf/meta/llama-3.1-8b-instruct.")]
EventId = Annotated[str | None, typer.Option("--event-id", metavar="ID", help="Your own id for the call.")]
Metadata = Annotated[list[str] | None, typer.Option("--metadata", metavar="K=V", help="A label of the log; repeat.")]


def run(
    session: Session,
    model: Model,
    given: Annotated[
        str, typer.Option("--input", metavar="JSON", help="The model's inputs: JSON, @file, or - for stdin.")
    ] = "-",
    *,
    stream: Annotated[bool, typer.Option("--stream", help="Print events as they come, one JSON a line.")] = False,
    event_id: EventId = None,
    metadata: Metadata = None,
) -> None:
    """Run any model on its own inputs."""
    inputs, options = read_json(given), _options(event_id, metadata)
    with session.client() as client:
        if stream:
            _print_events(session.output, client.stream_run(model, inputs, gateway=options))
            return
        result = client.run(model, inputs, gateway=options)
    _print_result(session.output, result)


def chat(
    session: Session,
    model: Model,
    prompt: Annotated[str | None, typer.Argument(help="What to say; stdin when left out.")] = None,
    *,
    system: Annotated[str | None, typer.Option("--system", metavar="TEXT", help="The system message.")] = None,
    event_id: EventId = None,
    metadata: Metadata = None,
) -> None:
    """Ask a chat model, and read the answer as it comes."""
    client = session.client()
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": _prompt(session.output, prompt)})
    body: dict[str, Any] = {"model": model, "messages": messages}
    if session.output.as_json:
        body["stream_options"] = {"include_usage": True}
    with client, client.stream_chat(body, gateway=_options(event_id, metadata)) as stream:
        if session.output.as_json:
            session.output.json(_gather(stream))
        else:
            _print_text(session.output, stream)


def add_to(app: typer.Typer) -> None:
    """Add both commands."""
    add_command(app, "run")(run)
    add_command(app, "chat")(chat)


def _options(event_id: str | None, metadata: list[str] | None) -> GatewayOptions:
    options: GatewayOptions = {}
    if event_id is not None:
        options["event_id"] = event_id
    if metadata:
        options["metadata"] = parse_pairs(metadata)
    return options


def _prompt(output: Output, prompt: str | None) -> str:
    if prompt is None:
        if sys.stdin.isatty():
            output.remark("Reading the prompt from stdin; Ctrl-D ends it.")
        prompt = sys.stdin.read()
    if not prompt.strip():
        raise ConfigurationError("the prompt is empty: give it after the model, or on stdin")
    return prompt


def _print_text(output: Output, stream: Stream[ChatCompletionChunk]) -> None:
    try:
        for chunk in stream:
            output.write(chunk.text)
    finally:
        output.write("\n")
        _print_log_id(output, stream.info)


def _gather(stream: Stream[ChatCompletionChunk]) -> dict[str, Any]:
    texts, finish, usage, model = [], None, None, None
    for chunk in stream:
        texts.append(chunk.text)
        model = chunk.model or model
        usage = chunk.usage or usage
        finish = next((choice.finish_reason for choice in chunk.choices if choice.finish_reason), finish)
    return {
        "text": "".join(texts),
        "model": model,
        "finish_reason": finish,
        "usage": usage.model_dump() if usage else None,
        "info": _facts(stream.info),
    }


def _print_events(output: Output, stream: Stream[StreamEvent]) -> None:
    with stream:
        for event in stream:
            if isinstance(event, bytes):
                _print_bytes(event)
            else:
                output.json(dict(event))
        _print_log_id(output, stream.info)


def _print_result(output: Output, result: RunResult) -> None:
    is_bytes = isinstance(result.output, bytes)
    if output.as_json:
        output.json(
            {
                "output": None if is_bytes else result.output,
                "output_base64": base64.b64encode(result.output).decode() if is_bytes else None,
                "content_type": result.content_type,
                "info": _facts(result.info),
            }
        )
        return
    if is_bytes:
        _print_bytes(result.output)
    else:
        output.write(json.dumps(result.output, indent=2, ensure_ascii=False) + "\n")
    _print_log_id(output, result.info)


def _print_bytes(content: bytes) -> None:
    if sys.stdout.isatty():
        raise ConfigurationError("the answer is binary and stdout is a terminal: send it to a file with `> FILE`")
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _facts(info: ResponseInfo | None) -> dict[str, Any] | None:
    return info.model_dump(mode="json") if info else None


def _print_log_id(output: Output, info: ResponseInfo | None) -> None:
    if info and info.log_id:
        cached = f" (cache {info.cache_status})" if info.cache_status else ""
        output.remark(f"log {info.log_id}{cached}")
