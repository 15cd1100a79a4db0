"""Properties that hold for any input: decoding at every cut, options as headers, error bodies, messages in order.

`HYPOTHESIS_PROFILE=deep`, as in the fuzz tests, goes deeper.
"""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from llama_index.core.llms import ChatMessage

from aigw import AIGatewayError, ConfigurationError, ResponseInfo
from aigw._engines._inflate import Inflater
from aigw._error_bodies import error_from_response
from aigw._http import Headers, Response
from aigw._options import check_options, encode_options
from aigw._sse import SSEDecoder
from aigw._streams import CHAT_EVENTS, CHAT_STREAM, EVENT_STREAM, RUN_STREAM, StreamDecoder
from langchain_aigw._messages import encode_messages as encode_for_langchain
from llamaindex_aigw._messages import encode_messages as encode_for_llamaindex

from .modes.mode import zipped

EXAMPLES = 3000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 150
quick = settings(
    derandomize=EXAMPLES < 1000,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

LINES = st.sampled_from(
    [
        b"data: a",
        b"data:b",
        b"data",
        b"data:  c",
        b"event: x",
        b"event:",
        b": hi",
        b"id: 1",
        b"retry: 5",
        b"",
        b"",
        b"foo",
        b"data: \xe2\x80\xa8",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
DOCUMENTS = st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda lines: b"".join(map(b"".join, lines)))
CUTS = st.lists(st.integers(0, 200), max_size=6)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
KEYS = st.sampled_from(
    [
        "choices",
        "error",
        "errors",
        "message",
        "code",
        "type",
        "success",
        "delta",
        "index",
        "tool_calls",
        "finish_reason",
        "result",
        "content",
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def split(document, cuts):
    places = sorted({min(cut, len(document)) for cut in cuts} | {0, len(document)})
    return [document[start:end] for start, end in pairwise(places)]


def reference(document):
    """The standard's algorithm, line by line over the whole document; a last event needs no blank line here."""
    events, data, name = [], [], ""
    for line in [*re.split(rb"\r\n|\n|\r", document.removeprefix(b"\xef\xbb\xbf")), b""]:
        if not line:
            events += [(b"\n".join(data), name or "message")] if data else []
            data, name = [], ""
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.strip().decode()
    return events


@quick
@given(DOCUMENTS, CUTS, st.booleans())
def test_events_are_those_of_the_standard_wherever_the_bytes_are_cut(document, cuts, has_bom):
    document = b"\xef\xbb\xbf" * has_bom + document
    decoder = SSEDecoder()
    events = [event for piece in split(document, cuts) for event in decoder.feed(piece)]

    assert [tuple(event) for event in events + decoder.close()] == reference(document)


@quick
@given(st.binary(max_size=300), CUTS, st.booleans())
def test_what_was_packed_is_unpacked_wherever_it_is_cut(content, cuts, is_twice):
    inflater = Inflater()
    packed = zipped(content) * (1 + is_twice)
    unpacked = b"".join(piece for part in split(packed, cuts) for piece in inflater.feed(part))
    inflater.close()

    assert unpacked == content * (1 + is_twice)


@quick
@given(
    st.lists(JSON, max_size=4),
    CUTS,
    st.sampled_from([CHAT_EVENTS, CHAT_STREAM, EVENT_STREAM, RUN_STREAM]),
    st.booleans(),
)
def test_a_stream_of_any_json_ends_in_items_or_a_typed_error(values, cuts, shape, is_whole):
    document = b"".join(b"data: %s\n\n" % json.dumps(value).encode() for value in values)
    document = json.dumps(values[0]).encode() if is_whole and values else document
    decoder = StreamDecoder(shape, Headers(), ResponseInfo(status_code=200))

    try:
        items = [item for piece in split(document, cuts) for item in decoder.feed(piece)]
        items += list(decoder.close())
    except AIGatewayError as error:
        assert str(error)  # noqa: PT017  either way is right
    else:
        assert (len(items), decoder.is_done) == (decoder.count, True)


@quick
@given(
    JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60),
    st.integers(300, 599),
    st.dictionaries(KEYS, JSON),
)
@example(b"[" * 100_000, 500, {})
@example(b"<title>" * 1000, 502, {})
def test_any_error_body_becomes_an_error_with_a_sentence(body, status, more):
    for content in (body, json.dumps(more).encode()):
        error = error_from_response(Response(status, Headers(), content), ResponseInfo(), secrets=["secret-123"])
        assert f"HTTP {status}" in str(error)
        assert len(str(error)) < 1200


@quick
@given(st.text(max_size=12))
@example("secret-123")
@example('x"secret-123\\')
def test_no_echo_of_a_secret_survives_in_an_error(text):
    body = json.dumps({"error": {"message": f"{text}secret-123", text: ["secret-123", {"secret-123": text}]}}).encode()
    error = error_from_response(Response(400, Headers(), body), ResponseInfo(), secrets=["secret-123"])

    assert "secret-123" not in f"{error} {error.body!r}"


ANY_TEXT = st.text(st.characters(codec=None), max_size=12)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "cache_key": ANY_TEXT,
        "event_id": ANY_TEXT,
        "byok_alias": ANY_TEXT,
        "session_id": ANY_TEXT,
        "skip_cache": st.booleans(),
        "cache_ttl": st.integers(-1, 3_000_000),
        "metadata": st.dictionaries(
            ANY_TEXT, st.text(max_size=5) | st.integers() | st.floats() | st.booleans(), max_size=6
        ),
        "allowed_models": st.lists(ANY_TEXT, max_size=3),
        "retries": st.fixed_dictionaries({}, optional={"max_attempts": st.integers(0, 6), "backoff": ANY_TEXT}),
    },
)


@quick
@given(OPTIONS)
def test_options_are_refused_or_become_headers_that_say_the_same_and_no_more(options):
    try:
        headers = encode_options(check_options(options))
    except ConfigurationError:
        return
    assert all(
        re.fullmatch(r"cf-aig-[a-z-]+", name) and re.fullmatch(r"[\x20-\x7e]+", value) for name, value in headers
    )
    said = dict(headers)
    assert len(said) == len(headers)
    assert {key: said[name] for key, name in TEXTS.items() if name in said} == {
        key: options[key] for key in TEXTS if key in options
    }
    assert json.loads(said.get("cf-aig-metadata", "{}")) == options.get("metadata", {})


TEXTS = {"cache_key": "cf-aig-cache-key", "event_id": "cf-aig-event-id", "byok_alias": "cf-aig-byok-alias"}

TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text(max_size=10)), max_size=8)
ARGUMENTS = st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)


@quick
@given(TURNS, st.lists(ARGUMENTS, max_size=3))
def test_langchain_messages_keep_their_order_and_everything_they_say(turns, calls):
    make = {
        "system": SystemMessage,
        "user": HumanMessage,
        "tool": lambda text: ToolMessage(text, tool_call_id="1"),
        "assistant": lambda text: AIMessage(
            text, tool_calls=[{"id": str(at), "name": "f", "args": args} for at, args in enumerate(calls)]
        ),
    }
    check_turns(encode_for_langchain([make[role](text) for role, text in turns]), turns, calls)


@quick
@given(TURNS, st.lists(ARGUMENTS, max_size=3))
def test_llamaindex_messages_keep_their_order_and_everything_they_say(turns, calls):
    kwargs = {
        "tool": {"tool_call_id": "1"},
        "assistant": {
            "tool_calls": [
                {"id": str(at), "type": "function", "function": {"name": "f", "arguments": json.dumps(args)}}
                for at, args in enumerate(calls)
            ]
        },
    }
    messages = [ChatMessage(role=role, content=text, additional_kwargs=kwargs.get(role, {})) for role, text in turns]
    check_turns(encode_for_llamaindex(messages), turns, calls)


def check_turns(wire, turns, calls):
    assert [(message["role"], message["content"] or "") for message in wire] == turns
    for message in wire:
        if message["role"] == "assistant":
            said = [json.loads(call["function"]["arguments"]) for call in message.get("tool_calls") or []]
            assert said == calls
            assert [call["id"] for call in message.get("tool_calls") or []] == [str(at) for at in range(len(calls))]
